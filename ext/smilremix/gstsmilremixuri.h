/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/** GInterfaceInitFunc of GstURIHandler for an element whose property location is the playlist's. */
void gst_smil_remix_uri_handler_init (gpointer iface, gpointer iface_data);

G_END_DECLS
