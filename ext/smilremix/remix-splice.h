/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Exact cuts in the midst of a title: of a GOP that a cut splits, what is to be
 * seen is encoded anew, and stands beside the source's own samples.
 */

#pragma once

#include "smilremix/remix-cut.h"

G_BEGIN_DECLS

/** An encoded picture. */
typedef struct
{
  guint32 offset; /* in RemixRun.data */
  guint32 size;
  gint64 pts; /* that of the picture in the source, in the stream's timescale */
  gboolean sync;
} RemixPicture;

/** Pictures in the order in which they are both decoded and shown; the first one is a sync sample. */
typedef struct
{
  GByteArray *data;
  GArray *pictures; /* (element-type RemixPicture), at least one */
  RemixFormat
      *format; /* of the source's kind, with parameter sets of its own */
} RemixRun;

RemixRun *remix_run_new (void);
void remix_run_free (RemixRun *self);

typedef struct
{
  /* The pictures of @split. NULL with REMIX_ERROR_ENCODER if they cannot be
   * encoded here; any other error ends the plan. */
  RemixRun *(*encode) (gpointer user_data, const RemixStream *stream,
      const RemixSplit *split, GError **error);
  gpointer user_data;
} RemixEncoder;

/** A cut, and what was encoded for it. */
typedef struct
{
  RemixCut cut;
  RemixRun *head, *tail; /* NULL where the cut splits no GOP */
} RemixSplice;

/**
 * remix_splice_cut:
 * @encoder: (nullable): without it no GOP can be split
 *
 * remix_cut_video(), with what it splits encoded; if that cannot be, as without
 * an encoder, and a warning says why.
 */
gboolean remix_splice_cut (RemixSplice *self, const RemixStream *stream,
    const RemixRange *range, const RemixCutOptions *options,
    const RemixEncoder *encoder, GPtrArray *warnings, GError **error);
/**
 * remix_splice_divide:
 * @splices: (element-type RemixSplice): where the result is put, and what fails
 *   half-way
 * @whole: what remix_cut_video() made of the clip, with the same @options
 * @points: (element-type gint64): when frames of @whole are shown that are to become
 *   sync samples; rising
 *
 * Cuts @whole into parts, each of which begins with a sync sample.
 *
 * Returns: FALSE with REMIX_ERROR_ENCODER or REMIX_ERROR_PLAYLIST if that cannot
 *   be, any other error ends the plan
 */
gboolean remix_splice_divide (GArray *splices, const RemixStream *stream,
    const RemixCut *whole, const GArray *points, const RemixCutOptions *options,
    const RemixEncoder *encoder, GError **error);
/** Frees what it refers to. */
void remix_splice_clear (RemixSplice *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (RemixRun, remix_run_free)

G_END_DECLS
