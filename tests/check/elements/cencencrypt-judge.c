/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cencencrypt-judge.h"

#include <gst/cenc/gstcenckey.h>
#include <gst/check/gstcheck.h>
#include <string.h>
#include "cenc/cenc-cipher.h"
#include "cenc/encrypt-hex.h"
#include "gst/cenc/cenc-aux.h"
#include "gst/cenc/cenc-track.h"
#include "gst/isobmff/bmff-index.h"

#define FOURCC(s) BMFF_FOURCC ((s)[0], (s)[1], (s)[2], (s)[3])

static GPtrArray *more_keys; /* (element-type GstCencKey) */

static GstCencKey *
make_key (const gchar *kid_text, const gchar *key_text)
{
  guint8 kid[16], key[16];

  g_assert (encrypt_hex_parse (kid_text, kid, 16) == 16);
  g_assert (encrypt_hex_parse (key_text, key, 16) == 16);
  return gst_cenc_key_new (kid, key);
}

void
judge_add_key (const gchar *kid, const gchar *key)
{
  if (!more_keys)
    more_keys =
        g_ptr_array_new_with_free_func ((GDestroyNotify) gst_cenc_key_unref);
  g_ptr_array_add (more_keys, make_key (kid, key));
}

/* The key for a KID; NULL: it is not one that the tests encrypt with. */
static GstCencKey *
judge_key (const guint8 *wanted)
{
  static const gchar *keys[][2] = { { JUDGE_KID, JUDGE_KEY },
    { JUDGE_KID_2, JUDGE_KEY_2 } };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (keys); i++) {
    g_autoptr (GstCencKey) key = make_key (keys[i][0], keys[i][1]);

    if (memcmp (gst_cenc_key_get_kid (key), wanted, 16) == 0)
      return g_steal_pointer (&key);
  }
  for (i = 0; more_keys && i < more_keys->len; i++) {
    if (memcmp (gst_cenc_key_get_kid (more_keys->pdata[i]), wanted, 16) == 0)
      return gst_cenc_key_ref (more_keys->pdata[i]);
  }
  return NULL;
}

static void
track_free (gpointer data)
{
  JudgeTrack *track = data;

  g_ptr_array_unref (track->samples);
  g_ptr_array_unref (track->raw);
  g_ptr_array_unref (track->kids);
  g_free (track);
}

static JudgeTrack *
track_new (const BmffTrack *from)
{
  JudgeTrack *track = g_new0 (JudgeTrack, 1);
  const BmffBox *entry = bmff_track_get_entry (from, 1);
  const BmffBox *schm = entry ? bmff_box_find (entry, "sinf/schm") : NULL;

  track->id = from->id;
  track->format = entry ? entry->type : 0;
  if (schm && g_bytes_get_size (schm->payload) >= 8)
    track->scheme = bmff_get_u32 (
        (const guint8 *) g_bytes_get_data (schm->payload, NULL) + 4);
  track->samples =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  track->raw = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  track->kids = g_ptr_array_new_with_free_func (g_free);
  return track;
}

typedef struct
{
  CencTrackRun *run;
  const BmffSampleTable *samples;
} ParamsData;

static const CencParams *
get_params (guint32 index, gpointer user_data)
{
  ParamsData *data = user_data;
  BmffSample sample;

  if (!bmff_sample_table_get (data->samples, index, &sample))
    return NULL;
  return cenc_track_run_get_params (data->run, index, sample.description_index);
}

static CencAuxTable *
read_aux (const BmffBox *parent, const BmffBox *trak, guint64 base,
    BmffSource *source, ParamsData *params, JudgeAux aux, JudgeTrack *track,
    GError **error)
{
  const BmffBox *senc = bmff_box_child (trak ? trak : parent, FOURCC ("senc"));
  CencAuxTable *table = NULL;

  if (aux == JUDGE_SAIZ)
    table = cenc_aux_table_new_from_saiz (parent, base, NULL, source,
        get_params, params, error);
  if (!table && senc && (!error || !*error))
    table = cenc_aux_table_new_from_senc (senc, get_params, params, error);
  if (table && senc)
    track->n_senc += cenc_aux_table_get_count (table);
  return table;
}

