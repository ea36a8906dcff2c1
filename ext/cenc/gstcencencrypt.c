/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:element-cencencrypt
 * @title: cencencrypt
 * @short_description: encrypts MP4 by ISO/IEC 23001-7 (Common Encryption)
 *
 * Takes the bytes of an MP4 file from a muxer or from a file and gives those of
 * the encrypted file: sample entries wrapped, `pssh` added, samples encrypted,
 * every offset that moved corrected. What is not encrypted stays byte for byte.
 * Fragmented input streams, with one fragment of latency and of memory.
 * Progressive input stays progressive; where upstream can be pulled from it is
 * read once or, with the moov in front and what cannot be foreseen behind it, twice;
 * where it is pushed it waits for its end in a spool file.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 -e videotestsrc num-buffers=300 ! x264enc ! h264parse ! mp4mux fragment-duration=2000 ! cencencrypt scheme=cbcs key-id=00112233445566778899aabbccddeeff key=000102030405060708090a0b0c0d0e0f ! filesink location=title.mp4
 * ]| Encodes and encrypts.
 * |[
 * gst-launch-1.0 filesrc location=clear.mp4 ! cencencrypt key-id=00112233445566778899aabbccddeeff key=000102030405060708090a0b0c0d0e0f ! filesink location=title.mp4
 * ]| Encrypts a file, in large blocks.
 * |[
 * gst-launch-1.0 -m filesrc location=clear.mp4 ! cencencrypt crypto-period=10000000000 key-id=00112233445566778899aabbccddee00 key-seed=000102030405060708090a0b0c0d0e0f ! filesink location=title.mp4
 * ]| Another key each 10 seconds, derived from a seed.
 *
 * When it is known which keys are used, an element message "cencencrypt-keys" is
 * posted: `scheme` (string), `key-ids` (array of strings, hexadecimal), `pssh`
 * (buffer: the pssh boxes of the moov); with FairPlay `skd-uris` (array of
 * strings), one for each KID, for the manifest. With keys that rotate it is posted for
 * each crypto period in turn, before anything of the period goes out, with two more
 * fields: `period` (guint64, its number) and `start` (guint64, nanoseconds of media time).
 *
 * A key on a command line can be read by all users of the machine while the
 * command runs: for more than trials set the property from an application.
 *
 * Since: 0.1
 */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "cenc/gstcencencrypt.h"

#include "cenc/encrypt-caps.h"
#include "cenc/encrypt-error.h"
#include "cenc/encrypt-options.h"
#include "cenc/encrypt-queries.h"
#include "cenc/encrypt-run.h"
#include "cenc/encrypt-sink.h"
#include <gst/cenc/gstcenckeysession.h>

GST_DEBUG_CATEGORY_STATIC (gst_cenc_encrypt_debug);
#define GST_CAT_DEFAULT gst_cenc_encrypt_debug

struct _GstCencEncrypt
{
  GstElement parent;

  GstPad *sinkpad, *srcpad;

  EncryptOptions options; /* by the object lock */

  /* READY to PAUSED and back; by the stream lock in between. */
  EncryptPlan *plan;
  EncryptOutput *output; /* NULL: no document is written */
  EncryptRun *run; /* NULL: none has begun */
  EncryptSink sink;
  guint announced; /* tracks whose keys were, by a message */
  gboolean begun; /* pull mode: the first events went out */
  gboolean failed; /* an error was posted: nothing more goes out */
  gboolean ended; /* the input's end went out: what comes is another stream */
  GstFlowReturn taken; /* what downstream said last of a pushed input */
  GstClockTime latency; /* by the object lock */
  EncryptPreroll preroll;
};

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE ("sink", GST_PAD_SINK, GST_PAD_ALWAYS,
        GST_STATIC_CAPS ("video/quicktime; audio/x-m4a"));
static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS,
        GST_STATIC_CAPS ("video/quicktime; audio/x-m4a"));

#define gst_cenc_encrypt_parent_class parent_class
G_DEFINE_TYPE (GstCencEncrypt, gst_cenc_encrypt, GST_TYPE_ELEMENT)
GST_ELEMENT_REGISTER_DEFINE (cencencrypt, "cencencrypt", GST_RANK_NONE,
    GST_TYPE_CENC_ENCRYPT)

/* Errors */

