/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which license, and its keys: what happens when a key is asked for. */

#include "license-message.h"
#include "license-session-private.h"

#include <openssl/crypto.h>
#include <string.h>

#include <gst/cenc/gstcenckeyring.h>

GST_DEBUG_CATEGORY_EXTERN (offline_license_session_debug);
#define GST_CAT_DEFAULT offline_license_session_debug

/* See gstofflinelicensesession.h */
#define HEARTBEAT (5 * 60 * G_TIME_SPAN_SECOND)

/* --- time and decisions ------------------------------------------------- */

static gchar *
name_of (const LicenseDocument *document)
{
  return g_strdup_printf ("%s %s", document->anchor, document->id);
}

static Bound *
find_bound (GstOfflineLicenseSession *self, const LicenseDocument *document)
{
  g_autofree gchar *name = name_of (document);

  return g_hash_table_lookup (self->bound, name);
}

/* In a session the wall clock no longer counts: whoever sets it, or NTP that
 * does, neither shortens nor stretches what is playing. */
gint64
license_session_time (GstOfflineLicenseSession *self, const LicenseInstant *now)
{
  if (!self->anchored || !g_str_equal (self->anchor.boot_id, now->boot_id))
    return now->wall;
  return self->anchor.wall + (now->boottime - self->anchor.boottime);
}

static LicenseDecision
decide (GstOfflineLicenseSession *self, const LicenseEntry *entry,
    LicenseState *state)
{
  Bound *bound = find_bound (self, entry->document);
  LicenseTime time = { license_session_time (self, &entry->now), entry->clock };

  state->first_play = entry->record.first_play;
  state->released = entry->record.released;
  state->in_session = bound && bound->in_session;
  if (state->in_session && self->anchored)
    time.status = LICENSE_CLOCK_GOOD;
  return policy_decide (&entry->document->rules, state, &time);
}

/* --- messages ----------------------------------------------------------- */

void
license_session_queue_message (GstOfflineLicenseSession *self, GQueue *messages,
    const LicenseEntry *entry, const gchar *state, const gchar *reason)
{
  LicenseState ignored;
  LicenseDecision decision = decide (self, entry, &ignored);

  g_queue_push_tail (messages,
      license_message_new (entry, &decision, state, reason));
}

/* --- which license ------------------------------------------------------ */

typedef struct
{
  LicenseEntry *entry;
  LicenseState state;
  LicenseDecision decision;
} Choice;

/* Which licenses are looked at; without a filter, all. */
typedef struct
{
  LicenseFilter filter;
  gpointer user_data;
} Wanted;

static void
consider (GstOfflineLicenseSession *self, LicenseEntry *entry,
    const Wanted *wanted, Choice *best)
{
  Choice next = { entry };

  if (wanted->filter && !wanted->filter (entry->document, wanted->user_data))
    return;
  next.decision = decide (self, entry, &next.state);
  GST_LOG_OBJECT (self, "license %s: %s", entry->document->id,
      next.decision.allowed ? "allowed"
                            : license_reason_to_string (next.decision.reason));
  if (!best->entry ||
      policy_compare (&entry->document->rules, &next.state, &next.decision,
          &best->entry->document->rules, &best->state, &best->decision) < 0)
    *best = next;
}

static void
consider_held (GstOfflineLicenseSession *self, const guint8 *kid,
    const Wanted *wanted, Choice *best)
{
  guint i;

  for (i = 0; i < self->held->len; i++) {
    LicenseEntry *entry = g_ptr_array_index (self->held, i);

    if ((!kid || license_document_has_kid (entry->document, kid)) &&
        license_store_refresh (self->store, entry, NULL))
      consider (self, entry, wanted, best);
  }
}

static gboolean
no_license (const guint8 *kid, GError *skipped, GError **error)
{
  g_autofree gchar *text = kid ? gst_cenc_kid_to_string (kid) : NULL;

  if (skipped)
    g_set_error (error, GST_CENC_ERROR, skipped->code,
        "the license for key %s does not open: %s", text ? text : "",
        skipped->message);
  else
    g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_NO_KEY,
        kid ? "no license for key %s" : "no license%s", text ? text : "");
  return FALSE;
}

