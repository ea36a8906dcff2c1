/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * DecryptMovie, DecryptFragment: what a moov and a moof say of the samples of a
 * protected file, and the work on a block of the file's bytes. Know no pads and
 * read nothing but auxiliary information, through a BmffSource.
 */

#pragma once

#include "cenc/decrypt-crypto.h"
#include "gst/cenc/cenc-unprotect.h"

G_BEGIN_DECLS

/** A box with its bytes changed, none of them moved. */
typedef struct
{
  guint64 offset;
  GBytes *bytes;
} DecryptPatch;

/** Samples of protected tracks by their place in the file: a movie's or a fragment's. */
typedef struct _DecryptSpan DecryptSpan;

DecryptSpan *decrypt_span_ref (DecryptSpan *self);
void decrypt_span_unref (DecryptSpan *self);
/** The moov or moof, made clear. */
const DecryptPatch *decrypt_span_get_patch (const DecryptSpan *self);
/** Bytes of the file from the first of its protected tracks' samples to behind the last; both 0 if there is none. */
void
decrypt_span_get_extent (const DecryptSpan *self, guint64 *start, guint64 *end);
/** Of a fragment, the samples of all its tracks: each takes memory, and may take no byte of the moof. */
guint64 decrypt_span_get_n_samples (const DecryptSpan *self);

/** Fragments of one group, those in front of the same media data, have together no more samples than a moof may have (BMFF_MAX_FRAGMENT_SAMPLES), and are no more than so many. */
#define DECRYPT_MAX_GROUP 128
/** FALSE with BMFF_ERROR if samples of both share bytes: these would be decrypted twice. @fragment: not a movie's. */
gboolean decrypt_span_check_apart (const DecryptSpan *fragment,
    const DecryptSpan *other, GError **error);
/** FALSE with BMFF_ERROR_LIMIT, for a moof at @offset. */
gboolean decrypt_check_group (guint n_moofs, guint64 n_samples, guint64 offset,
    GError **error);

/**
 * decrypt_span_find_straddler:
 * Whether a protected sample begins before byte @offset of the file and ends
 * behind it; where it stands is given then.
 */
gboolean decrypt_span_find_straddler (const DecryptSpan *self, guint64 offset,
    guint64 *sample_offset, gsize *sample_size);

/** Whether one of its protected samples has bytes from byte @start of the file to before byte @end. */
gboolean
decrypt_span_has_samples (const DecryptSpan *self, guint64 start, guint64 end);

/** Bytes of a fragment's samples, of all its tracks, that stand from byte @start of the file to before byte @end; of a movie's 0. */
guint64
decrypt_span_count_bytes (const DecryptSpan *self, guint64 start, guint64 end);

typedef struct _DecryptMovie DecryptMovie;

/**
 * decrypt_movie_new:
 * @moov: the box's bytes
 * @offset: where it stands in the file
 * @source: for auxiliary information that stands elsewhere
 *
 * Returns: (transfer full): the movie, or NULL with BMFF_ERROR, GST_CENC_ERROR or @source's error
 */
DecryptMovie *decrypt_movie_new (GBytes *moov, guint64 offset,
    BmffSource *source, GError **error);
DecryptMovie *decrypt_movie_ref (DecryptMovie *self);
void decrypt_movie_unref (DecryptMovie *self);
/** FALSE: no track is protected; the file passes untouched. */
gboolean decrypt_movie_is_protected (const DecryptMovie *self);
/** Whether samples may stand in fragments: there is an mvex. */
gboolean decrypt_movie_is_fragmented (const DecryptMovie *self);
/** Whether keys that do not fit are looked for; TRUE at first. */
void decrypt_movie_set_verify (DecryptMovie *self, gboolean verify);
/**
 * decrypt_movie_count_empty:
 * @n: of the movies of the same file before, and of this one from now on
 *
 * Returns: FALSE with BMFF_ERROR_LIMIT if a file's moovs claim more samples than
 *   one may whose auxiliary information takes no byte
 */
gboolean decrypt_movie_count_empty (const DecryptMovie *self, guint64 *n,
    GError **error);
/** (transfer none) (nullable): the samples of its stbl boxes; %NULL if it is not protected */
DecryptSpan *decrypt_movie_get_span (const DecryptMovie *self);

/** (transfer full): a fragment of @self, whose moof's bytes stand at @offset; it keeps a reference to @self. */
DecryptSpan *decrypt_movie_parse_fragment (DecryptMovie *self, GBytes *moof,
    guint64 offset, BmffSource *source, GError **error);

/** (transfer none): @box's bytes, changed: a box of the file level that speaks of protection (pssh, PIFF's uuid); %NULL with an error. */
GBytes *decrypt_patch_box (GBytes *box, guint64 offset, GError **error);

/** A block of the file's bytes. */
typedef struct
{
  guint64 offset; /* in the file */
  gsize size;
  const guint8 *in;
  guint8 *out; /* @in itself, or memory that does not overlap it */
} DecryptBlock;

typedef struct
{
  DecryptCrypto *crypto;
  /* What a sample of this duration may be decrypted for. */
  GstCencKeyUse (*get_use) (GstClockTime duration, gpointer user_data);
  /* Before the first sample of a movie or fragment: each protection system
   * header that its moov and moof have. */
  void (*take_header) (const guint8 *system_id, GBytes *box,
      const gchar *origin, gpointer user_data);
  gpointer user_data;
} DecryptWork;

/**
 * decrypt_span_process:
 * Decrypts the samples that lie in @block as a whole. All other bytes are
 * copied if @block is not worked on in place; those of samples that lie in it
 * in part as they are, so the caller puts the right ones there.
 */
gboolean decrypt_span_process (DecryptSpan *self, const DecryptBlock *block,
    const DecryptWork *work, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DecryptMovie, decrypt_movie_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DecryptSpan, decrypt_span_unref)

G_END_DECLS
