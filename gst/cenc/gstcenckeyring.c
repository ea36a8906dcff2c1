/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gstcenckeyring.h"

#include <string.h>

struct _GstCencKeyRing
{
  GstCencKeySession parent;

  GPtrArray *keys; /* GstCencKey; protected by the object lock */
};

G_DEFINE_TYPE (GstCencKeyRing, gst_cenc_key_ring, GST_TYPE_CENC_KEY_SESSION)

/* Call with the object lock held. Returns the index, or -1. */
static gint
find_locked (GstCencKeyRing *self, const guint8 *kid)
{
  guint i;

  for (i = 0; i < self->keys->len; i++) {
    GstCencKey *key = g_ptr_array_index (self->keys, i);

    if (memcmp (gst_cenc_key_get_kid (key), kid, GST_CENC_KID_SIZE) == 0)
      return (gint) i;
  }
  return -1;
}

static GstCencKey *
lookup (GstCencKeyRing *self, const guint8 *kid)
{
  GstCencKey *key = NULL;
  gint i;

  GST_OBJECT_LOCK (self);
  i = find_locked (self, kid);
  if (i >= 0)
    key = gst_cenc_key_ref (g_ptr_array_index (self->keys, i));
  GST_OBJECT_UNLOCK (self);

  return key;
}

static gboolean
gst_cenc_key_ring_has_key (GstCencKeySession *session, const guint8 *kid)
{
  g_autoptr (GstCencKey) key = lookup (GST_CENC_KEY_RING (session), kid);

  return key != NULL;
}

static GstCencKey *
gst_cenc_key_ring_get_key (GstCencKeySession *session, const guint8 *kid,
    GstCencKeyUse use, GError **error)
{
  GstCencKey *key = lookup (GST_CENC_KEY_RING (session), kid);

  if (!key) {
    g_autofree gchar *text = gst_cenc_kid_to_string (kid);

    g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_NO_KEY,
        "no key for KID %s", text);
  }
  return key;
}

static GPtrArray *
gst_cenc_key_ring_list_kids (GstCencKeySession *session)
{
  GstCencKeyRing *self = GST_CENC_KEY_RING (session);
  GPtrArray *kids =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  guint i;

  GST_OBJECT_LOCK (self);
  for (i = 0; i < self->keys->len; i++)
    g_ptr_array_add (kids,
        g_bytes_new (gst_cenc_key_get_kid (g_ptr_array_index (self->keys, i)),
            GST_CENC_KID_SIZE));
  GST_OBJECT_UNLOCK (self);

  return kids;
}

static void
gst_cenc_key_ring_finalize (GObject *object)
{
  g_ptr_array_unref (GST_CENC_KEY_RING (object)->keys);

  G_OBJECT_CLASS (gst_cenc_key_ring_parent_class)->finalize (object);
}

static void
gst_cenc_key_ring_class_init (GstCencKeyRingClass *klass)
{
  GstCencKeySessionClass *session_class = GST_CENC_KEY_SESSION_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = gst_cenc_key_ring_finalize;
  session_class->has_key = gst_cenc_key_ring_has_key;
  session_class->get_key = gst_cenc_key_ring_get_key;
  session_class->list_kids = gst_cenc_key_ring_list_kids;
}

static void
gst_cenc_key_ring_init (GstCencKeyRing *self)
{
  self->keys =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_cenc_key_unref);
}

GstCencKeyRing *
gst_cenc_key_ring_new (void)
{
  return gst_object_ref_sink (g_object_new (GST_TYPE_CENC_KEY_RING, NULL));
}

static void
add_without_signal (GstCencKeyRing *self, GstCencKey *key)
{
  gint i;

  GST_OBJECT_LOCK (self);
  i = find_locked (self, gst_cenc_key_get_kid (key));
  if (i >= 0)
    g_ptr_array_remove_index (self->keys, (guint) i);
  g_ptr_array_add (self->keys, gst_cenc_key_ref (key));
  GST_OBJECT_UNLOCK (self);
}

void
gst_cenc_key_ring_add (GstCencKeyRing *self, GstCencKey *key)
{
  g_return_if_fail (GST_IS_CENC_KEY_RING (self) && key);

  add_without_signal (self, key);
  gst_cenc_key_session_changed (GST_CENC_KEY_SESSION (self));
}

void
gst_cenc_key_ring_clear (GstCencKeyRing *self)
{
  g_return_if_fail (GST_IS_CENC_KEY_RING (self));

  GST_OBJECT_LOCK (self);
  g_ptr_array_set_size (self->keys, 0);
  GST_OBJECT_UNLOCK (self);
  gst_cenc_key_session_changed (GST_CENC_KEY_SESSION (self));
}

