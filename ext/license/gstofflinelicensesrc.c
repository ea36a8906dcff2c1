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
 * ## Play, and renew in time while there is a network
 * |[
 * gst-launch-1.0 -m offlinelicensesrc action=play auto-renew=true renew-before=86400 content=title.mp4 ! dec.license  filesrc location=title.mp4 ! cencdecrypt name=dec ! qtdemux ! h264parse ! avdec_h264 ! autovideosink
 * ]|
 *
 * Since: 0.1
 */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstofflinelicensesrc.h"
#include "license-content.h"
#include "license-errors.h"
#include "license-jobs.h"
#include "license-renewer.h"
#include "license-settings.h"

#include <string.h>

#include <gst/cenc/gstcenckeyring.h>

GST_DEBUG_CATEGORY_STATIC (offline_license_src_debug);
#define GST_CAT_DEFAULT offline_license_src_debug

/* A server that is gone, or renews for less than renew-before, is left in peace. */
#define RENEWAL_PAUSE (30 * G_TIME_SPAN_SECOND)
#define RENEWAL_MAX_PAUSE (10 * G_TIME_SPAN_MINUTE)

struct _GstOfflineLicenseSrc
{
  GstBaseSrc parent;

  /* the object lock */
  LicenseSettings settings;
  LicenseRenewer *renewer; /* from start to stop, if it may */