static gchar *
format_kid (const guint8 *kid)
{
  GString *text = g_string_new (NULL);
  guint i;

  for (i = 0; i < 16; i++)
    g_string_append_printf (text, "%02x", kid[i]);
  return g_string_free (text, FALSE);
}

static GstCencKey *
judge_key_or_fail (const guint8 *kid)
{
  GstCencKey *key = judge_key (kid);
  g_autofree gchar *name = format_kid (kid);

  fail_unless (key, "a KID that nobody knows: %s", name);
  return key;
}

/* Adds all samples of a stbl or traf to @track. */
static gboolean
read_samples (GBytes *file, CencTrack *protection, const BmffTraf *traf,
    const BmffSampleTable *samples, const BmffBox *parent, const BmffBox *trak,
    guint64 base, JudgeAux aux_kind, JudgeTrack *track, GError **error)
{
  g_autoptr (CencTrackRun) run = cenc_track_run_new (protection, traf, error);
  g_autoptr (BmffSource) source = bmff_source_new_bytes (file, 0);
  ParamsData params = { run, samples };
  g_autoptr (CencAuxTable) table = NULL;
  guint32 i, n = bmff_sample_table_get_count (samples);

  if (!run)
    return FALSE;
  table =
      read_aux (parent, trak, base, source, &params, aux_kind, track, error);
  if (error && *error)
    return FALSE;
  for (i = 0; i < n; i++) {
    BmffSample sample;
    const CencParams *p = get_params (i, &params);
    CencSampleAux aux = { NULL };
    const guint8 *data;
    guint8 *out;

    fail_unless (bmff_sample_table_get (samples, i, &sample));
    if (sample.offset + sample.size > g_bytes_get_size (file)) {
      g_set_error (error, BMFF_ERROR, BMFF_ERROR_TRUNCATED, "sample %u", i);
      return FALSE;
    }
    data = (const guint8 *) g_bytes_get_data (file, NULL) + sample.offset;
    out = g_memdup2 (data, sample.size);
    g_ptr_array_add (track->raw, g_bytes_new (data, sample.size));
    g_ptr_array_add (track->kids,
        p && p->is_protected ? format_kid (p->kid) : NULL);
    if (p && p->is_protected) {
      g_autoptr (GstCencKey) key = judge_key_or_fail (p->kid);
      g_autoptr (CencCipher) cipher =
          cenc_cipher_new (key, p->mode, CENC_CIPHER_DECRYPT, NULL);
      g_autoptr (CencCrypt) crypt =
          cenc_crypt_new (&cenc_cipher_funcs, cipher, CENC_CRYPT_FLAGS_NONE);

      if (table)
        cenc_aux_table_get (table, i, &aux);
      if (!cenc_crypt_sample (crypt, p, &aux, data, out, sample.size, error)) {
        g_free (out);
        return FALSE;
      }
    }
    g_ptr_array_add (track->samples, g_bytes_new_take (out, sample.size));
  }
  return TRUE;
}

typedef struct
{
  GBytes *file;
  JudgeAux aux;
  BmffMovie *movie;
  GPtrArray *protection; /* CencTrack */
  GPtrArray *tracks; /* JudgeTrack */
} Reading;

static gboolean
read_moov (Reading *self, BmffBox *moov, GError **error)
{
  guint i;

  self->movie = bmff_movie_new (moov, error);
  for (i = 0; self->movie && i < self->movie->tracks->len; i++) {
    const BmffTrack *track = g_ptr_array_index (self->movie->tracks, i);
    CencTrack *protection = cenc_track_new (track, error);
    JudgeTrack *mine = track_new (track);
    g_autoptr (BmffSampleTable) table = NULL;

    g_ptr_array_add (self->tracks, mine);
    if (!protection)
      return FALSE;
    g_ptr_array_add (self->protection, protection);
    table = bmff_sample_table_new_from_stbl (track->stbl, error);
    if (!table ||
        !read_samples (self->file, protection, NULL, table, track->stbl,
            track->trak, 0, self->aux, mine, error))
      return FALSE;
  }
  return self->movie != NULL;
}

