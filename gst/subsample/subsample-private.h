/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the codecs of subsample share; not for other rooms. */

#pragma once

#include <gst/cenc/gstcenckeysession.h>

#include "gst/subsample/subsample.h"

G_BEGIN_DECLS

/* One codec. All functions that can fail set an error. */
typedef struct
{
  gboolean takes_pattern;
  /* @entry is valid for the call only. */
  gpointer (*open) (const BmffBox *entry, GError **error);
  void (*close) (gpointer state);
  void (*reset) (gpointer state); /* nullable */
  gboolean (*map) (gpointer state, const guint8 *sample, gsize size,
      GArray *ranges, GError **error);
  /* Of NAL units; NULL: the codec has none. Bytes of their length fields; whether
   * one that starts with these 2 bytes is a slice that map looks into. */
  guint (*get_length_size) (gconstpointer state);
  gboolean (*is_slice) (const guint8 *header);
} SubsampleCodec;

extern const SubsampleCodec subsample_h264;
extern const SubsampleCodec subsample_h265;
extern const SubsampleCodec subsample_h266;
extern const SubsampleCodec subsample_av1;
extern const SubsampleCodec subsample_vp9;
extern const SubsampleCodec subsample_ac4;

/* Sets an error and returns FALSE. */
gboolean subsample_fail (GError **error, GstCencError code, const gchar *format,
    ...) G_GNUC_PRINTF (3, 4);

/* Appends a range, unless it is empty. */
void subsample_add_range (GArray *ranges, gsize offset, gsize size);

/* The payload of the child box @type; NULL with GST_CENC_ERROR_FORMAT if it is
 * missing. (transfer full) */
GBytes *
subsample_get_config (const BmffBox *entry, guint32 type, GError **error);

/*
 * NAL units with their lengths in front (ISO/IEC 14496-15, 5.3.3.1.3).
 */

/* One NAL unit of a sample, or of a configuration box. */
typedef struct
{
  guint index; /* in the sample, from 0 */
  gsize offset; /* of its length field */
  const guint8 *prefixed; /* its length field */
  guint length_size; /* bytes of that */
  gsize size; /* bytes of the NAL unit behind it, at least 1 */
} SubsampleNal;

typedef gboolean (*SubsampleNalFunc) (gpointer state, const SubsampleNal *nal,
    GArray *ranges, GError **error);

/* Calls @func for each NAL unit of @sample that is not empty. */
gboolean
subsample_walk_nals (guint length_size, const guint8 *sample, gsize size,
    SubsampleNalFunc func, gpointer state, GArray *ranges, GError **error);

/* Reads @count NAL units with lengths of 16 bits from a configuration box and
 * calls @func without ranges for each. @box names it in errors. */
gboolean subsample_read_config_nals (BmffReader *reader, guint count,
    const gchar *box, SubsampleNalFunc func, gpointer state, GError **error);

/* Bytes of the range that a slice's header leaves. @header_bits is counted as
 * the parsers do it: from behind the NAL unit's header, with emulation
 * prevention bytes in it. FALSE, with an error, if they do not fit. */
gboolean subsample_add_slice (const SubsampleNal *nal, guint nal_header_bytes,
    guint header_bits, GArray *ranges, GError **error);

/* "NAL unit 3 (type 5) at offset 120 of the sample: " and the rest. */
gboolean subsample_fail_nal (GError **error, GstCencError code,
    const SubsampleNal *nal, guint type, const gchar *text);

/* Bits of a NAL unit's payload, without its emulation prevention bytes. A read
 * past the end gives 0 and sets failed. */
typedef struct
{
  const guint8 *data;
  gsize size;
  gsize pos; /* bytes */
  guint bit; /* of that byte, from 0 */
  guint zeros;
  gboolean failed;
} SubsampleBits;

void subsample_bits_init (SubsampleBits *self, const guint8 *data, gsize size);
guint32 subsample_bits_read (SubsampleBits *self, guint n);
guint32 subsample_bits_read_ue (SubsampleBits *self);
/* Bits that are left at most. */
gsize subsample_bits_left (const SubsampleBits *self);

G_END_DECLS
