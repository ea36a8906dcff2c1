/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Runs a graph whose element named "secret" gets a property from standard
 * input, keeps no copy of it, writes all messages and all readable properties to
 * standard error, and stands still until a byte comes: when it is prerolled, when the
 * second buffer comes to a sink, at the end of the stream, and when the graph is
 * gone. Time to look into it.
 *
 *   secret-player PROPERTY GRAPH... <VALUE
 *
 * PROPERTY "key-session": VALUE has keys, as cencdecrypt's `keys`, for a session
 * in the graph's context. PROPERTY "-": none. PROPERTY "kept": none, and VALUE stays
 * in memory.
 */

#include <gst/cenc/cenc.h>
#include <gst/gst.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char secret[8192]; /* in static memory, so that no allocator keeps it */

static gboolean
read_line (void)
{
  gsize size = 0;
  char c;

  while (size < sizeof secret - 1 && read (0, &c, 1) == 1 && c != '\n')
    secret[size++] = c;
  return size > 0;
}

static void
show (GstMessage *message)
{
  const GstStructure *structure = gst_message_get_structure (message);
  g_autofree gchar *text =
      structure ? gst_structure_to_string (structure) : g_strdup ("");

  fprintf (stderr, "%s %s\n", GST_MESSAGE_TYPE_NAME (message), text);
}

static void
be_looked_at (const gchar *when)
{
  char c;

  printf ("%s\n", when);
  fflush (stdout);
  while (read (0, &c, 1) == -1)
    ;
}

/* In the streaming thread: a buffer is in the sink, and nothing before it waits. */
static GstPadProbeReturn
sink_buffer (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  static gint buffers = 0;

  if (g_atomic_int_add (&buffers, 1) != 1)
    return GST_PAD_PROBE_OK;
  be_looked_at ("playing");
  return GST_PAD_PROBE_REMOVE;
}

static void
watch_sink (const GValue *item, gpointer user_data)
{
  GstElement *element = g_value_get_object (item);
  g_autoptr (GstPad) pad = gst_element_get_static_pad (element, "sink");

  gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, sink_buffer,
      NULL, NULL);
}

/* FALSE if it is not within a minute; the bus says why. */
static gboolean
preroll (GstElement *pipeline)
{
  GstIterator *it;

  gst_element_set_state (pipeline, GST_STATE_PAUSED);
  if (gst_element_get_state (pipeline, NULL, NULL, 60 * GST_SECOND) !=
      GST_STATE_CHANGE_SUCCESS)
    return FALSE;
  be_looked_at ("paused");
  it = gst_bin_iterate_sinks (GST_BIN (pipeline));
  gst_iterator_foreach (it, watch_sink, NULL);
  gst_iterator_free (it);
  return TRUE;
}

/* FALSE if it ended in an error. */
static gboolean
play (GstElement *pipeline)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);

  if (preroll (pipeline))
    gst_element_set_state (pipeline, GST_STATE_PLAYING);
  for (;;) {
    g_autoptr (GstMessage) message = gst_bus_timed_pop (bus, 60 * GST_SECOND);

    if (!message)
      return FALSE;
    show (message);
    if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
      return FALSE;
    if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS)
      return TRUE;
  }
}

/* As text by each way that there is. */
static void
show_property (GObject *object, GParamSpec *pspec)
{
  g_auto (GValue) value = G_VALUE_INIT;
  g_autofree gchar *contents = NULL, *serialized = NULL;

  g_value_init (&value, pspec->value_type);
  g_object_get_property (object, pspec->name, &value);
  contents = g_strdup_value_contents (&value);
  serialized = gst_value_serialize (&value);
  fprintf (stderr, "property %s.%s: %s %s\n", G_OBJECT_TYPE_NAME (object),
      pspec->name, contents, serialized ? serialized : "");
  if (G_VALUE_HOLDS_OBJECT (&value) && g_value_get_object (&value) &&
      !GST_IS_OBJECT (g_value_get_object (&value)))
    fprintf (stderr, "  %s\n",
        G_OBJECT_TYPE_NAME (g_value_get_object (&value)));
}

static void
show_properties (GObject *object)
{
  guint n, i;
  g_autofree GParamSpec **pspecs =
      g_object_class_list_properties (G_OBJECT_GET_CLASS (object), &n);

  for (i = 0; i < n; i++) {
    if (pspecs[i]->flags & G_PARAM_READABLE)
      show_property (object, pspecs[i]);
  }
}

static void
show_element (const GValue *item, gpointer user_data)
{
  GstElement *element = g_value_get_object (item);
  const GList *l;

  show_properties (G_OBJECT (element));
  for (l = element->pads; l; l = l->next) {
    g_autoptr (GstCaps) caps = gst_pad_get_current_caps (l->data);
    g_autofree gchar *text = caps ? gst_caps_to_string (caps) : NULL;

    fprintf (stderr, "caps %s\n", text ? text : "");
  }
}

static void
show_elements (GstElement *pipeline)
{
  GstIterator *it = gst_bin_iterate_recurse (GST_BIN (pipeline));

  gst_iterator_foreach (it, show_element, NULL);
  gst_iterator_free (it);
}

static gboolean
set_session (GstElement *pipeline)
{
  g_autoptr (GstCencKeyRing) ring = gst_cenc_key_ring_new ();
  GstContext *context =
      gst_cenc_key_session_context_new (GST_CENC_KEY_SESSION (ring));
  gboolean ok = gst_cenc_key_ring_add_hex (ring, secret, NULL);

  gst_element_set_context (pipeline, context);
  gst_context_unref (context);
  return ok;
}

static gboolean
set_secret (GstElement *pipeline, const gchar *name)
{
  GstElement *element;

  if (g_str_equal (name, "-") || g_str_equal (name, "kept"))
    return TRUE;
  if (g_str_equal (name, "key-session"))
    return set_session (pipeline);
  element = gst_bin_get_by_name (GST_BIN (pipeline), "secret");
  g_object_set (element, name, secret, NULL);
  gst_object_unref (element);
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  GstElement *pipeline;
  gboolean ok;

  if (argc < 3 || !read_line ())
    return 2;
  gst_init (NULL, NULL);
  pipeline = gst_parse_launchv ((const gchar **) argv + 2, &error);
  if (!pipeline) {
    fprintf (stderr, "%s\n", error->message);
    return 2;
  }
  ok = set_secret (pipeline, argv[1]);
  if (!g_str_equal (argv[1], "kept"))
    explicit_bzero (secret, sizeof secret);

  ok = ok && play (pipeline);
  if (ok) {
    show_elements (pipeline);
    GST_DEBUG_BIN_TO_DOT_FILE (GST_BIN (pipeline), GST_DEBUG_GRAPH_SHOW_ALL,
        "secret-player");
    be_looked_at ("ready");
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
  if (ok)
    be_looked_at ("over");
  return ok ? 0 : 1;
}
