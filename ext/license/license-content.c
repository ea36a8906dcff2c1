/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "license-content.h"

#include <string.h>

#include <gst/cenc/gstcenckeyring.h>

#include "gst/cenc/cenc-params.h"
#include "gst/cenc/cenc-pssh.h"
#include "gst/isobmff/bmff-index.h"
#include "gst/isobmff/bmff-movie.h"
#include "license-remote.h"

/* Behind version, flags, two pattern bytes, isProtected and IV size
 * (ISO/IEC 23001-7, 8.2.2; the same place in versions 0 and 1). */
#define TENC_KID_OFFSET 8

/* Behind a reserved byte, the pattern's, isProtected and IV size (clause 6). */
#define SEIG_KID_OFFSET 4
#define MAX_GROUPS 1024

void
license_kids_add (GByteArray *kids, const guint8 *kid)
{
  static const guint8 none[GST_CENC_KID_SIZE];
  guint i;

  if (memcmp (kid, none, sizeof none) == 0)
    return;
  for (i = 0; i < kids->len; i += GST_CENC_KID_SIZE) {
    if (memcmp (kids->data + i, kid, GST_CENC_KID_SIZE) == 0)
      return;
  }
  g_byte_array_append (kids, kid, GST_CENC_KID_SIZE);
}

GByteArray *
license_kids_parse (const gchar *text, GError **error)
{
  g_autoptr (GByteArray) kids = g_byte_array_new ();
  g_auto (GStrv) words = g_strsplit (text, ",", -1);
  guint8 kid[GST_CENC_KID_SIZE];
  guint i;

  for (i = 0; words[i]; i++) {
    if (!gst_cenc_parse_hex (g_strstrip (words[i]), kid, sizeof kid)) {
      g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT,
          "\"%.40s\" is not a KID of 32 hex digits", words[i]);
      return NULL;
    }
    license_kids_add (kids, kid);
  }
  return g_steal_pointer (&kids);
}

/* Of tenc, or of PIFF's uuid box, which has the KID at the same place. */
static void
add_tenc (GByteArray *kids, const BmffBox *box)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (box->payload, &size);
  gboolean piff = box->type == BMFF_FOURCC ('u', 'u', 'i', 'd') &&
      memcmp (box->uuid, CENC_PIFF_TENC_UUID, sizeof box->uuid) == 0;

  if ((piff || box->type == BMFF_FOURCC ('t', 'e', 'n', 'c')) &&
      size >= TENC_KID_OFFSET + GST_CENC_KID_SIZE)
    license_kids_add (kids, data + TENC_KID_OFFSET);
}

static void
add_entry (GByteArray *kids, const BmffBox *entry)
{
  BmffBox *sinf;
  guint next = 0, j;

  while ((sinf = bmff_box_next_child (entry, BMFF_FOURCC ('s', 'i', 'n', 'f'),
              &next))) {
    BmffBox *schi = bmff_box_find (sinf, "schi");

    for (j = 0; schi && schi->children && j < schi->children->len; j++)
      add_tenc (kids, g_ptr_array_index (schi->children, j));
  }
}

/* Keys that rotate within a track of a progressive file; those of fragments are
 * in the fragments, or in a pssh. */
static void
add_groups (GByteArray *kids, const BmffBox *stbl)
{
  guint i;

  for (i = 1; i <= MAX_GROUPS; i++) {
    g_autoptr (GBytes) entry = bmff_sgpd_get_entry (stbl,
        BMFF_FOURCC ('s', 'e', 'i', 'g'), i, NULL, NULL);

    if (!entry)
      return;
    if (g_bytes_get_size (entry) >= SEIG_KID_OFFSET + GST_CENC_KID_SIZE)
      license_kids_add (kids,
          (const guint8 *) g_bytes_get_data (entry, NULL) + SEIG_KID_OFFSET);
  }
}

static void
add_pssh (GByteArray *kids, const BmffBox *box)
{
  g_autoptr (CencPssh) pssh = cenc_pssh_parse (box, NULL);
  guint i;

  for (i = 0; pssh && i < pssh->kids->len; i++)
    license_kids_add (kids,
        g_bytes_get_data (g_ptr_array_index (pssh->kids, i), NULL));
}

