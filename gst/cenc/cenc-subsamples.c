/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gst/cenc/cenc-subsamples.h"

#include <gst/cenc/gstcenckeysession.h>

#include <string.h>

#define MAX_CLEAR G_MAXUINT16

/* saiz counts bytes with 8 bits; subsample_count itself takes two of them. */
guint
cenc_subsamples_get_max (guint iv_size)
{
  return (G_MAXUINT8 - 2 - iv_size) / CENC_SUBSAMPLE_SIZE;
}

/* The part of @range that a scheme protects: see 23001-7, 9.5.2.3. */
static CencRange
align (CencScheme scheme, const CencRange *range)
{
  CencRange aligned = *range;
  gsize slack = range->size % CENC_BLOCK_SIZE;

  if (scheme != CENC_SCHEME_CBCS) {
    aligned.offset += slack;
    aligned.size -= slack;
  }
  return aligned;
}

/* Ranges of a sample; mostly few, and then without an allocation. */
typedef struct
{
  CencRange few[8];
  CencRange *data;
  guint len;
} Ranges;

/* Aligned ranges, without those of which nothing is left. */
static void
align_all (Ranges *aligned, CencScheme scheme, const CencRange *ranges,
    guint n_ranges)
{
  guint i;

  aligned->len = 0;
  aligned->data = n_ranges <= G_N_ELEMENTS (aligned->few)
      ? aligned->few
      : g_new (CencRange, n_ranges);
  for (i = 0; i < n_ranges; i++) {
    CencRange range = align (scheme, &ranges[i]);

    if (range.size > 0)
      aligned->data[aligned->len++] = range;
  }
}

static void
ranges_clear (Ranges *self)
{
  if (self->data != self->few)
    g_free (self->data);
}

/* Entries for @clear bytes followed by protected ones (or by none). */
static guint64
count_entries (gsize clear, gboolean is_tail)
{
  if (is_tail)
    return clear / MAX_CLEAR + (clear % MAX_CLEAR ? 1 : 0);
  return clear > MAX_CLEAR ? 1 + (clear - 1) / MAX_CLEAR : 1;
}

/* Entries for a sample whose ranges of less than @threshold bytes, and the
 * first @n_equal ones of just that size, stay clear. */
static guint64
count_all (const Ranges *ranges, gsize sample_size, gsize threshold,
    guint n_equal)
{
  guint64 n = 0;
  gsize pos = 0;
  guint i;

  for (i = 0; i < ranges->len; i++) {
    const CencRange *range = &ranges->data[i];

    if (range->size < threshold)
      continue;
    if (range->size == threshold && n_equal > 0) {
      n_equal--;
      continue;
    }
    n += count_entries (range->offset - pos, FALSE);
    pos = range->offset + range->size;
  }
  return n + count_entries (sample_size - pos, TRUE);
}

static void
drop_smallest (Ranges *ranges, gsize threshold, guint n_equal)
{
  guint i, kept = 0;

  for (i = 0; i < ranges->len; i++) {
    CencRange range = ranges->data[i];

    if (range.size < threshold)
      continue;
    if (range.size == threshold && n_equal > 0) {
      n_equal--;
      continue;
    }
    ranges->data[kept++] = range;
  }
  ranges->len = kept;
}

static gint
compare_sizes (gconstpointer a, gconstpointer b)
{
  gsize x = *(const gsize *) a, y = *(const gsize *) b;

  return x < y ? -1 : x > y;
}

static GArray *
sorted_sizes (const Ranges *ranges)
{
  GArray *sizes = g_array_sized_new (FALSE, FALSE, sizeof (gsize), ranges->len);
  guint i;

  for (i = 0; i < ranges->len; i++)
    g_array_append_val (sizes, ranges->data[i].size);
  g_array_sort (sizes, compare_sizes);
  return sizes;
}

