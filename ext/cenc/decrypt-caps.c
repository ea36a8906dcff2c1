/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cenc/decrypt-caps.h"

#include "cenc/cenc-typefind.h"
#include "gst/isobmff/bmff-reader.h"

#define SAMPLES_TYPE "application/x-cenc"
#define WEBM_TYPE "application/x-webm-enc"
#define FILE_TYPES \
  "video/quicktime; audio/x-m4a; application/x-3gp; video/mj2; " CENC_TYPEFIND_MEDIA_TYPE

/* A demuxer picks a system of the file's for which an element has a template;
 * autopluggers then look for one whose caps hold it. With a content key any
 * system's file can be decrypted, so all that are in use stand here. */
static const gchar *const systems[] = {
  "1077efec-c0b2-4d02-ace3-3c1e52e2fb4b", /* W3C common */
  "e2719d58-a985-b3c9-781a-b030af78d30e", /* ClearKey, DASH-IF */
  "edef8ba9-79d6-4ace-a3c8-27dcd51d21ed", /* Widevine */
  "9a04f079-9840-4286-ab92-e65be0885f95", /* PlayReady */
  "5e629af5-38da-4063-8977-97ffbd9902d4", /* Marlin */
  "94ce86fb-07ff-4f43-adb8-93d2fa968ca2", /* FairPlay */
  "f239e769-efa3-4850-9c16-a903c6932efb", /* Adobe Primetime */
  "9a27dd82-fde2-4725-8cbc-4234aa06ec09", /* Verimatrix */
  "adb41c24-2dbf-4a6d-958b-4457c0d27b95", /* Nagra */
  "3d5e6d35-9b9a-41e8-b843-dd3c6e72c42c", /* ChinaDRM */
  "6770616a-6363-656e-632d-647274697631", /* GPAC */
  "279fe473-512c-48fe-ade8-d176fee6b40f", /* Arris Titanium */
  "644fe7b5-260f-4fad-949a-0762ffb054b4", /* CMLA */
  "80a6be7e-1448-4c37-9e70-d5aebe04c8d2", /* Irdeto */
  "45d481cb-8fe0-49c0-ada9-ab2d2455b2f2", /* CoreCrypt */
  "dcf4e3e3-62f1-5818-7ba6-0a6fe33ff3dd", /* DigiCAP */
  "35bf197b-530e-42d7-8b65-1b4bf415070f", /* DivX */
  "616c7469-6361-7374-2d50-726f74656374", /* Alticast */
  "992c46e6-c437-4899-b6a0-50fa91ad0e39", /* SteelKnot */
  "a68129d3-575b-4f1a-9cba-3223846cf7c3", /* Cisco */
  "b4413586-c58c-ffb0-94a5-d4896c1af6c3", /* ViaccessOrca */
};

#define PREFERRED_SYSTEM_TYPE "drm-preferred-decryption-system-id"

/* What only a protected stream's caps have. */
static const gchar *const protection_fields[] = { "protection-system",
  "original-media-type", "encryption-algorithm", "encoding-scope",
  "cipher-mode" };

GstCaps *
decrypt_caps_sink_template (void)
{
  GstCaps *caps = gst_caps_new_empty_simple (SAMPLES_TYPE);
  guint i;

  for (i = 0; i < G_N_ELEMENTS (systems); i++)
    gst_caps_append_structure (caps,
        gst_structure_new (SAMPLES_TYPE, "protection-system", G_TYPE_STRING,
            systems[i], NULL));
  gst_caps_append (caps, gst_caps_new_empty_simple (WEBM_TYPE));
  gst_caps_append (caps, gst_caps_from_string (FILE_TYPES));
  return caps;
}

GstCaps *
decrypt_caps_license_template (void)
{
  GstCaps *caps = gst_caps_new_empty_simple (DECRYPT_LICENSE_TYPE);

  gst_caps_append (caps, decrypt_caps_sink_template ());
  return caps;
}

static gboolean
structure_is_samples (const GstStructure *structure)
{
  return gst_structure_has_name (structure, SAMPLES_TYPE) ||
      gst_structure_has_name (structure, WEBM_TYPE);
}

gboolean
decrypt_caps_are_samples (const GstCaps *caps)
{
  return gst_caps_get_size (caps) > 0 &&
      structure_is_samples (gst_caps_get_structure (caps, 0));
}

gboolean
decrypt_caps_are_webm (const GstCaps *caps)
{
  return gst_caps_get_size (caps) > 0 &&
      gst_structure_has_name (gst_caps_get_structure (caps, 0), WEBM_TYPE);
}

