/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cpix-read.h"

#include <string.h>
#include "cenc/cpix-period.h"
#include "cenc/cpix-xml.h"
#include "gst/cenc/cenc-pssh.h"

#define URI_AES "http://www.w3.org/2001/04/xmlenc#aes256-cbc"
#define URI_OAEP "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"
#define URI_HMAC "http://www.w3.org/2001/04/xmldsig-more#hmac-sha512"

/* Of a list: a document for a day of hourly keys has some hundreds. */
#define MAX_ITEMS 4096

typedef struct
{
  CpixXml *xml;
  const CpixRecipient *recipient;
  gboolean require_mac;
  CpixDocument *document;
  xmlNode *delivery; /* what is for the recipient; NULL: a clear document */
  CpixSecret *mac_key; /* NULL: without MAC */
  GPtrArray *
      document_keys; /* (element-type CpixSecret), as the DocumentKeys of @delivery */
} Reader;

static gboolean
get_uuid (xmlNode *node, const gchar *name, guint8 *out, GError **error)
{
  g_autofree gchar *text = cpix_xml_get (node, name);

  if (cpix_parse_uuid (text, out))
    return TRUE;
  g_set_error (error, CPIX_ERROR, CPIX_ERROR_DOCUMENT,
      "line %ld: <%.64s>: %s is not a UUID", xmlGetLineNo (node),
      (const gchar *) node->name, name);
  return FALSE;
}

static gboolean
has_algorithm (xmlNode *encrypted, const gchar *uri)
{
  xmlNode *method = cpix_xml_child_any (encrypted, "EncryptionMethod");
  g_autofree gchar *algorithm =
      method ? cpix_xml_get (method, "Algorithm") : NULL;

  return g_strcmp0 (algorithm, uri) == 0;
}

static CpixSecret *
get_cipher_value (Reader *self, xmlNode *encrypted)
{
  xmlNode *data = cpix_xml_child_any (encrypted, "CipherData");

  return cpix_xml_decode (self->xml, cpix_xml_child_any (data, "CipherValue"));
}

/* Delivery data */

/* @encrypted: an xenc:EncryptedDataType that RSA-OAEP made */
static CpixSecret *
unwrap (Reader *self, xmlNode *encrypted, GError **error)
{
  g_autoptr (CpixSecret) data = NULL;

  if (!has_algorithm (encrypted, URI_OAEP)) {
    cpix_xml_refuse (encrypted, error,
        "not encrypted with rsa-oaep-mgf1p for the recipient");
    return NULL;
  }
  data = get_cipher_value (self, encrypted);
  if (!data) {
    cpix_xml_refuse (encrypted, error, "no CipherValue in base64");
    return NULL;
  }
  return cpix_unwrap (self->recipient, data->data, data->size, error);
}

static gboolean
read_mac_method (Reader *self, GError **error)
{
  xmlNode *method = cpix_xml_child (self->delivery, "MACMethod"), *key;
  g_autofree gchar *algorithm = NULL;

  if (!method)
    return TRUE;
  algorithm = cpix_xml_get (method, "Algorithm");
  if (g_strcmp0 (algorithm, URI_HMAC) != 0)
    return cpix_xml_refuse (method, error, "not hmac-sha512");
  /* PSKC names it MACKey; documents with Key are about. */
  key = cpix_xml_child_any (method, "MACKey");
  if (!key)
    key = cpix_xml_child_any (method, "Key");
  if (!key)
    return cpix_xml_refuse (method, error, "without a MACKey");
  self->mac_key = unwrap (self, key, error);
  return self->mac_key != NULL;
}

static gboolean
read_document_key (Reader *self, xmlNode *node, GError **error)
{
  xmlNode *secret =
      cpix_xml_child_any (cpix_xml_child_any (node, "Data"), "Secret");
  xmlNode *encrypted = cpix_xml_child_any (secret, "EncryptedValue");
  CpixSecret *key;

  if (!encrypted)
    return cpix_xml_refuse (node, error, "not encrypted for the recipient");
  key = unwrap (self, encrypted, error);
  if (!key)
    return FALSE;
  g_ptr_array_add (self->document_keys, key);
  return key->size == CPIX_DOCUMENT_KEY_SIZE ||
      cpix_xml_refuse (node, error, "a document key has 256 bits");
}

