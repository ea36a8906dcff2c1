/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The device's license store: documents as they came, and apart from them what
 * has happened to each, sealed. Crash-safe: what a function has returned TRUE
 * for is on the disk, and what it has not is as before. Several processes may use
 * one store, and several threads one LicenseStore.
 *
 * What it cannot do: root can restore the whole file together with its marks, or
 * patch this library. It is deterrence.
 */

#pragma once

#include "license-clock.h"
#include "license-document.h"
#include "license-record.h"

G_BEGIN_DECLS

typedef struct _LicenseStore LicenseStore;

typedef struct
{
  const gchar *path; /* the database */
  const gchar *device_key; /* see license-device.h */
  LicenseIssuers *issuers; /* referenced */
  const LicenseClock *clock; /* has to outlive the store */
  gint64 skew;
} LicenseStoreConfig;

/* A license with all that a decision needs, as of the moment it was read. */
typedef struct
{
  LicenseDocument *document;
  LicenseRecord record;
  LicenseInstant now;
  LicenseClockStatus clock;
  gboolean began_play; /* the last license_store_play() was its first play */
} LicenseEntry;

/* Returns: (transfer full): the same, of the same document */
LicenseEntry *license_entry_copy (const LicenseEntry *entry);
void license_entry_free (LicenseEntry *entry);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LicenseEntry, license_entry_free)

/*
 * @create: make the store and the device's key where they are missing
 * @error: GST_CENC_ERROR_STORE; _OTHER_DEVICE if it belongs to another key
 */
LicenseStore *license_store_open (const LicenseStoreConfig *config,
    gboolean create, GError **error);
LicenseStore *license_store_ref (LicenseStore *self);
void license_store_unref (LicenseStore *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LicenseStore, license_store_unref)

/* Returns: (transfer none): the device's key */
EVP_PKEY *license_store_device_key (LicenseStore *self);
/* Returns: (transfer none): what reads the time for this store */
const LicenseClock *license_store_clock (LicenseStore *self);
gint64 license_store_skew (LicenseStore *self);

gboolean license_store_has_kid (LicenseStore *self, const guint8 *kid);

/* Returns: (transfer full) (element-type GBytes): the KIDs, 16 bytes each */
GPtrArray *license_store_list_kids (LicenseStore *self, GError **error);

/*
 * @kid: (nullable): %NULL for all licenses
 * @skipped: (nullable) (out): the last reason why a document did not open (an
 *   issuer that is trusted no longer, a changed byte); such are left out
 * @error: GST_CENC_ERROR_STORE
 *
 * Returns: (transfer full) (element-type LicenseEntry): the licenses
 */
GPtrArray *license_store_find (LicenseStore *self, const guint8 *kid,
    GError **skipped, GError **error);

/* Reads an entry's record and clock anew, for a document that is held apart. */
gboolean
license_store_refresh (LicenseStore *self, LicenseEntry *entry, GError **error);

/* Returns: (transfer full): what @bytes say, as license_document_open() by the
 * issuers of this store */
LicenseDocument *
license_store_open_document (LicenseStore *self, GBytes *bytes, GError **error);

typedef enum
{
  LICENSE_IMPORT_NEW,
  LICENSE_IMPORT_RENEWED, /* a newer document for a license that was there */
  LICENSE_IMPORT_SAME, /* byte for byte what is there already */
} LicenseImport;

/*
 * @bytes: the document
 * @nonce: (nullable): that of the request it answers; the license then has to
 *   carry it, and its issue date is taken for the time that it is
 * @kind: (out) (nullable)
 * @error: as license_document_open() and license_document_unseal();
 *   GST_CENC_ERROR_REVOKED if it was released here, or if a newer document of
 *   the same license has been here; GST_CENC_ERROR_STORE
 *
 * One that carries a nonce is taken as an answer to it, and later (from a file)
 * only where it is still on record: no fresh store makes a fresh rental of it.
 * One that begins in the future is taken. Its play window, if a license of
 * this id was ever played here, goes on where it was. A license that is not
 * persistent is taken only as an answer to @nonce, and only its record is stored.
 *
 * Returns: (transfer full): the license
 */
LicenseEntry *license_store_import (LicenseStore *self, GBytes *bytes,
    const gchar *nonce, LicenseImport *kind, GError **error);

/*
 * The license's key is about to be used for play: stores first play if there was
 * none, and the marks of the clock. Only the first of several processes sets it.
 * @now: the time that first play gets; @entry's record is updated
 *
 * A failure counts only if there is a play window to be begun: else it would
 * keep the viewer of a full disk from what is paid for.
 */
gboolean license_store_play (LicenseStore *self, LicenseEntry *entry,
    gint64 now, GError **error);

/*
 * Forgets the document, offline as well; its record stays, so that to import it
 * again does not start over. One with a release address is given back: it cannot
 * be imported again, and the release waits in the outbox for the next contact.
 */
gboolean license_store_delete (LicenseStore *self,
    const LicenseDocument *document, GError **error);

/* Returns: (transfer full) (element-type LicenseDocument): releases that wait */
GPtrArray *license_store_outbox (LicenseStore *self, GError **error);
gboolean license_store_outbox_done (LicenseStore *self,
    const LicenseDocument *document, GError **error);

/*
 * @grace: how long a license stays after its end (it may still be renewed)
 * @removed: (nullable) (out) (transfer full) (element-type LicenseDocument)
 *
 * Forgets licenses that are over, and records that nothing can be done with any
 * more. Does nothing while the clock is not to be trusted.
 */
gboolean license_store_clean_up (LicenseStore *self, gint64 grace,
    GPtrArray **removed, GError **error);

/* The counter that goes with each request. */
gboolean
license_store_counter (LicenseStore *self, gint64 *counter, GError **error);

G_END_DECLS
