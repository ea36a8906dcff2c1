/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cenc/decrypt-lead.h"

#include <gst/cenc/gstcenckeysession.h>

#define MAX_HELD (64u << 20)
/* What holding takes beside the bytes: of samples without any, too. */
#define OVERHEAD 1024

typedef struct
{
  GstMiniObject *object; /* a buffer as it came, or an event */
  GstBuffer *decrypted; /* what it is if it was encrypted; nullable */
} Held;

static void
held_free (Held *held)
{
  gst_mini_object_unref (held->object);
  gst_clear_buffer (&held->decrypted);
  g_free (held);
}

void
decrypt_lead_init (DecryptLead *self)
{
  self->over = self->lost = FALSE;
  self->n_clear = 0;
  self->families = self->beginnings = 0;
  self->size = 0;
  g_queue_init (&self->held);
}

void
decrypt_lead_clear (DecryptLead *self)
{
  g_queue_clear_full (&self->held, (GDestroyNotify) held_free);
  decrypt_lead_init (self);
}

gboolean
decrypt_lead_is_holding (const DecryptLead *self)
{
  return !g_queue_is_empty ((GQueue *) &self->held);
}

gboolean
decrypt_lead_goes_on (const DecryptLead *self)
{
  return decrypt_lead_is_holding (self) || (!self->over && self->n_clear > 0);
}

/* (transfer full) @object, @decrypted */
static void
hold (DecryptLead *self, gpointer object, GstBuffer *decrypted)
{
  Held *held = g_new0 (Held, 1);

  held->object = object;
  held->decrypted = decrypted;
  self->size += OVERHEAD;
  if (GST_IS_BUFFER (object))
    self->size += gst_buffer_get_size (object);
  g_queue_push_tail (&self->held, held);
}

/* A clear sample came behind what is held, so that it is clear as well. */
static void
release_as_clear (DecryptLead *self, GQueue *out)
{
  Held *held;

  while ((held = g_queue_pop_head (&self->held))) {
    g_queue_push_tail (out, gst_mini_object_ref (held->object));
    held_free (held);
  }
  self->size = 0;
}

/* What parsed both ways, behind the last that was clear, may have been
 * encrypted: it is given decrypted. */
static void
release_at_end (DecryptLead *self, GQueue *out)
{
  Held *held;

  while ((held = g_queue_pop_head (&self->held))) {
    g_queue_push_tail (out,
        held->decrypted
            ? gst_mini_object_ref (GST_MINI_OBJECT_CAST (held->decrypted))
            : gst_mini_object_ref (held->object));
    held_free (held);
  }
  self->size = 0;
}

static gint
get_family (const SampleProbe *probe, GstBuffer *buffer)
{
  guint8 first;

  return gst_buffer_extract (buffer, 0, &first, 1) == 1
      ? sample_probe_get_family (probe, &first, 1)
      : -1;
}

/* What samples of one stream mostly share: of AAC the first element. */
static gint
get_beginning (GstBuffer *buffer)
{
  guint8 first;

  return gst_buffer_extract (buffer, 0, &first, 1) == 1 ? first >> 2 : -1;
}

/* @family: -1 for none */
static guint64
get_bit (gint family)
{
  return family < 0 ? 0 : G_GUINT64_CONSTANT (1) << family;
}

static gboolean
is_in (guint64 families, gint family)
{
  return (families & get_bit (family)) != 0;
}

/* What is held stands between a lead and @encrypted, and parses both ways: of a
 * codec whose samples have a family, that has to tell. FALSE: it does not. */
static gboolean
settle (DecryptLead *self, const SampleProbe *probe, GstBuffer *encrypted)
{
  guint64 other = 0;
  gint family = get_family (probe, encrypted);
  GList *walk;

  if (family < 0 || self->families == 0)
    return TRUE;
  other = get_bit (family);
  for (walk = self->held.head; walk; walk = walk->next) {
    Held *held = walk->data;
    gboolean clear, fits;

    if (!held->decrypted)
      continue;
    clear = is_in (self->families,
        get_family (probe, GST_BUFFER_CAST (held->object)));
    fits = is_in (other, get_family (probe, held->decrypted));
    if (clear == fits)
      return FALSE;
    if (clear)
      gst_clear_buffer (&held->decrypted);
  }
  return TRUE;
}

