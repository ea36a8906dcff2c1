/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gst/cenc/cenc-iv.h"

#include <gst/cenc/gstcenckeysession.h>

#include <string.h>

#include "gst/isobmff/bmff-reader.h"

/* 8-byte IVs: a track's share of the 64 bits. */
#define TRACK_BITS 48

void
cenc_iv_init (CencIv *self, CencScheme scheme, CencMode mode, guint8 size,
    const guint8 *seed, guint track)
{
  guint64 upper = bmff_get_u64 (seed);

  memset (self, 0, sizeof *self);
  self->scheme = scheme;
  self->mode = mode;
  self->size = size;
  self->track = track;
  memcpy (self->value, seed, CENC_BLOCK_SIZE);
  if (size == 8) {
    bmff_put_u64 (self->value, upper + ((guint64) track << TRACK_BITS));
    memset (self->value + 8, 0, 8);
  } else if (size == CENC_BLOCK_SIZE) {
    bmff_put_u64 (self->value, upper + track);
  }
}

/* Whether another sample's IV and counters belong to this track alone. */
static gboolean
has_room (const CencIv *self, guint64 blocks)
{
  if (self->size == 0)
    return TRUE;
  if (self->size == 8)
    return self->track < 1u << (64 - TRACK_BITS) &&
        self->samples < G_GUINT64_CONSTANT (1) << TRACK_BITS;
  if (self->mode == CENC_MODE_CBC)
    return self->samples < G_MAXUINT64;
  return blocks <= G_MAXUINT64 - self->blocks;
}

/* Adds to the big-endian number in @value; carries into the upper half if @carry. */
static void
add (guint8 *value, guint64 n, gboolean carry)
{
  guint64 low = bmff_get_u64 (value + 8);

  bmff_put_u64 (value + 8, low + n);
  if (carry && low + n < low)
    bmff_put_u64 (value, bmff_get_u64 (value) + 1);
}

static void
advance (CencIv *self, guint64 blocks)
{
  self->samples++;
  if (self->size == 8) {
    bmff_put_u64 (self->value, bmff_get_u64 (self->value) + 1);
  } else if (self->size == CENC_BLOCK_SIZE && self->mode == CENC_MODE_CBC) {
    add (self->value, 1, TRUE);
  } else if (self->size == CENC_BLOCK_SIZE) {
    /* The counter wraps within its 64 bits, as it does within a sample. */
    add (self->value, blocks, FALSE);
    self->blocks += blocks;
  }
}

gboolean
cenc_iv_next (CencIv *self, guint64 blocks, guint8 out[CENC_BLOCK_SIZE],
    GError **error)
{
  /* A sample whose counter is not moved on must not share its IV with the next. */
  blocks = MAX (blocks, 1);
  if (!has_room (self, blocks)) {
    g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_UNSUPPORTED,
        "no IV is left for track %u after %" G_GUINT64_FORMAT
        " samples under one key",
        self->track, self->samples);
    return FALSE;
  }
  memcpy (out, self->value, CENC_BLOCK_SIZE);
  advance (self, blocks);
  return TRUE;
}
