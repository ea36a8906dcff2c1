/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cenc-crypt-case.h"

#include <gst/check/gstcheck.h>
#include <string.h>

#define GUARD 0xa5 /* behind what is written */

CencSampleAux
case_aux (const Case *c)
{
  CencSampleAux aux = { c->iv_size ? c->iv : NULL, (guint8) c->iv_size, NULL,
    0 };

  if (c->entries && c->entries->len > 0) {
    aux.subsamples = c->entries->data;
    aux.n_subsamples = c->entries->len / CENC_SUBSAMPLE_SIZE;
  }
  return aux;
}

static gchar *
case_name (const Case *c)
{
  return g_strdup_printf ("%s %u:%u, %" G_GSIZE_FORMAT
                          " bytes, %u entries, IV of %u, flags %u",
      cenc_scheme_get_name (c->params.scheme), c->params.crypt_byte_block,
      c->params.skip_byte_block, c->size,
      c->entries ? c->entries->len / CENC_SUBSAMPLE_SIZE : 0, c->iv_size,
      c->flags);
}

void
case_fill (guint8 *data, gsize size)
{
  gsize i;

  for (i = 0; i < size; i++)
    data[i] = (guint8) (i * 7 + (i >> 8));
}

guint8 *
case_run (const Case *c, gboolean encrypts, gboolean in_place, const guint8 *in,
    ToyCipher *toy)
{
  g_autoptr (CencCrypt) crypt = NULL;
  g_autoptr (GError) error = NULL;
  CencSampleAux aux = case_aux (c);
  guint8 *out = g_malloc (c->size + 1);

  memset (toy, 0, sizeof *toy);
  toy->mode = c->params.mode;
  toy->encrypts = encrypts;
  crypt = cenc_crypt_new (&toy_funcs, toy, c->flags);
  memset (out, 0xee, c->size);
  out[c->size] = GUARD;
  if (in_place)
    memcpy (out, in, c->size);
  fail_unless (cenc_crypt_sample (crypt, &c->params, &aux, in_place ? out : in,
                   out, c->size, &error),
      "%s", error ? error->message : "");
  assert_equals_int (out[c->size], GUARD);
  return out;
}

ToyCipher
check_case (const Case *c)
{
  g_autofree gchar *name = case_name (c);
  g_autofree guint8 *clear = g_malloc (c->size + 1);
  g_autofree guint8 *wanted = NULL;
  CencSampleAux aux = case_aux (c);
  ToyCipher toy = { 0 };
  guint in_place;

  case_fill (clear, c->size);
  wanted = g_memdup2 (clear, c->size + 1);
  reference_crypt_cut_runs (&toy_reference, TRUE, &c->params, &aux,
      c->flags & CENC_CRYPT_CENS_PARTIAL,
      !(c->flags & CENC_CRYPT_CLEAR_CUT_RUNS), wanted, c->size);
  for (in_place = 0; in_place < 2; in_place++) {
    g_autofree guint8 *back = case_run (c, FALSE, in_place, wanted, &toy);
    g_autofree guint8 *cipher = case_run (c, TRUE, in_place, clear, &toy);

    fail_unless (memcmp (cipher, wanted, c->size) == 0, "%s: encrypted, %s",
        name, in_place ? "in place" : "into other memory");
    fail_unless (memcmp (back, clear, c->size) == 0, "%s: decrypted, %s", name,
        in_place ? "in place" : "into other memory");
  }
  return toy;
}

Case
make_case (CencScheme scheme, guint crypt, guint skip, guint iv_size,
    const guint *entries, gsize size)
{
  Case c = { 0 };
  guint i;

  c.params = reference_params (scheme, crypt, skip, iv_size);
  c.iv_size = iv_size;
  for (i = 0; i < iv_size; i++)
    c.iv[i] = (guint8) (0x30 + i);
  c.size = size;
  if (!entries)
    return c;
  c.entries = g_byte_array_new ();
  c.size = 0;
  for (; entries[0] || entries[1]; entries += 2) {
    reference_subsample (c.entries, entries[0], entries[1]);
    c.size += entries[0] + entries[1];
  }
  return c;
}

void
case_clear (Case *c)
{
  g_clear_pointer (&c->entries, g_byte_array_unref);
}

Case
cbcs_case (guint crypt, guint skip, guint constant_size, const guint *entries,
    gsize size)
{
  Case c = make_case (CENC_SCHEME_CBCS, crypt, skip, 16, entries, size);

  c.iv_size = 0;
  c.params.per_sample_iv_size = 0;
  c.params.constant_iv_size = (guint8) constant_size;
  memcpy (c.params.constant_iv, c.iv, constant_size);
  return c;
}

guint8 *
case_encrypt (const Case *c)
{
  g_autofree guint8 *clear = g_malloc (c->size + 1);
  ToyCipher toy;

  case_fill (clear, c->size);
  return case_run (c, TRUE, FALSE, clear, &toy);
}

void
assert_changed (const Case *c, gsize from, gsize to, gboolean changed)
{
  g_autofree guint8 *clear = g_malloc (c->size + 1);
  g_autofree guint8 *cipher = case_encrypt (c);
  g_autofree gchar *name = case_name (c);
  gsize i;

  case_fill (clear, c->size);
  for (i = from; i < to; i += 16) {
    gsize n = MIN (16, to - i);

    fail_unless ((memcmp (clear + i, cipher + i, n) != 0) == changed,
        "%s: bytes from %" G_GSIZE_FORMAT " are %s", name, i,
        changed ? "clear" : "encrypted");
  }
}