/* Posts @error, if there is one, which it takes. */
static GstFlowReturn
judge_flow (GstCencEncrypt *self, GstFlowReturn flow, GError *error)
{
  if (error) {
    /* gst-launch-1.0 (1.22) can hang on an error that is posted before its main
     * loop runs, and input that is refused is known within a millisecond. */
    encrypt_preroll_wait (&self->preroll, GST_ELEMENT (self));
    self->failed = TRUE;
    encrypt_error_post (GST_ELEMENT (self), error);
    g_error_free (error);
    return GST_FLOW_ERROR;
  }
  return flow;
}

/* What downstream said, unless it is by an error of ours. */
static void
tell_flow (GstCencEncrypt *self, GstFlowReturn flow)
{
  if (flow != GST_FLOW_FLUSHING && !self->failed)
    GST_ELEMENT_FLOW_ERROR (self, flow);
}

/* Output */

static GstFlowReturn
push_buffer (gpointer user_data, GstBuffer *buffer)
{
  return encrypt_sink_push (&GST_CENC_ENCRYPT (user_data)->sink, buffer);
}

static GstFlowReturn
overwrite (gpointer user_data, guint64 offset, GstBuffer *buffer)
{
  return encrypt_sink_overwrite (&GST_CENC_ENCRYPT (user_data)->sink, offset,
      buffer);
}

static gboolean
output_is_seekable (gpointer user_data)
{
  return encrypt_sink_is_seekable (&GST_CENC_ENCRYPT (user_data)->sink);
}

static void
warn (gpointer user_data, const gchar *message)
{
  GST_ELEMENT_WARNING (GST_CENC_ENCRYPT (user_data), STREAM, MUX,
      ("%s", message), (NULL));
}

static void
update_latency (GstCencEncrypt *self)
{
  GstClockTime latency = encrypt_run_get_latency (self->run);
  gboolean grew;

  GST_OBJECT_LOCK (self);
  grew = latency > self->latency;
  self->latency = latency;
  GST_OBJECT_UNLOCK (self);
  if (grew)
    gst_element_post_message (GST_ELEMENT (self),
        gst_message_new_latency (GST_OBJECT (self)));
}

/* Tells the application which KIDs the content has, once they are known. */
static void
announce_keys (GstCencEncrypt *self)
{
  guint n = encrypt_plan_count_tracks (self->plan);
  GstStructure *structure;

  if (self->announced == n || encrypt_plan_rotates (self->plan))
    return;
  structure = encrypt_plan_describe (self->plan, "cencencrypt-keys");
  self->announced = structure ? n : 0;
  if (structure)
    gst_element_post_message (GST_ELEMENT (self),
        gst_message_new_element (GST_OBJECT (self), structure));
}

/* With keys that rotate, for each period in turn. What a license server has to know
 * is on disk before anything of the period goes out. */
static gboolean
begin_period (guint64 number, GstClockTime start,
    const GstStructure *description, const GPtrArray *keys, gpointer user_data,
    GError **error)
{
  GstCencEncrypt *self = user_data;

  GST_INFO_OBJECT (self, "period %" G_GUINT64_FORMAT " from %" GST_TIME_FORMAT,
      number, GST_TIME_ARGS (start));
  if (self->output &&
      !encrypt_output_add (self->output, keys->pdata[0], number, error))
    return FALSE;
  gst_element_post_message (GST_ELEMENT (self),
      gst_message_new_element (GST_OBJECT (self),
          gst_structure_copy (description)));
  return TRUE;
}

/* Input */

static GstFlowReturn
pull (gpointer user_data, guint64 offset, guint size, GstBuffer **buffer)
{
  return gst_pad_pull_range (GST_CENC_ENCRYPT (user_data)->sinkpad, offset,
      size, buffer);
}

static EncryptRun *
get_run (GstCencEncrypt *self)
{
  gboolean pulling = GST_PAD_MODE (self->sinkpad) == GST_PAD_MODE_PULL;
  EncryptRunFuncs funcs = { { push_buffer, overwrite, warn },
    pulling ? pull : NULL, output_is_seekable };
  g_autofree gchar *directory = NULL;

  if (self->run)
    return self->run;
  GST_OBJECT_LOCK (self);
  directory = g_strdup (self->options.spool_directory);
  GST_OBJECT_UNLOCK (self);
  return self->run = encrypt_run_new (self->plan,
             pulling ? encrypt_queries_get_size (self->sinkpad) : G_MAXUINT64,
             directory, &funcs, self);
}

