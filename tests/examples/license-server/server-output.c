/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "server-output.h"

#include <string.h>

#include <gst/cenc/gstcenckeyring.h>

#include "license/jose-json.h"
#include "license/license-claims.h"

#define MAX_LEVEL 999

static gboolean
refuse (gint code, const gchar *name, const gchar *what, GError **error)
{
  g_set_error (error, SERVER_ERROR, code, "%s %s", name, what);
  return FALSE;
}

static JsonObject *
demands (ServerGrant *grant)
{
  if (!grant->output)
    grant->output = json_object_new ();
  return grant->output;
}

gboolean
server_output_from_json (ServerGrant *grant, const gchar *text, GError **error)
{
  g_autoptr (JsonObject) object =
      jose_json_parse (text, strlen (text), "outputProtection", NULL);
  g_autoptr (JsonObject) claims = json_object_new ();
  g_autoptr (LicenseDocument) license = license_document_new ();
  g_autoptr (GError) why = NULL;

  if (!object)
    return refuse (400, "outputProtection", "is no JSON object", error);
  json_object_set_object_member (claims, "output_protection",
      json_object_ref (object));
  if (!license_claims_read_output (claims, license, &why))
    return refuse (400, "outputProtection:", why->message, error);
  g_clear_pointer (&grant->output, json_object_unref);
  grant->output = g_steal_pointer (&object);
  return TRUE;
}

gboolean
server_output_from_levels (ServerGrant *grant, gint64 digital, gint64 analog,
    gint code, GError **error)
{
  if (digital < 0 || digital > 301)
    return refuse (code, "uncompressed digital video's level",
        "cannot be demanded here", error);
  if (analog < 0 || analog > MAX_LEVEL)
    return refuse (code, "analog video's level", "is out of range", error);
  if (digital >= 270)
    json_object_set_string_member (demands (grant), "hdcp",
        digital == 301 ? "2.2" : "1.0");
  if (analog > 100)
    json_object_set_boolean_member (demands (grant), "analog", FALSE);
  return TRUE;
}

gboolean
server_output_from_widevine (ServerGrant *grant, const gchar *hdcp,
    gboolean disable_analog, GError **error)
{
  static const gchar *const levels[][2] = { { "HDCP_NONE", "none" },
    { "HDCP_V1", "1.0" }, { "HDCP_V2", "2.0" }, { "HDCP_V2_1", "2.1" },
    { "HDCP_V2_2", "2.2" }, { "HDCP_V2_3", "2.3" },
    { "HDCP_NO_DIGITAL_OUTPUT", "unavailable" } };
  guint i;

  for (i = 0; hdcp && i < G_N_ELEMENTS (levels); i++) {
    if (g_str_equal (hdcp, levels[i][0]))
      break;
  }
  if (i == G_N_ELEMENTS (levels))
    return refuse (400, "template: hdcp", "is no level", error);
  if (hdcp)
    json_object_set_string_member (demands (grant), "hdcp", levels[i][1]);
  if (disable_analog)
    json_object_set_boolean_member (demands (grant), "analog", FALSE);
  return TRUE;
}

/* --- the token endpoint ---------------------------------------------------- */

static gboolean
take_level (GHashTable *form, const gchar *name, gint64 max, gint64 *level,
    GError **error)
{
  const gchar *text = g_hash_table_lookup (form, name);
  guint64 value = 0;

  *level = 0;
  if (!text)
    return TRUE;
  if (!g_ascii_string_to_unsigned (text, 10, 0, (guint64) max, &value, NULL))
    return refuse (-2034, name,
        max == MAX_LEVEL ? "is out of range" : "cannot be demanded here",
        error);
  *level = (gint64) value;
  return TRUE;
}

/* What they mean is not public: only that nothing is demanded can be honored. */
static gboolean
take_flags (GHashTable *form, GError **error)
{
  const gchar *text = g_hash_table_lookup (form, "outputControlFlags");
  guint8 flags[4];

  if (!text)
    return TRUE;
  if (!gst_cenc_parse_hex (text, flags, sizeof flags))
    return refuse (-2040, "outputControlFlags", "is not 4 bytes in hex", error);
  return flags[0] + flags[1] + flags[2] + flags[3] == 0 ||
      refuse (-2008, "outputControlFlags", "cannot be demanded here", error);
}

gboolean
server_output_from_form (ServerGrant *grant, GHashTable *form, GError **error)
{
  const gchar *own = g_hash_table_lookup (form, "outputProtection");
  gint64 digital, analog, ignored;

  return take_flags (form, error) &&
      take_level (form, "compressedDigitalVideoOPL", 400, &ignored, error) &&
      take_level (form, "compressedDigitalAudioOPL", 100, &ignored, error) &&
      take_level (form, "uncompressedDigitalAudioOPL", 100, &ignored, error) &&
      take_level (form, "uncompressedDigitalVideoOPL", MAX_LEVEL, &digital,
          error) &&
      take_level (form, "analogVideoOPL", MAX_LEVEL, &analog, error) &&
      server_output_from_levels (grant, digital, analog, -2034, error) &&
      (!own || server_output_from_json (grant, own, error));
}
