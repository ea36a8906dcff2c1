/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * EncryptRun: one input from its first byte to its last. Looks at what comes
 * and lets it be encrypted as a stream (EncryptStream), or as a file
 * (EncryptFile): by pulling, or by way of a spool file. Knows no pads.
 */

#pragma once

#include "cenc/encrypt-file.h"
#include "cenc/encrypt-stream.h"

G_BEGIN_DECLS

typedef struct
{
  EncryptStreamFuncs out;
  EncryptReadFunc read; /* NULL: the input is pushed */
  /* Whether the output can be overwritten; asked once. */
  gboolean (*is_seekable) (gpointer user_data);
} EncryptRunFuncs;

typedef struct _EncryptRun EncryptRun;

/**
 * encrypt_run_new:
 * @plan: has to outlive the run
 * @size: of an input that is read; G_MAXUINT64: not known
 * @spool_directory: (nullable): see encrypt_spool_new()
 */
EncryptRun *
encrypt_run_new (EncryptPlan *plan, guint64 size, const gchar *spool_directory,
    const EncryptRunFuncs *funcs, gpointer user_data);
void encrypt_run_free (EncryptRun *self);

/** The next bytes, pushed; (transfer full). As encrypt_stream_take(). */
GstFlowReturn
encrypt_run_take (EncryptRun *self, GstBuffer *buffer, GError **error);
/** The bytes that come next stand at @offset of the input. */
gboolean encrypt_run_seek (EncryptRun *self, guint64 offset, GError **error);
/** No more bytes are pushed: does all that is left to do. GST_FLOW_OK: the output is whole */
GstFlowReturn encrypt_run_end (EncryptRun *self, GError **error);
/** Reads and does a piece of the work. GST_FLOW_EOS: the output is whole. */
GstFlowReturn encrypt_run_step (EncryptRun *self, GError **error);

/** FALSE: bytes have come that did not go out. */
gboolean encrypt_run_is_idle (const EncryptRun *self);
/** See encrypt_stream_get_latency(). */
GstClockTime encrypt_run_get_latency (const EncryptRun *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EncryptRun, encrypt_run_free)

G_END_DECLS
