/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "license-renewer.h"

#include <string.h>

typedef struct
{
  gchar *id;
  guint8 kid[GST_CENC_KID_SIZE];
  gboolean pending;
  guint failures; /* in a row */
  gint64 next; /* monotonic time before which it is not tried */
} Entry;

struct _LicenseRenewer
{
  LicenseRenewFunc renew;
  gpointer data;
  gint64 pause, max_pause;
  GCancellable *cancellable;
  GThread *thread;

  GMutex lock; /* protects what follows */
  GCond cond;
  GHashTable *entries; /* id → Entry */
  gboolean stop;
};

static void
entry_free (Entry *entry)
{
  g_free (entry->id);
  g_free (entry);
}

LicenseRenewer *
license_renewer_new (LicenseRenewFunc renew, gpointer data, gint64 pause,
    gint64 max_pause)
{
  LicenseRenewer *self = g_new0 (LicenseRenewer, 1);

  self->renew = renew;
  self->data = data;
  self->pause = pause;
  self->max_pause = max_pause;
  self->cancellable = g_cancellable_new ();
  g_mutex_init (&self->lock);
  g_cond_init (&self->cond);
  self->entries = g_hash_table_new_full (g_str_hash, g_str_equal, NULL,
      (GDestroyNotify) entry_free);
  return self;
}

void
license_renewer_free (LicenseRenewer *self)
{
  g_mutex_lock (&self->lock);
  self->stop = TRUE;
  g_cond_signal (&self->cond);
  g_mutex_unlock (&self->lock);
  g_cancellable_cancel (self->cancellable);
  if (self->thread)
    g_thread_join (self->thread);
  g_hash_table_unref (self->entries);
  g_object_unref (self->cancellable);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->cond);
  g_free (self);
}

static gint64
pause_of (LicenseRenewer *self, guint failures)
{
  gint64 pause = self->pause;

  while (failures-- > 1 && pause < self->max_pause)
    pause *= 2;
  return MIN (pause, self->max_pause);
}

/* With the lock. */
static void
settle (LicenseRenewer *self, Entry *entry, LicenseRenewal outcome)
{
  gint64 now = g_get_monotonic_time ();

  entry->failures = outcome == LICENSE_RENEWAL_DONE ? 0 : entry->failures + 1;
  if (outcome == LICENSE_RENEWAL_AGAIN)
    entry->pending = TRUE;
  entry->next = outcome == LICENSE_RENEWAL_NEVER
      ? G_MAXINT64
      : now + pause_of (self, entry->failures);
}

/* With the lock, which it lets go of meanwhile. Entries stay as long as the
 * renewer does. */
static void
try_one (LicenseRenewer *self, Entry *entry)
{
  gboolean first = entry->failures == 0;
  LicenseRenewal outcome;

  entry->pending = FALSE;
  g_mutex_unlock (&self->lock);
  outcome =
      self->renew (self->data, entry->kid, entry->id, first, self->cancellable);
  g_mutex_lock (&self->lock);
  settle (self, entry, outcome);
}

/* With the lock. Returns: (nullable): whose turn is next */
static Entry *
find_next (LicenseRenewer *self)
{
  GHashTableIter iter;
  gpointer value;
  Entry *next = NULL;

  g_hash_table_iter_init (&iter, self->entries);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    Entry *entry = value;

    if (entry->pending && entry->next != G_MAXINT64 &&
        (!next || entry->next < next->next))
      next = entry;
  }
  return next;
}

static gpointer
work (gpointer data)
{
  LicenseRenewer *self = data;

  g_mutex_lock (&self->lock);
  while (!self->stop) {
    Entry *next = find_next (self);

    if (!next)
      g_cond_wait (&self->cond, &self->lock);
    else if (next->next <= g_get_monotonic_time ())
      try_one (self, next);
    else
      g_cond_wait_until (&self->cond, &self->lock, next->next);
  }
  g_mutex_unlock (&self->lock);
  return NULL;
}

void
license_renewer_request (LicenseRenewer *self, const guint8 *kid,
    const gchar *id)
{
  Entry *entry;

  g_mutex_lock (&self->lock);
  entry = g_hash_table_lookup (self->entries, id);
  if (!entry) {
    entry = g_new0 (Entry, 1);
    entry->id = g_strdup (id);
    memcpy (entry->kid, kid, GST_CENC_KID_SIZE);
    g_hash_table_insert (self->entries, entry->id, entry);
  }
  entry->pending = TRUE;
  if (!self->thread && !self->stop)
    self->thread = g_thread_new ("license-renewer", work, self);
  g_cond_signal (&self->cond);
  g_mutex_unlock (&self->lock);
}
