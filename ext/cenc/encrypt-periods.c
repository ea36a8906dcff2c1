/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "encrypt-periods.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>
#include "cenc/encrypt-derive.h"
#include "cenc/encrypt-secret.h"
#include "cenc/encrypt-track.h"

typedef enum
{
  BY_LIST,
  BY_SEED,
  BY_CHANCE,
  BY_CPIX,
} Source;

struct _EncryptPeriods
{
  gatomicrefcount refs;
  Source source;
  GstClockTime length; /* 0: CPIX has bounds */

  GPtrArray *list; /* (element-type EncryptKeys) */
  guint8 kid[GST_CENC_KID_SIZE]; /* of period 0 */
  EncryptSecret *seed;
  GstCencKey *first; /* by chance: of the first period, whichever it is */
  GHashTable *made; /* by chance: guint64 → GstCencKey */
  CpixDocument *document;
  gint64 epoch; /* taken off the times of periods by the clock */
  GArray *
      bounds; /* (element-type gint64): of CPIX's periods, rising: number n is from n to n + 1 */
  GPtrArray *ids; /* scratch (element-type utf8) */
};

static EncryptPeriods *
periods_new (Source source, GstClockTime length)
{
  EncryptPeriods *self = g_new0 (EncryptPeriods, 1);

  g_atomic_ref_count_init (&self->refs);
  self->source = source;
  self->length = length;
  return self;
}

EncryptPeriods *
encrypt_periods_ref (EncryptPeriods *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

void
encrypt_periods_unref (EncryptPeriods *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  g_clear_pointer (&self->seed, encrypt_secret_free);
  g_clear_pointer (&self->list, g_ptr_array_unref);
  g_clear_pointer (&self->first, gst_cenc_key_unref);
  g_clear_pointer (&self->made, g_hash_table_unref);
  g_clear_pointer (&self->document, cpix_document_unref);
  g_clear_pointer (&self->bounds, g_array_unref);
  g_clear_pointer (&self->ids, g_ptr_array_unref);
  g_free (self);
}

static gboolean
refuse (GError **error, const gchar *message)
{
  g_set_error_literal (error, ENCRYPT_ERROR, ENCRYPT_ERROR_SETTINGS, message);
  return FALSE;
}

/* A list */

static void
wipe_all (gchar **texts)
{
  guint i;

  for (i = 0; texts[i]; i++)
    OPENSSL_cleanse (texts[i], strlen (texts[i]));
  g_strfreev (texts);
}

EncryptPeriods *
encrypt_periods_new_list (GstClockTime length, const gchar *text,
    GError **error)
{
  g_autoptr (EncryptPeriods) self = periods_new (BY_LIST, length);
  g_autoptr (GPtrArray) known = encrypt_keys_array_new ();
  gchar **texts = g_strsplit (text, ";", -1);
  gboolean ok = TRUE;
  guint i;

  self->list =
      g_ptr_array_new_with_free_func ((GDestroyNotify) encrypt_keys_unref);
  for (i = 0; texts[i] && ok; i++) {
    g_autofree gchar *name = g_strdup_printf ("period-keys: period %u", i);
    EncryptKeys *keys = encrypt_keys_parse (name, texts[i], TRUE, error);

    ok = keys && encrypt_keys_check (keys, known, name, error);
    if (keys)
      g_ptr_array_add (self->list, keys);
  }
  wipe_all (texts);
  return ok ? g_steal_pointer (&self) : NULL;
}

static GstCencKey *
get_from_list (const EncryptPeriods *self, guint64 number, guint32 track_id,
    const gchar *label, GError **error)
{
  GstCencKey *key;

  if (number >= self->list->len) {
    g_set_error (error, ENCRYPT_ERROR, ENCRYPT_ERROR_SETTINGS,
        "period-keys: no keys for period %" G_GUINT64_FORMAT
        ", which starts at %" GST_TIME_FORMAT ": there are %u",
        number, GST_TIME_ARGS (number * self->length), self->list->len);
    return NULL;
  }
  key = encrypt_keys_find (g_ptr_array_index (self->list, number), track_id,
      label);
  if (!key)
    g_set_error (error, ENCRYPT_ERROR, ENCRYPT_ERROR_SETTINGS,
        "period-keys: period %" G_GUINT64_FORMAT
        ": no key for track %u, whose label is %s",
        number, track_id, label);
  return key ? gst_cenc_key_ref (key) : NULL;
}

/* A seed */

EncryptPeriods *
encrypt_periods_new_seed (GstClockTime length, const guint8 *kid,
    const guint8 *seed, gsize size)
{
  g_autoptr (EncryptPeriods) self = periods_new (BY_SEED, length);

  memcpy (self->kid, kid, sizeof self->kid);
  self->seed = encrypt_secret_new_bytes (seed, size);
  return self->seed ? g_steal_pointer (&self) : NULL;
}

static GstCencKey *
get_by_seed (const EncryptPeriods *self, guint64 number, GError **error)
{
  guint8 seed[ENCRYPT_SEED_MAX_SIZE];
  gsize size = encrypt_secret_get_size (self->seed);
  GstCencKey *key;

  encrypt_secret_copy (self->seed, seed);
  key = encrypt_derive_key (self->kid, number, seed, size, error);
  OPENSSL_cleanse (seed, sizeof seed);
  return key;
}

/* By chance */

EncryptPeriods *
encrypt_periods_new_random (GstClockTime length, GError **error)
{
  g_autoptr (EncryptPeriods) self = periods_new (BY_CHANCE, length);

  self->made = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free,
      (GDestroyNotify) gst_cenc_key_unref);
  self->first = encrypt_make_random_key (error);
  return self->first ? g_steal_pointer (&self) : NULL;
}

