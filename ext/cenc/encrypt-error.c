/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "encrypt-error.h"

#include <gst/cenc/gstcenckeysession.h>
#include "cenc/encrypt-track.h"

#define DELAY (100 * G_TIME_SPAN_MILLISECOND)

void
encrypt_preroll_init (EncryptPreroll *self)
{
  self->going_on = FALSE;
  g_cond_init (&self->over);
}

void
encrypt_preroll_clear (EncryptPreroll *self)
{
  g_cond_clear (&self->over);
}

void
encrypt_preroll_set (EncryptPreroll *self, GstElement *element,
    gboolean going_on)
{
  GST_OBJECT_LOCK (element);
  self->going_on = going_on;
  g_cond_broadcast (&self->over);
  GST_OBJECT_UNLOCK (element);
}

void
encrypt_preroll_wait (EncryptPreroll *self, GstElement *element)
{
  gint64 deadline = g_get_monotonic_time () + DELAY;

  GST_OBJECT_LOCK (element);
  while (self->going_on &&
      g_cond_wait_until (&self->over, GST_OBJECT_GET_LOCK (element), deadline))
    ;
  GST_OBJECT_UNLOCK (element);
}

void
encrypt_error_post (GstElement *element, const GError *error)
{
  const gchar *m = error->message;

  if (g_error_matches (error, ENCRYPT_ERROR, ENCRYPT_ERROR_SETTINGS))
    GST_ELEMENT_ERROR (element, RESOURCE, SETTINGS, ("%s", m), (NULL));
  else if (g_error_matches (error, ENCRYPT_ERROR, ENCRYPT_ERROR_PROTECTED))
    GST_ELEMENT_ERROR (element, STREAM, WRONG_TYPE, ("%s", m), (NULL));
  else if (g_error_matches (error, ENCRYPT_ERROR, ENCRYPT_ERROR_CODEC))
    GST_ELEMENT_ERROR (element, STREAM, CODEC_NOT_FOUND, ("%s", m), (NULL));
  else if (g_error_matches (error, ENCRYPT_ERROR, ENCRYPT_ERROR_UNSUPPORTED) ||
      g_error_matches (error, BMFF_ERROR, BMFF_ERROR_UNSUPPORTED))
    GST_ELEMENT_ERROR (element, STREAM, NOT_IMPLEMENTED, ("%s", m), (NULL));
  else if (g_error_matches (error, ENCRYPT_ERROR, ENCRYPT_ERROR_INPUT) ||
      g_error_matches (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT) ||
      error->domain == BMFF_ERROR)
    GST_ELEMENT_ERROR (element, STREAM, DEMUX, ("%s", m), (NULL));
  else
    GST_ELEMENT_ERROR (element, STREAM, ENCODE, ("%s", m), (NULL));
}
