/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The public library: keys, output protection, key sessions, the key ring. */

#include <gst/cenc/cenc.h>
#include <gst/check/gstcheck.h>
#include <string.h>
#include "../../key-data.h"

static const guint8 kid_a[16] = { 0xa0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
  13, 14, 15 };
static const guint8 kid_b[16] = { 0xb0 };
static const guint8 secret[16] = { 0xfe, 0xed, 0xfa, 0xce, 4, 5, 6, 7, 8, 9, 10,
  11, 12, 13, 14, 15 };

#define KID_A "a0010203-0405-0607-0809-0a0b0c0d0e0f"
#define SECRET "feedface0405060708090a0b0c0d0e0f"

/* --- keys --- */

GST_START_TEST (test_key)
{
  guint8 kid[16], bytes[16];
  GstCencKey *key;

  memcpy (kid, kid_a, 16);
  memcpy (bytes, secret, 16);
  key = gst_cenc_key_new (kid, bytes);
  /* Copied: the caller wipes its own. */
  memset (kid, 0, 16);
  memset (bytes, 0, 16);
  fail_unless (memcmp (gst_cenc_key_get_kid (key), kid_a, 16) == 0);
  fail_unless (key_has_data (key, secret));
  fail_unless (gst_cenc_key_get_deadline (key) == GST_CENC_KEY_NO_DEADLINE);
  fail_unless (gst_cenc_key_get_output_protection (key) == NULL);
  fail_unless (gst_cenc_key_ref (key) == key);
  gst_cenc_key_unref (key);
  fail_unless (key_has_data (key, secret));
  gst_cenc_key_unref (key);
}
GST_END_TEST;

/* Whatever their KIDs, and however each is kept. */
GST_START_TEST (test_same_data)
{
  g_autoptr (GstCencKey) key = gst_cenc_key_new (kid_a, secret);
  g_autoptr (GstCencKey) same = gst_cenc_key_new (kid_b, secret);
  guint i;

  fail_unless (gst_cenc_key_has_same_data (key, key));
  fail_unless (gst_cenc_key_has_same_data (key, same));
  for (i = 0; i < 128; i++) {
    g_autoptr (GstCencKey) other = NULL;
    guint8 data[16];

    memcpy (data, secret, sizeof data);
    data[i / 8] ^= (guint8) (1 << i % 8);
    other = gst_cenc_key_new (kid_a, data);
    fail_if (gst_cenc_key_has_same_data (key, other));
  }
}
GST_END_TEST;

GST_START_TEST (test_key_full)
{
  GstStructure *demand = gst_structure_new ("output-protection", "hdcp",
      G_TYPE_STRING, "2.2", NULL);
  g_autoptr (GstCencKey) key =
      gst_cenc_key_new_full (kid_a, secret, 12345, demand);

  gst_structure_free (demand);
  assert_equals_int64 (gst_cenc_key_get_deadline (key), 12345);
  assert_equals_string (gst_structure_get_string (
                            gst_cenc_key_get_output_protection (key), "hdcp"),
      "2.2");
}
GST_END_TEST;

/* A value that is printed, as GstBin does with contexts, shows no byte of a key. */
GST_START_TEST (test_key_is_not_printed)
{
  g_autoptr (GstCencKey) key = gst_cenc_key_new (kid_a, secret);
  GstStructure *s =
      gst_structure_new ("s", "key", GST_TYPE_CENC_KEY, key, NULL);
  g_autofree gchar *text = gst_structure_to_string (s);

  fail_unless (strstr (text, "feed") == NULL && strstr (text, "FEED") == NULL,
      "%s", text);
  gst_structure_free (s);
}
GST_END_TEST;

/* --- output protection --- */

static gboolean
covers (const gchar *demand, const gchar *assertion, gchar **message)
{
  GstStructure *d = demand ? gst_structure_from_string (demand, NULL) : NULL;
  GstStructure *a =
      assertion ? gst_structure_from_string (assertion, NULL) : NULL;
  g_autoptr (GError) error = NULL;
  gboolean covered = gst_cenc_output_protection_covers (d, a, &error);

  fail_unless (covered == (error == NULL));
  if (error)
    fail_unless (g_error_matches (error, GST_CENC_ERROR,
        GST_CENC_ERROR_OUTPUT_PROTECTION));
  if (message)
    *message = error ? g_strdup (error->message) : NULL;
  g_clear_pointer (&d, gst_structure_free);
  g_clear_pointer (&a, gst_structure_free);
  return covered;
}

