/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "license-device.h"
#include "license-store-private.h"

LicenseEntry *
license_entry_new (LicenseDocument *document)
{
  LicenseEntry *entry = g_new0 (LicenseEntry, 1);

  entry->document = document;
  return entry;
}

LicenseEntry *
license_entry_copy (const LicenseEntry *entry)
{
  LicenseEntry *copy = g_memdup2 (entry, sizeof *entry);

  license_document_ref (copy->document);
  return copy;
}

void
license_entry_free (LicenseEntry *entry)
{
  license_document_unref (entry->document);
  g_free (entry);
}

LicenseStore *
license_store_ref (LicenseStore *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
license_store_unref (LicenseStore *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  sqlite3_close (self->db);
  EVP_PKEY_free (self->device_key);
  g_clear_pointer (&self->issuers, license_issuers_unref);
  g_clear_pointer (&self->seal, license_seal_free);
  g_mutex_clear (&self->lock);
  g_free (self);
}

static gint
user_version (sqlite3 *db, GError **error)
{
  g_autoptr (sqlite3_stmt) row =
      license_db_query (db, error, "PRAGMA user_version", "");

  if (!row || license_db_step (row, error) != 1)
    return -1;
  return sqlite3_column_int (row, 0);
}

static gboolean
fill_new (LicenseStore *self, GError **error)
{
  g_autofree gchar *jwe = license_seal_create (self->device_key, error);
  LicenseMark mark = { 0, LICENSE_TIME_NONE };

  if (!jwe || !license_record_create_tables (self->db, error) ||
      !license_db_run (self->db, error,
          "INSERT INTO meta VALUES ('seal-key', ?)", "t", jwe))
    return FALSE;
  self->seal = license_seal_open (jwe, self->device_key, error);
  return self->seal && license_mark_write (self->db, self->seal, &mark, error);
}

static gboolean
open_seal (LicenseStore *self, GError **error)
{
  g_autoptr (sqlite3_stmt) row = license_db_query (self->db, error,
      "SELECT value FROM meta WHERE name = 'seal-key'", "");
  const gchar *jwe;

  if (!row || license_db_step (row, error) < 0)
    return FALSE;
  jwe = (const gchar *) sqlite3_column_text (row, 0);
  self->seal = license_seal_open (jwe ? jwe : "", self->device_key, error);
  return self->seal != NULL;
}

static gboolean
open_tables (LicenseStore *self, gboolean create, GError **error)
{
  gint version = user_version (self->db, error);
  gboolean ok;

  if (version == 0 && create) {
    /* Another process may be doing the same: look again with the lock. */
    if (!license_db_begin (self->db, TRUE, error))
      return FALSE;
    version = user_version (self->db, error);
    ok = version != 0 || fill_new (self, error);
    if (!license_db_end (self->db, ok, error))
      return FALSE;
    if (self->seal)
      return TRUE;
  }
  if (version == 1)
    return open_seal (self, error);
  if (version >= 0)
    g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_STORE,
        "license store: version %d is not known", version);
  return FALSE;
}

LicenseStore *
license_store_open (const LicenseStoreConfig *config, gboolean create,
    GError **error)
{
  g_autoptr (LicenseStore) self = g_new0 (LicenseStore, 1);

  g_atomic_ref_count_init (&self->ref_count);
  g_mutex_init (&self->lock);
  self->issuers = license_issuers_ref (config->issuers);
  self->clock = config->clock;
  self->skew = config->skew;
  self->device_key =
      license_device_key_load (config->device_key, create, error);
  if (!self->device_key)
    return NULL;
  self->db = license_db_open (config->path, create, error);
  if (!self->db || !open_tables (self, create, error))
    return NULL;
  return g_steal_pointer (&self);
}

EVP_PKEY *
license_store_device_key (LicenseStore *self)
{
  return self->device_key;
}

const LicenseClock *
license_store_clock (LicenseStore *self)
{
  return self->clock;
}

gint64
license_store_skew (LicenseStore *self)
{
  return self->skew;
}

LicenseDocument *
license_store_open_document (LicenseStore *self, GBytes *bytes, GError **error)
{
  return license_document_open (bytes, self->issuers, error);
}

gboolean
license_store_has_kid (LicenseStore *self, const guint8 *kid)
{
  g_autoptr (sqlite3_stmt) row = NULL;
  gboolean found;

  g_mutex_lock (&self->lock);
  row = license_db_query (self->db, NULL,
      "SELECT 1 FROM kid WHERE kid = ? LIMIT 1", "k", kid);
  found = row && license_db_step (row, NULL) == 1;
  g_clear_pointer (&row, sqlite3_finalize);
  g_mutex_unlock (&self->lock);
  return found;
}

