/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "jose-json.h"
#include "jose-scan.h"

#include <gst/cenc/gstcenckeysession.h>

JsonObject *
jose_json_parse (const gchar *text, gsize size, const gchar *what,
    GError **error)
{
  g_autoptr (JsonParser) parser = NULL;
  JsonNode *root;

  if (!jose_scan_check (text, size, error)) {
    g_prefix_error (error, "%s: ", what);
    return NULL;
  }
  parser = json_parser_new ();
  if (!json_parser_load_from_data (parser, text, (gssize) size, NULL) ||
      !(root = json_parser_get_root (parser)) ||
      !JSON_NODE_HOLDS_OBJECT (root)) {
    g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT,
        "%s: not a JSON object", what);
    return NULL;
  }
  return json_object_ref (json_node_get_object (root));
}

static gboolean
wrong_type (const gchar *name, const gchar *type, GError **error)
{
  g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT,
      "member \"%s\" is not %s", name, type);
  return FALSE;
}

static gboolean
holds (JsonNode *node, GType type)
{
  return JSON_NODE_HOLDS_VALUE (node) &&
      json_node_get_value_type (node) == type;
}

gboolean
jose_json_get_string (JsonObject *object, const gchar *name, const gchar **out,
    GError **error)
{
  JsonNode *node = json_object_get_member (object, name);

  if (!node)
    return TRUE;
  if (!holds (node, G_TYPE_STRING))
    return wrong_type (name, "a string", error);
  *out = json_node_get_string (node);
  return TRUE;
}

gboolean
jose_json_get_int (JsonObject *object, const gchar *name, gint64 *out,
    GError **error)
{
  JsonNode *node = json_object_get_member (object, name);

  if (!node)
    return TRUE;
  if (!holds (node, G_TYPE_INT64))
    return wrong_type (name, "an integer", error);
  *out = json_node_get_int (node);
  return TRUE;
}

gboolean
jose_json_get_boolean (JsonObject *object, const gchar *name, gboolean *out,
    GError **error)
{
  JsonNode *node = json_object_get_member (object, name);

  if (!node)
    return TRUE;
  if (!holds (node, G_TYPE_BOOLEAN))
    return wrong_type (name, "true or false", error);
  *out = json_node_get_boolean (node);
  return TRUE;
}

gboolean
jose_json_get_array (JsonObject *object, const gchar *name, JsonArray **out,
    GError **error)
{
  JsonNode *node = json_object_get_member (object, name);

  if (!node)
    return TRUE;
  if (!JSON_NODE_HOLDS_ARRAY (node))
    return wrong_type (name, "an array", error);
  *out = json_node_get_array (node);
  return TRUE;
}

gboolean
jose_json_get_object (JsonObject *object, const gchar *name, JsonObject **out,
    GError **error)
{
  JsonNode *node = json_object_get_member (object, name);

  if (!node)
    return TRUE;
  if (!JSON_NODE_HOLDS_OBJECT (node))
    return wrong_type (name, "an object", error);
  *out = json_node_get_object (node);
  return TRUE;
}

gboolean
jose_json_only (JsonObject *object, const gchar *const *names,
    const gchar *what, GError **error)
{
  g_autoptr (GList) members = json_object_get_members (object);
  GList *l;

  for (l = members; l; l = l->next) {
    if (g_strv_contains (names, l->data))
      continue;
    g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_UNSUPPORTED,
        "%s: member \"%.40s\" is not understood", what,
        (const gchar *) l->data);
    return FALSE;
  }
  return TRUE;
}

gchar *
jose_json_to_string (JsonObject *object)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);

  json_node_set_object (node, object);
  return json_to_string (node, FALSE);
}
