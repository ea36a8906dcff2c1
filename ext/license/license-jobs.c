/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "license-jobs.h"
#include "jose-json.h"
#include "jose-jwe.h"
#include "license-job-private.h"
#include "license-message.h"
#include "license-outbox.h"
#include "license-protocol.h"
#include "license-url.h"

#include <gst/cenc/gstcenckeyring.h>

static gboolean
fail (GError **error, GstCencError code, const gchar *text)
{
  g_set_error_literal (error, GST_CENC_ERROR, (gint) code, text);
  return FALSE;
}

/* --- answers ------------------------------------------------------------ */

static gboolean
has_wanted_kids (LicenseJob *self, const LicenseDocument *document,
    GError **error)
{
  guint i;

  for (i = 0; self->kids && i < self->kids->len; i += GST_CENC_KID_SIZE) {
    g_autofree gchar *kid = NULL;

    if (license_document_has_kid (document, self->kids->data + i))
      continue;
    kid = gst_cenc_kid_to_string (self->kids->data + i);
    g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_NO_KEY,
        "the server's license %s has no key %s", document->id, kid);
    return FALSE;
  }
  return TRUE;
}

/* The answer is looked at before anything is stored: what was asked for? */
static gboolean
check_answer (LicenseJob *self, LicenseStore *store, GBytes *answer,
    const gchar *id, GError **error)
{
  g_autoptr (LicenseDocument) document =
      license_store_open_document (store, answer, error);

  if (!document)
    return FALSE;
  if (id && !g_str_equal (document->id, id)) {
    g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_SIGNATURE,
        "the server renews license %s by another one, %s", id, document->id);
    return FALSE;
  }
  return has_wanted_kids (self, document, error);
}

static LicenseEntry *
take_answer (LicenseJob *self, LicenseStore *store, GBytes *answer,
    const gchar *nonce, const gchar *id, GError **error)
{
  LicenseEntry *entry, *copy;

  license_job_progress (self, "storing the license");
  if (!check_answer (self, store, answer, id, error))
    return NULL;
  entry = license_store_import (store, answer, nonce, NULL, error);
  if (!entry)
    return NULL;
  copy = license_entry_copy (entry);
  gst_offline_license_session_adopt (self->session, entry,
      id ? "renewed" : "acquired");
  return copy;
}

/* --- the jobs ----------------------------------------------------------- */

static LicenseEntry *
acquire_by (LicenseJob *self, LicenseStore *store, const LicenseToken *token,
    GError **error)
{
  g_autofree gchar *nonce = license_nonce_new ();
  g_autoptr (GBytes) body =
      license_protocol_acquire (store, nonce, self->kids, error);
  LicenseRequest request = { self->url ? self->url : token->url, token->token,
    LICENSE_REQUEST_TYPE, body, LICENSE_MEDIA_TYPE };
  g_autoptr (GBytes) answer = NULL;

  if (!body)
    return NULL;
  license_job_progress (self, "asking for the license");
  answer = license_client_send (&self->client, &request, error);
  return answer ? take_answer (self, store, answer, nonce, NULL, error) : NULL;
}

LicenseEntry *
license_job_acquire (LicenseJob *self, GError **error)
{
  g_autoptr (LicenseToken) token = license_job_get_token (self, error);
  g_autoptr (LicenseStore) store = NULL;
  LicenseEntry *entry;

  if (!token)
    return NULL;
  if (!self->url && !token->url) {
    fail (error, GST_CENC_ERROR_FAILED,
        "the token does not say where to go: set uri");
    return NULL;
  }
  store = gst_offline_license_session_get_store (self->session, TRUE, error);
  if (!store)
    return NULL;
  entry = acquire_by (self, store, token, error);
  if (entry)
    license_outbox_flush (self, store);
  return entry;
}

static guint
count_kids (const LicenseJob *self)
{
  return self->kids ? self->kids->len / GST_CENC_KID_SIZE : 0;
}

static const guint8 *
get_kid (const LicenseJob *self, guint i)
{
  return self->kids->data + i * GST_CENC_KID_SIZE;
}

static LicenseEntry *
load_file (LicenseJob *self, GError **error)
{
  g_autoptr (JoseSecret) text =
      license_job_read_file (self->location, LICENSE_MAX_SIZE, error);
  g_autoptr (LicenseStore) store = NULL;
  g_autoptr (GBytes) bytes = NULL;

  if (!text)
    return NULL;
  bytes = g_bytes_new (text->data, text->size);
  store = gst_offline_license_session_get_store (self->session, TRUE, error);
  return store ? license_store_import (store, bytes, NULL, NULL, error) : NULL;
}

