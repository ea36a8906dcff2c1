/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:element-offlinelicensesrc
 * @title: offlinelicensesrc
 *
 * Acquires, stores, renews, releases and hands on licenses that are enforced on
 * the device, without a network once they are here. It puts out the license
 * document (`application/x-cenc-license`) and offers the key session over the
 * device's store as the context `gst.cenc.key-session`, which cencdecrypt takes.
 * What becomes of a license is told by element messages named `offline-license`.
 *
 * ## Acquire a license for a token, and keep a copy
 * |[
 * gst-launch-1.0 -m offlinelicensesrc token-location=title.token ! filesink location=title.license
 * ]|
 *
 * ## Play a title whose license stands in a file
 * |[
 * gst-launch-1.0 -m offlinelicensesrc location=title.license ! dec.license  filesrc location=title.mp4 ! cencdecrypt name=dec ! qtdemux ! h264parse ! avdec_h264 ! autovideosink
 * ]|
 *
 * ## Give back what the title needs
 * |[
 * gst-launch-1.0 -m offlinelicensesrc action=release content=title.mp4 ! fakesink
 * ]|
 *
 * Since: 0.1
 */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstofflinelicensesrc.h"
#include "license-content.h"
#include "license-jobs.h"

#include <string.h>

GST_DEBUG_CATEGORY_STATIC (offline_license_src_debug);
#define GST_CAT_DEFAULT offline_license_src_debug

typedef enum
{
  ACTION_AUTO,
  ACTION_PLAY,
  ACTION_ACQUIRE,
  ACTION_RENEW,
  ACTION_RELEASE,
  ACTION_STATUS,
} Action;

struct _GstOfflineLicenseSrc
{
  GstBaseSrc parent;

  /* settings; the object lock */
  gchar *token, *token_location, *uri, *key_ids, *content, *location, *ca_file;
  Action action;
  guint renew_before, timeout;

  GstOfflineLicenseSession *session;
  GCancellable *cancellable;
  gboolean done; /* the streaming thread's */
};

enum
{
  PROP_0,
  PROP_TOKEN,
  PROP_TOKEN_LOCATION,
  PROP_URI,
  PROP_KEY_IDS,
  PROP_CONTENT,
  PROP_LOCATION,
  PROP_STORE,
  PROP_DEVICE_KEY,
  PROP_ISSUERS,
  PROP_DENIED_ISSUERS,
  PROP_CA_FILE,
  PROP_ACTION,
  PROP_RENEW_BEFORE,
  PROP_CLOCK_SKEW,
  PROP_TIMEOUT,
  PROP_KEY_SESSION,
};

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (LICENSE_MEDIA_TYPE));

static void
gst_offline_license_src_uri_handler_init (gpointer iface, gpointer data);

G_DEFINE_TYPE_WITH_CODE (GstOfflineLicenseSrc, gst_offline_license_src,
    GST_TYPE_BASE_SRC,
    G_IMPLEMENT_INTERFACE (GST_TYPE_URI_HANDLER,
        gst_offline_license_src_uri_handler_init)
        GST_DEBUG_CATEGORY_INIT (offline_license_src_debug, "offlinelicensesrc",
            0, "offline license source"))

GST_ELEMENT_REGISTER_DEFINE (offlinelicensesrc, "offlinelicensesrc",
    GST_RANK_PRIMARY, GST_TYPE_OFFLINE_LICENSE_SRC)

static const GEnumValue actions[] = {
  { ACTION_AUTO, "Acquire if there is a token, else play", "auto" },
  { ACTION_PLAY, "Hand on a license that is here; no network", "play" },
  { ACTION_ACQUIRE, "Trade a token for a license", "acquire" },
  { ACTION_RENEW, "Renew a license at its server", "renew" },
  { ACTION_RELEASE, "Give a license back", "release" },
  { ACTION_STATUS, "Tell of the licenses that are here", "status" },
  { 0, NULL, NULL },
};

static GType
gst_offline_license_src_action_get_type (void)
{
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type,
        g_enum_register_static ("GstOfflineLicenseSrcAction", actions));
  return type;
}

static void
on_message (GstOfflineLicenseSession *session, const GstStructure *structure,
    GstOfflineLicenseSrc *self)
{
  gst_element_post_message (GST_ELEMENT (self),
      gst_message_new_element (GST_OBJECT (self),
          gst_structure_copy (structure)));
}

