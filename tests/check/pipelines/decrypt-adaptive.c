/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Adaptive streaming over HTTP, by playbin3 (dashdemux2, hlsdemux2) and playbin
 * (dashdemux, hlsdemux), with a key session in the context: the same pictures and
 * the same sound as of the clear title.
 */

#include "adaptive-media.h"
#include "decrypt-play.h"

static const gchar *const players[] = { "playbin3", "playbin" };

static AdaptiveServer server;

/*
 * dashdemux2 and hlsdemux2 (1.22) that have the whole of a title before they have
 * pads end in an error: "Can't push EOS on non-exposed pad". So they get the end of
 * one when the first of it goes out.
 */

static GstPadProbeReturn
on_first_buffer (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  adaptive_server_hold_ends (&server, FALSE);
  return GST_PAD_PROBE_REMOVE;
}

static void
on_pad (GstElement *demuxer, GstPad *pad, gpointer data)
{
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, on_first_buffer, NULL,
      NULL);
}

/* A player that has no use for the former tries the older ones next. */
static void
on_element (GstBin *bin, GstBin *sub_bin, GstElement *element, gpointer data)
{
  GstElementFactory *factory = gst_element_get_factory (element);
  const gchar *name = factory ? GST_OBJECT_NAME (factory) : "";
  gboolean is_new =
      g_str_equal (name, "dashdemux2") || g_str_equal (name, "hlsdemux2");

  if (is_new || g_str_equal (name, "dashdemux") ||
      g_str_equal (name, "hlsdemux"))
    adaptive_server_hold_ends (&server, is_new);
  if (is_new)
    g_signal_connect (element, "pad-added", G_CALLBACK (on_pad), NULL);
}

static void
hold_ends (GstElement *pipeline)
{
  adaptive_server_hold_ends (&server, FALSE);
  g_signal_connect (pipeline, "deep-element-added", G_CALLBACK (on_element),
      NULL);
}

static void
play_path (Player *self, const gchar *factory, const gchar *path,
    GstCencKeySession *session)
{
  gchar *uri = adaptive_server_get_uri (&server, path);
  GError *error = NULL;

  fail_unless (player_play_uri (self, factory, uri, session, hold_ends, &error),
      "%s: %s: no end", factory, path);
  fail_unless (!error, "%s: %s: %s", factory, path,
      error ? error->message : "");
  g_free (uri);
}

/* @name: of a file of adaptive_media_add()'s folders */
static void
check_same (const gchar *factory, const gchar *folder, const gchar *name)
{
  GstCencKeySession *session = play_session_new (ADAPTIVE_KEYS);
  gchar *clear = g_strdup_printf ("/clear/%s", name);
  gchar *path = g_strdup_printf ("/%s/%s", folder, name);
  Player wanted, got;
  guint i;

  play_path (&wanted, factory, clear, NULL);
  play_path (&got, factory, path, session);
  fail_unless (wanted.sinks[0].n_buffers + wanted.sinks[1].n_buffers > 0);
  for (i = 0; i < 2; i++) {
    fail_unless (got.sinks[i].n_buffers == wanted.sinks[i].n_buffers &&
            got.sinks[i].sum == wanted.sinks[i].sum,
        "%s: %s: %s differs, %u and %u buffers", factory, path,
        i ? "sound" : "picture", got.sinks[i].n_buffers,
        wanted.sinks[i].n_buffers);
  }
  fail_unless (got.n_decryptors > 0);
  fail_unless_equals_int (wanted.n_decryptors, 0);
  player_clear (&wanted);
  player_clear (&got);
  g_free (clear);
  g_free (path);
  gst_object_unref (session);
}

/* What hlsdemux2 looks at is an initialization segment, of which the type has to be
 * video/quicktime. */
GST_START_TEST (test_same)
{
  guint i;

  adaptive_server_start (&server);
  adaptive_media_add (&server, "/clear", NULL);
  adaptive_media_add (&server, "/cenc", "cenc");
  adaptive_media_add (&server, "/cbcs", "cbcs");
  for (i = 0; i < G_N_ELEMENTS (players); i++) {
    check_same (players[i], "cenc", "small.mpd");
    check_same (players[i], "cbcs", "ranges.mpd");
    check_same (players[i], "cbcs", "title.m3u8");
  }
  adaptive_server_stop (&server);
}
GST_END_TEST;

/* Samples' information names no KID. Of mssdemux only: mssdemux2 (1.22, not changed
 * in 1.28) takes the first fragments for clear ones. */
GST_START_TEST (test_smooth)
{
  static const gchar *const needed[] = { "mssdemux", NULL };

  /* mssdemux (1.22) logs of an object that is none, where there is a log. */
  if (g_getenv ("GST_TRACERS") || !play_have_elements (needed))
    return;
  adaptive_server_start (&server);
  adaptive_media_add (&server, "/clear", NULL);
  adaptive_media_add (&server, "/piff", "piff");
  check_same ("playbin", "piff", "Manifest");
  adaptive_server_stop (&server);
}
GST_END_TEST;

