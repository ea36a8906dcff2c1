/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cpix-document.h"

#include <string.h>
#include "cenc/encrypt-hex.h"

GQuark
cpix_error_quark (void)
{
  return g_quark_from_static_string ("cpix-error-quark");
}

static void
key_free (gpointer data)
{
  CpixKey *self = data;

  g_clear_pointer (&self->key, gst_cenc_key_unref);
  g_free (self->scheme);
  g_free (self);
}

static void
system_free (gpointer data)
{
  CpixSystem *self = data;

  g_clear_pointer (&self->pssh, g_bytes_unref);
  g_clear_pointer (&self->content_protection, g_bytes_unref);
  g_clear_pointer (&self->hls_multivariant, g_bytes_unref);
  g_clear_pointer (&self->hls_media, g_bytes_unref);
  g_free (self);
}

static void
filter_clear (gpointer data)
{
  g_free (((CpixFilter *) data)->text);
}

static void
rule_free (gpointer data)
{
  CpixRule *self = data;

  g_array_unref (self->filters);
  g_free (self->intended);
  g_free (self);
}

static void
period_free (gpointer data)
{
  g_free (((CpixPeriod *) data)->id);
  g_free (data);
}

CpixDocument *
cpix_document_new (void)
{
  CpixDocument *self = g_new0 (CpixDocument, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->keys = g_ptr_array_new_with_free_func (key_free);
  self->systems = g_ptr_array_new_with_free_func (system_free);
  self->rules = g_ptr_array_new_with_free_func (rule_free);
  self->periods = g_ptr_array_new_with_free_func (period_free);
  return self;
}

CpixDocument *
cpix_document_ref (CpixDocument *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
cpix_document_unref (CpixDocument *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_ptr_array_unref (self->keys);
  g_ptr_array_unref (self->systems);
  g_ptr_array_unref (self->rules);
  g_ptr_array_unref (self->periods);
  g_free (self->content_id);
  g_free (self);
}

CpixKey *
cpix_document_add_key (CpixDocument *self, const guint8 *kid)
{
  CpixKey *key = g_new0 (CpixKey, 1);

  memcpy (key->kid, kid, sizeof key->kid);
  g_ptr_array_add (self->keys, key);
  return key;
}

CpixSystem *
cpix_document_add_system (CpixDocument *self, const guint8 *system_id,
    const guint8 *kid)
{
  CpixSystem *system = g_new0 (CpixSystem, 1);

  memcpy (system->system_id, system_id, sizeof system->system_id);
  memcpy (system->kid, kid, sizeof system->kid);
  g_ptr_array_add (self->systems, system);
  return system;
}

CpixRule *
cpix_document_add_rule (CpixDocument *self, const guint8 *kid)
{
  CpixRule *rule = g_new0 (CpixRule, 1);

  memcpy (rule->kid, kid, sizeof rule->kid);
  rule->filters = g_array_new (FALSE, TRUE, sizeof (CpixFilter));
  g_array_set_clear_func (rule->filters, filter_clear);
  g_ptr_array_add (self->rules, rule);
  rule->number = self->rules->len;
  return rule;
}

CpixPeriod *
cpix_document_add_period (CpixDocument *self)
{
  CpixPeriod *period = g_new0 (CpixPeriod, 1);

  g_ptr_array_add (self->periods, period);
  return period;
}

CpixFilter *
cpix_rule_add_filter (CpixRule *self, CpixFilterType type)
{
  CpixFilter filter = { type, NULL, { 0, G_MAXUINT64 }, { 0, G_MAXUINT64 }, -1,
    -1 };

  g_array_append_val (self->filters, filter);
  return &g_array_index (self->filters, CpixFilter, self->filters->len - 1);
}

const CpixKey *
cpix_document_find_key (const CpixDocument *self, const guint8 *kid)
{
  guint i;

  for (i = 0; i < self->keys->len; i++) {
    const CpixKey *key = g_ptr_array_index (self->keys, i);

    if (memcmp (key->kid, kid, sizeof key->kid) == 0)
      return key;
  }
  return NULL;
}

static gboolean
is_hyphen_place (guint i)
{
  return i == 8 || i == 13 || i == 18 || i == 23;
}

gboolean
cpix_parse_uuid (const gchar *text, guint8 *out)
{
  guint i, n = 0;

  if (!text || strlen (text) != 36)
    return FALSE;
  for (i = 0; i < 36; i++) {
    gint digit = g_ascii_xdigit_value (text[i]);

    if (is_hyphen_place (i) ? text[i] != '-' : digit < 0)
      return FALSE;
    if (is_hyphen_place (i))
      continue;
    out[n / 2] = n % 2 ? out[n / 2] | digit : digit << 4;
    n++;
  }
  return TRUE;
}

gchar *
cpix_format_kid (const guint8 *kid)
{
  g_autofree gchar *uuid = encrypt_hex_format_uuid (kid);

  return g_strconcat ("KID ", uuid, NULL);
}
