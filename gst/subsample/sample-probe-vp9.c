/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * VP9 with a wrong key: the compressed header and each tile begin with a marker
 * bit that is 0 (VP9 bitstream specification, 9.2.1), and a tile that is not the
 * last begins with its size (6.4). What stands before them is clear.
 */

#include "gst/subsample/sample-probe-private.h"
#include "gst/subsample/vp9-superframe.h"

#include "gst/isobmff/bmff-reader.h"

#define TILE_SIZE_BYTES 4
/* A frame's width is 16 bits. */
#define MAX_COLS_LOG2 6

/* What an uncompressed header says. */
typedef struct
{
  guint profile;
  gboolean is_shown_again; /* show_existing_frame: there is nothing else */
  guint width; /* 0: that of a reference */
} Header;

/* One reading of where things stand in a frame. Offsets count from its first byte. */
typedef struct
{
  gsize compressed; /* the compressed header */
  gsize tiles;
  guint n_tiles; /* or more, if the width is not known */
  gboolean width_known;
} Layout;

/* The lower one counts where one of two readings is the right one. */
typedef enum
{
  LAYOUT_UNKNOWN, /* the header was not clear as it should have been */
  LAYOUT_FITS,
  LAYOUT_BROKEN, /* by what was decrypted */
  LAYOUT_IMPOSSIBLE, /* by what is clear */
} Verdict;

typedef struct
{
  const SampleProbeCover *cover;
  const guint8 *sample;
  const guint8 *frame;
  gsize size; /* of the frame */
  gboolean was_tested; /* something that was decrypted has been looked at */
} Frame;

/*
 * The uncompressed header, 6.2
 */

static void
skip_color_config (PlainBits *bits, guint profile)
{
  if (profile >= 2)
    plain_bits_skip (bits, 1); /* ten_or_twelve_bit */
  if (plain_bits_read (bits, 3) != 7) {
    plain_bits_skip (bits, 1);
    if (profile & 1)
      plain_bits_skip (bits, 3);
  } else if (profile & 1) {
    plain_bits_skip (bits, 1);
  }
}

static guint
read_frame_size (PlainBits *bits)
{
  guint width = plain_bits_read (bits, 16) + 1;

  plain_bits_skip (bits, 16);
  return width;
}

static void
skip_render_size (PlainBits *bits)
{
  if (plain_bits_read (bits, 1))
    plain_bits_skip (bits, 32);
}

static void
read_intra_size (PlainBits *bits, Header *header)
{
  header->width = read_frame_size (bits);
  skip_render_size (bits);
}

static void
read_inter_size (PlainBits *bits, Header *header)
{
  guint i;

  for (i = 0; i < 3; i++) {
    if (plain_bits_read (bits, 1))
      break;
  }
  header->width = i == 3 ? read_frame_size (bits) : 0;
  skip_render_size (bits);
}

/* From the type of the frame up to the contexts. */
static void
read_frame_kind (PlainBits *bits, Header *header)
{
  gboolean is_key = plain_bits_read (bits, 1) == 0;
  gboolean is_shown = plain_bits_read (bits, 1);
  gboolean is_resilient = plain_bits_read (bits, 1);
  gboolean is_intra = !is_key && !is_shown && plain_bits_read (bits, 1);

  if (!is_key && !is_resilient)
    plain_bits_skip (bits, 2); /* reset_frame_context */
  if (is_key || is_intra) {
    plain_bits_skip (bits, 24); /* frame_sync_code */
    if (is_key || header->profile > 0)
      skip_color_config (bits, header->profile);
    if (is_intra)
      plain_bits_skip (bits, 8); /* refresh_frame_flags */
    read_intra_size (bits, header);
  } else {
    plain_bits_skip (bits, 8 + 3 * 4); /* and the references */
    read_inter_size (bits, header);
    plain_bits_skip (bits, 1); /* allow_high_precision_mv */
    if (!plain_bits_read (bits, 1))
      plain_bits_skip (bits, 2); /* raw_interpolation_filter */
  }
  plain_bits_skip (bits, (is_resilient ? 0 : 2) + 2); /* contexts */
}

