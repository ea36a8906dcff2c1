/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gstsmilremixerror.h"

#include "remix-error.h"

void
gst_smil_remix_post_error (GstElement *element, const GError *error)
{
  static const struct
  {
    gint code;
    gboolean stream;
    gint gst_code;
    const gchar *text;
  } map[] = {
    { REMIX_ERROR_TYPE, TRUE, GST_STREAM_ERROR_WRONG_TYPE,
        "This is not a SMIL playlist." },
    { REMIX_ERROR_XML, TRUE, GST_STREAM_ERROR_FORMAT,
        "The playlist is not well-formed." },
    { REMIX_ERROR_PLAYLIST, TRUE, GST_STREAM_ERROR_DEMUX,
        "The playlist makes no sense." },
    { REMIX_ERROR_FORMAT, TRUE, GST_STREAM_ERROR_DEMUX,
        "A source cannot be remixed." },
    { REMIX_ERROR_MATCH, TRUE, GST_STREAM_ERROR_DEMUX,
        "The clips do not go together." },
    { REMIX_ERROR_GAP, TRUE, GST_STREAM_ERROR_DEMUX,
        "A segment of the archive is missing." },
    { REMIX_ERROR_LIMIT, TRUE, GST_STREAM_ERROR_DEMUX,
        "The title is beyond a limit." },
    { REMIX_ERROR_REFUSED, FALSE, GST_RESOURCE_ERROR_NOT_AUTHORIZED,
        "The playlist names an address that it may not." },
    { REMIX_ERROR_NOT_FOUND, FALSE, GST_RESOURCE_ERROR_NOT_FOUND,
        "A source was not found." },
    { REMIX_ERROR_READ, FALSE, GST_RESOURCE_ERROR_READ,
        "A source cannot be read." },
    { REMIX_ERROR_ANSWER, FALSE, GST_RESOURCE_ERROR_READ,
        "A source cannot be read." },
    { REMIX_ERROR_SEEK, FALSE, GST_RESOURCE_ERROR_SEEK,
        "A source does not give ranges." },
    { REMIX_ERROR_CHANGED, FALSE, GST_RESOURCE_ERROR_READ,
        "A source has changed." },
  };
  guint i;

  for (i = 0; error->domain == REMIX_ERROR && i < G_N_ELEMENTS (map); i++) {
    if (map[i].code != error->code)
      continue;
    gst_element_message_full (element, GST_MESSAGE_ERROR,
        map[i].stream ? GST_STREAM_ERROR : GST_RESOURCE_ERROR, map[i].gst_code,
        g_strdup (map[i].text), g_strdup (error->message), __FILE__,
        GST_FUNCTION, __LINE__);
    return;
  }
  /* What gst/isobmff says of a source names box and offset. */
  GST_ELEMENT_ERROR (element, STREAM, DEMUX, ("A source is damaged."),
      ("%s", error->message));
}