#define OP "output-protection, "

GST_START_TEST (test_output_protection)
{
  static const struct
  {
    const gchar *demand, *assertion;
    gboolean covered;
  } rows[] = {
    { NULL, NULL, TRUE },
    { OP "hdcp=none", NULL, TRUE },
    { OP "hdcp=(string)2.2", NULL, FALSE },
    { OP "hdcp=(string)2.2", OP "hdcp=(string)2.2", TRUE },
    { OP "hdcp=(string)2.2", OP "hdcp=(string)2.3", TRUE },
    { OP "hdcp=(string)2.2", OP "hdcp=(string)1.4", FALSE },
    { OP "hdcp=(string)2.2", OP "hdcp=nonsense", FALSE },
    { OP "hdcp=nonsense", OP "hdcp=(string)2.3", FALSE },
    { OP "hdcp=unavailable", OP "hdcp=(string)2.3", FALSE },
    { OP "hdcp=unavailable", OP "hdcp=unavailable", FALSE },
    { OP "hdcp=(string)1.0", OP "hdcp=unavailable", FALSE },
    { OP "analog=(boolean)false", NULL, FALSE },
    { OP "analog=(boolean)false", OP "analog=(boolean)true", FALSE },
    { OP "analog=(boolean)false", OP "analog=(boolean)false", TRUE },
    { OP "analog=(boolean)true", NULL, TRUE },
    { OP "analog=(string)no", OP "analog=(boolean)false", FALSE },
    { OP "recording=(boolean)false", OP "analog=(boolean)false", FALSE },
    { OP "recording=(boolean)false", OP "recording=(boolean)false", TRUE },
    { OP "max-width=1280, max-height=720", NULL, TRUE },
    { OP "teleportation=(boolean)false", OP "teleportation=(boolean)false",
        FALSE },
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (rows); i++)
    fail_unless (covers (rows[i].demand, rows[i].assertion, NULL) ==
            rows[i].covered,
        "row %u: %s by %s", i, rows[i].demand, rows[i].assertion);
}
GST_END_TEST;

GST_START_TEST (test_output_protection_names_the_field)
{
  g_autofree gchar *message = NULL;

  fail_if (covers (OP "hdcp=none, recording=(boolean)false", NULL, &message));
  fail_unless (strstr (message, "recording") != NULL, "%s", message);
}
GST_END_TEST;

/* --- hex --- */

GST_START_TEST (test_parse_hex)
{
  static const gchar *const bad[] = { "", "a", "a00102030405060708090a0b0c0d0e",
    "a00102030405060708090a0b0c0d0e0g", "a00102030405060708090a0b0c0d0e0f0",
    "a0010203-04050607-0809-0a0b0c0d0e0f--", " a00102030405060708090a0b0c0d0e",
    "a0010203-0405-0607-0809-0a0b0c0d0e0g",
    "a0010203 0405-0607-0809-0a0b0c0d0e0f" };
  guint8 out[16];
  guint i;

  fail_unless (
      gst_cenc_parse_hex ("A00102030405060708090a0b0c0D0E0F", out, 16));
  fail_unless (memcmp (out, kid_a, 16) == 0);
  fail_unless (gst_cenc_parse_hex (KID_A, out, 16));
  fail_unless (memcmp (out, kid_a, 16) == 0);
  for (i = 0; i < G_N_ELEMENTS (bad); i++)
    fail_if (gst_cenc_parse_hex (bad[i], out, 16), "%s", bad[i]);
  /* Nothing of a key that was half right is left behind. */
  memset (out, 0, 16);
  fail_if (gst_cenc_parse_hex ("ffffffffffffffffffffffffffffffzz", out, 16));
  for (i = 0; i < 16; i++)
    fail_unless (out[i] == 0);
}
GST_END_TEST;

GST_START_TEST (test_kid_to_string)
{
  g_autofree gchar *text = gst_cenc_kid_to_string (kid_a);

  assert_equals_string (text, "a00102030405060708090a0b0c0d0e0f");
}
GST_END_TEST;

/* --- the ring --- */

static void
count (GstCencKeySession *session, guint *n)
{
  (*n)++;
}

