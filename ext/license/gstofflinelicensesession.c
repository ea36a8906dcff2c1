/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gstofflinelicensesession.h"
#include "license-message.h"
#include "license-paths.h"

#include <string.h>

#include <gst/cenc/gstcenckeyring.h>

GST_DEBUG_CATEGORY_STATIC (offline_license_session_debug);
#define GST_CAT_DEFAULT offline_license_session_debug

/* See gstofflinelicensesession.h */
#define HEARTBEAT (5 * 60 * G_TIME_SPAN_SECOND)
#define DEFAULT_NOTICE (60 * 60) /* s */
#define CLEAN_UP_GRACE (30 * G_TIME_SPAN_DAY)
#define CLEAN_UP_INTERVAL G_TIME_SPAN_DAY

/* A license of which this playback session uses a key. */
typedef struct
{
  LicenseDocument *document;
  GPtrArray *keys;
  gboolean in_session; /* taken for PLAY */
  gboolean notice_given; /* that it ends soon */
  gboolean end_told;
} Bound;

struct _GstOfflineLicenseSession
{
  GstCencKeySession parent;

  GMutex lock; /* protects all below */
  gchar *store_path, *device_key, *issuers, *denied;
  guint skew, notice; /* s */
  const LicenseClock *clock;
  LicenseStore *store;
  GPtrArray *held; /* LicenseEntry: those that are not persistent */
  GHashTable *bound; /* name → Bound */
  gboolean anchored;
  LicenseInstant anchor; /* when time began to be counted by boottime */
  gint64 cleaned; /* boottime of the last clean-up */
};

enum
{
  PROP_0,
  PROP_STORE,
  PROP_DEVICE_KEY,
  PROP_ISSUERS,
  PROP_DENIED_ISSUERS,
  PROP_CLOCK_SKEW,
  PROP_NOTICE,
};

static guint message_signal;

G_DEFINE_TYPE (GstOfflineLicenseSession, gst_offline_license_session,
    GST_TYPE_CENC_KEY_SESSION)

static void
bound_free (Bound *bound)
{
  license_document_unref (bound->document);
  g_ptr_array_unref (bound->keys);
  g_free (bound);
}

static void
gst_offline_license_session_init (GstOfflineLicenseSession *self)
{
  g_mutex_init (&self->lock);
  self->skew = LICENSE_DEFAULT_SKEW / G_USEC_PER_SEC;
  self->notice = DEFAULT_NOTICE;
  self->clock = license_clock_system ();
  self->held =
      g_ptr_array_new_with_free_func ((GDestroyNotify) license_entry_free);
  self->bound = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
      (GDestroyNotify) bound_free);
}

static void
gst_offline_license_session_finalize (GObject *object)
{
  GstOfflineLicenseSession *self = GST_OFFLINE_LICENSE_SESSION (object);

  g_hash_table_unref (self->bound);
  g_ptr_array_unref (self->held);
  g_clear_pointer (&self->store, license_store_unref);
  g_free (self->store_path);
  g_free (self->device_key);
  g_free (self->issuers);
  g_free (self->denied);
  g_mutex_clear (&self->lock);
  G_OBJECT_CLASS (gst_offline_license_session_parent_class)->finalize (object);
}

GstOfflineLicenseSession *
gst_offline_license_session_new (void)
{
  return gst_object_ref_sink (
      g_object_new (GST_TYPE_OFFLINE_LICENSE_SESSION, NULL));
}

void
gst_offline_license_session_set_clock (GstOfflineLicenseSession *self,
    const LicenseClock *clock)
{
  self->clock = clock;
}

/* --- the store ---------------------------------------------------------- */

static LicenseStore *
open_store (GstOfflineLicenseSession *self, const gchar *path, gboolean create,
    GError **error)
{
  g_autofree gchar *device_key = self->device_key
      ? g_strdup (self->device_key)
      : license_default_path (LICENSE_DEVICE_KEY_NAME);
  g_autofree gchar *issuers_path = self->issuers
      ? g_strdup (self->issuers)
      : license_default_config (LICENSE_ISSUERS_NAME);
  g_autofree gchar *denied_path = self->denied
      ? g_strdup (self->denied)
      : license_default_config (LICENSE_DENIED_NAME);
  g_autoptr (LicenseIssuers) issuers =
      license_issuers_load (issuers_path, denied_path, error);
  LicenseStoreConfig config = { path, device_key, issuers, self->clock,
    self->skew * (gint64) G_USEC_PER_SEC };

  return issuers ? license_store_open (&config, create, error) : NULL;
}

