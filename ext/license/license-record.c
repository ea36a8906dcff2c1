/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "license-record.h"

#include <gst/cenc/gstcenckeysession.h>

static const gchar schema[] =
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE TABLE license (anchor TEXT NOT NULL, id TEXT NOT NULL,"
    " document BLOB NOT NULL, ends INTEGER, PRIMARY KEY (anchor, id));"
    "CREATE INDEX license_ends ON license (ends);"
    "CREATE TABLE kid (kid BLOB NOT NULL, anchor TEXT NOT NULL,"
    " id TEXT NOT NULL, PRIMARY KEY (kid, anchor, id)) WITHOUT ROWID;"
    "CREATE INDEX kid_license ON kid (anchor, id);"
    "CREATE TABLE state (anchor TEXT NOT NULL, id TEXT NOT NULL,"
    " version INTEGER NOT NULL, first_play INTEGER NOT NULL,"
    " issued INTEGER NOT NULL, keep_until INTEGER NOT NULL,"
    " released INTEGER NOT NULL, seal BLOB NOT NULL,"
    " PRIMARY KEY (anchor, id)) WITHOUT ROWID;"
    "CREATE TABLE floor (anchor TEXT PRIMARY KEY, time INTEGER NOT NULL,"
    " boottime INTEGER NOT NULL, boot_id TEXT NOT NULL, seal BLOB NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE TABLE mark (one INTEGER PRIMARY KEY CHECK (one = 1),"
    " counter INTEGER NOT NULL, seen INTEGER NOT NULL, seal BLOB NOT NULL);"
    "CREATE TABLE outbox (anchor TEXT NOT NULL, id TEXT NOT NULL,"
    " document BLOB NOT NULL, PRIMARY KEY (anchor, id)) WITHOUT ROWID;"
    "PRAGMA application_id = 1129270851;"
    "PRAGMA user_version = 1;";

gboolean
license_record_create_tables (sqlite3 *db, GError **error)
{
  if (sqlite3_exec (db, schema, NULL, NULL, NULL) != SQLITE_OK)
    return license_db_fail (db, error);
  return TRUE;
}

static gboolean
bad_seal (const gchar *what, GError **error)
{
  g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_STORE,
      "license store: the record of %s is missing or was tampered with", what);
  return FALSE;
}

static GByteArray *
state_bytes (const gchar *anchor, const gchar *id, const LicenseRecord *record)
{
  GByteArray *bytes = license_seal_record ();

  license_seal_add_text (bytes, anchor);
  license_seal_add_text (bytes, id);
  license_seal_add_int (bytes, record->version);
  license_seal_add_int (bytes, record->first_play);
  license_seal_add_int (bytes, record->issued);
  license_seal_add_int (bytes, record->keep_until);
  license_seal_add_int (bytes, record->released);
  return bytes;
}

gboolean
license_record_read (sqlite3 *db, LicenseSeal *seal, const gchar *anchor,
    const gchar *id, LicenseRecord *record, GError **error)
{
  g_autoptr (sqlite3_stmt) row = license_db_query (db, error,
      "SELECT version, first_play, issued, keep_until, released, seal"
      " FROM state WHERE anchor = ? AND id = ?",
      "tt", anchor, id);
  g_autoptr (GByteArray) bytes = NULL;
  g_autoptr (GBytes) mac = NULL;
  gint found = row ? license_db_step (row, error) : -1;

  *record = (LicenseRecord){ 0, LICENSE_TIME_NONE, LICENSE_TIME_NONE,
    LICENSE_TIME_NONE, FALSE };
  if (found <= 0)
    return found == 0;
  record->version = sqlite3_column_int64 (row, 0);
  record->first_play = sqlite3_column_int64 (row, 1);
  record->issued = sqlite3_column_int64 (row, 2);
  record->keep_until = sqlite3_column_int64 (row, 3);
  record->released = sqlite3_column_int64 (row, 4) != 0;
  mac = license_db_column_bytes (row, 5);
  bytes = state_bytes (anchor, id, record);
  return license_seal_check (seal, LICENSE_SEAL_STATE, bytes, mac) ||
      bad_seal (id, error);
}