static void
gst_offline_license_src_init (GstOfflineLicenseSrc *self)
{
  LicenseClient defaults = LICENSE_CLIENT_INIT;

  self->timeout = defaults.timeout;
  self->cancellable = g_cancellable_new ();
  self->session = gst_offline_license_session_new ();
  g_signal_connect (self->session, "offline-license", G_CALLBACK (on_message),
      self);
  gst_base_src_set_format (GST_BASE_SRC (self), GST_FORMAT_BYTES);
}

static void
wipe (gchar **text)
{
  if (*text)
    explicit_bzero (*text, strlen (*text));
  g_clear_pointer (text, g_free);
}

static void
gst_offline_license_src_finalize (GObject *object)
{
  GstOfflineLicenseSrc *self = GST_OFFLINE_LICENSE_SRC (object);

  g_signal_handlers_disconnect_by_data (self->session, self);
  gst_object_unref (self->session);
  g_object_unref (self->cancellable);
  wipe (&self->token);
  g_free (self->token_location);
  g_free (self->uri);
  g_free (self->key_ids);
  g_free (self->content);
  g_free (self->location);
  g_free (self->ca_file);
  G_OBJECT_CLASS (gst_offline_license_src_parent_class)->finalize (object);
}

/* --- the job ------------------------------------------------------------ */

/* The settings as of the moment when the job starts. */
typedef struct
{
  LicenseJob job;
  Action action;
  gchar *token, *token_location, *uri, *location, *ca_file;
} Task;

static void
on_progress (gpointer data, const gchar *text)
{
  GstElement *element = data;

  gst_element_post_message (element,
      gst_message_new_progress (GST_OBJECT (element),
          GST_PROGRESS_TYPE_CONTINUE, "license", text));
}

static GByteArray *
wanted_kids (GstOfflineLicenseSrc *self, GError **error)
{
  g_autofree gchar *key_ids = NULL, *content = NULL;

  GST_OBJECT_LOCK (self);
  key_ids = g_strdup (self->key_ids);
  content = g_strdup (self->content);
  GST_OBJECT_UNLOCK (self);
  if (key_ids)
    return license_kids_parse (key_ids, error);
  if (content)
    return license_content_list_kids (content, error);
  return g_byte_array_new ();
}

static gboolean
task_init (Task *task, GstOfflineLicenseSrc *self, GError **error)
{
  LicenseClient client = LICENSE_CLIENT_INIT;

  memset (task, 0, sizeof *task);
  GST_OBJECT_LOCK (self);
  task->token = g_strdup (self->token);
  task->token_location = g_strdup (self->token_location);
  task->uri = g_strdup (self->uri);
  task->location = g_strdup (self->location);
  task->ca_file = g_strdup (self->ca_file);
  task->action = self->action;
  task->job.renew_before = self->renew_before;
  client.timeout = self->timeout;
  GST_OBJECT_UNLOCK (self);
  client.ca_file = task->ca_file;
  client.cancellable = self->cancellable;
  client.progress = on_progress;
  client.progress_data = self;
  task->job.client = client;
  task->job.session = self->session;
  task->job.token = task->token;
  task->job.token_location = task->token_location;
  task->job.url = task->uri;
  task->job.location = task->location;
  if (task->action == ACTION_AUTO)
    task->action =
        task->token || task->token_location ? ACTION_ACQUIRE : ACTION_PLAY;
  task->job.kids = wanted_kids (self, error);
  return task->job.kids != NULL;
}

static void
task_clear (Task *task)
{
  wipe (&task->token);
  g_free (task->token_location);
  g_free (task->uri);
  g_free (task->location);
  g_free (task->ca_file);
  g_clear_pointer (&task->job.kids, g_byte_array_unref);
}

/* Returns: whether it went well; @bytes may still be NULL, as nothing comes out
 * of a release */
static gboolean
task_run (Task *task, GBytes **bytes, GError **error)
{
  g_autoptr (LicenseEntry) entry = NULL;

  switch (task->action) {
    case ACTION_ACQUIRE:
      entry = license_job_acquire (&task->job, error);
      break;
    case ACTION_RENEW:
      entry = license_job_renew (&task->job, error);
      break;
    case ACTION_RELEASE:
      entry = license_job_release (&task->job, error);
      return entry != NULL;
    case ACTION_STATUS:
      return license_job_status (&task->job, error) >= 0;
    default:
      entry = license_job_play (&task->job, error);
      break;
  }
  if (entry)
    *bytes = g_bytes_ref (entry->document->bytes);
  return entry != NULL;
}

