/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Movies and fragments with protected tracks, made in memory. */

#pragma once

#include "../isobmff/bmff-test.h"
#include "cenc-reference.h"

#include "gst/cenc/cenc-aux.h"
#include "gst/cenc/cenc-track.h"

#include <string.h>

/* Protected parameters whose KID is @kid in every byte. */
static inline CencParams
test_params (CencScheme scheme, guint8 kid)
{
  gboolean cbcs = scheme == CENC_SCHEME_CBCS;
  CencParams params =
      reference_params (scheme, cbcs ? 1 : 0, cbcs ? 9 : 0, cbcs ? 0 : 8);

  params.constant_iv_size = cbcs ? 16 : 0;
  memset (params.kid, kid, sizeof params.kid);
  return params;
}

/* stbl of @n samples of @size bytes, in chunks of 2, from @offset on; the first
 * chunk is described by entry @first, the others by entry 1. */
static inline BmffBox *
test_stbl (guint n, guint size, guint offset, guint first)
{
  BmffBox *stbl = bmff_box_new_container (FCC ("stbl"));
  BmffWriter *w = bmff_writer_new (0);
  guint i;

  test_with (stbl, test_box ("stts", 0, 1, n, 10));
  test_with (stbl, test_box ("stsc", 0, 2, 1, 2, first, 2, 2, 1));
  test_with (stbl, test_box ("stsz", 0, size, n));
  bmff_writer_u32 (w, 0);
  bmff_writer_u32 (w, n / 2);
  for (i = 0; i < n / 2; i++)
    bmff_writer_u32 (w, offset + i * 2 * size);
  return test_with (stbl, bmff_box_new (FCC ("stco"), bmff_writer_end (w)));
}

/* Entry 1 of @trak (avc1) becomes encv; entry 2 stays hvc1. */
static inline void
test_wrap (BmffBox *trak, const CencParams *params)
{
  BmffBox *stsd = bmff_box_find (trak, "mdia/minf/stbl/stsd");

  fail_unless (bmff_box_parse_stsd (stsd, BMFF_HANDLER_VIDEO, NULL));
  fail_unless (cenc_entry_wrap (g_ptr_array_index (stsd->children, 0),
      BMFF_HANDLER_VIDEO, params, NULL));
}

/* Written and read again, so that all boxes have their place in a file. */
static inline BmffMovie *
test_movie (BmffBox *moov)
{
  GError *error = NULL;
  BmffMovie *movie = bmff_movie_new (test_reparse_at (moov, 0), &error);

  fail_unless_no_error (error);
  return movie;
}

static inline void
test_append_bytes (GByteArray *out, GBytes *bytes)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);

  g_byte_array_append (out, data, (guint) size);
}

/* sgpd of version 2 with the entries of @n params; @default_group 0 = none. */
static inline BmffBox *
test_sgpd (guint default_group, guint n, const CencParams *params)
{
  BmffWriter *w = bmff_writer_new (0);
  guint i;

  bmff_writer_u32 (w, 2u << 24);
  bmff_writer_u32 (w, FCC ("seig"));
  bmff_writer_u32 (w, 0);
  bmff_writer_u32 (w, default_group);
  bmff_writer_u32 (w, n);
  for (i = 0; i < n; i++) {
    g_autoptr (GBytes) entry = cenc_params_to_seig (&params[i]);

    bmff_writer_u32 (w, (guint32) g_bytes_get_size (entry));
    bmff_writer_bytes (w, g_bytes_get_data (entry, NULL),
        g_bytes_get_size (entry));
  }
  return bmff_box_new (FCC ("sgpd"), bmff_writer_end (w));
}
