/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "encrypt-describe.h"

static void
take_text (GValue *array, gchar *text)
{
  GValue value = G_VALUE_INIT;

  g_value_init (&value, G_TYPE_STRING);
  g_value_take_string (&value, text);
  gst_value_array_append_and_take_value (array, &value);
}

static gchar *
format_hex (const guint8 *kid)
{
  GString *text = g_string_new (NULL);
  guint i;

  for (i = 0; i < CENC_BLOCK_SIZE; i++)
    g_string_append_printf (text, "%02x", kid[i]);
  return g_string_free (text, FALSE);
}

static GstBuffer *
join_pssh (const GPtrArray *boxes)
{
  GstBuffer *all = gst_buffer_new ();
  guint i;

  for (i = 0; boxes && i < boxes->len; i++) {
    g_autoptr (GBytes) bytes = bmff_box_to_bytes (g_ptr_array_index (boxes, i));

    all = gst_buffer_append (all, gst_buffer_new_wrapped_bytes (bytes));
  }
  return all;
}

GstStructure *
encrypt_describe (const gchar *name, const EncryptSettings *settings,
    const GPtrArray *keys, const GPtrArray *boxes)
{
  g_autoptr (GstBuffer) pssh = join_pssh (boxes);
  gboolean fairplay = (settings->systems & PROTECTION_SYSTEM_FAIRPLAY) != 0;
  GstStructure *structure;
  GValue kids = G_VALUE_INIT, uris = G_VALUE_INIT;
  guint i;

  g_value_init (&kids, GST_TYPE_ARRAY);
  g_value_init (&uris, GST_TYPE_ARRAY);
  for (i = 0; i < keys->len; i++) {
    const guint8 *kid = gst_cenc_key_get_kid (keys->pdata[i]);

    take_text (&kids, format_hex (kid));
    take_text (&uris, protection_system_skd_uri (kid));
  }
  structure = gst_structure_new (name, "scheme", G_TYPE_STRING,
      cenc_scheme_get_name (settings->scheme), "pssh", GST_TYPE_BUFFER, pssh,
      NULL);
  gst_structure_take_value (structure, "key-ids", &kids);
  if (fairplay)
    gst_structure_take_value (structure, "skd-uris", &uris);
  else
    g_value_unset (&uris);
  return structure;
}
