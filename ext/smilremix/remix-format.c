/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "remix-format.h"

#include <string.h>

#include "remix-error.h"

#define FCC BMFF_FOURCC

/* Which codes mean one codec, and what a person calls it. */
static const struct
{
  guint32 type, codec;
  const gchar *name;
} codecs[] = {
  { FCC ('a', 'v', 'c', '1'), FCC ('a', 'v', 'c', '1'), "H.264" },
  { FCC ('a', 'v', 'c', '2'), FCC ('a', 'v', 'c', '1'), "H.264" },
  { FCC ('a', 'v', 'c', '3'), FCC ('a', 'v', 'c', '1'), "H.264" },
  { FCC ('a', 'v', 'c', '4'), FCC ('a', 'v', 'c', '1'), "H.264" },
  { FCC ('h', 'v', 'c', '1'), FCC ('h', 'v', 'c', '1'), "H.265" },
  { FCC ('h', 'e', 'v', '1'), FCC ('h', 'v', 'c', '1'), "H.265" },
  { FCC ('v', 'v', 'c', '1'), FCC ('v', 'v', 'c', '1'), "H.266" },
  { FCC ('v', 'v', 'i', '1'), FCC ('v', 'v', 'c', '1'), "H.266" },
  { FCC ('a', 'v', '0', '1'), FCC ('a', 'v', '0', '1'), "AV1" },
  { FCC ('v', 'p', '0', '8'), FCC ('v', 'p', '0', '8'), "VP8" },
  { FCC ('v', 'p', '0', '9'), FCC ('v', 'p', '0', '9'), "VP9" },
  { FCC ('m', 'p', '4', 'a'), FCC ('m', 'p', '4', 'a'), "AAC" },
  { FCC ('a', 'c', '-', '3'), FCC ('a', 'c', '-', '3'), "AC-3" },
  { FCC ('e', 'c', '-', '3'), FCC ('e', 'c', '-', '3'), "E-AC-3" },
  { FCC ('O', 'p', 'u', 's'), FCC ('O', 'p', 'u', 's'), "Opus" },
  { FCC ('f', 'L', 'a', 'C'), FCC ('f', 'L', 'a', 'C'), "FLAC" },
  { FCC ('w', 'v', 't', 't'), FCC ('w', 'v', 't', 't'), "WebVTT" },
  { FCC ('t', 'x', '3', 'g'), FCC ('t', 'x', '3', 'g'), "timed text (tx3g)" },
  { FCC ('s', 't', 'p', 'p'), FCC ('s', 't', 'p', 'p'), "TTML (stpp)" },
};

RemixKind
remix_kind_from_handler (guint32 handler)
{
  switch (handler) {
    case BMFF_HANDLER_VIDEO:
      return REMIX_KIND_VIDEO;
    case BMFF_HANDLER_AUDIO:
      return REMIX_KIND_AUDIO;
    case FCC ('t', 'e', 'x', 't'):
    case FCC ('s', 'b', 't', 'l'):
    case FCC ('s', 'u', 'b', 't'):
      return REMIX_KIND_TEXT;
    default:
      return REMIX_KIND_OTHER;
  }
}

const gchar *
remix_kind_to_string (RemixKind kind)
{
  static const gchar *const names[] = { "video", "audio", "text", "other" };

  return names[kind];
}

static gboolean
is_protected (guint32 type)
{
  return type == FCC ('e', 'n', 'c', 'v') || type == FCC ('e', 'n', 'c', 'a') ||
      type == FCC ('e', 'n', 'c', 't') || type == FCC ('e', 'n', 'c', 's');
}

/* The size of a descriptor of ISO/IEC 14496-1, 8.3.3: seven bits a byte. */
static guint32
read_descriptor (BmffReader *reader, guint8 *tag)
{
  guint32 size = 0;
  guint i;

  *tag = bmff_reader_u8 (reader);
  for (i = 0; i < 4; i++) {
    guint8 byte = bmff_reader_u8 (reader);

    size = size << 7 | (byte & 0x7f);
    if (!(byte & 0x80))
      break;
  }
  return size;
}

/* The DecoderSpecificInfo of an esds (ISO/IEC 14496-14, 6.7.2), and the object
 * type indication in front of it; empty if there is none. */
