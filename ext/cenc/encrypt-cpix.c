/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "encrypt-cpix.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <openssl/crypto.h>
#include <string.h>
#include <unistd.h>
#include "cenc/cpix-read.h"
#include "cenc/encrypt-keys.h"
#include "cenc/encrypt-track.h"
#include "cenc/cpix-xml.h"
#include "gst/cenc/cenc-pssh.h"

#define FOURCC_BTRT BMFF_FOURCC ('b', 't', 'r', 't')
#define FOURCC_STTS BMFF_FOURCC ('s', 't', 't', 's')

/* Fields of a sample entry that are behind its header (14496-12, 12.1.3, 12.2.3). */
#define VISUAL_SIZE 78
#define VISUAL_WIDTH 24
#define AUDIO_SIZE 28
#define AUDIO_CHANNELS 16

void
encrypt_cpix_propagate (GError **error, const gchar *property,
    GError *cpix_error)
{
  g_set_error (error, ENCRYPT_ERROR, ENCRYPT_ERROR_SETTINGS, "%s: %s", property,
      cpix_error->message);
  g_error_free (cpix_error);
}

gboolean
encrypt_cpix_refuse_file (GError **error, const gchar *property,
    const gchar *location, const gchar *why)
{
  g_set_error (error, ENCRYPT_ERROR, ENCRYPT_ERROR_SETTINGS, "%s: %s: %s",
      property, location, why);
  return FALSE;
}

/* Without buffering: no copy stays in memory that is not wiped. */
CpixSecret *
encrypt_cpix_read_file (const gchar *property, const gchar *location,
    GError **error)
{
  g_autoptr (CpixSecret) text = cpix_secret_new (CPIX_XML_MAX_SIZE + 1);
  gint fd = g_open (location, O_RDONLY | O_CLOEXEC, 0);
  gssize n = 1;

  text->size = 0;
  while (fd >= 0 && n > 0 && text->size < text->capacity) {
    n = read (fd, text->data + text->size, text->capacity - text->size);
    if (n > 0)
      text->size += n;
    else if (n < 0 && errno == EINTR)
      n = 1;
  }
  if (fd < 0 || n < 0)
    encrypt_cpix_refuse_file (error, property, location, g_strerror (errno));
  else if (text->size == text->capacity)
    encrypt_cpix_refuse_file (error, property, location, "larger than 1 MiB");
  else
    n = 0;
  if (fd >= 0)
    close (fd);
  return fd >= 0 && n == 0 && text->size < text->capacity
      ? g_steal_pointer (&text)
      : NULL;
}

CpixDocument *
encrypt_cpix_load (const gchar *location, const gchar *key_location,
    gboolean require_mac, GError **error)
{
  g_autoptr (CpixSecret) text =
      encrypt_cpix_read_file ("cpix", location, error);
  g_autoptr (CpixSecret) pem = NULL;
  g_autoptr (CpixRecipient) recipient = NULL;
  CpixDocument *document;
  GError *cpix_error = NULL;

  if (!text)
    return NULL;
  if (key_location) {
    pem = encrypt_cpix_read_file ("cpix-key", key_location, error);
    if (!pem)
      return NULL;
    recipient = cpix_recipient_new_from_key ((const gchar *) pem->data,
        pem->size, &cpix_error);
    if (!recipient) {
      encrypt_cpix_propagate (error, "cpix-key", cpix_error);
      return NULL;
    }
  }
  document = cpix_document_read ((const gchar *) text->data, text->size,
      recipient, require_mac, &cpix_error);
  if (!document)
    encrypt_cpix_propagate (error, "cpix", cpix_error);
  return document;
}

/* What is known of a track */

static guint64
get_pixels (const BmffTrack *track)
{
  guint64 pixels = 0;
  const BmffBox *entry;
  guint i;

  for (i = 1; (entry = bmff_track_get_entry (track, i)); i++) {
    BmffReader reader;
    guint64 own;

    bmff_box_get_reader (entry, &reader);
    bmff_reader_skip (&reader, VISUAL_WIDTH);
    own = bmff_reader_u16 (&reader);
    own *= bmff_reader_u16 (&reader);
    if (!bmff_reader_ok (&reader) || (i > 1 && own != pixels))
      return 0;
    pixels = own;
  }
  return pixels;
}

static guint
get_channels (const BmffTrack *track)
{
  const BmffBox *entry = bmff_track_get_entry (track, 1);
  BmffReader reader;
  guint channels;

  /* QuickTime's versions have it elsewhere. */
  if (!entry || g_bytes_get_size (entry->payload) != AUDIO_SIZE)
    return 0;
  bmff_box_get_reader (entry, &reader);
  bmff_reader_skip (&reader, AUDIO_CHANNELS);
  channels = bmff_reader_u16 (&reader);
  return bmff_reader_ok (&reader) ? channels : 0;
}

/* The average of btrt (14496-12, 8.5.2.2), or its maximum where it has none. */
static guint64
get_bitrate (const BmffTrack *track)
{
  const BmffBox *entry = bmff_track_get_entry (track, 1);
  const BmffBox *btrt = entry ? bmff_box_child (entry, FOURCC_BTRT) : NULL;
  BmffReader reader;
  guint32 max, average;

  if (!btrt)
    return 0;
  bmff_box_get_reader (btrt, &reader);
  bmff_reader_skip (&reader, 4);
  max = bmff_reader_u32 (&reader);
  average = bmff_reader_u32 (&reader);
  if (!bmff_reader_ok (&reader))
    return 0;
  return average > 0 ? average : max;
}

