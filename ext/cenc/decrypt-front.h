/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * DecryptFront: cencdecrypt in front of a demuxer, as its pads see it. Downstream
 * pulls; or upstream can be pulled and a task pushes large blocks; or upstream
 * pushes.
 */

#pragma once

#include "cenc/decrypt-movie.h"

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct
{
  /* The task on the sink pad, that calls decrypt_front_loop(); its data is @user_data. */
  GstTaskFunction loop;
  /* Wakes waits for keys, or lets them be again. */
  void (*set_flushing) (gboolean flushing, gpointer user_data);
  gpointer user_data;
} DecryptFrontFuncs;

typedef struct _DecryptFront DecryptFront;

/** The pads are borrowed. */
DecryptFront *decrypt_front_new (GstPad *sinkpad, GstPad *srcpad,
    const DecryptFrontFuncs *funcs, const DecryptWork *work, gboolean verify);
void decrypt_front_free (DecryptFront *self);

/* All of these: @error is set if they failed, and not if that only is a
 * neighbor's flow that goes on. */

/** Downstream pulls. */
GstFlowReturn decrypt_front_get_range (DecryptFront *self, guint64 offset,
    guint size, GstBuffer **buffer, GError **error);
/** One block of the task: GST_FLOW_EOS at the end; GST_FLOW_NOT_LINKED: the block was not taken, and is the next one again; GST_FLOW_FLUSHING also where downstream pulls by now. */
GstFlowReturn decrypt_front_loop (DecryptFront *self, GError **error);
/** Upstream pushes; (transfer full) @buffer. */
GstFlowReturn
decrypt_front_chain (DecryptFront *self, GstBuffer *buffer, GError **error);
/** Upstream begins a stream, of the same name as the last one's or not: what it has pushed before has to be whole, and a new file follows. */
gboolean decrypt_front_begin_stream (DecryptFront *self, gboolean is_same,
    GError **error);
/** Upstream is at its end. FALSE without an error: it has been told. */
gboolean decrypt_front_end (DecryptFront *self, GError **error);

/**
 * decrypt_front_take_sink_event:
 * @event: (transfer full): flush or segment
 *
 * Returns: (transfer full) (nullable): what is to go downstream; %NULL without an error: it came of a seek of ours
 */
GstEvent *decrypt_front_take_sink_event (DecryptFront *self, GstEvent *event,
    GError **error);

/** A seek while the task runs; @event is borrowed. */
gboolean decrypt_front_seek_task (DecryptFront *self, GstEvent *event);
/** A seek that upstream is to do: (transfer full) @event and result: from where decrypting can begin. */
GstEvent *decrypt_front_adjust_seek (DecryptFront *self, GstEvent *event);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DecryptFront, decrypt_front_free)

G_END_DECLS