static GstFlowReturn
gst_cenc_encrypt_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  GstCencEncrypt *self = GST_CENC_ENCRYPT (parent);
  GError *error = NULL;
  GstFlowReturn flow;

  if (self->failed) {
    gst_buffer_unref (buffer);
    return GST_FLOW_ERROR;
  }
  flow = encrypt_run_take (get_run (self), buffer, &error);
  update_latency (self);
  announce_keys (self);
  if (encrypt_run_is_idle (self->run))
    encrypt_sink_push_events (&self->sink);
  return self->taken = judge_flow (self, flow, error);
}

/* A list comes out as one, too. */
static GstFlowReturn
gst_cenc_encrypt_chain_list (GstPad *pad, GstObject *parent,
    GstBufferList *list)
{
  GstCencEncrypt *self = GST_CENC_ENCRYPT (parent);
  GstFlowReturn flow = GST_FLOW_OK, pushed;
  guint i, n = gst_buffer_list_length (list);

  encrypt_sink_hold (&self->sink);
  for (i = 0; flow == GST_FLOW_OK && i < n; i++)
    flow = gst_cenc_encrypt_chain (pad, parent,
        gst_buffer_ref (gst_buffer_list_get (list, i)));
  pushed = encrypt_sink_release (&self->sink);
  gst_buffer_list_unref (list);
  return self->taken = flow == GST_FLOW_OK ? pushed : flow;
}

/* The end of a pushed input; GST_FLOW_OK: the output is whole, or downstream has
 * enough of it, and upstream ends for that. */
static GstFlowReturn
finish (GstCencEncrypt *self)
{
  GError *error = NULL;
  GstFlowReturn flow;

  if (self->failed)
    return GST_FLOW_ERROR;
  if (self->taken != GST_FLOW_OK)
    return self->taken == GST_FLOW_EOS ? GST_FLOW_OK : self->taken;
  flow = encrypt_run_end (get_run (self), &error);
  announce_keys (self);
  encrypt_sink_push_events (&self->sink);
  flow = judge_flow (self, flow, error);
  /* Nobody upstream hears what became of an event. */
  if (flow < GST_FLOW_EOS || flow == GST_FLOW_NOT_LINKED)
    tell_flow (self, flow);
  return flow == GST_FLOW_EOS ? GST_FLOW_OK : flow;
}

static void
restart (GstCencEncrypt *self)
{
  g_clear_pointer (&self->run, encrypt_run_free);
  if (self->plan)
    encrypt_plan_restart (self->plan);
  encrypt_sink_restart (&self->sink);
  self->announced = self->begun = self->failed = self->ended = 0;
  self->taken = GST_FLOW_OK;
}

/* Events */

static GstEvent *
protect_caps_event (GstCencEncrypt *self, GstEvent *event)
{
  GError *error = NULL;
  GstEvent *made = encrypt_caps_protect_event (event, self->plan, &error);

  judge_flow (self, GST_FLOW_OK, error);
  gst_event_unref (event);
  return made;
}

/* Events go in front of the bytes that came behind them; amid a fragment they
 * wait for its end. (transfer full) */
static gboolean
forward (GstCencEncrypt *self, GstEvent *event)
{
  if (self->run && GST_EVENT_IS_SERIALIZED (event) &&
      !encrypt_run_is_idle (self->run)) {
    encrypt_sink_delay (&self->sink, event);
    return TRUE;
  }
  return gst_pad_push_event (self->srcpad, event);
}

/* Goes out again in front of the next buffer, with places of the output. */
static gboolean
take_segment (GstCencEncrypt *self, GstEvent *event)
{
  GError *error = NULL;

  gst_event_copy_segment (event, &self->sink.segment);
  gst_event_unref (event);
  if (self->sink.segment.format == GST_FORMAT_BYTES)
    encrypt_run_seek (get_run (self), self->sink.segment.start, &error);
  else
    self->sink.position = G_MAXUINT64;
  return judge_flow (self, GST_FLOW_OK, error) == GST_FLOW_OK;
}

static gboolean
gst_cenc_encrypt_sink_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstCencEncrypt *self = GST_CENC_ENCRYPT (parent);

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_CAPS:
      event = protect_caps_event (self, event);
      return event && forward (self, event);
    case GST_EVENT_SEGMENT:
      return take_segment (self, event);
    case GST_EVENT_EOS:
      self->ended = finish (self) == GST_FLOW_OK;
      if (self->ended)
        return gst_pad_push_event (self->srcpad, event);
      gst_event_unref (event);
      return FALSE;
    case GST_EVENT_FLUSH_STOP:
      restart (self);
      return gst_pad_push_event (self->srcpad, event);
    case GST_EVENT_STREAM_START:
      if (self->ended)
        restart (self);
      return gst_pad_event_default (pad, parent, event);
    case GST_EVENT_FLUSH_START:
      return gst_pad_event_default (pad, parent, event);
    default:
      return forward (self, event);
  }
}

