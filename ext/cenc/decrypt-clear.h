/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * DecryptClearRun: judges samples that come without protection information out
 * of a protected track. A demuxer gives a clear lead like that, and also the
 * ciphertext of a file whose information it does not read.
 *
 * Codecs whose samples are encrypted whole (AAC, AC-3, FLAC, …) are judged by
 * their syntax: where one sample could parse by chance, several are held until
 * together they cannot. Codecs with subsamples (NAL units, OBUs, VP9) leave all
 * in the clear that could be judged. Their samples are held until one comes with
 * information: a demuxer that finds it there would have found it before.
 */

#pragma once

#include <gst/gst.h>
#include "gst/subsample/sample-probe.h"

G_BEGIN_DECLS

/** decrypt_clear_get_need(): not to be told by the sample. */
#define DECRYPT_CLEAR_BY_PROOF G_MAXUINT

typedef struct
{
  guint n_good; /* samples in a row that parsed */
  gsize size; /* bytes held */
  GQueue held; /* (element-type GstMiniObject): buffers, events between them */
} DecryptClearRun;

/** Samples in a row that have to parse so that chance is below 2^-20; DECRYPT_CLEAR_BY_PROOF; 0: nothing is known of the codec. */
guint decrypt_clear_get_need (const SampleProbe *probe);

void decrypt_clear_run_init (DecryptClearRun *self);
/** Drops what is held: a flush, or the end. */
void decrypt_clear_run_clear (DecryptClearRun *self);
gboolean decrypt_clear_run_is_holding (const DecryptClearRun *self);

/**
 * decrypt_clear_run_add:
 * @proven: a sample with information has come
 * @buffer: (transfer full): a sample without information
 * @out: (element-type GstMiniObject): what is known to be clear now, @buffer or more, is appended
 *
 * Returns: FALSE with GST_CENC_ERROR_FORMAT: the sample is none of its codec, or
 *   that cannot be told, or too much is held
 */
gboolean decrypt_clear_run_add (DecryptClearRun *self, const SampleProbe *probe,
    gboolean proven, GstBuffer *buffer, GQueue *out, GError **error);

/** @event: (transfer full): while samples are held it takes its place behind them. */
void decrypt_clear_run_add_event (DecryptClearRun *self, GstEvent *event);

/** The run ends with a sample that has information: what is held was clear. */
void decrypt_clear_run_end (DecryptClearRun *self, GQueue *out);

/** The stream ends. FALSE with an error if what is held cannot be judged. */
gboolean decrypt_clear_run_finish (DecryptClearRun *self,
    const SampleProbe *probe, GQueue *out, GError **error);

G_END_DECLS
