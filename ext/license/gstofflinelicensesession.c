/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "license-paths.h"
#include "license-session-private.h"

GST_DEBUG_CATEGORY (offline_license_session_debug);
#define GST_CAT_DEFAULT offline_license_session_debug

#define DEFAULT_NOTICE (60 * 60) /* s */
#define CLEAN_UP_GRACE (30 * G_TIME_SPAN_DAY)
#define CLEAN_UP_INTERVAL G_TIME_SPAN_DAY

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
gboolean
license_session_ensure_store (GstOfflineLicenseSession *self, gboolean create,
    GError **error)
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
  if (license_session_ensure_store (self, create, error))
    store = license_store_ref (self->store);
  g_mutex_unlock (&self->lock);
  return store;
}

/* --- messages ----------------------------------------------------------- */

void
license_session_emit_messages (GstOfflineLicenseSession *self, GQueue *messages)
{
  GstStructure *structure;

  while ((structure = g_queue_pop_head (messages))) {
    g_signal_emit (self, message_signal, 0, structure);
    gst_structure_free (structure);
  }
}

void
gst_offline_license_session_tell (GstOfflineLicenseSession *self,
    LicenseEntry *entry, const gchar *state, const gchar *reason,
    const gchar *server)
{
  GQueue messages = G_QUEUE_INIT;

  g_mutex_lock (&self->lock);
  if (self->store)
    license_store_refresh (self->store, entry, NULL);
  license_session_queue_message (self, &messages, entry, state, reason);
  if (server)
    gst_structure_set (g_queue_peek_tail (&messages), "server-state",
        G_TYPE_STRING, server, NULL);
  g_mutex_unlock (&self->lock);
  license_session_emit_messages (self, &messages);
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
  if (!found && license_session_ensure_store (self, FALSE, &error))
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
  if (license_session_ensure_store (self, FALSE, NULL))
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
  gst_offline_license_session_tell (self, entry, state, NULL, NULL);
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
    license_store_play (self->store, &entry,
        license_session_time (self, &entry.now), NULL);
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
      license_session_queue_message (self, messages, &entry, "removed", NULL);
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
  license_session_emit_messages (self, &messages);
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
  session_class->get_key = license_session_get_key;
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
