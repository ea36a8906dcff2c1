/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GstCencKeySession: gives the key for a KID, or says why not, and says when
 * that changes. This is the one way by which keys reach cencdecrypt: from its
 * own `keys` property, from offlinelicensesrc, from the device's license store,
 * or from an application that brings a key system of its own.
 *
 * Asking whether a session *has* a KID costs nothing. *Taking* a key with
 * %GST_CENC_KEY_USE_PLAY is what starts the first play of a rental; the session
 * has committed it to stable storage when the call returns.
 *
 * A session is shared by elements and belongs to none of them; g_object_new()
 * gives it floating, as every GstObject: gst_object_ref_sink() it.
 *
 * All methods may be called from any thread, and with the element's streaming
 * lock held. None of them waits for a network.
 */

#pragma once

#include <gst/gst.h>
#include <gst/cenc/gstcenckey.h>

G_BEGIN_DECLS

/**
 * GST_CENC_KEY_SESSION_CONTEXT_TYPE:
 *
 * Type of the GstContext that carries a session. Its structure has one field,
 * `session`, of #GST_TYPE_CENC_KEY_SESSION (an object pointer: a bin that logs
 * the structure shows an address only).
 */
#define GST_CENC_KEY_SESSION_CONTEXT_TYPE "gst.cenc.key-session"

/**
 * GST_CENC_DEVICE_SESSION_TYPE_NAME:
 *
 * Name under which a plugin registers (gst_dynamic_type_register()) the session
 * class that opens the device's own license store when constructed without
 * properties, and that understands license documents by
 * gst_cenc_key_session_add_license().
 */
#define GST_CENC_DEVICE_SESSION_TYPE_NAME "GstOfflineLicenseSession"

/**
 * GST_CENC_ERROR:
 *
 * domain of every error of libgstcenc and of key sessions.
 */
#define GST_CENC_ERROR (gst_cenc_error_quark ())
GST_CENC_API
GQuark gst_cenc_error_quark (void);

/**
 * GstCencError:
 * @GST_CENC_ERROR_NO_KEY: no key for this KID; the message names the KID
 * @GST_CENC_ERROR_NOT_YET_VALID: before the license's begin
 * @GST_CENC_ERROR_WINDOW_OVER: past the license's expiration
 * @GST_CENC_ERROR_PLAYBACK_OVER: past the expiration after first play
 * @GST_CENC_ERROR_CLOCK_TURNED_BACK: the clock shows less than it once did
 * @GST_CENC_ERROR_CLOCK_NOT_SET: the device has no time yet
 * @GST_CENC_ERROR_OTHER_DEVICE: the license is for another device's key
 * @GST_CENC_ERROR_SIGNATURE: signature, issuer or integrity
 * @GST_CENC_ERROR_OUTPUT_PROTECTION: a demand on the output is not covered
 * @GST_CENC_ERROR_REVOKED: released, or the issuer is on the deny-list
 * @GST_CENC_ERROR_STORE: the store cannot be read or written
 * @GST_CENC_ERROR_FORMAT: a document or box payload that breaks its format
 * @GST_CENC_ERROR_UNSUPPORTED: well-formed, but not something we can honor
 * @GST_CENC_ERROR_FAILED: anything else; the message says what
 */
typedef enum
{
  GST_CENC_ERROR_NO_KEY,
  GST_CENC_ERROR_NOT_YET_VALID,
  GST_CENC_ERROR_WINDOW_OVER,
  GST_CENC_ERROR_PLAYBACK_OVER,
  GST_CENC_ERROR_CLOCK_TURNED_BACK,
  GST_CENC_ERROR_CLOCK_NOT_SET,
  GST_CENC_ERROR_OTHER_DEVICE,
  GST_CENC_ERROR_SIGNATURE,
  GST_CENC_ERROR_OUTPUT_PROTECTION,
  GST_CENC_ERROR_REVOKED,
  GST_CENC_ERROR_STORE,
  GST_CENC_ERROR_FORMAT,
  GST_CENC_ERROR_UNSUPPORTED,
  GST_CENC_ERROR_FAILED,
} GstCencError;

/**
 * GstCencKeyUse:
 * @GST_CENC_KEY_USE_PREROLL: the element is in PAUSED: the key is for a bounded
 *   amount of media that a sink needs to preroll; starts no first play. Dates,
 *   device and signature are checked all the same.
 * @GST_CENC_KEY_USE_PLAY: the sample goes out in PLAYING, or the preroll
 *   allowance is used up
 */
typedef enum
{
  GST_CENC_KEY_USE_PREROLL,
  GST_CENC_KEY_USE_PLAY,
} GstCencKeyUse;

#define GST_TYPE_CENC_KEY_SESSION (gst_cenc_key_session_get_type ())
GST_CENC_API
G_DECLARE_DERIVABLE_TYPE (GstCencKeySession, gst_cenc_key_session, GST,
    CENC_KEY_SESSION, GstObject)

/**
 * GstCencKeySessionClass:
 * @has_key: required. Whether the session knows @kid, whatever its license
 *   says. Never blocks on more than a lock, never starts first play.
 * @get_key: required. (transfer full): the key, or %NULL with @error
 *   (%GST_CENC_ERROR). May write to stable storage. A class written in Python
 *   raises the error: `raise GLib.Error.new_literal (GstCenc.cenc_error_quark
 *   (), "…", GstCenc.CencError.NO_KEY)`.
 * @list_kids: optional. (transfer full): array of GBytes, 16 bytes each
 * @add_license: optional. Takes a license document; @caps may be %NULL
 * @begin: optional. The first user starts (see gst_cenc_key_session_begin())
 * @end: optional. The last user is gone
 */
