/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The store's transactions that write; each raises the device's counter. */

#include "license-store-private.h"

/* How far the marks may lag: to store them at each key would wear flash out. */
#define MARK_GRAIN (5 * 60 * G_TIME_SPAN_SECOND)

#define CLEAN_UP_BATCH 256

/* One import under way. */
typedef struct
{
  LicenseEntry *entry;
  gboolean answers_us;
  LicenseImport kind;
} Import;

static gboolean
refuse (const LicenseDocument *document, GstCencError code, const gchar *what,
    GError **error)
{
  g_set_error (error, GST_CENC_ERROR, code, "license %s %s", document->id,
      what);
  return FALSE;
}

/* Returns: whether @document's very bytes are stored */
static gboolean
is_stored (LicenseStore *self, const LicenseDocument *document, gboolean *any)
{
  g_autoptr (sqlite3_stmt) row = license_db_query (self->db, NULL,
      "SELECT document FROM license WHERE anchor = ? AND id = ?", "tt",
      document->anchor, document->id);
  g_autoptr (GBytes) bytes = NULL;

  *any = row && license_db_step (row, NULL) == 1;
  if (*any)
    bytes = license_db_column_bytes (row, 0);
  return bytes && g_bytes_equal (bytes, document->bytes);
}

static gboolean
judge_import (LicenseStore *self, Import *import, GError **error)
{
  const LicenseDocument *document = import->entry->document;
  const LicenseRecord *record = &import->entry->record;
  gboolean any, same = is_stored (self, document, &any);

  if (record->released)
    return refuse (document, GST_CENC_ERROR_REVOKED, "was given back", error);
  if (record->version > 0 && document->issued < record->issued)
    return refuse (document, GST_CENC_ERROR_REVOKED,
        "is older than one of the same id that was here", error);
  /* Else a fresh store, or one with a row less, would be a fresh rental. */
  if (record->version == 0 && document->nonce && !import->answers_us)
    return refuse (document, GST_CENC_ERROR_REVOKED,
        "answers a request that this store knows nothing of", error);
  if (any && !same && document->issued == record->issued)
    return refuse (document, GST_CENC_ERROR_REVOKED,
        "differs from the one of the same id and date that is here", error);
  import->kind = same ? LICENSE_IMPORT_SAME
      : any           ? LICENSE_IMPORT_RENEWED
                      : LICENSE_IMPORT_NEW;
  return TRUE;
}

static gint64
later_end (gint64 a, gint64 b)
{
  return a == LICENSE_TIME_NONE || b == LICENSE_TIME_NONE ? LICENSE_TIME_NONE
                                                          : MAX (a, b);
}

static gboolean
store_kids (LicenseStore *self, const LicenseDocument *document, GError **error)
{
  guint i, n = license_document_n_kids (document);

  if (!license_db_run (self->db, error,
          "DELETE FROM kid WHERE anchor = ? AND id = ?", "tt", document->anchor,
          document->id))
    return FALSE;
  for (i = 0; i < n; i++) {
    if (!license_db_run (self->db, error, "INSERT INTO kid VALUES (?, ?, ?)",
            "ktt", license_document_kid (document, i), document->anchor,
            document->id))
      return FALSE;
  }
  return TRUE;
}

/* When the license is over by what is known now; only where to look at clean-up. */
static gboolean
store_end (LicenseStore *self, const LicenseEntry *entry, GError **error)
{
  const LicenseDocument *document = entry->document;
  LicenseState state = { entry->record.first_play, FALSE, FALSE };
  LicenseTime time = { entry->now.wall, LICENSE_CLOCK_GOOD };
  LicenseDecision decision = policy_decide (&document->rules, &state, &time);

  return license_db_run (self->db, error,
      "UPDATE license SET ends = ? WHERE anchor = ? AND id = ?", "itt",
      decision.expiration == LICENSE_TIME_NONE ? G_MAXINT64
                                               : decision.expiration,
      document->anchor, document->id);
}

static gboolean
store_document (LicenseStore *self, const LicenseEntry *entry, GError **error)
{
  const LicenseDocument *document = entry->document;

  if (!document->rules.persistent)
    return TRUE;
  return license_db_run (self->db, error,
             "INSERT OR REPLACE INTO license (anchor, id, document)"
             " VALUES (?, ?, ?)",
             "ttb", document->anchor, document->id, document->bytes) &&
      store_kids (self, document, error) && store_end (self, entry, error);
}

