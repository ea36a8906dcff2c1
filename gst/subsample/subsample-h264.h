/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What H.264's own files share. */

#pragma once

#include <gst/codecparsers/gsth264parser.h>

#include "gst/subsample/subsample-private.h"

G_BEGIN_DECLS

/**
 * subsample_h264_count_header:
 * @pps: the picture parameter set that the last slice had
 * @nal: of type 1 or 5
 *
 * Bits of the slice's header behind the NAL unit's, as
 * gst_h264_parser_parse_slice_hdr() counts them: of slices of types I, P and B
 * that do without modified reference lists, memory management operations, slice
 * groups and emulation prevention, as most are.
 *
 * Returns: 0: another one, or one of another @pps, or broken: the library tells
 */
guint
subsample_h264_count_header (const GstH264PPS *pps, const SubsampleNal *nal);

G_END_DECLS
