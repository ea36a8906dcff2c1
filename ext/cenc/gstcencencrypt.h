/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_CENC_ENCRYPT (gst_cenc_encrypt_get_type ())
G_DECLARE_FINAL_TYPE (GstCencEncrypt, gst_cenc_encrypt, GST, CENC_ENCRYPT,
    GstElement)

GST_ELEMENT_REGISTER_DECLARE (cencencrypt)

G_END_DECLS
