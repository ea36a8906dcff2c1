/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * playbin3 with a key session in its context seeks in files of every kind as in
 * the clear file: the picture that is shown after each seek is the same one, at
 * the same time.
 *
 * A player makes all its seeks in a row. Those in reverse are made by a player
 * each, for the clear file as well: the stock one does not always preroll once
 * more when it comes back from there, whatever it plays. Nor does it always
 * preroll a short clip without sound, in the first place or after a seek: then a new
 * one is asked, for three times in all, and it is told.
 *
 * CENC_SEEKS=N: so many random seeks in a file of each kind, and a tenth as many
 * in reverse; not six, and one, in two.
 */

#include "decrypt-play.h"
#include "webm-file.h"

#include <glib/gstdio.h>
#include <stdlib.h>

#define DEFAULT_SEEKS 6
#define DEFAULT_FILES 2
#define N_TO_A_REVERSE 10
#define MAX_STALLS 3

typedef enum
{
  PLAIN,
  ACCURATE,
  KEY_UNIT,
  REVERSE, /* key units only, towards the beginning */
  N_SEEKS
} Seek;

static const gchar *const seek_names[] = { "plain", "accurate", "key unit",
  "reverse" };

/* A kind's file, protected and in the clear. */
typedef struct
{
  const gchar *kind;
  gchar *path, *clear;
  gboolean is_made; /* @path is ours to remove */
  GstCencKeySession *session;
} Title;

typedef struct
{
  guint64 sum;
  GstClockTime time;
} Picture;

/* A player, and what it takes to open another one. */
typedef struct
{
  Player player;
  const gchar *path;
  GstCencKeySession *session;
  guint n_stalls;
} Screen;

static void
count_stall (Screen *self, const gchar *what)
{
  g_print ("%s: playbin3 stalls with %s\n", what, self->path);
  fail_unless (++self->n_stalls <= MAX_STALLS, "%s: no preroll", what);
  player_clear (&self->player);
}

static void
screen_open (Screen *self, const gchar *what)
{
  player_init (&self->player, self->path, self->session);
  while (!player_pause (&self->player, what)) {
    count_stall (self, what);
    player_init (&self->player, self->path, self->session);
  }
}

static gboolean
try_seek (Player *self, Seek seek, gint64 time, const gchar *what)
{
  static const GstSeekFlags flags[] = { 0, GST_SEEK_FLAG_ACCURATE,
    GST_SEEK_FLAG_KEY_UNIT, GST_SEEK_FLAG_TRICKMODE_KEY_UNITS };

  fail_unless (gst_element_seek (self->element, seek == REVERSE ? -1.0 : 1.0,
                   GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH | flags[seek],
                   GST_SEEK_TYPE_SET, seek == REVERSE ? 0 : time,
                   GST_SEEK_TYPE_SET,
                   seek == REVERSE ? time : (gint64) GST_CLOCK_TIME_NONE),
      "%s", what);
  return player_wait (self, what);
}

/* The picture that is shown after the seek. */
static Picture
screen_seek (Screen *self, Seek seek, gint64 time, const gchar *what)
{
  GstSample *sample = NULL;
  GstBuffer *buffer;
  Picture picture;

  while (!try_seek (&self->player, seek, time, what)) {
    count_stall (self, what);
    screen_open (self, what);
  }
  g_object_get (self->player.video, "last-sample", &sample, NULL);
  fail_unless (sample != NULL, "%s: no picture", what);
  buffer = gst_sample_get_buffer (sample);
  picture.sum = play_sum (0, buffer, gst_sample_get_caps (sample));
  picture.time = GST_BUFFER_PTS (buffer);
  gst_sample_unref (sample);
  return picture;
}

/* The same two players make all of the seeks. Gives how often one stalled. */
static guint
check_seeks (const Title *title, Seek from, guint n_kinds, guint n, GRand *rand)
{
  Screen wanted = { .path = title->clear };
  Screen got = { .path = title->path, .session = title->session };
  gint64 duration = 0;
  guint i;

  screen_open (&wanted, title->kind);
  screen_open (&got, title->kind);
  fail_unless (gst_element_query_duration (wanted.player.element,
      GST_FORMAT_TIME, &duration));
  for (i = 0; i < n; i++) {
    Seek seek = from + i % n_kinds;
    gint64 time = (gint64) (g_rand_double_range (rand, 0.02, 0.9) * duration);
    gchar *what = g_strdup_printf ("%s, seek %u, %s, to %" GST_TIME_FORMAT,
        title->kind, i, seek_names[seek], GST_TIME_ARGS (time));
    Picture a = screen_seek (&wanted, seek, time, what);
    Picture b = screen_seek (&got, seek, time, what);

    fail_unless (a.time == b.time && a.sum == b.sum,
        "%s: the one of %" GST_TIME_FORMAT " instead of %" GST_TIME_FORMAT,
        what, GST_TIME_ARGS (b.time), GST_TIME_ARGS (a.time));
    g_free (what);
  }
  fail_unless (got.player.n_decryptors > 0);
  fail_unless_equals_int (wanted.player.n_decryptors, 0);
  player_clear (&wanted.player);
  player_clear (&got.player);
  return wanted.n_stalls + got.n_stalls;
}

/* 0: as many as are the rule */
static guint
get_wanted_seeks (void)
{
  const gchar *env = g_getenv ("CENC_SEEKS");

  return env ? (guint) atoi (env) : 0;
}