/* A title may be shorter than its lead was meant to be. */
static void
settle_end (DecryptLead *self)
{
  GList *walk;

  for (walk = self->held.head; walk; walk = walk->next) {
    Held *held = walk->data;

    if (held->decrypted &&
        is_in (self->beginnings,
            get_beginning (GST_BUFFER_CAST (held->object))) &&
        !is_in (self->beginnings, get_beginning (held->decrypted)))
      gst_clear_buffer (&held->decrypted);
  }
}

/* All that is held is clear; it goes on being held. */
static void
mark_clear (DecryptLead *self)
{
  GList *walk;

  for (walk = self->held.head; walk; walk = walk->next)
    gst_clear_buffer (&((Held *) walk->data)->decrypted);
}

static gboolean
is_good (const SampleProbe *probe, GstBuffer *buffer)
{
  GstMapInfo map;
  gboolean good = FALSE;

  if (buffer && gst_buffer_map (buffer, &map, GST_MAP_READ)) {
    good = sample_probe_check (probe, map.data, map.size) == SAMPLE_PROBE_GOOD;
    gst_buffer_unmap (buffer, &map);
  }
  return good;
}

static gboolean
is_same (GstBuffer *a, GstBuffer *b)
{
  GstMapInfo map;
  gboolean same = FALSE;

  if (b && gst_buffer_map (b, &map, GST_MAP_READ)) {
    same = gst_buffer_get_size (a) == map.size &&
        gst_buffer_memcmp (a, 0, map.data, map.size) == 0;
    gst_buffer_unmap (b, &map);
  }
  return same;
}

static DecryptLeadResult
fail (GstBuffer *raw, GError **error, const gchar *reason)
{
  g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT,
      "no sample information: put cencdecrypt in front of the demuxer (%s)",
      reason);
  gst_clear_buffer (&raw);
  return DECRYPT_LEAD_FAILED;
}

DecryptLeadResult
decrypt_lead_add (DecryptLead *self, const SampleProbe *probe, guint need,
    GstBuffer *raw, GstBuffer *decrypted, GQueue *out, GError **error)
{
  g_autoptr (GstBuffer) dropped = NULL;
  gboolean clear = is_good (probe, raw), fits = is_good (probe, decrypted);
  gboolean lost;

  if (!clear && !decrypted)
    return fail (raw, error,
        "a sample came without it that is no clear one of its codec");
  if (!clear) {
    if (fits && !settle (self, probe, decrypted)) {
      gst_clear_buffer (&decrypted);
      return fail (raw, error, "a lead whose end cannot be told");
    }
    /* Without the key that fits nothing shows that what is held was clear. */
    if (fits)
      release_at_end (self, out);
    lost = decrypt_lead_is_holding (self);
    decrypt_lead_clear (self);
    self->over = TRUE;
    self->lost = lost;
    gst_buffer_unref (decrypted);
    return DECRYPT_LEAD_OVER;
  }

  if (fits) {
    /* Too short for a block: the same both ways. */
    if (is_same (raw, decrypted) && !decrypt_lead_is_holding (self)) {
      dropped = decrypted;
      g_queue_push_tail (out, raw);
      return DECRYPT_LEAD_TAKEN;
    }
    hold (self, raw, decrypted);
  } else {
    dropped = decrypted;
    self->families |= get_bit (get_family (probe, raw));
    self->beginnings |= get_bit (get_beginning (raw));
    mark_clear (self);
    hold (self, raw, NULL);
    if (++self->n_clear >= need)
      release_as_clear (self, out);
  }
  return self->size <= MAX_HELD
      ? DECRYPT_LEAD_TAKEN
      : fail (NULL, error, "over 64 MiB of samples may be clear or not");
}

void
decrypt_lead_add_event (DecryptLead *self, GstEvent *event)
{
  hold (self, event, NULL);
}

void
decrypt_lead_finish (DecryptLead *self, GQueue *out)
{
  settle_end (self);
  release_at_end (self, out);
}
