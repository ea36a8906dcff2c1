/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/base/gstbasesrc.h>

G_BEGIN_DECLS

#define GST_TYPE_SMIL_REMIX_SRC (gst_smil_remix_src_get_type ())
G_DECLARE_FINAL_TYPE (GstSmilRemixSrc, gst_smil_remix_src, GST, SMIL_REMIX_SRC,
    GstBaseSrc)

GST_ELEMENT_REGISTER_DECLARE (smilremixsrc)

G_END_DECLS
