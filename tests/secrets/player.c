/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Runs a graph whose element named "secret" gets a property from standard
 * input, keeps no copy of it, writes all messages to standard error, and stands
 * still at the end of the stream until a byte comes: time to look into it.
 *
 *   secret-player PROPERTY GRAPH... <KEYS
 */

#include <gst/gst.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char secret[4096]; /* in static memory, so that no allocator keeps it */

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

/* FALSE if it ended in an error. */
static gboolean
play (GstElement *pipeline)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);

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

static void
be_looked_at (GstElement *pipeline)
{
  char c;

  GST_DEBUG_BIN_TO_DOT_FILE (GST_BIN (pipeline), GST_DEBUG_GRAPH_SHOW_ALL,
      "secret-player");
  printf ("ready\n");
  fflush (stdout);
  while (read (0, &c, 1) == -1)
    ;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  GstElement *pipeline, *element;
  gboolean ok;

  if (argc < 3 || !read_line ())
    return 2;
  gst_init (NULL, NULL);
  pipeline = gst_parse_launchv ((const gchar **) argv + 2, &error);
  if (!pipeline) {
    fprintf (stderr, "%s\n", error->message);
    return 2;
  }
  element = gst_bin_get_by_name (GST_BIN (pipeline), "secret");
  g_object_set (element, argv[1], secret, NULL);
  explicit_bzero (secret, sizeof secret);
  gst_object_unref (element);

  ok = play (pipeline);
  if (ok)
    be_looked_at (pipeline);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
  return ok ? 0 : 1;
}
