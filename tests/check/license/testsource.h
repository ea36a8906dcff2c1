/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* offlinelicensesrc in a pipeline of its own, with the example server beside it. */

#pragma once

#include <gst/gst.h>

#include "testserver.h"

G_BEGIN_DECLS

#define TEST_RENTAL \
  "&rightsType=Rental&rental.periodEndTime=%2B86400&rental.playDuration=7200"

extern TestServer test_source_server;
extern gchar
    *test_source_folder; /* for the store, and what a test puts there */

/* Fixtures of libcheck. */
void test_source_setup (void);
void test_source_teardown (void);

/* Returns: (transfer floating): a source with a store of its own, which trusts
 * the server */
GstElement *test_source_new (const gchar *action);

/* What a run leaves. */
typedef struct
{
  GstMessage *end; /* EOS or the first error */
  GPtrArray *structures; /* of offline-license messages */
  gboolean have_context;
  guint progress[5]; /* by GstProgressType */
  GBytes *document; /* (nullable) */
} TestRun;

/* Takes @source. */
void test_run_source (TestRun *run, GstElement *source);
void test_run_clear (TestRun *run);

void test_run_expect_eos (TestRun *run);
void test_run_expect_error (TestRun *run, GQuark domain, gint code,
    const gchar *word);
/* @i: which of its messages */
void test_run_expect_state (TestRun *run, guint i, const gchar *state);

/* Buys a token and acquires; @rights begin with "&". */
void test_run_acquire (TestRun *run, const gchar *rights);

G_END_DECLS
