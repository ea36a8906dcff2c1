/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A fixture of a store, for a test program that needs nothing else. */

#pragma once

#include "teststore.h"

static TestStore ts;

static void
setup (void)
{
  test_store_init (&ts);
}

static void
teardown (void)
{
  test_store_clear (&ts);
}
