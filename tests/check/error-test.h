/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gst/check/gstcheck.h>

#include <string.h>

/* Fails unless @error is of that domain and code and its message has @text in it;
 * clears it. */
#define fail_unless_error_of(error, the_domain, the_code, text) \
  G_STMT_START \
  { \
    fail_unless ((error) != NULL, "no error, wanted: %s", text); \
    fail_unless (g_error_matches (error, the_domain, the_code), \
        "other error: %s", (error)->message); \
    fail_unless (strstr ((error)->message, text) != NULL, "message: %s", \
        (error)->message); \
    g_clear_error (&(error)); \
  } \
  G_STMT_END

#define fail_unless_no_error(error) \
  fail_unless ((error) == NULL, "%s", (error) ? (error)->message : "")
