/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sources that a fuzzer's bytes describe: any times, but sample tables that hold together. */

#pragma once

#include "smilremix/remix-movie.h"

G_BEGIN_DECLS

/** What is left of the fuzzer's input; behind its end there are zeros. */
typedef struct
{
  const guint8 *data;
  gsize size;
} PlanInput;

guint8 plan_input_byte (PlanInput *self);
/** A number below @n, which is no more than 65536. */
guint plan_input_below (PlanInput *self, guint n);

/** Writes a progressive MP4's moov, and loads it as source @index, `file:///` and that number. (out) @sane: whether each frame comes once, and each GOP's behind those of the one before, but for leading pictures. NULL if such a source is refused. */
RemixMovie *plan_source_new (PlanInput *input, guint index, gboolean *sane);

G_END_DECLS
