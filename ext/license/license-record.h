/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The store's sealed rows. Each function runs inside the caller's transaction,
 * and each write raises the row's version.
 */

#pragma once

#include "license-clock.h"
#include "license-db.h"
#include "license-seal.h"

G_BEGIN_DECLS

/* What has happened to one license on this device. Outlives its document. */
typedef struct
{
  gint64 version; /* 0 = there is no row */
  gint64 first_play; /* LICENSE_TIME_NONE = not played yet */
  gint64 issued; /* issue date of the newest document seen */
  gint64 keep_until; /* the row may go after this; LICENSE_TIME_NONE = never */
  gboolean released;
} LicenseRecord;

/* The device's own mark. */
typedef struct
{
  gint64 counter; /* rises with each commit; goes with each request */
  gint64 seen;
} LicenseMark;

/*
 * All of these: FALSE with GST_CENC_ERROR_STORE if the row cannot be read or
 * written, or its seal does not match it.
 */
gboolean
license_record_read (sqlite3 *db, LicenseSeal *seal, const gchar *anchor,
    const gchar *id, LicenseRecord *record, GError **error);
gboolean
license_record_write (sqlite3 *db, LicenseSeal *seal, const gchar *anchor,
    const gchar *id, LicenseRecord *record, GError **error);

/* @required: that there is no row is an error */
gboolean
license_floor_read (sqlite3 *db, LicenseSeal *seal, const gchar *anchor,
    gboolean required, LicenseFloor *floor, GError **error);
gboolean license_floor_write (sqlite3 *db, LicenseSeal *seal,
    const gchar *anchor, const LicenseFloor *floor, GError **error);

gboolean license_mark_read (sqlite3 *db, LicenseSeal *seal, LicenseMark *mark,
    GError **error);
/* Raises @mark's counter. */
gboolean license_mark_write (sqlite3 *db, LicenseSeal *seal, LicenseMark *mark,
    GError **error);

/* Makes the tables of a new store, in one transaction with its mark. */
gboolean license_record_create_tables (sqlite3 *db, GError **error);

G_END_DECLS