/* @n fields, each behind a bit that says whether it is there. */
static void
skip_optional (PlainBits *bits, guint n, guint size)
{
  for (; n > 0; n--) {
    if (plain_bits_read (bits, 1))
      plain_bits_skip (bits, size);
  }
}

static void
skip_filter_and_quantizer (PlainBits *bits)
{
  plain_bits_skip (bits, 6 + 3);
  /* loop_filter_delta_enabled, loop_filter_delta_update */
  if (plain_bits_read (bits, 1)) {
    if (plain_bits_read (bits, 1))
      skip_optional (bits, 4 + 2, 7);
  }
  plain_bits_skip (bits, 8);
  skip_optional (bits, 3, 5);
}

static void
skip_segmentation (PlainBits *bits)
{
  static const guint sizes[] = { 9, 7, 2, 0 }; /* with their signs */
  guint i;

  if (!plain_bits_read (bits, 1))
    return;
  if (plain_bits_read (bits, 1)) {
    skip_optional (bits, 7, 8);
    if (plain_bits_read (bits, 1))
      skip_optional (bits, 3, 8);
  }
  if (!plain_bits_read (bits, 1))
    return;
  plain_bits_skip (bits, 1);
  for (i = 0; i < 8 * G_N_ELEMENTS (sizes); i++)
    skip_optional (bits, 1, sizes[i % G_N_ELEMENTS (sizes)]);
}

/* Up to tile_info(). */
static gboolean
read_header (PlainBits *bits, Header *header)
{
  if (plain_bits_read (bits, 2) != 2)
    return FALSE;
  header->profile = plain_bits_read (bits, 1);
  header->profile |= plain_bits_read (bits, 1) << 1;
  if (header->profile == 3)
    plain_bits_skip (bits, 1);
  header->is_shown_again = plain_bits_read (bits, 1);
  if (header->is_shown_again)
    return !bits->failed;
  read_frame_kind (bits, header);
  skip_filter_and_quantizer (bits);
  skip_segmentation (bits);
  return !bits->failed;
}

/*
 * What follows, as one may read it
 */

static gboolean
is_covered (const Frame *self, gsize at)
{
  return sample_probe_cover_has (self->cover,
      (gsize) (self->frame - self->sample) + at);
}

/* A byte that holds a marker bit. */
static Verdict
check_marker (Frame *self, gsize at)
{
  gboolean covered = is_covered (self, at);

  self->was_tested |= covered;
  if ((self->frame[at] & 0x80) == 0)
    return LAYOUT_FITS;
  return covered ? LAYOUT_BROKEN : LAYOUT_IMPOSSIBLE;
}

/* A tile that is not the last: moves @at behind it. */
static Verdict
check_sized_tile (Frame *self, gsize *at)
{
  gsize left = self->size - *at, size;
  gboolean covered;

  if (left <= TILE_SIZE_BYTES)
    return LAYOUT_IMPOSSIBLE;
  covered =
      is_covered (self, *at) || is_covered (self, *at + TILE_SIZE_BYTES - 1);
  self->was_tested |= covered;
  size = bmff_get_u32 (self->frame + *at);
  left -= TILE_SIZE_BYTES;
  if (size == 0 || size >= left)
    return covered ? LAYOUT_BROKEN : LAYOUT_IMPOSSIBLE;
  *at += TILE_SIZE_BYTES + size;
  return check_marker (self, *at - size);
}

static Verdict
check_counted_tiles (Frame *self, gsize at, guint n_tiles)
{
  Verdict verdict = LAYOUT_FITS;

  for (; n_tiles > 1 && verdict == LAYOUT_FITS; n_tiles--)
    verdict = check_sized_tile (self, &at);
  return verdict == LAYOUT_FITS ? check_marker (self, at) : verdict;
}

/* The first one, which has a size if it is not the last. */
static Verdict
check_first_tile (Frame *self, gsize at, gboolean may_be_last)
{
  Verdict last = may_be_last ? check_marker (self, at) : LAYOUT_IMPOSSIBLE;
  Verdict sized;

  if (last == LAYOUT_FITS)
    return last;
  sized = check_sized_tile (self, &at);
  return sized == LAYOUT_IMPOSSIBLE ? last : sized;
}