/*
 * Without the right key. Not by players: what stock ones have made until then leaks.
 */

static const gchar *const decoders[] = { "uridecodebin3", "uridecodebin" };

/* (transfer full) @session: NULL: none */
static GstElement *
open_decoder (const gchar *factory, const gchar *path,
    GstCencKeySession *session)
{
  gchar *uri = adaptive_server_get_uri (&server, path);
  gchar *launch =
      g_strdup_printf ("%s uri=%s ! fakesink sync=false", factory, uri);
  GstElement *pipeline = gst_parse_launch (launch, NULL);

  play_set_session (pipeline, session);
  hold_ends (pipeline);
  g_free (launch);
  g_free (uri);
  return pipeline;
}

/* dashdemux2 and hlsdemux2 keep what is posted inside them. */
static void
check_error (const gchar *factory, const gchar *path, const gchar *keys,
    gint code, const gchar *message)
{
  GstCencKeySession *session = play_session_new (keys);
  GError *error = NULL;

  pipeline_run (open_decoder (factory, path, session), &error);
  fail_unless (g_error_matches (error, GST_STREAM_ERROR, code), "%s: %s: %s",
      factory, path, error ? error->message : "no error");
  fail_unless (strstr (error->message, message) != NULL, "%s", error->message);
  g_clear_error (&error);
  gst_object_unref (session);
}

GST_START_TEST (test_errors)
{
  guint i;

  adaptive_server_start (&server);
  adaptive_media_add (&server, "/cbcs", "cbcs");
  for (i = 0; i < G_N_ELEMENTS (decoders); i++) {
    check_error (decoders[i], "/cbcs/small.mpd", "",
        GST_STREAM_ERROR_DECRYPT_NOKEY, "no key for KID " ADAPTIVE_KID);
    check_error (decoders[i], "/cbcs/title.m3u8", "",
        GST_STREAM_ERROR_DECRYPT_NOKEY, "no key for KID " ADAPTIVE_KID);
    check_error (decoders[i], "/cbcs/small.mpd",
        ADAPTIVE_KID ":00000000000000000000000000000001",
        GST_STREAM_ERROR_DECRYPT, "key for KID " ADAPTIVE_KID " does not fit");
  }
  adaptive_server_stop (&server);
}
GST_END_TEST;

/*
 * An application that answers late
 */

static void
set_timeout (GstBin *bin, GstBin *sub_bin, GstElement *element, gpointer data)
{
  GstElementFactory *factory = gst_element_get_factory (element);

  if (factory && g_str_equal (GST_OBJECT_NAME (factory), "cencdecrypt"))
    g_object_set (element, "key-timeout", (guint64) GST_SECOND * 3600, NULL);
}

