/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cenc/decrypt-error.h"

#include "cenc/decrypt-adaptive.h"
#include <gio/gio.h>
#include <gst/cenc/gstcenckeysession.h>
#include "gst/isobmff/bmff-box.h"

gboolean
decrypt_error_is_flushing (const GError *error)
{
  return g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static void
get_cenc_code (gint cenc, GQuark *domain, gint *code)
{
  *domain = GST_RESOURCE_ERROR;
  switch (cenc) {
    case GST_CENC_ERROR_NO_KEY:
      *domain = GST_STREAM_ERROR;
      *code = GST_STREAM_ERROR_DECRYPT_NOKEY;
      break;
    case GST_CENC_ERROR_FORMAT:
    case GST_CENC_ERROR_UNSUPPORTED:
    case GST_CENC_ERROR_FAILED:
      *domain = GST_STREAM_ERROR;
      *code = GST_STREAM_ERROR_DECRYPT;
      break;
    case GST_CENC_ERROR_STORE:
      *code = GST_RESOURCE_ERROR_FAILED;
      break;
    default:
      *code = GST_RESOURCE_ERROR_NOT_AUTHORIZED;
      break;
  }
}

static void
get_code (const GError *error, GQuark *domain, gint *code)
{
  if (error->domain == GST_CENC_ERROR) {
    get_cenc_code (error->code, domain, code);
  } else if (error->domain == BMFF_ERROR) {
    *domain = GST_STREAM_ERROR;
    *code = GST_STREAM_ERROR_DEMUX;
  } else if (error->domain == GST_STREAM_ERROR ||
      error->domain == GST_RESOURCE_ERROR) {
    *domain = error->domain;
    *code = error->code;
  } else {
    *domain = GST_RESOURCE_ERROR;
    *code = GST_RESOURCE_ERROR_READ;
  }
}

void
decrypt_error_tell (GstElement *element, GQuark domain, gint code,
    const gchar *text, const gchar *debug)
{
  g_autoptr (GstElement) demuxer = decrypt_adaptive_get_demuxer (element);

  gst_element_message_full (element, GST_MESSAGE_ERROR, domain, code,
      g_strdup (text), g_strdup (debug), __FILE__, GST_FUNCTION, __LINE__);
  /* dashdemux2, hlsdemux2 and mssdemux2 (seen in 1.22, not changed in 1.28) keep
   * what an element inside them posts, stop that stream and say nothing: the
   * player would wait for ever. What they post themselves goes out. */
  if (demuxer)
    gst_element_message_full (demuxer, GST_MESSAGE_ERROR, domain, code,
        g_strdup (text), g_strdup (debug), __FILE__, GST_FUNCTION, __LINE__);
}

GstFlowReturn
decrypt_error_post (GstElement *element, const GError *error)
{
  GQuark domain;
  gint code;

  if (decrypt_error_is_flushing (error))
    return GST_FLOW_FLUSHING;

  get_code (error, &domain, &code);
  decrypt_error_tell (element, domain, code, error->message, NULL);
  return GST_FLOW_ERROR;
}
