/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a clip may carry beside its media: EventStream (ISO/IEC 23009-1, 5.10.2)
 * and ESAM's ConditioningInfo (OC-SP-ESAM-API, 7).
 */

#include <string.h>

#include "remix-parse.h"

static void
event_free (RemixEvent *self)
{
  if (self->message)
    g_bytes_unref (self->message);
  g_free (self);
}

void
remix_event_stream_free (RemixEventStream *self)
{
  g_free (self->scheme_id_uri);
  g_free (self->value);
  g_ptr_array_unref (self->events);
  g_free (self);
}

/* An unsigned attribute; leaves @value alone if it is not there. */
static gboolean
get_number (RemixParser *self, xmlNode *node, const gchar *name, guint64 max,
    guint64 *value, gboolean *has, GError **error)
{
  g_autofree gchar *text = remix_xml_get (node, name);

  if (has)
    *has = text != NULL;
  if (!text)
    return TRUE;
  g_strstrip (text);
  if (g_ascii_string_to_unsigned (text, 10, 0, max, value, NULL))
    return TRUE;
  return remix_parser_fail (self, node, error, REMIX_ERROR_PLAYLIST,
      "%s is not a number up to %" G_GUINT64_FORMAT ": \"%.32s\"", name, max,
      text);
}

static GBytes *
decode_base64 (gchar *text)
{
  gsize size = 0;

  g_base64_decode_inplace (text, &size);
  return g_bytes_new (text, size);
}

/* The message: elements as XML, text as text, or as bytes if it is base64. */
static GBytes *
get_message (xmlNode *node)
{
  g_autofree gchar *encoding = remix_xml_get (node, "contentEncoding");
  g_autofree gchar *text = NULL;
  xmlNode *child = remix_xml_first (node);

  if (child)
    return remix_xml_serialize (child);
  text = remix_xml_get (node, "messageData");
  if (!text)
    text = remix_xml_get_text (node);
  g_strstrip (text);
  if (*text && encoding && strcmp (encoding, "base64") == 0)
    return decode_base64 (text);
  return g_bytes_new (text, strlen (text));
}

static gboolean
parse_event (RemixParser *self, xmlNode *node, RemixEventStream *stream,
    GError **error)
{
  RemixEvent *event = g_new0 (RemixEvent, 1);
  guint64 id = stream->events->len;

  g_ptr_array_add (stream->events, event);
  event->message = get_message (node);
  if (xmlChildElementCount (node) > 1)
    return remix_parser_fail (self, node, error, REMIX_ERROR_PLAYLIST,
        "an Event holds one message");
  if (!get_number (self, node, "presentationTime", G_MAXINT64,
          &event->presentation_time, NULL, error) ||
      !get_number (self, node, "duration", G_MAXUINT32 - 1, &event->duration,
          &event->has_duration, error) ||
      !get_number (self, node, "id", G_MAXUINT32, &id, NULL, error))
    return FALSE;
  event->id = (guint32) id;
  return TRUE;
}

static gboolean
parse_events (RemixParser *self, xmlNode *node, RemixEventStream *stream,
    GError **error)
{
  xmlNode *child;

  for (child = remix_xml_first (node); child; child = remix_xml_next (child)) {
    if (remix_xml_is (child, "Event")
            ? !parse_event (self, child, stream, error)
            : !remix_parser_warn (self, child, error,
                  "the element %s is ignored", (const gchar *) child->name))
      return FALSE;
  }
  return TRUE;
}

gboolean
remix_parse_event_stream (RemixParser *self, xmlNode *node, RemixClip *clip,
    GError **error)
{
  RemixEventStream *stream = g_new0 (RemixEventStream, 1);
  guint64 timescale = 1;

  stream->events = g_ptr_array_new_with_free_func ((GDestroyNotify) event_free);
  g_ptr_array_add (clip->event_streams, stream);
  stream->place = remix_xml_get_place (self->xml, node);
  stream->scheme_id_uri = remix_xml_get (node, "schemeIdUri");
  stream->value = remix_xml_get (node, "value");
  if (!stream->value)
    stream->value = g_strdup ("");
  if (!stream->scheme_id_uri)
    return remix_parser_fail (self, node, error, REMIX_ERROR_PLAYLIST,
        "EventStream has no schemeIdUri");
  if (!get_number (self, node, "timescale", G_MAXUINT32, &timescale, NULL,
          error))
    return FALSE;
  if (timescale == 0)
    return remix_parser_fail (self, node, error, REMIX_ERROR_PLAYLIST,
        "EventStream has timescale 0");
  stream->timescale = (guint32) timescale;
  return parse_events (self, node, stream, error);
}

static void
add_condition (RemixClip *clip, RemixPlace place, guint64 offset)
{
  RemixCondition condition = { offset, place };

  g_array_append_val (clip->conditions, condition);
}

static gboolean
get_duration (RemixParser *self, xmlNode *node, const gchar *name, guint64 *ns,
    gboolean *has, GError **error)
{
  g_autofree gchar *text = remix_xml_get (node, name);

  *has = text != NULL;
  if (!text || remix_duration_parse (ns, text, error))
    return TRUE;
  g_prefix_error (error, "%s: ", name);
  return remix_parser_prefix (self, node, error);
}

/* Both ends of what is signalled are points where a player comes or goes. */
gboolean
remix_parse_conditioning (RemixParser *self, xmlNode *node, RemixClip *clip,
    GError **error)
{
  RemixPlace place = remix_xml_get_place (self->xml, node);
  guint64 offset = 0, duration = 0;
  gboolean has_offset, has_duration;

  if (!get_duration (self, node, "startOffset", &offset, &has_offset, error) ||
      !get_duration (self, node, "duration", &duration, &has_duration, error))
    return FALSE;
  add_condition (clip, place, offset);
  if (has_duration)
    add_condition (clip, place, offset + duration);
  if (remix_xml_first (node))
    return remix_parser_warn (self, remix_xml_first (node), error,
        "the segments of ConditioningInfo are ignored");
  return TRUE;
}
