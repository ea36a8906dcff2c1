/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cenc-aux-fixtures.h"

#include "cenc-reference.h"

#include <gst/cenc/gstcenckeysession.h>
#include <string.h>

const CencParams *
get_params (guint32 index, gpointer user_data)
{
  Samples *samples = user_data;

  if (index >= samples->n || !samples->params[index].is_protected)
    return NULL;
  return &samples->params[index];
}

Samples
make_samples (guint n, const guint *sizes)
{
  Samples samples = { n };
  guint i;

  for (i = 0; i < n; i++) {
    samples.params[i] = reference_params (CENC_SCHEME_CENC, 0, 0,
        sizes[i] == CLEAR ? 0 : sizes[i]);
    samples.params[i].is_protected = sizes[i] != CLEAR;
  }
  return samples;
}

GBytes *
unhex (const gchar *text)
{
  GByteArray *bytes = g_byte_array_new ();

  while (*text) {
    guint8 byte;

    if (*text == ' ') {
      text++;
      continue;
    }
    byte = (guint8) (g_ascii_xdigit_value (text[0]) << 4 |
        g_ascii_xdigit_value (text[1]));
    g_byte_array_append (bytes, &byte, 1);
    text += 2;
  }
  return g_byte_array_free_to_bytes (bytes);
}

BmffBox *
make_box (const gchar *type, const gchar *payload)
{
  return bmff_box_new (FCC (type), unhex (payload));
}

static void
append_hex (GString *text, const guint8 *data, gsize size)
{
  gsize i;

  for (i = 0; i < size; i++)
    g_string_append_printf (text, "%02x", data[i]);
}

/* "iv[subsamples]" by sample, blanks between them. */
static gchar *
print (const CencAuxTable *table)
{
  GString *text = g_string_new (NULL);
  CencSampleAux aux;
  guint i, s;

  for (i = 0; cenc_aux_table_get (table, i, &aux); i++) {
    g_string_append (text, i ? " " : "");
    if (aux.iv)
      append_hex (text, aux.iv, aux.iv_size);
    else
      g_string_append_c (text, '-');
    for (s = 0; s < aux.n_subsamples; s++) {
      const guint8 *e = aux.subsamples + s * CENC_SUBSAMPLE_SIZE;

      g_string_append_printf (text, ",%u/%u", bmff_get_u16 (e),
          bmff_get_u32 (e + 2));
    }
  }
  assert_equals_int (i, cenc_aux_table_get_count (table));
  return g_string_free (text, FALSE);
}

void
assert_table (CencAuxTable *table, GError *error, const gchar *expected)
{
  g_autofree gchar *text = NULL;

  fail_unless (table != NULL, "%s", error ? error->message : "no table");
  text = print (table);
  assert_equals_string (text, expected);
  cenc_aux_table_unref (table);
}

void
assert_format_error (CencAuxTable *table, GError **error, const gchar *text)
{
  fail_unless (table == NULL);
  fail_unless (*error && (*error)->domain == GST_CENC_ERROR, "%s",
      *error ? (*error)->message : "no error");
  fail_unless (strstr ((*error)->message, text) != NULL, "%s",
      (*error)->message);
  g_clear_error (error);
}
