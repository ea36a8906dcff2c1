/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "encrypt-spans.h"

#include "cenc/encrypt-rotate.h"

#define FOURCC_SEIG BMFF_FOURCC ('s', 'e', 'i', 'g')

/* Samples that follow one another and are in one period. */
typedef struct
{
  guint32 first;
  guint64 number; /* of the period */
  GstClockTime start;
  EncryptVariant *variant;
} Span;

struct _EncryptSpans
{
  GArray *spans; /* (element-type Span), by their first sample */
  guint32 count; /* of samples */
  guint last; /* the one that was looked up last */
};

static void
span_clear (gpointer data)
{
  g_clear_pointer (&((Span *) data)->variant, encrypt_variant_unref);
}

static gboolean
begin_span (EncryptSpans *self, EncryptPlan *plan, EncryptTrack *track,
    const Span *begin, GError **error)
{
  Span span = *begin;

  span.variant = encrypt_plan_make_variant (plan, track, span.number, error);
  if (!span.variant)
    return FALSE;
  g_array_append_val (self->spans, span);
  return TRUE;
}

static gboolean
add_sample (EncryptSpans *self, EncryptPlan *plan, EncryptTrack *track,
    const BmffSample *sample, guint32 timescale, GError **error)
{
  const Span *last = self->spans->len > 0
      ? &g_array_index (self->spans, Span, self->spans->len - 1)
      : NULL;
  Span span = { self->count };

  self->count++;
  if (last && (sample->flags & BMFF_SAMPLE_IS_NON_SYNC))
    return TRUE;
  if (!encrypt_plan_find_period (plan,
          encrypt_rotate_get_time (sample, timescale), &span.number, error))
    return FALSE;
  if (last && span.number <= last->number)
    return TRUE;
  span.start = gst_util_uint64_scale (encrypt_rotate_get_start (sample),
      GST_SECOND, timescale);
  return begin_span (self, plan, track, &span, error);
}

EncryptSpans *
encrypt_spans_new (EncryptPlan *plan, EncryptTrack *track,
    const BmffTrack *from, const BmffSampleTable *samples, guint32 n_lead,
    GError **error)
{
  g_autoptr (EncryptSpans) self = g_new0 (EncryptSpans, 1);
  BmffSampleCursor cursor;
  BmffSample sample;

  self->spans = g_array_new (FALSE, FALSE, sizeof (Span));
  g_array_set_clear_func (self->spans, span_clear);
  if (!encrypt_rotate_check_timescale (from, error))
    return NULL;
  self->count = n_lead;
  bmff_sample_cursor_init (&cursor, samples, n_lead);
  while (bmff_sample_cursor_next (&cursor, &sample)) {
    if (!add_sample (self, plan, track, &sample, from->timescale, error))
      return NULL;
  }
  return g_steal_pointer (&self);
}

void
encrypt_spans_free (EncryptSpans *self)
{
  g_array_unref (self->spans);
  g_free (self);
}

static guint32
end_of (const EncryptSpans *self, guint i)
{
  return i + 1 < self->spans->len
      ? g_array_index (self->spans, Span, i + 1).first
      : self->count;
}

/* Samples come mostly in their order: the span is the last one or the next. */
gboolean
encrypt_spans_use (EncryptSpans *self, EncryptTrack *track, guint32 index,
    GError **error)
{
  if (index < g_array_index (self->spans, Span, self->last).first)
    self->last = 0;
  while (index >= end_of (self, self->last))
    self->last++;
  return encrypt_track_use (track,
      g_array_index (self->spans, Span, self->last).variant, error);
}

/* The number that @variant's group has, which is added if it is new. */
static guint32
find_group (GPtrArray *variants, GPtrArray *entries,
    const EncryptVariant *variant)
{
  guint i;

  for (i = 0; i < variants->len; i++) {
    if (encrypt_variant_equal (variants->pdata[i], variant))
      return i + 1;
  }
  g_ptr_array_add (variants, (gpointer) variant);
  g_ptr_array_add (entries, cenc_params_to_seig (&variant->params));
  return variants->len;
}

/* The clear lead is in no group. */
static void
add_clear_run (GArray *runs, guint32 count)
{
  BmffGroupRun run = { count, 0 };

  g_array_append_val (runs, run);
}

void
encrypt_spans_add_groups (const EncryptSpans *self, const EncryptTrack *track,
    BmffBox *stbl)
{
  const EncryptVariant *of_tenc = encrypt_track_get_default (track);
  g_autoptr (GPtrArray) variants = g_ptr_array_new ();
  g_autoptr (GPtrArray) entries =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  g_autoptr (GArray) runs = g_array_new (FALSE, FALSE, sizeof (BmffGroupRun));
  guint i;

  for (i = 0; i < self->spans->len; i++) {
    const Span *span = &g_array_index (self->spans, Span, i);
    BmffGroupRun run = { end_of (self, i) - span->first, 0 };

    if (i == 0 && span->first > 0)
      add_clear_run (runs, span->first);
    if (span->variant != of_tenc)
      run.group = find_group (variants, entries, span->variant);
    g_array_append_val (runs, run);
  }
  if (variants->len == 0)
    return;
  bmff_box_append (stbl, bmff_sgpd_new (FOURCC_SEIG, entries));
  bmff_box_append (stbl, bmff_sbgp_new (FOURCC_SEIG, runs));
}

static gint
compare_numbers (gconstpointer a, gconstpointer b)
{
  const Span *x = a, *y = b;

  if (x->number != y->number)
    return x->number < y->number ? -1 : 1;
  return (x->start > y->start) - (x->start < y->start);
}

GPtrArray *
encrypt_spans_announce (const GPtrArray *all, EncryptPlan *plan, GError **error)
{
  g_autoptr (GPtrArray) keys = encrypt_keys_array_new ();
  g_autoptr (GArray) sorted = g_array_new (FALSE, FALSE, sizeof (Span));
  guint i;

  for (i = 0; i < all->len; i++) {
    const EncryptSpans *spans = all->pdata[i];

    if (spans->spans->len > 0)
      g_array_append_vals (sorted, spans->spans->data, spans->spans->len);
  }
  g_array_sort (sorted, compare_numbers);
  for (i = 0; i < sorted->len; i++) {
    const Span *span = &g_array_index (sorted, Span, i);

    if (!encrypt_plan_announce (plan, span->number, span->start, error))
      return NULL;
    encrypt_keys_array_add (keys, span->variant->key);
  }
  return g_steal_pointer (&keys);
}
