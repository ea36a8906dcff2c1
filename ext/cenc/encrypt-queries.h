/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What cencencrypt answers to queries without looking at what it does. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/** A GstPadQueryFunction of the sink pad. */
gboolean encrypt_queries_sink (GstPad *pad, GstObject *parent, GstQuery *query);
/** Likewise of the source pad, but for LATENCY. */
gboolean encrypt_queries_src (GstPad *pad, GstObject *parent, GstQuery *query);
/** LATENCY: what is in front of @sinkpad has, and @own. */
gboolean
encrypt_queries_latency (GstPad *sinkpad, GstQuery *query, GstClockTime own);
/** Of the whole input, in bytes; G_MAXUINT64: upstream does not know. */
guint64 encrypt_queries_get_size (GstPad *sinkpad);
/** Whether upstream gives any range when asked. */
gboolean encrypt_queries_can_pull (GstPad *sinkpad);

G_END_DECLS
