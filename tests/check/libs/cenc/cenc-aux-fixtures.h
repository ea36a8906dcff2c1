/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sample auxiliary information, as the tests write it down: boxes from hex digits,
 * and tables told as text. */

#pragma once

#include "../isobmff/bmff-test.h"

#include "gst/cenc/cenc-aux.h"

#include <string.h>

/* Parameters by sample; past the end, and of samples not protected, none. */
typedef struct
{
  guint n;
  CencParams params[8];
} Samples;

/* A CencParamsFunc: @user_data is a Samples. */
const CencParams *get_params (guint32 index, gpointer user_data);

#define CLEAR 0xff

/* @sizes: IV sizes, CLEAR = not protected. */
Samples make_samples (guint n, const guint *sizes);

#define SAMPLES(...) \
  make_samples (G_N_ELEMENTS (((guint[]){ __VA_ARGS__ })), \
      (guint[]){ __VA_ARGS__ })

#define IV8A "a000000000000001"
#define IV8B "a000000000000002"
#define IV16 "b0000000000000000000000000000003"

/* Blanks between the digits are allowed. */
GBytes *unhex (const gchar *text);
BmffBox *make_box (const gchar *type, const gchar *payload);

/* @expected: "iv,clear/protected…" by sample, blanks between them, "-" for none.
 * Takes @table; of %NULL it tells @error. */
void assert_table (CencAuxTable *table, GError *error, const gchar *expected);
/* GST_CENC_ERROR whose message has @text in it; @error is cleared. */
void
assert_format_error (CencAuxTable *table, GError **error, const gchar *text);