/* A seek of downstream's would leave the places of the output without meaning. */
static gboolean
gst_cenc_encrypt_src_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  if (GST_EVENT_TYPE (event) == GST_EVENT_SEEK) {
    gst_event_unref (event);
    return FALSE;
  }
  return gst_pad_event_default (pad, parent, event);
}

/* Queries */

static gboolean
add_latency (GstCencEncrypt *self, GstQuery *query)
{
  GstClockTime own;

  GST_OBJECT_LOCK (self);
  own = self->latency;
  GST_OBJECT_UNLOCK (self);
  return encrypt_queries_latency (self->sinkpad, query, own);
}

static gboolean
gst_cenc_encrypt_src_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  return GST_QUERY_TYPE (query) == GST_QUERY_LATENCY
      ? add_latency (GST_CENC_ENCRYPT (parent), query)
      : encrypt_queries_src (pad, parent, query);
}

/* Pull mode */

static void
gst_cenc_encrypt_loop (gpointer user_data)
{
  GstCencEncrypt *self = user_data;
  GError *error = NULL;
  GstFlowReturn flow;

  if (!self->begun)
    encrypt_sink_begin (&self->sink, self->sinkpad);
  self->begun = TRUE;
  flow = encrypt_run_step (get_run (self), &error);
  update_latency (self);
  announce_keys (self);
  flow = judge_flow (self, flow, error);
  if (flow == GST_FLOW_OK)
    return;
  gst_pad_pause_task (self->sinkpad);
  if (flow == GST_FLOW_EOS)
    gst_pad_push_event (self->srcpad, gst_event_new_eos ());
  else
    tell_flow (self, flow);
}

static gboolean
gst_cenc_encrypt_sink_activate (GstPad *pad, GstObject *parent)
{
  return gst_pad_activate_mode (pad,
      encrypt_queries_can_pull (pad) ? GST_PAD_MODE_PULL : GST_PAD_MODE_PUSH,
      TRUE);
}

static gboolean
gst_cenc_encrypt_sink_activate_mode (GstPad *pad, GstObject *parent,
    GstPadMode mode, gboolean active)
{
  if (mode == GST_PAD_MODE_PUSH)
    return TRUE;
  if (mode != GST_PAD_MODE_PULL)
    return FALSE;
  return active ? gst_pad_start_task (pad, gst_cenc_encrypt_loop, parent, NULL)
                : gst_pad_stop_task (pad);
}

/* States */

static void
warn_of_given_iv (GstCencEncrypt *self, const EncryptSettings *settings)
{
  if (settings->given_iv_size > 0 && settings->scheme != CENC_SCHEME_CBCS)
    GST_ELEMENT_WARNING (self, RESOURCE, SETTINGS,
        ("iv: the IVs are counted from the one given: never use it with this "
         "key for other content"),
        (NULL));
}

static gboolean
start (GstCencEncrypt *self)
{
  EncryptSettings settings;
  GError *error = NULL;

  encrypt_settings_init (&settings);
  GST_OBJECT_LOCK (self);
  if (encrypt_options_resolve (&self->options, &settings, &error))
    self->plan = encrypt_plan_new (&settings, &error);
  if (self->plan &&
      !encrypt_options_open_output (&self->options, &settings, &self->output,
          &error))
    g_clear_pointer (&self->plan, encrypt_plan_free);
  self->latency = 0;
  GST_OBJECT_UNLOCK (self);
  encrypt_preroll_set (&self->preroll, GST_ELEMENT (self), TRUE);
  restart (self);
  gst_segment_init (&self->sink.segment, GST_FORMAT_BYTES);
  if (self->plan) {
    encrypt_plan_set_period_func (self->plan, begin_period, self);
    warn_of_given_iv (self, &settings);
  }
  encrypt_settings_clear (&settings);
  return judge_flow (self, GST_FLOW_OK, error) == GST_FLOW_OK;
}

static void
stop (GstCencEncrypt *self)
{
  restart (self);
  g_clear_pointer (&self->plan, encrypt_plan_free);
  g_clear_pointer (&self->output, encrypt_output_free);
}