  GstOfflineLicenseSession *session;
  GCancellable *cancellable;
  gboolean done; /* the streaming thread's */
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

/* --- renewal by itself --------------------------------------------------- */

/* A license is about to end: its own words go to the renewer. */
static void
ask_for_renewal (GstOfflineLicenseSrc *self, const GstStructure *structure)
{
  const GValue *kids = gst_structure_get_value (structure, "key-ids");
  const gchar *id = gst_structure_get_string (structure, "license-id");
  guint8 kid[GST_CENC_KID_SIZE];

  if (g_strcmp0 (gst_structure_get_string (structure, "state"), "expiring") !=
          0 ||
      gst_value_array_get_size (kids) == 0 ||
      !gst_cenc_parse_hex (g_value_get_string (
                               gst_value_array_get_value (kids, 0)),
          kid, sizeof kid))
    return;
  GST_OBJECT_LOCK (self);
  if (self->renewer)
    license_renewer_request (self->renewer, kid, id);
  GST_OBJECT_UNLOCK (self);
}

static void
on_message (GstOfflineLicenseSession *session, const GstStructure *structure,
    GstOfflineLicenseSrc *self)
{
  gst_element_post_message (GST_ELEMENT (self),
      gst_message_new_element (GST_OBJECT (self),
          gst_structure_copy (structure)));
  ask_for_renewal (self, structure);
}

static void
gst_offline_license_src_init (GstOfflineLicenseSrc *self)
{
  license_settings_init (&self->settings);
  self->cancellable = g_cancellable_new ();
  self->session = gst_offline_license_session_new ();
  g_signal_connect (self->session, "offline-license", G_CALLBACK (on_message),
      self);
  gst_base_src_set_format (GST_BASE_SRC (self), GST_FORMAT_BYTES);
}

static void
gst_offline_license_src_finalize (GObject *object)
{
  GstOfflineLicenseSrc *self = GST_OFFLINE_LICENSE_SRC (object);

  g_signal_handlers_disconnect_by_data (self->session, self);
  gst_object_unref (self->session);
  g_object_unref (self->cancellable);
  license_settings_clear (&self->settings);
  G_OBJECT_CLASS (gst_offline_license_src_parent_class)->finalize (object);
}

/* --- the job ------------------------------------------------------------ */

/* The settings as of the moment when the job starts. */
typedef struct
{
  LicenseSettings settings;
  LicenseAction action;
  LicenseJob job;
} Task;

static void
on_progress (gpointer data, const gchar *text)
{
  GstElement *element = data;

  gst_element_post_message (element,
      gst_message_new_progress (GST_OBJECT (element),
          GST_PROGRESS_TYPE_CONTINUE, "license", text));
}

static void
task_init (Task *task, GstOfflineLicenseSrc *self)
{
  LicenseClient client = LICENSE_CLIENT_INIT;
  LicenseSettings *settings = &task->settings;

  memset (task, 0, sizeof *task);
  GST_OBJECT_LOCK (self);
  license_settings_copy (&self->settings, settings);
  GST_OBJECT_UNLOCK (self);
  task->action = license_settings_get_action (settings);
  client.timeout = settings->timeout;
  client.ca_file = settings->ca_file;
  client.cancellable = self->cancellable;
  task->job.client = client;
  task->job.session = self->session;
  task->job.token = settings->token;
  task->job.token_location = settings->token_location;
  task->job.url = settings->uri;
  task->job.location = settings->location;
  task->job.renew_before = settings->renew_before;
}

static void
task_clear (Task *task)
{
  license_settings_clear (&task->settings);
  g_clear_pointer (&task->job.kids, g_byte_array_unref);
}

static GByteArray *
wanted_kids (const Task *task, GError **error)
{
  const LicenseSettings *settings = &task->settings;

  if (settings->key_ids)
    return license_kids_parse (settings->key_ids, error);
  if (settings->content)
    return license_content_list_kids (settings->content,
        license_settings_use_network (settings) ? &task->job.client : NULL,
        error);
  return g_byte_array_new ();
}

/* What is kept past its end, and may be renewed. That it cannot be is no error
 * of playing: that says itself what is wrong with the license. */
static void
revive (Task *task)
{
  g_autoptr (GError) error = NULL;

  if (task->settings.auto_renew && !license_job_revive (&task->job, &error))
    GST_WARNING ("not renewed: %s", error->message);
}

/* Returns: whether it went well; @bytes may still be NULL, as nothing comes out
 * of a release */
static gboolean
task_run (Task *task, GBytes **bytes, GError **error)
{
  g_autoptr (LicenseEntry) entry = NULL;

  task->job.kids = wanted_kids (task, error);
  if (!task->job.kids)
    return FALSE;
  task->job.is_named = task->job.kids->len > 0;
  switch (task->action) {
    case LICENSE_ACTION_ACQUIRE:
      entry = license_job_acquire (&task->job, error);
      break;
    case LICENSE_ACTION_RENEW:
      entry = license_job_renew (&task->job, error);
      break;
    case LICENSE_ACTION_RELEASE:
      entry = license_job_release (&task->job, error);
      return entry != NULL;
    case LICENSE_ACTION_STATUS:
      return license_job_status (&task->job, error) >= 0;
    default:
      revive (task);
      entry = license_job_play (&task->job, error);
      break;
  }
  if (entry)
    *bytes = g_bytes_ref (entry->document->bytes);
  return entry != NULL;
}

/* --- what is told ------------------------------------------------------- */

static void
post_progress (GstOfflineLicenseSrc *self, GstProgressType type,
    const gchar *text)
{
  gst_element_post_message (GST_ELEMENT (self),
      gst_message_new_progress (GST_OBJECT (self), type, "license", text));
}

static void
post (GstOfflineLicenseSrc *self, GstMessageType type, const GError *error)
{
  GQuark domain;
  gint code;

  license_error_to_gst (error, &domain, &code);
  gst_element_message_full (GST_ELEMENT (self), type, domain, code,
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
  post (self, GST_MESSAGE_ERROR, error);
  return GST_FLOW_ERROR;
}

static GstFlowReturn
run (GstOfflineLicenseSrc *self, GBytes **bytes)
{
  g_autoptr (GError) error = NULL;
  gboolean network, ok;
  Task task;

  task_init (&task, self);
  /* What an action is there for; to play is not there for the network. */
  network = license_settings_use_network (&task.settings) &&
      task.action != LICENSE_ACTION_PLAY;
  if (network) {
    post_progress (self, GST_PROGRESS_TYPE_START, "starting");
    task.job.client.progress = on_progress;
    task.job.client.progress_data = self;
  }
  ok = task_run (&task, bytes, &error);
  task_clear (&task);
  if (!ok)
    return fail (self, network, error);
  if (network)
    post_progress (self, GST_PROGRESS_TYPE_COMPLETE, "done");
  return GST_FLOW_OK;
}

/* In the renewer's thread. */
static LicenseRenewal
renew_in_background (gpointer data, const guint8 *kid, const gchar *id,
    gboolean first, GCancellable *cancellable)
{
  GstOfflineLicenseSrc *self = data;
  g_autoptr (LicenseEntry) entry = NULL;
  g_autoptr (GError) error = NULL;
  gboolean again;
  Task task;

  task_init (&task, self);
  task.job.client.cancellable = cancellable;
  task.job.kids = g_byte_array_new ();
  g_byte_array_append (task.job.kids, kid, GST_CENC_KID_SIZE);
  task.job.id = id;
  task.job.is_named = license_settings_names (&task.settings, kid);
  task.job.location = NULL;
  task.job.renew_before = 0;
  /* The server that sold it is not where it is renewed. */
  if (task.action == LICENSE_ACTION_ACQUIRE)
    task.job.url = NULL;
  entry = license_job_renew (&task.job, &error);
  task_clear (&task);
  if (entry || g_cancellable_is_cancelled (cancellable))
    return LICENSE_RENEWAL_DONE;
  again = license_error_is_transient (error);
  g_prefix_error (&error, "license %s is not renewed%s: ", id,
      again ? " yet" : "");
  if (first || !again)
    post (self, GST_MESSAGE_WARNING, error);
  return again ? LICENSE_RENEWAL_AGAIN : LICENSE_RENEWAL_NEVER;
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
  GstOfflineLicenseSrc *self = GST_OFFLINE_LICENSE_SRC (src);

  self->done = FALSE;
  GST_OBJECT_LOCK (self);
  if (self->settings.auto_renew)
    self->renewer = license_renewer_new (renew_in_background, self,
        RENEWAL_PAUSE, RENEWAL_MAX_PAUSE);
  GST_OBJECT_UNLOCK (self);
  return TRUE;
}

static gboolean
gst_offline_license_src_stop (GstBaseSrc *src)
{
  GstOfflineLicenseSrc *self = GST_OFFLINE_LICENSE_SRC (src);
  LicenseRenewer *renewer;

  GST_OBJECT_LOCK (self);
  renewer = g_steal_pointer (&self->renewer);
  GST_OBJECT_UNLOCK (self);
  g_clear_pointer (&renewer, license_renewer_free);
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

static gboolean
is_of_session (guint id)
{
  return id >= LICENSE_PROP_STORE && id < LICENSE_PROP_KEY_SESSION;
}

static void
gst_offline_license_src_set_property (GObject *object, guint id,
    const GValue *value, GParamSpec *pspec)
{
  GstOfflineLicenseSrc *self = GST_OFFLINE_LICENSE_SRC (object);
  gboolean known;

  if (is_of_session (id)) {
    g_object_set_property (G_OBJECT (self->session), pspec->name, value);
    return;
  }
  GST_OBJECT_LOCK (self);
  known = license_settings_set (&self->settings, id, value);
  GST_OBJECT_UNLOCK (self);
  if (!known)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  if (id == LICENSE_PROP_RENEW_BEFORE && g_value_get_uint (value) > 0)
    g_object_set (self->session, "renew-before", g_value_get_uint (value),
        NULL);
}

static void
gst_offline_license_src_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
  GstOfflineLicenseSrc *self = GST_OFFLINE_LICENSE_SRC (object);
  gboolean known = TRUE;

  if (is_of_session (id)) {
    g_object_get_property (G_OBJECT (self->session), pspec->name, value);
    return;
  }
  if (id == LICENSE_PROP_KEY_SESSION) {
    g_value_set_object (value, self->session);
    return;
  }
  GST_OBJECT_LOCK (self);
  known = license_settings_get (&self->settings, id, value);
  GST_OBJECT_UNLOCK (self);
  if (!known)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
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
  license_settings_install (object_class);

  element_class->change_state =
      GST_DEBUG_FUNCPTR (gst_offline_license_src_change_state);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class,
      "Offline license source", "Source/Network",
      "Acquires, stores, renews and hands on offline licenses",
      GST_PACKAGE_NAME);

  src_class->start = GST_DEBUG_FUNCPTR (gst_offline_license_src_start);
  src_class->stop = GST_DEBUG_FUNCPTR (gst_offline_license_src_stop);
  src_class->create = GST_DEBUG_FUNCPTR (gst_offline_license_src_create);
  src_class->unlock = GST_DEBUG_FUNCPTR (gst_offline_license_src_unlock);
  src_class->unlock_stop =
      GST_DEBUG_FUNCPTR (gst_offline_license_src_unlock_stop);
  src_class->is_seekable =
      GST_DEBUG_FUNCPTR (gst_offline_license_src_is_seekable);
  src_class->query = GST_DEBUG_FUNCPTR (gst_offline_license_src_query);
  gst_type_mark_as_plugin_api (license_settings_action_type (), 0);
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
  gchar *uri;

  GST_OBJECT_LOCK (self);
  uri = license_settings_to_uri (&self->settings);
  GST_OBJECT_UNLOCK (self);
  return uri;
}

static gboolean
uri_handler_set_uri (GstURIHandler *handler, const gchar *uri, GError **error)
{
  g_autofree gchar *location = NULL, *key_ids = NULL;

  if (!license_settings_parse_uri (uri, &location, &key_ids, error))
    return FALSE;
  g_object_set (handler, "location", location, "key-ids", key_ids, NULL);
  return TRUE;
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
