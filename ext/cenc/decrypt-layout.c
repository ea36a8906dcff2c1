/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cenc/decrypt-layout.h"

#include "cenc/decrypt-matroska.h"

#include <string.h>

#define FOURCC_MOOV BMFF_FOURCC ('m', 'o', 'o', 'v')
#define FOURCC_MOOF BMFF_FOURCC ('m', 'o', 'o', 'f')
#define FOURCC_MFHD BMFF_FOURCC ('m', 'f', 'h', 'd')
#define FOURCC_MDAT BMFF_FOURCC ('m', 'd', 'a', 't')
/* Identified media data, ISO/IEC 14496-12:2020, 8.1.4 */
#define FOURCC_IMDA BMFF_FOURCC ('i', 'm', 'd', 'a')
/* ISO/IEC 14496-12:2022, 8.19 */
#define FOURCC_COMPRESSED_MOOF BMFF_FOURCC ('!', 'm', 'o', 'f')
#define FOURCC_META BMFF_FOURCC ('m', 'e', 't', 'a')
#define FOURCC_PSSH BMFF_FOURCC ('p', 's', 's', 'h')
#define FOURCC_UUID BMFF_FOURCC ('u', 'u', 'i', 'd')

/* 80 bytes each: a day of fragments of a tenth of a second is below this. */
#define MAX_MOOFS (1u << 20)
#define MAX_PATCHES 4096

struct _DecryptLayout
{
  BmffSource *source;
  gboolean verify;
  guint64 next; /* where the next box starts */
  gboolean at_end;
  gboolean plain;
  gboolean has_data, has_image, is_protected;
  guint64 first_data; /* offset of the first mdat, if has_data */
  guint64 truncated_at; /* box whose end is not there */
  guint64 truncated_end;
  guint32 truncated_type;
  guint n_boxes;
  guint64 n_empty; /* of all movies */

  GPtrArray *movies; /* (element-type DecryptMovie) */
  GPtrArray *movie_spans;
  GArray *moofs, *patches;
};

static void
patch_clear (DecryptPatch *patch)
{
  g_clear_pointer (&patch->bytes, g_bytes_unref);
}

DecryptLayout *
decrypt_layout_new (BmffSource *source)
{
  DecryptLayout *self = g_new0 (DecryptLayout, 1);

  self->source = source;
  self->verify = TRUE;
  self->movies =
      g_ptr_array_new_with_free_func ((GDestroyNotify) decrypt_movie_unref);
  self->movie_spans =
      g_ptr_array_new_with_free_func ((GDestroyNotify) decrypt_span_unref);
  self->moofs = g_array_new (FALSE, FALSE, sizeof (DecryptMoof));
  self->patches = g_array_new (FALSE, FALSE, sizeof (DecryptPatch));
  g_array_set_clear_func (self->patches, (GDestroyNotify) patch_clear);
  return self;
}

void
decrypt_layout_free (DecryptLayout *self)
{
  if (!self)
    return;
  g_array_unref (self->patches);
  g_array_unref (self->moofs);
  g_ptr_array_unref (self->movie_spans);
  g_ptr_array_unref (self->movies);
  g_free (self);
}

gboolean
decrypt_layout_is_plain (const DecryptLayout *self)
{
  return self->plain;
}

gboolean
decrypt_layout_has_movie (const DecryptLayout *self)
{
  return self->movies->len > 0;
}

void
decrypt_layout_set_verify (DecryptLayout *self, gboolean verify)
{
  guint i;

  self->verify = verify;
  for (i = 0; i < self->movies->len; i++)
    decrypt_movie_set_verify (g_ptr_array_index (self->movies, i), verify);
}

GPtrArray *
decrypt_layout_get_movie_spans (const DecryptLayout *self)
{
  return self->movie_spans;
}

GArray *
decrypt_layout_get_moofs (const DecryptLayout *self)
{
  return self->moofs;
}

GArray *
decrypt_layout_get_patches (const DecryptLayout *self)
{
  return self->patches;
}

guint64
decrypt_layout_get_position (const DecryptLayout *self)
{
  return self->at_end ? G_MAXUINT64 : self->next;
}

