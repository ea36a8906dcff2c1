/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cenc/decrypt-writer.h"

#include "gst/isobmff/bmff-reader.h"

#include <string.h>

#define META BMFF_FOURCC ('m', 'e', 't', 'a')
#define ID32 BMFF_FOURCC ('I', 'D', '3', '2')
#define PRIV BMFF_FOURCC ('P', 'R', 'I', 'V')

/* The change, in version 2.3. */
#define CHANGED_MAJOR 2
#define CHANGED_MINOR 3
#define CHANGED_TIME 1535498908 /* 2018-08-28T23:28Z */

#define SECONDS_1904_TO_1970 2082844800

/* Reads "12" of "12.3"; FALSE if there is no number. */
static gboolean
read_number (const gchar **text, const gchar *end, guint *number)
{
  const gchar *start = *text;

  for (*number = 0; *text < end && g_ascii_isdigit (**text) && *number < 10000;
       (*text)++)
    *number = *number * 10 + (guint) g_ascii_digit_value (**text);
  return *text > start;
}

/* FALSE: it is not of the form v2.0.2-16fddbe-release. */
static gboolean
read_version (const gchar *version, gsize size, guint *major, guint *minor)
{
  const gchar *at = version, *end = version + size;

  if (!version || size == 0 || *at++ != 'v' || !read_number (&at, end, major))
    return FALSE;
  return at < end && *at++ == '.' && read_number (&at, end, minor);
}

CencCryptFlags
decrypt_writer_get_flags (const gchar *owner, const gchar *version, gsize size,
    gint64 created)
{
  guint major, minor;
  gboolean before = created > 0 && created < CHANGED_TIME;

  if (!owner || !g_str_has_suffix (owner, "/shaka-packager"))
    return CENC_CRYPT_FLAGS_NONE;
  if (read_version (version, size, &major, &minor))
    before = major < CHANGED_MAJOR ||
        (major == CHANGED_MAJOR && minor < CHANGED_MINOR);
  return before ? CENC_CRYPT_CLEAR_CUT_RUNS : CENC_CRYPT_FLAGS_NONE;
}

/*
 * moov
 */

/* mvhd, seconds since 1970; 0: none that can be. */
static gint64
get_creation_time (const BmffMovie *movie)
{
  const BmffBox *mvhd =
      bmff_box_child (movie->moov, BMFF_FOURCC ('m', 'v', 'h', 'd'));
  BmffReader reader;
  guint64 time;
  guint8 version;

  if (!mvhd)
    return 0;
  bmff_box_get_reader (mvhd, &reader);
  version = bmff_reader_u8 (&reader);
  bmff_reader_skip (&reader, 3);
  time = bmff_reader_uint (&reader, version == 1 ? 8 : 4);
  if (!bmff_reader_ok (&reader) || time <= SECONDS_1904_TO_1970 ||
      time > G_MAXINT64)
    return 0;
  return (gint64) (time - SECONDS_1904_TO_1970);
}

/* Four bytes of seven bits each. */
static guint32
read_syncsafe (BmffReader *reader)
{
  guint32 bits = bmff_reader_u32 (reader);

  return (bits & 0x7f) | (bits & 0x7f00) >> 1 | (bits & 0x7f0000) >> 2 |
      (bits & 0x7f000000) >> 3;
}

static CencCryptFlags
read_private (const guint8 *data, gsize size, gint64 created)
{
  const guint8 *end = memchr (data, 0, size);

  if (!end)
    return CENC_CRYPT_FLAGS_NONE;
  return decrypt_writer_get_flags ((const gchar *) data,
      (const gchar *) end + 1, size - (gsize) (end + 1 - data), created);
}

