/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Autoplugging in front of the demuxer: files that no demuxer of ours exposes
 * are played where a key session has a key, and all others are left alone.
 */

#include "decrypt-play.h"
#include "../stock.h"
#include "cenc/decrypt-groups.h"

#define DECODE "avdec_h264"

/* Plays @launch, whose element "sink" gets decoded pictures; @session goes in as
 * a context. FALSE after an error. */
static gboolean
play (const gchar *launch, GstCencKeySession *session, PlaySink *played,
    guint *n_decryptors, GError **error)
{
  GstElement *pipeline = gst_parse_launch (launch, NULL);
  GstElement *sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  GError *failed = NULL;

  if (!sink)
    g_object_get (pipeline, "video-sink", &sink, NULL);
  memset (played, 0, sizeof *played);
  *n_decryptors = 0;
  play_sink_watch (played, sink);
  play_count_decryptors (pipeline, n_decryptors);
  gst_object_unref (sink);
  play_set_session (pipeline, session);
  pipeline_run (pipeline, &failed);
  if (!failed)
    return TRUE;
  g_propagate_error (error, failed);
  return FALSE;
}

static gchar *
find_type (const gchar *path)
{
  GError *error = NULL;
  gchar *launch = g_strdup_printf (
      "filesrc location=%s ! typefind name=find ! fakesink name=sink", path);
  GstElement *pipeline = gst_parse_launch (launch, &error);
  GstElement *find = gst_bin_get_by_name (GST_BIN (pipeline), "find");
  GstCaps *caps = NULL;
  gchar *type;

  gst_element_set_state (pipeline, GST_STATE_PAUSED);
  fail_unless (gst_element_get_state (pipeline, NULL, NULL,
                   GST_CLOCK_TIME_NONE) == GST_STATE_CHANGE_SUCCESS);
  g_object_get (find, "caps", &caps, NULL);
  type = g_strdup (gst_structure_get_name (gst_caps_get_structure (caps, 0)));
  gst_caps_unref (caps);
  gst_object_unref (find);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
  g_free (launch);
  return type;
}

static void
expect_type (const gchar *path, const gchar *wanted)
{
  gchar *type = find_type (path);

  fail_unless (g_strcmp0 (type, wanted) == 0, "%s is %s, not %s", path, type,
      wanted);
  g_free (type);
}

/* Protected with a key that nobody has, with one that a session has, and again
 * once that session is gone; what another decryptor could have behind qtdemux. */
GST_START_TEST (test_type)
{
  GPtrArray *vectors = vectors_load ();
  const Vector *vector = vectors_find (vectors, "peer-gpac-frag-cenc.mp4");
  GstCencKeySession *session;

  if (!vector)
    return;
  expect_type (vector->path, "video/quicktime");
  session = play_session_new (
      "00000000000000000000000000000001:00000000000000000000000000000002");
  expect_type (vector->path, "video/quicktime");
  gst_object_unref (session);

  session = play_session_new (vector->keys);
  expect_type (vector->path, "application/x-cenc-isobmff");
  gst_object_unref (session);
  expect_type (vector->path, "video/quicktime");
  g_ptr_array_unref (vectors);
}
GST_END_TEST;

#define ROTATING \
  "shaka-packager_app_test_testdata_live-profile-and-key-rotation_bear-" \
  "640x360-video-init.mp4"
#define ROTATING_WITHOUT_PSSH \
  "shaka-packager_app_test_testdata_live-profile-and-key-rotation-and-non-" \
  "dash-if-iop_bear-640x360-audio-init.mp4"

/* Of these qtdemux tells nothing that a decryptor behind it could go by: without a
 * key they are ours too. Of the last two it does since 1.24. */
static const gchar *const ours_alone[] = { "peer-gpac-prog-cenc.mp4",
  "peer-gpac-prog-piff.mp4", "peer-gpac-frag-cbc1.mp4",
  "vsd_cens-multi_audio_init.mp4", ROTATING, ROTATING_WITHOUT_PSSH };

static guint
count_ours_alone (void)
{
  return G_N_ELEMENTS (ours_alone) - (decrypt_groups_are_unread () ? 0 : 2);
}