/* Plays until it is asked for a key. */
static void
wait_for_question (GstElement *pipeline)
{
  GstBus *bus = gst_element_get_bus (pipeline);
  gboolean asked = FALSE;

  g_signal_connect (pipeline, "deep-element-added", G_CALLBACK (set_timeout),
      NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while (!asked) {
    GstMessage *message = gst_bus_timed_pop_filtered (bus, 60 * GST_SECOND,
        GST_MESSAGE_ELEMENT | GST_MESSAGE_ERROR);

    fail_unless (message != NULL, "no question");
    fail_unless (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ELEMENT);
    asked = gst_message_has_name (message, "cencdecrypt-key-needed");
    gst_message_unref (message);
  }
  gst_object_unref (bus);
}

GST_START_TEST (test_late)
{
  GstCencKeySession *session = play_session_new (ADAPTIVE_KEYS);
  gchar *uri;
  guint i;

  adaptive_server_start (&server);
  adaptive_media_add (&server, "/cenc", "cenc");
  uri = adaptive_server_get_uri (&server, "/cenc/small.mpd");
  for (i = 0; i < G_N_ELEMENTS (players); i++) {
    GError *error = NULL;
    Player player;

    player_init_uri (&player, players[i], uri, NULL);
    hold_ends (player.element);
    wait_for_question (player.element);
    play_set_session (player.element, session);
    fail_unless (player_run (&player, &error), "%s: no end", players[i]);
    fail_unless (!error, "%s: %s", players[i], error ? error->message : "");
    fail_unless_equals_int (player.sinks[0].n_buffers, 50);
    fail_unless (player.sinks[1].n_buffers > 0);
    player_clear (&player);
  }
  g_free (uri);
  gst_object_unref (session);
  adaptive_server_stop (&server);
}
GST_END_TEST;

/* dashdemux2 waits for its thread, which waits for the key, before it stops what
 * is inside. */
GST_START_TEST (test_stop_while_waiting)
{
  guint i;

  adaptive_server_start (&server);
  adaptive_media_add (&server, "/cenc", "cenc");
  for (i = 0; i < G_N_ELEMENTS (decoders); i++) {
    GstElement *pipeline = open_decoder (decoders[i], "/cenc/small.mpd", NULL);

    wait_for_question (pipeline);
    gst_element_set_state (pipeline, GST_STATE_NULL);
    gst_object_unref (pipeline);
  }
  adaptive_server_stop (&server);
}
GST_END_TEST;

/*
 * Seeks, and representations that change
 */

static void
on_picture (GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer data)
{
  GHashTable *sums = data;
  GstCaps *caps = gst_pad_get_current_caps (pad);
  guint64 *time = g_new (guint64, 1), *sum = g_new (guint64, 1);

  *time = GST_BUFFER_PTS (buffer);
  *sum = play_sum (0, buffer, caps);
  g_hash_table_replace (sums, time, sum);
  gst_caps_unref (caps);
}

/* (transfer full): the sums of @path's pictures by their times, from @start on */
static GHashTable *
get_pictures (const gchar *factory, const gchar *path, gint64 start)
{
  GstCencKeySession *session = play_session_new (ADAPTIVE_KEYS);
  gchar *uri = adaptive_server_get_uri (&server, path);
  GHashTable *sums =
      g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
  GError *error = NULL;
  Player player;

  player_init_uri (&player, factory, uri, session);
  hold_ends (player.element);
  fail_unless (player_pause (&player, path), "%s: %s: no preroll", factory,
      path);
  if (start > 0) {
    fail_unless (gst_element_seek_simple (player.element, GST_FORMAT_TIME,
        GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE, start));
    fail_unless (player_wait (&player, path), "%s: %s: no preroll", factory,
        path);
  }
  g_signal_connect (player.video, "handoff", G_CALLBACK (on_picture), sums);
  fail_unless (player_run (&player, &error), "%s: %s: no end", factory, path);
  fail_unless (!error, "%s: %s: %s", factory, path,
      error ? error->message : "");
  player_clear (&player);
  g_free (uri);
  gst_object_unref (session);
  return sums;
}

static gboolean
is_in (GHashTable *sums, const guint64 *time, const guint64 *sum)
{
  const guint64 *found = g_hash_table_lookup (sums, time);

  return found && *found == *sum;
}

/* Each picture of @path is one of those at its time of the clear title. */
static void
check_pictures (const gchar *factory, const gchar *path, gint64 start,
    GHashTable *small, GHashTable *large, guint n_at_least)
{
  GHashTable *got = get_pictures (factory, path, start);
  guint n_small = 0, n_large = 0;
  GHashTableIter iter;
  gpointer time, sum;

  g_hash_table_iter_init (&iter, got);
  while (g_hash_table_iter_next (&iter, &time, &sum)) {
    gboolean is_small = is_in (small, time, sum);

    fail_unless (is_small || is_in (large, time, sum),
        "%s: %s: another picture at %" GST_TIME_FORMAT, factory, path,
        GST_TIME_ARGS (*(guint64 *) time));
    n_small += is_small;
    n_large += !is_small;
  }
  g_print ("%s: %s: %u small pictures, %u large ones\n", factory, path, n_small,
      n_large);
  fail_unless (n_small + n_large >= n_at_least);
  g_hash_table_unref (got);
}

GST_START_TEST (test_seeks_and_switches)
{
  GHashTable *small, *large;
  guint i;

  adaptive_server_start (&server);
  adaptive_media_add (&server, "/clear", NULL);
  adaptive_media_add (&server, "/cenc", "cenc");
  small = get_pictures ("playbin3", "/clear/small.mpd", 0);
  large = get_pictures ("playbin3", "/clear/large.mpd", 0);
  for (i = 0; i < G_N_ELEMENTS (players); i++) {
    check_pictures (players[i], "/cenc/both.mpd", 0, small, large, 45);
    check_pictures (players[i], "/cenc/both.mpd", 1400 * GST_MSECOND, small,
        large, 10);
  }
  g_hash_table_unref (small);
  g_hash_table_unref (large);
  adaptive_server_stop (&server);
}
GST_END_TEST;

static Suite *
decrypt_adaptive_suite (void)
{
  static const gchar *const needed[] = { "x264enc", "h264parse", "avenc_aac",
    "aacparse", "mp4mux", "cencencrypt", "qtdemux", "avdec_h264", "avdec_aac",
    "souphttpsrc", "dashdemux", "dashdemux2", "hlsdemux", "hlsdemux2",
    "playbin3", "videoconvert", NULL };
  Suite *suite = suite_create ("decrypt-adaptive");
  TCase *tc = tcase_create ("pipelines");

  suite_add_tcase (suite, tc);
  if (!play_have_elements (needed))
    return suite;
  tcase_set_timeout (tc, 200); /* of three attempts */
  tcase_add_test (tc, test_same);
  tcase_add_test (tc, test_smooth);
  tcase_add_test (tc, test_errors);
  tcase_add_test (tc, test_late);
  tcase_add_test (tc, test_stop_while_waiting);
  tcase_add_test (tc, test_seeks_and_switches);
  return suite;
}

GST_CHECK_MAIN (decrypt_adaptive);
