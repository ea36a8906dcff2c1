/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cpix-read.h"

#include <string.h>
#include "cenc/cpix-delivery.h"
#include "cenc/cpix-period.h"
#include "cenc/cpix-xml.h"
#include "gst/cenc/cenc-pssh.h"

typedef struct
{
  CpixXml *xml;
  CpixDelivery *delivery;
  CpixDocument *document;
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

/* Content keys */

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
    value = cpix_delivery_decrypt (self->delivery, secret, encrypted, key->kid,
        error);
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
refuse_name (xmlNode *node, const xmlChar *name, GError **error)
{
  g_set_error (error, CPIX_ERROR, CPIX_ERROR_DOCUMENT,
      "line %ld: <%.64s>: %.64s is not known", xmlGetLineNo (node),
      (const gchar *) node->name, (const gchar *) name);
  return FALSE;
}

/* What is passed over would have told that the rule is for less: @names, separated by
 * spaces. What is of other namespaces is not about the filter. */
static gboolean
check_attributes (xmlNode *node, const gchar *names, GError **error)
{
  g_auto (GStrv) known = g_strsplit (names, " ", -1);
  const xmlNode *child = xmlFirstElementChild (node);
  const xmlAttr *attribute;

  for (attribute = node->properties; attribute; attribute = attribute->next) {
    if (!attribute->ns &&
        !g_strv_contains ((const gchar *const *) known,
            (const gchar *) attribute->name))
      return refuse_name (node, attribute->name, error);
  }
  return !child || refuse_name (node, child->name, error);
}

static gboolean
read_filter (Reader *self, xmlNode *node, CpixRule *rule, GError **error)
{
  static const gchar *names[] = { "KeyPeriodFilter", "LabelFilter",
    "VideoFilter", "AudioFilter", "BitrateFilter" };
  static const gchar *attributes[] = { "periodId", "label",
    "minPixels maxPixels minFps maxFps hdr wcg", "minChannels maxChannels",
    "minBitrate maxBitrate" };
  CpixFilterType type = 0;
  CpixFilter *filter;

  while (type < CPIX_FILTER_UNKNOWN && !cpix_xml_is (node, names[type]))
    type++;
  if (type < CPIX_FILTER_UNKNOWN &&
      !check_attributes (node, attributes[type], error))
    return FALSE;
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
    if (++n > CPIX_MAX_ITEMS)
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
  return cpix_delivery_read (self->delivery,
             cpix_xml_child (root, "DeliveryDataList"), error) &&
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
  g_autoptr (CpixDelivery) delivery = NULL;
  g_autoptr (CpixDocument) document = NULL;
  Reader self = { xml };

  if (!xml)
    return NULL;
  self.delivery = delivery = cpix_delivery_new (xml, recipient, require_mac);
  self.document = document = cpix_document_new ();
  return read_all (&self, error) ? g_steal_pointer (&document) : NULL;
}
