/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gstcenckeysession.h"
#include "gstcenckeyring.h"

typedef struct
{
  gint generation;
  guint users; /* protected by the object lock */
} GstCencKeySessionPrivate;

enum
{
  SIGNAL_CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (GstCencKeySession, gst_cenc_key_session,
    GST_TYPE_OBJECT)

GQuark
gst_cenc_error_quark (void)
{
  return g_quark_from_static_string ("gst-cenc-error-quark");
}

static GstCencKeySessionPrivate *
get_private (GstCencKeySession *self)
{
  return gst_cenc_key_session_get_instance_private (self);
}

/* The sessions that are alive: weak references, a handful at most. */
static GMutex alive_lock;
static GPtrArray *alive; /* (element-type GWeakRef); under alive_lock */

static void
weak_ref_free (gpointer ref)
{
  g_weak_ref_clear (ref);
  g_free (ref);
}

static void
gst_cenc_key_session_constructed (GObject *object)
{
  GWeakRef *ref = g_new0 (GWeakRef, 1);

  G_OBJECT_CLASS (gst_cenc_key_session_parent_class)->constructed (object);

  g_weak_ref_init (ref, object);
  g_mutex_lock (&alive_lock);
  if (!alive)
    alive = g_ptr_array_new_with_free_func (weak_ref_free);
  g_ptr_array_add (alive, ref);
  g_mutex_unlock (&alive_lock);
}

/* (transfer full): references to all of them; forgets those that are gone. */
static GPtrArray *
ref_alive (void)
{
  GPtrArray *sessions = g_ptr_array_new_with_free_func (gst_object_unref);
  guint i;

  g_mutex_lock (&alive_lock);
  for (i = alive ? alive->len : 0; i > 0; i--) {
    gpointer session = g_weak_ref_get (g_ptr_array_index (alive, i - 1));

    if (session)
      g_ptr_array_add (sessions, session);
    else
      g_ptr_array_remove_index (alive, i - 1);
  }
  if (alive && alive->len == 0)
    g_clear_pointer (&alive, g_ptr_array_unref);
  g_mutex_unlock (&alive_lock);

  return sessions;
}

gboolean
gst_cenc_key_sessions_have_key (const guint8 *kid)
{
  g_autoptr (GPtrArray) sessions = NULL;
  guint i;

  g_return_val_if_fail (kid != NULL, FALSE);

  sessions = ref_alive ();
  for (i = 0; i < sessions->len; i++) {
    if (gst_cenc_key_session_has_key (g_ptr_array_index (sessions, i), kid))
      return TRUE;
  }
  return FALSE;
}

static void
gst_cenc_key_session_class_init (GstCencKeySessionClass *klass)
{
  G_OBJECT_CLASS (klass)->constructed = gst_cenc_key_session_constructed;

  /**
   * GstCencKeySession::changed:
   *
   * Keys came, went, were renewed or expired: holders ask again. Emitted from
   * any thread.
   */
  signals[SIGNAL_CHANGED] = g_signal_new ("changed", G_TYPE_FROM_CLASS (klass),
      G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
gst_cenc_key_session_init (GstCencKeySession *self)
{
  /* Stays floating: a language binding sinks what it constructs. */
}

/* A class of an application's, in whatever language, can lack what is required. */
gboolean
gst_cenc_key_session_has_key (GstCencKeySession *self, const guint8 *kid)
{
  GstCencKeySessionClass *klass;

  g_return_val_if_fail (GST_IS_CENC_KEY_SESSION (self) && kid, FALSE);

  klass = GST_CENC_KEY_SESSION_GET_CLASS (self);
  g_return_val_if_fail (klass->has_key != NULL, FALSE);
  return klass->has_key (self, kid);
}

static void
set_no_key (GstCencKeySession *self, const guint8 *kid, GError **error)
{
  g_autofree gchar *text = gst_cenc_kid_to_string (kid);

  g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_NO_KEY,
      "%s gives no key for KID %s", G_OBJECT_TYPE_NAME (self), text);
}

GstCencKey *
gst_cenc_key_session_get_key (GstCencKeySession *self, const guint8 *kid,
    GstCencKeyUse use, GError **error)
{
  GstCencKeySessionClass *klass;
  GstCencKey *key = NULL;
  GError *local = NULL;

  g_return_val_if_fail (GST_IS_CENC_KEY_SESSION (self) && kid, NULL);

  klass = GST_CENC_KEY_SESSION_GET_CLASS (self);
  if (klass->get_key)
    key = klass->get_key (self, kid, use, &local);
  /* Callers read the message: there always is one, and none beside a key. */
  if (!key && !local)
    set_no_key (self, kid, &local);
  if (!local)
    return key;
  g_clear_pointer (&key, gst_cenc_key_unref);
  g_propagate_error (error, local);
  return NULL;
}

GPtrArray *
gst_cenc_key_session_list_kids (GstCencKeySession *self)
{
  GstCencKeySessionClass *klass;
  GPtrArray *kids = NULL;

  g_return_val_if_fail (GST_IS_CENC_KEY_SESSION (self), NULL);

  klass = GST_CENC_KEY_SESSION_GET_CLASS (self);
  if (klass->list_kids)
    kids = klass->list_kids (self);
  if (!kids)
    kids = g_ptr_array_new ();
  /* What comes from a language binding owns its elements, but does not free them. */
  g_ptr_array_set_free_func (kids, (GDestroyNotify) g_bytes_unref);
  return kids;
}

GPtrArray *
gst_cenc_key_session_dup_kids (GstCencKeySession *self)
{
  return gst_cenc_key_session_list_kids (self);
}

gboolean
gst_cenc_key_session_add_license (GstCencKeySession *self, GBytes *document,
    GstCaps *caps, GError **error)
{
  GstCencKeySessionClass *klass;

  g_return_val_if_fail (GST_IS_CENC_KEY_SESSION (self) && document, FALSE);

  klass = GST_CENC_KEY_SESSION_GET_CLASS (self);
  if (!klass->add_license) {
    g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_UNSUPPORTED,
        "%s takes no license documents", G_OBJECT_TYPE_NAME (self));
    return FALSE;
  }
  return klass->add_license (self, document, caps, error);
}

void
gst_cenc_key_session_begin (GstCencKeySession *self)
{
  GstCencKeySessionClass *klass;
  gboolean first;

  g_return_if_fail (GST_IS_CENC_KEY_SESSION (self));

  GST_OBJECT_LOCK (self);
  first = get_private (self)->users++ == 0;
  GST_OBJECT_UNLOCK (self);

  klass = GST_CENC_KEY_SESSION_GET_CLASS (self);
  if (first && klass->begin)
    klass->begin (self);
}

void
gst_cenc_key_session_end (GstCencKeySession *self)
{
  GstCencKeySessionClass *klass;
  guint users;

  g_return_if_fail (GST_IS_CENC_KEY_SESSION (self));

  GST_OBJECT_LOCK (self);
  users = get_private (self)->users;
  if (users > 0)
    get_private (self)->users--;
  GST_OBJECT_UNLOCK (self);
  g_return_if_fail (users > 0);

  klass = GST_CENC_KEY_SESSION_GET_CLASS (self);
  if (users == 1 && klass->end)
    klass->end (self);
}

void
gst_cenc_key_session_changed (GstCencKeySession *self)
{
  g_return_if_fail (GST_IS_CENC_KEY_SESSION (self));

  g_atomic_int_inc (&get_private (self)->generation);
  g_signal_emit (self, signals[SIGNAL_CHANGED], 0);
}

guint
gst_cenc_key_session_get_generation (GstCencKeySession *self)
{
  g_return_val_if_fail (GST_IS_CENC_KEY_SESSION (self), 0);

  return (guint) g_atomic_int_get (&get_private (self)->generation);
}

GstContext *
gst_cenc_key_session_context_new (GstCencKeySession *self)
{
  GstContext *context;

  g_return_val_if_fail (GST_IS_CENC_KEY_SESSION (self), NULL);

  context = gst_context_new (GST_CENC_KEY_SESSION_CONTEXT_TYPE, TRUE);
  gst_structure_set (gst_context_writable_structure (context), "session",
      GST_TYPE_CENC_KEY_SESSION, self, NULL);
  return context;
}

GstCencKeySession *
gst_cenc_key_session_from_context (GstContext *context)
{
  GstCencKeySession *session = NULL;

  g_return_val_if_fail (GST_IS_CONTEXT (context), NULL);

  if (gst_context_has_context_type (context, GST_CENC_KEY_SESSION_CONTEXT_TYPE))
    gst_structure_get (gst_context_get_structure (context), "session",
        GST_TYPE_CENC_KEY_SESSION, &session, NULL);
  return session;
}
