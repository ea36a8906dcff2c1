/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cpix-xml.h"

#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <openssl/crypto.h>
#include <string.h>

#define NAMESPACE "urn:dashif:org:cpix"

/* Base64 of 256 bits and a lot of white space. */
#define MAX_SECRET_TEXT 256

struct _CpixXml
{
  xmlDoc *doc;
  GPtrArray *
      secrets; /* (element-type CpixSecret): texts; a node's _private is the index + 1 */

  /* While parsing. */
  guint depth, n_elements;
  CpixSecret *open; /* the text that is being read; one of @secrets */
  gchar *error;
};

/* Copies of the document in the parser hold the keys as well. */
static void
wipe_input (xmlParserCtxt *ctxt)
{
  xmlParserInput *input = ctxt->input;

  if (input && input->base && input->end > input->base)
    OPENSSL_cleanse ((void *) input->base, input->end - input->base);
}

static void
stop (xmlParserCtxt *ctxt, const gchar *why)
{
  CpixXml *self = ctxt->_private;

  if (self->error)
    return;
  self->error = g_strdup_printf ("line %d, column %d: %s",
      xmlSAX2GetLineNumber (ctxt), xmlSAX2GetColumnNumber (ctxt), why);
  wipe_input (ctxt);
  xmlStopParser (ctxt);
}

static void
begin_secret (CpixXml *self, xmlNode *node)
{
  self->open = cpix_secret_new (MAX_SECRET_TEXT);
  self->open->size = 0;
  g_ptr_array_add (self->secrets, self->open);
  node->_private = GUINT_TO_POINTER (self->secrets->len);
}

static void
on_start_element (void *user_data, const xmlChar *name, const xmlChar *prefix,
    const xmlChar *uri, int n_namespaces, const xmlChar **namespaces,
    int n_attributes, int n_defaulted, const xmlChar **attributes)
{
  xmlParserCtxt *ctxt = user_data;
  CpixXml *self = ctxt->_private;

  if (++self->depth > CPIX_XML_MAX_DEPTH)
    stop (ctxt, "nested too deeply");
  if (++self->n_elements > CPIX_XML_MAX_ELEMENTS)
    stop (ctxt, "too many elements");
  if (self->open)
    stop (ctxt, "an element within a key");
  if (self->error)
    return;
  xmlSAX2StartElementNs (user_data, name, prefix, uri, n_namespaces, namespaces,
      n_attributes, n_defaulted, attributes);
  if (ctxt->node && strcmp ((const char *) name, "PlainValue") == 0)
    begin_secret (self, ctxt->node);
}

static void
on_end_element (void *user_data, const xmlChar *name, const xmlChar *prefix,
    const xmlChar *uri)
{
  xmlParserCtxt *ctxt = user_data;
  CpixXml *self = ctxt->_private;

  self->depth--;
  self->open = NULL;
  if (!self->error)
    xmlSAX2EndElementNs (user_data, name, prefix, uri);
}

static void
on_text (void *user_data, const xmlChar *text, int length)
{
  xmlParserCtxt *ctxt = user_data;
  CpixXml *self = ctxt->_private;
  CpixSecret *open = self->open;

  if (self->error)
    return;
  if (!open) {
    xmlSAX2Characters (user_data, text, length);
  } else if ((gsize) length > open->capacity - open->size) {
    stop (ctxt, "a key of too many characters");
  } else {
    memcpy (open->data + open->size, text, length);
    open->size += length;
  }
}

static void
on_doctype (void *user_data, const xmlChar *name, const xmlChar *public_id,
    const xmlChar *system_id)
{
  stop (user_data, "a DOCTYPE is refused");
}

static void
on_end_document (void *user_data)
{
  wipe_input (user_data);
  xmlSAX2EndDocument (user_data);
}

static void
#if LIBXML_VERSION >= 21200
on_error (void *user_data, const xmlError *error)
#else
on_error (void *user_data, xmlError *error)
#endif
{
}

static xmlParserCtxt *
new_context (CpixXml *self)
{
  xmlParserCtxt *ctxt = xmlNewParserCtxt ();

  if (!ctxt)
    return NULL;
  ctxt->_private = self;
  ctxt->sax->startElementNs = on_start_element;
  ctxt->sax->endElementNs = on_end_element;
  ctxt->sax->characters = on_text;
  ctxt->sax->cdataBlock = on_text;
  ctxt->sax->ignorableWhitespace = on_text;
  ctxt->sax->internalSubset = on_doctype;
  ctxt->sax->endDocument = on_end_document;
  ctxt->sax->serror = on_error; /* which could quote a key */
  return ctxt;
}

