/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cenc/decrypt-sources.h"

/* More contexts than this are a mistake; the oldest goes. */
#define MAX_SOURCES 16

/* A session's signal with a GstStructure: what an element should post. */
#define LICENSE_SIGNAL "offline-license"

typedef struct
{
  GstCencKeySession *session;
  DecryptKeysOrigin origin;
  gulong changed_id;
} Source;

struct _DecryptSources
{
  const DecryptSourcesFuncs *funcs;
  gpointer user_data;

  GRecMutex
      use_lock; /* while sessions begin and end, so that each does in turn */
  GMutex lock; /* never held while a session or a callback is called */
  GPtrArray *sources; /* (element-type Source), by origin */
  GstCencKeySession *store;
  gboolean store_opened, active;
};

static void
source_free (Source *source)
{
  g_signal_handler_disconnect (source->session, source->changed_id);
  gst_object_unref (source->session);
  g_free (source);
}

DecryptSources *
decrypt_sources_new (const DecryptSourcesFuncs *funcs, gpointer user_data)
{
  DecryptSources *self = g_new0 (DecryptSources, 1);

  self->funcs = funcs;
  self->user_data = user_data;
  self->sources = g_ptr_array_new_with_free_func ((GDestroyNotify) source_free);
  g_mutex_init (&self->lock);
  g_rec_mutex_init (&self->use_lock);

  return self;
}

static void
drop_store (DecryptSources *self)
{
  GstCencKeySession *store;

  g_mutex_lock (&self->lock);
  store = g_steal_pointer (&self->store);
  self->store_opened = FALSE;
  g_mutex_unlock (&self->lock);
  if (store)
    g_signal_handlers_disconnect_by_data (store, self);
  gst_clear_object (&store);
}

void
decrypt_sources_free (DecryptSources *self)
{
  if (!self)
    return;
  drop_store (self);
  g_ptr_array_unref (self->sources);
  g_mutex_clear (&self->lock);
  g_rec_mutex_clear (&self->use_lock);
  g_free (self);
}

static void
tell_change (DecryptSources *self)
{
  self->funcs->changed (self->user_data);
}

/* Call with the lock held; the sessions are then asked without it. */
static GPtrArray *
get_sessions_locked (DecryptSources *self)
{
  GPtrArray *sessions = g_ptr_array_new_with_free_func (gst_object_unref);
  guint i;

  for (i = 0; i < self->sources->len; i++) {
    Source *source = g_ptr_array_index (self->sources, i);

    g_ptr_array_add (sessions, gst_object_ref (source->session));
  }
  if (self->store)
    g_ptr_array_add (sessions, gst_object_ref (self->store));
  return sessions;
}

static GPtrArray *
get_sessions (DecryptSources *self)
{
  GPtrArray *sessions;

  g_mutex_lock (&self->lock);
  sessions = get_sessions_locked (self);
  g_mutex_unlock (&self->lock);
  return sessions;
}

/* Call with the lock held. The source at that index is the first behind which
 * one of @origin has to stand; in *found whether @session is there already. */
static guint
find_place_locked (DecryptSources *self, DecryptKeysOrigin origin,
    GstCencKeySession *session, gboolean *found)
{
  guint place = 0, i;

  *found = FALSE;
  for (i = 0; i < self->sources->len; i++) {
    Source *source = g_ptr_array_index (self->sources, i);

    *found |= source->session == session;
    if (source->origin < origin)
      place = i + 1;
  }
  return place;
}

static Source *
source_new (DecryptSources *self, DecryptKeysOrigin origin,
    GstCencKeySession *session)
{
  Source *source = g_new0 (Source, 1);

  source->session = gst_object_ref (session);
  source->origin = origin;
  source->changed_id = g_signal_connect_swapped (session, "changed",
      G_CALLBACK (tell_change), self);
  return source;
}

void
decrypt_sources_add (DecryptSources *self, DecryptKeysOrigin origin,
    GstCencKeySession *session)
{
  Source *source = source_new (self, origin, session), *dropped = NULL;
  gboolean found, begin;
  guint place;

  g_rec_mutex_lock (&self->use_lock);
  g_mutex_lock (&self->lock);
  place = find_place_locked (self, origin, session, &found);
  begin = self->active && !found;
  if (!found) {
    g_ptr_array_insert (self->sources, (gint) place, source);
    source = NULL;
    if (self->sources->len > MAX_SOURCES)
      dropped = g_ptr_array_steal_index (self->sources, self->sources->len - 1);
  }
  g_mutex_unlock (&self->lock);

  g_clear_pointer (&source, source_free);
  if (dropped && begin)
    gst_cenc_key_session_end (dropped->session);
  g_clear_pointer (&dropped, source_free);
  if (begin)
    gst_cenc_key_session_begin (session);
  g_rec_mutex_unlock (&self->use_lock);
  tell_change (self);
}

