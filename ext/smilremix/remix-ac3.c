/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "remix-ac3.h"

#include <string.h>

#include "remix-bits.h"

#define FCC BMFF_FOURCC
#define N_BLOCKS 6
/* Exponent strategies. */
#define REUSE 0
#define D15 1
#define D45 3

static const guint bitrates[] = { 32, 40, 48, 56, 64, 80, 96, 112, 128, 160,
  192, 224, 256, 320, 384, 448, 512, 576, 640 };
static const guint rates[] = { 48000, 44100, 32000 };
/* Full-bandwidth channels of each acmod. */
static const guint n_channels[] = { 2, 1, 2, 3, 3, 4, 4, 5 };

static gboolean
parse_dac3 (RemixAc3Config *self, BmffReader *reader)
{
  guint32 bits = bmff_reader_u24 (reader), code = bits >> 5 & 31;

  self->fscod = bits >> 22;
  self->bsmod = bits >> 14 & 7;
  self->acmod = bits >> 11 & 7;
  self->lfe = bits >> 10 & 1;
  self->simple = code < G_N_ELEMENTS (bitrates) && self->fscod < 3 &&
      (bits >> 17 & 31) <= 8;
  self->kbps = self->simple ? bitrates[code] : 0;
  return !reader->failed;
}

static gboolean
parse_dec3 (RemixAc3Config *self, BmffReader *reader)
{
  guint head = bmff_reader_u16 (reader);
  guint32 bits = bmff_reader_u24 (reader);

  self->enhanced = TRUE;
  self->kbps = head >> 3;
  self->fscod = bits >> 22;
  self->bsmod = bits >> 12 & 7;
  self->acmod = bits >> 9 & 7;
  self->lfe = bits >> 8 & 1;
  self->simple = (head & 7) == 0 && (bits >> 1 & 15) == 0 && self->fscod < 3 &&
      (bits >> 17 & 31) == 16;
  return !reader->failed;
}

gboolean
remix_ac3_parse (RemixAc3Config *self, const BmffBox *entry)
{
  BmffBox *box = bmff_box_child (entry, FCC ('d', 'a', 'c', '3'));
  BmffReader reader;

  if (box) {
    bmff_box_get_reader (box, &reader);
    return parse_dac3 (self, &reader);
  }
  box = bmff_box_child (entry, FCC ('d', 'e', 'c', '3'));
  if (!box)
    return FALSE;
  bmff_box_get_reader (box, &reader);
  return parse_dec3 (self, &reader);
}

/* Of a frame, in words of 16 bits; 1536 samples, rounded down. */
static guint
get_words (const RemixAc3Config *self)
{
  return self->kbps * 96000u / rates[self->fscod];
}

static guint
get_bitrate_code (guint kbps)
{
  guint i = 0;

  while (i + 1 < G_N_ELEMENTS (bitrates) && bitrates[i] < kbps)
    i++;
  return i;
}

/* syncinfo() and bsi() of 4.3; crc1 is patched in at last. */
static void
put_ac3_header (RemixBits *bits, const RemixAc3Config *self)
{
  remix_bits_put (bits, 0x0b77, 16);
  remix_bits_put (bits, 0, 16); /* crc1 */
  remix_bits_put (bits, self->fscod, 2);
  remix_bits_put (bits, get_bitrate_code (self->kbps) << 1, 6);
  remix_bits_put (bits, 8, 5); /* bsid */
  remix_bits_put (bits, self->bsmod, 3);
  remix_bits_put (bits, self->acmod, 3);
  if (self->acmod & 1 && self->acmod != 1)
    remix_bits_put (bits, 0, 2); /* cmixlev */
  if (self->acmod & 4)
    remix_bits_put (bits, 0, 2); /* surmixlev */
  if (self->acmod == 2)
    remix_bits_put (bits, 0, 2); /* dsurmod */
  remix_bits_put (bits, self->lfe, 1);
  remix_bits_put (bits, 31, 5); /* dialnorm */
  remix_bits_put (bits, 0, 3); /* compre, langcode, audprodie */
  if (self->acmod == 0) {
    remix_bits_put (bits, 31, 5);
    remix_bits_put (bits, 0, 3);
  }
  remix_bits_put (bits, 0, 2); /* copyrightb, origbs */
  remix_bits_put (bits, 0, 3); /* timecod1e, timecod2e, addbsie */
}

/* Bandwidth code 0 is 73 mantissas, in D45 6 groups; all exponents are 15, each
 * difference being 0 (2 in each of three digits to base 5). */
