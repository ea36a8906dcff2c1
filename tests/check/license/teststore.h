/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A store in a folder of its own, with a clock that the test sets. */

#pragma once

#include "license/license-store.h"
#include "testlicense.h"

typedef struct
{
  TestIssuer issuer;
  TestClock clock;
  gchar *folder, *path, *key_path;
  LicenseStore *store;
} TestStore;

/* At TEST_DAY. The certificate is valid for ten years around it. */
void test_store_init (TestStore *self);
void test_store_clear (TestStore *self);

/* Closes the store and opens it anew; fails the test if it does not open. */
void test_store_reopen (TestStore *self);

/* Returns: (transfer full): a further handle on the same file, NULL with @error */
LicenseStore *
test_store_open (TestStore *self, gboolean create, GError **error);

/* Returns: (transfer full): @license for this device */
GBytes *test_store_write (TestStore *self, const LicenseDocument *license);

/* Imports @license; fails the test if that fails. */
void test_store_import (TestStore *self, const LicenseDocument *license);

/* Returns: (transfer full): the only license in the store */
LicenseEntry *test_store_entry (TestStore *self);

/* Plays it now; fails the test if that fails. */
void test_store_play (TestStore *self);
/* When it was first played: LICENSE_TIME_NONE if never. */
gint64 test_store_first_play (TestStore *self);

/* What the policy says of @entry now, outside of a session. */
LicenseDecision test_store_decide (const LicenseEntry *entry);
