/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Samples made by hand, bit by bit: what no encoder at hand writes, and what is
 * refused.
 */

#pragma once

#include "../../error-test.h"

#include <gst/cenc/gstcenckeysession.h>
#include <string.h>

#include "bits.h"
#include "gst/subsample/subsample.h"

#define FCC(s) bmff_get_u32 ((const guint8 *) (s))

#define fail_unless_error(error, the_code, text) \
  fail_unless_error_of (error, GST_CENC_ERROR, the_code, text)

static inline BmffBox *
make_entry (const gchar *type, const gchar *config_type, GByteArray *config)
{
  BmffBox *entry = bmff_box_new_container (FCC (type));

  if (config_type != NULL)
    bmff_box_append (entry,
        bmff_box_new (FCC (config_type), g_byte_array_free_to_bytes (config)));
  return entry;
}

static inline Subsampler *
try_subsampler (const gchar *type, const gchar *config_type, GByteArray *config,
    GError **error)
{
  BmffBox *entry = make_entry (type, config_type, config);
  Subsampler *subsampler = subsampler_new (entry, error);

  bmff_box_free (entry);
  fail_unless ((subsampler == NULL) == (*error != NULL));
  return subsampler;
}

static inline Subsampler *
new_subsampler (const gchar *type, const gchar *config_type, GByteArray *config)
{
  GError *error = NULL;
  Subsampler *subsampler = try_subsampler (type, config_type, config, &error);

  fail_unless (subsampler != NULL, "%s", error ? error->message : "");
  return subsampler;
}

static GArray *ranges;

static inline void
setup (void)
{
  ranges = g_array_new (FALSE, FALSE, sizeof (CencRange));
}

static inline void
teardown (void)
{
  g_array_unref (ranges);
}

/* Maps @sample and frees it. */
static inline gboolean
map (Subsampler *subsampler, GByteArray *sample, GError **error)
{
  gboolean ret =
      subsampler_map (subsampler, sample->data, sample->len, ranges, error);

  g_byte_array_unref (sample);
  return ret;
}

static inline void
map_ok (Subsampler *subsampler, GByteArray *sample)
{
  GError *error = NULL;

  if (!map (subsampler, sample, &error))
    ck_abort_msg ("%s", error->message);
}

static inline void
fail_unless_range (guint i, gsize offset, gsize size)
{
  fail_unless (i < ranges->len, "only %u ranges", ranges->len);
  fail_unless_equals_uint64 (g_array_index (ranges, CencRange, i).offset,
      offset);
  fail_unless_equals_uint64 (g_array_index (ranges, CencRange, i).size, size);
}
