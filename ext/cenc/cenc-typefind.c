/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cenc/cenc-typefind.h"

#include "cenc/decrypt-ask.h"
#include "cenc/decrypt-groups.h"
#include <gst/cenc/gstcenckeysession.h>

#include <string.h>

#include "gst/cenc/cenc-pssh.h"
#include "gst/cenc/cenc-track.h"
#include "gst/isobmff/bmff-index.h"

/* A moov stands among the first boxes, or is the last of few. */
#define MAX_TOP_LEVEL_BOXES 64
/* As much of a moov as is looked at: sample entries stand near a track's
 * beginning, tables behind them. */
#define MAX_PEEK (8u << 20)
/* Of all fragments that are looked at: what was looked at stays in memory. */
#define MAX_FRAGMENTS (8u << 20)
#define MIN_PEEK 512u
/* Sample groups of one box, each with a key. */
#define MAX_GROUPS 64
/* Of a moov, and of the first fragments: each costs a look into the store. */
#define MAX_KIDS 1024

#define MOOV BMFF_FOURCC ('m', 'o', 'o', 'v')
#define TRAK BMFF_FOURCC ('t', 'r', 'a', 'k')
#define MDIA BMFF_FOURCC ('m', 'd', 'i', 'a')
#define MINF BMFF_FOURCC ('m', 'i', 'n', 'f')
#define STBL BMFF_FOURCC ('s', 't', 'b', 'l')
#define STSD BMFF_FOURCC ('s', 't', 's', 'd')
#define STTS BMFF_FOURCC ('s', 't', 't', 's')
#define HDLR BMFF_FOURCC ('h', 'd', 'l', 'r')
#define PSSH BMFF_FOURCC ('p', 's', 's', 'h')
#define MVEX BMFF_FOURCC ('m', 'v', 'e', 'x')
#define MOOF BMFF_FOURCC ('m', 'o', 'o', 'f')
#define MDAT BMFF_FOURCC ('m', 'd', 'a', 't')
#define TRAF BMFF_FOURCC ('t', 'r', 'a', 'f')
#define SGPD BMFF_FOURCC ('s', 'g', 'p', 'd')
#define SEIG BMFF_FOURCC ('s', 'e', 'i', 'g')

/* GStreamer tries the typefinders of a file's extension first: without these
 * the one for video/quicktime would come before this, whatever their ranks. */
#define EXTENSIONS \
  "mov,mp4,m4v,m4a,m4b,m4p,mp4a,qt,3gp,3g2,3gpp,k3g,skm,mj2,ism,ismv,isma," \
  "cmfv,cmfa,m4s,mqv,uvu,uvv,uvva"

/* What is known while a moov is walked, of which the end may be missing. */
typedef struct
{
  guint32 handler; /* of the track at hand */
  gboolean is_protected; /* an entry is */
  gboolean is_track_protected; /* the same of the track at hand */
  gboolean is_unknown; /* by a scheme that qtdemux does not know */
  gboolean is_fragmented;
  gboolean has_samples; /* a protected track has, in the moov itself */
  gboolean rotates; /* a sample group has a KID that no track has */
  GByteArray *kids; /* 16 bytes each */
  GByteArray *defaults; /* the same: those of sample entries, zeros too */
} Findings;

static gboolean
is_zero (const guint8 *kid)
{
  static const guint8 zero[GST_CENC_KID_SIZE];

  return memcmp (kid, zero, sizeof zero) == 0;
}

static void
append_kid (GByteArray *kids, const guint8 *kid)
{
  if (kids->len < MAX_KIDS * GST_CENC_KID_SIZE)
    g_byte_array_append (kids, kid, GST_CENC_KID_SIZE);
}

static gboolean
has_kid (const GByteArray *kids, const guint8 *kid)
{
  guint i;

  for (i = 0; i < kids->len; i += GST_CENC_KID_SIZE) {
    if (memcmp (kids->data + i, kid, GST_CENC_KID_SIZE) == 0)
      return TRUE;
  }
  return FALSE;
}

/* Rotating keys leave the default KID zero: that one names no key. */
static void
add_kid (Findings *findings, const guint8 *kid)
{
  if (!is_zero (kid))
    append_kid (findings->kids, kid);
}

static void
look_at_entries (Findings *findings, BmffBox *stsd)
{
  guint i;

  if (!bmff_box_parse_stsd (stsd, findings->handler, NULL) || !stsd->children)
    return;
  for (i = 0; i < stsd->children->len; i++) {
    CencEntry entry;

    if (!cenc_entry_parse (g_ptr_array_index (stsd->children, i), &entry, NULL))
      continue;
    if (entry.is_wrapped) {
      findings->is_protected = findings->is_track_protected = TRUE;
      if (entry.params.scheme == CENC_SCHEME_CENS ||
          entry.params.scheme == CENC_SCHEME_CBC1)
        findings->is_unknown = TRUE;
      add_kid (findings, entry.params.kid);
      append_kid (findings->defaults, entry.params.kid);
    }
  }
}