/* "KID:KEY" → a key, or NULL. Both parts are wiped here; @pair is the caller's. */
static GstCencKey *
parse_pair (gchar *pair)
{
  guint8 kid[GST_CENC_KID_SIZE], secret[GST_CENC_KEY_SIZE];
  gchar *colon = strchr (pair, ':');
  GstCencKey *key = NULL;

  if (!colon)
    return NULL;
  *colon = '\0';
  if (gst_cenc_parse_hex (g_strstrip (pair), kid, sizeof kid) &&
      gst_cenc_parse_hex (g_strstrip (colon + 1), secret, sizeof secret))
    key = gst_cenc_key_new (kid, secret);
  explicit_bzero (secret, sizeof secret);

  return key;
}

static void
wipe_and_free (gchar *text)
{
  explicit_bzero (text, strlen (text));
  g_free (text);
}

/* @text is cut up in place. */
static GPtrArray *
parse_pairs (gchar *text, GError **error)
{
  g_autoptr (GPtrArray) keys =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_cenc_key_unref);
  gchar *pair = text;

  if (*g_strchug (text) == '\0')
    return g_steal_pointer (&keys);

  while (pair) {
    gchar *comma = strchr (pair, ',');
    GstCencKey *key;

    if (comma)
      *comma++ = '\0';
    key = parse_pair (pair);
    if (!key) {
      g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT,
          "key %u of the list is not KID:KEY with 32 hex digits each",
          keys->len + 1);
      return NULL;
    }
    g_ptr_array_add (keys, key);
    pair = comma;
  }
  return g_steal_pointer (&keys);
}

gboolean
gst_cenc_key_ring_add_hex (GstCencKeyRing *self, const gchar *keys,
    GError **error)
{
  g_autoptr (GPtrArray) parsed = NULL;
  gchar *copy, *whole;
  gsize size;
  guint i;

  g_return_val_if_fail (GST_IS_CENC_KEY_RING (self) && keys, FALSE);

  size = strlen (keys);
  whole = copy = g_strdup (keys);
  parsed = parse_pairs (copy, error);
  explicit_bzero (whole, size);
  g_free (whole);
  if (!parsed)
    return FALSE;

  for (i = 0; i < parsed->len; i++)
    add_without_signal (self, g_ptr_array_index (parsed, i));
  gst_cenc_key_session_changed (GST_CENC_KEY_SESSION (self));
  return TRUE;
}

/* The 32 digits of a UUID, or NULL if @text does not have its shape 8-4-4-4-12. */
static gchar *
uuid_digits (const gchar *text)
{
  static const guint dashes[] = { 8, 13, 18, 23 };
  gchar *digits, *out;
  guint i;

  if (strlen (text) != 36)
    return NULL;
  for (i = 0; i < G_N_ELEMENTS (dashes); i++) {
    if (text[dashes[i]] != '-')
      return NULL;
  }
  out = digits = g_malloc0 (37);
  for (i = 0; i < 36; i++) {
    if (text[i] != '-')
      *out++ = text[i];
  }
  return digits;
}

static gboolean
parse_digits (const gchar *text, guint8 *out, gsize size)
{
  gsize i;

  if (strlen (text) != 2 * size)
    return FALSE;
  for (i = 0; i < size; i++) {
    gint high = g_ascii_xdigit_value (text[2 * i]);
    gint low = g_ascii_xdigit_value (text[2 * i + 1]);

    if (high < 0 || low < 0) {
      explicit_bzero (out, size);
      return FALSE;
    }
    out[i] = (guint8) (high << 4 | low);
  }
  return TRUE;
}

gboolean
gst_cenc_parse_hex (const gchar *text, guint8 *out, gsize size)
{
  gchar *digits;
  gboolean ok;

  g_return_val_if_fail (text && out, FALSE);

  digits = size == GST_CENC_KID_SIZE ? uuid_digits (text) : NULL;
  if (!digits)
    return parse_digits (text, out, size);
  ok = parse_digits (digits, out, size);
  wipe_and_free (digits);
  return ok;
}

gchar *
gst_cenc_kid_to_string (const guint8 *kid)
{
  GString *text;
  guint i;

  g_return_val_if_fail (kid != NULL, NULL);

  text = g_string_sized_new (2 * GST_CENC_KID_SIZE + 1);
  for (i = 0; i < GST_CENC_KID_SIZE; i++)
    g_string_append_printf (text, "%02x", kid[i]);
  return g_string_free (text, FALSE);
}
