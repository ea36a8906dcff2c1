/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_SMIL_REMIX_BIN (gst_smil_remix_bin_get_type ())
G_DECLARE_FINAL_TYPE (GstSmilRemixBin, gst_smil_remix_bin, GST, SMIL_REMIX_BIN,
    GstBin)

GST_ELEMENT_REGISTER_DECLARE (smilremixbin)

G_END_DECLS