static gboolean
read_document_keys (Reader *self, GError **error)
{
  xmlNode *node = xmlFirstElementChild (self->delivery);

  for (; node; node = xmlNextElementSibling (node)) {
    if (!cpix_xml_is (node, "DocumentKey"))
      continue;
    if (self->document_keys->len >= MAX_ITEMS)
      return cpix_xml_refuse (node, error, "too many");
    if (!read_document_key (self, node, error))
      return FALSE;
  }
  return self->document_keys->len > 0 ||
      cpix_xml_refuse (self->delivery, error, "without a DocumentKey");
}

static gboolean
is_for_us (Reader *self, xmlNode *delivery)
{
  xmlNode *data =
      cpix_xml_child_any (cpix_xml_child (delivery, "DeliveryKey"), "X509Data");
  g_autoptr (CpixSecret) certificate =
      cpix_xml_decode (self->xml, cpix_xml_child_any (data, "X509Certificate"));

  return certificate &&
      cpix_recipient_owns (self->recipient, certificate->data,
          certificate->size);
}

static gboolean
read_delivery (Reader *self, xmlNode *list, GError **error)
{
  xmlNode *node = list ? xmlFirstElementChild (list) : NULL;
  gboolean found = FALSE;

  if (!node)
    return TRUE;
  if (!self->recipient) {
    g_set_error_literal (error, CPIX_ERROR, CPIX_ERROR_RECIPIENT,
        "the document is encrypted and no private key was given");
    return FALSE;
  }
  for (; node && !found; node = found ? node : xmlNextElementSibling (node))
    found = cpix_xml_is (node, "DeliveryData") && is_for_us (self, node);
  if (!found) {
    g_set_error_literal (error, CPIX_ERROR, CPIX_ERROR_RECIPIENT,
        "the document is encrypted, and not for the private key given");
    return FALSE;
  }
  self->delivery = node;
  return read_mac_method (self, error) && read_document_keys (self, error);
}

/* encryptsKey is a list of KIDs; one DocumentKey without it is for all keys. */
static const CpixSecret *
find_document_key (Reader *self, const guint8 *kid)
{
  xmlNode *node = xmlFirstElementChild (self->delivery);
  guint i, n = 0;

  for (; node; node = xmlNextElementSibling (node)) {
    g_autofree gchar *text = NULL;
    g_auto (GStrv) kids = NULL;

    if (!cpix_xml_is (node, "DocumentKey"))
      continue;
    n++;
    text = cpix_xml_get (node, "encryptsKey");
    if (!text && self->document_keys->len == 1)
      return g_ptr_array_index (self->document_keys, 0);
    kids = g_strsplit_set (text ? text : "", " \t\r\n", -1);
    for (i = 0; kids[i]; i++) {
      guint8 other[CENC_BLOCK_SIZE];

      if (cpix_parse_uuid (kids[i], other) &&
          memcmp (other, kid, sizeof other) == 0)
        return g_ptr_array_index (self->document_keys, n - 1);
    }
  }
  return NULL;
}

/* Content keys */

static gboolean
check_mac (Reader *self, xmlNode *secret, const CpixSecret *data,
    GError **error)
{
  g_autoptr (CpixSecret) mac =
      cpix_xml_decode (self->xml, cpix_xml_child_any (secret, "ValueMAC"));
  guint8 own[CPIX_MAC_SIZE];

  if (!self->mac_key && !self->require_mac)
    return TRUE;
  if (self->mac_key && mac && mac->size == CPIX_MAC_SIZE &&
      cpix_mac (self->mac_key, data->data, data->size, own) &&
      cpix_mac_equal (mac->data, own))
    return TRUE;
  g_set_error (error, CPIX_ERROR, CPIX_ERROR_RECIPIENT,
      "line %ld: the MAC of a content key %s", xmlGetLineNo (secret),
      !self->mac_key ? "cannot be checked: there is no MACMethod"
          : mac      ? "is wrong: it was changed, or its MAC key is another"
                     : "is missing");
  return FALSE;
}

static CpixSecret *
read_encrypted (Reader *self, xmlNode *secret, xmlNode *encrypted,
    const guint8 *kid, GError **error)
{
  const CpixSecret *key;
  g_autoptr (CpixSecret) data = NULL;

  if (!self->delivery) {
    cpix_xml_refuse (encrypted, error, "encrypted, in a document for nobody");
    return NULL;
  }
  key = find_document_key (self, kid);
  if (!key) {
    g_autofree gchar *name = cpix_format_kid (kid);

    g_set_error (error, CPIX_ERROR, CPIX_ERROR_RECIPIENT,
        "%s: the recipient has no document key for it", name);
    return NULL;
  }
  if (!has_algorithm (encrypted, URI_AES)) {
    cpix_xml_refuse (encrypted, error, "not encrypted with aes256-cbc");
    return NULL;
  }
  data = get_cipher_value (self, encrypted);
  if (!data) {
    cpix_xml_refuse (encrypted, error, "no CipherValue in base64");
    return NULL;
  }
  return check_mac (self, secret, data, error)
      ? cpix_decrypt (key, data->data, data->size, error)
      : NULL;
}

