/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Issuers, devices, documents and clocks for the tests of ext/license. */

#pragma once

#include <gst/gst.h>

#include "license/license-clock.h"
#include "license/license-document.h"

/* 2027-01-05 00:00:00 UTC, in seconds: the day on which the tests take place. */
#define TEST_DAY G_GINT64_CONSTANT (1799107200)
#define TEST_SECONDS(s) ((gint64) (s) *G_USEC_PER_SEC)

extern const guint8 test_kid[16], test_key[16], test_kid2[16], test_key2[16];

typedef struct
{
  EVP_PKEY *key;
  X509 *certificate;
  LicenseIssuers *issuers; /* trusts it */
} TestIssuer;

/* @from, @to: validity of the certificate, seconds since 1970 */
void test_issuer_init (TestIssuer *issuer, gint64 from, gint64 to);
void test_issuer_clear (TestIssuer *issuer);

/* @parent: (nullable): who signs; self-signed without. Returns: a certificate */
X509 *test_certificate (EVP_PKEY *key, const gchar *name, gint64 from,
    gint64 to, X509 *parent, EVP_PKEY *parent_key);

/* As above, for a server at 127.0.0.1. Returns: (transfer full): certificate and
 * key as PEM */
gchar *
test_server_pem (EVP_PKEY *key, gint64 from, gint64 to, const gchar *address);

/* Returns: (transfer full): @certificate as PEM */
gchar *test_pem (X509 *certificate);

/* A rental "lic-1", issued on TEST_DAY, persistent, ends 30 days later, 48 h
 * from first play. */
LicenseDocument *test_rental (void);

/* Returns: (transfer full): test_key and, with @both, test_key2 */
GPtrArray *test_keys (gboolean both);

/* Returns: (transfer full): @license for @device, signed */
GBytes *test_write (const LicenseDocument *license, TestIssuer *issuer,
    EVP_PKEY *device);

/* A clock that the test sets. */
typedef struct
{
  LicenseClock clock;
  LicenseInstant now;
} TestClock;

/* @wall: seconds since 1970 */
void test_clock_init (TestClock *clock, gint64 wall);
/* Both clocks go on. */
void test_clock_advance (TestClock *clock, gint64 seconds);
/* A new boot: CLOCK_BOOTTIME starts anew. */
void test_clock_reboot (TestClock *clock);

/* Returns: (transfer full): @text, whose first @from is now @to; fails if there is none */
gchar *test_replace (const gchar *text, const gchar *from, const gchar *to);
