/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A VFS for SQLite under which a process dies, the power fails, or the disk is
 * full, at a call that the test chooses. Calls that change a file are counted:
 * writes, truncations, syncs, deletions, unlocks. For one process with one
 * database, in a folder of its own.
 */

#pragma once

#include <glib.h>
#include <sqlite3.h>

G_BEGIN_DECLS

typedef enum
{
  TEST_VFS_DIE, /* SIGKILL before the call; a write may be done by half */
  TEST_VFS_POWER, /* likewise, and what was not synced is not on the disk */
  TEST_VFS_FAIL, /* the call, and each after it, fails */
  TEST_VFS_WATCH, /* nothing; test_vfs_watch() */
} TestVfsFault;

/*
 * Makes it the default.
 * @call: from 1 on; 0 = none
 * @seed: %TEST_VFS_POWER: which of the sectors that were not synced are on the
 *   disk nevertheless; 0 = none of them
 */
void test_vfs_install (TestVfsFault fault, gint call, guint32 seed);

/*
 * %TEST_VFS_FAIL: from the @call-th call from now on; 0 = not any more
 * @code: what writes give: SQLITE_FULL, SQLITE_IOERR_WRITE, SQLITE_READONLY;
 *   syncs, truncations and deletions fail by errors of their own, but for
 *   SQLITE_FULL, under which they work
 */
void test_vfs_fail (gint call, gint code);

/* %TEST_VFS_WATCH: the number of each call, a gint, is written to @fd. */
void test_vfs_watch (gint fd, gboolean syncs_only);

/* The power fails now. */
void test_vfs_power_loss (void) G_GNUC_NORETURN;

G_END_DECLS