static GstElement *
open_parser (const Vector *vector)
{
  gchar *launch =
      g_strdup_printf ("filesrc location=%s ! parsebin ! fakesink sync=false",
          vector->path);
  GstElement *pipeline = gst_parse_launch (launch, NULL);

  g_free (launch);
  return pipeline;
}

GST_START_TEST (test_missing_key)
{
  GPtrArray *vectors = vectors_load ();
  guint i;

  for (i = 0; vectors && i < count_ours_alone (); i++) {
    const Vector *vector = vectors_find (vectors, ours_alone[i]);
    static const gchar start[] = "no key for KID ";
    GError *error = NULL;

    if (vector_leaks_in_qtdemux (vector))
      continue;
    expect_type (vector->path, "application/x-cenc-isobmff");
    pipeline_run (open_parser (vector), &error);
    fail_unless (g_error_matches (error, GST_STREAM_ERROR,
                     GST_STREAM_ERROR_DECRYPT_NOKEY) &&
            g_str_has_prefix (error->message, start) &&
            strstr (vector->keys, error->message + sizeof start - 1),
        "%s: %s", vector->file, error ? error->message : "no error");
    g_clear_error (&error);
  }
  g_clear_pointer (&vectors, g_ptr_array_unref);
}
GST_END_TEST;

static void
wait_for_keys (GstBin *bin, GstBin *sub, GstElement *element, gpointer data)
{
  GstElementFactory *factory = gst_element_get_factory (element);

  if (factory && g_str_equal (GST_OBJECT_NAME (factory), "cencdecrypt"))
    g_object_set (element, "key-timeout", 60 * GST_SECOND, NULL);
}

/* The session is made only now: the type was not known by its keys. */
static GstBusSyncReply
answer (GstBus *bus, GstMessage *message, gpointer keys)
{
  GstCencKeySession *session;

  if (!gst_message_has_name (message, "cencdecrypt-key-needed"))
    return GST_BUS_PASS;
  session = play_session_new (keys);
  play_set_session (GST_ELEMENT (GST_MESSAGE_SRC (message)), session);
  gst_object_unref (session);
  return GST_BUS_PASS;
}

GST_START_TEST (test_late_key)
{
  GPtrArray *vectors = vectors_load ();
  guint i;

  for (i = 0; vectors && i < count_ours_alone (); i++) {
    const Vector *vector = vectors_find (vectors, ours_alone[i]);
    GstElement *pipeline;
    GstBus *bus;
    GError *error = NULL;

    if (vector_leaks_in_qtdemux (vector))
      continue;
    pipeline = open_parser (vector);
    bus = gst_element_get_bus (pipeline);
    gst_bus_set_sync_handler (bus, answer, vector->keys, NULL);
    g_signal_connect (pipeline, "deep-element-added",
        G_CALLBACK (wait_for_keys), NULL);
    pipeline_run (pipeline, &error);
    fail_unless (!error, "%s: %s", vector->file, error ? error->message : "");
    gst_object_unref (bus);
  }
  g_clear_pointer (&vectors, g_ptr_array_unref);
}
GST_END_TEST;

/* The tracks' own KIDs are zero: only the fragments name those that rotate, by
 * their pssh and by sample groups. */
GST_START_TEST (test_rotating_keys)
{
  static const gchar *const keys[] = {
    "31323334353637383930313233343536:32333435363738393021323334353637",
    /* of the third fragment */
    "32333435363738393031323334353631:33343536373839302132333435363732",
  };
  GPtrArray *vectors = vectors_load ();
  const Vector *vector = vectors_find (vectors, ROTATING);
  const gchar *without = decrypt_groups_are_unread ()
      ? "application/x-cenc-isobmff"
      : "video/quicktime";
  GstCencKeySession *session;
  guint i;

  if (!vector)
    return;
  expect_type (vector->path, without);
  for (i = 0; i < G_N_ELEMENTS (keys); i++) {
    session = play_session_new (keys[i]);
    expect_type (vector->path, "application/x-cenc-isobmff");
    gst_object_unref (session);
  }
  expect_type (vector->path, without);
  g_ptr_array_unref (vectors);
}
GST_END_TEST;

