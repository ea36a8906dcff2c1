/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cpix-delivery.h"

#include <string.h>

#define URI_AES "http://www.w3.org/2001/04/xmlenc#aes256-cbc"
#define URI_OAEP "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"
#define URI_HMAC "http://www.w3.org/2001/04/xmldsig-more#hmac-sha512"

struct _CpixDelivery
{
  CpixXml *xml;
  const CpixRecipient *recipient;
  gboolean require_mac;
  xmlNode *data; /* what is for the recipient; NULL: a clear document */
  CpixSecret *mac_key; /* NULL: without MAC */
  GPtrArray *
      document_keys; /* (element-type CpixSecret), as the DocumentKeys of @data */
};

CpixDelivery *
cpix_delivery_new (CpixXml *xml, const CpixRecipient *recipient,
    gboolean require_mac)
{
  CpixDelivery *self = g_new0 (CpixDelivery, 1);

  self->xml = xml;
  self->recipient = recipient;
  self->require_mac = require_mac;
  self->document_keys =
      g_ptr_array_new_with_free_func ((GDestroyNotify) cpix_secret_free);
  return self;
}

void
cpix_delivery_free (CpixDelivery *self)
{
  g_ptr_array_unref (self->document_keys);
  cpix_secret_free (self->mac_key);
  g_free (self);
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
get_cipher_value (CpixDelivery *self, xmlNode *encrypted)
{
  xmlNode *data = cpix_xml_child_any (encrypted, "CipherData");

  return cpix_xml_decode (self->xml, cpix_xml_child_any (data, "CipherValue"));
}

/* Delivery data */

/* @encrypted: an xenc:EncryptedDataType that RSA-OAEP made */
static CpixSecret *
unwrap (CpixDelivery *self, xmlNode *encrypted, GError **error)
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
read_mac_method (CpixDelivery *self, GError **error)
{
  xmlNode *method = cpix_xml_child (self->data, "MACMethod"), *key;
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
read_document_key (CpixDelivery *self, xmlNode *node, GError **error)
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
read_document_keys (CpixDelivery *self, GError **error)
{
  xmlNode *node = xmlFirstElementChild (self->data);

  for (; node; node = xmlNextElementSibling (node)) {
    if (!cpix_xml_is (node, "DocumentKey"))
      continue;
    if (self->document_keys->len >= CPIX_MAX_ITEMS)
      return cpix_xml_refuse (node, error, "too many");
    if (!read_document_key (self, node, error))
      return FALSE;
  }
  return self->document_keys->len > 0 ||
      cpix_xml_refuse (self->data, error, "without a DocumentKey");
}

static gboolean
is_for_us (CpixDelivery *self, xmlNode *delivery)
{
  xmlNode *data =
      cpix_xml_child_any (cpix_xml_child (delivery, "DeliveryKey"), "X509Data");
  g_autoptr (CpixSecret) certificate =
      cpix_xml_decode (self->xml, cpix_xml_child_any (data, "X509Certificate"));

  return certificate &&
      cpix_recipient_owns (self->recipient, certificate->data,
          certificate->size);
}

gboolean
cpix_delivery_read (CpixDelivery *self, xmlNode *list, GError **error)
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
  self->data = node;
  return read_mac_method (self, error) && read_document_keys (self, error);
}

/* encryptsKey is a list of KIDs; one DocumentKey without it is for all keys. */
static const CpixSecret *
find_document_key (CpixDelivery *self, const guint8 *kid)
{
  xmlNode *node = xmlFirstElementChild (self->data);
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

static gboolean
check_mac (CpixDelivery *self, xmlNode *secret, const CpixSecret *data,
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

CpixSecret *
cpix_delivery_decrypt (CpixDelivery *self, xmlNode *secret, xmlNode *encrypted,
    const guint8 *kid, GError **error)
{
  const CpixSecret *key;
  g_autoptr (CpixSecret) data = NULL;

  if (!self->data) {
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
