/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * RemixSource: a file or an HTTP resource, read by place. It is the same from the
 * first byte to the last, or reading is an error. Used by one thread at a time.
 */

#pragma once

#include <gio/gio.h>

#include "gst/isobmff/bmff-source.h"
#include "smilremix/remix-uri.h"

G_BEGIN_DECLS

typedef struct _RemixSource RemixSource;

/** Bytes of a source, and where they go. */
typedef struct
{
  guint64 offset;
  guint8 *dest;
  gsize size;
} RemixPart;

typedef struct
{
  /* All of @size bytes, or FALSE. Never asked for what lies behind the size. */
  gboolean (*read) (RemixSource *self, guint64 offset, guint8 *dest, gsize size,
      GCancellable *cancellable, GError **error);
  void (*free) (RemixSource *self);
  /* Nullable: what remix_source_open() does. */
  gboolean (
      *open) (RemixSource *self, GCancellable *cancellable, GError **error);
  /* Nullable: bytes [start, end) will be read soon: asks for what of them is
   * neither there nor on the way. FALSE if that cannot be now. Does not block. */
  gboolean (*ahead) (RemixSource *self, guint64 start, guint64 end);
  /* Nullable: read() for many parts, at less cost than one after the other. */
  gboolean (*read_parts) (RemixSource *self, const RemixPart *parts, guint n,
      GCancellable *cancellable, GError **error);
  /* Not NULL if @ahead is not: it is read elsewhere now: what was asked for, and
   * nobody has read of, may make room for what is read soon. Does not block. */
  void (*forget) (RemixSource *self);
} RemixSourceFuncs;

/** Bytes [start, end) of a source. */
typedef struct
{
  guint64 start, end;
} RemixSpan;

struct _RemixSource
{
  const RemixSourceFuncs *funcs;
  gchar *uri;
  guint64 size; /* once it is open, as is etag */
  gboolean remote; /* bytes take their time */
  gchar *
      etag; /* what tells this version from others: an ETag, or time and size */
  /* (element-type RemixSpan): what will be read at all, in order and far apart;
   * NULL while that is not known. */
  GArray *spans;
};

/**
 * remix_source_open_file:
 *
 * Opens a `file:` URI. Only regular files: a pipe or a device would block, or
 * never end. Links are followed, and @policy judges where they lead.
 *
 * Returns: NULL with REMIX_ERROR_REFUSED, REMIX_ERROR_NOT_FOUND or
 *   REMIX_ERROR_READ
 */
RemixSource *remix_source_open_file (const gchar *uri,
    const RemixPolicy *policy, GError **error);

/** Waits for what a source of HTTP has been asked; before, nothing but remix_source_free() may be called. Others are open from the beginning. */
gboolean remix_source_open (RemixSource *self, GCancellable *cancellable,
    GError **error);

/** A read behind the end, or past it, is REMIX_ERROR_READ. */
gboolean remix_source_read (RemixSource *self, guint64 offset, guint8 *dest,
    gsize size, GCancellable *cancellable, GError **error);
/** Likewise, all of the @n @parts; cheapest in the order in which they lie in the source. */
gboolean remix_source_read_parts (RemixSource *self, const RemixPart *parts,
    guint n, GCancellable *cancellable, GError **error);
void remix_source_free (RemixSource *self);

/** Where the span ends that @offset lies in, or that starts within @size bytes behind it; G_MAXUINT64 if there is none. */
guint64 remix_source_get_span_end (const RemixSource *self, guint64 offset,
    guint64 size);

/** For gst/isobmff; @self and @cancellable are borrowed, and have to outlive it. */
BmffSource *remix_source_to_bmff (RemixSource *self, GCancellable *cancellable);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (RemixSource, remix_source_free)

G_END_DECLS
