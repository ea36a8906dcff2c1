/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cenc/decrypt-pull.h"

#include <gio/gio.h>
#include <string.h>

/* Fragments whose samples are kept: those of a demuxer that jumps between the
 * tracks of two neighbors, and then some. */
#define MAX_FRAGMENTS 8
/* A sample that is larger is a broken table. */
#define MAX_SAMPLE (256u << 20)

typedef struct
{
  guint index; /* in the layout's moofs */
  DecryptSpan *span;
} Fragment;

struct _DecryptPull
{
  const DecryptPullFuncs *funcs;
  gpointer user_data;
  DecryptWork work;
  BmffSource *source;
  DecryptLayout *layout;
  GstFlowReturn flow; /* upstream's, if that is what failed */
  GArray *fragments; /* (element-type Fragment), the last used at the end */

  /* The last sample that a range held in part, clear */
  guint64 sample_offset;
  GBytes *sample;
};

static void
fragment_clear (Fragment *fragment)
{
  g_clear_pointer (&fragment->span, decrypt_span_unref);
}

/* Gives NULL at the end, too: then the flow is GST_FLOW_EOS. */
static GstBuffer *
pull (DecryptPull *self, guint64 offset, guint size, GstBuffer *buffer,
    GError **error)
{
  self->flow = self->funcs->pull (offset, size, &buffer, self->user_data);
  if (self->flow == GST_FLOW_OK)
    return buffer;
  if (self->flow != GST_FLOW_EOS)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "upstream: %s",
        gst_flow_get_name (self->flow));
  return NULL;
}

static GBytes *
source_read (gpointer user_data, guint64 offset, gsize size, GError **error)
{
  DecryptPull *self = user_data;
  g_autoptr (GstBuffer) buffer = NULL;
  GError *failed = NULL;
  gpointer data;
  gsize got;

  if (size > G_MAXUINT) {
    g_set_error (error, BMFF_ERROR, BMFF_ERROR_LIMIT, "a read of over 4 GiB");
    return NULL;
  }
  if (size > 0)
    buffer = pull (self, offset, (guint) size, NULL, &failed);
  if (failed) {
    g_propagate_error (error, failed);
    return NULL;
  }
  self->flow = GST_FLOW_OK;
  if (!buffer)
    return g_bytes_new_static (NULL, 0);
  gst_buffer_extract_dup (buffer, 0, size, &data, &got);
  return g_bytes_new_take (data, got);
}

static guint64
source_get_size (gpointer user_data)
{
  DecryptPull *self = user_data;

  return self->funcs->get_size (self->user_data);
}

static const BmffSourceFuncs source_funcs = { source_read, source_get_size,
  NULL };

DecryptPull *
decrypt_pull_new (const DecryptPullFuncs *funcs, gpointer user_data,
    const DecryptWork *work, gboolean verify)
{
  DecryptPull *self = g_new0 (DecryptPull, 1);

  self->funcs = funcs;
  self->user_data = user_data;
  self->work = *work;
  self->source = bmff_source_new (&source_funcs, self);
  self->layout = decrypt_layout_new (self->source);
  decrypt_layout_set_verify (self->layout, verify);
  self->fragments = g_array_new (FALSE, FALSE, sizeof (Fragment));
  g_array_set_clear_func (self->fragments, (GDestroyNotify) fragment_clear);
  return self;
}

void
decrypt_pull_free (DecryptPull *self)
{
  if (!self)
    return;
  g_array_unref (self->fragments);
  g_clear_pointer (&self->sample, g_bytes_unref);
  decrypt_layout_free (self->layout);
  bmff_source_free (self->source);
  g_free (self);
}

/*
 * Fragments
 */

static DecryptMoof
get_moof (DecryptPull *self, guint index)
{
  return g_array_index (decrypt_layout_get_moofs (self->layout), DecryptMoof,
      index);
}

static guint
count_moofs (DecryptPull *self)
{
  return decrypt_layout_get_moofs (self->layout)->len;
}

/* Samples have to lie between their moof and the next group of moofs: only then
 * is a range of the file found without reading all moofs. */
