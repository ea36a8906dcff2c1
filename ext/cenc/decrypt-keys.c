/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cenc/decrypt-keys.h"

#include <gio/gio.h>
#include <gst/cenc/gstcenckeyring.h>

/* More contexts than this are a mistake; the oldest goes. */
#define MAX_SOURCES 16

/* A session may tell a change while it refuses a key: that must not go round for ever. */
#define MAX_REFUSALS 8

/* A session's signal with a GstStructure: what an element should post. */
#define LICENSE_SIGNAL "offline-license"

typedef struct
{
  GstCencKeySession *session;
  DecryptKeysOrigin origin;
  gulong changed_id;
} Source;

struct _DecryptKeys
{
  const DecryptKeysFuncs *funcs;
  gpointer user_data;
  gint generation; /* atomic */

  GMutex lock; /* never held while a session or a callback is called */
  GCond cond;
  GPtrArray *sources; /* (element-type Source), by origin */
  GstCencKeySession *store;
  gboolean store_opened;
  gboolean active, flushing, license_pending, playing;
  GstClockTime timeout;
  GHashTable
      *asked_for; /* (element-type GBytes): KIDs told to the application */
  GHashTable
      *prerolled; /* (element-type GBytes): KIDs got for a preroll alone */
};

static void
source_free (Source *source)
{
  g_signal_handler_disconnect (source->session, source->changed_id);
  gst_object_unref (source->session);
  g_free (source);
}

static GHashTable *
kid_set_new (void)
{
  return g_hash_table_new_full (g_bytes_hash, g_bytes_equal,
      (GDestroyNotify) g_bytes_unref, NULL);
}

DecryptKeys *
decrypt_keys_new (const DecryptKeysFuncs *funcs, gpointer user_data)
{
  DecryptKeys *self = g_new0 (DecryptKeys, 1);

  self->funcs = funcs;
  self->user_data = user_data;
  self->sources = g_ptr_array_new_with_free_func ((GDestroyNotify) source_free);
  self->asked_for = kid_set_new ();
  self->prerolled = kid_set_new ();
  g_mutex_init (&self->lock);
  g_cond_init (&self->cond);

  return self;
}

void
decrypt_keys_free (DecryptKeys *self)
{
  if (!self)
    return;
  decrypt_keys_end (self);
  g_ptr_array_unref (self->sources);
  g_hash_table_unref (self->asked_for);
  g_hash_table_unref (self->prerolled);
  gst_clear_object (&self->store);
  g_cond_clear (&self->cond);
  g_mutex_clear (&self->lock);
  g_free (self);
}

guint
decrypt_keys_get_generation (DecryptKeys *self)
{
  return (guint) g_atomic_int_get (&self->generation);
}

void
decrypt_keys_touch (DecryptKeys *self)
{
  g_mutex_lock (&self->lock);
  g_atomic_int_inc (&self->generation);
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
}

static GPtrArray *
session_array_new (void)
{
  return g_ptr_array_new_with_free_func (gst_object_unref);
}