GPtrArray *
license_store_list_kids (LicenseStore *self, GError **error)
{
  g_autoptr (GPtrArray) kids =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  g_autoptr (sqlite3_stmt) row = NULL;
  gint found = -1;

  g_mutex_lock (&self->lock);
  row = license_db_query (self->db, error, "SELECT DISTINCT kid FROM kid", "");
  while (row && (found = license_db_step (row, error)) == 1)
    g_ptr_array_add (kids, license_db_column_bytes (row, 0));
  g_clear_pointer (&row, sqlite3_finalize);
  g_mutex_unlock (&self->lock);
  return found == 0 ? g_steal_pointer (&kids) : NULL;
}

gboolean
license_store_fill (LicenseStore *self, LicenseEntry *entry, GError **error)
{
  const LicenseDocument *document = entry->document;
  LicenseFloor floor;
  LicenseMark mark;
  gint64 least;

  if (!license_record_read (self->db, self->seal, document->anchor,
          document->id, &entry->record, error) ||
      !license_floor_read (self->db, self->seal, document->anchor, TRUE, &floor,
          error) ||
      !license_mark_read (self->db, self->seal, &mark, error))
    return FALSE;
  if (entry->record.version == 0) {
    g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_STORE,
        "license store: the record of %s is missing", document->id);
    return FALSE;
  }
  license_clock_read (self->clock, &entry->now);
  /* No earlier than it was issued, though that says nothing of other licenses:
   * to a clock that was set back before it came the floor is no help. */
  least = MAX (license_floor_at (&floor, &entry->now), document->issued);
  entry->clock =
      license_clock_judge (&entry->now, least, mark.seen, self->skew);
  return TRUE;
}

gboolean
license_store_refresh (LicenseStore *self, LicenseEntry *entry, GError **error)
{
  gboolean ok;

  g_mutex_lock (&self->lock);
  ok = license_db_begin (self->db, FALSE, error) &&
      license_db_end (self->db, license_store_fill (self, entry, error), error);
  g_mutex_unlock (&self->lock);
  return ok;
}

static sqlite3_stmt *
query_documents (LicenseStore *self, const guint8 *kid, GError **error)
{
  if (!kid)
    return license_db_query (self->db, error, "SELECT document FROM license",
        "");
  return license_db_query (self->db, error,
      "SELECT document FROM license NATURAL JOIN kid WHERE kid = ?", "k", kid);
}

/* The document is opened anew each time: no byte of the database is believed. */
static gboolean
find_locked (LicenseStore *self, const guint8 *kid, GPtrArray *entries,
    GError **skipped, GError **error)
{
  g_autoptr (sqlite3_stmt) row = query_documents (self, kid, error);
  gint found = -1;

  while (row && (found = license_db_step (row, error)) == 1) {
    g_autoptr (GBytes) bytes = license_db_column_bytes (row, 0);
    g_autoptr (LicenseEntry) entry = NULL;
    LicenseDocument *document;

    g_clear_error (skipped);
    document = license_document_open (bytes, self->issuers, skipped);
    if (!document || (kid && !license_document_has_kid (document, kid))) {
      g_clear_pointer (&document, license_document_unref);
      continue;
    }
    entry = license_entry_new (document);
    if (!license_store_fill (self, entry, error))
      return FALSE;
    g_ptr_array_add (entries, g_steal_pointer (&entry));
  }
  return found == 0;
}

GPtrArray *
license_store_find (LicenseStore *self, const guint8 *kid, GError **skipped,
    GError **error)
{
  g_autoptr (GPtrArray) entries =
      g_ptr_array_new_with_free_func ((GDestroyNotify) license_entry_free);
  g_autoptr (GError) ignored = NULL;
  gboolean ok;

  g_mutex_lock (&self->lock);
  ok = license_db_begin (self->db, FALSE, error) &&
      license_db_end (self->db,
          find_locked (self, kid, entries, skipped ? skipped : &ignored, error),
          error);
  g_mutex_unlock (&self->lock);
  return ok ? g_steal_pointer (&entries) : NULL;
}

GPtrArray *
license_store_outbox (LicenseStore *self, GError **error)
{
  g_autoptr (GPtrArray) documents =
      g_ptr_array_new_with_free_func ((GDestroyNotify) license_document_unref);
  g_autoptr (sqlite3_stmt) row = NULL;
  gint found = -1;

  g_mutex_lock (&self->lock);
  row = license_db_query (self->db, error, "SELECT document FROM outbox", "");
  while (row && (found = license_db_step (row, error)) == 1) {
    g_autoptr (GBytes) bytes = license_db_column_bytes (row, 0);
    LicenseDocument *document =
        license_document_open (bytes, self->issuers, NULL);

    if (document)
      g_ptr_array_add (documents, document);
  }
  g_clear_pointer (&row, sqlite3_finalize);
  g_mutex_unlock (&self->lock);
  return found == 0 ? g_steal_pointer (&documents) : NULL;
}

gboolean
license_store_counter (LicenseStore *self, gint64 *counter, GError **error)
{
  LicenseMark mark = { 0 };
  gboolean ok;

  g_mutex_lock (&self->lock);
  ok = license_mark_read (self->db, self->seal, &mark, error);
  g_mutex_unlock (&self->lock);
  *counter = mark.counter;
  return ok;
}
