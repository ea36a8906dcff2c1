/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A CPIX document (DASH-IF, "Content Protection Information Exchange Format",
 * 2.4; ETSI TS 103 799): content keys, for which track each is, and what DRM
 * systems want said of them. Immutable once it is read.
 */

#pragma once

#include <gst/cenc/gstcenckey.h>
#include "gst/cenc/cenc-params.h"

G_BEGIN_DECLS

#define CPIX_ERROR (cpix_error_quark ())
GQuark cpix_error_quark (void);

/**
 * CpixError: messages name line, KID or rule; never a key.
 * @CPIX_ERROR_XML: not well-formed, a DOCTYPE, beyond a limit
 * @CPIX_ERROR_DOCUMENT: not what CPIX 2 allows
 * @CPIX_ERROR_UNSUPPORTED: allowed, but not handled (a signature, a hierarchy of keys)
 * @CPIX_ERROR_RECIPIENT: encrypted, but not for the key at hand, or its MAC is wrong
 * @CPIX_ERROR_RULE: no key, or more than one, for a track
 * @CPIX_ERROR_FAILED: the cipher, memory
 */
typedef enum
{
  CPIX_ERROR_XML,
  CPIX_ERROR_DOCUMENT,
  CPIX_ERROR_UNSUPPORTED,
  CPIX_ERROR_RECIPIENT,
  CPIX_ERROR_RULE,
  CPIX_ERROR_FAILED,
} CpixError;

typedef struct
{
  guint8 kid[CENC_BLOCK_SIZE];
  GstCencKey *key; /* NULL: the document has none for it */
  gchar *scheme; /* commonEncryptionScheme; NULL: any */
  gboolean has_iv;
  guint8 iv[CENC_BLOCK_SIZE]; /* explicitIV: cbcs's constant IV */
  gboolean depends; /* dependsOnKey: the leaf of a hierarchy */
} CpixKey;

typedef struct
{
  guint8 system_id[16];
  guint8 kid[CENC_BLOCK_SIZE];
  GBytes *pssh; /* a whole box of that system; NULL */
  GBytes *content_protection; /* XML for a DASH manifest; NULL */
  GBytes *hls_multivariant, *hls_media; /* lines for HLS playlists; NULL */
} CpixSystem;

typedef enum
{
  CPIX_FILTER_PERIOD,
  CPIX_FILTER_LABEL,
  CPIX_FILTER_VIDEO,
  CPIX_FILTER_AUDIO,
  CPIX_FILTER_BITRATE,
  CPIX_FILTER_UNKNOWN, /* makes the rule, and so all of them, unusable */
} CpixFilterType;

/** An interval; where a bound is not given it is 0 or G_MAXUINT64. */
typedef struct
{
  guint64 min, max;
} CpixRange;

typedef struct
{
  CpixFilterType type;
  gchar *text; /* label; id of the period; name of what is unknown */
  CpixRange range; /* pixels, channels, bit/s: both ends included */
  CpixRange fps; /* above min, to max */
  gint hdr, wcg; /* -1: not asked for */
} CpixFilter;

typedef struct
{
  guint8 kid[CENC_BLOCK_SIZE];
  guint number; /* from 1, as they stand in the document */
  gchar *
      intended; /* intendedTrackType: says what it is for, matches nothing; NULL */
  GArray *filters; /* (element-type CpixFilter) */
} CpixRule;

/** How a period says when it is. */
typedef enum
{
  CPIX_PERIOD_INDEX, /* by number only: whoever encrypts knows when that is */
  CPIX_PERIOD_WALL, /* by the clock: nanoseconds since 1970, UTC */
  CPIX_PERIOD_OFFSET, /* by the time of the media, in nanoseconds */
} CpixPeriodKind;

typedef struct
{
  gchar *id; /* NULL: no rule can name it */
  CpixPeriodKind kind;
  guint32 index; /* of the first kind; it rolls over */
  gint64 start, end; /* of the others; end is not in the period */
} CpixPeriod;

typedef struct
{
  gatomicrefcount ref_count;
  gchar *content_id; /* NULL: none */
  GPtrArray *keys; /* (element-type CpixKey) */
  GPtrArray *systems; /* (element-type CpixSystem) */
  GPtrArray *rules; /* (element-type CpixRule) */
  GPtrArray *periods; /* (element-type CpixPeriod) */
} CpixDocument;

/** Without anything in it. */
CpixDocument *cpix_document_new (void);
CpixDocument *cpix_document_ref (CpixDocument *self);
void cpix_document_unref (CpixDocument *self);

CpixKey *cpix_document_add_key (CpixDocument *self, const guint8 *kid);
CpixSystem *cpix_document_add_system (CpixDocument *self,
    const guint8 *system_id, const guint8 *kid);
CpixRule *cpix_document_add_rule (CpixDocument *self, const guint8 *kid);
CpixPeriod *cpix_document_add_period (CpixDocument *self);
/** A filter that asks for nothing but its type's kind of track. Valid until the next one is added. */
CpixFilter *cpix_rule_add_filter (CpixRule *self, CpixFilterType type);
/** (transfer none) (nullable) */
const CpixKey *
cpix_document_find_key (const CpixDocument *self, const guint8 *kid);

/** "KID 00112233-…", for messages; (transfer full). */
gchar *cpix_format_kid (const guint8 *kid);
/** A UUID with its hyphens, as the schema's UUIDType; 16 bytes to @out. */
gboolean cpix_parse_uuid (const gchar *text, guint8 *out);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CpixDocument, cpix_document_unref)

G_END_DECLS
