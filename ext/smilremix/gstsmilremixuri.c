/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gstsmilremixuri.h"

#include <string.h>

/* smil+file:///a.smil is the playlist at file:///a.smil. */
#define URI_PREFIX "smil+"

static GstURIType
uri_get_type (GType type)
{
  return GST_URI_SRC;
}

static const gchar *const *
uri_get_protocols (GType type)
{
  static const gchar *protocols[] = { "smil+file", "smil+http", "smil+https",
    NULL };

  return protocols;
}

static gchar *
uri_get_uri (GstURIHandler *handler)
{
  gchar *location = NULL;
  gchar *uri;

  g_object_get (handler, "location", &location, NULL);
  if (location && !gst_uri_is_valid (location)) {
    uri = gst_filename_to_uri (location, NULL);
    g_free (location);
    location = uri;
  }
  uri = location ? g_strconcat (URI_PREFIX, location, NULL) : NULL;
  g_free (location);
  return uri;
}

static gboolean
uri_set_uri (GstURIHandler *handler, const gchar *uri, GError **error)
{
  if (g_ascii_strncasecmp (uri, URI_PREFIX, strlen (URI_PREFIX)) != 0) {
    g_set_error (error, GST_URI_ERROR, GST_URI_ERROR_BAD_URI,
        "not a URI of this element: %s", uri);
    return FALSE;
  }
  if (GST_STATE (handler) > GST_STATE_READY) {
    g_set_error (error, GST_URI_ERROR, GST_URI_ERROR_BAD_STATE,
        "the element is running");
    return FALSE;
  }
  g_object_set (handler, "location", uri + strlen (URI_PREFIX), NULL);
  return TRUE;
}

void
gst_smil_remix_uri_handler_init (gpointer iface, gpointer iface_data)
{
  GstURIHandlerInterface *handler = iface;

  handler->get_type = uri_get_type;
  handler->get_protocols = uri_get_protocols;
  handler->get_uri = uri_get_uri;
  handler->set_uri = uri_set_uri;
}
