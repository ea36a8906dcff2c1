/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Silent AC-3 and E-AC-3 frames: size, checksums, what configurations are known.
 * (That they are silent is ffmpeg's to say: pipelines/smilremix-sound.c.) */

#include <gst/check/gstcheck.h>
#include <string.h>

#include "smilremix/remix-format.h"

static guint
get_crc (const guint8 *data, gsize size)
{
  guint crc = 0;
  gsize i;

  for (i = 0; i < size * 8; i++) {
    guint bit = (data[i / 8] >> (7 - i % 8)) & 1;

    crc = (crc << 1) ^ ((crc >> 15 ^ bit) & 1 ? 0x8005 : 0);
    crc &= 0xffff;
  }
  return crc;
}

static void
check_frame (const RemixAc3Config *config, gsize expected)
{
  g_autoptr (GBytes) frame = remix_ac3_silence (config);
  const guint8 *data;
  gsize size, middle;

  fail_unless (frame != NULL);
  data = g_bytes_get_data (frame, &size);
  fail_unless_equals_uint64 (size, expected);
  fail_unless (data[0] == 0x0b && data[1] == 0x77);
  fail_unless_equals_int (get_crc (data + 2, size - 2), 0);
  if (config->enhanced) {
    fail_unless_equals_int (((data[2] & 7) << 8 | data[3]) + 1, size / 2);
    fail_unless_equals_int (data[4] >> 6, config->fscod);
    fail_unless_equals_int (data[4] >> 1 & 7, config->acmod);
    fail_unless_equals_int (data[4] & 1, config->lfe);
    fail_unless_equals_int (data[5] >> 3, 16);
    return;
  }
  middle = ((size / 2 >> 1) + (size / 2 >> 3)) * 2;
  fail_unless_equals_int (get_crc (data + 2, middle - 2), 0);
  fail_unless_equals_int (data[4] >> 6, config->fscod);
  fail_unless_equals_int (data[5] >> 3, 8);
  fail_unless_equals_int (data[5] & 7, config->bsmod);
  fail_unless_equals_int (data[6] >> 5, config->acmod);
}

/* Every arrangement of channels at every rate, in the least frame there is. */
GST_START_TEST (test_frames)
{
  static const gsize least[] = { 128, 138, 192 };
  guint i;

  for (i = 0; i < 2 * 3 * 8 * 2; i++) {
    RemixAc3Config config = { i & 1, i / 2 % 3, 0, i / 6 % 8, i / 48 % 2, 32,
      TRUE };

    check_frame (&config, least[config.fscod]);
    config.kbps = 448;
    check_frame (&config,
        config.fscod == 0       ? 1792
            : config.fscod == 1 ? 1950
                                : 2688);
  }
}

GST_END_TEST;

static BmffBox *
make_entry (const gchar *type, const guint8 *payload, gsize size)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  g_autoptr (GBytes) raw = NULL;
  guint8 head[8 + 28 + 8] = { 0, 0, 0, (guint8) (44 + size), 'a', 'c', '-',
    '3' };
  BmffBox *stsd, *entry;
  guint8 stsd_head[16] = { 0, 0, 0, (guint8) (60 + size), 's', 't', 's', 'd', 0,
    0, 0, 0, 0, 0, 0, 1 };

  head[15] = 1;
  head[39] = (guint8) (8 + size);
  memcpy (head + 40, type, 4);
  g_byte_array_append (bytes, stsd_head, sizeof (stsd_head));
  g_byte_array_append (bytes, head, sizeof (head));
  g_byte_array_append (bytes, payload, (guint) size);
  raw = g_bytes_new (bytes->data, bytes->len);
  stsd = bmff_box_parse (raw, 0, NULL);
  fail_unless (stsd && bmff_box_parse_stsd (stsd, BMFF_HANDLER_AUDIO, NULL));
  entry = bmff_box_copy (g_ptr_array_index (stsd->children, 0));
  bmff_box_free (stsd);
  return entry;
}

/* As ffmpeg writes them: 48 kHz, 5.1, 448 kbit/s; 44.1 kHz stereo, 96 kbit/s. */
GST_START_TEST (test_parse)
{
  static const guint8 dac3[] = { 0x10, 0x3d, 0xe0 };
  static const guint8 dec3[] = { 0x03, 0x00, 0x60, 0x04, 0x00 };
  static const guint8 dependent[] = { 0x03, 0x00, 0x60, 0x04, 0x02, 0x00 };
  RemixAc3Config config = { 0 };
  BmffBox *entry = make_entry ("dac3", dac3, sizeof (dac3));

  fail_unless (remix_ac3_parse (&config, entry));
  fail_unless (config.simple && !config.enhanced && config.lfe);
  fail_unless_equals_int (config.fscod, 0);
  fail_unless_equals_int (config.acmod, 7);
  fail_unless_equals_int (config.kbps, 448);
  bmff_box_free (entry);

  memset (&config, 0, sizeof (config));
  entry = make_entry ("dec3", dec3, sizeof (dec3));
  fail_unless (remix_ac3_parse (&config, entry));
  fail_unless (config.simple && config.enhanced && !config.lfe);
  fail_unless_equals_int (config.fscod, 1);
  fail_unless_equals_int (config.acmod, 2);
  fail_unless_equals_int (config.kbps, 96);
  bmff_box_free (entry);

  /* A dependent substream is in each of its samples: none is known of those. */
  memset (&config, 0, sizeof (config));
  entry = make_entry ("dec3", dependent, sizeof (dependent));
  fail_unless (remix_ac3_parse (&config, entry));
  fail_unless (!config.simple && !remix_ac3_silence (&config));
  bmff_box_free (entry);

  entry = make_entry ("dac3", dac3, 2);
  fail_unless (!remix_ac3_parse (&config, entry));
  bmff_box_free (entry);
  entry = make_entry ("free", dac3, sizeof (dac3));
  fail_unless (!remix_ac3_parse (&config, entry));
  bmff_box_free (entry);
}

GST_END_TEST;

static Suite *
ac3_suite (void)
{
  Suite *s = suite_create ("smilremix-ac3");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_frames);
  tcase_add_test (tc, test_parse);
  return s;
}

GST_CHECK_MAIN (ac3);