static gboolean
check_place (DecryptPull *self, guint index, const DecryptSpan *span,
    GError **error)
{
  DecryptMoof moof = get_moof (self, index);
  guint64 start, end;

  decrypt_span_get_extent (span, &start, &end);
  if (!decrypt_layout_walk (self->layout, end, error))
    return FALSE;
  for (index++; index < count_moofs (self); index++) {
    if (get_moof (self, index).starts_group)
      break;
  }
  if (end == 0 ||
      (start >= moof.offset &&
          (index >= count_moofs (self) ||
              end <= get_moof (self, index).offset)))
    return TRUE;
  g_set_error (error, BMFF_ERROR, BMFF_ERROR_UNSUPPORTED,
      "moof at %" G_GUINT64_FORMAT ": its samples, from %" G_GUINT64_FORMAT
      " to %" G_GUINT64_FORMAT ", lie outside of its fragment",
      moof.offset, start, end);
  return FALSE;
}

/* Of those of its group that were read. */
static gboolean
check_count (DecryptPull *self, guint index, guint64 n_samples, GError **error)
{
  DecryptMoof moof = get_moof (self, index);
  guint i;

  for (i = moof.group; i < count_moofs (self); i++) {
    DecryptMoof other = get_moof (self, i);

    if (other.group != moof.group)
      break;
    if (i != index)
      n_samples += other.n_samples;
  }
  return decrypt_check_group (0, n_samples, moof.offset, error);
}

/* Its group's others that are in front of the same data are here. */
static gboolean
check_apart (DecryptPull *self, guint index, const DecryptSpan *span,
    GError **error)
{
  GPtrArray *movies = decrypt_layout_get_movie_spans (self->layout);
  guint group = get_moof (self, index).group, i;

  for (i = 0; i < movies->len; i++) {
    if (!decrypt_span_check_apart (span, g_ptr_array_index (movies, i), error))
      return FALSE;
  }
  for (i = 0; i < self->fragments->len; i++) {
    const Fragment *other = &g_array_index (self->fragments, Fragment, i);

    if (get_moof (self, other->index).group == group &&
        !decrypt_span_check_apart (span, other->span, error))
      return FALSE;
  }
  return TRUE;
}

static void
note_fragment (DecryptPull *self, guint index, const DecryptSpan *span)
{
  DecryptMoof *moof = &g_array_index (decrypt_layout_get_moofs (self->layout),
      DecryptMoof, index);

  moof->is_read = TRUE;
  moof->n_samples = decrypt_span_get_n_samples (span);
  decrypt_span_get_extent (span, &moof->start, &moof->end);
}

static DecryptSpan *
load_fragment (DecryptPull *self, guint index, GError **error)
{
  DecryptMoof moof = get_moof (self, index);
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (DecryptSpan) span = NULL;

  if (moof.size == 0 || moof.size > BMFF_MAX_HEADER_BOX) {
    g_set_error (error, BMFF_ERROR, BMFF_ERROR_LIMIT,
        "moof at %" G_GUINT64_FORMAT " has %" G_GUINT64_FORMAT " bytes",
        moof.offset, moof.size);
    return NULL;
  }
  bytes = bmff_source_read_all (self->source, moof.offset, (gsize) moof.size,
      "moof", error);
  if (!bytes)
    return NULL;
  span = decrypt_movie_parse_fragment (moof.movie, bytes, moof.offset,
      self->source, error);
  if (!span || !check_place (self, index, span, error) ||
      !check_count (self, index, decrypt_span_get_n_samples (span), error) ||
      !check_apart (self, index, span, error))
    return NULL;
  note_fragment (self, index, span);
  return g_steal_pointer (&span);
}

/* Those of the group that is read stay, which is bounded: its samples may be mixed
 * in any order. Of others a few, and no more samples than a group may have. */
