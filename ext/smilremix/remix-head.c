/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an answer's head means to who reads. */

#include "remix-error.h"
#include "remix-fetch.h"
#include "remix-soup.h"

static RemixError
get_code (guint status)
{
  if (status == SOUP_STATUS_NOT_FOUND || status == SOUP_STATUS_GONE)
    return REMIX_ERROR_NOT_FOUND;
  return status == SOUP_STATUS_REQUEST_TIMEOUT || status == 429 || status >= 500
      ? REMIX_ERROR_READ
      : REMIX_ERROR_ANSWER;
}

gboolean
remix_head_fail (const RemixHead *self, const gchar *uri, GError **error)
{
  g_set_error (error, REMIX_ERROR, (gint) get_code (self->status),
      "%s: the server answers %u %s", uri, self->status, self->reason);
  return FALSE;
}

gboolean
remix_head_check_encoding (const RemixHead *self, const gchar *uri,
    GError **error)
{
  if (!self->encoding || !*self->encoding ||
      g_ascii_strcasecmp (self->encoding, "identity") == 0)
    return TRUE;
  g_set_error (error, REMIX_ERROR, REMIX_ERROR_SEEK,
      "%s: the server sends it encoded (%.32s), which was not asked for", uri,
      self->encoding);
  return FALSE;
}