static gboolean
is_among (GPtrArray *entries, const LicenseEntry *entry)
{
  guint i;

  for (i = 0; i < entries->len; i++) {
    LicenseEntry *other = g_ptr_array_index (entries, i);

    if (g_bytes_equal (other->document->bytes, entry->document->bytes))
      return TRUE;
  }
  return FALSE;
}

/* --- which license is whose ---------------------------------------------- */

static gboolean
is_at (const gchar *url, const gchar *origin)
{
  g_autofree gchar *own = url ? license_url_get_origin (url) : NULL;

  return g_strcmp0 (own, origin) == 0;
}

/* A LicenseFilter: whether the server at @url has issued it. */
static gboolean
is_of_server (const LicenseDocument *document, gpointer url)
{
  g_autofree gchar *origin = license_url_get_origin (url);

  return is_at (document->renewal_url, origin) ||
      is_at (document->release_url, origin);
}

/* A document tells what was rented, and whoever has it can give it back: of all that
 * is stored a server gets to see what it has issued itself, and what is named. */
static gboolean
may_ask (LicenseJob *self, const LicenseDocument *document)
{
  return self->url &&
      (self->is_named || is_of_server (document, (gpointer) self->url));
}

/* (nullable) */
static const gchar *
get_renewal_url (LicenseJob *self, const LicenseDocument *document)
{
  if (self->url && (self->location || may_ask (self, document)))
    return self->url;
  return document->renewal_url;
}

/* The best license of all that the server has issued. */
static LicenseEntry *
find_of_server (LicenseJob *self, GError **error)
{
  g_autoptr (GUri) url = license_url_parse (self->url, error);
  g_autofree gchar *origin = license_url_get_origin (self->url);
  g_autoptr (GError) failed = NULL;
  LicenseEntry *entry;

  if (!url)
    return NULL;
  entry = gst_offline_license_session_find (self->session, NULL, is_of_server,
      (gpointer) self->url, &failed);
  if (g_error_matches (failed, GST_CENC_ERROR, GST_CENC_ERROR_NO_KEY))
    g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_NO_KEY,
        "no license that %s has issued; one of another server is renewed there "
        "only if key-ids, content or location names it",
        origin);
  else if (failed)
    g_propagate_error (error, g_steal_pointer (&failed));
  return entry;
}

/* --- the licenses -------------------------------------------------------- */

static LicenseEntry *
find_license (LicenseJob *self, const guint8 *kid, GError **error)
{
  if (self->location)
    return load_file (self, error);
  return gst_offline_license_session_find (self->session, kid, NULL, NULL,
      error);
}

/* Picture and sound may have a license each. @all: that one is missing is an
 * error; without, only that all are. Returns: (transfer full) (element-type
 * LicenseEntry): those that would play, none twice, at least one */
static GPtrArray *
find_licenses (LicenseJob *self, gboolean all, GError **error)
{
  g_autoptr (GPtrArray) entries =
      g_ptr_array_new_with_free_func ((GDestroyNotify) license_entry_free);
  g_autoptr (GError) failed = NULL;
  guint i, n = self->location ? 0 : count_kids (self);

  for (i = 0; i < MAX (n, 1); i++) {
    g_autoptr (LicenseEntry) entry = NULL;

    g_clear_error (&failed);
    entry = find_license (self, n > 0 ? get_kid (self, i) : NULL, &failed);
    if (entry && !is_among (entries, entry))
      g_ptr_array_add (entries, g_steal_pointer (&entry));
    else if (!entry && all)
      break;
  }
  if (entries->len > 0 && (!failed || !all))
    return g_steal_pointer (&entries);
  g_propagate_error (error, g_steal_pointer (&failed));
  return NULL;
}

static LicenseDecision
decide (const LicenseEntry *entry)
{
  LicenseState state = { entry->record.first_play, entry->record.released,
    FALSE };
  LicenseTime time = { entry->now.wall, entry->clock };

  return policy_decide (&entry->document->rules, &state, &time);
}

static gboolean
is_due (LicenseJob *self, const LicenseEntry *entry)
{
  LicenseDecision decision = decide (entry);

  return self->renew_before == 0 || !decision.allowed ||
      (decision.source != LICENSE_END_NONE &&
          decision.expiration - entry->now.wall <=
              self->renew_before * (gint64) G_USEC_PER_SEC);
}

