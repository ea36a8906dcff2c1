/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * DecryptClearRun: judges samples that come without protection information out
 * of a protected track. A demuxer gives a clear lead like that, and also the
 * ciphertext of a file whose information it does not read. A sample passes only
 * if it parses as its codec; where one sample could do so by chance, several
 * are held until together they cannot.
 */

#pragma once

#include <gst/gst.h>
#include "gst/subsample/sample-probe.h"

G_BEGIN_DECLS

typedef struct
{
  guint n_good; /* samples in a row that parsed */
  GQueue held; /* (element-type GstBuffer) */
} DecryptClearRun;

/** Samples in a row that have to parse so that chance is below 2^-20; 0: the codec cannot be judged. */
guint decrypt_clear_get_need (const SampleProbe *probe);

void decrypt_clear_run_init (DecryptClearRun *self);
/** Drops what is held: a flush, or the end. */
void decrypt_clear_run_clear (DecryptClearRun *self);

/**
 * decrypt_clear_run_add:
 * @buffer: (transfer full): a sample without information
 * @out: (element-type GstBuffer): what is known to be clear now, @buffer or more, is appended
 *
 * Returns: FALSE with GST_CENC_ERROR_FORMAT: the sample is none of its codec, or that cannot be told
 */
gboolean decrypt_clear_run_add (DecryptClearRun *self, const SampleProbe *probe,
    GstBuffer *buffer, GQueue *out, GError **error);

/**
 * decrypt_clear_run_end: the run ends: a protected sample, another event, or the end of the stream
 * comes. All samples that are held have parsed, and go to @out.
 */
void decrypt_clear_run_end (DecryptClearRun *self, GQueue *out);

G_END_DECLS