/* ID3 2.4: without an extended header, which nobody writes here. */
static CencCryptFlags
read_id3 (BmffReader *reader, gint64 created)
{
  CencCryptFlags flags = CENC_CRYPT_FLAGS_NONE;

  bmff_reader_skip (reader, 10);
  while (flags == CENC_CRYPT_FLAGS_NONE && bmff_reader_left (reader) > 10) {
    guint32 type = bmff_reader_u32 (reader);
    gsize size = read_syncsafe (reader);
    const guint8 *data;

    bmff_reader_skip (reader, 2);
    data = bmff_reader_bytes (reader, size);
    if (!bmff_reader_ok (reader))
      break;
    if (type == PRIV)
      flags = read_private (data, size, created);
  }
  return flags;
}

/* The box in @meta, up to behind its language, and where it begins there. */
static gboolean
find_id32 (const BmffBox *meta, BmffReader *reader, gsize *place)
{
  BmffHeader header;
  gsize size;
  const guint8 *data = g_bytes_get_data (meta->payload, &size);
  gsize at = 4;

  while (at < size &&
      bmff_header_parse (&header, data + at, size - at) == BMFF_HEADER_OK &&
      header.size >= header.header_size && header.size <= size - at) {
    if (header.type == ID32) {
      *place = at;
      bmff_reader_init (reader, data + at + header.header_size,
          (gsize) header.size - header.header_size);
      return bmff_reader_skip (reader, 6);
    }
    at += (gsize) header.size;
  }
  return FALSE;
}

static CencCryptFlags
read_meta (const BmffMovie *movie, BmffBox **meta, gsize *place)
{
  BmffReader reader;

  *meta = bmff_box_child (movie->moov, META);
  if (!*meta || !(*meta)->payload || (*meta)->children ||
      !find_id32 (*meta, &reader, place))
    return CENC_CRYPT_FLAGS_NONE;
  return read_id3 (&reader, get_creation_time (movie));
}

CencCryptFlags
decrypt_writer_get_movie_flags (const BmffMovie *movie)
{
  BmffBox *meta;
  gsize place;

  return read_meta (movie, &meta, &place);
}

void
decrypt_writer_hide (BmffMovie *movie)
{
  BmffBox *meta;
  gsize place, size;

  while (read_meta (movie, &meta, &place) != CENC_CRYPT_FLAGS_NONE)
    memcpy (bmff_box_edit_payload (meta, &size) + place + 4, "free", 4);
}

/*
 * Tags
 */

static gint64
get_tagged_time (const GstTagList *tags)
{
  g_autoptr (GstDateTime) tagged = NULL;
  g_autoptr (GDateTime) time = NULL;

  if (!gst_tag_list_get_date_time (tags, GST_TAG_DATE_TIME, &tagged))
    return 0;
  time = gst_date_time_to_g_date_time (tagged);
  return time ? g_date_time_to_unix (time) : 0;
}

static CencCryptFlags
get_sample_flags (GstSample *sample, gint64 created)
{
  const GstStructure *info = gst_sample_get_info (sample);
  GstBuffer *buffer = gst_sample_get_buffer (sample);
  CencCryptFlags flags;
  GstMapInfo map;

  if (!info || !buffer || !gst_buffer_map (buffer, &map, GST_MAP_READ))
    return CENC_CRYPT_FLAGS_NONE;
  flags = decrypt_writer_get_flags (gst_structure_get_string (info, "owner"),
      (const gchar *) map.data, map.size, created);
  gst_buffer_unmap (buffer, &map);
  return flags;
}

CencCryptFlags
decrypt_writer_get_tags_flags (const GstTagList *tags)
{
  CencCryptFlags flags = CENC_CRYPT_FLAGS_NONE;
  guint i;

  for (i = 0; i < gst_tag_list_get_tag_size (tags, GST_TAG_PRIVATE_DATA); i++) {
    g_autoptr (GstSample) sample = NULL;

    if (gst_tag_list_get_sample_index (tags, GST_TAG_PRIVATE_DATA, i, &sample))
      flags |= get_sample_flags (sample, get_tagged_time (tags));
  }
  return flags;
}
