/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/check/gstcheck.h>

#include "smilremix/remix-error.h"

#define fail_unless_remix_error(error, the_code, text) \
  G_STMT_START \
  { \
    fail_unless ((error) != NULL, "no error, wanted: %s", text); \
    fail_unless (g_error_matches (error, REMIX_ERROR, the_code), \
        "other error: %s", (error)->message); \
    fail_unless (strstr ((error)->message, text) != NULL, "message: %s", \
        (error)->message); \
    g_clear_error (&(error)); \
  } \
  G_STMT_END

#define fail_unless_no_error(error) \
  fail_unless ((error) == NULL, "%s", (error) ? (error)->message : "")