/* With the lock. @best: its entry is the caller's. */
static gboolean
choose (GstOfflineLicenseSession *self, const guint8 *kid, const Wanted *wanted,
    Choice *best, GError **error)
{
  g_autoptr (GPtrArray) entries = NULL;
  g_autoptr (GError) skipped = NULL;
  guint i;

  if (!license_session_ensure_store (self, FALSE, error))
    return FALSE;
  entries = license_store_find (self->store, kid, &skipped, error);
  if (!entries)
    return FALSE;
  for (i = 0; i < entries->len; i++)
    consider (self, g_ptr_array_index (entries, i), wanted, best);
  consider_held (self, kid, wanted, best);
  if (!best->entry)
    return no_license (kid, skipped, error);
  best->entry = license_entry_copy (best->entry);
  return TRUE;
}

LicenseEntry *
gst_offline_license_session_find (GstOfflineLicenseSession *self,
    const guint8 *kid, LicenseFilter filter, gpointer user_data, GError **error)
{
  const Wanted wanted = { filter, user_data };
  Choice best = { NULL };

  g_mutex_lock (&self->lock);
  choose (self, kid, &wanted, &best, error);
  g_mutex_unlock (&self->lock);
  return best.entry;
}

/* --- taking a key ------------------------------------------------------- */

static Bound *
ensure_bound (GstOfflineLicenseSession *self, const LicenseDocument *document,
    GError **error)
{
  Bound *bound = find_bound (self, document);
  GPtrArray *keys;

  if (bound && g_bytes_equal (bound->document->bytes, document->bytes))
    return bound;
  keys = license_document_unseal (document,
      license_store_device_key (self->store), error);
  if (!keys)
    return NULL;
  if (!bound) {
    bound = g_new0 (Bound, 1);
    g_hash_table_insert (self->bound, name_of (document), bound);
  } else { /* renewed in the meantime */
    license_document_unref (bound->document);
    g_ptr_array_unref (bound->keys);
    bound->notice_given = bound->end_told = FALSE;
  }
  bound->document = license_document_ref ((LicenseDocument *) document);
  bound->keys = keys;
  return bound;
}

/* First play is on the disk when this returns TRUE. */
static gboolean
begin_play (GstOfflineLicenseSession *self, Choice *choice, Bound *bound,
    GQueue *messages, GError **error)
{
  LicenseEntry *entry = choice->entry;
  gboolean timed = license_rules_are_timed (&entry->document->rules);

  if (!license_store_play (self->store, entry,
          license_session_time (self, &entry->now), error))
    return FALSE;
  /* Another process may have begun it long before we looked. */
  choice->decision = decide (self, entry, &choice->state);
  if (!choice->decision.allowed) {
    license_message_set_error (entry, &choice->decision, error);
    return FALSE;
  }
  bound->in_session = TRUE;
  if (timed && !self->anchored) {
    self->anchored = TRUE;
    self->anchor = entry->now;
  }
  /* Of several that looked at the same time one began. */
  if (entry->began_play)
    license_session_queue_message (self, messages, entry, "first-play", NULL);
  return TRUE;
}

static void
give_notice (GstOfflineLicenseSession *self, Choice *choice, Bound *bound,
    GQueue *messages)
{
  const LicenseDecision *decision = &choice->decision;
  gint64 left;

  if (decision->source == LICENSE_END_NONE)
    return;
  left =
      decision->expiration - license_session_time (self, &choice->entry->now);
  if (left <= 0 && !bound->end_told) {
    bound->end_told = TRUE;
    license_session_queue_message (self, messages, choice->entry, "expired",
        decision->source == LICENSE_END_PLAYBACK ? "playback-over"
                                                 : "window-over");
  } else if (left > 0 && !bound->notice_given &&
      left <= self->notice * (gint64) G_USEC_PER_SEC) {
    bound->notice_given = TRUE;
    license_session_queue_message (self, messages, choice->entry, "expiring",
        NULL);
  }
}