GST_START_TEST (test_clear_file)
{
  GPtrArray *vectors = vectors_load ();
  const Vector *vector = vectors_find (vectors, "peer-gpac-frag-cenc.mp4");
  GstCencKeySession *session;
  gchar *path;

  if (!vector)
    return;
  session = play_session_new (vector->keys);
  path = vectors_clear (vectors, "bear-640x360.mp4");
  expect_type (path, "video/quicktime");
  gst_object_unref (session);
  g_free (path);
  g_ptr_array_unref (vectors);
}
GST_END_TEST;

static void
check_autoplugged (const Vector *vector)
{
  GstCencKeySession *session = play_session_new (vector->keys);
  gchar *uri = gst_filename_to_uri (vector->path, NULL), *launch;
  PlaySink wanted, got;
  GError *error = NULL;
  guint n_decryptors, n;

  launch = g_strdup_printf ("filesrc location=%s ! cencdecrypt keys=%s ! "
                            "qtdemux name=d d.video_0 ! " DECODE
                            " ! videoconvert ! fakesink name=sink",
      vector->path, vector->keys);
  fail_unless (play (launch, NULL, &wanted, &n_decryptors, &error), "%s: %s",
      vector->path, error ? error->message : "");
  g_free (launch);

  /* Not the soft volume: 1.22's playsink leaks it. */
  launch = g_strdup_printf (
      "playbin3 flags=0x3 uri=%s video-sink=\"fakesink name=sink\" "
      "audio-sink=\"fakesink sync=false\"",
      uri);
  for (n = stock_player_attempts (); n > 0; n--) {
    g_clear_error (&error);
    if (play (launch, session, &got, &n_decryptors, &error) ||
        !stock_player_may_have_failed (error))
      break;
  }
  fail_unless (!error, "%s: %s", uri, error ? error->message : "");
  fail_unless (wanted.n_buffers > 0);
  fail_unless_equals_int (got.n_buffers, wanted.n_buffers);
  fail_unless_equals_uint64 (got.sum, wanted.sum);
  fail_unless_equals_int (n_decryptors, 1);

  gst_object_unref (session);
  g_free (launch);
  g_free (uri);
}

/* Kinds that qtdemux 1.22 gives no samples of; decrypt-player plays them all. */
GST_START_TEST (test_playbin)
{
  static const gchar *const files[] = { "peer-gpac-prog-cenc.mp4",
    "peer-gpac-frag-cbc1.mp4" };
  GPtrArray *vectors = vectors_load ();
  guint i;

  for (i = 0; vectors && i < G_N_ELEMENTS (files); i++) {
    const Vector *vector = vectors_find (vectors, files[i]);

    if (!vector_leaks_in_qtdemux (vector))
      check_autoplugged (vector);
  }
  g_clear_pointer (&vectors, g_ptr_array_unref);
}
GST_END_TEST;

/*
 * Somebody else's decryptor
 */

#define OTHER_SYSTEM "edef8ba9-79d6-4ace-a3c8-27dcd51d21ed"

static gint n_others; /* buffers that it got */

typedef GstElement OtherDecryptor;
typedef GstElementClass OtherDecryptorClass;

static GType other_decryptor_get_type (void);
G_DEFINE_TYPE (OtherDecryptor, other_decryptor, GST_TYPE_ELEMENT)

static GstFlowReturn
other_decryptor_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  g_atomic_int_inc (&n_others);
  gst_buffer_unref (buffer);
  GST_ELEMENT_ERROR (parent, STREAM, DECRYPT_NOKEY, ("the other's"), (NULL));
  return GST_FLOW_ERROR;
}

static void
other_decryptor_init (OtherDecryptor *self)
{
  GstElementClass *klass = GST_ELEMENT_GET_CLASS (self);
  GstPad *sink =
      gst_pad_new_from_template (gst_element_class_get_pad_template (klass,
                                     "sink"),
          "sink");

  gst_pad_set_chain_function (sink, other_decryptor_chain);
  gst_element_add_pad (self, sink);
  gst_element_add_pad (self,
      gst_pad_new_from_template (gst_element_class_get_pad_template (klass,
                                     "src"),
          "src"));
}

static void
add_template (OtherDecryptorClass *klass, const gchar *name,
    GstPadDirection direction, const gchar *description)
{
  GstCaps *caps = gst_caps_from_string (description);

  gst_element_class_add_pad_template (klass,
      gst_pad_template_new (name, direction, GST_PAD_ALWAYS, caps));
  gst_caps_unref (caps);
}