static gboolean
fail (GError **error, BmffError code, guint64 offset, const gchar *message)
{
  g_set_error (error, BMFF_ERROR, code, "%s at %" G_GUINT64_FORMAT, message,
      offset);
  return FALSE;
}

static GBytes *
read_box (DecryptLayout *self, const BmffHeader *header, GError **error)
{
  gchar name[5] = { 0 };
  guint i;

  for (i = 0; i < 4; i++)
    name[i] = bmff_fourcc_char (header->type, i);
  if (header->size == 0 || header->size > BMFF_MAX_HEADER_BOX) {
    g_set_error (error, BMFF_ERROR, BMFF_ERROR_LIMIT,
        "%s at %" G_GUINT64_FORMAT " has %" G_GUINT64_FORMAT " bytes", name,
        self->next, header->size);
    return NULL;
  }
  return bmff_source_read_all (self->source, self->next, (gsize) header->size,
      name, error);
}

static gboolean
shares_bytes (const DecryptSpan *a, const DecryptSpan *b)
{
  guint64 start, end, other_start, other_end;

  decrypt_span_get_extent (a, &start, &end);
  decrypt_span_get_extent (b, &other_start, &other_end);
  return start < other_end && other_start < end;
}

static gboolean
add_patch (DecryptLayout *self, GBytes *bytes, GError **error)
{
  DecryptPatch patch = { self->next, bytes };

  if (self->patches->len >= MAX_PATCHES)
    return fail (error, BMFF_ERROR_LIMIT, self->next, "too many pssh boxes");
  g_bytes_ref (bytes);
  g_array_append_val (self->patches, patch);
  return TRUE;
}

/* What is said of media data in front of a moov comes too late for who reads from
 * the start, if that is behind another moov, or in front of the first mdat. */
static gboolean
check_place (const DecryptLayout *self, const DecryptSpan *span, GError **error)
{
  guint64 start, end;

  decrypt_span_get_extent (span, &start, &end);
  if (self->movies->len <= 1)
    return end == 0 ||
        start >= (self->has_data ? self->first_data : self->next) ||
        fail (error, BMFF_ERROR_UNSUPPORTED, self->next,
            "moov: its samples stand in front of it, and in no mdat,");
  return end == 0 || start >= self->next ||
      fail (error, BMFF_ERROR_UNSUPPORTED, self->next,
          "moov: its samples stand in front of it, behind another moov,");
}

/* Samples of two moovs would be decrypted twice. One that stands there again, as
 * it is, says nothing new. */
static gboolean
add_span (DecryptLayout *self, DecryptSpan *span, GError **error)
{
  GBytes *bytes = decrypt_span_get_patch (span)->bytes;
  guint i;

  for (i = 0; i < self->movie_spans->len; i++) {
    const DecryptSpan *other = g_ptr_array_index (self->movie_spans, i);

    if (!shares_bytes (span, other))
      continue;
    return g_bytes_equal (decrypt_span_get_patch (other)->bytes, bytes)
        ? add_patch (self, bytes, error)
        : fail (error, BMFF_ERROR_INVALID, self->next,
              "samples of another moov in the moov");
  }
  if (!check_place (self, span, error))
    return FALSE;
  g_ptr_array_add (self->movie_spans, decrypt_span_ref (span));
  return TRUE;
}

static gboolean
take_moov (DecryptLayout *self, const BmffHeader *header, GError **error)
{
  g_autoptr (GBytes) bytes = read_box (self, header, error);
  DecryptMovie *movie;

  if (!bytes)
    return FALSE;
  movie = decrypt_movie_new (bytes, self->next, self->source, error);
  if (!movie)
    return FALSE;
  if (!decrypt_movie_count_empty (movie, &self->n_empty, error)) {
    decrypt_movie_unref (movie);
    return FALSE;
  }
  decrypt_movie_set_verify (movie, self->verify);
  g_ptr_array_add (self->movies, movie);
  self->is_protected |= decrypt_movie_is_protected (movie);
  return !decrypt_movie_get_span (movie) ||
      add_span (self, decrypt_movie_get_span (movie), error);
}

