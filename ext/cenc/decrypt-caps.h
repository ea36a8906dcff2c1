/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cencdecrypt's caps: the templates, and what a protected stream's caps are once
 * it is clear.
 */

#pragma once

#include <gst/gst.h>
#include "gst/subsample/sample-probe.h"

G_BEGIN_DECLS

/** (transfer full): of the sink: `application/x-cenc` without and with each known `protection-system`, `application/x-webm-enc`, and what qtdemux takes. */
GstCaps *decrypt_caps_sink_template (void);

#define DECRYPT_LICENSE_TYPE "application/x-cenc-license"

/** (transfer full): of the license pad: all of the sink's and a license. The pad itself takes a license only; but parsebin and decodebin (1.22 to 1.28) plug an element only if the stream's caps are a subset of each of its sink templates. */
GstCaps *decrypt_caps_license_template (void);

/** Whether @caps are those of samples from behind a demuxer (else: of a file). */
gboolean decrypt_caps_are_samples (const GstCaps *caps);
/** Whether @caps are matroskademux's. */
gboolean decrypt_caps_are_webm (const GstCaps *caps);

/** (transfer full) (nullable): each structure of samples' @caps with its original media type; %NULL if one has none. Those of files lose a `streamheader`, which is protected. */
GstCaps *decrypt_caps_to_clear (const GstCaps *caps);

/** Fills @probe from a stream's clear @caps; its codec is 0 if it is none that can be judged. */
void decrypt_caps_init_probe (const GstCaps *caps, SampleProbe *probe);

/** What can come in where downstream takes @clear, which may be ANY. (transfer full) */
GstCaps *decrypt_caps_from_clear (const GstCaps *clear);

/** Answers a CAPS query with @caps, filtered. */
void decrypt_caps_answer (GstQuery *query, GstCaps *caps);
/** Answers an ALLOCATION query with what is behind @srcpad, which is asked with the clear caps: it does not know others. */
gboolean decrypt_caps_answer_allocation (GstQuery *query, GstPad *srcpad);
/**
 * decrypt_caps_answer_preferred_system:
 * @query: of type CONTEXT
 * @sinkpad: where it came
 *
 * Answers qtdemux's question which protection system is preferred with the one
 * that it has chosen for our stream already: we take any. That changes nothing
 * of the stream; unanswered, it asks again, application and registry too, with
 * each fragment of each track.
 *
 * Returns: FALSE if it is another question, or there is no such choice
 */
gboolean
decrypt_caps_answer_preferred_system (GstQuery *query, GstPad *sinkpad);

G_END_DECLS
