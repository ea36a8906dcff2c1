/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cencdecrypt-util.h"

const guint8 nist_kid[16] = { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
  0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff };
const guint8 nist_key[16] = { 0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6,
  0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c };

const guint8 nist_plain[64] = { 0x6b, 0xc1, 0xbe, 0xe2, 0x2e, 0x40, 0x9f, 0x96,
  0xe9, 0x3d, 0x7e, 0x11, 0x73, 0x93, 0x17, 0x2a, 0xae, 0x2d, 0x8a, 0x57, 0x1e,
  0x03, 0xac, 0x9c, 0x9e, 0xb7, 0x6f, 0xac, 0x45, 0xaf, 0x8e, 0x51, 0x30, 0xc8,
  0x1c, 0x46, 0xa3, 0x5c, 0xe4, 0x11, 0xe5, 0xfb, 0xc1, 0x19, 0x1a, 0x0a, 0x52,
  0xef, 0xf6, 0x9f, 0x24, 0x45, 0xdf, 0x4f, 0x9b, 0x17, 0xad, 0x2b, 0x41, 0x7b,
  0xe6, 0x6c, 0x37, 0x10 };

const guint8 nist_cbc_iv[16] = { 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07,
  0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f };
const guint8 nist_cbc[64] = { 0x76, 0x49, 0xab, 0xac, 0x81, 0x19, 0xb2, 0x46,
  0xce, 0xe9, 0x8e, 0x9b, 0x12, 0xe9, 0x19, 0x7d, 0x50, 0x86, 0xcb, 0x9b, 0x50,
  0x72, 0x19, 0xee, 0x95, 0xdb, 0x11, 0x3a, 0x91, 0x76, 0x78, 0xb2, 0x73, 0xbe,
  0xd6, 0xb8, 0xe3, 0xc1, 0x74, 0x3b, 0x71, 0x16, 0xe6, 0x9e, 0x22, 0x22, 0x95,
  0x16, 0x3f, 0xf1, 0xca, 0xa1, 0x68, 0x1f, 0xac, 0x09, 0x12, 0x0e, 0xca, 0x30,
  0x75, 0x86, 0xe1, 0xa7 };

const guint8 nist_ctr_iv[16] = { 0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7,
  0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe, 0xff };
const guint8 nist_ctr[64] = { 0x87, 0x4d, 0x61, 0x91, 0xb6, 0x20, 0xe3, 0x26,
  0x1b, 0xef, 0x68, 0x64, 0x99, 0x0d, 0xb6, 0xce, 0x98, 0x06, 0xf6, 0x6b, 0x79,
  0x70, 0xfd, 0xff, 0x86, 0x17, 0x18, 0x7b, 0xb9, 0xff, 0xfd, 0xff, 0x5a, 0xe4,
  0xdf, 0x3e, 0xdb, 0xd5, 0xd3, 0x5e, 0x5b, 0x4f, 0x09, 0x02, 0x0d, 0xb0, 0x3e,
  0xab, 0x1e, 0x03, 0x1d, 0xda, 0x2f, 0xbe, 0x03, 0xd1, 0x79, 0x21, 0x70, 0xa0,
  0xf3, 0x00, 0x9c, 0xee };

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