/* What is known of a moof without media data in front of it, as its reader would. */
static gboolean
measure (DecryptLayout *self, DecryptMoof *moof, GError **error)
{
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (DecryptSpan) span = NULL;

  if (moof->is_read)
    return TRUE;
  if (moof->size == 0 || moof->size > BMFF_MAX_HEADER_BOX)
    return fail (error, BMFF_ERROR_LIMIT, moof->offset, "too large a moof");
  bytes = bmff_source_read_all (self->source, moof->offset, (gsize) moof->size,
      "moof", error);
  if (!bytes)
    return FALSE;
  span = decrypt_movie_parse_fragment (moof->movie, bytes, moof->offset,
      self->source, error);
  if (!span)
    return FALSE;
  decrypt_span_get_extent (span, &moof->start, &moof->end);
  moof->n_samples = decrypt_span_get_n_samples (span);
  moof->is_read = TRUE;
  return TRUE;
}

/* Too many moofs with no mdat between them: where the samples of all in front of
 * one stand in front of it too, in boxes of whatever name, or there are none, it
 * starts a group. @next: the moof to come */
static gboolean
split_group (DecryptLayout *self, DecryptMoof *next, GError **error)
{
  guint first = next->group, i;
  guint64 end = 0;

  for (i = first; i <= self->moofs->len; i++) {
    DecryptMoof *moof = i < self->moofs->len
        ? &g_array_index (self->moofs, DecryptMoof, i)
        : next;

    if (i > first && end <= moof->offset) {
      moof->starts_group = TRUE;
      first = i;
    }
    moof->group = first;
    if (moof != next && !measure (self, moof, error))
      return FALSE;
    end = MAX (end, moof->end);
  }
  return decrypt_check_group (self->moofs->len + 1 - first, 0, self->next,
      error);
}

static gboolean
take_moof (DecryptLayout *self, const BmffHeader *header, GError **error)
{
  DecryptMoof moof = { self->next, header->size, TRUE };

  if (self->movies->len == 0)
    return fail (error, BMFF_ERROR_INVALID, self->next, "moof before any moov");
  if (self->moofs->len >= MAX_MOOFS)
    return fail (error, BMFF_ERROR_LIMIT, self->next, "too many moofs");
  moof.movie = g_ptr_array_index (self->movies, self->movies->len - 1);
  if (!decrypt_movie_is_protected (moof.movie))
    return TRUE;
  if (self->moofs->len > 0) {
    const DecryptMoof *last =
        &g_array_index (self->moofs, DecryptMoof, self->moofs->len - 1);

    moof.starts_group = last->has_data;
    moof.group = last->group;
  }
  if (moof.starts_group)
    moof.group = self->moofs->len;
  if (self->moofs->len + 1 - moof.group > DECRYPT_MAX_GROUP &&
      !split_group (self, &moof, error))
    return FALSE;
  g_array_append_val (self->moofs, moof);
  return TRUE;
}

static gboolean
is_protection_box (const BmffHeader *header)
{
  return header->type == FOURCC_PSSH ||
      (header->type == FOURCC_UUID &&
          (memcmp (header->uuid, CENC_PIFF_PSSH_UUID, 16) == 0 ||
              memcmp (header->uuid, CENC_PIFF_SENC_UUID, 16) == 0 ||
              memcmp (header->uuid, CENC_PIFF_TENC_UUID, 16) == 0));
}

static gboolean
take_protection_box (DecryptLayout *self, const BmffHeader *header,
    GError **error)
{
  g_autoptr (GBytes) bytes = read_box (self, header, error);
  g_autoptr (GBytes) patched = NULL;

  if (!bytes)
    return FALSE;
  patched = decrypt_patch_box (bytes, self->next, error);
  return patched && add_patch (self, patched, error);
}

static void
take_mdat (DecryptLayout *self)
{
  if (!self->has_data)
    self->first_data = self->next;
  self->has_data = TRUE;
  if (self->moofs->len > 0)
    g_array_index (self->moofs, DecryptMoof, self->moofs->len - 1).has_data =
        TRUE;
}

/* A box of an unknown name in a protected file: if it is a moof, the samples that
 * it tells of would pass as they are. */