static gboolean
store_record (LicenseStore *self, Import *import, GError **error)
{
  const LicenseDocument *document = import->entry->document;
  LicenseRecord *record = &import->entry->record;

  record->keep_until = record->version == 0
      ? document->rules.not_after
      : later_end (record->keep_until, document->rules.not_after);
  record->issued = document->issued;
  return license_record_write (self->db, self->seal, document->anchor,
      document->id, record, error);
}

static gboolean
store_marks (LicenseStore *self, Import *import, GError **error)
{
  const LicenseDocument *document = import->entry->document;
  const LicenseInstant *now = &import->entry->now;
  LicenseFloor floor;
  LicenseMark mark;

  if (!license_floor_read (self->db, self->seal, document->anchor, FALSE,
          &floor, error) ||
      !license_mark_read (self->db, self->seal, &mark, error))
    return FALSE;
  license_floor_raise (&floor, now, document->issued, import->answers_us,
      self->skew);
  if (import->answers_us)
    mark.seen = license_seen_mend (mark.seen, document->issued, self->skew);
  /* Written even if empty: that a floor is missing has to tell something. */
  return license_floor_write (self->db, self->seal, document->anchor, &floor,
             error) &&
      license_mark_write (self->db, self->seal, &mark, error);
}

static gboolean
import_locked (LicenseStore *self, Import *import, GError **error)
{
  LicenseEntry *entry = import->entry;

  license_clock_read (self->clock, &entry->now);
  if (!license_record_read (self->db, self->seal, entry->document->anchor,
          entry->document->id, &entry->record, error) ||
      !judge_import (self, import, error))
    return FALSE;
  if (import->kind != LICENSE_IMPORT_SAME &&
      (!store_record (self, import, error) ||
          !store_document (self, entry, error)))
    return FALSE;
  if ((import->kind != LICENSE_IMPORT_SAME || import->answers_us) &&
      !store_marks (self, import, error))
    return FALSE;
  return license_store_fill (self, entry, error);
}

static gboolean
check_answer (const LicenseDocument *document, const gchar *nonce,
    GError **error)
{
  if (nonce && g_strcmp0 (nonce, document->nonce) != 0)
    return refuse (document, GST_CENC_ERROR_SIGNATURE,
        "does not answer the request that was sent (another nonce)", error);
  if (!nonce && !document->rules.persistent)
    return refuse (document, GST_CENC_ERROR_UNSUPPORTED,
        "is for one session only, and not to be kept or handed on", error);
  return TRUE;
}

LicenseEntry *
license_store_import (LicenseStore *self, GBytes *bytes, const gchar *nonce,
    LicenseImport *kind, GError **error)
{
  LicenseDocument *document =
      license_document_open (bytes, self->issuers, error);
  g_autoptr (LicenseEntry) entry = NULL;
  g_autoptr (GPtrArray) keys = NULL;
  Import import = { NULL, nonce != NULL, LICENSE_IMPORT_NEW };
  gboolean ok;

  if (!document)
    return NULL;
  import.entry = entry = license_entry_new (document);
  if (!check_answer (document, nonce, error))
    return NULL;
  keys = license_document_unseal (document, self->device_key, error);
  if (!keys)
    return NULL;
  g_mutex_lock (&self->lock);
  ok = license_db_begin (self->db, TRUE, error) &&
      license_db_end (self->db, import_locked (self, &import, error), error);
  g_mutex_unlock (&self->lock);
  if (kind)
    *kind = import.kind;
  return ok ? g_steal_pointer (&entry) : NULL;
}

/* TRUE if nothing that is stored would differ by more than the grain. */
static gboolean
marks_are_fresh (LicenseStore *self, const LicenseEntry *entry, gint64 now)
{
  LicenseMark mark;

  return entry->record.first_play != LICENSE_TIME_NONE &&
      license_mark_read (self->db, self->seal, &mark, NULL) &&
      mark.seen != LICENSE_TIME_NONE && now - mark.seen < MARK_GRAIN;
}

