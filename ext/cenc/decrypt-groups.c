/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cenc/decrypt-groups.h"

#include <gst/cenc/gstcenckeysession.h>
#include <string.h>
#include "gst/cenc/cenc-pssh.h"

/* Of one moof: as many are no rotation; each sample's is looked for among them. */
#define MAX_KIDS 1024

struct _DecryptGroups
{
  gboolean blind;
  GByteArray
      *kids; /* of the newest moof that has pssh boxes; none: not known */
  gboolean open; /* more boxes of that moof may come */
};

DecryptGroups *
decrypt_groups_new (gboolean blind)
{
  DecryptGroups *self = g_new0 (DecryptGroups, 1);

  self->blind = blind;
  self->kids = g_byte_array_new ();
  return self;
}

void
decrypt_groups_free (DecryptGroups *self)
{
  g_byte_array_unref (self->kids);
  g_free (self);
}

gboolean
decrypt_groups_are_unread (void)
{
  guint major, minor, micro, nano;

  gst_version (&major, &minor, &micro, &nano);
  return major == 1 && minor < 23;
}

static void
take_box (DecryptGroups *self, GstBuffer *data)
{
  gpointer bytes;
  gsize size;
  guint i;
  g_autoptr (GBytes) held = NULL;
  g_autoptr (BmffBox) box = NULL;
  g_autoptr (CencPssh) pssh = NULL;

  gst_buffer_extract_dup (data, 0, -1, &bytes, &size);
  held = g_bytes_new_take (bytes, size);
  box = bmff_box_parse (held, 0, NULL);
  if (box)
    pssh = cenc_pssh_parse (box, NULL);
  for (i = 0; pssh && i < pssh->kids->len &&
       self->kids->len < MAX_KIDS * CENC_BLOCK_SIZE;
       i++)
    g_byte_array_append (self->kids,
        g_bytes_get_data (pssh->kids->pdata[i], NULL), CENC_BLOCK_SIZE);
}

void
decrypt_groups_take_protection (DecryptGroups *self, GstEvent *event)
{
  GstBuffer *data;
  const gchar *origin;

  gst_event_parse_protection (event, NULL, &data, &origin);
  if (!data || g_strcmp0 (origin, "isobmff/moof") != 0)
    return;
  if (!self->open)
    g_byte_array_set_size (self->kids, 0);
  self->open = TRUE;
  take_box (self, data);
}

static gboolean
has_kid (const DecryptGroups *self, const guint8 *kid)
{
  guint i;

  for (i = 0; i < self->kids->len; i += CENC_BLOCK_SIZE) {
    if (memcmp (self->kids->data + i, kid, CENC_BLOCK_SIZE) == 0)
      return TRUE;
  }
  return FALSE;
}

static gboolean
is_zero (const guint8 *kid)
{
  static const guint8 zero[CENC_BLOCK_SIZE];

  return memcmp (kid, zero, sizeof zero) == 0;
}

/* A demuxer that reads groups may have missed this one; then it gives what tenc has
 * where keys rotate, which is no KID. */
static gboolean
may_be_missed (const DecryptGroups *self, const GstStructure *info,
    const guint8 *kid)
{
  gboolean encrypted = TRUE;

  if (self->blind)
    return TRUE;
  (void) gst_structure_get_boolean (info, "encrypted", &encrypted);
  return encrypted && is_zero (kid);
}

gboolean
decrypt_groups_check (DecryptGroups *self, GstBuffer *buffer, GError **error)
{
  GstProtectionMeta *meta = gst_buffer_get_protection_meta (buffer);
  const GValue *value =
      meta ? gst_structure_get_value (meta->info, "kid") : NULL;
  GstBuffer *kid = value && GST_VALUE_HOLDS_BUFFER (value)
      ? gst_value_get_buffer (value)
      : NULL;
  guint8 bytes[CENC_BLOCK_SIZE];

  self->open = FALSE;
  if (self->kids->len == 0 || !kid ||
      gst_buffer_extract (kid, 0, bytes, sizeof bytes) != sizeof bytes ||
      has_kid (self, bytes) || !may_be_missed (self, meta->info, bytes))
    return TRUE;
  g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_UNSUPPORTED,
      "keys rotate, and the demuxer does not say so (qtdemux %s): put "
      "cencdecrypt in front of the demuxer",
      self->blind ? "before GStreamer 1.24 reads no sample groups"
                  : "before 1.26.4 reads only the first sbgp of a fragment");
  return FALSE;
}

void
decrypt_groups_reset (DecryptGroups *self)
{
  g_byte_array_set_size (self->kids, 0);
  self->open = FALSE;
}
