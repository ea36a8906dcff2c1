/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "encrypt-queries.h"

gboolean
encrypt_queries_sink (GstPad *pad, GstObject *parent, GstQuery *query)
{
  GstFormat format;

  switch (GST_QUERY_TYPE (query)) {
    case GST_QUERY_SEEKING:
      /* A muxer that may go back writes less into memory: what it writes there
       * is sorted out here. */
      gst_query_parse_seeking (query, &format, NULL, NULL, NULL);
      gst_query_set_seeking (query, format, format == GST_FORMAT_BYTES, 0, -1);
      return TRUE;
    case GST_QUERY_ALLOCATION:
      /* Buffers are kept until their fragment is whole: no pool could tell how many. */
      return FALSE;
    default:
      return gst_pad_query_default (pad, parent, query);
  }
}

gboolean
encrypt_queries_src (GstPad *pad, GstObject *parent, GstQuery *query)
{
  GstFormat format;

  switch (GST_QUERY_TYPE (query)) {
    case GST_QUERY_SEEKING:
      gst_query_parse_seeking (query, &format, NULL, NULL, NULL);
      gst_query_set_seeking (query, format, FALSE, 0, -1);
      return TRUE;
    case GST_QUERY_SCHEDULING:
      gst_query_set_scheduling (query, GST_SCHEDULING_FLAG_SEQUENTIAL, 1, -1,
          0);
      gst_query_add_scheduling_mode (query, GST_PAD_MODE_PUSH);
      return TRUE;
    case GST_QUERY_DURATION:
      /* The input's size is not the output's. */
      gst_query_parse_duration (query, &format, NULL);
      if (format == GST_FORMAT_BYTES)
        return FALSE;
      G_GNUC_FALLTHROUGH;
    default:
      return gst_pad_query_default (pad, parent, query);
  }
}

gboolean
encrypt_queries_latency (GstPad *sinkpad, GstQuery *query, GstClockTime own)
{
  gboolean live;
  GstClockTime min, max;

  if (!gst_pad_peer_query (sinkpad, query))
    return FALSE;
  gst_query_parse_latency (query, &live, &min, &max);
  if (GST_CLOCK_TIME_IS_VALID (max))
    max += own;
  gst_query_set_latency (query, live, min + own, max);
  return TRUE;
}

guint64
encrypt_queries_get_size (GstPad *sinkpad)
{
  gint64 size;

  return gst_pad_peer_query_duration (sinkpad, GST_FORMAT_BYTES, &size) &&
          size >= 0
      ? (guint64) size
      : G_MAXUINT64;
}

gboolean
encrypt_queries_can_pull (GstPad *sinkpad)
{
  GstQuery *query = gst_query_new_scheduling ();
  gboolean pull = gst_pad_peer_query (sinkpad, query) &&
      gst_query_has_scheduling_mode_with_flags (query, GST_PAD_MODE_PULL,
          GST_SCHEDULING_FLAG_SEEKABLE);

  gst_query_unref (query);
  return pull;
}
