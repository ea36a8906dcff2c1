/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "remix-build.h"

RemixOutput *
remix_plan_add_output (RemixPlan *self, RemixKind kind, guint32 handler,
    guint32 timescale)
{
  RemixOutput *output = g_new0 (RemixOutput, 1);

  output->kind = kind;
  output->handler = handler;
  output->timescale = timescale;
  output->formats =
      g_ptr_array_new_with_free_func ((GDestroyNotify) remix_format_unref);
  output->samples = g_array_new (FALSE, FALSE, sizeof (RemixSample));
  output->clip_starts = g_array_new (FALSE, TRUE, sizeof (guint32));
  g_ptr_array_add (self->outputs, output);
  return output;
}

void
remix_output_free (RemixOutput *self)
{
  g_ptr_array_unref (self->formats);
  g_clear_pointer (&self->entry, g_bytes_unref);
  g_clear_pointer (&self->prefixes, g_array_unref);
  g_array_unref (self->samples);
  g_array_unref (self->clip_starts);
  g_free (self);
}

guint
remix_output_get_description (const RemixOutput *self,
    const RemixSample *sample)
{
  return self->prefixes ? 0 : sample->description;
}

const RemixPrefix *
remix_output_get_prefix (const RemixOutput *self, const RemixSample *sample)
{
  const RemixPrefix *prefix;

  if (!self->prefixes || !sample->sync)
    return NULL;
  prefix = &g_array_index (self->prefixes, RemixPrefix, sample->description);
  return prefix->size > 0 ? prefix : NULL;
}
