/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * Posts @error, of the room or of gst/isobmff, on the bus. A failed read is an
 * error of the stream's if its content is to blame, else of the resource's. The
 * three kinds of error in a playlist are three codes.
 */
void gst_smil_remix_post_error (GstElement *element, const GError *error);

G_END_DECLS
