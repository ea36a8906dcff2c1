/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * For the tests of cencdecrypt: samples with protection meta made by hand out of
 * the known answers of NIST SP 800-38A, and a key session that writes down what
 * it was asked.
 */

#pragma once

#include <gst/cenc/cenc.h>
#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>

#include "../nist.h"

extern const guint8 nist_kid[16];
#define NIST_KID "00112233445566778899aabbccddeeff"
#define NIST_KEYS NIST_KID ":2b7e151628aed2a6abf7158809cf4f3c"

/* Codecs without structure, so that nothing is judged by it. */
#define CAPS_CENC \
  "application/x-cenc, original-media-type=audio/x-raw, cipher-mode=cenc"
#define CAPS_CBCS \
  "application/x-cenc, original-media-type=audio/x-raw, cipher-mode=cbcs"
/* avcC with 4-byte lengths */
#define CAPS_AVC \
  "application/x-cenc, original-media-type=video/x-h264, stream-format=avc, " \
  "alignment=au, codec_data=(buffer)0142c00dffe10000, cipher-mode="

typedef struct
{
  const guint8 *iv;
  guint iv_size;
  const guint8 *subsamples; /* n × 6 bytes */
  guint n_subsamples;
  gboolean no_count; /* the field is left out */
  guint crypt, skip;
  const gchar
      *extra; /* further fields, as gst_structure_from_string() takes them */
} TestMeta;

/* A harness around an element that posts to @bus. */
GstHarness *
test_harness_new (const gchar *caps, const gchar *keys, GstBus **bus);
void test_harness_free (GstHarness *h, GstBus *bus);

GstBuffer *test_buffer_new (const guint8 *data, gsize size);
/* (transfer full) @buffer, with the meta */
GstBuffer *test_add_meta (GstBuffer *buffer, const TestMeta *meta);
/* Pushes, and compares what comes out; (transfer full) @buffer. */
void
test_expect (GstHarness *h, GstBuffer *buffer, const guint8 *data, gsize size);
/* Takes the next error off the bus: it has to be that one, and its text has to hold @text. */
void
test_expect_error (GstBus *bus, GQuark domain, gint code, const gchar *text);

#define TEST_TYPE_SESSION (test_session_get_type ())
G_DECLARE_FINAL_TYPE (TestSession, test_session, TEST, SESSION,
    GstCencKeySession)

struct _TestSession
{
  GstCencKeySession parent;
  GMutex lock;
  GCond cond;
  gint64 deadline; /* of the key it gives */
  GstStructure *output_protection;
  GError *refusal;
  guint n_preroll, n_play, n_begin, n_end, n_documents;
  gboolean empty; /* has no key until a document comes */
};

TestSession *test_session_new (void);
/* Hands it over as an application does, by GstContext. */
void test_set_session (GstHarness *h, TestSession *session);

/* The NIST example in CTR as a sample of one second, wholly protected; and that it
 * comes out in the clear. */
GstBuffer *test_sample_new (void);
void test_expect_clear (GstHarness *h);
