/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cenc/decrypt-watchdog.h"

struct _DecryptWatchdog
{
  gatomicrefcount ref_count; /* the clock has one while it is to call */
  GstClock *clock;
  GstClockTime timeout;
  void (*func) (GstObject *owner);
  GWeakRef owner;

  GMutex lock;
  gboolean armed;
  GstClockTime fed;
};

static void
watchdog_unref (gpointer data)
{
  DecryptWatchdog *self = data;

  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  gst_object_unref (self->clock);
  g_weak_ref_clear (&self->owner);
  g_mutex_clear (&self->lock);
  g_free (self);
}

DecryptWatchdog *
decrypt_watchdog_new (GstClockTime timeout, void (*func) (GstObject *owner),
    GstObject *owner)
{
  DecryptWatchdog *self = g_new0 (DecryptWatchdog, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->clock = gst_system_clock_obtain ();
  self->timeout = timeout;
  self->func = func;
  g_weak_ref_init (&self->owner, owner);
  g_mutex_init (&self->lock);
  return self;
}

void
decrypt_watchdog_free (DecryptWatchdog *self)
{
  if (!self)
    return;
  decrypt_watchdog_stop (self);
  watchdog_unref (self);
}

static gboolean
on_time (GstClock *clock, GstClockTime time, GstClockID id, gpointer data);

static void
schedule (DecryptWatchdog *self, GstClockTime time)
{
  GstClockID id = gst_clock_new_single_shot_id (self->clock, time);

  g_atomic_ref_count_inc (&self->ref_count);
  gst_clock_id_wait_async (id, on_time, self, watchdog_unref);
  gst_clock_id_unref (id);
}

static gboolean
on_time (GstClock *clock, GstClockTime time, GstClockID id, gpointer data)
{
  DecryptWatchdog *self = data;
  GstClockTime next;
  gboolean bark;

  g_mutex_lock (&self->lock);
  next = self->fed + self->timeout;
  bark = self->armed && time >= next;
  if (bark)
    self->armed = FALSE;
  else if (self->armed)
    schedule (self, next);
  g_mutex_unlock (&self->lock);

  if (bark) {
    GstObject *owner = g_weak_ref_get (&self->owner);

    if (owner)
      self->func (owner);
    gst_clear_object (&owner);
  }
  return TRUE;
}

void
decrypt_watchdog_feed (DecryptWatchdog *self)
{
  g_mutex_lock (&self->lock);
  self->fed = gst_clock_get_time (self->clock);
  if (!self->armed) {
    self->armed = TRUE;
    schedule (self, self->fed + self->timeout);
  }
  g_mutex_unlock (&self->lock);
}

void
decrypt_watchdog_stop (DecryptWatchdog *self)
{
  g_mutex_lock (&self->lock);
  self->armed = FALSE;
  g_mutex_unlock (&self->lock);
}
