/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "remix-splice.h"

#include <string.h>

#include "remix-error.h"

RemixRun *
remix_run_new (void)
{
  RemixRun *self = g_new0 (RemixRun, 1);

  self->data = g_byte_array_new ();
  self->pictures = g_array_new (FALSE, FALSE, sizeof (RemixPicture));
  return self;
}

void
remix_run_free (RemixRun *self)
{
  if (!self)
    return;
  g_byte_array_unref (self->data);
  g_array_unref (self->pictures);
  remix_format_unref (self->format);
  g_free (self);
}

void
remix_splice_clear (RemixSplice *self)
{
  g_clear_pointer (&self->head, remix_run_free);
  g_clear_pointer (&self->tail, remix_run_free);
}

static gboolean
encode (const RemixSplit *split, const RemixStream *stream,
    const RemixEncoder *encoder, RemixRun **run, GError **error)
{
  if (split->from >= split->to)
    return TRUE;
  *run = encoder->encode (encoder->user_data, stream, split, error);
  return *run != NULL;
}

gboolean
remix_splice_cut (RemixSplice *self, const RemixStream *stream,
    const RemixRange *range, const RemixCutOptions *options,
    const RemixEncoder *encoder, GPtrArray *warnings, GError **error)
{
  RemixCutOptions own = *options;
  guint n_warnings = warnings->len;
  GError *local = NULL;

  memset (self, 0, sizeof (*self));
  own.can_encode = encoder != NULL;
  if (!remix_cut_video (&self->cut, stream, range, &own, warnings, error))
    return FALSE;
  if (encode (&self->cut.head, stream, encoder, &self->head, &local) &&
      encode (&self->cut.tail, stream, encoder, &self->tail, &local))
    return TRUE;
  remix_splice_clear (self);
  if (!g_error_matches (local, REMIX_ERROR, REMIX_ERROR_ENCODER)) {
    g_propagate_error (error, local);
    return FALSE;
  }
  g_ptr_array_set_size (warnings, (gint) n_warnings); /* they come again */
  g_ptr_array_add (warnings,
      g_strdup_printf ("a GOP that is split here cannot be encoded: %s",
          local->message));
  g_error_free (local);
  own.can_encode = FALSE;
  return remix_cut_video (&self->cut, stream, range, &own, warnings, error);
}

/* Part @i of those that the points make of @whole. */
static gboolean
splice_part (RemixSplice *self, const RemixStream *stream,
    const RemixCut *whole, const GArray *points, guint i,
    const RemixCutOptions *options, const RemixEncoder *encoder, GError **error)
{
  gint64 begin = whole->begin, end = whole->end;
  RemixCutOptions own = *options;

  own.can_encode = TRUE;
  if (i > 0) {
    begin = g_array_index (points, gint64, i - 1);
    own.can_hide_head = FALSE;
  }
  if (i < points->len) {
    end = g_array_index (points, gint64, i);
    own.can_hide_tail = FALSE;
  }
  return remix_cut_exactly (&self->cut, stream, begin, end, &own, error) &&
      encode (&self->cut.head, stream, encoder, &self->head, error) &&
      encode (&self->cut.tail, stream, encoder, &self->tail, error);
}

gboolean
remix_splice_divide (GArray *splices, const RemixStream *stream,
    const RemixCut *whole, const GArray *points, const RemixCutOptions *options,
    const RemixEncoder *encoder, GError **error)
{
  guint i;

  for (i = 0; i <= points->len; i++) {
    RemixSplice splice = { 0 };
    gboolean ok = splice_part (&splice, stream, whole, points, i, options,
        encoder, error);

    g_array_append_val (splices, splice);
    if (!ok)
      return FALSE;
  }
  return TRUE;
}
