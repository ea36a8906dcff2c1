/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-smilremixbin
 * @title: smilremixbin
 * @short_description: the playlist that came down the pipeline, as one MP4
 *
 * Takes a SMIL playlist as data and gives what #GstSmilRemixSrc makes of it. It is
 * what players plug in when the file that they are to play is a playlist; relative
 * addresses refer to where upstream says that it reads.
 *
 * ## Example launch line
 * |[
 * gst-play-1.0 rental.smil
 * ]|
 *
 * Since: 0.1
 */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstsmilremixbin.h"

#include "gstsmilremixsrc.h"
#include "remix-xml.h"

GST_DEBUG_CATEGORY_STATIC (gst_smil_remix_bin_debug);
#define GST_CAT_DEFAULT gst_smil_remix_bin_debug

struct _GstSmilRemixBin
{
  GstBin parent;

  GstPad *sink;
  /* Only the streaming thread, or with the pads inactive. */
  GByteArray *text;
  GstElement *source; /* from the playlist's end on; borrowed from the bin */
  GstPad *src;
};

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS ("application/smil"));
static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_SOMETIMES,
        GST_STATIC_CAPS ("video/quicktime, variant = (string) iso"));

G_DEFINE_TYPE (GstSmilRemixBin, gst_smil_remix_bin, GST_TYPE_BIN);
GST_ELEMENT_REGISTER_DEFINE (smilremixbin, "smilremixbin", GST_RANK_PRIMARY,
    GST_TYPE_SMIL_REMIX_BIN);

static GstFlowReturn
gst_smil_remix_bin_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  GstSmilRemixBin *self = GST_SMIL_REMIX_BIN (parent);
  gsize size = gst_buffer_get_size (buffer);
  guint old = self->text->len;

  if (old + size > REMIX_XML_MAX_SIZE) {
    GST_ELEMENT_ERROR (self, STREAM, DEMUX, ("The playlist is beyond a limit."),
        ("more than %u bytes", REMIX_XML_MAX_SIZE));
    gst_buffer_unref (buffer);
    return GST_FLOW_ERROR;
  }
  g_byte_array_set_size (self->text, old + (guint) size);
  gst_buffer_extract (buffer, 0, self->text->data + old, size);
  gst_buffer_unref (buffer);
  return GST_FLOW_OK;
}

/* Where the playlist was read; NULL if nobody upstream knows. */
static gchar *
get_upstream_uri (GstSmilRemixBin *self)
{
  g_autoptr (GstQuery) query = gst_query_new_uri ();
  gchar *redirected = NULL, *uri = NULL;

  if (!gst_pad_peer_query (self->sink, query))
    return NULL;
  gst_query_parse_uri_redirection (query, &redirected);
  gst_query_parse_uri (query, &uri);
  if (!redirected)
    return uri;
  g_free (uri);
  return redirected;
}

static GstElement *
make_source (GstSmilRemixBin *self)
{
  g_autofree gchar *uri = get_upstream_uri (self);
  g_autofree gchar *text =
      g_strndup ((const gchar *) self->text->data, self->text->len);

  return g_object_new (GST_TYPE_SMIL_REMIX_SRC, "name", "source", "location",
      uri, "playlist", text, NULL);
}

/* With caps on the pad a player plugs its demuxer at once, from this thread, not
 * from the source's own when that starts to push. */
static void
announce (GstSmilRemixBin *self)
{
  g_autoptr (GstCaps) caps = gst_static_pad_template_get_caps (&src_template);
  g_autofree gchar *id =
      gst_pad_create_stream_id (self->src, GST_ELEMENT (self), "remix");
  GstEvent *start = gst_event_new_stream_start (id);
  GstEvent *event = gst_event_new_caps (caps);

  gst_pad_store_sticky_event (self->src, start);
  gst_pad_store_sticky_event (self->src, event);
  gst_event_unref (start);
  gst_event_unref (event);
}