static gboolean
read_moof (Reading *self, BmffBox *moof, GError **error)
{
  BmffFragment *fragment = bmff_fragment_new (moof, self->movie, error);
  gboolean ok = fragment != NULL;
  guint i, k;

  for (i = 0; ok && i < fragment->trafs->len; i++) {
    const BmffTraf *traf = g_ptr_array_index (fragment->trafs, i);

    for (k = 0; ok && k < self->tracks->len; k++) {
      JudgeTrack *track = g_ptr_array_index (self->tracks, k);

      if (track->id == traf->track_id)
        ok = read_samples (self->file, g_ptr_array_index (self->protection, k),
            traf, traf->samples, traf->box, NULL,
            traf->has_base_data_offset ? traf->base_data_offset
                                       : fragment->offset,
            self->aux, track, error);
    }
  }
  g_clear_pointer (&fragment, bmff_fragment_free);
  return ok;
}

static gboolean
read_boxes (Reading *self, GError **error)
{
  g_autoptr (BmffSource) source = bmff_source_new_bytes (self->file, 0);
  BmffHeader header;
  guint64 offset = 0;

  while (bmff_source_read_header (source, offset, &header, error)) {
    if (header.type == FOURCC ("moov") || header.type == FOURCC ("moof")) {
      BmffBox *box = bmff_source_read_box (source, offset, error);

      if (!box ||
          !(header.type == FOURCC ("moov") ? read_moov (self, box, error)
                                           : read_moof (self, box, error)))
        return FALSE;
    }
    offset += header.size;
  }
  return !error || !*error;
}

GPtrArray *
judge_read (GBytes *file, JudgeAux aux, GError **error)
{
  Reading reading = { file, aux };
  gboolean ok;

  reading.protection =
      g_ptr_array_new_with_free_func ((GDestroyNotify) cenc_track_free);
  reading.tracks = g_ptr_array_new_with_free_func (track_free);
  ok = read_boxes (&reading, error);
  g_ptr_array_unref (reading.protection);
  g_clear_pointer (&reading.movie, bmff_movie_free);
  if (!ok)
    g_clear_pointer (&reading.tracks, g_ptr_array_unref);
  return reading.tracks;
}

static void
same_track (const JudgeTrack *clear, const JudgeTrack *out, const gchar *scheme)
{
  guint i, differing = 0;

  fail_unless_equals_int (clear->id, out->id);
  fail_unless_equals_int (clear->samples->len, out->samples->len);
  for (i = 0; i < clear->samples->len; i++) {
    GBytes *want = g_ptr_array_index (clear->samples, i);

    fail_unless (g_bytes_equal (want, g_ptr_array_index (out->samples, i)),
        "track %u, sample %u is not what it was", out->id, i);
    differing += !g_bytes_equal (want, g_ptr_array_index (out->raw, i));
  }
  if (out->format != FOURCC ("encv") && out->format != FOURCC ("enca"))
    return;
  fail_unless (out->scheme == FOURCC (scheme));
  fail_unless (differing * 2 > out->samples->len || out->samples->len == 0,
      "track %u: only %u of %u samples are encrypted", out->id, differing,
      out->samples->len);
}

void
judge_same_samples (GBytes *clear, GBytes *out, const gchar *scheme)
{
  JudgeAux aux;
  guint i, n_encrypted = 0;

  for (aux = JUDGE_SENC; aux <= JUDGE_SAIZ; aux++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GPtrArray) want = judge_read (clear, aux, &error);
    g_autoptr (GPtrArray) have = NULL;

    fail_unless (want, "clear: %s", error ? error->message : "");
    have = judge_read (out, aux, &error);
    fail_unless (have, "encrypted: %s", error ? error->message : "");
    fail_unless_equals_int (want->len, have->len);
    for (i = 0; i < want->len; i++) {
      JudgeTrack *track = g_ptr_array_index (have, i);

      same_track (g_ptr_array_index (want, i), track, scheme);
      n_encrypted += track->scheme != 0;
    }
  }
  fail_unless (n_encrypted > 0, "nothing was encrypted");
}

static gboolean
starts_box (GBytes *file, guint64 offset, const gchar *types)
{
  const guint8 *data = g_bytes_get_data (file, NULL);
  guint32 type;

  if (offset + 8 > g_bytes_get_size (file))
    return FALSE;
  type = bmff_get_u32 (data + offset + 4);
  for (; *types; types += 4) {
    if (type == FOURCC (types))
      return TRUE;
  }
  return FALSE;
}

