/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From the ranges that a codec's syntax leaves to be protected to the subsample
 * entries that a scheme writes: alignment, BytesOfClearData beyond 16 bits, the
 * most entries that saiz can count (ISO/IEC 23001-7, 9.5 and 10).
 */

#pragma once

#include <gst/cenc/cenc-crypt.h>

G_BEGIN_DECLS

/** A range of a sample that may be encrypted, by the codec's syntax. */
typedef struct
{
  gsize offset;
  gsize size;
} CencRange;

/**
 * cenc_subsamples_append:
 * @out: entries are appended here as they go into the file, CENC_SUBSAMPLE_SIZE each
 * @scheme: which alignment: for cenc, cens, cbc1 and PIFF a range's size becomes
 *   a multiple of 16 and the slack goes in front of it; cbcs takes it as it is
 * @ranges: ascending, without overlap, within @sample_size
 * @max_subsamples: 0 = no limit; else the smallest ranges are left clear until
 *   the entries fit (clear bytes over 65535 take entries of their own)
 *
 * Returns: number of entries appended (at least 1, unless @sample_size is 0), or
 *   -1 with GST_CENC_ERROR_UNSUPPORTED if @sample_size cannot be told in that
 *   many entries: all clear, or with at least its largest range protected if
 *   it has one (a sample is never left clear as a whole)
 */
gint cenc_subsamples_append (GByteArray *out, CencScheme scheme,
    const CencRange *ranges, guint n_ranges, gsize sample_size,
    guint max_subsamples, GError **error);

/**
 * cenc_subsamples_append_span: entries for @clear bytes, then @protected_bytes
 *
 * Returns: how many were appended: 0 if there are no bytes at all
 */
guint cenc_subsamples_append_span (GByteArray *out, gsize clear,
    guint32 protected_bytes);

/** The most entries whose auxiliary information fits saiz's 8 bits: 42, 40, 39 for IVs of 0, 8, 16 bytes. */
guint cenc_subsamples_get_max (guint iv_size);

G_END_DECLS