/*
 * Leaves the smallest ranges clear until the entries fit. Each range takes an
 * entry at least, so that the search starts where as many are left as fit: it
 * takes at most @max steps, however many ranges there are. The last range is
 * never dropped: a sample would go out clear that a label calls protected.
 */
static gboolean
fit (Ranges *ranges, gsize sample_size, guint max, GError **error)
{
  g_autoptr (GArray) sizes = NULL;
  guint n_drop;

  if (count_all (ranges, sample_size, 0, 0) <= max)
    return TRUE;

  sizes = sorted_sizes (ranges);
  n_drop = ranges->len > max ? ranges->len - max : 1;
  for (; n_drop < ranges->len; n_drop++) {
    gsize threshold = g_array_index (sizes, gsize, n_drop - 1);
    guint n_equal = 0;

    while (n_equal < n_drop &&
        g_array_index (sizes, gsize, n_drop - 1 - n_equal) == threshold)
      n_equal++;
    if (count_all (ranges, sample_size, threshold, n_equal) <= max) {
      drop_smallest (ranges, threshold, n_equal);
      return TRUE;
    }
  }
  g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_UNSUPPORTED,
      "a sample of %" G_GSIZE_FORMAT " bytes does not fit into %u subsamples",
      sample_size, max);
  return FALSE;
}

static void
append_entry (GByteArray *out, guint16 clear, guint32 protected_bytes)
{
  guint8 entry[CENC_SUBSAMPLE_SIZE] = { (guint8) (clear >> 8), (guint8) clear,
    (guint8) (protected_bytes >> 24), (guint8) (protected_bytes >> 16),
    (guint8) (protected_bytes >> 8), (guint8) protected_bytes };

  g_byte_array_append (out, entry, sizeof entry);
}

guint
cenc_subsamples_append_span (GByteArray *out, gsize clear,
    guint32 protected_bytes)
{
  guint n = 0;

  for (; clear > MAX_CLEAR; clear -= MAX_CLEAR, n++)
    append_entry (out, MAX_CLEAR, 0);
  if (clear > 0 || protected_bytes > 0) {
    append_entry (out, (guint16) clear, protected_bytes);
    n++;
  }
  return n;
}

static gboolean
check_ranges (const CencRange *ranges, guint n_ranges, gsize sample_size,
    GError **error)
{
  gsize pos = 0;
  guint i;

  for (i = 0; i < n_ranges; i++) {
    if (ranges[i].offset < pos || ranges[i].offset > sample_size ||
        ranges[i].size > sample_size - ranges[i].offset)
      break;
    pos = ranges[i].offset + ranges[i].size;
  }
  if (i == n_ranges && sample_size <= G_MAXUINT32)
    return TRUE;
  g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_UNSUPPORTED,
      "range %u of a sample of %" G_GSIZE_FORMAT
      " bytes overlaps another or leaves the sample",
      i, sample_size);
  return FALSE;
}

static guint
append_ranges (GByteArray *out, const Ranges *ranges, gsize sample_size)
{
  gsize pos = 0;
  guint i, n = 0;

  for (i = 0; i < ranges->len; i++) {
    const CencRange *range = &ranges->data[i];

    n += cenc_subsamples_append_span (out, range->offset - pos,
        (guint32) range->size);
    pos = range->offset + range->size;
  }
  return n + cenc_subsamples_append_span (out, sample_size - pos, 0);
}

gint
cenc_subsamples_append (GByteArray *out, CencScheme scheme,
    const CencRange *ranges, guint n_ranges, gsize sample_size,
    guint max_subsamples, GError **error)
{
  Ranges aligned;
  gint n = -1;

  if (!check_ranges (ranges, n_ranges, sample_size, error))
    return -1;
  align_all (&aligned, scheme, ranges, n_ranges);
  if (max_subsamples == 0 || fit (&aligned, sample_size, max_subsamples, error))
    n = (gint) append_ranges (out, &aligned, sample_size);
  ranges_clear (&aligned);
  return n;
}