static gboolean
play_locked (LicenseStore *self, LicenseEntry *entry, gint64 now,
    GError **error)
{
  const LicenseDocument *document = entry->document;
  LicenseFloor floor;
  LicenseMark mark;

  if (!license_store_fill (self, entry, error) ||
      !license_floor_read (self->db, self->seal, document->anchor, TRUE, &floor,
          error) ||
      !license_mark_read (self->db, self->seal, &mark, error))
    return FALSE;
  if (entry->record.released)
    return refuse (document, GST_CENC_ERROR_REVOKED, "was given back", error);
  license_floor_carry (&floor, &entry->now);
  mark.seen = MAX (mark.seen, now);
  if (entry->record.first_play == LICENSE_TIME_NONE) {
    entry->record.first_play = now;
    entry->began_play = TRUE;
    if (!license_record_write (self->db, self->seal, document->anchor,
            document->id, &entry->record, error) ||
        !store_end (self, entry, error))
      return FALSE;
  }
  return license_floor_write (self->db, self->seal, document->anchor, &floor,
             error) &&
      license_mark_write (self->db, self->seal, &mark, error);
}

gboolean
license_store_play (LicenseStore *self, LicenseEntry *entry, gint64 now,
    GError **error)
{
  const LicenseRules *rules = &entry->document->rules;
  gboolean has_play_window = rules->playback_duration != LICENSE_TIME_NONE;
  LicenseRecord before = entry->record;
  g_autoptr (GError) failed = NULL;
  gboolean ok = TRUE;

  entry->began_play = FALSE;
  if (!license_rules_are_timed (rules))
    return TRUE;
  g_mutex_lock (&self->lock);
  if (!marks_are_fresh (self, entry, now))
    ok = license_db_begin (self->db, TRUE, &failed) &&
        license_db_end (self->db, play_locked (self, entry, now, &failed),
            &failed);
  g_mutex_unlock (&self->lock);
  if (ok)
    return TRUE;
  entry->record = before;
  entry->began_play = FALSE;
  if (g_error_matches (failed, GST_CENC_ERROR, GST_CENC_ERROR_STORE) &&
      (!has_play_window || before.first_play != LICENSE_TIME_NONE)) {
    GST_WARNING ("marks not stored: %s", failed->message);
    return TRUE;
  }
  g_propagate_error (error, g_steal_pointer (&failed));
  return FALSE;
}

static gboolean
forget_document (LicenseStore *self, const LicenseDocument *document,
    GError **error)
{
  return license_db_run (self->db, error,
             "DELETE FROM license WHERE anchor = ? AND id = ?", "tt",
             document->anchor, document->id) &&
      license_db_run (self->db, error,
          "DELETE FROM kid WHERE anchor = ? AND id = ?", "tt", document->anchor,
          document->id);
}

static gboolean
raise_counter (LicenseStore *self, GError **error)
{
  LicenseMark mark;

  return license_mark_read (self->db, self->seal, &mark, error) &&
      license_mark_write (self->db, self->seal, &mark, error);
}

static gboolean
delete_locked (LicenseStore *self, const LicenseDocument *document,
    GError **error)
{
  LicenseRecord record;

  if (!license_record_read (self->db, self->seal, document->anchor,
          document->id, &record, error))
    return FALSE;
  if (document->release_url && record.version > 0 && !record.released) {
    record.released = TRUE;
    if (!license_record_write (self->db, self->seal, document->anchor,
            document->id, &record, error) ||
        !license_db_run (self->db, error,
            "INSERT OR REPLACE INTO outbox VALUES (?, ?, ?)", "ttb",
            document->anchor, document->id, document->bytes))
      return FALSE;
  }
  return forget_document (self, document, error) && raise_counter (self, error);
}

gboolean
license_store_delete (LicenseStore *self, const LicenseDocument *document,
    GError **error)
{
  gboolean ok;

  g_mutex_lock (&self->lock);
  ok = license_db_begin (self->db, TRUE, error) &&
      license_db_end (self->db, delete_locked (self, document, error), error);
  g_mutex_unlock (&self->lock);
  return ok;
}

gboolean
license_store_outbox_done (LicenseStore *self, const LicenseDocument *document,
    GError **error)
{
  gboolean ok;

  g_mutex_lock (&self->lock);
  ok = license_db_run (self->db, error,
      "DELETE FROM outbox WHERE anchor = ? AND id = ?", "tt", document->anchor,
      document->id);
  g_mutex_unlock (&self->lock);
  return ok;
}

static gboolean
is_over (const LicenseEntry *entry, gint64 grace)
{
  LicenseState state = { entry->record.first_play, FALSE, FALSE };
  LicenseTime time = { entry->now.wall - grace, LICENSE_CLOCK_GOOD };
  LicenseDecision decision =
      policy_decide (&entry->document->rules, &state, &time);

  return entry->clock == LICENSE_CLOCK_GOOD && !decision.allowed &&
      (decision.reason == GST_CENC_ERROR_WINDOW_OVER ||
          decision.reason == GST_CENC_ERROR_PLAYBACK_OVER);
}

