/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * EncryptStream's parts: encrypt-stream.c finds the boxes,
 * encrypt-stream-output.c, encrypt-stream-fragment.c and encrypt-stream-mixed.c
 * make of them what goes out. All functions return
 * GST_FLOW_OK, what a callback returned, or GST_FLOW_ERROR with @error; places
 * are those of the input, and what is handled stands at the queue's start.
 */

#pragma once

#include "cenc/encrypt-stream.h"

#include "cenc/encrypt-cut.h"
#include "cenc/encrypt-fragment.h"
#include "cenc/encrypt-sidx.h"
#include "gst/isobmff/bmff-mixed.h"

G_BEGIN_DECLS

typedef struct
{
  guint64 in, in_size;
  guint64 out, out_size;
} EncryptPlace;

struct _EncryptStream
{
  EncryptPlan *plan;
  EncryptQueue *queue;
  EncryptInput *input; /* NULL: all comes by the queue */
  EncryptPool *pool;
  gboolean seekable;
  EncryptStreamFuncs funcs;
  gpointer user_data;

  BmffMovie *movie; /* NULL before the moov */
  BmffClock *clock; /* likewise */
  BmffMixed *mixed; /* samples that the moov had; NULL: none, or all went out */
  guint32 n_mixed; /* fragments made of these */
  GArray *points; /* (element-type BmffSyncPoint): of these, for mfra */
  GArray *
      order; /* (element-type BmffMixedRange): of the fragment's data, if it changes; it is held then */
  EncryptPlace ftyp, moov; /* in_size 0: none, or it is as it was */
  EncryptFragment *fragment; /* its moof is here, its samples are not all */
  EncryptIndex *index;
  EncryptMoves *moves;
  EncryptSidx *sidx;
  GArray
      *lead_sidx; /* offsets (guint64) of those in front of the moof to come */

  guint64 scan; /* next box header in the input; G_MAXUINT64: none comes */
  guint64 pass_end; /* up to here bytes go on as they are */
  guint64 out; /* where the next byte goes */
  guint64 data_out; /* where the last fragment ended in the output */
  guint64 wanted; /* 0, or where the box that is waited for ends */
  gboolean lost_sidx, lost_ssix, has_fragments;
  gboolean rewriting; /* the muxer went back to its moov */
  gboolean rewrites; /* and what it writes there goes out */
  guint64 resume; /* where the input had got to then */
  GstClockTime latency;
};

void encrypt_stream_warn (EncryptStream *self, const gchar *message);
/** Hands on what is queued up to @end as it is. */
GstFlowReturn encrypt_stream_pass (EncryptStream *self, guint64 end);
/** Pushes what a range of the input became, and takes it off the queue. */
GstFlowReturn encrypt_stream_push_cut (EncryptStream *self,
    const EncryptCut *range, GstBuffer *whole);
/** What leads a fragment, from the queue's start to @end: boxes as they are, save sidx. NULL on error. @known: up to where places are known */
GstBuffer *encrypt_stream_make_lead (EncryptStream *self, guint64 end,
    guint64 known, GError **error);
/** (transfer full) (nullable): the box in the queue. */
BmffBox *encrypt_stream_parse_box (EncryptStream *self, guint64 start,
    guint64 end, GError **error);
/** Whether a sidx among the lead refers to more than what ends at @end. */
gboolean encrypt_stream_has_leading_sidx (EncryptStream *self, guint64 end,
    gboolean *found, GError **error);
/** The boxes that waited for a moof, up to self->scan, when none came. */
GstFlowReturn encrypt_stream_flush_lead (EncryptStream *self, GError **error);

GstFlowReturn encrypt_stream_handle_moov (EncryptStream *self, guint64 start,
    guint64 end, GError **error);
/** The file's ftyp, where it changes (encrypt_ftyp_is_changed()). */
GstFlowReturn
encrypt_stream_handle_ftyp (EncryptStream *self, guint64 start, guint64 end);
/** The muxer's second ftyp, in place of its first. */
GstFlowReturn
encrypt_stream_rewrite_ftyp (EncryptStream *self, guint64 start, guint64 end);
/** The muxer's second moov, in place of its first. */
GstFlowReturn encrypt_stream_rewrite_moov (EncryptStream *self, guint64 start,
    guint64 end, GError **error);
GstFlowReturn encrypt_stream_handle_ssix (EncryptStream *self, guint64 end);
GstFlowReturn encrypt_stream_handle_mfra (EncryptStream *self, guint64 start,
    guint64 end, GError **error);
GstFlowReturn encrypt_stream_handle_meta (EncryptStream *self, guint64 start,
    guint64 end, GError **error);

/** A moof: its samples are waited for. */
GstFlowReturn encrypt_stream_begin_fragment (EncryptStream *self, guint64 start,
    guint64 end, GError **error);
/** The mdat at self->scan: if it has samples that the moov told of, a moof of ours stands in front of it and waits for them; else self->fragment stays NULL. */
gboolean encrypt_stream_begin_mixed (EncryptStream *self,
    const BmffHeader *header, GError **error);
/** All of that fragment is here: its bytes are put into the order that its moof tells. FALSE if there is no memory. */
gboolean encrypt_stream_put_in_order (EncryptStream *self, GError **error);
/** The moov's samples have all come; the fragments' follow, or another moov's, or the end. */
gboolean encrypt_stream_end_mixed (EncryptStream *self, GError **error);
/** @moof comes behind those made of the moov's samples. */
void encrypt_stream_number (const EncryptStream *self, BmffBox *moof);

/** All of the fragment is here, up to @end. */
GstFlowReturn encrypt_stream_flush_fragment (EncryptStream *self, guint64 end,
    GError **error);
/** Likewise, where the queue does not have it all: the rest is read. */
GstFlowReturn
encrypt_stream_read_fragment (EncryptStream *self, guint64 end, GError **error);

/** The input's sidx boxes whose references are all known now; our own index. */
GstFlowReturn encrypt_stream_write_sidx (EncryptStream *self, GError **error);
GstFlowReturn encrypt_stream_write_index (EncryptStream *self);

G_END_DECLS
