/* SPDX-License-Identifier: LGPL-2.1-or-later */

#define _GNU_SOURCE /* strchrnul() */

#include "encrypt-keys.h"

#include <openssl/crypto.h>
#include <string.h>
#include "cenc/encrypt-hex.h"
#include "cenc/encrypt-track.h"

typedef struct
{
  gchar *label; /* one of labels[]; NULL: for all others */
  guint32 track_id; /* if not 0, in place of the label */
  GstCencKey *key;
} Entry;

struct _EncryptKeys
{
  gatomicrefcount refs;
  GArray *entries; /* (element-type Entry) */
};

/* By the most pixels of a picture. */
static const struct
{
  const gchar *label;
  guint64 pixels;
} labels[] = {
  { "AUDIO", 0 },
  { "SD", 768 * 576 },
  { "HD", 1920 * 1080 },
  { "UHD1", 4096 * 2160 },
  { "UHD2", G_MAXUINT64 },
};

static void
entry_clear (gpointer data)
{
  Entry *entry = data;

  g_free (entry->label);
  g_clear_pointer (&entry->key, gst_cenc_key_unref);
}

static gboolean
parse_label (Entry *entry, const gchar *text, gsize size)
{
  guint64 id;
  guint i;

  entry->label = g_strndup (text, size);
  for (i = 0; i < G_N_ELEMENTS (labels); i++) {
    if (strcmp (entry->label, labels[i].label) == 0)
      return TRUE;
  }
  if (!g_ascii_string_to_unsigned (entry->label, 10, 1, G_MAXUINT32, &id, NULL))
    return FALSE;
  entry->track_id = id;
  return TRUE;
}

/* KID:KEY, up to @end. */
static gboolean
parse_key (Entry *entry, const gchar *text, const gchar *end)
{
  const gchar *colon = memchr (text, ':', end - text);
  guint8 kid[GST_CENC_KID_SIZE], key[GST_CENC_KEY_SIZE];
  gchar *copy;

  if (colon) {
    g_autofree gchar *id = g_strndup (text, colon - text);

    copy = g_strndup (colon + 1, end - colon - 1);
    if (encrypt_hex_parse (id, kid, sizeof (kid)) == sizeof (kid) &&
        encrypt_hex_parse (copy, key, sizeof (key)) == sizeof (key))
      entry->key = gst_cenc_key_new (kid, key);
    OPENSSL_cleanse (copy, strlen (copy));
    OPENSSL_cleanse (key, sizeof (key));
    g_free (copy);
  }
  return entry->key != NULL;
}

static gboolean
parse_entry (EncryptKeys *self, const gchar *text, const gchar *end,
    gboolean bare)
{
  const gchar *equals = memchr (text, '=', end - text);
  const gchar *key = equals ? equals + 1 : text;
  Entry entry = { NULL };

  if ((!equals && !bare) ||
      (equals && !parse_label (&entry, text, equals - text)) ||
      !parse_key (&entry, key, end)) {
    entry_clear (&entry);
    return FALSE;
  }
  g_array_append_val (self->entries, entry);
  return TRUE;
}

/* Whether the last entry is for what another one is for. */
static gboolean
is_repeated (const EncryptKeys *self)
{
  const Entry *last =
      &g_array_index (self->entries, Entry, self->entries->len - 1);
  guint i;

  for (i = 0; i + 1 < self->entries->len; i++) {
    const Entry *entry = &g_array_index (self->entries, Entry, i);

    if (entry->track_id == last->track_id &&
        (entry->track_id != 0 || g_strcmp0 (entry->label, last->label) == 0))
      return TRUE;
  }
  return FALSE;
}