struct _GstCencKeySessionClass
{
  GstObjectClass parent_class;

  gboolean (*has_key) (GstCencKeySession *self, const guint8 *kid);
  GstCencKey *(*get_key) (GstCencKeySession *self, const guint8 *kid,
      GstCencKeyUse use, GError **error);
  GPtrArray *(*list_kids) (GstCencKeySession *self);
  gboolean (*add_license) (GstCencKeySession *self, GBytes *document,
      GstCaps *caps, GError **error);
  void (*begin) (GstCencKeySession *self);
  void (*end) (GstCencKeySession *self);

  /*< private >*/
  gpointer _gst_reserved[GST_PADDING_LARGE];
};

/**
 * gst_cenc_key_session_has_key:
 * @self: a session
 * @kid: (array fixed-size=16): the KID
 *
 * Returns: whether @self has a key for @kid (which a license may still forbid to use)
 */
GST_CENC_API
gboolean
gst_cenc_key_session_has_key (GstCencKeySession *self, const guint8 *kid);

/**
 * gst_cenc_key_session_get_key:
 * @self: a session
 * @kid: (array fixed-size=16): the KID
 * @use: what for
 * @error: %GST_CENC_ERROR; %GST_CENC_ERROR_NO_KEY if @kid is not known, or if
 *   the class gives neither a key nor a reason
 *
 * A holder may keep the key until its deadline passes or #GstCencKeySession::changed
 * is emitted, and then has to ask again; a key got for PREROLL has to be asked
 * for again with PLAY before a sample goes out in PLAYING.
 *
 * Returns: (transfer full): the key, or %NULL with @error set
 */
GST_CENC_API
GstCencKey *gst_cenc_key_session_get_key (GstCencKeySession *self,
    const guint8 *kid, GstCencKeyUse use, GError **error);

/**
 * gst_cenc_key_session_list_kids:
 * @self: a session
 *
 * Returns: (transfer full) (element-type GLib.Bytes): the KIDs, 16 bytes each; empty if the class does not tell
 */
GST_CENC_API
GPtrArray *gst_cenc_key_session_list_kids (GstCencKeySession *self);

/**
 * gst_cenc_key_session_dup_kids: (rename-to gst_cenc_key_session_list_kids)
 * @self: a session
 *
 * For language bindings: the array frees what is in it, which they call
 * (transfer container), while the virtual method gives both away.
 *
 * Returns: (transfer container) (element-type GLib.Bytes): the KIDs, 16 bytes each
 */
GST_CENC_API
GPtrArray *gst_cenc_key_session_dup_kids (GstCencKeySession *self);

/**
 * gst_cenc_key_session_add_license:
 * @self: a session
 * @document: a license document
 * @caps: (nullable): what the document is, e.g. `application/x-cenc-license`
 * @error: %GST_CENC_ERROR
 *
 * Returns: whether the document was taken. %GST_CENC_ERROR_UNSUPPORTED if the
 *   class takes none.
 */
GST_CENC_API
gboolean gst_cenc_key_session_add_license (GstCencKeySession *self,
    GBytes *document, GstCaps *caps, GError **error);

/**
 * gst_cenc_key_session_begin:
 * @self: a session
 *
 * Counted, with gst_cenc_key_session_end(). An element calls begin at READY →
 * PAUSED and end at PAUSED → READY; between the first begin and the last end
 * lies one playback session (loops, seeks and pauses stay in it).
 */
GST_CENC_API
void gst_cenc_key_session_begin (GstCencKeySession *self);
GST_CENC_API
void gst_cenc_key_session_end (GstCencKeySession *self);

/**
 * gst_cenc_key_session_changed:
 * @self: a session
 *
 * For subclasses: keys came, went, were renewed or expired. Raises the
 * generation and emits #GstCencKeySession::changed, from the calling thread.
 */
GST_CENC_API
void gst_cenc_key_session_changed (GstCencKeySession *self);

/**
 * gst_cenc_key_session_get_generation:
 * @self: a session
 *
 * Returns: a number that rises with each change; read without a lock, once a sample
 */
GST_CENC_API
guint gst_cenc_key_session_get_generation (GstCencKeySession *self);

/**
 * gst_cenc_key_sessions_have_key:
 * @kid: (array fixed-size=16): the KID
 *
 * Asks every session that is alive in this process. That is what a typefinder
 * has to go by, which stands in no pipeline and sees no context: it decides
 * whether a protected file is one of ours to play. No key is taken. A session
 * can be asked from its construction on.
 *
 * Returns: whether one of them has a key for @kid
 */
GST_CENC_API
gboolean gst_cenc_key_sessions_have_key (const guint8 *kid);

/**
 * gst_cenc_key_session_context_new:
 * @self: a session
 *
 * Returns: (transfer full): a persistent context that carries @self
 */
GST_CENC_API
GstContext *gst_cenc_key_session_context_new (GstCencKeySession *self);

/**
 * gst_cenc_key_session_from_context:
 * @context: a context
 *
 * Returns: (transfer full) (nullable): the session in @context, %NULL if it is of another type or has none
 */
GST_CENC_API
GstCencKeySession *gst_cenc_key_session_from_context (GstContext *context);

G_END_DECLS
