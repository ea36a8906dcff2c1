/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cpix-write.h"

#include <openssl/crypto.h>
#include <string.h>
#include "cenc/encrypt-hex.h"

#define OAEP \
  "<enc:EncryptionMethod " \
  "Algorithm=\"http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p\"/>"
#define AES \
  "<enc:EncryptionMethod " \
  "Algorithm=\"http://www.w3.org/2001/04/xmlenc#aes256-cbc\"/>"
#define HMAC_URI "http://www.w3.org/2001/04/xmldsig-more#hmac-sha512"

typedef struct
{
  CpixSecret *out; /* grows; what it grows out of is wiped */
  const CpixRecipient *recipient;
  CpixSecret *document_key, *mac_key; /* with a recipient */
} Writer;

static void
put_size (Writer *self, const gchar *text, gsize size)
{
  CpixSecret *out = self->out;

  if (size > out->capacity - out->size) {
    self->out = cpix_secret_new (2 * (out->capacity + size));
    memcpy (self->out->data, out->data, out->size);
    self->out->size = out->size;
    cpix_secret_free (out);
    out = self->out;
  }
  memcpy (out->data + out->size, text, size);
  out->size += size;
}

static void
put (Writer *self, const gchar *text)
{
  put_size (self, text, strlen (text));
}

static void
put_attribute (Writer *self, const gchar *name, const gchar *value)
{
  g_autofree gchar *text =
      value ? g_markup_printf_escaped (" %s=\"%s\"", name, value) : NULL;

  if (text)
    put (self, text);
}

static void
put_number (Writer *self, const gchar *name, guint64 value, guint64 unset)
{
  g_autofree gchar *text = g_strdup_printf ("%" G_GUINT64_FORMAT, value);

  if (value != unset)
    put_attribute (self, name, text);
}

static void
put_uuid (Writer *self, const gchar *name, const guint8 *uuid)
{
  g_autofree gchar *text = encrypt_hex_format_uuid (uuid);

  put_attribute (self, name, text);
}

static void
put_base64 (Writer *self, const guint8 *data, gsize size)
{
  gchar *text = g_base64_encode (data, size);

  put (self, text);
  OPENSSL_cleanse (text, strlen (text));
  g_free (text);
}

/* <name>base64</name>, nothing for NULL */
static void
put_bytes (Writer *self, const gchar *name, const gchar *attributes,
    GBytes *bytes)
{
  gsize size;
  const guint8 *data;

  if (!bytes)
    return;
  data = g_bytes_get_data (bytes, &size);
  put (self, "<");
  put (self, name);
  put (self, attributes);
  put (self, ">");
  put_base64 (self, data, size);
  put (self, "</");
  put (self, name);
  put (self, ">");
}

static gboolean
put_wrapped (Writer *self, const CpixSecret *secret, GError **error)
{
  g_autoptr (GBytes) wrapped = cpix_wrap (self->recipient, secret, error);

  if (!wrapped)
    return FALSE;
  put (self, OAEP "<enc:CipherData>");
  put_bytes (self, "enc:CipherValue", "", wrapped);
  put (self, "</enc:CipherData>");
  return TRUE;
}

static gboolean
put_delivery (Writer *self, GError **error)
{
  g_autoptr (GBytes) certificate = NULL;

  if (!self->recipient)
    return TRUE;
  certificate = cpix_recipient_get_certificate (self->recipient);
  self->document_key = cpix_secret_new_random (CPIX_DOCUMENT_KEY_SIZE, error);
  if (!self->document_key)
    return FALSE;
  self->mac_key = cpix_secret_new_random (CPIX_MAC_SIZE, error);
  if (!self->mac_key)
    return FALSE;
  put (self, "<DeliveryDataList><DeliveryData><DeliveryKey><ds:X509Data>");
  put_bytes (self, "ds:X509Certificate", "", certificate);
  put (self,
      "</ds:X509Data></DeliveryKey><DocumentKey><Data><pskc:Secret>"
      "<pskc:EncryptedValue>");
  if (!put_wrapped (self, self->document_key, error))
    return FALSE;
  put (self,
      "</pskc:EncryptedValue></pskc:Secret></Data></DocumentKey>"
      "<MACMethod Algorithm=\"" HMAC_URI "\"><pskc:MACKey>");
  if (!put_wrapped (self, self->mac_key, error))
    return FALSE;
  put (self, "</pskc:MACKey></MACMethod></DeliveryData></DeliveryDataList>\n");
  return TRUE;
}