static int
get_options (void)
{
  int options = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
      XML_PARSE_BIG_LINES;

#if LIBXML_VERSION >= 21300
  options |= XML_PARSE_NO_XXE;
#endif
  return options;
}

/* The encoders know no context: they would write to stderr. The handler is the
 * thread's own. */
static xmlDoc *
read_quietly (xmlParserCtxt *ctxt, const gchar *data, gsize size)
{
  xmlStructuredErrorFunc func = xmlStructuredError;
  void *user_data = xmlStructuredErrorContext;
  xmlDoc *doc;

  xmlSetStructuredErrorFunc (NULL, on_error);
  doc =
      xmlCtxtReadMemory (ctxt, data, (int) size, NULL, "UTF-8", get_options ());
  xmlSetStructuredErrorFunc (user_data, func);
  return doc;
}

static gboolean
run (CpixXml *self, const gchar *data, gsize size)
{
  xmlParserCtxt *ctxt = new_context (self);
  const xmlError *last;

  if (!ctxt)
    return FALSE;
  self->doc = read_quietly (ctxt, data, size);
  last = xmlCtxtGetLastError (ctxt);
  if (!self->doc && !self->error)
    self->error = g_strdup_printf ("line %d, column %d: not well-formed",
        last ? last->line : 1, last ? last->int2 : 1);
  xmlFreeParserCtxt (ctxt);
  return self->doc && !self->error && xmlDocGetRootElement (self->doc);
}

CpixXml *
cpix_xml_parse (const gchar *data, gsize size, GError **error)
{
  g_autoptr (CpixXml) self = g_new0 (CpixXml, 1);
  const gchar *why = NULL;

  self->secrets =
      g_ptr_array_new_with_free_func ((GDestroyNotify) cpix_secret_free);
  if (size > CPIX_XML_MAX_SIZE)
    why = "larger than 1 MiB";
  else if (size == 0 || !g_utf8_validate (data, size, NULL))
    why = "not UTF-8";
  else if (!run (self, data, size))
    why = self->error ? self->error : "no root element";
  if (!why)
    return g_steal_pointer (&self);
  g_set_error (error, CPIX_ERROR, CPIX_ERROR_XML, "%s", why);
  return NULL;
}

void
cpix_xml_free (CpixXml *self)
{
  if (!self)
    return;
  g_clear_pointer (&self->doc, xmlFreeDoc);
  g_ptr_array_unref (self->secrets);
  g_free (self->error);
  g_free (self);
}

xmlNode *
cpix_xml_get_root (CpixXml *self)
{
  return xmlDocGetRootElement (self->doc);
}

gboolean
cpix_xml_is (xmlNode *node, const gchar *name)
{
  return strcmp ((const gchar *) node->name, name) == 0 && node->ns &&
      node->ns->href && strcmp ((const gchar *) node->ns->href, NAMESPACE) == 0;
}

xmlNode *
cpix_xml_child (xmlNode *node, const gchar *name)
{
  xmlNode *child = node ? xmlFirstElementChild (node) : NULL;

  while (child && !cpix_xml_is (child, name))
    child = xmlNextElementSibling (child);
  return child;
}

xmlNode *
cpix_xml_child_any (xmlNode *node, const gchar *name)
{
  xmlNode *child = node ? xmlFirstElementChild (node) : NULL;

  while (child && strcmp ((const gchar *) child->name, name) != 0)
    child = xmlNextElementSibling (child);
  return child;
}

gchar *
cpix_xml_get (xmlNode *node, const gchar *name)
{
  xmlChar *value = xmlGetNoNsProp (node, (const xmlChar *) name);
  gchar *copy = g_strdup ((const gchar *) value);

  if (value)
    xmlFree (value);
  return copy;
}

CpixSecret *
cpix_xml_decode (CpixXml *self, xmlNode *node)
{
  guint index = node ? GPOINTER_TO_UINT (node->_private) : 0;
  const CpixSecret *text;
  CpixSecret *secret;
  xmlChar *content;

  if (!node)
    return NULL;
  if (index > 0) {
    text = g_ptr_array_index (self->secrets, index - 1);
    return cpix_secret_from_base64 ((const gchar *) text->data, text->size);
  }
  content = xmlNodeGetContent (node);
  secret = content ? cpix_secret_from_base64 ((const gchar *) content,
                         strlen ((const gchar *) content))
                   : NULL;
  if (content)
    xmlFree (content);
  return secret;
}

gboolean
cpix_xml_refuse (xmlNode *node, GError **error, const gchar *why)
{
  g_set_error (error, CPIX_ERROR, CPIX_ERROR_DOCUMENT, "line %ld: <%.64s>: %s",
      xmlGetLineNo (node), (const gchar *) node->name, why);
  return FALSE;
}