static gboolean
uses_network (Action action)
{
  return action == ACTION_ACQUIRE || action == ACTION_RENEW ||
      action == ACTION_RELEASE;
}

static void
post_progress (GstOfflineLicenseSrc *self, GstProgressType type,
    const gchar *text)
{
  gst_element_post_message (GST_ELEMENT (self),
      gst_message_new_progress (GST_OBJECT (self), type, "license", text));
}

static void
code_of_session_error (gint code, GQuark *domain, gint *out)
{
  *domain = GST_RESOURCE_ERROR;
  switch (code) {
    case GST_CENC_ERROR_NO_KEY:
      *domain = GST_STREAM_ERROR;
      *out = GST_STREAM_ERROR_DECRYPT_NOKEY;
      break;
    case GST_CENC_ERROR_STORE:
      *out = GST_RESOURCE_ERROR_WRITE;
      break;
    case GST_CENC_ERROR_FORMAT:
    case GST_CENC_ERROR_UNSUPPORTED:
      *out = GST_RESOURCE_ERROR_READ;
      break;
    case GST_CENC_ERROR_FAILED:
      *out = GST_RESOURCE_ERROR_SETTINGS;
      break;
    default:
      *out = GST_RESOURCE_ERROR_NOT_AUTHORIZED;
      break;
  }
}

static gint
code_of_client_error (gint code)
{
  switch (code) {
    case LICENSE_CLIENT_ERROR_SETTINGS:
      return GST_RESOURCE_ERROR_SETTINGS;
    case LICENSE_CLIENT_ERROR_REFUSED:
      return GST_RESOURCE_ERROR_NOT_AUTHORIZED;
    case LICENSE_CLIENT_ERROR_NOT_FOUND:
      return GST_RESOURCE_ERROR_NOT_FOUND;
    case LICENSE_CLIENT_ERROR_BUSY:
      return GST_RESOURCE_ERROR_BUSY;
    case LICENSE_CLIENT_ERROR_TIMEOUT:
    case LICENSE_CLIENT_ERROR_NETWORK:
    case LICENSE_CLIENT_ERROR_TLS:
      return GST_RESOURCE_ERROR_OPEN_READ;
    default:
      return GST_RESOURCE_ERROR_READ;
  }
}

static void
post_error (GstOfflineLicenseSrc *self, const GError *error)
{
  GQuark domain = GST_RESOURCE_ERROR;
  gint code = GST_RESOURCE_ERROR_FAILED;

  if (error->domain == GST_CENC_ERROR)
    code_of_session_error (error->code, &domain, &code);
  else if (error->domain == LICENSE_CLIENT_ERROR)
    code = code_of_client_error (error->code);
  gst_element_message_full (GST_ELEMENT (self), GST_MESSAGE_ERROR, domain, code,
      g_strdup (error->message), NULL, __FILE__, GST_FUNCTION, __LINE__);
}

static GstFlowReturn
fail (GstOfflineLicenseSrc *self, gboolean network, const GError *error)
{
  if (g_cancellable_is_cancelled (self->cancellable)) {
    if (network)
      post_progress (self, GST_PROGRESS_TYPE_CANCELED, "cancelled");
    return GST_FLOW_FLUSHING;
  }
  if (network)
    post_progress (self, GST_PROGRESS_TYPE_ERROR, error->message);
  post_error (self, error);
  return GST_FLOW_ERROR;
}

static GstFlowReturn
run (GstOfflineLicenseSrc *self, GBytes **bytes)
{
  g_autoptr (GError) error = NULL;
  gboolean network, ok;
  Task task;

  ok = task_init (&task, self, &error);
  network = uses_network (task.action);
  if (ok && network)
    post_progress (self, GST_PROGRESS_TYPE_START, "starting");
  ok = ok && task_run (&task, bytes, &error);
  task_clear (&task);
  if (!ok)
    return fail (self, network, error);
  if (network)
    post_progress (self, GST_PROGRESS_TYPE_COMPLETE, "done");
  return GST_FLOW_OK;
}