static gboolean
read_value (Reader *self, xmlNode *node, CpixKey *key, GError **error)
{
  xmlNode *secret =
      cpix_xml_child_any (cpix_xml_child_any (node, "Data"), "Secret");
  xmlNode *encrypted = cpix_xml_child_any (secret, "EncryptedValue");
  xmlNode *plain = cpix_xml_child_any (secret, "PlainValue");
  g_autoptr (CpixSecret) value = NULL;

  if (!secret)
    return TRUE;
  if (encrypted) {
    value = read_encrypted (self, secret, encrypted, key->kid, error);
    if (!value)
      return FALSE;
  } else {
    value = cpix_xml_decode (self->xml, plain);
    if (!value)
      return cpix_xml_refuse (secret, error,
          "no PlainValue in base64 and no EncryptedValue");
  }
  if (value->size != GST_CENC_KEY_SIZE)
    return cpix_xml_refuse (secret, error, "a content key has 128 bits here");
  key->key = gst_cenc_key_new (key->kid, value->data);
  return TRUE;
}

static gboolean
read_iv (Reader *self, xmlNode *node, CpixKey *key, GError **error)
{
  g_autofree gchar *text = cpix_xml_get (node, "explicitIV");
  g_autoptr (CpixSecret) iv = NULL;

  if (!text)
    return TRUE;
  iv = cpix_secret_from_base64 (text, strlen (text));
  if (!iv || iv->size != sizeof key->iv)
    return cpix_xml_refuse (node, error,
        "explicitIV is not 128 bits of base64");
  memcpy (key->iv, iv->data, sizeof key->iv);
  key->has_iv = TRUE;
  return TRUE;
}

static gboolean
read_key (Reader *self, xmlNode *node, GError **error)
{
  guint8 kid[CENC_BLOCK_SIZE];
  g_autofree gchar *depends = cpix_xml_get (node, "dependsOnKey");
  CpixKey *key;

  if (!get_uuid (node, "kid", kid, error))
    return FALSE;
  if (cpix_document_find_key (self->document, kid))
    return cpix_xml_refuse (node, error, "a second one for its KID");
  key = cpix_document_add_key (self->document, kid);
  key->scheme = cpix_xml_get (node, "commonEncryptionScheme");
  key->depends = depends != NULL;
  return read_iv (self, node, key, error) &&
      read_value (self, node, key, error);
}

/* DRM systems */

static gboolean
read_bytes (Reader *self, xmlNode *node, GBytes **out, GError **error)
{
  g_autoptr (CpixSecret) value = NULL;

  if (!node)
    return TRUE;
  value = cpix_xml_decode (self->xml, node);
  if (!value)
    return cpix_xml_refuse (node, error, "not base64");
  if (*out)
    return cpix_xml_refuse (node, error, "stands there twice");
  *out = g_bytes_new (value->data, value->size);
  return TRUE;
}

static gboolean
check_pssh (xmlNode *node, const CpixSystem *system, GError **error)
{
  g_autoptr (BmffBox) box = NULL;
  g_autoptr (CencPssh) pssh = NULL;
  BmffHeader header;
  gsize size;
  const guint8 *data;

  if (!system->pssh)
    return TRUE;
  data = g_bytes_get_data (system->pssh, &size);
  if (bmff_header_parse (&header, data, size) == BMFF_HEADER_OK &&
      header.type == BMFF_FOURCC ('p', 's', 's', 'h') && header.size == size)
    box = bmff_box_parse (system->pssh, 0, NULL);
  if (box)
    pssh = cenc_pssh_parse (box, NULL);
  if (!pssh)
    return cpix_xml_refuse (node, error, "its PSSH is not one whole pssh box");
  return memcmp (pssh->system_id, system->system_id, 16) == 0 ||
      cpix_xml_refuse (node, error, "its PSSH is that of another system");
}

static gboolean
read_hls (Reader *self, xmlNode *node, CpixSystem *system, GError **error)
{
  g_autofree gchar *playlist = cpix_xml_get (node, "playlist");

  return read_bytes (self, node,
      g_strcmp0 (playlist, "multiVariant") == 0 ||
              g_strcmp0 (playlist, "master") == 0
          ? &system->hls_multivariant
          : &system->hls_media,
      error);
}