/* With the lock. What does not exist is looked for again each time: another
 * process may have acquired a license by now. */
static gboolean
ensure_store (GstOfflineLicenseSession *self, gboolean create, GError **error)
{
  g_autofree gchar *path = NULL;

  if (self->store)
    return TRUE;
  path = self->store_path ? g_strdup (self->store_path)
                          : license_default_path (LICENSE_STORE_NAME);
  if (!create && !g_file_test (path, G_FILE_TEST_EXISTS)) {
    g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_NO_KEY,
        "there is no license store at %s", path);
    return FALSE;
  }
  self->store = open_store (self, path, create, error);
  return self->store != NULL;
}

LicenseStore *
gst_offline_license_session_get_store (GstOfflineLicenseSession *self,
    gboolean create, GError **error)
{
  LicenseStore *store = NULL;

  g_mutex_lock (&self->lock);
  if (ensure_store (self, create, error))
    store = license_store_ref (self->store);
  g_mutex_unlock (&self->lock);
  return store;
}

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
static gint64
session_time (GstOfflineLicenseSession *self, const LicenseInstant *now)
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
  LicenseTime time = { session_time (self, &entry->now), entry->clock };

  state->first_play = entry->record.first_play;
  state->released = entry->record.released;
  state->in_session = bound && bound->in_session;
  if (state->in_session && self->anchored)
    time.status = LICENSE_CLOCK_GOOD;
  return policy_decide (&entry->document->rules, state, &time);
}

/* --- messages ----------------------------------------------------------- */

static void
queue_message (GstOfflineLicenseSession *self, GQueue *messages,
    const LicenseEntry *entry, const gchar *state, const gchar *reason)
{
  LicenseState ignored;
  LicenseDecision decision = decide (self, entry, &ignored);

  g_queue_push_tail (messages,
      license_message_new (entry, &decision, state, reason));
}

/* Without the lock. */
static void
emit_messages (GstOfflineLicenseSession *self, GQueue *messages)
{
  GstStructure *structure;

  while ((structure = g_queue_pop_head (messages))) {
    g_signal_emit (self, message_signal, 0, structure);
    gst_structure_free (structure);
  }
}

void
gst_offline_license_session_tell (GstOfflineLicenseSession *self,
    LicenseEntry *entry, const gchar *state, const gchar *reason)
{
  GQueue messages = G_QUEUE_INIT;

  g_mutex_lock (&self->lock);
  if (self->store)
    license_store_refresh (self->store, entry, NULL);
  queue_message (self, &messages, entry, state, reason);
  g_mutex_unlock (&self->lock);
  emit_messages (self, &messages);
}

/* --- which license ------------------------------------------------------ */

typedef struct
{
  LicenseEntry *entry;
  LicenseState state;
  LicenseDecision decision;
} Choice;

static void
consider (GstOfflineLicenseSession *self, LicenseEntry *entry, Choice *best)
{
  Choice next = { entry };

  next.decision = decide (self, entry, &next.state);
  GST_LOG_OBJECT (self, "license %s: %s", entry->document->id,
      next.decision.allowed ? "allowed"
                            : license_reason_to_string (next.decision.reason));
  if (!best->entry ||
      policy_compare (&entry->document->rules, &next.state, &next.decision,
          &best->entry->document->rules, &best->state, &best->decision) < 0)
    *best = next;
}

static LicenseEntry *
copy_entry (const LicenseEntry *entry)
{
  LicenseEntry *copy = g_memdup2 (entry, sizeof *entry);

  license_document_ref (copy->document);
  return copy;
}

