/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "license-db.h"
#include "license-folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include <gst/cenc/gstcenckeysession.h>

#define BUSY_TIMEOUT 10000 /* ms */

gboolean
license_db_fail (sqlite3 *db, GError **error)
{
  const gchar *path = db ? sqlite3_db_filename (db, "main") : NULL;

  g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_STORE,
      "license store %s: %s", path ? path : "",
      db ? sqlite3_errmsg (db) : "out of memory");
  return FALSE;
}

static gboolean
configure (sqlite3 *db, GError **error)
{
  static const gchar *const pragmas[] = { "PRAGMA trusted_schema=OFF",
    "PRAGMA cell_size_check=ON", "PRAGMA synchronous=EXTRA" };
  guint i;

  sqlite3_busy_timeout (db, BUSY_TIMEOUT);
  sqlite3_db_config (db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
  for (i = 0; i < G_N_ELEMENTS (pragmas); i++) {
    if (sqlite3_exec (db, pragmas[i], NULL, NULL, NULL) != SQLITE_OK)
      return license_db_fail (db, error);
  }
  return TRUE;
}

/* An empty file is an empty database; SQLite would make it for all to read. Never
 * open one that is there: closing it again would drop the locks that this process
 * holds on it by another connection. */
static gboolean
create_file (const gchar *path, GError **error)
{
  g_autofree gchar *folder = g_path_get_dirname (path);
  gint fd = -1;

  if (license_folder_make (folder))
    fd = g_open (path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  /* A read-only disk may hold a store that is there already. */
  if (fd < 0 && !g_file_test (path, G_FILE_TEST_EXISTS)) {
    g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_STORE,
        "license store: %s: %s", path, g_strerror (errno));
    return FALSE;
  }
  if (fd >= 0)
    close (fd);
  return TRUE;
}

sqlite3 *
license_db_open (const gchar *path, gboolean create, GError **error)
{
  gint flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
  sqlite3 *db = NULL;

  if (create && !create_file (path, error))
    return NULL;
  if (sqlite3_open_v2 (path, &db, flags, NULL) != SQLITE_OK) {
    g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_STORE,
        "license store %s: %s", path, db ? sqlite3_errmsg (db) : "no memory");
    sqlite3_close (db);
    return NULL;
  }
  if (!configure (db, error)) {
    sqlite3_close (db);
    return NULL;
  }
  return db;
}

static void
bind_one (sqlite3_stmt *statement, gint i, gchar type, va_list *args)
{
  const gchar *text;
  GBytes *bytes;

  switch (type) {
    case 't':
      text = va_arg (*args, const gchar *);
      sqlite3_bind_text (statement, i, text, -1, SQLITE_TRANSIENT);
      break;
    case 'i':
      sqlite3_bind_int64 (statement, i, va_arg (*args, gint64));
      break;
    case 'k':
      sqlite3_bind_blob (statement, i, va_arg (*args, const guint8 *),
          GST_CENC_KID_SIZE, SQLITE_TRANSIENT);
      break;
    default:
      bytes = va_arg (*args, GBytes *);
      sqlite3_bind_blob64 (statement, i, g_bytes_get_data (bytes, NULL),
          g_bytes_get_size (bytes), SQLITE_TRANSIENT);
      break;
  }
}

static sqlite3_stmt *
prepare (sqlite3 *db, GError **error, const gchar *sql, const gchar *types,
    va_list *args)
{
  sqlite3_stmt *statement = NULL;
  gint i;

  if (sqlite3_prepare_v2 (db, sql, -1, &statement, NULL) != SQLITE_OK) {
    license_db_fail (db, error);
    return NULL;
  }
  for (i = 0; types[i]; i++)
    bind_one (statement, i + 1, types[i], args);
  return statement;
}

sqlite3_stmt *
license_db_query (sqlite3 *db, GError **error, const gchar *sql,
    const gchar *types, ...)
{
  sqlite3_stmt *statement;
  va_list args;

  va_start (args, types);
  statement = prepare (db, error, sql, types, &args);
  va_end (args);
  return statement;
}

gint
license_db_step (sqlite3_stmt *statement, GError **error)
{
  switch (sqlite3_step (statement)) {
    case SQLITE_ROW:
      return 1;
    case SQLITE_DONE:
      return 0;
    default:
      license_db_fail (sqlite3_db_handle (statement), error);
      return -1;
  }
}

gboolean
license_db_run (sqlite3 *db, GError **error, const gchar *sql,
    const gchar *types, ...)
{
  g_autoptr (sqlite3_stmt) statement = NULL;
  va_list args;

  va_start (args, types);
  statement = prepare (db, error, sql, types, &args);
  va_end (args);
  return statement && license_db_step (statement, error) >= 0;
}

GBytes *
license_db_column_bytes (sqlite3_stmt *statement, gint column)
{
  gconstpointer data = sqlite3_column_blob (statement, column);

  return g_bytes_new (data, (gsize) sqlite3_column_bytes (statement, column));
}

gboolean
license_db_begin (sqlite3 *db, gboolean write, GError **error)
{
  return license_db_run (db, error, write ? "BEGIN IMMEDIATE" : "BEGIN", "");
}

gboolean
license_db_end (sqlite3 *db, gboolean ok, GError **error)
{
  if (ok && license_db_run (db, error, "COMMIT", ""))
    return TRUE;
  sqlite3_exec (db, "ROLLBACK", NULL, NULL, NULL);
  return FALSE;
}