static BmffReader
find_decoder_info (const BmffBox *esds, guint8 *oti)
{
  BmffReader reader, none;
  guint8 tag, flags;

  bmff_reader_init (&none, NULL, 0);
  *oti = 0;
  if (!bmff_box_get_full_reader (esds, &reader, NULL, NULL, NULL))
    return none;
  read_descriptor (&reader, &tag);
  if (tag != 3)
    return none;
  bmff_reader_skip (&reader, 2);
  flags = bmff_reader_u8 (&reader);
  if (flags & 0x80)
    bmff_reader_skip (&reader, 2);
  if (flags & 0x40)
    bmff_reader_skip (&reader, bmff_reader_u8 (&reader));
  if (flags & 0x20)
    bmff_reader_skip (&reader, 2);
  read_descriptor (&reader, &tag);
  if (tag != 4)
    return none;
  *oti = bmff_reader_u8 (&reader);
  bmff_reader_skip (&reader, 12);
  if (bmff_reader_left (&reader) > 0) {
    guint32 size = read_descriptor (&reader, &tag);

    if (tag == 5 && size <= bmff_reader_left (&reader))
      return bmff_reader_sub (&reader, size);
  }
  return none;
}

typedef struct
{
  BmffReader reader;
  guint bit;
} Bits;

static guint
read_bits (Bits *bits, guint n)
{
  guint value = 0;

  for (; n > 0; n--) {
    gsize byte = bits->bit / 8;

    value <<= 1;
    if (byte < bits->reader.size)
      value |= bits->reader.data[byte] >> (7 - bits->bit % 8) & 1;
    else
      bits->reader.failed = TRUE;
    bits->bit++;
  }
  return value;
}

static guint
read_object_type (Bits *bits)
{
  guint type = read_bits (bits, 5);

  return type == 31 ? 32 + read_bits (bits, 6) : type;
}

static guint
read_sampling_frequency (Bits *bits)
{
  static const guint rates[] = { 96000, 88200, 64000, 48000, 44100, 32000,
    24000, 22050, 16000, 12000, 11025, 8000, 7350 };
  guint index = read_bits (bits, 4);

  if (index == 15)
    return read_bits (bits, 24);
  return index < G_N_ELEMENTS (rates) ? rates[index] : 0;
}

/* AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1), as far as it is signalled in
 * front; SBR that is signalled only behind does not change the frames. */
static void
parse_audio_config (RemixFormat *self, BmffReader info)
{
  static const guint channels[] = { 0, 1, 2, 3, 4, 5, 6, 8, 0, 0, 0, 7, 8, 0,
    8 };
  Bits bits = { info, 0 };
  guint rate, type;

  type = read_object_type (&bits);
  rate = read_sampling_frequency (&bits);
  self->channel_config = read_bits (&bits, 4);
  self->object_type = type;
  if (type == 5 || type == 29) {
    rate = read_sampling_frequency (&bits);
    type = read_object_type (&bits);
  }
  self->short_frames = read_bits (&bits, 1);
  if (bits.reader.failed) {
    self->object_type = 0;
    return;
  }
  if (rate > 0)
    self->rate = rate;
  if (self->channel_config < G_N_ELEMENTS (channels) &&
      channels[self->channel_config] > 0)
    self->channels = channels[self->channel_config];
}

static void
parse_audio_fields (RemixFormat *self, const BmffBox *entry)
{
  BmffBox *esds = bmff_box_child (entry, FCC ('e', 's', 'd', 's'));
  BmffReader reader;
  guint8 oti;

  bmff_box_get_reader (entry, &reader);
  bmff_reader_skip (&reader, 16);
  self->channels = bmff_reader_u16 (&reader);
  bmff_reader_skip (&reader, 6);
  self->rate = bmff_reader_u32 (&reader) >> 16;
  self->has_ac3 = remix_ac3_parse (&self->ac3, entry);
  if (esds) {
    BmffReader info = find_decoder_info (esds, &oti);

    if (oti == 0x40 && info.size > 0)
      parse_audio_config (self, info);
    else if (oti != 0x40) /* MP3 and others have codes of their own */
      self->codec = FCC ((guint32) 'm', 's', 0, oti);
  }
}

static void
parse_video_fields (RemixFormat *self, const BmffBox *entry)
{
  BmffReader reader;

  bmff_box_get_reader (entry, &reader);
  bmff_reader_skip (&reader, 24);
  self->width = bmff_reader_u16 (&reader);
  self->height = bmff_reader_u16 (&reader);
}