static gboolean
check_unknown (DecryptLayout *self, const BmffHeader *header, GError **error)
{
  const DecryptMovie *movie = self->movies->len > 0
      ? g_ptr_array_index (self->movies, self->movies->len - 1)
      : NULL;
  g_autoptr (GBytes) bytes = NULL;
  gsize size;
  const guint8 *data;

  if (!movie || !decrypt_movie_is_protected (movie) ||
      decrypt_box_can_be_first (header->type))
    return TRUE;
  bytes = bmff_source_read (self->source, self->next + header->header_size, 8,
      error);
  if (!bytes)
    return FALSE;
  data = g_bytes_get_data (bytes, &size);
  return !decrypt_box_hides_moof (header, data, size) ||
      fail (error, BMFF_ERROR_INVALID, self->next,
          "a moof, but compressed or under another name");
}

static gboolean
take_box (DecryptLayout *self, const BmffHeader *header, GError **error)
{
  switch (header->type) {
    case FOURCC_MOOV:
      return take_moov (self, header, error);
    case FOURCC_MOOF:
      return take_moof (self, header, error);
    case FOURCC_MDAT:
    case FOURCC_IMDA:
      take_mdat (self);
      return TRUE;
    case FOURCC_META:
      self->has_image = TRUE;
      return TRUE;
    default:
      return is_protection_box (header)
          ? take_protection_box (self, header, error)
          : check_unknown (self, header, error);
  }
}

/* What a file can begin with; anything else is no file of this format. */
gboolean
decrypt_box_can_be_first (guint32 type)
{
  static const guint32 types[] = { BMFF_FOURCC ('f', 't', 'y', 'p'),
    BMFF_FOURCC ('s', 't', 'y', 'p'), FOURCC_MOOV, FOURCC_MOOF, FOURCC_MDAT,
    BMFF_FOURCC ('f', 'r', 'e', 'e'), BMFF_FOURCC ('s', 'k', 'i', 'p'),
    BMFF_FOURCC ('w', 'i', 'd', 'e'), BMFF_FOURCC ('p', 'n', 'o', 't'),
    BMFF_FOURCC ('s', 'i', 'd', 'x'), BMFF_FOURCC ('p', 'd', 'i', 'n'),
    BMFF_FOURCC ('e', 'm', 's', 'g'), BMFF_FOURCC ('p', 'r', 'f', 't'),
    FOURCC_META, FOURCC_PSSH, FOURCC_UUID };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (types); i++) {
    if (types[i] == type)
      return TRUE;
  }
  return FALSE;
}

gboolean
decrypt_box_hides_moof (const BmffHeader *header, const guint8 *data,
    gsize size)
{
  if (header->type == FOURCC_COMPRESSED_MOOF)
    return TRUE;
  return !decrypt_box_can_be_first (header->type) &&
      bmff_inner_type (data, size, header->size - header->header_size) ==
      FOURCC_MFHD;
}

/* A first box of an unknown name, with one behind it that is known: a damaged
 * file rather than one of another format. */
static gboolean
second_is_known (DecryptLayout *self, const BmffHeader *first)
{
  g_autoptr (GError) failed = NULL;
  BmffHeader second;

  return first->size > 0 && first->size <= DECRYPT_MAX_UNKNOWN_FIRST &&
      bmff_source_read_header (self->source, first->size, &second, &failed) &&
      decrypt_box_can_be_first (second.type);
}

/* What cannot be read to look at it will fail where it is wanted. */
static gboolean
check_plain (DecryptLayout *self, GError **error)
{
  guint64 size = bmff_source_get_size (self->source);
  g_autoptr (GBytes) bytes = bmff_source_read (self->source, 0,
      (gsize) MIN (size, DECRYPT_MATROSKA_WINDOW), NULL);

  return !bytes ||
      decrypt_matroska_check (g_bytes_get_data (bytes, NULL),
          g_bytes_get_size (bytes), error);
}

/* TRUE: *header is a box that lies in the file, or the file is at its end or
 * plain. */
static gboolean
read_header (DecryptLayout *self, BmffHeader *header, GError **error)
{
  guint64 size = bmff_source_get_size (self->source);
  GError *failed = NULL;
  gboolean ok =
      bmff_source_read_header (self->source, self->next, header, &failed);

  if (!ok && !failed) {
    self->at_end = TRUE;
    return TRUE;
  }
  if (self->next == 0 &&
      (ok ? !decrypt_box_can_be_first (header->type) &&
                  !second_is_known (self, header)
          : failed->domain == BMFF_ERROR &&
                  failed->code != BMFF_ERROR_TRUNCATED)) {
    g_clear_error (&failed);
    self->plain = TRUE;
    return check_plain (self, error);
  }
  if (failed) {
    g_propagate_error (error, failed);
    return FALSE;
  }
  if (size != G_MAXUINT64 && header->size > size - self->next) {
    self->truncated_at = self->next;
    self->truncated_end = self->next + header->size;
    self->truncated_type = header->type;
  }
  return TRUE;
}