EncryptKeys *
encrypt_keys_parse (const gchar *property, const gchar *text, gboolean bare,
    GError **error)
{
  g_autoptr (EncryptKeys) self = g_new0 (EncryptKeys, 1);
  const gchar *end;

  g_atomic_ref_count_init (&self->refs);
  self->entries = g_array_new (FALSE, FALSE, sizeof (Entry));
  g_array_set_clear_func (self->entries, entry_clear);
  do {
    end = strchrnul (text, ',');
    if (!parse_entry (self, text, end, bare)) {
      g_set_error (error, ENCRYPT_ERROR, ENCRYPT_ERROR_SETTINGS,
          "%s: entry %u is not %sLABEL=KID:KEY with a label of AUDIO, "
          "SD, HD, UHD1, UHD2 or a track's number",
          property, self->entries->len + 1, bare ? "KID:KEY or " : "");
      return NULL;
    }
    if (is_repeated (self)) {
      g_set_error (error, ENCRYPT_ERROR, ENCRYPT_ERROR_SETTINGS,
          "%s: entry %u is for what another one is for", property,
          self->entries->len);
      return NULL;
    }
    text = end + 1;
  } while (*end);
  return g_steal_pointer (&self);
}

EncryptKeys *
encrypt_keys_ref (EncryptKeys *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

void
encrypt_keys_unref (EncryptKeys *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  g_array_unref (self->entries);
  g_free (self);
}

const gchar *
encrypt_keys_get_label (const BmffTrack *track)
{
  guint64 pixels = (guint64) track->width * track->height;
  guint i;

  if (track->handler == BMFF_HANDLER_AUDIO)
    return labels[0].label;
  for (i = 1; pixels > labels[i].pixels; i++)
    ;
  return labels[i].label;
}

GstCencKey *
encrypt_keys_find (const EncryptKeys *self, guint32 track_id,
    const gchar *label)
{
  GstCencKey *by_label = NULL, *bare = NULL;
  guint i;

  for (i = 0; i < self->entries->len; i++) {
    const Entry *entry = &g_array_index (self->entries, Entry, i);

    if (entry->track_id == track_id)
      return entry->key;
    if (!entry->label)
      bare = entry->key;
    else if (!by_label && strcmp (entry->label, label) == 0)
      by_label = entry->key;
  }
  return by_label ? by_label : bare;
}

GstCencKey *
encrypt_keys_get_only (const EncryptKeys *self)
{
  const Entry *entry = &g_array_index (self->entries, Entry, 0);

  return self->entries->len == 1 && !entry->label ? entry->key : NULL;
}

gboolean
encrypt_keys_check (const EncryptKeys *self, GPtrArray *known,
    const gchar *property, GError **error)
{
  guint i;

  for (i = 0; i < self->entries->len; i++) {
    if (!encrypt_keys_array_check (known,
            g_array_index (self->entries, Entry, i).key, property, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
encrypt_keys_array_check (GPtrArray *known, GstCencKey *key,
    const gchar *property, GError **error)
{
  g_autofree gchar *kid = NULL;
  guint i;

  for (i = 0; i < known->len; i++) {
    if (memcmp (gst_cenc_key_get_kid (known->pdata[i]),
            gst_cenc_key_get_kid (key), GST_CENC_KID_SIZE) == 0)
      break;
  }
  if (i == known->len) {
    g_ptr_array_add (known, gst_cenc_key_ref (key));
    return TRUE;
  }
  if (gst_cenc_key_has_same_data (known->pdata[i], key))
    return TRUE;
  kid = encrypt_hex_format_uuid (gst_cenc_key_get_kid (key));
  g_set_error (error, ENCRYPT_ERROR, ENCRYPT_ERROR_SETTINGS,
      "%s: the KID %s has two keys", property, kid);
  return FALSE;
}

GPtrArray *
encrypt_keys_array_new (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify) gst_cenc_key_unref);
}

void
encrypt_keys_array_add (GPtrArray *keys, GstCencKey *key)
{
  guint i;

  for (i = 0; i < keys->len; i++) {
    if (memcmp (gst_cenc_key_get_kid (keys->pdata[i]),
            gst_cenc_key_get_kid (key), GST_CENC_KID_SIZE) == 0)
      return;
  }
  g_ptr_array_add (keys, gst_cenc_key_ref (key));
}
