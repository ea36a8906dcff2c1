/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From the errors of the rooms below to an element error (design.md, "Errors").
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/** Whether @error only says that a wait was woken by a flush or a state change: G_IO_ERROR_CANCELLED. */
gboolean decrypt_error_is_flushing (const GError *error);

/**
 * decrypt_error_tell:
 * @text: for the user
 * @debug: (nullable): besides
 *
 * Posts an error on the bus; in an adaptive demuxer in its name too, since such
 * ones swallow what is posted inside them.
 */
void decrypt_error_tell (GstElement *element, GQuark domain, gint code,
    const gchar *text, const gchar *debug);

/**
 * decrypt_error_post:
 * @error: of GST_CENC_ERROR, BMFF_ERROR or G_IO_ERROR
 *
 * Posts it on the bus, as STREAM/DECRYPT_NOKEY, STREAM/DECRYPT, STREAM/DEMUX,
 * RESOURCE/NOT_AUTHORIZED, … with its message; a flush is not posted.
 *
 * Returns: what the streaming thread has to give back
 */
GstFlowReturn decrypt_error_post (GstElement *element, const GError *error);

G_END_DECLS