/* Call with the lock held; the sessions are then asked without it. */
static GPtrArray *
get_sessions_locked (DecryptKeys *self)
{
  GPtrArray *sessions = session_array_new ();
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
get_sessions (DecryptKeys *self)
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
find_place_locked (DecryptKeys *self, DecryptKeysOrigin origin,
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
source_new (DecryptKeys *self, DecryptKeysOrigin origin,
    GstCencKeySession *session)
{
  Source *source = g_new0 (Source, 1);

  source->session = gst_object_ref (session);
  source->origin = origin;
  source->changed_id = g_signal_connect_swapped (session, "changed",
      G_CALLBACK (decrypt_keys_touch), self);
  return source;
}

void
decrypt_keys_add_session (DecryptKeys *self, DecryptKeysOrigin origin,
    GstCencKeySession *session)
{
  Source *source = source_new (self, origin, session), *dropped = NULL;
  gboolean found, begin;
  guint place;

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
  decrypt_keys_touch (self);
}

void
decrypt_keys_clear (DecryptKeys *self, DecryptKeysOrigin origin)
{
  g_autoptr (GPtrArray) dropped =
      g_ptr_array_new_with_free_func ((GDestroyNotify) source_free);
  gboolean active;
  guint i;

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
  decrypt_keys_touch (self);
}

static void
on_license_message (DecryptKeys *self, const GstStructure *structure)
{
  self->funcs->license_message (structure, self->user_data);
}

/* By the signal's name: what the session's class is, is another plugin's affair. */
static void
listen_to_store (DecryptKeys *self, GstCencKeySession *store)
{
  g_signal_connect_swapped (store, "changed", G_CALLBACK (decrypt_keys_touch),
      self);
  if (g_signal_lookup (LICENSE_SIGNAL, G_OBJECT_TYPE (store)) != 0)
    g_signal_connect_swapped (store, LICENSE_SIGNAL,
        G_CALLBACK (on_license_message), self);
}

/* (transfer none) (nullable): opened once, kept until the end. */
static GstCencKeySession *
get_store (DecryptKeys *self)
{
  GstCencKeySession *store = NULL, *unused = NULL;
  gboolean open, begin = FALSE;

  g_mutex_lock (&self->lock);
  open = !self->store_opened;
  g_mutex_unlock (&self->lock);
  if (open)
    store = self->funcs->open_store (self->user_data);

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
  return store;
}

gboolean
decrypt_keys_add_license (DecryptKeys *self, GBytes *document, GstCaps *caps,
    GError **error)
{
  GstCencKeySession *store = get_store (self);

  if (!store) {
    g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_UNSUPPORTED,
        "no plugin that understands license documents is installed");
    return FALSE;
  }
  if (!gst_cenc_key_session_add_license (store, document, caps, error))
    return FALSE;
  decrypt_keys_touch (self);
  return TRUE;
}

void
decrypt_keys_set_license_pending (DecryptKeys *self, gboolean pending)
{
  g_mutex_lock (&self->lock);
  self->license_pending = pending;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
}

void
decrypt_keys_set_timeout (DecryptKeys *self, GstClockTime timeout)
{
  g_mutex_lock (&self->lock);
  self->timeout = timeout;
  g_mutex_unlock (&self->lock);
}

static void
set_active (DecryptKeys *self, gboolean active)
{
  g_autoptr (GPtrArray) sessions = NULL;
  guint i;

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
}

void
decrypt_keys_begin (DecryptKeys *self)
{
  set_active (self, TRUE);
}

void
decrypt_keys_end (DecryptKeys *self)
{
  GstCencKeySession *store;

  set_active (self, FALSE);

  /* The next playback sees the store as it is then. */
  g_mutex_lock (&self->lock);
  store = g_steal_pointer (&self->store);
  self->store_opened = FALSE;
  g_hash_table_remove_all (self->asked_for);
  g_hash_table_remove_all (self->prerolled);
  self->playing = FALSE;
  g_mutex_unlock (&self->lock);
  if (store)
    g_signal_handlers_disconnect_by_data (store, self);
  gst_clear_object (&store);
}

void
decrypt_keys_set_flushing (DecryptKeys *self, gboolean flushing)
{
  g_mutex_lock (&self->lock);
  self->flushing = flushing;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
}

void
decrypt_keys_wait_for_flush (DecryptKeys *self, GstClockTime timeout)
{
  gint64 deadline =
      g_get_monotonic_time () + (gint64) GST_TIME_AS_USECONDS (timeout);

  g_mutex_lock (&self->lock);
  while (
      !self->flushing && g_cond_wait_until (&self->cond, &self->lock, deadline))
    ;
  g_mutex_unlock (&self->lock);
}

gboolean
decrypt_keys_has (DecryptKeys *self, const guint8 *kid)
{
  g_autoptr (GPtrArray) sessions = get_sessions (self);
  guint i;

  for (i = 0; i < sessions->len; i++) {
    if (gst_cenc_key_session_has_key (g_ptr_array_index (sessions, i), kid))
      return TRUE;
  }
  return FALSE;
}

/* The first session that gives the key; else the error of the first that has it. */
static GstCencKey *
ask_sessions (DecryptKeys *self, const guint8 *kid, GstCencKeyUse use,
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

static void
set_no_key (const guint8 *kid, GError **error)
{
  g_autofree gchar *text = gst_cenc_kid_to_string (kid);

  g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_NO_KEY,
      "no key for KID %s", text);
}

typedef enum
{
  STEP_CONTEXT,
  STEP_STORE,
  STEP_APPLICATION,
  STEP_TIMEOUT,
  STEP_FAIL,
} Step;

typedef struct
{
  const guint8 *kid;
  Step step;
  gint64 deadline; /* g_get_monotonic_time() */
  guint refusals;
} Search;

typedef enum
{
  WAIT_AGAIN, /* ask the sessions once more */
  WAIT_FLUSHING,
  WAIT_OVER, /* nothing came */
} WaitResult;

/* Until the generation is no longer @generation, or a pending license is no
 * longer, or @deadline (0: as long as a license is pending). */
static WaitResult
wait_for_change (DecryptKeys *self, guint generation, gint64 deadline)
{
  WaitResult result = WAIT_AGAIN;

  g_mutex_lock (&self->lock);
  while (!self->flushing && decrypt_keys_get_generation (self) == generation) {
    if (deadline == 0 && !self->license_pending) {
      result = WAIT_OVER;
      break;
    }
    if (deadline == 0) {
      g_cond_wait (&self->cond, &self->lock);
    } else if (!g_cond_wait_until (&self->cond, &self->lock, deadline)) {
      result = WAIT_OVER;
      break;
    }
  }
  if (self->flushing)
    result = WAIT_FLUSHING;
  g_mutex_unlock (&self->lock);

  return result;
}

/* Once for a KID: an application that is at it would be sent off again by each
 * seek. */
static void
ask_application (DecryptKeys *self, Search *search)
{
  GstClockTime timeout;
  gboolean is_new;

  g_mutex_lock (&self->lock);
  timeout = self->timeout;
  is_new = g_hash_table_add (self->asked_for,
      g_bytes_new (search->kid, GST_CENC_KID_SIZE));
  g_mutex_unlock (&self->lock);

  search->deadline =
      g_get_monotonic_time () + (gint64) GST_TIME_AS_USECONDS (timeout);
  if (is_new)
    self->funcs->key_needed (search->kid, self->user_data);
}

/* What is needed once more has to be told once more. */
static void
forget_question (DecryptKeys *self, const guint8 *kid)
{
  g_autoptr (GBytes) bytes = g_bytes_new (kid, GST_CENC_KID_SIZE);

  g_mutex_lock (&self->lock);
  g_hash_table_remove (self->asked_for, bytes);
  g_mutex_unlock (&self->lock);
}

/* One more place to look at. */
static WaitResult
advance (DecryptKeys *self, Search *search, guint generation)
{
  switch (search->step++) {
    case STEP_CONTEXT:
      self->funcs->ask_context (self->user_data);
      return WAIT_AGAIN;
    case STEP_STORE:
      (void) get_store (self);
      return WAIT_AGAIN;
    case STEP_APPLICATION:
      ask_application (self, search);
      return WAIT_AGAIN;
    case STEP_TIMEOUT:
      search->step = STEP_TIMEOUT;
      return wait_for_change (self, generation, search->deadline);
    default:
      return WAIT_OVER;
  }
}

static GstCencKey *
search_key (DecryptKeys *self, const guint8 *kid, GstCencKeyUse use,
    GError **error)
{
  Search search = { kid, STEP_CONTEXT, 0, 0 };

  for (;;) {
    guint generation = decrypt_keys_get_generation (self);
    g_autoptr (GError) refused = NULL;
    GstCencKey *key = ask_sessions (self, kid, use, &refused);
    WaitResult result;

    if (key)
      return key;

    result = wait_for_change (self, generation, 0);
    if (refused && ++search.refusals > MAX_REFUSALS)
      result = WAIT_OVER;
    if (result == WAIT_OVER && refused) {
      g_propagate_error (error, g_steal_pointer (&refused));
      return NULL;
    }
    if (result == WAIT_OVER)
      result = advance (self, &search, generation);
    if (result == WAIT_FLUSHING) {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "flushing");
      return NULL;
    }
    if (result == WAIT_OVER) {
      set_no_key (kid, error);
      return NULL;
    }
  }
}