static Verdict
check_layout (Frame *self, const Layout *layout)
{
  Verdict verdict = check_marker (self, layout->compressed);

  if (verdict != LAYOUT_FITS)
    return verdict;
  return layout->width_known
      ? check_counted_tiles (self, layout->tiles, layout->n_tiles)
      : check_first_tile (self, layout->tiles, layout->n_tiles == 1);
}

static gboolean
header_is_clear (const Frame *self, gsize size)
{
  gsize i;

  for (i = 0; i < size; i++) {
    if (is_covered (self, i))
      return FALSE;
  }
  return TRUE;
}

/* From tile_rows_log2 to the end of the header. @bits is a copy. */
static Verdict
read_and_check_layout (Frame *self, PlainBits bits, guint cols_log2,
    gboolean width_known)
{
  Layout layout = { .width_known = width_known };
  guint rows_log2 = plain_bits_read (&bits, 1), padding;
  gsize size;

  if (rows_log2)
    rows_log2 += plain_bits_read (&bits, 1);
  size = plain_bits_read (&bits, 16);
  padding = plain_bits_read (&bits, (guint) (-bits.pos & 7));
  if (bits.failed)
    return LAYOUT_IMPOSSIBLE;
  layout.compressed = bits.pos / 8;
  layout.tiles = layout.compressed + size;
  layout.n_tiles = 1u << (cols_log2 + rows_log2);
  if (!header_is_clear (self, layout.compressed))
    return LAYOUT_UNKNOWN;
  return padding == 0 && size > 0 && layout.tiles < self->size
      ? check_layout (self, &layout)
      : LAYOUT_IMPOSSIBLE;
}

/* tile_info() of 6.2.13, whose bits hang on the width; @bits stands there. */
static Verdict
check_known_width (Frame *self, PlainBits bits, guint width)
{
  guint superblocks = (width + 63) / 64, min = 0, max = 1, cols;

  while ((64u << min) < superblocks)
    min++;
  while (superblocks >> max >= 4)
    max++;
  max--;
  for (cols = min; cols < max && plain_bits_read (&bits, 1);)
    cols++;
  return read_and_check_layout (self, bits, cols, TRUE);
}

/* All readings that some width allows: ones, with a zero behind them or as many as
 * there can be. The right one is among them. */
static Verdict
check_any_width (Frame *self, PlainBits bits)
{
  Verdict verdict = LAYOUT_IMPOSSIBLE;
  gboolean more = TRUE;
  guint cols;

  for (cols = 0; cols <= MAX_COLS_LOG2 && more; cols++) {
    verdict = MIN (verdict, read_and_check_layout (self, bits, cols, FALSE));
    more = plain_bits_read (&bits, 1);
    if (!more)
      verdict = MIN (verdict, read_and_check_layout (self, bits, cols, FALSE));
  }
  return verdict;
}

static Verdict
check_frame (Frame *self)
{
  PlainBits bits = { .data = self->frame, .size = self->size };
  Header header = { 0 };

  if (!read_header (&bits, &header) || header.is_shown_again)
    return LAYOUT_IMPOSSIBLE;
  return header.width > 0 ? check_known_width (self, bits, header.width)
                          : check_any_width (self, bits);
}

/*
 * Superframes
 */

/* An index that was decrypted is none that could be relied on. */
static guint
read_frame_sizes (const SampleProbeCover *cover, const guint8 *sample,
    gsize size, gsize sizes[VP9_MAX_FRAMES])
{
  sizes[0] = size;
  return sample_probe_cover_has (cover, size - 1)
      ? 1
      : vp9_superframe_read (sample, size, sizes);
}

void
probe_vp9_try (const SampleProbeCover *cover, const guint8 *sample, gsize size,
    guint *n_fit, guint *n_broken)
{
  gsize sizes[VP9_MAX_FRAMES], at = 0;
  guint n = read_frame_sizes (cover, sample, size, sizes), i;

  *n_fit = *n_broken = 0;
  for (i = 0; i < n; at += sizes[i++]) {
    Frame frame = { cover, sample, sample + at, sizes[i], FALSE };
    Verdict verdict = sizes[i] > 0 ? check_frame (&frame) : LAYOUT_IMPOSSIBLE;

    *n_broken += verdict == LAYOUT_BROKEN;
    *n_fit += verdict == LAYOUT_FITS && frame.was_tested;
  }
}