gboolean
license_record_write (sqlite3 *db, LicenseSeal *seal, const gchar *anchor,
    const gchar *id, LicenseRecord *record, GError **error)
{
  g_autoptr (GByteArray) bytes = NULL;
  g_autoptr (GBytes) mac = NULL;

  record->version++;
  bytes = state_bytes (anchor, id, record);
  mac = license_seal_make (seal, LICENSE_SEAL_STATE, bytes);
  return license_db_run (db, error,
      "INSERT OR REPLACE INTO state VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      "ttiiiiib", anchor, id, record->version, record->first_play,
      record->issued, record->keep_until, (gint64) record->released, mac);
}

static GByteArray *
floor_bytes (const gchar *anchor, const LicenseFloor *floor)
{
  GByteArray *bytes = license_seal_record ();

  license_seal_add_text (bytes, anchor);
  license_seal_add_int (bytes, floor->time);
  license_seal_add_int (bytes, floor->boottime);
  license_seal_add_text (bytes, floor->boot_id);
  return bytes;
}

gboolean
license_floor_read (sqlite3 *db, LicenseSeal *seal, const gchar *anchor,
    gboolean required, LicenseFloor *floor, GError **error)
{
  g_autoptr (sqlite3_stmt) row = license_db_query (db, error,
      "SELECT time, boottime, boot_id, seal FROM floor WHERE anchor = ?", "t",
      anchor);
  g_autoptr (GByteArray) bytes = NULL;
  g_autoptr (GBytes) mac = NULL;
  const gchar *boot_id;
  gint found = row ? license_db_step (row, error) : -1;

  *floor = (LicenseFloor) LICENSE_FLOOR_INIT;
  if (found < 0)
    return FALSE;
  if (found == 0)
    return !required || bad_seal ("an issuer's time", error);
  floor->time = sqlite3_column_int64 (row, 0);
  floor->boottime = sqlite3_column_int64 (row, 1);
  boot_id = (const gchar *) sqlite3_column_text (row, 2);
  g_strlcpy (floor->boot_id, boot_id ? boot_id : "", sizeof floor->boot_id);
  mac = license_db_column_bytes (row, 3);
  bytes = floor_bytes (anchor, floor);
  return license_seal_check (seal, LICENSE_SEAL_FLOOR, bytes, mac) ||
      bad_seal ("an issuer's time", error);
}

gboolean
license_floor_write (sqlite3 *db, LicenseSeal *seal, const gchar *anchor,
    const LicenseFloor *floor, GError **error)
{
  g_autoptr (GByteArray) bytes = floor_bytes (anchor, floor);
  g_autoptr (GBytes) mac = license_seal_make (seal, LICENSE_SEAL_FLOOR, bytes);

  return license_db_run (db, error,
      "INSERT OR REPLACE INTO floor VALUES (?, ?, ?, ?, ?)", "tiitb", anchor,
      floor->time, floor->boottime, floor->boot_id, mac);
}

static GByteArray *
mark_bytes (const LicenseMark *mark)
{
  GByteArray *bytes = license_seal_record ();

  license_seal_add_int (bytes, mark->counter);
  license_seal_add_int (bytes, mark->seen);
  return bytes;
}

gboolean
license_mark_read (sqlite3 *db, LicenseSeal *seal, LicenseMark *mark,
    GError **error)
{
  g_autoptr (sqlite3_stmt) row = license_db_query (db, error,
      "SELECT counter, seen, seal FROM mark WHERE one = 1", "");
  g_autoptr (GByteArray) bytes = NULL;
  g_autoptr (GBytes) mac = NULL;
  gint found = row ? license_db_step (row, error) : -1;

  if (found < 0)
    return FALSE;
  if (found == 0)
    return bad_seal ("the device", error);
  mark->counter = sqlite3_column_int64 (row, 0);
  mark->seen = sqlite3_column_int64 (row, 1);
  mac = license_db_column_bytes (row, 2);
  bytes = mark_bytes (mark);
  return license_seal_check (seal, LICENSE_SEAL_MARK, bytes, mac) ||
      bad_seal ("the device", error);
}

gboolean
license_mark_write (sqlite3 *db, LicenseSeal *seal, LicenseMark *mark,
    GError **error)
{
  g_autoptr (GByteArray) bytes = NULL;
  g_autoptr (GBytes) mac = NULL;

  mark->counter++;
  bytes = mark_bytes (mark);
  mac = license_seal_make (seal, LICENSE_SEAL_MARK, bytes);
  return license_db_run (db, error,
      "INSERT OR REPLACE INTO mark VALUES (1, ?, ?, ?)", "iib", mark->counter,
      mark->seen, mac);
}