static void
other_decryptor_class_init (OtherDecryptorClass *klass)
{
  add_template (klass, "sink", GST_PAD_SINK,
      "application/x-cenc, protection-system=" OTHER_SYSTEM);
  add_template (klass, "src", GST_PAD_SRC, "video/x-h264; audio/mpeg");
  gst_element_class_set_static_metadata (klass, "Other", "Decryptor", "Other",
      "tests");
}

/* The errors that @path ends in, played with @session, which may be NULL. */
static GError *
play_beside_other (const gchar *path, GstCencKeySession *session)
{
  gchar *launch =
      g_strdup_printf ("filesrc location=%s ! parsebin ! fakesink", path);
  GstElement *pipeline = gst_parse_launch (launch, NULL);
  GError *error = NULL;

  g_atomic_int_set (&n_others, 0);
  play_set_session (pipeline, session);
  pipeline_run (pipeline, &error);
  g_free (launch);
  return error;
}

/* Content of a system that another decryptor is there for stays its, whatever
 * other keys there are; it is ours where a session has the very key. */
GST_START_TEST (test_other_decryptor)
{
  GPtrArray *vectors = vectors_load ();
  const Vector *vector = vectors_find (vectors,
      "shaka-packager_media_test_data_bear-640x360-v_frag-cenc-aux.mp4");
  GstCencKeySession *session;
  GError *error;

  if (!vector)
    return;
  fail_unless (gst_element_register (NULL, "otherdecryptor",
      GST_RANK_PRIMARY + 1, other_decryptor_get_type ()));
  session = play_session_new (
      "00000000000000000000000000000001:00000000000000000000000000000002");
  error = play_beside_other (vector->path, session);
  fail_unless (g_error_matches (error, GST_STREAM_ERROR,
                   GST_STREAM_ERROR_DECRYPT_NOKEY) &&
          g_str_equal (error->message, "the other's"),
      "%s", error ? error->message : "no error");
  fail_unless (n_others > 0);
  g_clear_error (&error);
  gst_object_unref (session);

  session = play_session_new (vector->keys);
  error = play_beside_other (vector->path, session);
  fail_unless (error == NULL, "%s", error ? error->message : "");
  fail_unless_equals_int (n_others, 0);
  gst_object_unref (session);
  g_ptr_array_unref (vectors);
}
GST_END_TEST;

/* Behind a thread that pushes nobody may be linked: an error, once it plays. */
GST_START_TEST (test_unlinked)
{
  GPtrArray *vectors = vectors_load ();
  const Vector *vector = vectors_find (vectors, "peer-gpac-frag-cenc.mp4");
  GstElement *pipeline;
  GError *error = NULL;
  gchar *launch;

  if (!vector)
    return;
  launch = g_strdup_printf ("filesrc location=%s ! cencdecrypt keys=%s",
      vector->path, vector->keys);
  pipeline = gst_parse_launch (launch, NULL);
  pipeline_run (pipeline, &error);
  fail_unless (error != NULL);
  g_clear_error (&error);
  g_free (launch);
  g_ptr_array_unref (vectors);
}
GST_END_TEST;

static Suite *
decrypt_autoplug_suite (void)
{
  static const gchar *const needed[] = { "qtdemux", DECODE, "avdec_aac",
    "playbin3", "videoconvert", NULL };
  Suite *suite = suite_create ("decrypt-autoplug");
  TCase *tc = tcase_create ("pipelines");

  suite_add_tcase (suite, tc);
  tcase_set_timeout (tc, 200); /* of three attempts */
  tcase_add_test (tc, test_type);
  tcase_add_test (tc, test_missing_key);
  tcase_add_test (tc, test_late_key);
  tcase_add_test (tc, test_rotating_keys);
  tcase_add_test (tc, test_clear_file);
  tcase_add_test (tc, test_unlinked);
  tcase_add_test (tc, test_other_decryptor);
  if (play_have_elements (needed))
    tcase_add_test (tc, test_playbin);
  return suite;
}

GST_CHECK_MAIN (decrypt_autoplug);