/* FALSE: it is played by now. */
static gboolean
add_prerolled (DecryptKeys *self, const guint8 *kid)
{
  gboolean playing;

  g_mutex_lock (&self->lock);
  playing = self->playing;
  if (!playing)
    g_hash_table_add (self->prerolled, g_bytes_new (kid, GST_CENC_KID_SIZE));
  g_mutex_unlock (&self->lock);
  return !playing;
}

GstCencKey *
decrypt_keys_get (DecryptKeys *self, const guint8 *kid, GstCencKeyUse use,
    GError **error)
{
  g_autoptr (GstCencKey) key = search_key (self, kid, use, error);

  if (key)
    forget_question (self, kid);
  if (key && use == GST_CENC_KEY_USE_PREROLL && !add_prerolled (self, kid))
    return search_key (self, kid, GST_CENC_KEY_USE_PLAY, error);
  return g_steal_pointer (&key);
}

static GPtrArray *
get_prerolled_locked (DecryptKeys *self)
{
  GPtrArray *kids =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  GHashTableIter iter;
  gpointer kid;

  g_hash_table_iter_init (&iter, self->prerolled);
  while (g_hash_table_iter_next (&iter, &kid, NULL))
    g_ptr_array_add (kids, g_bytes_ref (kid));
  return kids;
}

