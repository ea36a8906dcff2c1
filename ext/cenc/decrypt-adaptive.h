/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An adaptive demuxer with the decryptor inside: dashdemux2, hlsdemux2, mssdemux2
 * have a parsebin for each stream, and one thread that loads and parses all of them.
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/** (transfer full) (nullable): the adaptive demuxer that @element is in. */
GstElement *decrypt_adaptive_get_demuxer (GstElement *element);

/**
 * decrypt_adaptive_is_stopping:
 *
 * Whether @element is in an adaptive demuxer that goes to READY. Such a one (seen in
 * 1.22, not changed in 1.28) waits for its thread before it stops what is inside,
 * so an element that waits in that thread is not told.
 */
gboolean decrypt_adaptive_is_stopping (GstElement *element);

G_END_DECLS