static void
look_at_pssh (Findings *findings, const BmffBox *box)
{
  g_autoptr (CencPssh) pssh = cenc_pssh_parse (box, NULL);
  guint i;

  for (i = 0; pssh && i < pssh->kids->len; i++)
    add_kid (findings,
        g_bytes_get_data (g_ptr_array_index (pssh->kids, i), NULL));
}

/* CencSampleEncryptionInformationGroupEntry: isProtected, the IV's size, the KID
 * (ISO/IEC 23001-7, 6). Takes @sgpd. */
static void
look_at_groups (Findings *findings, BmffBox *sgpd)
{
  g_autoptr (BmffBox) parent = bmff_box_new_container (TRAF);
  GBytes *entry;
  BmffSgpd groups;

  bmff_box_append (parent, sgpd);
  if (!bmff_sgpd_open (&groups, parent, SEIG, NULL))
    return;
  while (groups.next < MAX_GROUPS && (entry = bmff_sgpd_next (&groups, NULL))) {
    gsize size;
    const guint8 *data = g_bytes_get_data (entry, &size);

    if (size >= 4 + GST_CENC_KID_SIZE && data[2] != 0) {
      add_kid (findings, data + 4);
      findings->rotates |= !has_kid (findings->defaults, data + 4);
    }
    g_bytes_unref (entry);
  }
}

static void
look_at_handler (Findings *findings, const BmffBox *hdlr)
{
  BmffReader reader;

  bmff_box_get_reader (hdlr, &reader);
  bmff_reader_skip (&reader, 8); /* version, flags, pre_defined */
  findings->handler = bmff_reader_u32 (&reader);
}

/* @data: of an stts, of which the end may be missing */
static void
look_at_times (Findings *findings, const guint8 *data, gsize size)
{
  /* Behind version and flags: how many entries there are. */
  if (findings->is_track_protected && size >= 8 &&
      GST_READ_UINT32_BE (data + 4) > 0)
    findings->has_samples = TRUE;
}

static void
look_at_box (Findings *findings, const guint8 *data, gsize size)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (data, size);
  g_autoptr (BmffBox) box = bmff_box_parse (bytes, 0, NULL);

  if (!box)
    return;
  if (box->type == STSD)
    look_at_entries (findings, box);
  else if (box->type == HDLR)
    look_at_handler (findings, box);
  else if (box->type == SGPD)
    look_at_groups (findings, g_steal_pointer (&box));
  else
    look_at_pssh (findings, box);
}

/* Walks the boxes in @data as far as they are there. Containers that hold no
 * sample entries, and what is cut off, are passed over. */
static void
walk (Findings *findings, const guint8 *data, gsize size, guint depth)
{
  BmffHeader header;

  while (bmff_header_parse (&header, data, size) == BMFF_HEADER_OK) {
    guint64 box_size = header.size ? header.size : size;
    gsize here = (gsize) MIN (box_size, size);

    switch (header.type) {
      case TRAK:
        findings->is_track_protected = FALSE;
        G_GNUC_FALLTHROUGH;
      case MDIA:
      case MINF:
      case STBL:
      case TRAF:
        if (depth < BMFF_MAX_DEPTH)
          walk (findings, data + header.header_size, here - header.header_size,
              depth + 1);
        break;
      case STSD:
      case HDLR:
      case PSSH:
      case SGPD:
        if (box_size <= size)
          look_at_box (findings, data, here);
        break;
      case STTS:
        look_at_times (findings, data + header.header_size,
            here - header.header_size);
        break;
      case MVEX:
        findings->is_fragmented = TRUE;
        break;
      default:
        break;
    }
    data += here;
    size -= here;
  }
}

/* As much of the @size bytes at @offset as can be had: behind a stream there is
 * only so much. */
static const guint8 *
peek (GstTypeFind *find, guint64 offset, guint64 size, gsize *peeked)
{
  guint wanted = (guint) MIN (size, MAX_PEEK);
  const guint8 *data = gst_type_find_peek (find, (gint64) offset, wanted);

  while (!data && wanted > MIN_PEEK) {
    wanted /= 2;
    data = gst_type_find_peek (find, (gint64) offset, wanted);
  }
  *peeked = data ? wanted : 0;
  return data;
}

/* Finds the moov: FALSE if there is none within reach. */
static gboolean
find_moov (GstTypeFind *find, guint64 *offset, BmffHeader *header)
{
  guint i;

  *offset = 0;
  for (i = 0; i < MAX_TOP_LEVEL_BOXES; i++) {
    const guint8 *data = gst_type_find_peek (find, (gint64) *offset, 16);

    if (!data || bmff_header_parse (header, data, 16) == BMFF_HEADER_INVALID)
      return FALSE;
    if (header->type == MOOV)
      return header->size > header->header_size;
    if (header->size == 0 || header->size > G_MAXINT64 - *offset)
      return FALSE;
    *offset += header->size;
  }
  return FALSE;
}

