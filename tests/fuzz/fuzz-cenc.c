/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A protected file, box by box: tracks, groups, auxiliary information and the
 * index of its samples, each sample through the walk of its scheme, boxes turned
 * back to clear ones. Boxes that stand in a moov or a traf are tried at the file
 * level too, so that a few bytes reach their parsers.
 */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "gst/cenc/cenc-pssh.h"
#include "gst/cenc/cenc-unprotect.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* A few bytes claim 2^32 samples; many small fragments try nothing more. */
#define MAX_SAMPLES 500
#define MAX_BOXES 64
#define MAX_SAMPLE_SIZE 20000

typedef struct
{
  GBytes *bytes;
  BmffSource *source;
  BmffMovie *movie;
  GPtrArray *tracks;
} File;

/* --- a cipher that only looks at what it is asked for --- */

typedef struct
{
  CencMode mode;
  gboolean started;
} Cipher;

static gboolean
start (gpointer cipher, const guint8 *iv)
{
  Cipher *self = cipher;

  self->started = iv != NULL;
  return TRUE;
}

static gboolean
update (gpointer cipher, const guint8 *in, guint8 *out, gsize size)
{
  const Cipher *self = cipher;
  gsize i;

  g_assert (self->started && size > 0);
  g_assert (self->mode == CENC_MODE_CTR || size % CENC_BLOCK_SIZE == 0);
  for (i = 0; i < size; i++)
    out[i] = in[i] ^ 0x5a;
  return TRUE;
}

static const CencCipherFuncs cipher_funcs = { start, update };

/* In place and out of place give the same, and twice is nothing. */
static void
fuzz_sample (const CencParams *params, const CencSampleAux *aux, gsize size)
{
  Cipher cipher = { params->mode, FALSE };
  g_autoptr (CencCrypt) crypt = cenc_crypt_new (&cipher_funcs, &cipher, 0);
  g_autofree guint8 *in = g_malloc0 (size), *out = g_malloc (size);

  cenc_crypt_count_blocks (params, aux, size);
  if (!cenc_crypt_sample (crypt, params, aux, in, out, size, NULL))
    return;
  g_assert (cenc_crypt_sample (crypt, params, aux, in, in, size, NULL));
  g_assert (size == 0 || memcmp (in, out, size) == 0);
  g_assert (cenc_crypt_sample (crypt, params, aux, out, out, size, NULL));
  g_assert (size == 0 || out[0] == 0);
}

static void
fuzz_index (CencSampleIndex *index)
{
  CencSampleCursor cursor;
  CencIndexedSample sample;
  guint i;

  if (!index)
    return;
  cenc_sample_cursor_init (&cursor, index, 0);
  for (i = 0; i < MAX_SAMPLES &&
       cenc_sample_cursor_next (&cursor, G_MAXUINT64, &sample, NULL);
       i++) {
    if (sample.params && sample.sample.size <= MAX_SAMPLE_SIZE)
      fuzz_sample (sample.params, &sample.aux, sample.sample.size);
  }
  cenc_sample_index_free (index);
}

static void
fuzz_unprotect (const BmffBox *box, GBytes *file)
{
  const guint8 *data = g_bytes_get_data (file, NULL);
  g_autofree guint8 *copy = NULL;
  g_autoptr (GBytes) patched = NULL;
  g_autoptr (BmffBox) parsed = NULL;

  copy = g_memdup2 (data + box->offset, box->parsed_size);
  if (!cenc_unprotect_boxes (box, copy, box->parsed_size, NULL))
    return;
  patched = g_bytes_new (copy, box->parsed_size);
  parsed = bmff_box_parse (patched, box->offset, NULL);
  if (parsed)
    g_assert (parsed->parsed_size == box->parsed_size);
}

static void
fuzz_moov (File *file, BmffBox *moov)
{
  g_clear_pointer (&file->tracks, g_ptr_array_unref);
  g_clear_pointer (&file->movie, bmff_movie_free);
  file->movie = bmff_movie_new (moov, NULL);
  if (!file->movie)
    return;
  file->tracks = cenc_tracks_new (file->movie, NULL);
  if (file->tracks)
    fuzz_index (cenc_sample_index_new_for_movie (file->movie, file->tracks,
        file->source, NULL));
  fuzz_unprotect (file->movie->moov, file->bytes);
}

static void
fuzz_moof (File *file, BmffBox *moof)
{
  g_autoptr (BmffFragment) fragment = NULL;

  if (!file->tracks) {
    bmff_box_free (moof);
    return;
  }
  fragment = bmff_fragment_new (moof, file->movie, NULL);
  if (!fragment)
    return;
  fuzz_index (cenc_sample_index_new_for_fragment (fragment, file->movie,
      file->tracks, file->source, NULL));
  fuzz_unprotect (fragment->moof, file->bytes);
}

/* --- single boxes --- */

/* IVs of 8 and 16 bytes, a constant one, and clear samples, in turn. */
static const CencParams *
get_params (guint32 index, gpointer user_data)
{
  CencParams *params = user_data;

  return index % 5 == 4 ? NULL : &params[index % 4];
}