static GstFlowReturn
gst_offline_license_src_create (GstBaseSrc *src, guint64 offset, guint size,
    GstBuffer **buffer)
{
  GstOfflineLicenseSrc *self = GST_OFFLINE_LICENSE_SRC (src);
  g_autoptr (GBytes) bytes = NULL;
  GstFlowReturn flow;

  if (self->done)
    return GST_FLOW_EOS;
  flow = run (self, &bytes);
  if (flow != GST_FLOW_OK)
    return flow;
  self->done = TRUE;
  if (!bytes)
    return GST_FLOW_EOS;
  *buffer = gst_buffer_new_wrapped_bytes (bytes);
  return GST_FLOW_OK;
}

/* --- base source -------------------------------------------------------- */

static gboolean
gst_offline_license_src_start (GstBaseSrc *src)
{
  GST_OFFLINE_LICENSE_SRC (src)->done = FALSE;
  return TRUE;
}

static gboolean
gst_offline_license_src_is_seekable (GstBaseSrc *src)
{
  return FALSE;
}

static gboolean
gst_offline_license_src_unlock (GstBaseSrc *src)
{
  g_cancellable_cancel (GST_OFFLINE_LICENSE_SRC (src)->cancellable);
  return TRUE;
}

static gboolean
gst_offline_license_src_unlock_stop (GstBaseSrc *src)
{
  g_cancellable_reset (GST_OFFLINE_LICENSE_SRC (src)->cancellable);
  return TRUE;
}

static gboolean
answer_context (GstOfflineLicenseSrc *self, GstQuery *query)
{
  const gchar *type = NULL;
  GstContext *context;

  gst_query_parse_context_type (query, &type);
  if (g_strcmp0 (type, GST_CENC_KEY_SESSION_CONTEXT_TYPE) != 0)
    return FALSE;
  context =
      gst_cenc_key_session_context_new (GST_CENC_KEY_SESSION (self->session));
  gst_query_set_context (query, context);
  gst_context_unref (context);
  return TRUE;
}

static gboolean
gst_offline_license_src_query (GstBaseSrc *src, GstQuery *query)
{
  if (GST_QUERY_TYPE (query) == GST_QUERY_CONTEXT &&
      answer_context (GST_OFFLINE_LICENSE_SRC (src), query))
    return TRUE;
  return GST_BASE_SRC_CLASS (gst_offline_license_src_parent_class)
      ->query (src, query);
}

static void
offer_session (GstOfflineLicenseSrc *self)
{
  GstContext *context =
      gst_cenc_key_session_context_new (GST_CENC_KEY_SESSION (self->session));

  gst_element_post_message (GST_ELEMENT (self),
      gst_message_new_have_context (GST_OBJECT (self), context));
}

static GstStateChangeReturn
gst_offline_license_src_change_state (GstElement *element,
    GstStateChange transition)
{
  if (transition == GST_STATE_CHANGE_NULL_TO_READY)
    offer_session (GST_OFFLINE_LICENSE_SRC (element));
  return GST_ELEMENT_CLASS (gst_offline_license_src_parent_class)
      ->change_state (element, transition);
}

/* --- properties --------------------------------------------------------- */

static gchar **
text_field (GstOfflineLicenseSrc *self, guint id)
{
  switch (id) {
    case PROP_TOKEN:
      return &self->token;
    case PROP_TOKEN_LOCATION:
      return &self->token_location;
    case PROP_URI:
      return &self->uri;
    case PROP_KEY_IDS:
      return &self->key_ids;
    case PROP_CONTENT:
      return &self->content;
    case PROP_LOCATION:
      return &self->location;
    case PROP_CA_FILE:
      return &self->ca_file;
    default:
      return NULL;
  }
}

/* An empty text is as good as none: it is what a command line leaves. */
static void
set_text (gchar **field, const gchar *text)
{
  wipe (field);
  *field = text && *text ? g_strdup (text) : NULL;
}

