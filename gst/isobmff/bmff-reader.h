/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BmffReader: the one cursor over bytes that came from somewhere else.
 *
 * Every read checks its bound inside. A read past the end yields zero (or
 * NULL), moves nothing and makes the reader *failed* for good, so that a parser
 * reads a whole structure as the standard lists it and asks once, at its end,
 * whether all of it was there. All integers are big-endian (ISO/IEC 14496-12,
 * 4.2.1). A reader borrows its bytes and is copied by assignment.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/** BMFF_FOURCC: a four-character code as the big-endian number that files hold. */
#define BMFF_FOURCC(a, b, c, d) \
  ((guint32) (a) << 24 | (guint32) (b) << 16 | (guint32) (c) << 8 | \
      (guint32) (d))

/** BMFF_FOURCC_FORMAT, BMFF_FOURCC_ARGS: print a four-character code; unprintable bytes show as `.`. */
#define BMFF_FOURCC_FORMAT "c%c%c%c"
#define BMFF_FOURCC_ARGS(f) \
  bmff_fourcc_char (f, 0), bmff_fourcc_char (f, 1), bmff_fourcc_char (f, 2), \
      bmff_fourcc_char (f, 3)

typedef struct
{
  const guint8 *data; /* borrowed; NULL only if size is 0 */
  gsize size;
  gsize pos; /* <= size, always */
  gboolean failed;
} BmffReader;

gchar bmff_fourcc_char (guint32 fourcc, guint index);

void bmff_reader_init (BmffReader *self, const guint8 *data, gsize size);
/** @bytes is borrowed: it has to outlive the reader. */
void bmff_reader_init_bytes (BmffReader *self, GBytes *bytes);

guint8 bmff_reader_u8 (BmffReader *self);
guint16 bmff_reader_u16 (BmffReader *self);
guint32 bmff_reader_u24 (BmffReader *self);
guint32 bmff_reader_u32 (BmffReader *self);
guint64 bmff_reader_u64 (BmffReader *self);
gint32 bmff_reader_s32 (BmffReader *self);
/** An unsigned integer of 1 to 8 bytes (`saio`, `tfra`, `iloc` have such fields); 0 bytes read as 0. */
guint64 bmff_reader_uint (BmffReader *self, guint n_bytes);

/** Returns @size bytes in place, or NULL if fewer are left (then failed). NULL for @size 0 at the end is not a failure. */
const guint8 *bmff_reader_bytes (BmffReader *self, gsize size);
gboolean bmff_reader_skip (BmffReader *self, gsize size);
/** A reader over the next @size bytes, which @self skips; failed if they are not there. */
BmffReader bmff_reader_sub (BmffReader *self, gsize size);

gsize bmff_reader_left (const BmffReader *self);
/** Whether @n items of @item_size bytes are left: to be asked before an allocation of n items. Does not fail the reader. */
gboolean bmff_reader_has (const BmffReader *self, guint64 n, gsize item_size);
static inline gboolean
bmff_reader_ok (const BmffReader *self)
{
  return !self->failed;
}

/* Big-endian integers in memory whose bound the caller has checked. */
static inline guint16
bmff_get_u16 (const guint8 *p)
{
  return (guint16) (p[0] << 8 | p[1]);
}

static inline guint32
bmff_get_u32 (const guint8 *p)
{
  return (guint32) p[0] << 24 | (guint32) p[1] << 16 | (guint32) p[2] << 8 |
      (guint32) p[3];
}

static inline guint64
bmff_get_u64 (const guint8 *p)
{
  return (guint64) bmff_get_u32 (p) << 32 | bmff_get_u32 (p + 4);
}

static inline void
bmff_put_u32 (guint8 *p, guint32 v)
{
  p[0] = (guint8) (v >> 24);
  p[1] = (guint8) (v >> 16);
  p[2] = (guint8) (v >> 8);
  p[3] = (guint8) v;
}

static inline void
bmff_put_u64 (guint8 *p, guint64 v)
{
  bmff_put_u32 (p, (guint32) (v >> 32));
  bmff_put_u32 (p + 4, (guint32) v);
}

G_END_DECLS