/* Keys that rotate may be named by the fragments only, where the first ones have
 * to do: behind a stream no more of them can be had. @offset: behind the moov. */
static void
look_at_fragments (GstTypeFind *find, guint64 offset, Findings *findings)
{
  BmffHeader header;
  gsize size, left = MAX_FRAGMENTS;
  guint i;

  for (i = 0; i < MAX_TOP_LEVEL_BOXES && left > 0; i++) {
    const guint8 *data = gst_type_find_peek (find, (gint64) offset, 16);

    if (!data || bmff_header_parse (&header, data, 16) == BMFF_HEADER_INVALID ||
        header.size < header.header_size || header.size > G_MAXINT64 - offset)
      return;
    if (header.type == MOOF &&
        (data = peek (find, offset + header.header_size,
             MIN (left, header.size - header.header_size), &size))) {
      walk (findings, data, size, 0);
      left -= size;
    }
    offset += header.size;
  }
}

/* Whether there is media within reach. @offset: behind the moov. */
static gboolean
has_media (GstTypeFind *find, guint64 offset)
{
  guint i;

  for (i = 0; i < MAX_TOP_LEVEL_BOXES; i++) {
    const guint8 *data = gst_type_find_peek (find, (gint64) offset, 16);
    BmffHeader header;

    if (!data || bmff_header_parse (&header, data, 16) == BMFF_HEADER_INVALID)
      return FALSE;
    if (header.type == MOOF || header.type == MDAT)
      return TRUE;
    if (header.size < header.header_size || header.size > G_MAXINT64 - offset)
      return FALSE;
    offset += header.size;
  }
  return FALSE;
}

/* What hlsdemux2 (seen in 1.22, not changed in 1.28) looks at is an initialization
 * segment, and of types it takes video/quicktime only: its samples are decrypted
 * behind qtdemux. @end: of the moov. */
static gboolean
is_of_demuxer (GstTypeFind *find, const Findings *findings, guint64 end)
{
  return findings->is_fragmented && !findings->is_unknown &&
      !has_media (find, end);
}

/* Whether no decryptor behind qtdemux (up to 1.28) can have it: of samples in the
 * moov it tells nothing, cens and cbc1 it refuses, and before 1.24 it does not say whose
 * key a sample has where keys rotate. Then it is ours without a key too, which is asked
 * for, or missed by name. */
static gboolean
is_of_nobody_else (const Findings *findings)
{
  return findings->is_unknown || findings->has_samples ||
      (findings->rotates && decrypt_groups_are_unread ());
}

static gboolean
store_has_key (const GByteArray *kids)
{
  g_autoptr (GstCencKeySession) store = decrypt_ask_open_store ();
  guint i;

  for (i = 0; store && i + GST_CENC_KID_SIZE <= kids->len;
       i += GST_CENC_KID_SIZE) {
    if (gst_cenc_key_session_has_key (store, kids->data + i))
      return TRUE;
  }
  return FALSE;
}

static gboolean
have_key (const GByteArray *kids)
{
  guint i;

  for (i = 0; i + GST_CENC_KID_SIZE <= kids->len; i += GST_CENC_KID_SIZE) {
    if (gst_cenc_key_sessions_have_key (kids->data + i))
      return TRUE;
  }
  return kids->len > 0 && store_has_key (kids);
}

static void
cenc_typefind (GstTypeFind *find, gpointer user_data)
{
  g_autoptr (GByteArray) kids = g_byte_array_new ();
  g_autoptr (GByteArray) defaults = g_byte_array_new ();
  Findings findings = { .kids = kids, .defaults = defaults };
  BmffHeader header;
  guint64 offset;
  const guint8 *data;
  gboolean is_ours;
  gsize size;

  if (!find_moov (find, &offset, &header))
    return;
  data = peek (find, offset + header.header_size,
      header.size - header.header_size, &size);
  if (!data)
    return;
  walk (&findings, data, size, 0);
  if (!findings.is_protected || header.size > G_MAXINT64 - offset ||
      is_of_demuxer (find, &findings, offset + header.size))
    return;
  is_ours = is_of_nobody_else (&findings) || have_key (kids);
  if (!is_ours) {
    g_byte_array_set_size (kids, 0);
    look_at_fragments (find, offset + header.size, &findings);
    is_ours = is_of_nobody_else (&findings) || have_key (kids);
  }
  if (is_ours)
    gst_type_find_suggest_empty_simple (find, GST_TYPE_FIND_MAXIMUM,
        CENC_TYPEFIND_MEDIA_TYPE);
}

gboolean
cenc_typefind_register (GstPlugin *plugin)
{
  g_autoptr (GstCaps) caps =
      gst_caps_new_empty_simple (CENC_TYPEFIND_MEDIA_TYPE);

  return gst_type_find_register (plugin, CENC_TYPEFIND_MEDIA_TYPE,
      GST_RANK_PRIMARY + 1, cenc_typefind, EXTENSIONS, caps, NULL, NULL);
}
