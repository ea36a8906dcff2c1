/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the tests of cencencrypt hold against its output: the samples of a file,
 * clear or decrypted by its own boxes; a muxer that runs in the test.
 */

#pragma once

#include <gst/gst.h>
#include "gst/isobmff/bmff-movie.h"

G_BEGIN_DECLS

#define JUDGE_KID "00112233445566778899aabbccddeeff"
#define JUDGE_KEY "000102030405060708090a0b0c0d0e0f"
#define JUDGE_KID_2 "ffeeddccbbaa99887766554433221100"
#define JUDGE_KEY_2 "0f0e0d0c0b0a09080706050403020100"

/** Another key to decrypt with, in hexadecimal; for the process that calls. */
void judge_add_key (const gchar *kid, const gchar *key);

typedef enum
{
  JUDGE_SENC, /* auxiliary information from senc */
  JUDGE_SAIZ, /* from where saiz and saio point (senc where there are none) */
} JudgeAux;

typedef struct
{
  guint32 id;
  guint32 format; /* of the first sample entry: `encv`, `avc1`, … */
  guint32 scheme; /* as schm says; 0: not protected */
  GPtrArray *samples; /* (element-type GBytes): decrypted */
  GPtrArray *kids; /* (element-type utf8): of each sample, NULL: it is clear */
  GPtrArray *raw; /* (element-type GBytes): as they stand in the file */
  guint n_senc; /* samples with an entry in a senc */
} JudgeTrack;

/** (transfer full) (element-type JudgeTrack): all samples of @file, by track, in decoding order; NULL with an error. */
GPtrArray *judge_read (GBytes *file, JudgeAux aux, GError **error);

/** Fails the test if the samples of @out, decrypted in both ways, are not those of @clear, or if tracks of ours were not encrypted. */
void judge_same_samples (GBytes *clear, GBytes *out, const gchar *scheme);

/** Fails the test if sidx, mfra and tfra do not point at moofs, or a box does not end where the next one starts. */
void judge_places (GBytes *file);

/** Number of top-level boxes of that type. */
guint judge_count (GBytes *file, const gchar *type);

/** mehd's fragment_duration, or mvhd's duration where there is no mehd. */
guint64 judge_duration (GBytes *file);

/** TRUE if all elements, separated by spaces, can be made; else says which cannot. */
gboolean judge_has_elements (const gchar *names);

/**
 * judge_run: runs a pipeline to its end.
 * @description: with an appsink named `out`, unless @file
 * @error: (out): that of the error message
 *
 * Returns: (transfer full): what came out in order (positions are not looked at), or NULL
 */
GBytes *judge_run (const gchar *description, GError **error);

/** judge_run() that fails the test on an error. */
GBytes *judge_make_stream (const gchar *description);

/** judge_run() in a process of its own: for a fixture, whose process will be forked and must have no threads. Fails the test on error. */
GBytes *judge_run_apart (const gchar *description);

/** (transfer full): runs a pipeline that ends in a filesink, and gives its file. %s in @description is the location. NULL with @error */
GBytes *judge_run_to_file (const gchar *description, GError **error);

/** judge_run_to_file() that fails the test on an error. */
GBytes *judge_make (const gchar *description);

/** Writes @file to a temporary one; (transfer full): its path. */
gchar *judge_write (GBytes *file);
/**
 * judge_convert:
 * @elements: through which it goes, separated by `!`
 *
 * Returns: (transfer full): what they make of @file, from file to file; NULL with @error
 */
GBytes *judge_convert (GBytes *file, const gchar *elements, GError **error);
/** judge_convert() that fails the test on an error. */
GBytes *judge_make_of (GBytes *file, const gchar *elements);
/** Likewise, unless there is an error of GST_STREAM_ERROR that holds @text. */
void judge_refuses (GBytes *file, const gchar *elements, gint code,
    const gchar *text);
/** What cencdecrypt makes of @file, with JUDGE_KID's key, in front of a demuxer; (transfer full). */
GBytes *judge_decrypt (GBytes *file);

G_END_DECLS
