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
} EncryptSink;

/** Nothing went out yet; the segment stays. */
void encrypt_sink_restart (EncryptSink *self);
/** The next bytes; (transfer full). */
GstFlowReturn encrypt_sink_push (EncryptSink *self, GstBuffer *buffer);
/** Over those that went out for @offset; (transfer full). */
GstFlowReturn
encrypt_sink_overwrite (EncryptSink *self, guint64 offset, GstBuffer *buffer);
/** Whether that is possible. */
gboolean encrypt_sink_is_seekable (EncryptSink *self);
/** STREAM_START and CAPS, where @sinkpad, by which the input is pulled, brings none; the segment is in bytes then. */
void encrypt_sink_begin (EncryptSink *self, GstPad *sinkpad);

G_END_DECLS
