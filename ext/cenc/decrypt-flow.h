/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * DecryptFlow: what goes through cencdecrypt from its sink to its source pad:
 * bytes in front of a demuxer or samples behind one, whichever the caps say,
 * with their events, and the threads that move them.
 */

#pragma once

#include "cenc/decrypt-ask.h"
#include "cenc/decrypt-settings.h"

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct _DecryptFlow DecryptFlow;

/** All are borrowed, and outlive it. */
DecryptFlow *decrypt_flow_new (GstElement *element, GstPad *sinkpad,
    GstPad *srcpad, DecryptAsk *ask);
void decrypt_flow_free (DecryptFlow *self);

/**
 * decrypt_flow_start:
 * @settings: the element's; its object lock is taken to read them
 *
 * By the state change, or before by a downstream element that is in PAUSED
 * already and activates our pads to pull; the second time it does nothing.
 *
 * Returns: FALSE if an error was posted
 */
gboolean
decrypt_flow_start (DecryptFlow *self, const DecryptSettings *settings);
/** Once pads are inactive. */
void decrypt_flow_stop (DecryptFlow *self);
/**
 * decrypt_flow_play:
 *
 * Samples are decrypted to be played from here on (decrypt-preroll.h), and so are
 * those that were prerolled: their first play is recorded.
 *
 * Returns: FALSE if a session forbids it; an error was posted, and the state must
 *   not change
 */
gboolean decrypt_flow_play (DecryptFlow *self);
void decrypt_flow_pause (DecryptFlow *self);
/** `output-protection` is another: call with the object lock held. */
void decrypt_flow_output_changed_locked (DecryptFlow *self);
/** TRUE wakes every wait and lets none begin. */
void decrypt_flow_set_flushing (DecryptFlow *self, gboolean flushing);

/* The pads' functions. */
gboolean decrypt_flow_activate_sink (DecryptFlow *self);
gboolean decrypt_flow_activate_sink_mode (DecryptFlow *self, GstPadMode mode,
    gboolean active, const DecryptSettings *settings);
gboolean decrypt_flow_activate_src_mode (DecryptFlow *self, GstPadMode mode,
    gboolean active);
GstFlowReturn decrypt_flow_get_range (DecryptFlow *self, guint64 offset,
    guint size, GstBuffer **buffer);
GstFlowReturn decrypt_flow_chain (DecryptFlow *self, GstBuffer *buffer);
gboolean decrypt_flow_take_sink_event (DecryptFlow *self, GstEvent *event);
gboolean decrypt_flow_take_src_event (DecryptFlow *self, GstEvent *event);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DecryptFlow, decrypt_flow_free)

G_END_DECLS
