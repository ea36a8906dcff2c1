/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cenc/decrypt-adaptive.h"

#include <string.h>

static gboolean
is_adaptive_demuxer (GstObject *object)
{
  const gchar *klass;

  if (!GST_IS_ELEMENT (object))
    return FALSE;
  klass = gst_element_get_metadata (GST_ELEMENT (object),
      GST_ELEMENT_METADATA_KLASS);
  return klass && strstr (klass, "Demuxer/Adaptive");
}

GstElement *
decrypt_adaptive_get_demuxer (GstElement *element)
{
  GstObject *walk = gst_object_get_parent (GST_OBJECT (element));

  while (walk && !is_adaptive_demuxer (walk)) {
    GstObject *parent = gst_object_get_parent (walk);

    gst_object_unref (walk);
    walk = parent;
  }
  return walk ? GST_ELEMENT (walk) : NULL;
}

gboolean
decrypt_adaptive_is_stopping (GstElement *element)
{
  g_autoptr (GstElement) demuxer = decrypt_adaptive_get_demuxer (element);

  return demuxer && GST_STATE_TARGET (demuxer) < GST_STATE_PAUSED;
}