static gboolean
read_system (Reader *self, xmlNode *node, GError **error)
{
  guint8 kid[CENC_BLOCK_SIZE], system_id[16];
  CpixSystem *system;
  xmlNode *child;

  if (!get_uuid (node, "kid", kid, error) ||
      !get_uuid (node, "systemId", system_id, error))
    return FALSE;
  if (!cpix_document_find_key (self->document, kid))
    return cpix_xml_refuse (node, error, "no ContentKey has its KID");
  system = cpix_document_add_system (self->document, system_id, kid);
  if (!read_bytes (self, cpix_xml_child (node, "PSSH"), &system->pssh, error) ||
      !read_bytes (self, cpix_xml_child (node, "ContentProtectionData"),
          &system->content_protection, error))
    return FALSE;
  for (child = xmlFirstElementChild (node); child;
       child = xmlNextElementSibling (child)) {
    if (cpix_xml_is (child, "HLSSignalingData") &&
        !read_hls (self, child, system, error))
      return FALSE;
  }
  return check_pssh (node, system, error);
}

/* Periods and rules */

static gboolean
read_period (Reader *self, xmlNode *node, GError **error)
{
  return cpix_period_read (cpix_document_add_period (self->document), node,
      error);
}

static gboolean
has_period (const CpixDocument *document, const gchar *id)
{
  guint i;

  for (i = 0; i < document->periods->len; i++) {
    const CpixPeriod *period = g_ptr_array_index (document->periods, i);

    if (id && g_strcmp0 (period->id, id) == 0)
      return TRUE;
  }
  return FALSE;
}

static gboolean
get_bound (xmlNode *node, const gchar *name, guint64 *bound, GError **error)
{
  g_autofree gchar *text = cpix_xml_get (node, name);
  guint64 value;

  if (!text)
    return TRUE;
  if (!g_ascii_string_to_unsigned (g_strstrip (text), 10, 0, G_MAXINT64, &value,
          NULL)) {
    g_set_error (error, CPIX_ERROR, CPIX_ERROR_DOCUMENT,
        "line %ld: <%.64s>: %s is not a number", xmlGetLineNo (node),
        (const gchar *) node->name, name);
    return FALSE;
  }
  *bound = value;
  return TRUE;
}

static gboolean
get_flag (xmlNode *node, const gchar *name, gint *flag, GError **error)
{
  g_autofree gchar *text = cpix_xml_get (node, name);

  if (!text)
    return TRUE;
  g_strstrip (text);
  if (g_str_equal (text, "true") || g_str_equal (text, "1"))
    *flag = 1;
  else if (g_str_equal (text, "false") || g_str_equal (text, "0"))
    *flag = 0;
  else
    return cpix_xml_refuse (node, error, "hdr and wcg are true or false");
  return TRUE;
}

static gboolean
read_video_filter (xmlNode *node, CpixFilter *filter, GError **error)
{
  return get_bound (node, "minPixels", &filter->range.min, error) &&
      get_bound (node, "maxPixels", &filter->range.max, error) &&
      get_bound (node, "minFps", &filter->fps.min, error) &&
      get_bound (node, "maxFps", &filter->fps.max, error) &&
      get_flag (node, "hdr", &filter->hdr, error) &&
      get_flag (node, "wcg", &filter->wcg, error);
}

static gboolean
read_named_filter (Reader *self, xmlNode *node, CpixFilter *filter,
    GError **error)
{
  gboolean period = filter->type == CPIX_FILTER_PERIOD;

  filter->text = cpix_xml_get (node, period ? "periodId" : "label");
  if (!filter->text)
    return cpix_xml_refuse (node, error, "names nothing");
  return !period || has_period (self->document, filter->text) ||
      cpix_xml_refuse (node, error, "no ContentKeyPeriod has that id");
}