/* Information that may differ between sources of one encoder (rates), and says
 * nothing about how to decode. */
static gboolean
is_informative (guint32 type)
{
  return type == FCC ('b', 't', 'r', 't') || type == FCC ('f', 'r', 'e', 'e') ||
      type == FCC ('s', 'k', 'i', 'p');
}

static void
append_key_box (GByteArray *key, const BmffBox *box)
{
  if (box->type == FCC ('e', 's', 'd', 's')) {
    guint8 oti;
    BmffReader info = find_decoder_info (box, &oti);

    g_byte_array_append (key, &oti, 1);
    if (info.size > 0)
      g_byte_array_append (key, info.data, (guint) info.size);
  } else {
    g_autoptr (GBytes) bytes = bmff_box_to_bytes (box);

    g_byte_array_append (key, g_bytes_get_data (bytes, NULL),
        (guint) g_bytes_get_size (bytes));
  }
}

/* Type, what the fields say, and every box that is not just information. */
static GBytes *
make_key (const RemixFormat *self, const BmffBox *entry)
{
  GByteArray *key = g_byte_array_new ();
  guint32 fields[] = { self->type, self->width, self->height, self->rate,
    self->channels };
  guint i;

  g_byte_array_append (key, (const guint8 *) fields, sizeof (fields));
  if (!entry->children) {
    append_key_box (key, entry);
    return g_byte_array_free_to_bytes (key);
  }
  for (i = 0; i < entry->children->len; i++) {
    const BmffBox *child = g_ptr_array_index (entry->children, i);

    if (!is_informative (child->type))
      append_key_box (key, child);
  }
  return g_byte_array_free_to_bytes (key);
}

/* The decoder's configuration, and where it comes to stand. */
static void
find_config (RemixFormat *self, const BmffBox *entry)
{
  gsize at = 8 + g_bytes_get_size (entry->payload);
  guint i;

  for (i = 0; entry->children && i < entry->children->len; i++) {
    const BmffBox *child = g_ptr_array_index (entry->children, i);

    if (!self->config &&
        (child->type == FCC ('a', 'v', 'c', 'C') ||
            child->type == FCC ('h', 'v', 'c', 'C'))) {
      self->config = g_bytes_ref (child->payload);
      self->config_at = at + 8;
    }
    at += (gsize) bmff_box_get_size (child);
  }
}

/* What is written: data_reference_index 1, since all data is in the output. */
static GBytes *
make_entry (RemixFormat *self, const BmffBox *entry)
{
  g_autoptr (BmffBox) copy = bmff_box_copy (entry);
  guint8 *payload;
  gsize size;
  guint i;

  payload = bmff_box_edit_payload (copy, &size);
  if (size >= 8) {
    payload[6] = 0;
    payload[7] = 1;
  }
  for (i = copy->children ? copy->children->len : 0; i > 0; i--) {
    BmffBox *child = g_ptr_array_index (copy->children, i - 1);

    if (is_informative (child->type))
      bmff_box_remove (copy, child);
  }
  find_config (self, copy);
  return bmff_box_to_bytes (copy);
}

static gchar *
make_text (const RemixFormat *self, const gchar *name)
{
  g_autofree gchar *type = NULL;

  if (!name)
    name = type =
        g_strdup_printf ("%" BMFF_FOURCC_FORMAT, BMFF_FOURCC_ARGS (self->type));
  if (self->kind == REMIX_KIND_VIDEO)
    return g_strdup_printf ("%s %ux%u", name, self->width, self->height);
  if (self->kind != REMIX_KIND_AUDIO)
    return g_strdup (name);
  if (self->object_type == 5 || self->object_type == 29)
    name = "HE-AAC";
  return g_strdup_printf ("%s %u Hz, %u channel%s", name, self->rate,
      self->channels, self->channels == 1 ? "" : "s");
}

/* A copy of the esds in QuickTime's `wave`; NULL if there is none. */
static BmffBox *
find_in_wave (const BmffBox *wave)
{
  gsize size, at = 0;
  const guint8 *data = g_bytes_get_data (wave->payload, &size);
  BmffHeader header;

  while (bmff_header_parse (&header, data + at, size - at) == BMFF_HEADER_OK &&
      header.size >= header.header_size && header.size <= size - at) {
    if (header.type == FCC ('e', 's', 'd', 's')) {
      g_autoptr (GBytes) bytes =
          g_bytes_new_from_bytes (wave->payload, at, (gsize) header.size);

      return bmff_box_parse (bytes, wave->offset, NULL);
    }
    at += (gsize) header.size;
  }
  return NULL;
}

