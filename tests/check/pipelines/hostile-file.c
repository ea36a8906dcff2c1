/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "hostile-file.h"

#include <glib/gstdio.h>

#include "decrypt-util.h"

BmffBox *
hostile_box (const gchar *type, guint n, const guint32 *words,
    BmffBox **children)
{
  BmffWriter *writer = bmff_writer_new (4 * n);
  BmffBox *self;
  guint i;

  for (i = 0; i < n; i++)
    bmff_writer_u32 (writer, words[i]);
  self = bmff_box_new (FCC (type), bmff_writer_end (writer));
  for (i = 0; children && children[i]; i++)
    bmff_box_append (self, children[i]);
  return self;
}

/* cbcs with a constant IV: samples need no information of their own. */
static BmffBox *
make_sinf (void)
{
  BmffBox *tenc = LEAF ("tenc", 1u << 24, 0x00000100, 0, 0, 0, 1, 0x10000000, 0,
      0, 0, 0x00000000);

  return PARENT ("sinf", LEAF ("frma", FCC ("Opus")),
      LEAF ("schm", 0, FCC ("cbcs"), 0x10000), PARENT ("schi", tenc));
}

BmffBox *
hostile_entry_new (gboolean is_protected)
{
  BmffBox *dops = LEAF ("dOps", 0x00020000, 0x0000bb80, 0);
  BmffBox *children[] = { dops, is_protected ? make_sinf () : NULL, NULL };

  return hostile_box (is_protected ? "enca" : "Opus",
      WORDS (0, 1, 0, 0, 0x00020010, 0, 48000u << 16), children);
}

BmffBox *
hostile_stbl_new (gboolean is_protected, guint32 n, guint32 size,
    guint32 offset)
{
  BmffBox *entries[] = { hostile_entry_new (is_protected), NULL };
  BmffBox *stsd = hostile_box ("stsd", WORDS (0, 1), entries);

  if (n == 0)
    return PARENT ("stbl", stsd, LEAF ("stts", 0, 0), LEAF ("stsc", 0, 0),
        LEAF ("stsz", 0, 0, 0), LEAF ("stco", 0, 0));
  return PARENT ("stbl", stsd, LEAF ("stts", 0, 1, n, 20),
      LEAF ("stsc", 0, 1, 1, n, 1), LEAF ("stsz", 0, size, n),
      LEAF ("stco", 0, 1, offset));
}

BmffBox *
hostile_trak_new (guint32 id, BmffBox *stbl)
{
  guint32 tkhd[21] = { 3, 0, 0, id }, mvhd_like[6] = { 0, 0, 0, 48000, 0, 0 };
  guint32 hdlr[7] = { 0, 0, FCC ("soun") };

  return PARENT ("trak", hostile_box ("tkhd", G_N_ELEMENTS (tkhd), tkhd, NULL),
      PARENT ("mdia",
          hostile_box ("mdhd", G_N_ELEMENTS (mvhd_like), mvhd_like, NULL),
          hostile_box ("hdlr", G_N_ELEMENTS (hdlr), hdlr, NULL),
          PARENT ("minf", LEAF ("smhd", 0, 0), stbl)));
}

BmffBox *
hostile_moov_new (BmffBox *stbl, gboolean fragmented)
{
  guint32 mvhd[25] = { 0, 0, 0, 1000 };
  BmffBox *moov =
      PARENT ("moov", hostile_box ("mvhd", G_N_ELEMENTS (mvhd), mvhd, NULL),
          hostile_trak_new (1, stbl));

  if (fragmented)
    bmff_box_append (moov, PARENT ("mvex", LEAF ("trex", 0, 1, 1, 20, 1, 0)));
  return moov;
}

BmffBox *
hostile_moof_new (guint32 n_samples, guint32 data_offset)
{
  return PARENT ("moof", LEAF ("mfhd", 0, 1),
      PARENT ("traf", LEAF ("tfhd", 0x020000, 1),
          LEAF ("trun", 1, n_samples, data_offset)));
}

void
hostile_append (GByteArray *file, BmffBox *box)
{
  GBytes *bytes = bmff_box_to_bytes (box);

  g_byte_array_append (file, g_bytes_get_data (bytes, NULL),
      (guint) g_bytes_get_size (bytes));
  g_bytes_unref (bytes);
  bmff_box_free (box);
}

void
hostile_append_media (GByteArray *file, const gchar *type, guint size)
{
  hostile_append (file,
      bmff_box_new (FCC (type), g_bytes_new_take (g_malloc0 (size), size)));
}

void
hostile_append_mdat (GByteArray *file, guint size)
{
  hostile_append_media (file, "mdat", size);
}

GByteArray *
hostile_file_new (void)
{
  GByteArray *file = g_byte_array_new ();

  hostile_append (file, LEAF ("ftyp", FCC ("isom"), 0, FCC ("iso6")));
  return file;
}

GByteArray *
hostile_fragmented_new (void)
{
  GByteArray *file = hostile_file_new ();

  hostile_append (file,
      hostile_moov_new (hostile_stbl_new (TRUE, 0, 0, 0), TRUE));
  return file;
}

GByteArray *
hostile_run (const GByteArray *file, const gchar *upstream,
    const gchar *element, GError **error)
{
  g_autofree gchar *path = temporary_file ("cenc-hostile-XXXXXX.mp4");
  g_autofree gchar *launch = NULL;
  GByteArray *out;

  fail_unless (g_file_set_contents (path, (const gchar *) file->data,
      (gssize) file->len, NULL));
  launch = g_strdup_printf ("filesrc location=%s %s ! %s ! fakesink name=sink",
      path, upstream, element);
  out = pipeline_collect (launch, error);
  g_unlink (path);
  return out;
}

void
hostile_check_refused (const GByteArray *file, const gchar *upstream,
    const gchar *element, const gchar *text)
{
  g_autoptr (GError) error = NULL;
  GByteArray *out = hostile_run (file, upstream, element, &error);

  fail_unless (out == NULL && error != NULL);
  fail_unless (strstr (error->message, text) != NULL, "%s", error->message);
}

void
hostile_check_both_refuse (const GByteArray *file, const gchar *text)
{
  hostile_check_refused (file, "", HOSTILE_DECRYPT, text);
  hostile_check_refused (file, "! queue", HOSTILE_DECRYPT, text);
}

void
hostile_check_passes (const GByteArray *file, const gchar *upstream)
{
  GError *error = NULL;
  GByteArray *out = hostile_run (file, upstream, HOSTILE_DECRYPT, &error);

  fail_unless (out != NULL, "%s", error ? error->message : "");
  fail_unless_equals_int (out->len, file->len);
  g_byte_array_unref (out);
}