/* The nominal rate: by the duration that most samples have. */
static guint
get_frame_duration (const BmffTrack *track)
{
  const BmffBox *stts = bmff_box_child (track->stbl, FOURCC_STTS);
  BmffReader reader;
  guint32 n, most = 0, duration = 0;

  if (!stts || !bmff_box_get_full_reader (stts, &reader, NULL, NULL, NULL))
    return 0;
  for (n = bmff_reader_u32 (&reader); n > 0 && bmff_reader_ok (&reader); n--) {
    guint32 count = bmff_reader_u32 (&reader);
    guint32 delta = bmff_reader_u32 (&reader);

    if (count > most) {
      most = count;
      duration = delta;
    }
  }
  return bmff_reader_ok (&reader) ? duration : 0;
}

void
encrypt_cpix_get_facts (const BmffTrack *track, CencScheme scheme,
    CpixTrackFacts *facts)
{
  memset (facts, 0, sizeof *facts);
  facts->id = track->id;
  facts->label = encrypt_keys_get_label (track);
  facts->bitrate = get_bitrate (track);
  facts->hdr = facts->wcg = -1;
  facts->scheme = cenc_scheme_get_name (scheme);
  if (track->handler == BMFF_HANDLER_AUDIO) {
    facts->kind = CPIX_TRACK_AUDIO;
    facts->channels = get_channels (track);
    return;
  }
  facts->kind = CPIX_TRACK_VIDEO;
  facts->pixels = get_pixels (track);
  facts->fps_n = track->timescale;
  facts->fps_d = get_frame_duration (track);
}

gboolean
encrypt_cpix_has_period_rules (const CpixDocument *self)
{
  guint i, k;

  for (i = 0; i < self->rules->len; i++) {
    const CpixRule *rule = g_ptr_array_index (self->rules, i);

    for (k = 0; k < rule->filters->len; k++) {
      if (g_array_index (rule->filters, CpixFilter, k).type ==
          CPIX_FILTER_PERIOD)
        return TRUE;
    }
  }
  return FALSE;
}

const CpixKey *
encrypt_cpix_choose (const CpixDocument *self, const CpixTrackFacts *facts,
    gboolean constant_iv, GError **error)
{
  const CpixKey *key;
  GError *cpix_error = NULL;

  key = cpix_document_choose (self, facts, &cpix_error);
  if (!key) {
    encrypt_cpix_propagate (error, "cpix", cpix_error);
    return NULL;
  }
  if (key->has_iv && !constant_iv) {
    g_autofree gchar *kid = cpix_format_kid (key->kid);

    g_set_error (error, ENCRYPT_ERROR, ENCRYPT_ERROR_SETTINGS,
        "cpix: %s has an explicitIV, which only cbcs with a constant IV can "
        "honor",
        kid);
    return NULL;
  }
  return key;
}

/* Protection systems */

static ProtectionSystems
get_system (const guint8 *system_id)
{
  const struct
  {
    const guint8 *id;
    ProtectionSystems system;
  } systems[] = { { CENC_SYSTEM_COMMON, PROTECTION_SYSTEM_COMMON },
    { CENC_SYSTEM_CLEARKEY, PROTECTION_SYSTEM_CLEARKEY },
    { CENC_SYSTEM_WIDEVINE, PROTECTION_SYSTEM_WIDEVINE },
    { CENC_SYSTEM_PLAYREADY, PROTECTION_SYSTEM_PLAYREADY },
    { CENC_SYSTEM_MARLIN, PROTECTION_SYSTEM_MARLIN } };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (systems); i++) {
    if (memcmp (system_id, systems[i].id, 16) == 0)
      return systems[i].system;
  }
  return 0;
}

static gboolean
has_kid (const ProtectionInfo *info, const guint8 *kid)
{
  guint i;

  for (i = 0; i < info->n_keys; i++) {
    if (memcmp (gst_cenc_key_get_kid (info->keys[i]), kid, CENC_BLOCK_SIZE) ==
        0)
      return TRUE;
  }
  return FALSE;
}

/* Systems with one box for all keys repeat it for each. */
static gboolean
has_box (const GPtrArray *boxes, GBytes *bytes)
{
  guint i;

  for (i = 0; i < boxes->len; i++) {
    g_autoptr (GBytes) own = bmff_box_to_bytes (g_ptr_array_index (boxes, i));

    if (g_bytes_equal (own, bytes))
      return TRUE;
  }
  return FALSE;
}

ProtectionSystems
encrypt_cpix_append_pssh (const CpixDocument *self, const ProtectionInfo *info,
    GPtrArray *boxes)
{
  ProtectionSystems found = 0;
  guint i;

  for (i = 0; i < self->systems->len; i++) {
    const CpixSystem *system = g_ptr_array_index (self->systems, i);
    BmffBox *box;

    if (!system->pssh || !has_kid (info, system->kid))
      continue;
    found |= get_system (system->system_id);
    if (has_box (boxes, system->pssh))
      continue;
    box = bmff_box_parse (system->pssh, 0, NULL);
    if (box)
      g_ptr_array_add (boxes, box);
  }
  return found;
}