GST_START_TEST (test_ring)
{
  g_autoptr (GstCencKeyRing) ring = gst_cenc_key_ring_new ();
  GstCencKeySession *session = GST_CENC_KEY_SESSION (ring);
  g_autoptr (GstCencKey) key = gst_cenc_key_new (kid_a, secret);
  g_autoptr (GstCencKey) other = gst_cenc_key_new (kid_a, kid_b);
  g_autoptr (GstCencKey) got = NULL;
  g_autoptr (GError) error = NULL;
  guint n = 0, generation = gst_cenc_key_session_get_generation (session);

  fail_if (g_object_is_floating (ring));
  ASSERT_OBJECT_REFCOUNT (ring, "ring", 1);
  g_signal_connect (ring, "changed", G_CALLBACK (count), &n);
  fail_if (gst_cenc_key_session_has_key (session, kid_a));
  gst_cenc_key_ring_add (ring, key);
  fail_unless (gst_cenc_key_session_has_key (session, kid_a));
  fail_if (gst_cenc_key_session_has_key (session, kid_b));
  assert_equals_int (n, 1);
  assert_equals_int (gst_cenc_key_session_get_generation (session),
      generation + 1);

  got = gst_cenc_key_session_get_key (session, kid_a, GST_CENC_KEY_USE_PREROLL,
      &error);
  fail_unless (got == key);
  fail_unless (gst_cenc_key_session_get_key (session, kid_b,
                   GST_CENC_KEY_USE_PLAY, &error) == NULL);
  fail_unless (g_error_matches (error, GST_CENC_ERROR, GST_CENC_ERROR_NO_KEY));
  fail_unless (strstr (error->message, "b0000000") != NULL, "%s",
      error->message);

  /* The same KID again replaces. */
  gst_cenc_key_ring_add (ring, other);
  gst_cenc_key_unref (got);
  got = gst_cenc_key_session_get_key (session, kid_a, GST_CENC_KEY_USE_PLAY,
      NULL);
  fail_unless (got == other);
  gst_cenc_key_ring_clear (ring);
  fail_if (gst_cenc_key_session_has_key (session, kid_a));
  assert_equals_int (n, 3);
  /* Who holds a key keeps it. */
  fail_unless (key_has_data (got, kid_b));
}
GST_END_TEST;

static guint
count_kids (GstCencKeySession *session)
{
  g_autoptr (GPtrArray) kids = gst_cenc_key_session_list_kids (session);
  guint i;

  for (i = 0; i < kids->len; i++)
    assert_equals_int (g_bytes_get_size (g_ptr_array_index (kids, i)), 16);
  return kids->len;
}

GST_START_TEST (test_ring_add_hex)
{
  static const gchar *const good[] = { "", "  ", KID_A ":" SECRET,
    " " KID_A " : " SECRET " , "
    "00000000000000000000000000000001:" SECRET };
  static const guint sizes[] = { 0, 0, 1, 2 };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (good); i++) {
    g_autoptr (GstCencKeyRing) ring = gst_cenc_key_ring_new ();
    g_autoptr (GError) error = NULL;
    g_autoptr (GstCencKey) key = NULL;

    fail_unless (gst_cenc_key_ring_add_hex (ring, good[i], &error), "%u: %s", i,
        error ? error->message : "");
    assert_equals_int (count_kids (GST_CENC_KEY_SESSION (ring)), sizes[i]);
    if (sizes[i] == 0)
      continue;
    key = gst_cenc_key_session_get_key (GST_CENC_KEY_SESSION (ring), kid_a,
        GST_CENC_KEY_USE_PLAY, NULL);
    fail_unless (key_has_data (key, secret));
  }
}
GST_END_TEST;

GST_START_TEST (test_ring_add_hex_takes_all_or_none)
{
  static const gchar *const bad[] = { SECRET, ":", KID_A ":", ":" SECRET,
    KID_A ":" SECRET ",", "," KID_A ":" SECRET, KID_A ":" SECRET "00",
    KID_A ":" SECRET "," KID_A ":fe", KID_A ":" SECRET ";" KID_A ":" SECRET };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GstCencKeyRing) ring = gst_cenc_key_ring_new ();
    g_autoptr (GError) error = NULL;
    guint n = 0;

    g_signal_connect (ring, "changed", G_CALLBACK (count), &n);
    fail_if (gst_cenc_key_ring_add_hex (ring, bad[i], &error), "%s", bad[i]);
    fail_unless (
        g_error_matches (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT));
    /* The message names a place, never a key. */
    fail_unless (strstr (error->message, "fe") == NULL, "%s", error->message);
    assert_equals_int (count_kids (GST_CENC_KEY_SESSION (ring)), 0);
    assert_equals_int (n, 0);
  }
}
GST_END_TEST;