/* The column `ends` only says where to look; the document has the word. Those that
 * do not open, of an issuer that is trusted no longer, are not in the way of others. */
static GPtrArray *
find_over (LicenseStore *self, gint64 before, gint64 grace, GError **error)
{
  g_autoptr (GPtrArray) over =
      g_ptr_array_new_with_free_func ((GDestroyNotify) license_document_unref);
  g_autoptr (sqlite3_stmt) row = license_db_query (self->db, error,
      "SELECT document FROM license WHERE ends <= ? ORDER BY ends", "i",
      before);
  gint found = row ? 0 : -1;

  while (over->len < CLEAN_UP_BATCH && row &&
      (found = license_db_step (row, error)) == 1) {
    g_autoptr (GBytes) bytes = license_db_column_bytes (row, 0);
    g_autoptr (LicenseEntry) entry = NULL;
    LicenseDocument *document =
        license_document_open (bytes, self->issuers, NULL);

    if (!document)
      continue;
    entry = license_entry_new (document);
    if (license_store_fill (self, entry, NULL) && is_over (entry, grace))
      g_ptr_array_add (over, license_document_ref (document));
  }
  return found >= 0 ? g_steal_pointer (&over) : NULL;
}

/* A record without a document goes when no document of its license can be
 * valid any more: from then on it has nothing to remember. */
static gboolean
forget_records (LicenseStore *self, gint64 before, GError **error)
{
  return license_db_run (self->db, error,
      "DELETE FROM state WHERE keep_until <> ? AND keep_until <= ?"
      " AND NOT EXISTS (SELECT 1 FROM license WHERE"
      " license.anchor = state.anchor AND license.id = state.id)"
      " AND NOT EXISTS (SELECT 1 FROM outbox WHERE"
      " outbox.anchor = state.anchor AND outbox.id = state.id)",
      "ii", LICENSE_TIME_NONE, before);
}

/* Highest floor of all issuers: records of one must not go by a clock that
 * another knows to be wrong. */
static gboolean
clock_is_good (LicenseStore *self, const LicenseInstant *now, GError **error)
{
  g_autoptr (sqlite3_stmt) row =
      license_db_query (self->db, error, "SELECT anchor FROM floor", "");
  LicenseMark mark;
  gint found = -1;

  if (!license_mark_read (self->db, self->seal, &mark, error))
    return FALSE;
  while (row && (found = license_db_step (row, error)) == 1) {
    LicenseFloor floor;

    if (!license_floor_read (self->db, self->seal,
            (const gchar *) sqlite3_column_text (row, 0), TRUE, &floor,
            error) ||
        license_clock_judge (now, license_floor_at (&floor, now), mark.seen,
            self->skew) != LICENSE_CLOCK_GOOD)
      return FALSE;
  }
  return found == 0;
}

static gboolean
clean_up_locked (LicenseStore *self, gint64 grace, GPtrArray **removed,
    GError **error)
{
  g_autoptr (GPtrArray) over = NULL;
  LicenseInstant now;
  guint i;

  license_clock_read (self->clock, &now);
  if (!clock_is_good (self, &now, error))
    return error == NULL || *error == NULL;
  over = find_over (self, now.wall - grace, grace, error);
  for (i = 0; over && i < over->len; i++) {
    if (!forget_document (self, g_ptr_array_index (over, i), error))
      return FALSE;
  }
  if (!over || !forget_records (self, now.wall - grace - self->skew, error) ||
      (over->len > 0 && !raise_counter (self, error)))
    return FALSE;
  *removed = g_steal_pointer (&over);
  return TRUE;
}

gboolean
license_store_clean_up (LicenseStore *self, gint64 grace, GPtrArray **removed,
    GError **error)
{
  g_autoptr (GPtrArray) over = NULL;
  g_autoptr (GError) failed = NULL;
  gboolean ok;

  g_mutex_lock (&self->lock);
  ok = license_db_begin (self->db, TRUE, &failed) &&
      license_db_end (self->db, clean_up_locked (self, grace, &over, &failed),
          &failed);
  g_mutex_unlock (&self->lock);
  if (!ok)
    g_propagate_error (error, g_steal_pointer (&failed));
  else if (removed)
    *removed = over ? g_steal_pointer (&over)
                    : g_ptr_array_new_with_free_func (
                          (GDestroyNotify) license_document_unref);
  return ok;
}