static void
consider_held (GstOfflineLicenseSession *self, const guint8 *kid, Choice *best)
{
  guint i;

  for (i = 0; i < self->held->len; i++) {
    LicenseEntry *entry = g_ptr_array_index (self->held, i);

    if ((!kid || license_document_has_kid (entry->document, kid)) &&
        license_store_refresh (self->store, entry, NULL))
      consider (self, entry, best);
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
choose (GstOfflineLicenseSession *self, const guint8 *kid, Choice *best,
    GError **error)
{
  g_autoptr (GPtrArray) entries = NULL;
  g_autoptr (GError) skipped = NULL;
  guint i;

  if (!ensure_store (self, FALSE, error))
    return FALSE;
  entries = license_store_find (self->store, kid, &skipped, error);
  if (!entries)
    return FALSE;
  for (i = 0; i < entries->len; i++)
    consider (self, g_ptr_array_index (entries, i), best);
  consider_held (self, kid, best);
  if (!best->entry)
    return no_license (kid, skipped, error);
  best->entry = copy_entry (best->entry);
  return TRUE;
}

LicenseEntry *
gst_offline_license_session_find (GstOfflineLicenseSession *self,
    const guint8 *kid, GError **error)
{
  Choice best = { NULL };

  g_mutex_lock (&self->lock);
  choose (self, kid, &best, error);
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
  gboolean played = entry->record.first_play != LICENSE_TIME_NONE;
  gboolean timed = license_rules_are_timed (&entry->document->rules);

  if (!license_store_play (self->store, entry, session_time (self, &entry->now),
          error))
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
  if (timed && !played)
    queue_message (self, messages, entry, "first-play", NULL);
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
  left = decision->expiration - session_time (self, &choice->entry->now);
  if (left <= 0 && !bound->end_told) {
    bound->end_told = TRUE;
    queue_message (self, messages, choice->entry, "expired",
        decision->source == LICENSE_END_PLAYBACK ? "playback-over"
                                                 : "window-over");
  } else if (left > 0 && !bound->notice_given &&
      left <= self->notice * (gint64) G_USEC_PER_SEC) {
    bound->notice_given = TRUE;
    queue_message (self, messages, choice->entry, "expiring", NULL);
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
    left = choice->decision.expiration - session_time (self, now);
    notice = left - self->notice * (gint64) G_USEC_PER_SEC;
    if (left > 0)
      wait = MIN (wait, left);
    if (notice > 0)
      wait = MIN (wait, notice);
  }
  return now->boottime + wait;
}

static GstCencKey *
make_key (GstOfflineLicenseSession *self, const Choice *choice,
    const Bound *bound, const guint8 *kid)
{
  guint i;

  for (i = 0; i < bound->keys->len; i++) {
    GstCencKey *key = g_ptr_array_index (bound->keys, i);

    if (memcmp (gst_cenc_key_get_kid (key), kid, GST_CENC_KID_SIZE) == 0)
      return gst_cenc_key_new_full (kid, gst_cenc_key_get_data (key),
          deadline_of (self, choice),
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
  queue_message (self, messages, choice->entry, over ? "expired" : "refused",
      license_reason_to_string (reason));
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

static GstCencKey *
gst_offline_license_session_get_key (GstCencKeySession *session,
    const guint8 *kid, GstCencKeyUse use, GError **error)
{
  GstOfflineLicenseSession *self = GST_OFFLINE_LICENSE_SESSION (session);
  GQueue messages = G_QUEUE_INIT;
  Choice choice = { NULL };
  GstCencKey *key = NULL;

  g_mutex_lock (&self->lock);
  if (choose (self, kid, &choice, error))
    key = take_key (self, kid, use, &choice, &messages, error);
  g_clear_pointer (&choice.entry, license_entry_free);
  g_mutex_unlock (&self->lock);
  emit_messages (self, &messages);
  return key;
}

/* --- the rest of the key session ---------------------------------------- */

static gboolean
gst_offline_license_session_has_key (GstCencKeySession *session,
    const guint8 *kid)
{
  GstOfflineLicenseSession *self = GST_OFFLINE_LICENSE_SESSION (session);
  g_autoptr (GError) error = NULL;
  gboolean found = FALSE;
  guint i;

  g_mutex_lock (&self->lock);
  for (i = 0; i < self->held->len && !found; i++) {
    LicenseEntry *entry = g_ptr_array_index (self->held, i);

    found = license_document_has_kid (entry->document, kid);
  }
  if (!found && ensure_store (self, FALSE, &error))
    found = license_store_has_kid (self->store, kid);
  g_mutex_unlock (&self->lock);
  if (error)
    GST_DEBUG_OBJECT (self, "%s", error->message);
  return found;
}

static GPtrArray *
gst_offline_license_session_list_kids (GstCencKeySession *session)
{
  GstOfflineLicenseSession *self = GST_OFFLINE_LICENSE_SESSION (session);
  GPtrArray *kids = NULL;
  guint i, j;

  g_mutex_lock (&self->lock);
  if (ensure_store (self, FALSE, NULL))
    kids = license_store_list_kids (self->store, NULL);
  if (!kids)
    kids = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  for (i = 0; i < self->held->len; i++) {
    LicenseEntry *entry = g_ptr_array_index (self->held, i);

    for (j = 0; j < license_document_n_kids (entry->document); j++)
      g_ptr_array_add (kids,
          g_bytes_new (license_document_kid (entry->document, j),
              GST_CENC_KID_SIZE));
  }
  g_mutex_unlock (&self->lock);
  return kids;
}

void
gst_offline_license_session_adopt (GstOfflineLicenseSession *self,
    LicenseEntry *entry, const gchar *state)
{
  gst_offline_license_session_tell (self, entry, state, NULL);
  if (entry->document->rules.persistent) {
    license_entry_free (entry);
  } else {
    g_mutex_lock (&self->lock);
    g_ptr_array_add (self->held, entry);
    g_mutex_unlock (&self->lock);
  }
  gst_cenc_key_session_changed (GST_CENC_KEY_SESSION (self));
}

/* Whether it is one of those that are held here, which no store would take. */
static gboolean
is_held (GstOfflineLicenseSession *self, GBytes *bytes)
{
  gboolean found = FALSE;
  guint i;

  g_mutex_lock (&self->lock);
  for (i = 0; i < self->held->len && !found; i++) {
    LicenseEntry *entry = g_ptr_array_index (self->held, i);

    found = g_bytes_equal (entry->document->bytes, bytes);
  }
  g_mutex_unlock (&self->lock);
  return found;
}

static gboolean
gst_offline_license_session_add_license (GstCencKeySession *session,
    GBytes *document, GstCaps *caps, GError **error)
{
  GstOfflineLicenseSession *self = GST_OFFLINE_LICENSE_SESSION (session);
  g_autoptr (LicenseStore) store = NULL;
  LicenseEntry *entry;

  if (caps && gst_caps_get_size (caps) > 0 &&
      !gst_structure_has_name (gst_caps_get_structure (caps, 0),
          LICENSE_MEDIA_TYPE)) {
    g_set_error_literal (error, GST_CENC_ERROR, GST_CENC_ERROR_UNSUPPORTED,
        "not a license: its caps are not " LICENSE_MEDIA_TYPE);
    return FALSE;
  }
  if (is_held (self, document))
    return TRUE;
  store = gst_offline_license_session_get_store (self, TRUE, error);
  entry =
      store ? license_store_import (store, document, NULL, NULL, error) : NULL;
  if (!entry)
    return FALSE;
  gst_offline_license_session_adopt (self, entry, "loaded");
  return TRUE;
}

static void
forget_use (gpointer name, gpointer value, gpointer user_data)
{
  GstOfflineLicenseSession *self = user_data;
  Bound *bound = value;
  LicenseEntry entry = { bound->document };

  /* The marks as of now: what was seen while playing outlasts the session. */
  if (bound->in_session && self->store &&
      license_store_refresh (self->store, &entry, NULL) &&
      entry.record.first_play != LICENSE_TIME_NONE)
    license_store_play (self->store, &entry, session_time (self, &entry.now),
        NULL);
}

/* With the lock. */
static void
clean_up (GstOfflineLicenseSession *self, GQueue *messages)
{
  g_autoptr (GPtrArray) removed = NULL;
  LicenseInstant now;
  guint i;

  license_clock_read (self->clock, &now);
  if (!self->store ||
      (self->cleaned && now.boottime - self->cleaned < CLEAN_UP_INTERVAL))
    return;
  self->cleaned = now.boottime;
  license_store_clean_up (self->store, CLEAN_UP_GRACE, &removed, NULL);
  for (i = 0; removed && i < removed->len; i++) {
    LicenseEntry entry = { g_ptr_array_index (removed, i) };

    if (license_store_refresh (self->store, &entry, NULL))
      queue_message (self, messages, &entry, "removed", NULL);
  }
}

static void
gst_offline_license_session_end (GstCencKeySession *session)
{
  GstOfflineLicenseSession *self = GST_OFFLINE_LICENSE_SESSION (session);
  GQueue messages = G_QUEUE_INIT;

  g_mutex_lock (&self->lock);
  g_hash_table_foreach (self->bound, forget_use, self);
  g_hash_table_remove_all (self->bound);
  self->anchored = FALSE;
  clean_up (self, &messages);
  g_mutex_unlock (&self->lock);
  emit_messages (self, &messages);
}

/* --- properties --------------------------------------------------------- */

static void
set_text (gchar **field, const GValue *value)
{
  g_free (*field);
  *field = g_value_dup_string (value);
}

static void
gst_offline_license_session_set_property (GObject *object, guint id,
    const GValue *value, GParamSpec *pspec)
{
  GstOfflineLicenseSession *self = GST_OFFLINE_LICENSE_SESSION (object);

  g_mutex_lock (&self->lock);
  switch (id) {
    case PROP_STORE:
      set_text (&self->store_path, value);
      break;
    case PROP_DEVICE_KEY:
      set_text (&self->device_key, value);
      break;
    case PROP_ISSUERS:
      set_text (&self->issuers, value);
      break;
    case PROP_DENIED_ISSUERS:
      set_text (&self->denied, value);
      break;
    case PROP_CLOCK_SKEW:
      self->skew = g_value_get_uint (value);
      break;
    case PROP_NOTICE:
      self->notice = g_value_get_uint (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  /* With other settings it is another store. */
  if (id != PROP_NOTICE)
    g_clear_pointer (&self->store, license_store_unref);
  g_mutex_unlock (&self->lock);
}

static void
gst_offline_license_session_get_property (GObject *object, guint id,
    GValue *value, GParamSpec *pspec)
{
  GstOfflineLicenseSession *self = GST_OFFLINE_LICENSE_SESSION (object);

  g_mutex_lock (&self->lock);
  switch (id) {
    case PROP_STORE:
      g_value_set_string (value, self->store_path);
      break;
    case PROP_ISSUERS:
      g_value_set_string (value, self->issuers);
      break;
    case PROP_DENIED_ISSUERS:
      g_value_set_string (value, self->denied);
      break;
    case PROP_CLOCK_SKEW:
      g_value_set_uint (value, self->skew);
      break;
    case PROP_NOTICE:
      g_value_set_uint (value, self->notice);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  g_mutex_unlock (&self->lock);
}

static void
install_text (GObjectClass *klass, guint id, const gchar *name,
    const gchar *blurb)
{
  /* The URI of a token's key may hold its PIN. */
  GParamFlags access =
      id == PROP_DEVICE_KEY ? G_PARAM_WRITABLE : G_PARAM_READWRITE;

  g_object_class_install_property (klass, id,
      g_param_spec_string (name, name, blurb, NULL,
          access | G_PARAM_STATIC_STRINGS));
}

static void
install_seconds (GObjectClass *klass, guint id, const gchar *name,
    const gchar *blurb, guint default_value)
{
  g_object_class_install_property (klass, id,
      g_param_spec_uint (name, name, blurb, 0, G_MAXINT32, default_value,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS));
}

static void
gst_offline_license_session_class_init (GstOfflineLicenseSessionClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstCencKeySessionClass *session_class = GST_CENC_KEY_SESSION_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (offline_license_session_debug,
      "offlinelicensesession", 0, "offline license session");
  object_class->finalize = gst_offline_license_session_finalize;
  object_class->set_property = gst_offline_license_session_set_property;
  object_class->get_property = gst_offline_license_session_get_property;
  session_class->has_key = gst_offline_license_session_has_key;
  session_class->get_key = gst_offline_license_session_get_key;
  session_class->list_kids = gst_offline_license_session_list_kids;
  session_class->add_license = gst_offline_license_session_add_license;
  session_class->end = gst_offline_license_session_end;

  install_text (object_class, PROP_STORE, "store",
      "The license store's file (unset: the device's)");
  install_text (object_class, PROP_DEVICE_KEY, "device-key",
      "OSSL_STORE URI of the device's key (unset: the device's)");
  install_text (object_class, PROP_ISSUERS, "issuers",
      "PEM file with the certificates of license issuers");
  install_text (object_class, PROP_DENIED_ISSUERS, "denied-issuers",
      "File with SHA-256 fingerprints of certificates not to be trusted");
  install_seconds (object_class, PROP_CLOCK_SKEW, "clock-skew",
      "Seconds by which the clock may be behind",
      LICENSE_DEFAULT_SKEW / G_USEC_PER_SEC);
  install_seconds (object_class, PROP_NOTICE, "renew-before",
      "Seconds before its end at which a license is told to expire",
      DEFAULT_NOTICE);

  /**
   * GstOfflineLicenseSession::offline-license:
   * @structure: what an element should post as an element message
   */
  message_signal = g_signal_new ("offline-license", G_TYPE_FROM_CLASS (klass),
      G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1,
      GST_TYPE_STRUCTURE | G_SIGNAL_TYPE_STATIC_SCOPE);
}