static void
init_params (CencParams *params)
{
  guint i;

  memset (params, 0, 4 * sizeof *params);
  for (i = 0; i < 4; i++) {
    params[i].scheme = i == 2 ? CENC_SCHEME_CBCS : CENC_SCHEME_CENC;
    params[i].mode = cenc_scheme_get_mode (params[i].scheme);
    params[i].is_protected = TRUE;
    params[i].per_sample_iv_size = i == 2 ? 0 : i % 2 == 1 ? 16 : 8;
    params[i].constant_iv_size = i == 2 ? 16 : 0;
  }
}

static void
fuzz_table (CencAuxTable *table, CencParams *params)
{
  CencSampleAux aux;
  guint i;

  if (!table)
    return;
  for (i = 0; i < MAX_SAMPLES && cenc_aux_table_get (table, i, &aux); i++) {
    guint64 size = 0;
    guint s;

    for (s = 0; s < aux.n_subsamples; s++)
      size += (guint64) bmff_get_u16 (aux.subsamples + s * 6) +
          bmff_get_u32 (aux.subsamples + s * 6 + 2);
    if (size <= MAX_SAMPLE_SIZE)
      fuzz_sample (&params[i % 4], &aux, (gsize) size);
  }
  cenc_aux_table_unref (table);
}

static void
fuzz_params (const BmffBox *box)
{
  CencParams params, again, track = { 0 };
  guint scheme;

  for (scheme = CENC_SCHEME_CENC; scheme <= CENC_SCHEME_PIFF; scheme++) {
    track.scheme = (CencScheme) scheme;
    track.mode = cenc_scheme_get_mode (track.scheme);
    cenc_params_parse_seig (&params, &track, box->payload, NULL);
    if (cenc_params_parse_tenc (&params, track.scheme, box, NULL) &&
        scheme != CENC_SCHEME_PIFF) {
      g_autoptr (BmffBox) written = cenc_params_to_tenc (&params);

      g_assert (cenc_params_parse_tenc (&again, track.scheme, written, NULL));
      g_assert (again.is_protected == params.is_protected);
      g_assert (memcmp (again.constant_iv, params.constant_iv, 16) == 0);
    }
  }
  cenc_params_parse_piff_tenc (&params, box, NULL);
}

static void
fuzz_pssh (const BmffBox *box)
{
  g_autoptr (CencPssh) pssh = cenc_pssh_parse (box, NULL);
  g_autoptr (BmffBox) written = NULL;
  g_autoptr (CencPssh) again = NULL;

  if (!pssh)
    return;
  written = cenc_pssh_to_box (pssh);
  again = cenc_pssh_parse (written, NULL);
  g_assert (again && again->kids->len == pssh->kids->len);
  g_assert (g_bytes_equal (again->data, pssh->data));
}

static void
fuzz_traf (const File *file, const BmffBox *traf, CencParams *params)
{
  g_autoptr (GArray) runs = g_array_new (FALSE, FALSE, sizeof (guint32));
  guint32 i;

  for (i = 1; i < 5; i++)
    g_array_append_val (runs, i);
  fuzz_table (cenc_aux_table_new_from_saiz_bounded (traf, 0, runs, file->source,
                  MAX_SAMPLES, get_params, params, NULL),
      params);
}

static void
fuzz_box (const File *file, const BmffBox *box)
{
  CencParams params[4];
  CencEntry entry;

  init_params (params);
  switch (box->type) {
    case BMFF_FOURCC ('s', 'e', 'n', 'c'):
      fuzz_table (cenc_aux_table_new_from_senc (box, get_params, params, NULL),
          params);
      break;
    case BMFF_FOURCC ('t', 'e', 'n', 'c'):
      fuzz_params (box);
      break;
    case BMFF_FOURCC ('p', 's', 's', 'h'):
      fuzz_pssh (box);
      break;
    case BMFF_FOURCC ('t', 'r', 'a', 'f'):
      fuzz_traf (file, box, params);
      break;
    default:
      cenc_entry_parse (box, &entry, NULL);
  }
  fuzz_unprotect (box, file->bytes);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  File file = { 0 };
  guint64 offset = 0;
  guint i;

  file.bytes = g_bytes_new (data, size);
  file.source = bmff_source_new_bytes (file.bytes, 0);
  for (i = 0; i < MAX_BOXES; i++) {
    BmffHeader header;
    BmffBox *box;

    if (!bmff_source_read_header (file.source, offset, &header, NULL))
      break;
    box = bmff_source_read_box (file.source, offset, NULL);
    offset += header.size;
    if (!box)
      continue;
    if (box->type == BMFF_FOURCC ('m', 'o', 'o', 'v')) {
      fuzz_moov (&file, box);
    } else if (box->type == BMFF_FOURCC ('m', 'o', 'o', 'f')) {
      fuzz_moof (&file, box);
    } else {
      fuzz_box (&file, box);
      bmff_box_free (box);
    }
  }
  g_clear_pointer (&file.tracks, g_ptr_array_unref);
  g_clear_pointer (&file.movie, bmff_movie_free);
  bmff_source_free (file.source);
  g_bytes_unref (file.bytes);
  return 0;
}