static void
put_exponents (RemixBits *bits)
{
  guint i;

  remix_bits_put (bits, 15, 4);
  for (i = 0; i < 6; i++)
    remix_bits_put (bits, 62, 7);
  remix_bits_put (bits, 0, 2); /* gainrng */
}

static void
put_lfe_exponents (RemixBits *bits)
{
  remix_bits_put (bits, 15, 4);
  remix_bits_put (bits, 62, 7);
  remix_bits_put (bits, 62, 7);
}

/* Bit allocation information of the first block: with all SNR offsets 0 no
 * mantissa gets a bit (6.2.2). */
static void
put_ac3_allocation (RemixBits *bits, const RemixAc3Config *self)
{
  guint n = n_channels[self->acmod] + self->lfe;

  remix_bits_put (bits, 1, 1); /* baie */
  remix_bits_put (bits, 0, 2 + 2 + 2 + 2 + 3);
  remix_bits_put (bits, 1, 1); /* snroffste */
  remix_bits_put (bits, 0, 6); /* csnroffst */
  for (; n > 0; n--)
    remix_bits_put (bits, 0, 4 + 3); /* fsnroffst, fgaincod */
}

/* audblk() of 4.3.3. */
static void
put_ac3_block (RemixBits *bits, const RemixAc3Config *self, guint block)
{
  guint n = n_channels[self->acmod], i;
  gboolean first = block == 0;

  remix_bits_put (bits, 0, n); /* blksw */
  remix_bits_put (bits, 0, n); /* dithflag */
  remix_bits_put (bits, 0, self->acmod == 0 ? 2 : 1); /* dynrnge */
  remix_bits_put (bits, first, 1); /* cplstre */
  if (first)
    remix_bits_put (bits, 0, 1); /* cplinu */
  if (self->acmod == 2) {
    remix_bits_put (bits, first, 1); /* rematstr */
    if (first)
      remix_bits_put (bits, 0, 4);
  }
  for (i = 0; i < n; i++)
    remix_bits_put (bits, first ? D45 : REUSE, 2);
  if (self->lfe)
    remix_bits_put (bits, first ? D15 : REUSE, 1);
  if (first) {
    remix_bits_put (bits, 0, 6 * n); /* chbwcod */
    for (i = 0; i < n; i++)
      put_exponents (bits);
    if (self->lfe)
      put_lfe_exponents (bits);
    put_ac3_allocation (bits, self);
  } else {
    remix_bits_put (bits, 0, 2); /* baie, snroffste */
  }
  remix_bits_put (bits, 0, 2); /* deltbaie, skiple */
}

/* bsi() of E.1.2.2. */
static void
put_eac3_header (RemixBits *bits, const RemixAc3Config *self, guint words)
{
  remix_bits_put (bits, 0x0b77, 16);
  remix_bits_put (bits, 0, 2 + 3); /* strmtyp, substreamid */
  remix_bits_put (bits, words - 1, 11);
  remix_bits_put (bits, self->fscod, 2);
  remix_bits_put (bits, 3, 2); /* numblkscod: 6 */
  remix_bits_put (bits, self->acmod, 3);
  remix_bits_put (bits, self->lfe, 1);
  remix_bits_put (bits, 16, 5); /* bsid */
  remix_bits_put (bits, 31, 5); /* dialnorm */
  remix_bits_put (bits, 0, 1); /* compre */
  if (self->acmod == 0)
    remix_bits_put (bits, 31 << 1, 6);
  remix_bits_put (bits, 0, 3); /* mixmdate, infomdate, addbsie */
}

/* audfrm() of E.1.2.3: exponents in the first block, reused in the others. */
static void
put_eac3_frame_info (RemixBits *bits, const RemixAc3Config *self)
{
  guint n = n_channels[self->acmod], i, block;

  remix_bits_put (bits, 1, 1); /* expstre */
  remix_bits_put (bits, 0, 1); /* ahte */
  remix_bits_put (bits, 0, 2); /* snroffststr: for the whole frame */
  remix_bits_put (bits, 0, 2); /* transproce, blkswe */
  remix_bits_put (bits, 1, 1); /* dithflage: else there is dither */
  remix_bits_put (bits, 0, 5); /* bamode, frmfgaincode, dbaflde, skipflde,
                                  spxattene */
  if (self->acmod > 1) {
    remix_bits_put (bits, 0, 1); /* cplinu[0] */
    remix_bits_put (bits, 0, N_BLOCKS - 1); /* cplstre */
  }
  for (block = 0; block < N_BLOCKS; block++) {
    for (i = 0; i < n; i++)
      remix_bits_put (bits, block == 0 ? D45 : REUSE, 2);
  }
  for (block = 0; self->lfe && block < N_BLOCKS; block++)
    remix_bits_put (bits, block == 0 ? D15 : REUSE, 1);
  remix_bits_put (bits, 0, 5 * n); /* convexpstr: D15 and reuse, unused here */
  remix_bits_put (bits, 0, 6 + 4); /* frmcsnroffst, frmfsnroffst */
  remix_bits_put (bits, 0, 1); /* blkstrtinfoe */
}