static LicenseEntry *
renew_entry (LicenseJob *self, LicenseStore *store, LicenseEntry *entry,
    GError **error)
{
  const gchar *url = get_renewal_url (self, entry->document);
  g_autofree gchar *nonce = license_nonce_new ();
  g_autoptr (GBytes) body = license_protocol_renew (store, nonce,
      entry->document, &entry->record, error);
  LicenseRequest request = { url, NULL, LICENSE_REQUEST_TYPE, body,
    LICENSE_MEDIA_TYPE };
  g_autoptr (GBytes) answer = NULL;

  if (!body)
    return NULL;
  if (!url) {
    fail (error, GST_CENC_ERROR_UNSUPPORTED,
        "the license does not say where it is renewed: set uri");
    return NULL;
  }
  license_job_progress (self, "renewing the license");
  answer = license_client_send (&self->client, &request, error);
  return answer
      ? take_answer (self, store, answer, nonce, entry->document->id, error)
      : NULL;
}

static LicenseEntry *
renew_now (LicenseJob *self, LicenseEntry *entry, GError **error)
{
  g_autoptr (LicenseStore) store = NULL;
  LicenseEntry *renewed;

  store = gst_offline_license_session_get_store (self->session, FALSE, error);
  renewed = store ? renew_entry (self, store, entry, error) : NULL;
  if (renewed)
    license_outbox_flush (self, store);
  return renewed;
}

/* Returns: (transfer full): @entry as it is now */
static LicenseEntry *
renew_if_due (LicenseJob *self, LicenseEntry *entry, GError **error)
{
  if (self->id && !g_str_equal (entry->document->id, self->id))
    return license_entry_copy (entry);
  if (is_due (self, entry))
    return renew_now (self, entry, error);
  gst_offline_license_session_tell (self->session, entry, "loaded", NULL, NULL);
  return license_entry_copy (entry);
}

LicenseEntry *
license_job_renew (LicenseJob *self, GError **error)
{
  g_autoptr (GPtrArray) entries = NULL;
  g_autoptr (LicenseEntry) main = NULL;
  guint i;

  if (self->url && !self->location && count_kids (self) == 0) {
    main = find_of_server (self, error);
    return main ? renew_if_due (self, main, error) : NULL;
  }
  entries = find_licenses (self, TRUE, error);
  for (i = 0; entries && i < entries->len; i++) {
    g_autoptr (LicenseEntry) entry =
        renew_if_due (self, g_ptr_array_index (entries, i), error);

    if (!entry)
      return NULL;
    if (!main)
      main = g_steal_pointer (&entry);
  }
  return g_steal_pointer (&main);
}

static gboolean
is_over (const LicenseEntry *entry)
{
  LicenseDecision decision = decide (entry);

  return !decision.allowed &&
      (decision.reason == GST_CENC_ERROR_WINDOW_OVER ||
          decision.reason == GST_CENC_ERROR_PLAYBACK_OVER);
}

gboolean
license_job_revive (LicenseJob *self, GError **error)
{
  g_autoptr (GPtrArray) entries = find_licenses (self, FALSE, NULL);
  guint i;

  for (i = 0; entries && i < entries->len; i++) {
    LicenseEntry *entry = g_ptr_array_index (entries, i);
    g_autoptr (LicenseEntry) renewed = NULL;

    if (!is_over (entry) || !get_renewal_url (self, entry->document))
      continue;
    renewed = renew_now (self, entry, error);
    if (!renewed)
      return FALSE;
  }
  return TRUE;
}

static gboolean
give_back (LicenseJob *self, LicenseStore *store, LicenseEntry *entry,
    GError **error)
{
  if (!license_store_delete (store, entry->document, error))
    return FALSE;
  gst_offline_license_session_tell (self->session, entry, "released", NULL,
      NULL);
  gst_cenc_key_session_changed (GST_CENC_KEY_SESSION (self->session));
  return TRUE;
}

LicenseEntry *
license_job_release (LicenseJob *self, GError **error)
{
  g_autoptr (GPtrArray) entries = find_licenses (self, FALSE, error);
  g_autoptr (LicenseStore) store = NULL;
  guint i;

  if (!entries)
    return NULL;
  store = gst_offline_license_session_get_store (self->session, FALSE, error);
  if (!store)
    return NULL;
  for (i = 0; i < entries->len; i++) {
    if (!give_back (self, store, g_ptr_array_index (entries, i), error))
      return NULL;
  }
  license_outbox_flush (self, store);
  return license_entry_copy (g_ptr_array_index (entries, 0));
}

