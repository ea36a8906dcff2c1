/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cencdecrypt-util.h"

const guint8 nist_kid[16] = { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
  0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff };
GstHarness *
test_harness_new (const gchar *caps, const gchar *keys, GstBus **bus)
{
  GstElement *element = gst_element_factory_make ("cencdecrypt", NULL);
  GstHarness *h;

  fail_unless (element != NULL);
  *bus = gst_bus_new ();
  gst_element_set_bus (element, *bus);
  if (keys)
    g_object_set (element, "keys", keys, NULL);
  h = gst_harness_new_with_element (element, "sink", "src");
  gst_object_unref (element);
  if (caps)
    gst_harness_set_src_caps_str (h, caps);
  return h;
}

void
test_harness_free (GstHarness *h, GstBus *bus)
{
  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
}

GstBuffer *
test_buffer_new (const guint8 *data, gsize size)
{
  GstBuffer *buffer = gst_buffer_new_memdup (data, size);

  GST_BUFFER_PTS (buffer) = 3 * GST_SECOND;
  GST_BUFFER_DTS (buffer) = 2 * GST_SECOND;
  GST_BUFFER_DURATION (buffer) = GST_SECOND;
  return buffer;
}

static void
set_buffer (GstStructure *info, const gchar *name, const guint8 *data,
    gsize size)
{
  GstBuffer *buffer = gst_buffer_new_memdup (data, size);

  gst_structure_set (info, name, GST_TYPE_BUFFER, buffer, NULL);
  gst_buffer_unref (buffer);
}

static gboolean
copy_field (GQuark id, const GValue *value, gpointer info)
{
  gst_structure_id_set_value (info, id, value);
  return TRUE;
}

GstBuffer *
test_add_meta (GstBuffer *buffer, const TestMeta *meta)
{
  GstStructure *info = gst_structure_new ("application/x-cenc", "iv_size",
      G_TYPE_UINT, meta->iv_size, "encrypted", G_TYPE_BOOLEAN, TRUE, NULL);

  set_buffer (info, "kid", nist_kid, sizeof nist_kid);
  if (meta->iv)
    set_buffer (info, "iv", meta->iv, meta->iv_size);
  if (!meta->no_count)
    gst_structure_set (info, "subsample_count", G_TYPE_UINT, meta->n_subsamples,
        NULL);
  if (meta->n_subsamples > 0)
    set_buffer (info, "subsamples", meta->subsamples, 6 * meta->n_subsamples);
  if (meta->crypt > 0)
    gst_structure_set (info, "crypt_byte_block", G_TYPE_UINT, meta->crypt,
        "skip_byte_block", G_TYPE_UINT, meta->skip, NULL);
  if (meta->extra) {
    GstStructure *extra = gst_structure_from_string (meta->extra, NULL);

    fail_unless (extra != NULL);
    gst_structure_foreach (extra, copy_field, info);
    gst_structure_free (extra);
  }
  gst_buffer_add_protection_meta (buffer, info);
  return buffer;
}

void
test_expect (GstHarness *h, GstBuffer *buffer, const guint8 *data, gsize size)
{
  GstBuffer *out;

  fail_unless_equals_int (gst_harness_push (h, buffer), GST_FLOW_OK);
  out = gst_harness_try_pull (h);
  fail_unless (out != NULL);
  gst_check_buffer_data (out, data, size);
  fail_unless (gst_buffer_get_protection_meta (out) == NULL);
  fail_unless_equals_uint64 (GST_BUFFER_PTS (out), 3 * GST_SECOND);
  fail_unless_equals_uint64 (GST_BUFFER_DTS (out), 2 * GST_SECOND);
  fail_unless_equals_uint64 (GST_BUFFER_DURATION (out), GST_SECOND);
  gst_buffer_unref (out);
}

void
test_expect_error (GstBus *bus, GQuark domain, gint code, const gchar *text)
{
  GstMessage *message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  GError *error = NULL;
  gchar *debug = NULL;

  fail_unless (message != NULL, "no error was posted");
  gst_message_parse_error (message, &error, &debug);
  fail_unless (g_error_matches (error, domain, code), "%s", error->message);
  fail_unless (strstr (error->message, text) != NULL, "%s", error->message);
  g_error_free (error);
  g_free (debug);
  gst_message_unref (message);
}

G_DEFINE_TYPE (TestSession, test_session, GST_TYPE_CENC_KEY_SESSION)

static gboolean
test_session_has_key (GstCencKeySession *session, const guint8 *kid)
{
  TestSession *self = TEST_SESSION (session);

  return !self->empty && memcmp (kid, nist_kid, sizeof nist_kid) == 0;
}

static GstCencKey *
test_session_get_key (GstCencKeySession *session, const guint8 *kid,
    GstCencKeyUse use, GError **error)
{
  TestSession *self = TEST_SESSION (session);

  if (use == GST_CENC_KEY_USE_PLAY)
    self->n_play++;
  else
    self->n_preroll++;
  if (self->refusal) {
    g_propagate_error (error, g_error_copy (self->refusal));
    return NULL;
  }
  return gst_cenc_key_new_full (nist_kid, nist_key, self->deadline,
      self->output_protection);
}

static gboolean
test_session_add_license (GstCencKeySession *session, GBytes *document,
    GstCaps *caps, GError **error)
{
  TestSession *self = TEST_SESSION (session);

  if (g_bytes_get_size (document) < 7 ||
      memcmp (g_bytes_get_data (document, NULL), "license", 7) != 0) {
    g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT, "no license");
    return FALSE;
  }
  self->n_documents++;
  self->empty = FALSE;
  gst_cenc_key_session_changed (session);
  return TRUE;
}

static void
test_session_begin (GstCencKeySession *session)
{
  TEST_SESSION (session)->n_begin++;
}

static void
test_session_end (GstCencKeySession *session)
{
  TEST_SESSION (session)->n_end++;
}

static void
test_session_finalize (GObject *object)
{
  TestSession *self = TEST_SESSION (object);

  g_clear_pointer (&self->output_protection, gst_structure_free);
  g_clear_error (&self->refusal);
  G_OBJECT_CLASS (test_session_parent_class)->finalize (object);
}

static void
test_session_class_init (TestSessionClass *klass)
{
  GstCencKeySessionClass *session_class = GST_CENC_KEY_SESSION_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = test_session_finalize;
  session_class->has_key = test_session_has_key;
  session_class->get_key = test_session_get_key;
  session_class->add_license = test_session_add_license;
  session_class->begin = test_session_begin;
  session_class->end = test_session_end;
}

static void
test_session_init (TestSession *self)
{
  self->deadline = GST_CENC_KEY_NO_DEADLINE;
}

TestSession *
test_session_new (void)
{
  return gst_object_ref_sink (g_object_new (TEST_TYPE_SESSION, NULL));
}

static const TestMeta whole_ctr = { nist_ctr_iv, 16 };

GstBuffer *
test_sample_new (void)
{
  return test_add_meta (test_buffer_new (nist_ctr, 64), &whole_ctr);
}

void
test_expect_clear (GstHarness *h)
{
  test_expect (h, test_sample_new (), nist_plain, 64);
}

void
test_set_session (GstHarness *h, TestSession *session)
{
  GstContext *context =
      gst_cenc_key_session_context_new (GST_CENC_KEY_SESSION (session));

  gst_element_set_context (h->element, context);
  gst_context_unref (context);
}
