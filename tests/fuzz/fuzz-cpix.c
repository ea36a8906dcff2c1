/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A CPIX document: read, asked for keys, written, read again.
 */

#include <stddef.h>
#include <stdint.h>

#include "cenc/cpix-read.h"
#include "cenc/cpix-rules.h"
#include "cenc/cpix-write.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
choose (const CpixDocument *document)
{
  const CpixTrackFacts tracks[] = {
    { .kind = CPIX_TRACK_VIDEO,
        .label = "HD",
        .pixels = 1920 * 1080,
        .fps_n = 30000,
        .fps_d = 1001,
        .bitrate = 1000000,
        .hdr = 1,
        .wcg = 0,
        .scheme = "cenc" },
    { .kind = CPIX_TRACK_AUDIO, .channels = 2, .hdr = -1, .wcg = -1 },
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (tracks); i++) {
    g_autoptr (GError) error = NULL;
    const CpixKey *key = cpix_document_choose (document, &tracks[i], &error);

    g_assert ((key != NULL) == (error == NULL));
    g_assert (!key || key->key);
  }
}

/* A document that was read can be written, and be read again. */
static void
write_again (const CpixDocument *document)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CpixSecret) text = cpix_document_write (document, NULL, &error);
  g_autoptr (CpixDocument) copy = NULL;

  if (!text) {
    g_assert (g_error_matches (error, CPIX_ERROR, CPIX_ERROR_UNSUPPORTED));
    return;
  }
  if (text->size > 1u << 20)
    return;
  copy = cpix_document_read ((const gchar *) text->data, text->size, NULL, TRUE,
      &error);
  g_assert_no_error (error);
  g_assert (copy->keys->len == document->keys->len);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CpixDocument) document =
      cpix_document_read ((const gchar *) data, size, NULL, FALSE, &error);

  g_assert ((document != NULL) == (error == NULL));
  if (document) {
    choose (document);
    write_again (document);
  }
  return 0;
}