static GstCencKey *
get_by_chance (EncryptPeriods *self, guint64 number, GError **error)
{
  GstCencKey *key = g_hash_table_lookup (self->made, &number);

  if (number == ENCRYPT_PERIOD_FIRST)
    key = self->first;
  if (key)
    return gst_cenc_key_ref (key);
  if (g_hash_table_size (self->made) >= ENCRYPT_PERIODS_MAX_KEYS) {
    refuse (error,
        "cpix-output: more than 4096 periods; key-seed has no such limit");
    return NULL;
  }
  key = g_hash_table_size (self->made) == 0 ? gst_cenc_key_ref (self->first)
                                            : encrypt_make_random_key (error);
  if (key)
    g_hash_table_insert (self->made, g_memdup2 (&number, sizeof number),
        gst_cenc_key_ref (key));
  return key;
}

/* CPIX */

static gint
compare_bounds (gconstpointer a, gconstpointer b)
{
  const gint64 *x = a, *y = b;

  return (*x > *y) - (*x < *y);
}

/* Of a period that has any; in media time. */
static gint64
start_of (const EncryptPeriods *self, const CpixPeriod *period)
{
  return period->kind == CPIX_PERIOD_WALL ? period->start - self->epoch
                                          : period->start;
}

static gint64
end_of (const EncryptPeriods *self, const CpixPeriod *period)
{
  return period->kind == CPIX_PERIOD_WALL ? period->end - self->epoch
                                          : period->end;
}

static void
make_bounds (EncryptPeriods *self)
{
  guint i, n = 0;

  self->bounds = g_array_new (FALSE, FALSE, sizeof (gint64));
  for (i = 0; i < self->document->periods->len; i++) {
    const CpixPeriod *period = g_ptr_array_index (self->document->periods, i);
    gint64 start = start_of (self, period), end = end_of (self, period);

    g_array_append_val (self->bounds, start);
    g_array_append_val (self->bounds, end);
  }
  g_array_sort (self->bounds, compare_bounds);
  for (i = 0; i < self->bounds->len; i++) {
    gint64 bound = g_array_index (self->bounds, gint64, i);

    if (n == 0 || g_array_index (self->bounds, gint64, n - 1) != bound)
      g_array_index (self->bounds, gint64, n++) = bound;
  }
  g_array_set_size (self->bounds, n);
}

static gboolean
check_cpix (const CpixDocument *document, GstClockTime length,
    const gint64 *epoch, GError **error)
{
  guint i;

  for (i = 0; i < document->periods->len; i++) {
    const CpixPeriod *period = g_ptr_array_index (document->periods, i);
    const CpixPeriod *first = g_ptr_array_index (document->periods, 0);
    const gchar *wrong = NULL;

    if (period->kind != first->kind)
      wrong = "says when it is in another way than the first";
    else if (period->kind == CPIX_PERIOD_INDEX && length == 0)
      wrong = "has an index: crypto-period has to say how long a period is";
    else if (period->kind != CPIX_PERIOD_INDEX && length != 0)
      wrong = "has a start and an end: crypto-period does not go with it";
    else if (period->kind == CPIX_PERIOD_WALL && !epoch)
      wrong = "is by the clock: media-epoch has to say when media time 0 is";
    if (!wrong)
      continue;
    g_set_error (error, ENCRYPT_ERROR, ENCRYPT_ERROR_SETTINGS,
        "cpix: ContentKeyPeriod %u (%.64s) %s", i + 1,
        period->id ? period->id : "without id", wrong);
    return FALSE;
  }
  return TRUE;
}

