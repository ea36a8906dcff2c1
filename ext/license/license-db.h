/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SQLite, as the store wants it: one line a statement, errors as GError.
 *
 * The rollback journal with synchronous=EXTRA is the mode in which a commit that
 * has returned is on the disk, in which several processes may write, and which
 * still reads from a disk that is mounted read-only; the write-ahead log does
 * not do the last, and commits are rare here.
 */

#pragma once

#include <glib.h>
#include <sqlite3.h>

G_BEGIN_DECLS

/*
 * @create: make the file if it is not there
 * @error: GST_CENC_ERROR_STORE
 */
sqlite3 *license_db_open (const gchar *path, gboolean create, GError **error);

/* Sets @error to GST_CENC_ERROR_STORE with SQLite's words. Returns: FALSE */
gboolean license_db_fail (sqlite3 *db, GError **error);

/*
 * @types: one letter an argument: `t` const gchar * (NULL = NULL), `i` gint64,
 *   `k` const guint8 * to 16 bytes, `b` GBytes *
 *
 * Returns: (transfer full): a statement to be stepped; NULL with @error
 */
sqlite3_stmt *license_db_query (sqlite3 *db, GError **error, const gchar *sql,
    const gchar *types, ...);

/* Runs a statement that gives no rows. */
gboolean license_db_run (sqlite3 *db, GError **error, const gchar *sql,
    const gchar *types, ...);

/* The next row: 1, none: 0, an error: -1 with @error */
gint license_db_step (sqlite3_stmt *statement, GError **error);

/* Returns: (transfer full): a column's bytes */
GBytes *license_db_column_bytes (sqlite3_stmt *statement, gint column);

/* @write: take the write lock now, so that what is read stays true until commit */
gboolean license_db_begin (sqlite3 *db, gboolean write, GError **error);

/* @ok: commit, or roll back and return FALSE. A failed commit rolls back too. */
gboolean license_db_end (sqlite3 *db, gboolean ok, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (sqlite3_stmt, sqlite3_finalize)

G_END_DECLS
