/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BmffWriter: grows a block of memory; a box's size is patched back when the
 * box ends. All integers are big-endian. Not thread-safe. Memory is what a moov
 * or a moof needs: sample bytes do not go through here.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _BmffWriter BmffWriter;

/** @size_hint: bytes to reserve, 0 if not known. */
BmffWriter *bmff_writer_new (gsize size_hint);
void bmff_writer_free (BmffWriter *self);
/** Ends the writer (which is freed) and gives its bytes (transfer full). No box may be open. */
GBytes *bmff_writer_end (BmffWriter *self);

/** Bytes written so far, that is, the position of the next one. */
gsize bmff_writer_tell (const BmffWriter *self);
/** What is written so far; valid until the next write. */
const guint8 *bmff_writer_peek (const BmffWriter *self);

void bmff_writer_u8 (BmffWriter *self, guint8 value);
void bmff_writer_u16 (BmffWriter *self, guint16 value);
void bmff_writer_u24 (BmffWriter *self, guint32 value);
void bmff_writer_u32 (BmffWriter *self, guint32 value);
void bmff_writer_u64 (BmffWriter *self, guint64 value);
void bmff_writer_bytes (BmffWriter *self, const guint8 *data, gsize size);
void bmff_writer_zeros (BmffWriter *self, gsize size);

/** Overwrites at @pos, which has to lie within what is written. */
void bmff_writer_patch_u8 (BmffWriter *self, gsize pos, guint8 value);
void bmff_writer_patch_u16 (BmffWriter *self, gsize pos, guint16 value);
void bmff_writer_patch_u32 (BmffWriter *self, gsize pos, guint32 value);
void bmff_writer_patch_u64 (BmffWriter *self, gsize pos, guint64 value);

/**
 * Starts a box: a 32-bit size to be patched, and its type. Boxes nest.
 * bmff_writer_end_box() ends the innermost one.
 */
void bmff_writer_begin_box (BmffWriter *self, guint32 type);
/** A FullBox (ISO/IEC 14496-12, 4.2.2): version and 24 bits of flags follow the type. */
void bmff_writer_begin_full_box (BmffWriter *self, guint32 type, guint8 version,
    guint32 flags);
/** A `uuid` box with its 16 bytes of extended type. */
void bmff_writer_begin_uuid_box (BmffWriter *self, const guint8 *uuid);
void bmff_writer_end_box (BmffWriter *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BmffWriter, bmff_writer_free)

G_END_DECLS
