/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of DecryptFront share: decrypt-front.c has who pulls, and the
 * task; decrypt-front-push.c upstream that pushes.
 */

#pragma once

#include "cenc/decrypt-front.h"

#include "cenc/decrypt-pull.h"
#include "cenc/decrypt-stream.h"

G_BEGIN_DECLS

struct _DecryptFront
{
  GstPad *sinkpad, *srcpad;
  DecryptFrontFuncs funcs;

  DecryptPull *pull;
  gboolean end_checked;

  /* The task */
  GstBufferPool *pool;
  GstSegment segment;
  gboolean started, need_segment;

  /* Upstream pushes */
  DecryptStream *stream;
  guint64 stop; /* where what downstream wants ends */
  gboolean refused; /* upstream did not do a seek of ours */
  guint own_segments; /* to come, of our own seeks */
  gboolean flushed;
  gboolean fed; /* the file that @stream reads has begun */
  gboolean is_next; /* and the next segment tells where it does */
  gboolean may_be_next; /* that tells whether one does */
  guint64
      origin; /* where it begins in what upstream pushes: of one behind others not 0 */

  GMutex lock; /* of what follows, and of @origin */
  GCond cond;
  GThread *seeking; /* in this thread, flushes are our own */
  gboolean flushing; /* somebody else's flush has begun */
  guint64 seek_stop; /* of the last seek: upstream is asked for all */
  /* A seek that was adjusted */
  guint64 seek_start, seek_target;
};

/* Of DecryptStreamFuncs; @user_data: a DecryptFront. */

GstFlowReturn decrypt_front_push (GstBuffer *buffer, gpointer user_data);
gboolean decrypt_front_seek_upstream (guint64 offset, gpointer user_data);

G_END_DECLS