static void
check_title (const Title *title)
{
  guint n = get_wanted_seeks () > 0 ? get_wanted_seeks () : DEFAULT_SEEKS;
  guint i, n_stalls;
  guint n_reverse = (n + N_TO_A_REVERSE - 1) / N_TO_A_REVERSE;
  GRand *rand = g_rand_new_with_seed (4);

  n_stalls = check_seeks (title, PLAIN, REVERSE, n, rand);
  for (i = 0; i < n_reverse; i++)
    n_stalls += check_seeks (title, REVERSE, 1, 1, rand);
  g_print ("%s: %u seeks, %u in reverse, %u stalls\n", title->kind, n,
      n_reverse, n_stalls);
  g_rand_free (rand);
}

static void
title_clear (Title *self)
{
  if (self->is_made)
    g_unlink (self->path);
  g_unlink (self->clear);
  g_free (self->path);
  g_free (self->clear);
  gst_object_unref (self->session);
}

/*
 * Kinds
 */

typedef struct
{
  const gchar *kind, *file;
} Kind;

static const Kind kinds[] = {
  { "cenc, fragmented", "peer-gpac-frag-cenc.mp4" },
  { "cbcs, progressive", "peer-gpac-prog-cbcs.mp4" },
  { "cbcs, fragmented", "peer-bento4-frag-MPEG-CBCS.mp4" },
  { "cenc, progressive", "peer-ffmpeg-prog-cenc.mp4" },
  { "cens, fragmented", "vsd_cens-multi_video_init.mp4" },
  { "cbc1, fragmented", "peer-gpac-frag-cbc1.mp4" },
  { "cbc1, progressive", "peer-gpac-prog-cbc1.mp4" },
  { "PIFF CTR, fragmented", "peer-bento4-frag-PIFF-CTR.mp4" },
  { "PIFF CBC, fragmented", "peer-bento4-frag-PIFF-CBC.mp4" },
  { "PIFF, progressive", "peer-gpac-prog-piff.mp4" },
  { "rotation, fragmented", "peer-gpac-frag-roll.mp4" },
  { "rotation, progressive", "peer-gpac-prog-roll.mp4" },
};

GST_START_TEST (test_vectors)
{
  const Kind *kind = &kinds[__i__];
  GPtrArray *vectors = vectors_load ();
  const Vector *vector = vectors_find (vectors, kind->file);
  Title title = { kind->kind };

  if (!vector)
    return;
  if (!vector_leaks_in_qtdemux (vector)) {
    title.path = g_strdup (vector->path);
    title.clear = play_clear_file (vector);
    title.session = play_session_new (vector->keys);
    check_title (&title);
    title_clear (&title);
  }
  g_ptr_array_unref (vectors);
}
GST_END_TEST;

/* Of this kind there is no vector. */
GST_START_TEST (test_progressive_cens)
{
  static const gchar *const needed[] = { "cencencrypt", NULL };
  GPtrArray *vectors = vectors_load ();
  gchar *in = vectors ? vectors_clear (vectors, "bear-640x360.mp4") : NULL;
  Title title = { "cens, progressive", .is_made = TRUE };
  GError *error = NULL;
  gchar *launch;
  Vector made = { .keys = (gchar *) WEBM_KEYS };

  if (!in || !play_have_elements (needed))
    return;
  title.path = temporary_file ("cencdecrypt-XXXXXX.mp4");
  launch = g_strdup_printf ("filesrc location=%s ! cencencrypt scheme=cens "
                            "key-id=" WEBM_KID " key=" WEBM_KEY
                            " ! filesink location=%s",
      in, title.path);
  pipeline_run (gst_parse_launch (launch, NULL), &error);
  g_assert_no_error (error);
  made.path = title.path;
  title.clear = play_clear_file (&made);
  title.session = play_session_new (WEBM_KEYS);
  check_title (&title);
  title_clear (&title);
  g_free (launch);
  g_free (in);
  g_ptr_array_unref (vectors);
}
GST_END_TEST;

GST_START_TEST (test_webm)
{
  static const gchar *const needed[] = { "matroskademux", "vp9dec", NULL };
  GPtrArray *vectors = vectors_load ();
  gchar *in = vectors ? vectors_clear (vectors, "bear-640x360-vp9.mp4") : NULL;
  Title title = { "WebM", .is_made = TRUE };

  if (!in || !play_have_elements (needed))
    return;
  title.path = temporary_file ("cencdecrypt-XXXXXX.webm");
  title.clear = temporary_file ("cencdecrypt-XXXXXX.webm");
  webm_file_make (in, TRUE, title.path);
  webm_file_make (in, FALSE, title.clear);
  title.session = play_session_new (WEBM_KEYS);
  check_title (&title);
  title_clear (&title);
  g_free (in);
  g_ptr_array_unref (vectors);
}
GST_END_TEST;

static Suite *
decrypt_seeks_suite (void)
{
  static const gchar *const needed[] = { "qtdemux", "avdec_h264", "avdec_aac",
    "playbin3", "videoconvert", NULL };
  Suite *suite = suite_create ("decrypt-seeks");
  TCase *tc = tcase_create ("pipelines");
  gboolean is_long = get_wanted_seeks () > 0;

  suite_add_tcase (suite, tc);
  tcase_set_timeout (tc, is_long ? 1800 : 300);
  if (!play_have_elements (needed))
    return suite;
  tcase_add_loop_test (tc, test_vectors, 0,
      is_long ? G_N_ELEMENTS (kinds) : DEFAULT_FILES);
  tcase_add_test (tc, test_webm);
  if (is_long)
    tcase_add_test (tc, test_progressive_cens);
  return suite;
}

GST_CHECK_MAIN (decrypt_seeks);
