/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "license-errors.h"
#include "license-client.h"

#include <gst/cenc/gstcenckeysession.h>

static void
code_of_session_error (gint code, GQuark *domain, gint *out)
{
  switch (code) {
    case GST_CENC_ERROR_NO_KEY:
      *domain = GST_STREAM_ERROR;
      *out = GST_STREAM_ERROR_DECRYPT_NOKEY;
      break;
    case GST_CENC_ERROR_STORE:
      *out = GST_RESOURCE_ERROR_WRITE;
      break;
    case GST_CENC_ERROR_FORMAT:
    case GST_CENC_ERROR_UNSUPPORTED:
      *out = GST_RESOURCE_ERROR_READ;
      break;
    case GST_CENC_ERROR_FAILED:
      *out = GST_RESOURCE_ERROR_SETTINGS;
      break;
    default:
      *out = GST_RESOURCE_ERROR_NOT_AUTHORIZED;
      break;
  }
}

static gint
code_of_client_error (gint code)
{
  switch (code) {
    case LICENSE_CLIENT_ERROR_SETTINGS:
      return GST_RESOURCE_ERROR_SETTINGS;
    case LICENSE_CLIENT_ERROR_REFUSED:
      return GST_RESOURCE_ERROR_NOT_AUTHORIZED;
    case LICENSE_CLIENT_ERROR_NOT_FOUND:
      return GST_RESOURCE_ERROR_NOT_FOUND;
    case LICENSE_CLIENT_ERROR_BUSY:
      return GST_RESOURCE_ERROR_BUSY;
    case LICENSE_CLIENT_ERROR_TIMEOUT:
    case LICENSE_CLIENT_ERROR_NETWORK:
    case LICENSE_CLIENT_ERROR_TLS:
      return GST_RESOURCE_ERROR_OPEN_READ;
    default:
      return GST_RESOURCE_ERROR_READ;
  }
}

void
license_error_to_gst (const GError *error, GQuark *domain, gint *code)
{
  *domain = GST_RESOURCE_ERROR;
  *code = GST_RESOURCE_ERROR_FAILED;
  if (error->domain == GST_CENC_ERROR)
    code_of_session_error (error->code, domain, code);
  else if (error->domain == LICENSE_CLIENT_ERROR)
    *code = code_of_client_error (error->code);
}

gboolean
license_error_is_transient (const GError *error)
{
  return error->domain == LICENSE_CLIENT_ERROR &&
      (error->code == LICENSE_CLIENT_ERROR_NETWORK ||
          error->code == LICENSE_CLIENT_ERROR_TIMEOUT ||
          error->code == LICENSE_CLIENT_ERROR_BUSY);
}