/* The pad is there, and so linked, before the source starts: only then it can be
 * pulled from. */
static void
expose (GstSmilRemixBin *self)
{
  GstPadTemplate *templ = gst_static_pad_template_get (&src_template);
  g_autoptr (GstPad) target = NULL;

  self->source = make_source (self);
  gst_bin_add (GST_BIN (self), self->source);
  gst_element_set_state (self->source, GST_STATE_READY);
  target = gst_element_get_static_pad (self->source, "src");
  self->src = gst_ghost_pad_new_from_template ("src", target, templ);
  gst_object_unref (templ);
  gst_pad_set_active (self->src, TRUE);
  announce (self);
  gst_element_add_pad (GST_ELEMENT (self), self->src);
  gst_element_no_more_pads (GST_ELEMENT (self));
  gst_element_sync_state_with_parent (self->source);
}

static gboolean
gst_smil_remix_bin_sink_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstSmilRemixBin *self = GST_SMIL_REMIX_BIN (parent);

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_EOS:
      if (!self->source)
        expose (self);
      gst_event_unref (event);
      return TRUE;
    case GST_EVENT_FLUSH_STOP:
      g_byte_array_set_size (self->text, 0);
      gst_event_unref (event);
      return TRUE;
    default:
      /* Nothing of the playlist's stream is part of the title's. */
      gst_event_unref (event);
      return TRUE;
  }
}

static void
reset (GstSmilRemixBin *self)
{
  g_byte_array_set_size (self->text, 0);
  if (self->src) {
    gst_pad_set_active (self->src, FALSE);
    gst_element_remove_pad (GST_ELEMENT (self), self->src);
    self->src = NULL;
  }
  if (self->source) {
    gst_element_set_state (self->source, GST_STATE_NULL);
    gst_bin_remove (GST_BIN (self), self->source);
    self->source = NULL;
  }
}

static GstStateChangeReturn
gst_smil_remix_bin_change_state (GstElement *element, GstStateChange transition)
{
  GstStateChangeReturn result =
      GST_ELEMENT_CLASS (gst_smil_remix_bin_parent_class)
          ->change_state (element, transition);

  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    reset (GST_SMIL_REMIX_BIN (element));
  return result;
}

static void
gst_smil_remix_bin_finalize (GObject *object)
{
  g_byte_array_unref (GST_SMIL_REMIX_BIN (object)->text);
  G_OBJECT_CLASS (gst_smil_remix_bin_parent_class)->finalize (object);
}

static void
gst_smil_remix_bin_class_init (GstSmilRemixBinClass *class)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (class);

  GST_DEBUG_CATEGORY_INIT (gst_smil_remix_bin_debug, "smilremixbin", 0,
      "SMIL remix bin");
  G_OBJECT_CLASS (class)->finalize = gst_smil_remix_bin_finalize;
  element_class->change_state =
      GST_DEBUG_FUNCPTR (gst_smil_remix_bin_change_state);
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "SMIL remix bin",
      "Codec/Demuxer", "Plays a SMIL playlist from upstream as one MP4",
      "gst-plugins-cenc");
}

static void
gst_smil_remix_bin_init (GstSmilRemixBin *self)
{
  self->text = g_byte_array_new ();
  self->sink = gst_pad_new_from_static_template (&sink_template, "sink");
  gst_pad_set_chain_function (self->sink,
      GST_DEBUG_FUNCPTR (gst_smil_remix_bin_chain));
  gst_pad_set_event_function (self->sink,
      GST_DEBUG_FUNCPTR (gst_smil_remix_bin_sink_event));
  gst_element_add_pad (GST_ELEMENT (self), self->sink);
  /* To the pipeline it is a demuxer: seeks come from downstream. */
  gst_bin_set_suppressed_flags (GST_BIN (self), GST_ELEMENT_FLAG_SOURCE);
}
