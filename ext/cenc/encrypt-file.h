/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * EncryptFile: a progressive movie. Where the moov stands first it is encrypted in
 * two passes: the samples' headers first, since what is found there stands in the
 * moov, and then the bytes in the order of the file. Where it stands last, and
 * samples stand in decoding order, one pass does; and where it stands first, the
 * output can be overwritten and the size of what is found can be foreseen, since the
 * first samples have one subsample each or none: a `free` keeps the moov's place. If
 * a later sample has more, all is written again. The output is the same, byte for
 * byte. The layout stays: moov first or last, mdats as they are.
 */

#pragma once

#include "cenc/encrypt-input.h"
#include "cenc/encrypt-plan.h"

G_BEGIN_DECLS

typedef struct
{
  EncryptReadFunc read;
  /* The next bytes of the output; (transfer full). */
  GstFlowReturn (*push) (gpointer user_data, GstBuffer *buffer);
  /* (nullable): bytes of the output that went out already; (transfer full). */
  GstFlowReturn (
      *overwrite) (gpointer user_data, guint64 offset, GstBuffer *buffer);
} EncryptFileFuncs;

typedef struct _EncryptFile EncryptFile;

/**
 * encrypt_file_new:
 * @plan: has to outlive the file
 * @size: of the input
 */
EncryptFile *encrypt_file_new (EncryptPlan *plan, guint64 size,
    const EncryptFileFuncs *funcs, gpointer user_data);
void encrypt_file_free (EncryptFile *self);

/**
 * encrypt_file_step: does a piece of the work.
 *
 * Returns: GST_FLOW_OK: there is more to do; GST_FLOW_EOS: all is done; what a
 *   callback returned; or GST_FLOW_ERROR with @error. The moov does not go out
 *   before all samples were found without a fault; where it stands first, nothing
 *   does, save where a `free` keeps its place.
 */
GstFlowReturn encrypt_file_step (EncryptFile *self, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EncryptFile, encrypt_file_free)

G_END_DECLS