static void
gst_offline_license_src_set_property (GObject *object, guint id,
    const GValue *value, GParamSpec *pspec)
{
  GstOfflineLicenseSrc *self = GST_OFFLINE_LICENSE_SRC (object);
  gchar **text = text_field (self, id);

  if (id == PROP_STORE || id == PROP_DEVICE_KEY || id == PROP_ISSUERS ||
      id == PROP_DENIED_ISSUERS || id == PROP_CLOCK_SKEW) {
    g_object_set_property (G_OBJECT (self->session), pspec->name, value);
    return;
  }
  GST_OBJECT_LOCK (self);
  if (text)
    set_text (text, g_value_get_string (value));
  else if (id == PROP_ACTION)
    self->action = g_value_get_enum (value);
  else if (id == PROP_RENEW_BEFORE)
    self->renew_before = g_value_get_uint (value);
  else if (id == PROP_TIMEOUT)
    self->timeout = g_value_get_uint (value);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  GST_OBJECT_UNLOCK (self);
  if (id == PROP_RENEW_BEFORE && g_value_get_uint (value) > 0)
    g_object_set (self->session, "renew-before", g_value_get_uint (value),
        NULL);
}

static void
gst_offline_license_src_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
  GstOfflineLicenseSrc *self = GST_OFFLINE_LICENSE_SRC (object);
  gchar **text = text_field (self, id);

  if (id == PROP_STORE || id == PROP_ISSUERS || id == PROP_DENIED_ISSUERS ||
      id == PROP_CLOCK_SKEW) {
    g_object_get_property (G_OBJECT (self->session), pspec->name, value);
    return;
  }
  GST_OBJECT_LOCK (self);
  if (text)
    g_value_set_string (value, *text);
  else if (id == PROP_ACTION)
    g_value_set_enum (value, self->action);
  else if (id == PROP_RENEW_BEFORE)
    g_value_set_uint (value, self->renew_before);
  else if (id == PROP_TIMEOUT)
    g_value_set_uint (value, self->timeout);
  else if (id == PROP_KEY_SESSION)
    g_value_set_object (value, self->session);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  GST_OBJECT_UNLOCK (self);
}

static const struct
{
  guint id;
  const gchar *name, *nick, *blurb;
  gboolean secret; /* write-only */
} texts[] = {
  { PROP_TOKEN, "token", "Token",
      "Token to acquire a license by: the text, or the JSON object that has it",
      TRUE },
  { PROP_TOKEN_LOCATION, "token-location", "Token location",
      "File or URL with the token" },
  { PROP_URI, "uri", "URI",
      "License server (unset: as the token or the license says)" },
  { PROP_KEY_IDS, "key-ids", "Key IDs",
      "KIDs wanted, 32 hex digits each, separated by commas" },
  { PROP_CONTENT, "content", "Content",
      "Protected file whose tenc and pssh boxes name the KIDs wanted" },
  { PROP_LOCATION, "location", "Location", "License file to take" },
  { PROP_STORE, "store", "Store",
      "The license store's file (unset: the device's)" },
  { PROP_DEVICE_KEY, "device-key", "Device key",
      "Path or OSSL_STORE URI of the device's private key on P-256", TRUE },
  { PROP_ISSUERS, "issuers", "Issuers",
      "PEM file with the certificates of license issuers" },
  { PROP_DENIED_ISSUERS, "denied-issuers", "Denied issuers",
      "File with SHA-256 fingerprints of certificates not to be trusted" },
  { PROP_CA_FILE, "ca-file", "CA file",
      "PEM file with what servers' TLS certificates are checked by (unset: the "
      "system's)" },
};

static void
install_texts (GObjectClass *klass)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (texts); i++)
    g_object_class_install_property (klass, texts[i].id,
        g_param_spec_string (texts[i].name, texts[i].nick, texts[i].blurb, NULL,
            (texts[i].secret ? G_PARAM_WRITABLE : G_PARAM_READWRITE) |
                G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY));
}

static void
install_seconds (GObjectClass *klass, guint id, const gchar *name,
    const gchar *nick, const gchar *blurb, guint min, guint value)
{
  g_object_class_install_property (klass, id,
      g_param_spec_uint (name, nick, blurb, min, G_MAXINT32, value,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
              GST_PARAM_MUTABLE_READY));
}