/* QuickTime's sound description of version 1, with 16 more bytes of fields and
 * the esds in a `wave`, as ISO/IEC 14496-12 has it: such stand in .mov files, and
 * the output is none. Other boxes (chan) repeat what the esds says. NULL if @entry is something else. */
static BmffBox *
convert_quicktime (const BmffBox *entry)
{
  BmffBox *wave = bmff_box_child (entry, FCC ('w', 'a', 'v', 'e'));
  BmffBox *esds = wave ? find_in_wave (wave) : NULL;
  BmffBox *copy;
  guint8 *fields;
  gsize size = g_bytes_get_size (entry->payload);
  GBytes *iso;

  if (size != 44 || !esds) {
    bmff_box_free (esds);
    return NULL;
  }
  copy = bmff_box_copy (entry);
  g_ptr_array_set_size (copy->children, 0);
  g_clear_pointer (&copy->trailer, g_bytes_unref);
  bmff_box_append (copy, esds);
  iso = g_bytes_new_from_bytes (copy->payload, 0, 28);
  g_bytes_unref (copy->payload);
  copy->payload = iso;
  fields = bmff_box_edit_payload (copy, &size);
  memset (fields + 8, 0, 8); /* version, revision, vendor */
  memset (fields + 20, 0, 4); /* compression, packet size */
  return copy;
}

RemixFormat *
remix_format_new (const BmffBox *entry, guint32 handler, GError **error)
{
  g_autoptr (RemixFormat) self = NULL;
  g_autoptr (BmffBox) converted = NULL;
  const gchar *name = NULL;
  guint i;

  if (is_protected (entry->type)) {
    g_set_error (error, REMIX_ERROR, REMIX_ERROR_FORMAT,
        "it is protected (%" BMFF_FOURCC_FORMAT "): decrypt it first",
        BMFF_FOURCC_ARGS (entry->type));
    return NULL;
  }
  if (g_bytes_get_size (entry->payload) < 8) {
    bmff_box_set_error (entry, error, BMFF_ERROR_TRUNCATED,
        "a sample entry of %" G_GSIZE_FORMAT " bytes",
        g_bytes_get_size (entry->payload));
    return NULL;
  }
  self = g_new0 (RemixFormat, 1);
  self->ref_count = 1;
  self->kind = remix_kind_from_handler (handler);
  self->type = self->codec = entry->type;
  for (i = 0; i < G_N_ELEMENTS (codecs); i++) {
    if (codecs[i].type == entry->type) {
      self->codec = codecs[i].codec;
      name = codecs[i].name;
    }
  }
  if (self->kind == REMIX_KIND_AUDIO)
    converted = convert_quicktime (entry);
  if (converted)
    entry = converted;
  if (self->kind == REMIX_KIND_VIDEO)
    parse_video_fields (self, entry);
  else if (self->kind == REMIX_KIND_AUDIO)
    parse_audio_fields (self, entry);
  self->key = make_key (self, entry);
  self->entry = make_entry (self, entry);
  self->text = make_text (self, name);
  return g_steal_pointer (&self);
}

RemixFormat *
remix_format_ref (RemixFormat *self)
{
  g_atomic_int_inc (&self->ref_count);
  return self;
}

void
remix_format_unref (RemixFormat *self)
{
  if (!self || !g_atomic_int_dec_and_test (&self->ref_count))
    return;
  g_clear_pointer (&self->key, g_bytes_unref);
  g_clear_pointer (&self->entry, g_bytes_unref);
  g_clear_pointer (&self->config, g_bytes_unref);
  g_free (self->text);
  g_free (self);
}

gboolean
remix_format_equal (const RemixFormat *a, const RemixFormat *b)
{
  return a == b || g_bytes_equal (a->key, b->key);
}

gboolean
remix_format_compatible (const RemixFormat *a, const RemixFormat *b)
{
  return a->kind == b->kind && a->codec == b->codec && a->rate == b->rate &&
      a->channels == b->channels && a->object_type == b->object_type &&
      a->short_frames == b->short_frames;
}