static gboolean
put_encrypted (Writer *self, const GstCencKey *key, GError **error)
{
  guint8 value[GST_CENC_KEY_SIZE], mac[CPIX_MAC_SIZE];
  g_autoptr (GBytes) data = NULL;

  gst_cenc_key_copy_data (key, value);
  data = cpix_encrypt (self->document_key, value, sizeof value, error);
  OPENSSL_cleanse (value, sizeof value);
  if (!data)
    return FALSE;
  if (!cpix_mac (self->mac_key, g_bytes_get_data (data, NULL),
          g_bytes_get_size (data), mac)) {
    g_set_error_literal (error, CPIX_ERROR, CPIX_ERROR_FAILED, "no MAC");
    return FALSE;
  }
  put (self, "<pskc:EncryptedValue>" AES "<enc:CipherData>");
  put_bytes (self, "enc:CipherValue", "", data);
  put (self, "</enc:CipherData></pskc:EncryptedValue><pskc:ValueMAC>");
  put_base64 (self, mac, sizeof mac);
  put (self, "</pskc:ValueMAC>");
  return TRUE;
}

static gboolean
put_value (Writer *self, const GstCencKey *key, GError **error)
{
  if (!key)
    return TRUE;
  put (self, "<Data><pskc:Secret>");
  if (!self->recipient) {
    guint8 value[GST_CENC_KEY_SIZE];

    gst_cenc_key_copy_data (key, value);
    put (self, "<pskc:PlainValue>");
    put_base64 (self, value, sizeof value);
    OPENSSL_cleanse (value, sizeof value);
    put (self, "</pskc:PlainValue>");
  } else if (!put_encrypted (self, key, error)) {
    return FALSE;
  }
  put (self, "</pskc:Secret></Data>");
  return TRUE;
}

static gboolean
put_keys (Writer *self, const CpixDocument *document, GError **error)
{
  guint i;

  if (document->keys->len == 0)
    return TRUE;
  put (self, "<ContentKeyList>\n");
  for (i = 0; i < document->keys->len; i++) {
    const CpixKey *key = g_ptr_array_index (document->keys, i);

    put (self, "<ContentKey");
    put_uuid (self, "kid", key->kid);
    if (key->has_iv) {
      g_autofree gchar *iv = g_base64_encode (key->iv, sizeof key->iv);

      put_attribute (self, "explicitIV", iv);
    }
    put_attribute (self, "commonEncryptionScheme", key->scheme);
    put (self, ">");
    if (!put_value (self, key->key, error))
      return FALSE;
    put (self, "</ContentKey>\n");
  }
  put (self, "</ContentKeyList>\n");
  return TRUE;
}

static void
put_systems (Writer *self, const CpixDocument *document)
{
  guint i;

  if (document->systems->len == 0)
    return;
  put (self, "<DRMSystemList>\n");
  for (i = 0; i < document->systems->len; i++) {
    const CpixSystem *system = g_ptr_array_index (document->systems, i);

    put (self, "<DRMSystem");
    put_uuid (self, "systemId", system->system_id);
    put_uuid (self, "kid", system->kid);
    put (self, ">");
    put_bytes (self, "PSSH", "", system->pssh);
    put_bytes (self, "ContentProtectionData", "", system->content_protection);
    put_bytes (self, "HLSSignalingData", " playlist=\"multiVariant\"",
        system->hls_multivariant);
    put_bytes (self, "HLSSignalingData", " playlist=\"media\"",
        system->hls_media);
    put (self, "</DRMSystem>\n");
  }
  put (self, "</DRMSystemList>\n");
}

static void
put_offset (Writer *self, const gchar *name, gint64 offset)
{
  g_autofree gchar *text = g_strdup_printf ("PT%" G_GINT64_FORMAT ".%09uS",
      offset / 1000000000, (guint) (offset % 1000000000));

  put_attribute (self, name, text);
}

static void
put_clock (Writer *self, const gchar *name, gint64 time)
{
  g_autoptr (GDateTime) whole = g_date_time_new_from_unix_utc (
      time / 1000000000 - (time % 1000000000 < 0));
  g_autofree gchar *date = g_date_time_format (whole, "%Y-%m-%dT%H:%M:%S");
  gint64 rest = time % 1000000000;
  g_autofree gchar *text = g_strdup_printf ("%s.%06uZ", date,
      (guint) ((rest < 0 ? rest + 1000000000 : rest) / 1000));

  put_attribute (self, name, text);
}

static void
put_when (Writer *self, const CpixPeriod *period)
{
  if (period->kind == CPIX_PERIOD_INDEX) {
    put_number (self, "index", period->index, G_MAXUINT64);
  } else if (period->kind == CPIX_PERIOD_OFFSET) {
    put_offset (self, "startOffset", period->start);
    put_offset (self, "endOffset", period->end);
  } else {
    put_clock (self, "start", period->start);
    put_offset (self, "duration", period->end - period->start);
  }
}

