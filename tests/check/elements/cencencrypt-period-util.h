/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the tests of cencencrypt have in common. */

#pragma once

#include "cencencrypt-judge.h"

#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>

G_BEGIN_DECLS

#define FOURCC(s) BMFF_FOURCC ((s)[0], (s)[1], (s)[2], (s)[3])
#define SEED "000102030405060708090a0b0c0d0e0f"
#define SEED_KID "00112233445566778899aabbccddee00"
#define SEED_KID_1 "00112233445566778899aabbccddee01"

#define KEY_A JUDGE_KID ":" JUDGE_KEY
#define KEY_B JUDGE_KID_2 ":" JUDGE_KEY_2
#define KEY_C "33333333333333333333333333333333:" JUDGE_KEY
#define SECONDS(n) #n "000000000"
#define BY_SEED \
  "crypto-period=1000000000 key-id=" SEED_KID " key-seed=" SEED " "
#define IV "iv=1122334455667788 "

/** KID and key of periods 0 to 3 of the seed. */
extern const gchar *period_derived[4][2];
/** 4 s of H.264 and AAC in fragments of 1 s; NULL: cannot be made here. */
extern GBytes *period_clear;
/** An empty directory. */
extern gchar *period_folder;

/** An unchecked fixture. */
void period_setup (void);
void period_teardown (void);

void period_append_box (GByteArray *out, const BmffBox *box);
/** cencencrypt with these properties, and caps. */
GstHarness *period_harness_new (const gchar *settings);
/** Appends what has come out so far to @out. */
void period_collect (GstHarness *h, GByteArray *out);
/**
 * period_convert: pushes @file, then EOS
 * @step: bytes a buffer. Smaller than 64: only the first headers, since a buffer a
 *   byte takes long under a tracer
 *
 * Returns: (transfer full) (nullable): what comes out; NULL: there was an error
 */
GBytes *period_convert (GstHarness *h, GBytes *file, gsize step);
GBytes *period_convert_with (const gchar *settings, GBytes *file, gsize step);
/** Fails the test unless it ends in an error of that code that has @text. */
void period_check_fails (const gchar *settings, GBytes *file, GQuark domain,
    gint code, const gchar *text);
/** Collects messages of the harness's cencencrypt; (transfer full). */
GstBus *period_watch (GstHarness *h);
/** Pushes @file and appends what comes out. */
void period_push_all (GstHarness *h, GBytes *file, GByteArray *out);
/** (transfer full) (nullable): what comes out of a file; NULL: there was an error. All messages are on @bus (out, transfer full), if that is not NULL. */
GBytes *period_encrypt (const gchar *settings, GBytes *file, GstBus **bus);
/** Likewise of period_clear; fails the test on error. */
GBytes *period_encrypt_good (const gchar *settings);
/** Fails the test unless there is an error of SETTINGS on @bus that has @word, and no key. */
void period_check_error (GstBus *bus, const gchar *word);
/** Fails the test unless the element refuses to start with such an error. */
void period_check_refused (const gchar *settings, const gchar *word);
/** The first track with a sample entry of that type. */
JudgeTrack *period_get_track (GPtrArray *tracks, const gchar *format);
/** Fails the test unless the pictures have these KIDs, 25 of them each. */
void period_check_pictures (GBytes *out, const gchar *kids[4]);

G_END_DECLS
