/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Small files made of boxes that claim what they like, and what cencdecrypt and
 * cencencrypt say of them.
 */

#pragma once

#include <gst/check/gstcheck.h>

#include "gst/isobmff/bmff-box.h"

G_BEGIN_DECLS

#define HOSTILE_KEYS \
  "00000000000000000000000000000001:00000000000000000000000000000001"
#define HOSTILE_DECRYPT "cencdecrypt verify-keys=false keys=" HOSTILE_KEYS
#define FCC(s) bmff_get_u32 ((const guint8 *) (s))

/** A box of words, behind them what is in @children, which are taken. */
BmffBox *hostile_box (const gchar *type, guint n, const guint32 *words,
    BmffBox **children);

#define WORDS(...) \
  G_N_ELEMENTS (((guint32[]){ __VA_ARGS__ })), (guint32[]) \
  { \
    __VA_ARGS__ \
  }
#define LEAF(type, ...) hostile_box (type, WORDS (__VA_ARGS__), NULL)
#define PARENT(type, ...) \
  hostile_box (type, 0, NULL, (BmffBox *[]){ __VA_ARGS__, NULL })

/** Of Opus; protected, it has a tenc of cbcs with a constant IV: samples need no
 * information of their own. */
BmffBox *hostile_entry_new (gboolean is_protected);
/** @n samples of @size bytes from @offset on; none of them in @n fragments. */
BmffBox *hostile_stbl_new (gboolean is_protected, guint32 n, guint32 size,
    guint32 offset);
/** Takes @stbl. */
BmffBox *hostile_trak_new (guint32 id, BmffBox *stbl);
/** In fragments samples have one byte. Takes @stbl, of track 1. */
BmffBox *hostile_moov_new (BmffBox *stbl, gboolean fragmented);
#define MOOF_SIZE 68
/** Of track 1, and MOOF_SIZE bytes. */
BmffBox *hostile_moof_new (guint32 n_samples, guint32 data_offset);

/** (transfer full): an ftyp */
GByteArray *hostile_file_new (void);
/** Likewise, and a moov of a protected track. */
GByteArray *hostile_fragmented_new (void);
/** Takes @box. */
void hostile_append (GByteArray *file, BmffBox *box);
/** A box of zeros. */
void hostile_append_media (GByteArray *file, const gchar *type, guint size);
void hostile_append_mdat (GByteArray *file, guint size);

/** `filesrc @upstream ! @element` over @file: (transfer full) what comes out, or
 * NULL. */
GByteArray *hostile_run (const GByteArray *file, const gchar *upstream,
    const gchar *element, GError **error);
/** It is refused, in an error that holds @text. */
void hostile_check_refused (const GByteArray *file, const gchar *upstream,
    const gchar *element, const gchar *text);
/** By cencdecrypt, pulled and pushed. */
void hostile_check_both_refuse (const GByteArray *file, const gchar *text);
/** As many bytes come out of cencdecrypt. */
void hostile_check_passes (const GByteArray *file, const gchar *upstream);

G_END_DECLS