static void
install_properties (GObjectClass *klass)
{
  LicenseClient defaults = LICENSE_CLIENT_INIT;

  install_texts (klass);
  g_object_class_install_property (klass, PROP_ACTION,
      g_param_spec_enum ("action", "Action", "What to do",
          gst_offline_license_src_action_get_type (), ACTION_AUTO,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
              GST_PARAM_MUTABLE_READY));
  install_seconds (klass, PROP_RENEW_BEFORE, "renew-before", "Renew before",
      "action=renew does so only if less than these seconds are left (0: "
      "always); also when to tell that a license ends soon (0: one hour)",
      0, 0);
  install_seconds (klass, PROP_CLOCK_SKEW, "clock-skew", "Clock skew",
      "Seconds by which the clock may be behind", 0,
      LICENSE_DEFAULT_SKEW / G_USEC_PER_SEC);
  install_seconds (klass, PROP_TIMEOUT, "timeout", "Time-out",
      "Seconds that a server may take for one answer", 1, defaults.timeout);
  g_object_class_install_property (klass, PROP_KEY_SESSION,
      g_param_spec_object ("key-session", "Key session",
          "The key session over the store", GST_TYPE_CENC_KEY_SESSION,
          G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}

static void
gst_offline_license_src_class_init (GstOfflineLicenseSrcClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseSrcClass *src_class = GST_BASE_SRC_CLASS (klass);

  object_class->finalize = gst_offline_license_src_finalize;
  object_class->set_property = gst_offline_license_src_set_property;
  object_class->get_property = gst_offline_license_src_get_property;
  install_properties (object_class);

  element_class->change_state =
      GST_DEBUG_FUNCPTR (gst_offline_license_src_change_state);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class,
      "Offline license source", "Source/Network",
      "Acquires, stores, renews and hands on offline licenses",
      GST_PACKAGE_NAME);

  src_class->start = GST_DEBUG_FUNCPTR (gst_offline_license_src_start);
  src_class->create = GST_DEBUG_FUNCPTR (gst_offline_license_src_create);
  src_class->unlock = GST_DEBUG_FUNCPTR (gst_offline_license_src_unlock);
  src_class->unlock_stop =
      GST_DEBUG_FUNCPTR (gst_offline_license_src_unlock_stop);
  src_class->is_seekable =
      GST_DEBUG_FUNCPTR (gst_offline_license_src_is_seekable);
  src_class->query = GST_DEBUG_FUNCPTR (gst_offline_license_src_query);
  gst_type_mark_as_plugin_api (gst_offline_license_src_action_get_type (), 0);
}

/* --- license: URIs ------------------------------------------------------ */

static GstURIType
uri_handler_get_type (GType type)
{
  return GST_URI_SRC;
}

static const gchar *const *
uri_handler_get_protocols (GType type)
{
  static const gchar *const protocols[] = { "license", NULL };

  return protocols;
}

static gchar *
uri_handler_get_uri (GstURIHandler *handler)
{
  GstOfflineLicenseSrc *self = GST_OFFLINE_LICENSE_SRC (handler);
  gchar *uri = NULL;

  GST_OBJECT_LOCK (self);
  if (self->location) {
    g_autofree gchar *path = g_uri_escape_string (self->location, "/", FALSE);

    uri = g_strconcat ("license://", path, NULL);
  } else if (self->key_ids) {
    uri = g_strconcat ("license:", self->key_ids, NULL);
  }
  GST_OBJECT_UNLOCK (self);
  return uri;
}

/* license:///absolute/path names a file, license:KID,KID keys in the store. */
static gboolean
uri_handler_set_uri (GstURIHandler *handler, const gchar *uri, GError **error)
{
  const gchar *rest = uri + strlen ("license:");
  g_autofree gchar *path = NULL;
  g_autoptr (GByteArray) kids = NULL;

  if (g_str_has_prefix (rest, "///")) {
    path = g_uri_unescape_string (rest + 2, NULL);
    if (path) {
      g_object_set (handler, "location", path, "key-ids", NULL, NULL);
      return TRUE;
    }
  } else if ((kids = license_kids_parse (rest, NULL)) && kids->len > 0) {
    g_object_set (handler, "key-ids", rest, "location", NULL, NULL);
    return TRUE;
  }
  g_set_error_literal (error, GST_URI_ERROR, GST_URI_ERROR_BAD_URI,
      "license: is followed by KIDs or by /// and a path");
  return FALSE;
}

static void
gst_offline_license_src_uri_handler_init (gpointer iface, gpointer data)
{
  GstURIHandlerInterface *handler = iface;

  handler->get_type = uri_handler_get_type;
  handler->get_protocols = uri_handler_get_protocols;
  handler->get_uri = uri_handler_get_uri;
  handler->set_uri = uri_handler_set_uri;
}