static gint64
deadline_of (GstOfflineLicenseSession *self, const Choice *choice)
{
  const LicenseInstant *now = &choice->entry->now;
  gint64 wait = HEARTBEAT, left, notice;

  if (!license_rules_are_timed (&choice->entry->document->rules))
    return GST_CENC_KEY_NO_DEADLINE;
  if (choice->decision.source != LICENSE_END_NONE) {
    left = choice->decision.expiration - license_session_time (self, now);
    notice = left - self->notice * (gint64) G_USEC_PER_SEC;
    if (left > 0)
      wait = MIN (wait, left);
    if (notice > 0)
      wait = MIN (wait, notice);
  }
  return now->boottime + wait;
}

static GstCencKey *
copy_key (const GstCencKey *key, gint64 deadline,
    const GstStructure *output_protection)
{
  guint8 data[GST_CENC_KEY_SIZE];
  GstCencKey *copied;

  gst_cenc_key_copy_data (key, data);
  copied = gst_cenc_key_new_full (gst_cenc_key_get_kid (key), data, deadline,
      output_protection);
  OPENSSL_cleanse (data, sizeof data);
  return copied;
}

static GstCencKey *
make_key (GstOfflineLicenseSession *self, const Choice *choice,
    const Bound *bound, const guint8 *kid)
{
  guint i;

  for (i = 0; i < bound->keys->len; i++) {
    GstCencKey *key = g_ptr_array_index (bound->keys, i);

    if (memcmp (gst_cenc_key_get_kid (key), kid, GST_CENC_KID_SIZE) == 0)
      return copy_key (key, deadline_of (self, choice),
          choice->entry->document->output_protection);
  }
  return NULL;
}

static void
tell_refusal (GstOfflineLicenseSession *self, Choice *choice, GQueue *messages)
{
  Bound *bound = find_bound (self, choice->entry->document);
  GstCencError reason = choice->decision.reason;
  gboolean over = reason == GST_CENC_ERROR_WINDOW_OVER ||
      reason == GST_CENC_ERROR_PLAYBACK_OVER;

  if (bound && bound->end_told && over)
    return;
  if (bound && over)
    bound->end_told = TRUE;
  license_session_queue_message (self, messages, choice->entry,
      over ? "expired" : "refused", license_reason_to_string (reason));
}

static GstCencKey *
take_key (GstOfflineLicenseSession *self, const guint8 *kid, GstCencKeyUse use,
    Choice *choice, GQueue *messages, GError **error)
{
  Bound *bound;

  if (!choice->decision.allowed) {
    tell_refusal (self, choice, messages);
    license_message_set_error (choice->entry, &choice->decision, error);
    return NULL;
  }
  bound = ensure_bound (self, choice->entry->document, error);
  if (!bound)
    return NULL;
  if (use == GST_CENC_KEY_USE_PLAY &&
      !begin_play (self, choice, bound, messages, error))
    return NULL;
  give_notice (self, choice, bound, messages);
  return make_key (self, choice, bound, kid);
}

GstCencKey *
license_session_get_key (GstCencKeySession *session, const guint8 *kid,
    GstCencKeyUse use, GError **error)
{
  GstOfflineLicenseSession *self = GST_OFFLINE_LICENSE_SESSION (session);
  GQueue messages = G_QUEUE_INIT;
  const Wanted all = { NULL };
  Choice choice = { NULL };
  GstCencKey *key = NULL;

  g_mutex_lock (&self->lock);
  if (choose (self, kid, &all, &choice, error))
    key = take_key (self, kid, use, &choice, &messages, error);
  g_clear_pointer (&choice.entry, license_entry_free);
  g_mutex_unlock (&self->lock);
  license_session_emit_messages (self, &messages);
  return key;
}
