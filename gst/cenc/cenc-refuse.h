/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The errors of a box that breaks a rule, or asks for what is not there. */

#pragma once

#include <gst/cenc/gstcenckeysession.h>
#include <gst/isobmff/bmff-box.h>

G_BEGIN_DECLS

/**
 * cenc_refuse_box:
 * @format: which rule
 *
 * Sets @error, of #GST_CENC_ERROR, that names @box and, where it is known, its
 * offset.
 *
 * Returns: FALSE
 */
gboolean cenc_refuse_box (const BmffBox *box, GError **error, GstCencError code,
    const gchar *format, ...) G_GNUC_PRINTF (4, 5);

G_END_DECLS