/* --- a session of an application's --- */

typedef struct
{
  GstCencKeySession parent;
  guint n_begin, n_end;
  gboolean lazy; /* gives neither key nor error */
  gboolean both;
} TestSession;

typedef GstCencKeySessionClass TestSessionClass;

GType test_session_get_type (void);
G_DEFINE_TYPE (TestSession, test_session, GST_TYPE_CENC_KEY_SESSION)

static gboolean
test_session_has_key (GstCencKeySession *session, const guint8 *kid)
{
  return memcmp (kid, kid_a, 16) == 0;
}

static GstCencKey *
test_session_get_key (GstCencKeySession *session, const guint8 *kid,
    GstCencKeyUse use, GError **error)
{
  TestSession *self = (TestSession *) session;

  if (self->lazy)
    return NULL;
  if (self->both || use == GST_CENC_KEY_USE_PLAY)
    g_set_error_literal (error, GST_CENC_ERROR, GST_CENC_ERROR_WINDOW_OVER,
        "over");
  if (use == GST_CENC_KEY_USE_PLAY && !self->both)
    return NULL;
  return gst_cenc_key_new (kid, secret);
}

static void
test_session_begin (GstCencKeySession *session)
{
  ((TestSession *) session)->n_begin++;
}

static void
test_session_end (GstCencKeySession *session)
{
  ((TestSession *) session)->n_end++;
}

static void
test_session_class_init (TestSessionClass *klass)
{
  klass->has_key = test_session_has_key;
  klass->get_key = test_session_get_key;
  klass->begin = test_session_begin;
  klass->end = test_session_end;
}

static void
test_session_init (TestSession *self)
{
}

/* A class that defines nothing. */
typedef GstCencKeySession BareSession;
typedef GstCencKeySessionClass BareSessionClass;

GType bare_session_get_type (void);
G_DEFINE_TYPE (BareSession, bare_session, GST_TYPE_CENC_KEY_SESSION)

static void
bare_session_class_init (BareSessionClass *klass)
{
}

static void
bare_session_init (BareSession *self)
{
}

static TestSession *
make_session (void)
{
  return gst_object_ref_sink (g_object_new (test_session_get_type (), NULL));
}

GST_START_TEST (test_subclass)
{
  TestSession *self = make_session ();
  GstCencKeySession *session = GST_CENC_KEY_SESSION (self);
  g_autoptr (GstCencKey) key = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) document = g_bytes_new_static ("x", 1);

  fail_unless (gst_cenc_key_session_has_key (session, kid_a));
  fail_if (gst_cenc_key_session_has_key (session, kid_b));
  key = gst_cenc_key_session_get_key (session, kid_a, GST_CENC_KEY_USE_PREROLL,
      &error);
  fail_unless (key != NULL);
  fail_unless (gst_cenc_key_session_get_key (session, kid_a,
                   GST_CENC_KEY_USE_PLAY, &error) == NULL);
  fail_unless (
      g_error_matches (error, GST_CENC_ERROR, GST_CENC_ERROR_WINDOW_OVER));
  g_clear_error (&error);
  /* What it does not define has defaults. */
  assert_equals_int (count_kids (session), 0);
  fail_if (gst_cenc_key_session_add_license (session, document, NULL, &error));
  fail_unless (
      g_error_matches (error, GST_CENC_ERROR, GST_CENC_ERROR_UNSUPPORTED));
  gst_object_unref (self);
}
GST_END_TEST;

GST_START_TEST (test_subclass_that_gives_no_reason)
{
  TestSession *self = make_session ();
  GstCencKeySession *session = GST_CENC_KEY_SESSION (self);
  g_autoptr (GError) error = NULL;

  self->lazy = TRUE;
  fail_unless (gst_cenc_key_session_get_key (session, kid_a,
                   GST_CENC_KEY_USE_PLAY, &error) == NULL);
  fail_unless (g_error_matches (error, GST_CENC_ERROR, GST_CENC_ERROR_NO_KEY));
  fail_unless (strstr (error->message, "a0010203") != NULL, "%s",
      error->message);
  g_clear_error (&error);
  /* An error wins over a key. */
  self->lazy = FALSE;
  self->both = TRUE;
  fail_unless (gst_cenc_key_session_get_key (session, kid_a,
                   GST_CENC_KEY_USE_PLAY, &error) == NULL);
  fail_unless (
      g_error_matches (error, GST_CENC_ERROR, GST_CENC_ERROR_WINDOW_OVER));
  fail_unless (gst_cenc_key_session_get_key (session, kid_a,
                   GST_CENC_KEY_USE_PLAY, NULL) == NULL);
  gst_object_unref (self);
}
GST_END_TEST;

