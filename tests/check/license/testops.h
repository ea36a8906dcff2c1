/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is done to a store, one operation after the other, while things go wrong. */

#pragma once

#include "teststore.h"

G_BEGIN_DECLS

typedef struct
{
  const gchar *name;
  /* What is there before; NULL: nothing, not even a store. */
  void (*prepare) (LicenseStore *store);
  /* Returns: whether it went well */
  gboolean (*run) (LicenseStore *store, GError **error);
  /* Whatever happened: nothing is lost, nothing is half done. */
  void (*check) (LicenseStore *store);
  /* It went well, and that was told. */
  void (*check_done) (LicenseStore *store);
  gint min_calls; /* that change a file */
} TestOp;

extern const TestOp test_ops[];
extern const guint test_n_ops;

/* With @ts, and its store open. */
void test_ops_init (TestStore *ts);
void test_ops_clear (void);

/* The store's file, as @op's run finds it, beside it; closes the store. */
void test_ops_prepare (const TestOp *op);
/* Puts it back, without a journal. */
void test_ops_restore (const TestOp *op);

/* Returns: (transfer full) (nullable): the only license */
LicenseEntry *test_ops_entry (LicenseStore *store);

G_END_DECLS
