/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GStreamer's codes for what goes wrong with a license. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/*
 * @error: GST_CENC_ERROR, LICENSE_CLIENT_ERROR, or any other
 * @domain, @code: (out): for an element message
 */
void license_error_to_gst (const GError *error, GQuark *domain, gint *code);

/* Whether it is about the network as it is now, and may go well another time. */
gboolean license_error_is_transient (const GError *error);

G_END_DECLS
