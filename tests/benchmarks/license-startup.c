/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From READY to the first key with a large store: `meson test --benchmark`. Fails
 * beyond 5 ms more than it takes to open the store.
 * usage: license-startup [LICENSES]
 */

#include <stdlib.h>
#include <string.h>

#include "../check/license/teststore.h"
#include "license/gstofflinelicensesession.h"

#define ROUNDS 21
#define LIMIT 5000 /* µs */

static void
fill (TestStore *ts, guint n)
{
  g_autoptr (GPtrArray) keys =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_cenc_key_unref);
  guint i;

  for (i = 0; i < n; i++) {
    g_autoptr (LicenseDocument) license = test_rental ();
    g_autoptr (LicenseEntry) entry = NULL;
    g_autoptr (GBytes) bytes = NULL;
    guint8 kid[16] = { 0 };

    memcpy (kid, &i, sizeof i);
    kid[15] = 1;
    g_ptr_array_set_size (keys, 0);
    g_ptr_array_add (keys, gst_cenc_key_new (kid, test_key));
    g_free (license->id);
    license->id = g_strdup_printf ("lic-%u", i);
    bytes = license_document_write (license, keys,
        license_store_device_key (ts->store), ts->issuer.key,
        ts->issuer.certificate, NULL);
    entry = license_store_import (ts->store, bytes, NULL, NULL, NULL);
    g_assert_nonnull (entry);
  }
}

static gint
compare (gconstpointer a, gconstpointer b)
{
  gint64 x = *(const gint64 *) a, y = *(const gint64 *) b;

  return (x > y) - (x < y);
}

static void
measure (TestStore *ts, const gchar *issuers, guint n, gint64 *open,
    gint64 *key)
{
  GstOfflineLicenseSession *session = gst_offline_license_session_new ();
  g_autoptr (LicenseStore) store = NULL;
  g_autoptr (GstCencKey) got = NULL;
  guint8 kid[16] = { 0 };
  guint which = n / 2;
  gint64 start;

  memcpy (kid, &which, sizeof which);
  kid[15] = 1;
  g_object_set (session, "store", ts->path, "device-key", ts->key_path,
      "issuers", issuers, NULL);
  gst_offline_license_session_set_clock (session, &ts->clock.clock);
  start = g_get_monotonic_time ();
  store = gst_offline_license_session_get_store (session, FALSE, NULL);
  *open = g_get_monotonic_time () - start;
  start = g_get_monotonic_time ();
  g_assert_true (
      gst_cenc_key_session_has_key (GST_CENC_KEY_SESSION (session), kid));
  got = gst_cenc_key_session_get_key (GST_CENC_KEY_SESSION (session), kid,
      GST_CENC_KEY_USE_PREROLL, NULL);
  *key = g_get_monotonic_time () - start;
  g_assert_nonnull (got);
  gst_object_unref (session);
}

int
main (int argc, char **argv)
{
  guint n = argc > 1 ? (guint) atoi (argv[1]) : 10000, i;
  gint64 open[ROUNDS], key[ROUNDS];
  g_autofree gchar *issuers = NULL, *pem = NULL;
  TestStore ts;

  gst_init (NULL, NULL);
  test_store_init (&ts);
  pem = test_pem (ts.issuer.certificate);
  issuers = g_build_filename (ts.folder, "issuers.pem", NULL);
  g_file_set_contents (issuers, pem, -1, NULL);
  fill (&ts, n);
  for (i = 0; i < ROUNDS; i++)
    measure (&ts, issuers, n, &open[i], &key[i]);
  qsort (open, ROUNDS, sizeof *open, compare);
  qsort (key, ROUNDS, sizeof *key, compare);
  g_print ("%u licenses: opening the store %.2f ms, first key %.2f ms "
           "(medians of %d), worst %.2f ms\n",
      n, (double) open[ROUNDS / 2] / 1000, (double) key[ROUNDS / 2] / 1000,
      ROUNDS, (double) key[ROUNDS - 1] / 1000);
  test_store_clear (&ts);
  return key[ROUNDS / 2] > LIMIT;
}