void
decrypt_sources_clear (DecryptSources *self, DecryptKeysOrigin origin)
{
  g_autoptr (GPtrArray) dropped =
      g_ptr_array_new_with_free_func ((GDestroyNotify) source_free);
  gboolean active;
  guint i;

  g_rec_mutex_lock (&self->use_lock);
  g_mutex_lock (&self->lock);
  active = self->active;
  for (i = self->sources->len; i > 0; i--) {
    Source *source = g_ptr_array_index (self->sources, i - 1);

    if (source->origin == origin)
      g_ptr_array_add (dropped, g_ptr_array_steal_index (self->sources, i - 1));
  }
  g_mutex_unlock (&self->lock);

  for (i = 0; active && i < dropped->len; i++)
    gst_cenc_key_session_end (
        ((Source *) g_ptr_array_index (dropped, i))->session);
  g_rec_mutex_unlock (&self->use_lock);
  tell_change (self);
}

static void
tell_license (DecryptSources *self, const GstStructure *structure)
{
  self->funcs->license_message (structure, self->user_data);
}

/* By the signal's name: what the session's class is, is another plugin's affair. */
static void
listen_to_store (DecryptSources *self, GstCencKeySession *store)
{
  g_signal_connect_swapped (store, "changed", G_CALLBACK (tell_change), self);
  if (g_signal_lookup (LICENSE_SIGNAL, G_OBJECT_TYPE (store)) != 0)
    g_signal_connect_swapped (store, LICENSE_SIGNAL, G_CALLBACK (tell_license),
        self);
}

GstCencKeySession *
decrypt_sources_get_store (DecryptSources *self)
{
  GstCencKeySession *store = NULL, *unused = NULL;
  gboolean open, begin = FALSE;

  g_mutex_lock (&self->lock);
  open = !self->store_opened;
  g_mutex_unlock (&self->lock);
  if (open)
    store = self->funcs->open_store (self->user_data);

  g_rec_mutex_lock (&self->use_lock);
  g_mutex_lock (&self->lock);
  if (self->store_opened) {
    unused = store;
  } else {
    self->store_opened = TRUE;
    self->store = store;
    begin = store && self->active;
    if (store)
      listen_to_store (self, store);
  }
  store = self->store;
  g_mutex_unlock (&self->lock);

  gst_clear_object (&unused);
  if (begin)
    gst_cenc_key_session_begin (store);
  g_rec_mutex_unlock (&self->use_lock);
  return store;
}

static void
set_active (DecryptSources *self, gboolean active)
{
  g_autoptr (GPtrArray) sessions = NULL;
  guint i;

  g_rec_mutex_lock (&self->use_lock);
  g_mutex_lock (&self->lock);
  if (self->active != active)
    sessions = get_sessions_locked (self);
  self->active = active;
  g_mutex_unlock (&self->lock);

  for (i = 0; sessions && i < sessions->len; i++) {
    if (active)
      gst_cenc_key_session_begin (g_ptr_array_index (sessions, i));
    else
      gst_cenc_key_session_end (g_ptr_array_index (sessions, i));
  }
  g_rec_mutex_unlock (&self->use_lock);
}

void
decrypt_sources_begin (DecryptSources *self)
{
  set_active (self, TRUE);
}

void
decrypt_sources_end (DecryptSources *self)
{
  set_active (self, FALSE);
  /* The next playback sees the store as it is then. */
  drop_store (self);
}

gboolean
decrypt_sources_have (DecryptSources *self, const guint8 *kid)
{
  g_autoptr (GPtrArray) sessions = get_sessions (self);
  guint i;

  for (i = 0; i < sessions->len; i++) {
    if (gst_cenc_key_session_has_key (g_ptr_array_index (sessions, i), kid))
      return TRUE;
  }
  return FALSE;
}

GstCencKey *
decrypt_sources_ask (DecryptSources *self, const guint8 *kid, GstCencKeyUse use,
    GError **error)
{
  g_autoptr (GPtrArray) sessions = get_sessions (self);
  g_autoptr (GError) first = NULL;
  guint i;

  for (i = 0; i < sessions->len; i++) {
    GstCencKeySession *session = g_ptr_array_index (sessions, i);
    GstCencKey *key;

    if (!gst_cenc_key_session_has_key (session, kid))
      continue;
    key =
        gst_cenc_key_session_get_key (session, kid, use, first ? NULL : &first);
    if (key)
      return key;
  }
  if (first)
    g_propagate_error (error, g_steal_pointer (&first));
  return NULL;
}
