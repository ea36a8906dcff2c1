/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_CENC_DECRYPT (gst_cenc_decrypt_get_type ())
G_DECLARE_FINAL_TYPE (GstCencDecrypt, gst_cenc_decrypt, GST, CENC_DECRYPT,
    GstElement)

GST_ELEMENT_REGISTER_DECLARE (cencdecrypt)

G_END_DECLS
