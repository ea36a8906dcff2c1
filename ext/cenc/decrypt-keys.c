/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cenc/decrypt-keys.h"

#include <gio/gio.h>
#include <gst/cenc/gstcenckeyring.h>

/* A session may tell a change while it refuses a key: that must not go round for ever. */
#define MAX_REFUSALS 8

/* How often it is looked whether the element is about to be stopped. */
#define STOP_INTERVAL (100 * G_TIME_SPAN_MILLISECOND)

struct _DecryptKeys
{
  const DecryptKeysFuncs *funcs;
  gpointer user_data;
  DecryptSources *sources;
  gint generation; /* atomic */

  GMutex lock; /* never held while sources or a callback are called */
  GCond cond;
  gboolean flushing, license_pending, playing;
  GstClockTime timeout;
  GHashTable
      *asked_for; /* (element-type GBytes): KIDs told to the application */
  GHashTable
      *prerolled; /* (element-type GBytes): KIDs got for a preroll alone */
};

static GHashTable *
kid_set_new (void)
{
  return g_hash_table_new_full (g_bytes_hash, g_bytes_equal,
      (GDestroyNotify) g_bytes_unref, NULL);
}

static GstCencKeySession *
open_store (gpointer user_data)
{
  DecryptKeys *self = user_data;

  return self->funcs->open_store (self->user_data);
}

static void
on_sources_changed (gpointer user_data)
{
  decrypt_keys_touch (user_data);
}

static void
on_license_message (const GstStructure *structure, gpointer user_data)
{
  DecryptKeys *self = user_data;

  self->funcs->license_message (structure, self->user_data);
}

static const DecryptSourcesFuncs sources_funcs = { open_store,
  on_sources_changed, on_license_message };

DecryptKeys *
decrypt_keys_new (const DecryptKeysFuncs *funcs, gpointer user_data)
{
  DecryptKeys *self = g_new0 (DecryptKeys, 1);

  self->funcs = funcs;
  self->user_data = user_data;
  self->sources = decrypt_sources_new (&sources_funcs, self);
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
  decrypt_sources_free (self->sources);
  g_hash_table_unref (self->asked_for);
  g_hash_table_unref (self->prerolled);
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

void
decrypt_keys_add_session (DecryptKeys *self, DecryptKeysOrigin origin,
    GstCencKeySession *session)
{
  decrypt_sources_add (self->sources, origin, session);
}

void
decrypt_keys_clear (DecryptKeys *self, DecryptKeysOrigin origin)
{
  decrypt_sources_clear (self->sources, origin);
}

gboolean
decrypt_keys_add_license (DecryptKeys *self, GBytes *document, GstCaps *caps,
    GError **error)
{
  GstCencKeySession *store = decrypt_sources_get_store (self->sources);

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

void
decrypt_keys_begin (DecryptKeys *self)
{
  decrypt_sources_begin (self->sources);
}

void
decrypt_keys_end (DecryptKeys *self)
{
  decrypt_sources_end (self->sources);

  g_mutex_lock (&self->lock);
  g_hash_table_remove_all (self->asked_for);
  g_hash_table_remove_all (self->prerolled);
  self->playing = FALSE;
  g_mutex_unlock (&self->lock);
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
  return decrypt_sources_have (self->sources, kid);
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

/* With the lock, which is released meanwhile. */
static gboolean
is_stopping_unlocked (DecryptKeys *self)
{
  gboolean stopping;

  if (!self->funcs->is_stopping)
    return FALSE;
  g_mutex_unlock (&self->lock);
  stopping = self->funcs->is_stopping (self->user_data);
  g_mutex_lock (&self->lock);
  return stopping;
}

/* Until something has changed, or for some time. With the lock. */
static WaitResult
wait_a_while (DecryptKeys *self, gint64 deadline)
{
  gint64 end = g_get_monotonic_time () + STOP_INTERVAL;

  if (deadline != 0 && deadline < end)
    end = deadline;
  if (g_cond_wait_until (&self->cond, &self->lock, end))
    return WAIT_AGAIN;
  if (is_stopping_unlocked (self))
    return WAIT_FLUSHING;
  return end == deadline ? WAIT_OVER : WAIT_AGAIN;
}

/* Until the generation is no longer @generation, or a pending license is no
 * longer, or @deadline (0: as long as a license is pending). */
static WaitResult
wait_for_change (DecryptKeys *self, guint generation, gint64 deadline)
{
  WaitResult result = WAIT_AGAIN;

  g_mutex_lock (&self->lock);
  while (result == WAIT_AGAIN && !self->flushing &&
      decrypt_keys_get_generation (self) == generation) {
    if (deadline == 0 && !self->license_pending)
      result = WAIT_OVER;
    else
      result = wait_a_while (self, deadline);
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
      (void) decrypt_sources_get_store (self->sources);
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
    GstCencKey *key = decrypt_sources_ask (self->sources, kid, use, &refused);
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
    g_autoptr (GstCencKey) key = decrypt_sources_ask (self->sources,
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