static void
put_periods (Writer *self, const CpixDocument *document)
{
  guint i;

  if (document->periods->len == 0)
    return;
  put (self, "<ContentKeyPeriodList>\n");
  for (i = 0; i < document->periods->len; i++) {
    const CpixPeriod *period = g_ptr_array_index (document->periods, i);

    put (self, "<ContentKeyPeriod");
    put_attribute (self, "id", period->id);
    put_when (self, period);
    put (self, "/>\n");
  }
  put (self, "</ContentKeyPeriodList>\n");
}

static const gchar *
flag_text (gint flag)
{
  return flag < 0 ? NULL : flag ? "true" : "false";
}

/* The filters of a rule stand in the order of their types. */
static void
put_filter (Writer *self, const CpixFilter *filter)
{
  static const gchar *names[] = { "KeyPeriodFilter", "LabelFilter",
    "VideoFilter", "AudioFilter", "BitrateFilter" };
  static const gchar *bounds[][2] = { { NULL, NULL }, { NULL, NULL },
    { "minPixels", "maxPixels" }, { "minChannels", "maxChannels" },
    { "minBitrate", "maxBitrate" } };

  put (self, "<");
  put (self, names[filter->type]);
  if (filter->type == CPIX_FILTER_PERIOD)
    put_attribute (self, "periodId", filter->text);
  else if (filter->type == CPIX_FILTER_LABEL)
    put_attribute (self, "label", filter->text);
  else {
    put_number (self, bounds[filter->type][0], filter->range.min, 0);
    put_number (self, bounds[filter->type][1], filter->range.max, G_MAXUINT64);
  }
  if (filter->type == CPIX_FILTER_VIDEO) {
    put_attribute (self, "hdr", flag_text (filter->hdr));
    put_attribute (self, "wcg", flag_text (filter->wcg));
    put_number (self, "minFps", filter->fps.min, 0);
    put_number (self, "maxFps", filter->fps.max, G_MAXUINT64);
  }
  put (self, "/>");
}

static gboolean
put_rule (Writer *self, const CpixRule *rule, GError **error)
{
  CpixFilterType type;
  guint i;

  put (self, "<ContentKeyUsageRule");
  put_uuid (self, "kid", rule->kid);
  put_attribute (self, "intendedTrackType", rule->intended);
  put (self, ">");
  for (type = CPIX_FILTER_PERIOD; type <= CPIX_FILTER_UNKNOWN; type++) {
    for (i = 0; i < rule->filters->len; i++) {
      const CpixFilter *filter = &g_array_index (rule->filters, CpixFilter, i);

      if (filter->type == type && type == CPIX_FILTER_UNKNOWN) {
        g_set_error (error, CPIX_ERROR, CPIX_ERROR_UNSUPPORTED,
            "usage rule %u has a filter that cannot be written", rule->number);
        return FALSE;
      }
      if (filter->type == type)
        put_filter (self, filter);
    }
  }
  put (self, "</ContentKeyUsageRule>\n");
  return TRUE;
}

static gboolean
put_rules (Writer *self, const CpixDocument *document, GError **error)
{
  guint i;

  if (document->rules->len == 0)
    return TRUE;
  put (self, "<ContentKeyUsageRuleList>\n");
  for (i = 0; i < document->rules->len; i++) {
    if (!put_rule (self, g_ptr_array_index (document->rules, i), error))
      return FALSE;
  }
  put (self, "</ContentKeyUsageRuleList>\n");
  return TRUE;
}

static gboolean
write_all (Writer *self, const CpixDocument *document, GError **error)
{
  put (self,
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<CPIX xmlns=\"urn:dashif:org:cpix\" "
      "xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\" "
      "xmlns:enc=\"http://www.w3.org/2001/04/xmlenc#\" "
      "xmlns:pskc=\"urn:ietf:params:xml:ns:keyprov:pskc\"");
  put_attribute (self, "contentId", document->content_id);
  put (self, " version=\"2.4\">\n");
  if (!put_delivery (self, error) || !put_keys (self, document, error))
    return FALSE;
  put_systems (self, document);
  put_periods (self, document);
  if (!put_rules (self, document, error))
    return FALSE;
  put (self, "</CPIX>\n");
  return TRUE;
}

CpixSecret *
cpix_document_write (const CpixDocument *self, const CpixRecipient *recipient,
    GError **error)
{
  Writer writer = { NULL, recipient, NULL, NULL };
  gboolean ok;

  writer.out = cpix_secret_new (4096);
  writer.out->size = 0;
  ok = write_all (&writer, self, error);
  cpix_secret_free (writer.document_key);
  cpix_secret_free (writer.mac_key);
  if (!ok)
    g_clear_pointer (&writer.out, cpix_secret_free);
  return writer.out;
}