static gboolean
step (DecryptLayout *self, GError **error)
{
  BmffHeader header;

  if (!read_header (self, &header, error))
    return FALSE;
  if (self->at_end || self->plain)
    return TRUE;
  if ((!self->has_data || self->movies->len == 0) &&
      ++self->n_boxes > DECRYPT_MAX_BOXES_IN_FRONT)
    return fail (error, BMFF_ERROR_LIMIT, self->next,
        "boxes without media data, or without a moov");
  if (!take_box (self, &header, error))
    return FALSE;
  if (header.size == 0 || self->truncated_end > 0 ||
      header.size > G_MAXUINT64 - self->next)
    self->at_end = TRUE;
  else
    self->next += header.size;
  return TRUE;
}

gboolean
decrypt_layout_walk (DecryptLayout *self, guint64 offset, GError **error)
{
  GError *failed = NULL;

  /* Nothing of media data goes out before the moov was seen. */
  while (!self->plain && !self->at_end &&
      (self->next < offset || (self->has_data && self->movies->len == 0))) {
    if (!step (self, &failed)) {
      /* What was seen so far is clear, and passes untouched, broken or not. */
      if (self->movies->len > 0 && !self->is_protected &&
          failed->domain == BMFF_ERROR) {
        g_clear_error (&failed);
        self->plain = TRUE;
        break;
      }
      g_propagate_error (error, failed);
      return FALSE;
    }
  }
  if (!self->plain && self->at_end && self->movies->len == 0) {
    if (self->has_data && !self->has_image)
      return fail (error, BMFF_ERROR_TRUNCATED, self->next,
          "media data, but no moov up to the end");
    self->plain = self->truncated_end == 0;
  }
  return TRUE;
}

static gboolean
check_samples_end (const gchar *box, guint64 offset, guint64 end, guint64 size,
    GError **error)
{
  if (end <= size)
    return TRUE;
  g_set_error (error, BMFF_ERROR, BMFF_ERROR_TRUNCATED,
      "%s at %" G_GUINT64_FORMAT ": its samples end at %" G_GUINT64_FORMAT
      ", the file at %" G_GUINT64_FORMAT,
      box, offset, end, size);
  return FALSE;
}

static gboolean
check_last_moof (DecryptLayout *self, guint64 size, GError **error)
{
  DecryptMoof *moof;

  if (self->moofs->len == 0)
    return TRUE;
  moof = &g_array_index (self->moofs, DecryptMoof, self->moofs->len - 1);
  return measure (self, moof, error) &&
      check_samples_end ("moof", moof->offset, moof->end, size, error);
}

gboolean
decrypt_layout_check_end (DecryptLayout *self, GError **error)
{
  guint64 size = bmff_source_get_size (self->source);
  guint i;

  if (!decrypt_layout_walk (self, G_MAXUINT64, error))
    return FALSE;
  if (self->plain || (self->movies->len > 0 && self->movie_spans->len == 0))
    return TRUE;
  if (self->truncated_end > 0) {
    g_set_error (error, BMFF_ERROR, BMFF_ERROR_TRUNCATED,
        "%" BMFF_FOURCC_FORMAT " at %" G_GUINT64_FORMAT
        " ends at %" G_GUINT64_FORMAT ", the file at %" G_GUINT64_FORMAT,
        BMFF_FOURCC_ARGS (self->truncated_type), self->truncated_at,
        self->truncated_end, size);
    return FALSE;
  }
  for (i = 0; i < self->movie_spans->len; i++) {
    const DecryptSpan *span = g_ptr_array_index (self->movie_spans, i);
    guint64 start, end;

    decrypt_span_get_extent (span, &start, &end);
    if (!check_samples_end ("moov", decrypt_span_get_patch (span)->offset, end,
            size, error))
      return FALSE;
  }
  return check_last_moof (self, size, error);
}