/* (transfer full) (nullable) */
static GstStructure *
structure_to_clear (const GstStructure *structure)
{
  const gchar *type =
      gst_structure_get_string (structure, "original-media-type");
  GstStructure *clear;
  guint i;

  if (structure_is_samples (structure) && !type)
    return NULL;
  clear = gst_structure_copy (structure);
  if (!structure_is_samples (structure)) {
    if (gst_structure_has_name (structure, CENC_TYPEFIND_MEDIA_TYPE))
      gst_structure_set_name (clear, "video/quicktime");
    /* It holds the protected moov. */
    gst_structure_remove_field (clear, "streamheader");
    return clear;
  }
  gst_structure_set_name (clear, type);
  for (i = 0; i < G_N_ELEMENTS (protection_fields); i++)
    gst_structure_remove_field (clear, protection_fields[i]);
  return clear;
}

GstCaps *
decrypt_caps_to_clear (const GstCaps *caps)
{
  g_autoptr (GstCaps) clear = gst_caps_new_empty ();
  guint i;

  if (gst_caps_is_any (caps))
    return gst_caps_new_any ();
  for (i = 0; i < gst_caps_get_size (caps); i++) {
    GstStructure *structure =
        structure_to_clear (gst_caps_get_structure (caps, i));

    if (!structure)
      return NULL;
    gst_caps_append_structure (clear, structure);
  }
  return g_steal_pointer (&clear);
}

/* @type: a protected stream's; @clear: one that downstream takes */
static void
append_protected (GstCaps *caps, const gchar *type, const GstStructure *clear)
{
  GstStructure *structure = gst_structure_copy (clear);

  gst_structure_set (structure, "original-media-type", G_TYPE_STRING,
      gst_structure_get_name (clear), NULL);
  gst_structure_set_name (structure, type);
  gst_caps_append_structure (caps, structure);
}

/* Files whose clear ones downstream takes. */
static void
append_files (GstCaps *caps, const GstCaps *clear)
{
  g_autoptr (GstCaps) files = gst_caps_from_string (FILE_TYPES);
  guint i;

  for (i = 0; i < gst_caps_get_size (files); i++) {
    g_autoptr (GstCaps) file = gst_caps_copy_nth (files, i);
    g_autoptr (GstCaps) wanted = decrypt_caps_to_clear (file);

    if (gst_caps_can_intersect (wanted, clear))
      gst_caps_append (caps, g_steal_pointer (&file));
  }
}

GstCaps *
decrypt_caps_from_clear (const GstCaps *clear)
{
  GstCaps *caps;
  guint i;

  if (gst_caps_is_any (clear))
    return decrypt_caps_sink_template ();
  caps = gst_caps_new_empty ();
  for (i = 0; i < gst_caps_get_size (clear); i++) {
    const GstStructure *structure = gst_caps_get_structure (clear, i);

    append_protected (caps, SAMPLES_TYPE, structure);
    append_protected (caps, WEBM_TYPE, structure);
  }
  append_files (caps, clear);
  return caps;
}

static const struct
{
  const gchar *type, *format; /* media type, stream-format */
  guint32 codec;
} codecs[] = {
  { "video/x-h264", "avc3", BMFF_FOURCC ('a', 'v', 'c', '3') },
  { "video/x-h264", NULL, BMFF_FOURCC ('a', 'v', 'c', '1') },
  { "video/x-h265", "hev1", BMFF_FOURCC ('h', 'e', 'v', '1') },
  { "video/x-h265", NULL, BMFF_FOURCC ('h', 'v', 'c', '1') },
  { "video/x-h266", NULL, BMFF_FOURCC ('v', 'v', 'c', '1') },
  { "video/x-av1", NULL, BMFF_FOURCC ('a', 'v', '0', '1') },
  { "video/x-vp8", NULL, BMFF_FOURCC ('v', 'p', '0', '8') },
  { "video/x-vp9", NULL, BMFF_FOURCC ('v', 'p', '0', '9') },
  { "audio/x-ac3", NULL, BMFF_FOURCC ('a', 'c', '-', '3') },
  { "audio/x-eac3", NULL, BMFF_FOURCC ('e', 'c', '-', '3') },
  { "audio/x-flac", NULL, BMFF_FOURCC ('f', 'L', 'a', 'C') },
  { "audio/x-dts", NULL, BMFF_FOURCC ('d', 't', 's', 'c') },
  { "audio/x-opus", NULL, BMFF_FOURCC ('O', 'p', 'u', 's') },
};

