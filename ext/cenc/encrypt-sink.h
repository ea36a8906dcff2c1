/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * EncryptSink: cencencrypt's output: bytes pushed to a pad, each where it
 * belongs. In the streaming thread.
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct
{
  GstPad *pad; /* borrowed */
  GstSegment segment; /* of the input */
  /* Where downstream expects the next byte; G_MAXUINT64: no SEGMENT yet. */
  guint64 position;
  guint64 end; /* of the output */
  GstBufferList *list; /* what waits; NULL: nothing does */
  GList *events; /* that came amid a fragment, the last one first */
} EncryptSink;

/** Nothing went out yet, and nothing waits; the segment stays. */
void encrypt_sink_restart (EncryptSink *self);
/** The next bytes; (transfer full). */
GstFlowReturn encrypt_sink_push (EncryptSink *self, GstBuffer *buffer);
/**
 * encrypt_sink_hold:
 *
 * What comes next waits, to go out in one list: as it came, from a muxer that
 * gives each fragment as one. A sink looks at the time of a list's first buffer
 * only; of buffers by themselves it drops those that are outside of the segment,
 * as the first sound of a stream with priming is.
 */
void encrypt_sink_hold (EncryptSink *self);
/** Pushes what waits, in front of what is not to go with it. */
GstFlowReturn encrypt_sink_flush (EncryptSink *self);
/** Likewise; buffers go out one by one again. */
GstFlowReturn encrypt_sink_release (EncryptSink *self);
/** @event (transfer full) goes out with the next encrypt_sink_push_events(). */
void encrypt_sink_delay (EncryptSink *self, GstEvent *event);
void encrypt_sink_push_events (EncryptSink *self);
/** Over those that went out for @offset; (transfer full). */
GstFlowReturn
encrypt_sink_overwrite (EncryptSink *self, guint64 offset, GstBuffer *buffer);
/** Whether that is possible. */
gboolean encrypt_sink_is_seekable (EncryptSink *self);
/** STREAM_START and CAPS, where @sinkpad, by which the input is pulled, brings none; the segment is in bytes then. */
void encrypt_sink_begin (EncryptSink *self, GstPad *sinkpad);

G_END_DECLS