static gboolean
refuse_to_play (DecryptKeys *self, GPtrArray *kids, guint from)
{
  guint i;

  g_mutex_lock (&self->lock);
  self->playing = FALSE;
  for (i = from; i < kids->len; i++)
    g_hash_table_add (self->prerolled, g_bytes_ref (kids->pdata[i]));
  g_mutex_unlock (&self->lock);
  return FALSE;
}

gboolean
decrypt_keys_play (DecryptKeys *self, GError **error)
{
  g_autoptr (GPtrArray) kids = NULL;
  guint i;

  g_mutex_lock (&self->lock);
  self->playing = TRUE;
  kids = get_prerolled_locked (self);
  g_hash_table_remove_all (self->prerolled);
  g_mutex_unlock (&self->lock);

  for (i = 0; i < kids->len; i++) {
    g_autoptr (GError) refused = NULL;
    g_autoptr (GstCencKey) key = ask_sessions (self,
        g_bytes_get_data (g_ptr_array_index (kids, i), NULL),
        GST_CENC_KEY_USE_PLAY, &refused);

    if (refused) {
      g_propagate_error (error, g_steal_pointer (&refused));
      return refuse_to_play (self, kids, i);
    }
  }
  return TRUE;
}

void
decrypt_keys_pause (DecryptKeys *self)
{
  g_mutex_lock (&self->lock);
  self->playing = FALSE;
  g_mutex_unlock (&self->lock);
}

void
decrypt_keys_forget_prerolled (DecryptKeys *self)
{
  gboolean any;

  g_mutex_lock (&self->lock);
  any = g_hash_table_size (self->prerolled) > 0;
  g_hash_table_remove_all (self->prerolled);
  g_mutex_unlock (&self->lock);
  /* Who goes back to it has to ask anew. */
  if (any)
    decrypt_keys_touch (self);
}