/* MPEG-1's layers and MPEG-4's AAC share a media type. ALAC's codec_data is not
 * what the probe wants, and needs none. */
static guint32
get_codec (const GstStructure *s)
{
  const gchar *format = gst_structure_get_string (s, "stream-format");
  gint version = 0;
  guint i;

  for (i = 0; i < G_N_ELEMENTS (codecs); i++) {
    if (gst_structure_has_name (s, codecs[i].type) &&
        (!codecs[i].format || g_strcmp0 (format, codecs[i].format) == 0))
      return codecs[i].codec;
  }
  if (gst_structure_has_name (s, "audio/mpeg") &&
      gst_structure_get_int (s, "mpegversion", &version))
    return version == 1 ? BMFF_FOURCC ('.', 'm', 'p', '3')
                        : BMFF_FOURCC ('m', 'p', '4', 'a');
  return gst_structure_has_name (s, "audio/x-alac")
      ? BMFF_FOURCC ('a', 'l', 'a', 'c')
      : 0;
}

void
decrypt_caps_init_probe (const GstCaps *caps, SampleProbe *probe)
{
  const GstStructure *s = gst_caps_get_structure (caps, 0);
  const GValue *value = gst_structure_get_value (s, "codec_data");
  GstMapInfo map = GST_MAP_INFO_INIT;
  GstBuffer *config = NULL;

  if (value && G_VALUE_HOLDS (value, GST_TYPE_BUFFER))
    config = gst_value_get_buffer (value);
  if (config && !gst_buffer_map (config, &map, GST_MAP_READ))
    config = NULL;
  sample_probe_init (probe, get_codec (s), map.data, map.size);
  if (config)
    gst_buffer_unmap (config, &map);
}

void
decrypt_caps_answer (GstQuery *query, GstCaps *caps)
{
  GstCaps *filter;

  gst_query_parse_caps (query, &filter);
  if (filter) {
    g_autoptr (GstCaps) filtered =
        gst_caps_intersect_full (filter, caps, GST_CAPS_INTERSECT_FIRST);

    gst_query_set_caps_result (query, filtered);
  } else {
    gst_query_set_caps_result (query, caps);
  }
}

gboolean
decrypt_caps_answer_allocation (GstQuery *query, GstPad *srcpad)
{
  g_autoptr (GstCaps) clear = NULL;
  g_autoptr (GstQuery) asked = NULL;
  GstCaps *caps;
  gboolean need_pool;
  guint i;

  gst_query_parse_allocation (query, &caps, &need_pool);
  if (!caps || !(clear = decrypt_caps_to_clear (caps)))
    return FALSE;
  asked = gst_query_new_allocation (clear, need_pool);
  if (!gst_pad_peer_query (srcpad, asked))
    return FALSE;

  for (i = 0; i < gst_query_get_n_allocation_params (asked); i++) {
    GstAllocator *allocator;
    GstAllocationParams params;

    gst_query_parse_nth_allocation_param (asked, i, &allocator, &params);
    gst_query_add_allocation_param (query, allocator, &params);
    gst_clear_object (&allocator);
  }
  for (i = 0; i < gst_query_get_n_allocation_metas (asked); i++) {
    const GstStructure *params;
    GType api = gst_query_parse_nth_allocation_meta (asked, i, &params);

    gst_query_add_allocation_meta (query, api, params);
  }
  return TRUE;
}

static gboolean
is_available (const GstStructure *asked, const gchar *system)
{
  const GValue *value =
      gst_structure_get_value (asked, "available-stream-encryption-systems");

  return value && G_VALUE_HOLDS (value, G_TYPE_STRV) &&
      g_value_get_boxed (value) &&
      g_strv_contains (g_value_get_boxed (value), system);
}

gboolean
decrypt_caps_answer_preferred_system (GstQuery *query, GstPad *sinkpad)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (sinkpad);
  g_autoptr (GstContext) context = NULL;
  const gchar *type = NULL, *system = NULL;

  gst_query_parse_context_type (query, &type);
  if (g_strcmp0 (type, PREFERRED_SYSTEM_TYPE) != 0)
    return FALSE;
  if (caps && gst_caps_get_size (caps) > 0)
    system = gst_structure_get_string (gst_caps_get_structure (caps, 0),
        "protection-system");
  if (!system || !is_available (gst_query_get_structure (query), system))
    return FALSE;

  context = gst_context_new (PREFERRED_SYSTEM_TYPE, FALSE);
  gst_structure_set (gst_context_writable_structure (context),
      "decryption-system-id", G_TYPE_STRING, system, NULL);
  gst_query_set_context (query, context);
  return TRUE;
}