EncryptPeriods *
encrypt_periods_new_cpix (GstClockTime length, const gint64 *epoch,
    const CpixDocument *document, GError **error)
{
  EncryptPeriods *self;

  if (document->periods->len == 0) {
    refuse (error, "crypto-period: the document of cpix has no key periods");
    return NULL;
  }
  if (!check_cpix (document, length, epoch, error))
    return NULL;
  self = periods_new (BY_CPIX, length);
  self->document = cpix_document_ref ((CpixDocument *) document);
  self->epoch = epoch ? *epoch : 0;
  self->ids = g_ptr_array_new ();
  if (length == 0)
    make_bounds (self);
  return self;
}

const gchar *const *
encrypt_periods_get_ids (EncryptPeriods *self, guint64 number)
{
  guint i;

  if (self->source != BY_CPIX)
    return NULL;
  g_ptr_array_set_size (self->ids, 0);
  for (i = 0; i < self->document->periods->len; i++) {
    const CpixPeriod *period = g_ptr_array_index (self->document->periods, i);
    gint64 start =
        self->bounds ? g_array_index (self->bounds, gint64, number) : 0;
    gboolean in = self->bounds
        ? start_of (self, period) <= start && start < end_of (self, period)
        : period->index == (guint32) number;

    if (in && period->id)
      g_ptr_array_add (self->ids, period->id);
  }
  g_ptr_array_add (self->ids, NULL);
  return (const gchar *const *) self->ids->pdata;
}

/* All */

static gboolean
find_bound (const EncryptPeriods *self, GstClockTime time, guint64 *number,
    GError **error)
{
  guint n = 0;

  while (n < self->bounds->len &&
      (time > G_MAXINT64 ||
          g_array_index (self->bounds, gint64, n) <= (gint64) time))
    n++;
  if (n > 0 && n < self->bounds->len) {
    *number = n - 1;
    return TRUE;
  }
  g_set_error (error, ENCRYPT_ERROR, ENCRYPT_ERROR_SETTINGS,
      "cpix: the document has no key period for %" GST_TIME_FORMAT,
      GST_TIME_ARGS (time));
  return FALSE;
}

gboolean
encrypt_periods_find (const EncryptPeriods *self, GstClockTime time,
    guint64 *number, GError **error)
{
  if (self->bounds)
    return find_bound (self, time, number, error);
  *number = time / self->length;
  return TRUE;
}

guint64
encrypt_periods_get_first (const EncryptPeriods *self)
{
  guint64 first = G_MAXUINT64;
  guint i;

  if (self->source == BY_CHANCE)
    return ENCRYPT_PERIOD_FIRST;
  if (self->source != BY_CPIX)
    return 0;
  if (self->bounds) { /* that of media time 0, or else the first one */
    for (first = 0; first + 2 < self->bounds->len &&
         g_array_index (self->bounds, gint64, first + 1) <= 0;
         first++)
      ;
    return first;
  }
  for (i = 0; i < self->document->periods->len; i++) {
    const CpixPeriod *period = g_ptr_array_index (self->document->periods, i);

    first = MIN (first, period->index);
  }
  return first;
}

GstCencKey *
encrypt_periods_get_key (EncryptPeriods *self, guint64 number, guint32 track_id,
    const gchar *label, GError **error)
{
  switch (self->source) {
    case BY_LIST:
      return get_from_list (self, number, track_id, label, error);
    case BY_SEED:
      return get_by_seed (self, number, error);
    case BY_CHANCE:
      return get_by_chance (self, number, error);
    default:
      g_return_val_if_reached (NULL);
  }
}

gboolean
encrypt_periods_has_single_keys (const EncryptPeriods *self)
{
  guint i;

  if (self->source == BY_CPIX)
    return FALSE;
  for (i = 0; self->list && i < self->list->len; i++) {
    if (!encrypt_keys_get_only (g_ptr_array_index (self->list, i)))
      return FALSE;
  }
  return TRUE;
}