/* audblk() of E.1.2.4. */
static void
put_eac3_block (RemixBits *bits, const RemixAc3Config *self, guint block)
{
  guint n = n_channels[self->acmod], i;

  remix_bits_put (bits, 0, n); /* dithflag */
  remix_bits_put (bits, 0, self->acmod == 0 ? 2 : 1); /* dynrnge */
  remix_bits_put (bits, 0, 1); /* spxinu, then spxstre */
  if (self->acmod == 2)
    remix_bits_put (bits, 0, block == 0 ? 4 : 1); /* rematflg, then rematstr */
  if (block == 0) {
    remix_bits_put (bits, 0, 6 * n); /* chbwcod */
    for (i = 0; i < n; i++)
      put_exponents (bits);
    if (self->lfe)
      put_lfe_exponents (bits);
  }
  remix_bits_put (bits, 0, 1); /* convsnroffste */
}

/* x^16 + x^15 + x^2 + 1, the highest bit first. */
static guint16
get_crc (const guint8 *data, gsize size)
{
  guint16 crc = 0;
  gsize i;
  guint bit;

  for (i = 0; i < size; i++) {
    crc ^= (guint16) (data[i] << 8);
    for (bit = 0; bit < 8; bit++)
      crc = (guint16) (crc & 0x8000 ? crc << 1 ^ 0x8005 : crc << 1);
  }
  return crc;
}

/* Divides by x^@n: what stands @n bits in front has to be for it to come out. */
static guint16
go_back (guint16 crc, gsize n)
{
  for (; n > 0; n--)
    crc = (guint16) (crc & 1 ? (crc ^ 0x18005u) >> 1 : crc >> 1);
  return crc;
}

static void
set_u16 (guint8 *at, guint16 value)
{
  at[0] = (guint8) (value >> 8);
  at[1] = (guint8) value;
}

/* crc2 at the end, over what comes behind @from; it must not look like the start
 * of a frame, which the bit in front of it is for. */
static void
set_crc2 (GByteArray *frame, gsize from)
{
  guint8 *at = frame->data + frame->len - 2;
  guint16 crc = get_crc (frame->data + from, frame->len - 2 - from);

  if (crc == 0x0b77) {
    at[-1] ^= 1;
    crc = get_crc (frame->data + from, frame->len - 2 - from);
  }
  set_u16 (at, crc);
}

/* crc1 stands in front of what it is over: the first five eighths. */
static void
set_ac3_crcs (GByteArray *frame)
{
  guint words = frame->len / 2;
  gsize end = ((words >> 1) + (words >> 3)) * 2;

  set_u16 (frame->data + 2,
      go_back (get_crc (frame->data + 4, end - 4), (end - 4) * 8 + 16));
  set_crc2 (frame, end);
}

GBytes *
remix_ac3_silence (const RemixAc3Config *self)
{
  RemixBits bits = { NULL, 0 };
  guint words, i;

  if (!self->simple)
    return NULL;
  words = get_words (self);
  if (self->enhanced)
    words = CLAMP (words, 64, 2048);
  bits.bytes = g_byte_array_sized_new (words * 2);
  if (self->enhanced) {
    put_eac3_header (&bits, self, words);
    put_eac3_frame_info (&bits, self);
  } else
    put_ac3_header (&bits, self);
  for (i = 0; i < N_BLOCKS; i++) {
    if (self->enhanced)
      put_eac3_block (&bits, self, i);
    else
      put_ac3_block (&bits, self, i);
  }
  g_assert (bits.bytes->len + 3 <= words * 2);
  i = bits.bytes->len;
  g_byte_array_set_size (bits.bytes, words * 2);
  memset (bits.bytes->data + i, 0, bits.bytes->len - i);
  if (self->enhanced)
    set_crc2 (bits.bytes, 2);
  else
    set_ac3_crcs (bits.bytes);
  return g_byte_array_free_to_bytes (bits.bytes);
}
