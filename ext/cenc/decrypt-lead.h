/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * DecryptLead: judges samples that a demuxer calls encrypted in a track that may
 * begin in the clear. Of cbcs, qtdemux gives the track's constant IV with each
 * sample, also with the clear ones of another sample entry.
 *
 * For codecs whose samples are encrypted whole: each sample is looked at as it
 * came and as it is decrypted; one of the two parses. A lead is a beginning:
 * behind the first sample that is encrypted all are. So that no ciphertext
 * passes by chance, samples are held until enough in a row were clear, or until
 * one came that the key fits.
 *
 * Of Opus most samples parse both ways. Those between the lead and what is surely
 * encrypted go by what samples of one stream share; where that does not tell
 * either, there is an error.
 */

#pragma once

#include <gst/gst.h>
#include "gst/subsample/sample-probe.h"

G_BEGIN_DECLS

typedef struct
{
  gboolean over; /* what comes is encrypted */
  gboolean lost; /* and what was held before it was given to nobody */
  guint n_clear; /* samples in a row that were */
  guint64
      families; /* of those samples: a bit each, sample_probe_get_family() */
  guint64 beginnings; /* likewise, the first six bits, of any codec */
  gsize size; /* bytes held */
  GQueue held; /* (element-type Held) */
} DecryptLead;

typedef enum
{
  DECRYPT_LEAD_TAKEN,
  DECRYPT_LEAD_OVER, /* the sample is encrypted: it was not taken */
  DECRYPT_LEAD_FAILED,
} DecryptLeadResult;

void decrypt_lead_init (DecryptLead *self);
/** Drops what is held and begins anew: a flush, or the end. */
void decrypt_lead_clear (DecryptLead *self);
gboolean decrypt_lead_is_holding (const DecryptLead *self);
/** The samples before were clear, and so may the next be that says nothing. */
gboolean decrypt_lead_goes_on (const DecryptLead *self);

/**
 * decrypt_lead_add:
 * @need: samples in a row that have to be clear before they go out
 * @raw: (transfer full unless DECRYPT_LEAD_OVER): a sample as it came
 * @decrypted: (transfer full) (nullable): what the key makes of it; %NULL: it
 *   came without information
 * @out: (element-type GstMiniObject): what is decided is appended
 * @error: GST_CENC_ERROR_FORMAT: over 64 MiB are held, or @raw is none of its
 *   codec and @decrypted is %NULL
 */
DecryptLeadResult
decrypt_lead_add (DecryptLead *self, const SampleProbe *probe, guint need,
    GstBuffer *raw, GstBuffer *decrypted, GQueue *out, GError **error);

/** @event: (transfer full): while samples are held it takes its place behind them. */
void decrypt_lead_add_event (DecryptLead *self, GstEvent *event);

/** The stream ends: what is held goes out, as it came where it was clear. Of what parses both ways that is what begins as the lead's samples do as it came, and does not decrypted. */
void decrypt_lead_finish (DecryptLead *self, GQueue *out);

G_END_DECLS