static gboolean
read_filter (Reader *self, xmlNode *node, CpixRule *rule, GError **error)
{
  static const gchar *names[] = { "KeyPeriodFilter", "LabelFilter",
    "VideoFilter", "AudioFilter", "BitrateFilter" };
  CpixFilterType type = 0;
  CpixFilter *filter;

  while (type < CPIX_FILTER_UNKNOWN && !cpix_xml_is (node, names[type]))
    type++;
  filter = cpix_rule_add_filter (rule, type);
  switch (type) {
    case CPIX_FILTER_PERIOD:
    case CPIX_FILTER_LABEL:
      return read_named_filter (self, node, filter, error);
    case CPIX_FILTER_VIDEO:
      return read_video_filter (node, filter, error);
    case CPIX_FILTER_AUDIO:
      return get_bound (node, "minChannels", &filter->range.min, error) &&
          get_bound (node, "maxChannels", &filter->range.max, error);
    case CPIX_FILTER_BITRATE:
      return get_bound (node, "minBitrate", &filter->range.min, error) &&
          get_bound (node, "maxBitrate", &filter->range.max, error);
    default:
      filter->text = g_strdup ((const gchar *) node->name);
      return TRUE;
  }
}

static gboolean
read_rule (Reader *self, xmlNode *node, GError **error)
{
  guint8 kid[CENC_BLOCK_SIZE];
  CpixRule *rule;
  xmlNode *child;

  if (!get_uuid (node, "kid", kid, error))
    return FALSE;
  if (!cpix_document_find_key (self->document, kid))
    return cpix_xml_refuse (node, error, "no ContentKey has its KID");
  rule = cpix_document_add_rule (self->document, kid);
  rule->intended = cpix_xml_get (node, "intendedTrackType");
  for (child = xmlFirstElementChild (node); child;
       child = xmlNextElementSibling (child)) {
    if (!read_filter (self, child, rule, error))
      return FALSE;
  }
  return TRUE;
}

/* The document */

typedef gboolean (*ReadItem) (Reader *self, xmlNode *node, GError **error);

static gboolean
read_list (Reader *self, xmlNode *root, const gchar *list_name,
    const gchar *item_name, ReadItem read_item, GError **error)
{
  xmlNode *list = cpix_xml_child (root, list_name);
  xmlNode *node = list ? xmlFirstElementChild (list) : NULL;
  guint n = 0;

  for (; node; node = xmlNextElementSibling (node)) {
    if (!cpix_xml_is (node, item_name))
      return cpix_xml_refuse (node, error, "does not belong there");
    if (++n > MAX_ITEMS)
      return cpix_xml_refuse (node, error, "more than 4096");
    if (!read_item (self, node, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
check_root (xmlNode *root, GError **error)
{
  g_autofree gchar *version = NULL;

  if (!cpix_xml_is (root, "CPIX"))
    return cpix_xml_refuse (root, error,
        "not CPIX of the namespace urn:dashif:org:cpix");
  version = cpix_xml_get (root, "version");
  if (version && version[0] && strcmp (version, "2") != 0 &&
      !g_str_has_prefix (version, "2."))
    return cpix_xml_refuse (root, error, "not version 2");
  if (!cpix_xml_child_any (root, "Signature"))
    return TRUE;
  g_set_error_literal (error, CPIX_ERROR, CPIX_ERROR_UNSUPPORTED,
      "the document is signed: signatures cannot be verified here, and are not "
      "passed over");
  return FALSE;
}

static gboolean
read_all (Reader *self, GError **error)
{
  xmlNode *root = cpix_xml_get_root (self->xml);

  if (!check_root (root, error))
    return FALSE;
  self->document->content_id = cpix_xml_get (root, "contentId");
  return read_delivery (self, cpix_xml_child (root, "DeliveryDataList"),
             error) &&
      read_list (self, root, "ContentKeyList", "ContentKey", read_key, error) &&
      read_list (self, root, "DRMSystemList", "DRMSystem", read_system,
          error) &&
      read_list (self, root, "ContentKeyPeriodList", "ContentKeyPeriod",
          read_period, error) &&
      read_list (self, root, "ContentKeyUsageRuleList", "ContentKeyUsageRule",
          read_rule, error);
}

CpixDocument *
cpix_document_read (const gchar *data, gsize size,
    const CpixRecipient *recipient, gboolean require_mac, GError **error)
{
  g_autoptr (CpixXml) xml = cpix_xml_parse (data, size, error);
  g_autoptr (CpixDocument) document = NULL;
  Reader self = { xml, recipient, require_mac, NULL, NULL, NULL, NULL };
  gboolean ok;

  if (!xml)
    return NULL;
  self.document = document = cpix_document_new ();
  self.document_keys =
      g_ptr_array_new_with_free_func ((GDestroyNotify) cpix_secret_free);
  ok = read_all (&self, error);
  g_ptr_array_unref (self.document_keys);
  cpix_secret_free (self.mac_key);
  return ok ? g_steal_pointer (&document) : NULL;
}