static void
check_sidx (GBytes *file, const BmffBox *box)
{
  BmffSidx *sidx = bmff_sidx_parse (box, NULL);
  guint64 offset = box->offset + box->parsed_size;
  guint i;

  fail_unless (sidx);
  offset += sidx->first_offset;
  for (i = 0; i < sidx->references->len; i++) {
    const BmffSidxReference *reference =
        &g_array_index (sidx->references, BmffSidxReference, i);

    fail_unless (starts_box (file, offset, "moofsidxstypprftemsg"),
        "reference %u of the sidx is wrong", i);
    offset += reference->referenced_size;
  }
  fail_unless (offset == g_bytes_get_size (file) ||
          starts_box (file, offset, "moofsidxstypprftemsgmfra"),
      "the sidx ends at %" G_GUINT64_FORMAT, offset);
  bmff_sidx_free (sidx);
}

static void
check_tfra (GBytes *file, const BmffBox *tfra)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (tfra->payload, &size);
  guint sizes = bmff_get_u32 (data + 8), i, n = bmff_get_u32 (data + 12);
  guint step = (data[0] ? 16 : 8) + (sizes >> 4 & 3) + (sizes >> 2 & 3) +
      (sizes & 3) + 3;

  fail_unless (16 + (gsize) n * step <= size);
  for (i = 0; i < n; i++) {
    const guint8 *entry = data + 16 + i * step;
    guint64 offset =
        data[0] ? bmff_get_u64 (entry + 8) : bmff_get_u32 (entry + 4);

    /* mp4mux 1.22 may end an audio track's table with an empty entry. */
    fail_unless (offset == 0 || starts_box (file, offset, "moof"),
        "tfra entry %u does not point at a moof", i);
  }
}

void
judge_places (GBytes *file)
{
  g_autoptr (BmffSource) source = bmff_source_new_bytes (file, 0);
  g_autoptr (GError) error = NULL;
  BmffHeader header;
  guint64 offset = 0;

  while (bmff_source_read_header (source, offset, &header, &error)) {
    g_autoptr (BmffBox) box = NULL;
    guint i;

    fail_unless (header.size <= g_bytes_get_size (file) - offset);
    if (header.type == FOURCC ("sidx") || header.type == FOURCC ("mfra"))
      box = bmff_source_read_box (source, offset, NULL);
    if (header.type == FOURCC ("sidx"))
      check_sidx (file, box);
    for (i = 0; box && box->children && i < box->children->len; i++) {
      const BmffBox *child = g_ptr_array_index (box->children, i);

      if (child->type == FOURCC ("tfra"))
        check_tfra (file, child);
    }
    offset += header.size;
  }
  fail_unless (!error);
  fail_unless_equals_uint64 (offset, g_bytes_get_size (file));
}

guint
judge_count (GBytes *file, const gchar *type)
{
  g_autoptr (BmffSource) source = bmff_source_new_bytes (file, 0);
  BmffHeader header;
  guint64 offset = 0;
  guint n = 0;

  for (; bmff_source_read_header (source, offset, &header, NULL);
       offset += header.size)
    n += header.type == FOURCC (type);
  return n;
}

static guint64
read_duration (const BmffBox *box, gsize offset, gsize large)
{
  const guint8 *data = g_bytes_get_data (box->payload, NULL);

  return data[0] ? bmff_get_u64 (data + large) : bmff_get_u32 (data + offset);
}

guint64
judge_duration (GBytes *file)
{
  g_autoptr (BmffSource) source = bmff_source_new_bytes (file, 0);
  BmffHeader header;
  guint64 offset = 0;

  for (; bmff_source_read_header (source, offset, &header, NULL);
       offset += header.size) {
    g_autoptr (BmffBox) moov = NULL;
    const BmffBox *mehd;

    if (header.type != FOURCC ("moov"))
      continue;
    moov = bmff_source_read_box (source, offset, NULL);
    mehd = bmff_box_find (moov, "mvex/mehd");
    return mehd
        ? read_duration (mehd, 4, 4)
        : read_duration (bmff_box_child (moov, FOURCC ("mvhd")), 16, 24);
  }
  return 0;
}
