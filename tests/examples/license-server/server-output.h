/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a license demands of outputs, in the words of other systems. The result is
 * the claim `output_protection` of a license. What cannot be demanded by it is
 * refused rather than left out.
 */

#pragma once

#include "server-grant.h"

G_BEGIN_DECLS

/* @text: the claim's own JSON object. SERVER_ERROR 400 */
gboolean
server_output_from_json (ServerGrant *grant, const gchar *text, GError **error);

/*
 * PlayReady's output protection levels. Uncompressed digital video: from 270 on
 * HDCP, 301 HDCP for type 1 content (2.2); analog video: above 100 no analog
 * output at all, since nobody here can assert CGMS-A.
 * @code: of the error, for a level that is not among these
 */
gboolean server_output_from_levels (ServerGrant *grant, gint64 digital,
    gint64 analog, gint code, GError **error);

/* @hdcp: (nullable): Widevine's HDCP_NONE, HDCP_V1, HDCP_V2, HDCP_V2_1 …,
 * HDCP_NO_DIGITAL_OUTPUT. SERVER_ERROR 400 */
gboolean server_output_from_widevine (ServerGrant *grant, const gchar *hdcp,
    gboolean disable_analog, GError **error);

/* By ExpressPlay's parameters, and our own `outputProtection`. Its numbers */
gboolean
server_output_from_form (ServerGrant *grant, GHashTable *form, GError **error);

G_END_DECLS
