/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cenc/gstcencdecrypt.h"

GST_DEBUG_CATEGORY_STATIC (gst_cenc_decrypt_debug);
#define GST_CAT_DEFAULT gst_cenc_decrypt_debug

struct _GstCencDecrypt
{
  GstElement parent;
};

G_DEFINE_TYPE (GstCencDecrypt, gst_cenc_decrypt, GST_TYPE_ELEMENT)
GST_ELEMENT_REGISTER_DEFINE (cencdecrypt, "cencdecrypt", GST_RANK_NONE,
    GST_TYPE_CENC_DECRYPT)

static void
gst_cenc_decrypt_class_init (GstCencDecryptClass *klass)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (gst_cenc_decrypt_debug, "cencdecrypt", 0,
      "Common Encryption decryptor");
  gst_element_class_set_static_metadata (element_class,
      "Common Encryption decryptor", "Decryptor/Video/Audio",
      "Decrypts ISO/IEC 23001-7 protected media", "gst-plugins-cenc");
}

static void
gst_cenc_decrypt_init (GstCencDecrypt *self)
{
}