static void
make_room (DecryptPull *self, guint index)
{
  guint group = get_moof (self, index).group, i;
  guint64 n_samples = 0;

  for (i = 0; i < self->fragments->len; i++)
    n_samples +=
        get_moof (self, g_array_index (self->fragments, Fragment, i).index)
            .n_samples;
  for (i = 0; i < self->fragments->len &&
       (self->fragments->len >= MAX_FRAGMENTS ||
           n_samples > BMFF_MAX_FRAGMENT_SAMPLES);) {
    DecryptMoof moof =
        get_moof (self, g_array_index (self->fragments, Fragment, i).index);

    if (moof.group == group) {
      i++;
      continue;
    }
    n_samples -= moof.n_samples;
    g_array_remove_index (self->fragments, i);
  }
}

/* (transfer none): kept until others take its place */
static DecryptSpan *
get_fragment (DecryptPull *self, guint index, GError **error)
{
  Fragment fragment = { index, NULL };
  guint i;

  for (i = 0; i < self->fragments->len; i++) {
    if (g_array_index (self->fragments, Fragment, i).index != index)
      continue;
    fragment.span =
        decrypt_span_ref (g_array_index (self->fragments, Fragment, i).span);
    g_array_remove_index (self->fragments, i);
    break;
  }
  if (!fragment.span)
    fragment.span = load_fragment (self, index, error);
  if (!fragment.span)
    return NULL;
  make_room (self, index);
  g_array_append_val (self->fragments, fragment);
  return fragment.span;
}