static GstStateChangeReturn
gst_cenc_encrypt_change_state (GstElement *element, GstStateChange transition)
{
  GstCencEncrypt *self = GST_CENC_ENCRYPT (element);
  GstStateChangeReturn result;

  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED && !start (self)) {
    stop (self);
    return GST_STATE_CHANGE_FAILURE;
  }
  if (transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING ||
      transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    encrypt_preroll_set (&self->preroll, GST_ELEMENT (self), FALSE);
  result = GST_ELEMENT_CLASS (parent_class)->change_state (element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY ||
      (transition == GST_STATE_CHANGE_READY_TO_PAUSED &&
          result == GST_STATE_CHANGE_FAILURE))
    stop (self);
  return result;
}

/* Properties */

static void
gst_cenc_encrypt_set_property (GObject *object, guint id, const GValue *value,
    GParamSpec *pspec)
{
  GstCencEncrypt *self = GST_CENC_ENCRYPT (object);
  gboolean known;

  GST_OBJECT_LOCK (self);
  known = encrypt_options_set (&self->options, id, value);
  GST_OBJECT_UNLOCK (self);
  if (!known)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
gst_cenc_encrypt_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
  GstCencEncrypt *self = GST_CENC_ENCRYPT (object);
  gboolean known;

  GST_OBJECT_LOCK (self);
  known = encrypt_options_get (&self->options, id, value);
  GST_OBJECT_UNLOCK (self);
  if (!known)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
gst_cenc_encrypt_finalize (GObject *object)
{
  encrypt_options_clear (&GST_CENC_ENCRYPT (object)->options);
  encrypt_preroll_clear (&GST_CENC_ENCRYPT (object)->preroll);
  G_OBJECT_CLASS (parent_class)->finalize (object);
}

static void
gst_cenc_encrypt_class_init (GstCencEncryptClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (gst_cenc_encrypt_debug, "cencencrypt", 0,
      "Common Encryption encryptor");
  object_class->set_property = gst_cenc_encrypt_set_property;
  object_class->get_property = gst_cenc_encrypt_get_property;
  object_class->finalize = gst_cenc_encrypt_finalize;
  element_class->change_state =
      GST_DEBUG_FUNCPTR (gst_cenc_encrypt_change_state);
  encrypt_options_install (object_class);
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class,
      "Common Encryption encryptor", "Encryptor/Muxer",
      "Encrypts MP4 files and streams by ISO/IEC 23001-7", "gst-plugins-cenc");
}

static void
gst_cenc_encrypt_init (GstCencEncrypt *self)
{
  encrypt_options_init (&self->options);
  encrypt_preroll_init (&self->preroll);
  self->sinkpad = gst_pad_new_from_static_template (&sink_template, "sink");
  gst_pad_set_chain_function (self->sinkpad,
      GST_DEBUG_FUNCPTR (gst_cenc_encrypt_chain));
  gst_pad_set_chain_list_function (self->sinkpad,
      GST_DEBUG_FUNCPTR (gst_cenc_encrypt_chain_list));
  gst_pad_set_event_function (self->sinkpad,
      GST_DEBUG_FUNCPTR (gst_cenc_encrypt_sink_event));
  gst_pad_set_query_function (self->sinkpad,
      GST_DEBUG_FUNCPTR (encrypt_queries_sink));
  gst_pad_set_activate_function (self->sinkpad,
      GST_DEBUG_FUNCPTR (gst_cenc_encrypt_sink_activate));
  gst_pad_set_activatemode_function (self->sinkpad,
      GST_DEBUG_FUNCPTR (gst_cenc_encrypt_sink_activate_mode));
  GST_PAD_SET_PROXY_CAPS (self->sinkpad);
  gst_element_add_pad (GST_ELEMENT (self), self->sinkpad);

  self->srcpad = gst_pad_new_from_static_template (&src_template, "src");
  self->sink.pad = self->srcpad;
  gst_pad_set_event_function (self->srcpad,
      GST_DEBUG_FUNCPTR (gst_cenc_encrypt_src_event));
  gst_pad_set_query_function (self->srcpad,
      GST_DEBUG_FUNCPTR (gst_cenc_encrypt_src_query));
  GST_PAD_SET_PROXY_CAPS (self->srcpad);
  gst_element_add_pad (GST_ELEMENT (self), self->srcpad);
}