/* @server: (nullable): what the server says of it */
static void
tell (LicenseJob *self, LicenseEntry *entry, const gchar *server)
{
  LicenseDecision decision = decide (entry);

  if (decision.allowed)
    gst_offline_license_session_tell (self->session, entry, "loaded", NULL,
        server);
  else
    gst_offline_license_session_tell (self->session, entry, "refused",
        license_reason_to_string (decision.reason), server);
}

LicenseEntry *
license_job_play (LicenseJob *self, GError **error)
{
  g_autoptr (GPtrArray) entries = find_licenses (self, TRUE, error);
  LicenseEntry *main;
  guint i;

  if (!entries)
    return NULL;
  main = g_ptr_array_index (entries, 0);
  if (self->location && !has_wanted_kids (self, main->document, error))
    return NULL;
  for (i = 0; i < entries->len; i++)
    tell (self, g_ptr_array_index (entries, i), NULL);
  if (self->location)
    gst_cenc_key_session_changed (GST_CENC_KEY_SESSION (self->session));
  return license_entry_copy (main);
}

/* --- status -------------------------------------------------------------- */

static gchar *
parse_status (GBytes *answer, GError **error)
{
  static const gchar *const words[] = { "valid", "superseded", "released",
    NULL };
  gsize size;
  const gchar *text = g_bytes_get_data (answer, &size), *state = NULL;
  g_autoptr (JsonObject) object =
      jose_json_parse (text ? text : "", size, "status", error);

  if (!object || !jose_json_get_string (object, "state", &state, error))
    return NULL;
  if (state && g_strv_contains (words, state))
    return g_strdup (state);
  fail (error, GST_CENC_ERROR_FORMAT, "status: \"state\" is no state");
  return NULL;
}

/* Returns: (transfer full): what the server at @url says of the license */
static gchar *
ask_status (LicenseJob *self, LicenseStore *store, const LicenseEntry *entry,
    GError **error)
{
  g_autofree gchar *nonce = license_nonce_new ();
  g_autoptr (GBytes) body = license_protocol_renew (store, nonce,
      entry->document, &entry->record, error);
  LicenseRequest request = { self->url, NULL, LICENSE_REQUEST_TYPE, body,
    "application/json" };
  g_autoptr (GError) failed = NULL;
  g_autoptr (GBytes) answer = NULL;

  if (!body)
    return NULL;
  license_job_progress (self, "asking how the license stands");
  answer = license_client_send (&self->client, &request, &failed);
  if (answer)
    return parse_status (answer, error);
  if (g_error_matches (failed, LICENSE_CLIENT_ERROR,
          LICENSE_CLIENT_ERROR_NOT_FOUND))
    return g_strdup ("unknown");
  g_propagate_error (error, g_steal_pointer (&failed));
  return NULL;
}

static gboolean
tell_status (LicenseJob *self, LicenseStore *store, LicenseEntry *entry,
    GError **error)
{
  gboolean asked = may_ask (self, entry->document);
  g_autofree gchar *server =
      asked ? ask_status (self, store, entry, error) : NULL;

  /* What is known here is told in any case. */
  tell (self, entry, server);
  return server || !asked;
}

/* Returns: (transfer full) (element-type LicenseEntry): what is stored for the KIDs,
 * whether it would play or not, none twice */
static GPtrArray *
list_licenses (LicenseJob *self, LicenseStore *store, GError **error)
{
  g_autoptr (GPtrArray) entries =
      g_ptr_array_new_with_free_func ((GDestroyNotify) license_entry_free);
  guint i, j, n = count_kids (self);

  for (i = 0; i < MAX (n, 1); i++) {
    g_autoptr (GPtrArray) found = license_store_find (store,
        n > 0 ? get_kid (self, i) : NULL, NULL, error);

    if (!found)
      return NULL;
    for (j = 0; j < found->len; j++) {
      LicenseEntry *entry = g_ptr_array_index (found, j);

      if (!is_among (entries, entry))
        g_ptr_array_add (entries, license_entry_copy (entry));
    }
  }
  return g_steal_pointer (&entries);
}

gint
license_job_status (LicenseJob *self, GError **error)
{
  g_autoptr (LicenseStore) store =
      gst_offline_license_session_get_store (self->session, FALSE, error);
  g_autoptr (GPtrArray) entries =
      store ? list_licenses (self, store, error) : NULL;
  guint i;

  for (i = 0; entries && i < entries->len; i++) {
    if (!tell_status (self, store, g_ptr_array_index (entries, i), error))
      return -1;
  }
  if (entries && self->url)
    license_outbox_flush (self, store);
  return entries ? (gint) entries->len : -1;
}