/* Index of the first moof that does not start before byte @offset. */
static guint
find_moof (DecryptPull *self, guint64 offset)
{
  guint low = 0, high = count_moofs (self);

  while (low < high) {
    guint middle = low + (high - low) / 2;

    if (get_moof (self, middle).offset < offset)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/*
 * A range
 */

static void
apply_patch (const DecryptPatch *patch, guint64 offset, guint8 *data,
    gsize size)
{
  gsize length;
  const guint8 *bytes = g_bytes_get_data (patch->bytes, &length);
  guint64 start = MAX (patch->offset, offset);
  guint64 end = MIN (patch->offset + length, offset + size);

  if (start < end)
    memcpy (data + (start - offset), bytes + (start - patch->offset),
        (gsize) (end - start));
}

/* The sample that stands there, clear, in self->sample. */
static gboolean
load_sample (DecryptPull *self, DecryptSpan *span, guint64 offset, gsize size,
    GError **error)
{
  g_autoptr (GBytes) bytes = NULL;
  g_autofree guint8 *clear = NULL;
  DecryptBlock block = { offset, size, NULL, NULL };

  if (self->sample && self->sample_offset == offset &&
      g_bytes_get_size (self->sample) == size)
    return TRUE;
  if (size > MAX_SAMPLE) {
    g_set_error (error, BMFF_ERROR, BMFF_ERROR_LIMIT,
        "sample at %" G_GUINT64_FORMAT " has %" G_GSIZE_FORMAT " bytes", offset,
        size);
    return FALSE;
  }

  bytes = bmff_source_read_all (self->source, offset, size, "sample", error);
  if (!bytes)
    return FALSE;
  clear = g_malloc (size);
  block.in = g_bytes_get_data (bytes, NULL);
  block.out = clear;
  if (!decrypt_span_process (span, &block, &self->work, error))
    return FALSE;
  g_clear_pointer (&self->sample, g_bytes_unref);
  self->sample = g_bytes_new_take (g_steal_pointer (&clear), size);
  self->sample_offset = offset;
  return TRUE;
}

/* The sample that goes over @edge, which is one of the range's: what the range
 * has of it. */
static gboolean
process_edge (DecryptPull *self, DecryptSpan *span, guint64 edge,
    guint64 offset, guint8 *data, gsize size, GError **error)
{
  DecryptPatch patch;
  gsize sample_size;

  if (!decrypt_span_find_straddler (span, edge, &patch.offset, &sample_size))
    return TRUE;
  if (!load_sample (self, span, patch.offset, sample_size, error))
    return FALSE;
  patch.bytes = self->sample;
  apply_patch (&patch, offset, data, size);
  return TRUE;
}

static gboolean
process_span (DecryptPull *self, DecryptSpan *span, guint64 offset,
    guint8 *data, gsize size, GError **error)
{
  const DecryptBlock block = { offset, size, data, data };
  guint64 start, end;

  apply_patch (decrypt_span_get_patch (span), offset, data, size);
  decrypt_span_get_extent (span, &start, &end);
  if (start >= offset + size || end <= offset)
    return TRUE;
  return decrypt_span_process (span, &block, &self->work, error) &&
      process_edge (self, span, offset, offset, data, size, error) &&
      process_edge (self, span, offset + size, offset, data, size, error);
}

/* FALSE: neither the moof nor a sample of it is in the range. */
static gboolean
concerns (DecryptPull *self, guint index, guint64 offset, gsize size)
{
  DecryptMoof moof = get_moof (self, index);

  return !moof.is_read ||
      (moof.offset < offset + size && moof.offset + moof.size > offset) ||
      (moof.start < offset + size && moof.end > offset);
}

static gboolean
process_fragments (DecryptPull *self, guint64 offset, guint8 *data, gsize size,
    GError **error)
{
  guint last = find_moof (self, offset + size), first = last, i;

  while (first > 0) {
    DecryptMoof moof = get_moof (self, --first);

    if (moof.starts_group && moof.offset <= offset)
      break;
  }
  for (i = first; i < last; i++) {
    DecryptSpan *span;

    if (!concerns (self, i, offset, size))
      continue;
    span = get_fragment (self, i, error);
    if (!span || !process_span (self, span, offset, data, size, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
process_range (DecryptPull *self, guint64 offset, guint8 *data, gsize size,
    GError **error)
{
  GPtrArray *movies = decrypt_layout_get_movie_spans (self->layout);
  GArray *patches = decrypt_layout_get_patches (self->layout);
  guint i;

  for (i = 0; i < movies->len; i++) {
    if (!process_span (self, g_ptr_array_index (movies, i), offset, data, size,
            error))
      return FALSE;
  }
  for (i = 0; movies->len > 0 && i < patches->len; i++)
    apply_patch (&g_array_index (patches, DecryptPatch, i), offset, data, size);
  return process_fragments (self, offset, data, size, error);
}

static gboolean
process_buffer (DecryptPull *self, guint64 offset, GstBuffer **buffer,
    GError **error)
{
  GstMapInfo map;
  gboolean ok;

  *buffer = gst_buffer_make_writable (*buffer);
  if (!gst_buffer_map (*buffer, &map, GST_MAP_READWRITE)) {
    g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_FAILED,
        "memory cannot be mapped");
    return FALSE;
  }
  ok = process_range (self, offset, map.data, map.size, error);
  gst_buffer_unmap (*buffer, &map);
  return ok;
}

/* Upstream's flow goes on as it is. */
static GstFlowReturn
get_failure (DecryptPull *self, GError *failed, GError **error)
{
  if (self->flow == GST_FLOW_OK) {
    g_propagate_error (error, failed);
    return GST_FLOW_ERROR;
  }
  g_clear_error (&failed);
  return self->flow;
}

GstFlowReturn
decrypt_pull_read (DecryptPull *self, guint64 offset, guint size,
    GstBuffer **buffer, GError **error)
{
  GstBuffer *given = *buffer, *got;
  GError *failed = NULL;

  self->flow = GST_FLOW_OK;
  if (!decrypt_layout_walk (self->layout, offset + MAX ((guint64) size, 1),
          &failed))
    return get_failure (self, failed, error);

  got = pull (self, offset, size, given, &failed);
  if (!got)
    return get_failure (self, failed, error);
  if (!decrypt_layout_is_plain (self->layout) &&
      !process_buffer (self, offset, &got, &failed)) {
    if (!given)
      gst_buffer_unref (got);
    return get_failure (self, failed, error);
  }
  *buffer = got;
  return GST_FLOW_OK;
}

GstFlowReturn
decrypt_pull_check_end (DecryptPull *self, GError **error)
{
  GError *failed = NULL;

  self->flow = GST_FLOW_OK;
  return decrypt_layout_check_end (self->layout, &failed)
      ? GST_FLOW_OK
      : get_failure (self, failed, error);
}