GST_START_TEST (test_subclass_that_defines_nothing)
{
  GstCencKeySession *session =
      gst_object_ref_sink (g_object_new (bare_session_get_type (), NULL));
  g_autoptr (GError) error = NULL;

  g_test_expect_message ("GStreamer-Cenc", G_LOG_LEVEL_CRITICAL, "*has_key*");
  fail_if (gst_cenc_key_session_has_key (session, kid_a));
  g_test_assert_expected_messages ();
  fail_unless (gst_cenc_key_session_get_key (session, kid_a,
                   GST_CENC_KEY_USE_PLAY, &error) == NULL);
  fail_unless (g_error_matches (error, GST_CENC_ERROR, GST_CENC_ERROR_NO_KEY));
  gst_cenc_key_session_begin (session);
  gst_cenc_key_session_end (session);
  gst_object_unref (session);
}
GST_END_TEST;

GST_START_TEST (test_begin_and_end_are_counted)
{
  TestSession *self = make_session ();
  GstCencKeySession *session = GST_CENC_KEY_SESSION (self);

  gst_cenc_key_session_begin (session);
  gst_cenc_key_session_begin (session);
  gst_cenc_key_session_end (session);
  assert_equals_int (self->n_begin, 1);
  assert_equals_int (self->n_end, 0);
  gst_cenc_key_session_end (session);
  assert_equals_int (self->n_end, 1);
  gst_cenc_key_session_begin (session);
  assert_equals_int (self->n_begin, 2);
  gst_cenc_key_session_end (session);
  /* One end too many must not make a later begin go unseen. */
  g_test_expect_message ("GStreamer-Cenc", G_LOG_LEVEL_CRITICAL, "*users*");
  gst_cenc_key_session_end (session);
  g_test_assert_expected_messages ();
  assert_equals_int (self->n_end, 2);
  gst_cenc_key_session_begin (session);
  assert_equals_int (self->n_begin, 3);
  gst_object_unref (self);
}
GST_END_TEST;

/* --- context --- */

GST_START_TEST (test_context)
{
  TestSession *self = make_session ();
  GstContext *context =
      gst_cenc_key_session_context_new (GST_CENC_KEY_SESSION (self));
  GstContext *other = gst_context_new ("something.else", TRUE);
  GstContext *empty = gst_context_new (GST_CENC_KEY_SESSION_CONTEXT_TYPE, TRUE);
  GstCencKeySession *got;

  fail_unless (gst_context_is_persistent (context));
  assert_equals_string (gst_context_get_context_type (context),
      "gst.cenc.key-session");
  got = gst_cenc_key_session_from_context (context);
  fail_unless (got == GST_CENC_KEY_SESSION (self));
  gst_object_unref (got);
  fail_unless (gst_cenc_key_session_from_context (other) == NULL);
  fail_unless (gst_cenc_key_session_from_context (empty) == NULL);
  gst_context_unref (other);
  gst_context_unref (empty);
  ASSERT_OBJECT_REFCOUNT (self, "session", 2);
  gst_context_unref (context);
  ASSERT_OBJECT_REFCOUNT (self, "session", 1);
  gst_object_unref (self);
}
GST_END_TEST;

static Suite *
gstcenc_suite (void)
{
  Suite *s = suite_create ("gstcenc");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_key);
  tcase_add_test (tc, test_same_data);
  tcase_add_test (tc, test_key_full);
  tcase_add_test (tc, test_key_is_not_printed);
  tcase_add_test (tc, test_output_protection);
  tcase_add_test (tc, test_output_protection_names_the_field);
  tcase_add_test (tc, test_parse_hex);
  tcase_add_test (tc, test_kid_to_string);
  tcase_add_test (tc, test_ring);
  tcase_add_test (tc, test_ring_add_hex);
  tcase_add_test (tc, test_ring_add_hex_takes_all_or_none);
  tcase_add_test (tc, test_subclass);
  tcase_add_test (tc, test_subclass_that_gives_no_reason);
  tcase_add_test (tc, test_subclass_that_defines_nothing);
  tcase_add_test (tc, test_begin_and_end_are_counted);
  tcase_add_test (tc, test_context);
  return s;
}

GST_CHECK_MAIN (gstcenc);
