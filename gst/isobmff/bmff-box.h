/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BmffBox: a tree of boxes in memory, for what is small and gets edited: moov,
 * moof, sidx, mfra. Unknown boxes are kept byte for byte. Leaves share the
 * memory they were parsed from; a tree that is written without an edit gives
 * the bytes that it was read from (but for a size field of 0, "to the end of the
 * file", which becomes the size itself).
 */

#pragma once

#include <gst/isobmff/bmff-reader.h>
#include <gst/isobmff/bmff-writer.h>

G_BEGIN_DECLS

#define BMFF_ERROR (bmff_error_quark ())
GQuark bmff_error_quark (void);

/**
 * BmffError: the message always names the box and its offset in the file.
 * @BMFF_ERROR_TRUNCATED: a box or table ends before its declared size
 * @BMFF_ERROR_INVALID: against the standard, or contradicts itself
 * @BMFF_ERROR_UNSUPPORTED: valid, but not something we can process
 * @BMFF_ERROR_LIMIT: beyond a limit that keeps memory or depth bounded
 */
typedef enum
{
  BMFF_ERROR_TRUNCATED,
  BMFF_ERROR_INVALID,
  BMFF_ERROR_UNSUPPORTED,
  BMFF_ERROR_LIMIT,
} BmffError;

/** Nesting deeper than this is BMFF_ERROR_LIMIT. */
#define BMFF_MAX_DEPTH 16
/** A moov or moof larger than this is BMFF_ERROR_LIMIT (256 MiB; a moov of 24 h at 60 fps is below 64 MiB). */
#define BMFF_MAX_HEADER_BOX (256u << 20)
/** More boxes than this in one tree are BMFF_ERROR_LIMIT: a box takes much more memory than its header's 8 bytes. */
#define BMFF_MAX_BOXES (1u << 17)

typedef struct
{
  guint32 type;
  guint8 uuid[16]; /* if type is `uuid`, else zero */
  guint header_size; /* 8, 16 (largesize), +16 for uuid */
  guint64
      size; /* header included; 0 if the box reaches to the end of the file */
} BmffHeader;

typedef enum
{
  BMFF_HEADER_OK,
  BMFF_HEADER_MORE, /* more than the given bytes are needed (at most 32) */
  BMFF_HEADER_INVALID, /* a size smaller than its own header */
} BmffHeaderResult;

/** Reads a box header (ISO/IEC 14496-12, 4.2.2) from the first bytes of a box. */
BmffHeaderResult
bmff_header_parse (BmffHeader *self, const guint8 *data, gsize size);

/**
 * bmff_inner_type: the type of the box that starts where @data does; 0 if no box
 * of at least 8 and at most @room bytes starts there.
 * @size: of @data; 8 bytes are enough
 *
 * For boxes whose type is unknown: one that starts with a mfhd or a tfhd is a moof
 * or a traf with a damaged name, and what it says must not be passed over.
 */
guint32 bmff_inner_type (const guint8 *data, gsize size, guint64 room);

typedef struct _BmffBox BmffBox;

struct _BmffBox
{
  guint32 type;
  guint8 uuid[16];
  /* As parsed: where the box starts in the file and what it measured there.
   * offset is G_MAXUINT64 and parsed_size 0 for a box made by bmff_box_new*(). */
  guint64 offset;
  guint64 parsed_size;
  guint header_size; /* as parsed; what is written follows from type */
  /* Leaf: all of it. With children: the fields in front of them (stsd's version
   * and count, a sample entry's fields), often empty. Never NULL. */
  GBytes *payload;
  GPtrArray *children; /* (element-type BmffBox), NULL in a leaf */
  GBytes
      *trailer; /* bytes behind the last child that make no box; NULL if none */
};

/** Whether a leaf starts with a box of type @inner, and is none that is there to be ignored (free, skip): see bmff_inner_type(). */
gboolean bmff_box_hides (const BmffBox *self, guint32 inner);

/**
 * bmff_box_parse:
 * @bytes: one whole box, its header first; more bytes behind it are ignored
 * @offset: where @bytes starts in the file, for offsets and messages
 *
 * Parses a box and, in the containers that the standard defines as such (moov,
 * trak, edts, mdia, minf, dinf, stbl, mvex, moof, traf, mfra, sinf, schi, …),
 * what is in it. stsd stays a leaf until bmff_track_parse() or
 * bmff_box_parse_stsd(), because its children's shape depends on the handler;
 * meta and udta stay leaves, because what the field puts there often breaks the
 * standard and is not ours to edit.
 *
 * Returns: (transfer full): the tree, or NULL with @error
 */
BmffBox *bmff_box_parse (GBytes *bytes, guint64 offset, GError **error);

/**
 * bmff_box_parse_stsd: turns the leaf @stsd into a container of sample entries,
 * each with its fields as payload and its child boxes as children: 78 bytes of
 * fields for handler `vide`, 28 for `soun` (44 and 64 for QuickTime's versions
 * 1 and 2, which only a stsd of version 0 can hold); entries of other handlers
 * stay leaves. Does nothing if it is a container already.
 */
gboolean bmff_box_parse_stsd (BmffBox *stsd, guint32 handler, GError **error);

/** A leaf; @payload is (transfer full). */
BmffBox *bmff_box_new (guint32 type, GBytes *payload);
/** A container without fields. */
BmffBox *bmff_box_new_container (guint32 type);
BmffBox *bmff_box_copy (const BmffBox *self);
void bmff_box_free (BmffBox *self);

/** The first child of that type, or NULL. */
BmffBox *bmff_box_child (const BmffBox *self, guint32 type);
/** The nth child (from 0) of that type, or NULL. */
BmffBox *bmff_box_nth_child (const BmffBox *self, guint32 type, guint n);
/** The next child of that type from place *@next (0 at first) on, which becomes the place behind it; NULL if there is none. To go through all of them. */
BmffBox *bmff_box_next_child (const BmffBox *self, guint32 type, guint *next);
/** @path: types joined by `/`, e.g. "mdia/minf/stbl"; the first match at each step. */
BmffBox *bmff_box_find (const BmffBox *self, const gchar *path);
/** @child is (transfer full). */
void bmff_box_append (BmffBox *self, BmffBox *child);
void bmff_box_insert (BmffBox *self, guint index, BmffBox *child);
/** Removes and frees @child, which has to be one of @self's. */
void bmff_box_remove (BmffBox *self, BmffBox *child);
/** Replaces the payload; (transfer full). */
void bmff_box_set_payload (BmffBox *self, GBytes *payload);
/** The payload as memory of the box's own that may be changed in place (copied once if shared). */
guint8 *bmff_box_edit_payload (BmffBox *self, gsize *size);

/** Bytes that bmff_box_write() will write: header, payload, children, trailer. */
guint64 bmff_box_get_size (const BmffBox *self);
void bmff_box_write (const BmffBox *self, BmffWriter *writer);
/** bmff_box_write() into memory of its own; (transfer full). */
GBytes *bmff_box_to_bytes (const BmffBox *self);
/** What bmff_box_write() writes as pieces of memory, of which the large ones are shared with the tree; (transfer full) (element-type GBytes). */
GPtrArray *bmff_box_to_pieces (const BmffBox *self);

/** A reader over the payload. */
void bmff_box_get_reader (const BmffBox *self, BmffReader *reader);
/** Likewise, behind the version and flags of a FullBox; both may be NULL. FALSE with a truncated-error if even these are missing. */
gboolean bmff_box_get_full_reader (const BmffBox *self, BmffReader *reader,
    guint8 *version, guint32 *flags, GError **error);
/** FALSE with a truncated-error if @reader, over the payload, was asked for more than there is. */
gboolean bmff_box_check_end (const BmffBox *self, const BmffReader *reader,
    GError **error);
/** Sets an error of @code that names @self and its offset: "tenc at 1234: …". */
void bmff_box_set_error (const BmffBox *self, GError **error, BmffError code,
    const gchar *format, ...) G_GNUC_PRINTF (4, 5);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BmffBox, bmff_box_free)

G_END_DECLS
