/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What license-store.c and license-store-write.c share. */

#pragma once

#include "license-store.h"

struct _LicenseStore
{
  gatomicrefcount ref_count;
  GMutex lock; /* the connection is used by one thread at a time */
  sqlite3 *db;
  EVP_PKEY *device_key;
  LicenseIssuers *issuers;
  LicenseSeal *seal;
  const LicenseClock *clock;
  gint64 skew;
};

/* With the lock held and inside a transaction, all of these. */
gboolean
license_store_fill (LicenseStore *self, LicenseEntry *entry, GError **error);
LicenseEntry *license_entry_new (LicenseDocument *document);
