/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../../error-test.h"

#include "smilremix/remix-error.h"

#define fail_unless_remix_error(error, the_code, text) \
  fail_unless_error_of (error, REMIX_ERROR, the_code, text)
