/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gstcenckey.h"
#include "gstcenckeysession.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

/*
 * Of each key two halves are kept, of which neither says anything by itself:
 * random bytes, and what they make of the key. The latter sits in a page of its
 * own that is locked in memory and left out of core dumps: so neither a core nor
 * swap has both, and a search through all of the memory finds no key. A device
 * holds a handful of keys at a time, so that a page each is cheap.
 */
struct _GstCencKey
{
  gatomicrefcount ref_count;
  guint8 kid[GST_CENC_KID_SIZE];
  guint8 pad[GST_CENC_KEY_SIZE];
  guint8 *masked; /* a page */
  gint64 deadline;
  GstStructure *output_protection;
};

G_DEFINE_BOXED_TYPE (GstCencKey, gst_cenc_key, gst_cenc_key_ref,
    gst_cenc_key_unref)

static gsize
secret_page_size (void)
{
  return (gsize) sysconf (_SC_PAGESIZE);
}

/* Byte by byte, and so by the compiler as well: a vector register with a whole
 * key in it would come to stand on the stack when the dynamic linker saves it. */
static void
mask (const guint8 *in, const guint8 *pad, guint8 *out)
{
  volatile guint8 *to = out;
  guint i;

  for (i = 0; i < GST_CENC_KEY_SIZE; i++)
    to[i] = in[i] ^ pad[i];
}

static guint8 *
masked_new (const guint8 *key, const guint8 *pad)
{
  gsize size = secret_page_size ();
  guint8 *page = mmap (NULL, size, PROT_READ | PROT_WRITE,
      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  if (page == MAP_FAILED)
    g_error ("gstcenc: no memory for a key");
  /* Both may be refused by a limit; a key that can be swapped out still plays. */
  (void) madvise (page, size, MADV_DONTDUMP);
  (void) mlock (page, size);
  mask (key, pad, page);
  (void) mprotect (page, size, PROT_READ);

  return page;
}

static void
masked_free (guint8 *page)
{
  gsize size = secret_page_size ();

  if (mprotect (page, size, PROT_READ | PROT_WRITE) == 0)
    explicit_bzero (page, GST_CENC_KEY_SIZE);
  (void) munlock (page, size);
  munmap (page, size);
}

GstCencKey *
gst_cenc_key_new (const guint8 *kid, const guint8 *key)
{
  return gst_cenc_key_new_full (kid, key, GST_CENC_KEY_NO_DEADLINE, NULL);
}

GstCencKey *
gst_cenc_key_new_full (const guint8 *kid, const guint8 *key, gint64 deadline,
    const GstStructure *output_protection)
{
  GstCencKey *self;

  g_return_val_if_fail (kid != NULL && key != NULL, NULL);

  self = g_new0 (GstCencKey, 1);
  g_atomic_ref_count_init (&self->ref_count);
  memcpy (self->kid, kid, GST_CENC_KID_SIZE);
  /* It fails where the kernel has no random bytes yet, or is older than 3.17. */
  if (getentropy (self->pad, sizeof self->pad) != 0)
    g_error ("gstcenc: no random bytes for a key");
  self->masked = masked_new (key, self->pad);
  self->deadline = deadline;
  if (output_protection)
    self->output_protection = gst_structure_copy (output_protection);

  return self;
}

GstCencKey *
gst_cenc_key_ref (GstCencKey *key)
{
  g_return_val_if_fail (key != NULL, NULL);

  g_atomic_ref_count_inc (&key->ref_count);
  return key;
}

void
gst_cenc_key_unref (GstCencKey *key)
{
  g_return_if_fail (key != NULL);

  if (!g_atomic_ref_count_dec (&key->ref_count))
    return;
  masked_free (key->masked);
  explicit_bzero (key->pad, sizeof key->pad);
  g_clear_pointer (&key->output_protection, gst_structure_free);
  g_free (key);
}

const guint8 *
gst_cenc_key_get_kid (const GstCencKey *key)
{
  g_return_val_if_fail (key != NULL, NULL);
  return key->kid;
}

void
gst_cenc_key_copy_data (const GstCencKey *key, guint8 *data)
{
  g_return_if_fail (key != NULL && data != NULL);

  mask (key->masked, key->pad, data);
}

gboolean
gst_cenc_key_has_same_data (const GstCencKey *a, const GstCencKey *b)
{
  guint8 differs = 0;
  guint i;

  g_return_val_if_fail (a != NULL && b != NULL, FALSE);

  for (i = 0; i < GST_CENC_KEY_SIZE; i++)
    differs |= a->masked[i] ^ b->masked[i] ^ a->pad[i] ^ b->pad[i];
  return differs == 0;
}

gint64
gst_cenc_key_get_deadline (const GstCencKey *key)
{
  g_return_val_if_fail (key != NULL, 0);
  return key->deadline;
}

const GstStructure *
gst_cenc_key_get_output_protection (const GstCencKey *key)
{
  g_return_val_if_fail (key != NULL, NULL);
  return key->output_protection;
}

/* "none" < "1.0" < … < "2.3"; a level above all that exist means: never out. */
static gint
hdcp_rank (const gchar *level)
{
  static const gchar *const levels[] = { "none", "1.0", "1.1", "1.2", "1.3",
    "1.4", "2.0", "2.1", "2.2", "2.3", "unavailable" };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (levels); i++) {
    if (g_strcmp0 (level, levels[i]) == 0)
      return (gint) i;
  }
  return -1;
}

static gboolean
hdcp_covers (const GstStructure *demand, const GstStructure *assertion)
{
  gint wanted = hdcp_rank (gst_structure_get_string (demand, "hdcp"));
  gint given =
      assertion ? hdcp_rank (gst_structure_get_string (assertion, "hdcp")) : -1;

  if (wanted == hdcp_rank ("none"))
    return TRUE;
  return wanted >= 0 && wanted != hdcp_rank ("unavailable") &&
      given != hdcp_rank ("unavailable") && given >= wanted;
}

/* A demand of FALSE is covered by the assertion that no such output exists. */
static gboolean
absence_covers (const GstStructure *demand, const GstStructure *assertion,
    const gchar *name)
{
  gboolean allowed = FALSE, exists = TRUE;

  if (!gst_structure_get_boolean (demand, name, &allowed))
    return FALSE;
  if (allowed)
    return TRUE;
  return assertion && gst_structure_get_boolean (assertion, name, &exists) &&
      !exists;
}

static gboolean
demand_is_covered (const GstStructure *demand, const GstStructure *assertion,
    const gchar *name)
{
  if (g_str_equal (name, "hdcp"))
    return hdcp_covers (demand, assertion);
  if (g_str_equal (name, "analog") || g_str_equal (name, "recording"))
    return absence_covers (demand, assertion, name);
  return g_str_equal (name, "max-width") || g_str_equal (name, "max-height");
}

gboolean
gst_cenc_output_protection_covers (const GstStructure *demand,
    const GstStructure *assertion, GError **error)
{
  gint i, n = demand ? gst_structure_n_fields (demand) : 0;

  for (i = 0; i < n; i++) {
    const gchar *name = gst_structure_nth_field_name (demand, i);

    if (!demand_is_covered (demand, assertion, name)) {
      g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_OUTPUT_PROTECTION,
          "the license demands output protection \"%s\", which nothing asserts",
          name);
      return FALSE;
    }
  }
  return TRUE;
}
