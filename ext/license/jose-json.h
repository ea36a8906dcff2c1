/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * JSON objects by json-glib, after jose-scan.h has had its look, and members
 * taken from them by type. For text that holds no secret.
 */

#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/*
 * @what: what the text is, for the error ("JWS header")
 * @error: GST_CENC_ERROR_FORMAT
 *
 * Returns: (transfer full): the object
 */
JsonObject *jose_json_parse (const gchar *text, gsize size, const gchar *what,
    GError **error);

/*
 * Members by type. An absent one leaves *@out as it was and returns TRUE; one
 * of another type (null too) is GST_CENC_ERROR_FORMAT. Strings belong to
 * @object. A number with a fraction or exponent is no integer.
 */
gboolean jose_json_get_string (JsonObject *object, const gchar *name,
    const gchar **out, GError **error);
gboolean jose_json_get_int (JsonObject *object, const gchar *name, gint64 *out,
    GError **error);
gboolean jose_json_get_boolean (JsonObject *object, const gchar *name,
    gboolean *out, GError **error);
gboolean jose_json_get_array (JsonObject *object, const gchar *name,
    JsonArray **out, GError **error);
gboolean jose_json_get_object (JsonObject *object, const gchar *name,
    JsonObject **out, GError **error);

/*
 * @names: (array zero-terminated=1): the members that are known
 * @error: GST_CENC_ERROR_UNSUPPORTED naming the first other one
 */
gboolean jose_json_only (JsonObject *object, const gchar *const *names,
    const gchar *what, GError **error);

/* Returns: (transfer full): compact text of @object */
gchar *jose_json_to_string (JsonObject *object);

G_END_DECLS