static void
add_movie (GByteArray *kids, const BmffMovie *movie)
{
  const BmffBox *pssh;
  guint i, j, next = 0;

  for (i = 0; i < movie->tracks->len; i++) {
    const BmffTrack *track = g_ptr_array_index (movie->tracks, i);

    for (j = 0; track->stsd->children && j < track->stsd->children->len; j++)
      add_entry (kids, g_ptr_array_index (track->stsd->children, j));
    add_groups (kids, track->stbl);
  }
  while ((pssh = bmff_box_next_child (movie->moov,
              BMFF_FOURCC ('p', 's', 's', 'h'), &next)))
    add_pssh (kids, pssh);
}

static BmffMovie *
read_movie (BmffSource *source, GError **error)
{
  BmffHeader header;
  guint64 offset = 0;

  while (bmff_source_read_header (source, offset, &header, error)) {
    if (header.type == BMFF_FOURCC ('m', 'o', 'o', 'v')) {
      BmffBox *moov = bmff_source_read_box (source, offset, error);

      return moov ? bmff_movie_new (moov, error) : NULL;
    }
    if (header.size == 0 || header.size > G_MAXINT64 - offset)
      break;
    offset += header.size;
  }
  if (error && !*error)
    g_set_error_literal (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT,
        "there is no moov box");
  return NULL;
}

static GBytes *
map_file (const gchar *location, GError **error)
{
  g_autofree gchar *path = g_str_has_prefix (location, "file:")
      ? g_filename_from_uri (location, NULL, NULL)
      : g_strdup (location);
  g_autoptr (GMappedFile) file = NULL;
  g_autoptr (GError) failed = NULL;

  if (!path || (g_uri_peek_scheme (path) && !g_path_is_absolute (path))) {
    g_set_error_literal (error, GST_CENC_ERROR, GST_CENC_ERROR_UNSUPPORTED,
        "content is a file, or by http or https; set key-ids instead");
    return NULL;
  }
  file = g_mapped_file_new (path, FALSE, &failed);
  if (!file) {
    g_set_error_literal (error, GST_CENC_ERROR, GST_CENC_ERROR_FAILED,
        failed->message);
    return NULL;
  }
  return g_mapped_file_get_bytes (file);
}

static BmffSource *
open_source (const gchar *location, const LicenseClient *client, GError **error)
{
  g_autoptr (GBytes) bytes = NULL;

  if (license_content_is_remote (location)) {
    if (client)
      return license_remote_new (client, location);
    g_set_error_literal (error, GST_CENC_ERROR, GST_CENC_ERROR_UNSUPPORTED,
        "content is on the network, which this action does not touch: set "
        "key-ids, or a file");
    return NULL;
  }
  bytes = map_file (location, error);
  return bytes ? bmff_source_new_bytes (bytes, 0) : NULL;
}

gboolean
license_content_is_remote (const gchar *location)
{
  const gchar *scheme = g_uri_peek_scheme (location);

  return g_strcmp0 (scheme, "http") == 0 || g_strcmp0 (scheme, "https") == 0;
}

/* A URL's query may be a credential. */
static gchar *
name_of (const gchar *location)
{
  return license_content_is_remote (location)
      ? g_strndup (location, strcspn (location, "?#"))
      : g_strdup (location);
}

static void
refuse (const gchar *location, GError *why, GError **error)
{
  g_autofree gchar *name = name_of (location);

  if (why && why->domain == LICENSE_CLIENT_ERROR)
    g_set_error (error, LICENSE_CLIENT_ERROR, why->code, "%s: %s", name,
        why->message);
  else
    g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT, "%s: %s", name,
        why ? why->message : "it names no key: it is not protected");
}

GByteArray *
license_content_list_kids (const gchar *location, const LicenseClient *client,
    GError **error)
{
  g_autoptr (GByteArray) kids = g_byte_array_new ();
  g_autoptr (GError) failed = NULL;
  g_autoptr (BmffSource) source = open_source (location, client, error);
  g_autoptr (BmffMovie) movie = source ? read_movie (source, &failed) : NULL;

  if (!source)
    return NULL;
  if (movie)
    add_movie (kids, movie);
  if (kids->len > 0)
    return g_steal_pointer (&kids);
  refuse (location, failed, error);
  return NULL;
}
