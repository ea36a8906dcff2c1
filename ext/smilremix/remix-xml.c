/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "remix-xml.h"

#include <string.h>

#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>

#include "remix-error.h"

struct _RemixXml
{
  xmlDoc *doc;
  GArray *places; /* RemixPlace; a node's _private is its index + 1 */

  /* While parsing. */
  guint depth, n_clips, max_clips;
  const gchar *const *clip_names;
  GError *error;
};

/* Stops at once: whatever comes behind is not even looked at. */
static void G_GNUC_PRINTF (3, 4)
    stop (xmlParserCtxt *ctxt, RemixError code, const gchar *format, ...)
{
  RemixXml *self = ctxt->_private;
  g_autofree gchar *text = NULL;
  va_list args;

  if (self->error)
    return;
  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  self->error = g_error_new (REMIX_ERROR, (gint) code, "line %d, column %d: %s",
      xmlSAX2GetLineNumber (ctxt), xmlSAX2GetColumnNumber (ctxt), text);
  xmlStopParser (ctxt);
}

/* Further back than this a column is not counted by hand: on a line of a
 * megabyte that would cost the square of it. */
#define MAX_COLUMN_SCAN 1024

/* The parser has read the start tag up to its `>`. No `<` can stand in a tag, so
 * the one before is where it began. The buffer may have been cut in front of
 * it: then the parser's own place serves. */
static RemixPlace
find_place (xmlParserCtxt *ctxt)
{
  RemixPlace place = { (guint) xmlSAX2GetLineNumber (ctxt),
    (guint) xmlSAX2GetColumnNumber (ctxt) };
  const xmlChar *base = ctxt->input->base, *p = ctxt->input->cur, *tag;
  guint lines = 0, column = 1;

  while (p > base && *p != '<') {
    p--;
    if (*p == '\n')
      lines++;
  }
  if (*p != '<')
    return place;
  tag = p;
  while (p > base && p[-1] != '\n' && tag - p < MAX_COLUMN_SCAN) {
    p--;
    if ((*p & 0xc0) != 0x80) /* a character, not a byte */
      column++;
  }
  if ((p > base ? p[-1] == '\n' : ctxt->input->consumed == 0))
    place.column = column;
  else if (lines == 0)
    place.column -= MIN (place.column - 1, (guint) (ctxt->input->cur - tag));
  place.line -= MIN (lines, place.line - 1);
  return place;
}

static void
count_clip (xmlParserCtxt *ctxt, RemixXml *self, const gchar *name)
{
  if (g_strv_contains (self->clip_names, name) &&
      ++self->n_clips > self->max_clips)
    stop (ctxt, REMIX_ERROR_LIMIT, "more than %u clips", self->max_clips);
}

static void
on_start_element (void *user_data, const xmlChar *name, const xmlChar *prefix,
    const xmlChar *uri, int n_namespaces, const xmlChar **namespaces,
    int n_attributes, int n_defaulted, const xmlChar **attributes)
{
  xmlParserCtxt *ctxt = user_data;
  RemixXml *self = ctxt->_private;
  RemixPlace place = find_place (ctxt);

  if (++self->depth > REMIX_XML_MAX_DEPTH)
    stop (ctxt, REMIX_ERROR_LIMIT, "nested deeper than %d",
        REMIX_XML_MAX_DEPTH);
  if (self->places->len >= REMIX_XML_MAX_ELEMENTS)
    stop (ctxt, REMIX_ERROR_LIMIT, "more than %d elements",
        REMIX_XML_MAX_ELEMENTS);
  count_clip (ctxt, self, (const gchar *) name);
  if (self->error)
    return;
  xmlSAX2StartElementNs (user_data, name, prefix, uri, n_namespaces, namespaces,
      n_attributes, n_defaulted, attributes);
  if (ctxt->node) {
    g_array_append_val (self->places, place);
    ctxt->node->_private = GUINT_TO_POINTER (self->places->len);
  }
}

static void
on_end_element (void *user_data, const xmlChar *name, const xmlChar *prefix,
    const xmlChar *uri)
{
  xmlParserCtxt *ctxt = user_data;
  RemixXml *self = ctxt->_private;

  self->depth--;
  xmlSAX2EndElementNs (user_data, name, prefix, uri);
}

static void
on_doctype (void *user_data, const xmlChar *name, const xmlChar *public_id,
    const xmlChar *system_id)
{
  stop (user_data, REMIX_ERROR_XML, "a DOCTYPE is refused");
}

/* Blanks, a byte order mark or a NUL of UTF-16, then `<`. */
static gboolean
looks_like_xml (const gchar *data, gsize size)
{
  gsize i;

  for (i = 0; i < size && i < 256; i++) {
    if (data[i] == '<')
      return TRUE;
    if (!g_ascii_isspace (data[i]) && data[i] != '\0' &&
        !(i < 3 && (guint8) data[i] >= 0xbb))
      return FALSE;
  }
  return FALSE;
}

static void
set_parser_error (xmlParserCtxt *ctxt, GError **error)
{
  const xmlError *last = xmlCtxtGetLastError (ctxt);
  g_autofree gchar *text =
      g_strdup (last && last->message ? last->message : "not well-formed");

  g_set_error (error, REMIX_ERROR, REMIX_ERROR_XML, "line %d, column %d: %s",
      last ? last->line : 1, last ? MAX (last->int2, 1) : 1, g_strchomp (text));
}

static xmlParserCtxt *
new_context (RemixXml *self)
{
  xmlParserCtxt *ctxt = xmlNewParserCtxt ();

  ctxt->_private = self;
  ctxt->sax->startElementNs = on_start_element;
  ctxt->sax->endElementNs = on_end_element;
  ctxt->sax->internalSubset = on_doctype;
  return ctxt;
}

static int
get_options (void)
{
  int options = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
      XML_PARSE_NOCDATA | XML_PARSE_BIG_LINES;

#if LIBXML_VERSION >= 21300
  options |= XML_PARSE_NO_XXE;
#endif
  return options;
}

static void
#if LIBXML_VERSION >= 21200
on_structured_error (void *user_data, const xmlError *error)
#else
on_structured_error (void *user_data, xmlError *error)
#endif
{
}

/* The encoders know no context: they would write to stderr, whatever the options
 * say. The handler is the thread's own. */
static xmlDoc *
read_quietly (xmlParserCtxt *ctxt, const gchar *data, gsize size)
{
  xmlStructuredErrorFunc func = xmlStructuredError;
  void *user_data = xmlStructuredErrorContext;
  xmlDoc *doc;

  xmlSetStructuredErrorFunc (NULL, on_structured_error);
  doc = xmlCtxtReadMemory (ctxt, data, (int) size, NULL, NULL, get_options ());
  xmlSetStructuredErrorFunc (user_data, func);
  return doc;
}

static gboolean
run (RemixXml *self, const gchar *data, gsize size, GError **error)
{
  xmlParserCtxt *ctxt = new_context (self);

  self->doc = read_quietly (ctxt, data, size);
  if (self->error)
    g_propagate_error (error, g_steal_pointer (&self->error));
  else if (!self->doc)
    set_parser_error (ctxt, error);
  else {
    xmlFreeParserCtxt (ctxt);
    return TRUE;
  }
  xmlFreeParserCtxt (ctxt);
  return FALSE;
}

RemixXml *
remix_xml_parse (const gchar *data, gsize size, guint max_clips,
    const gchar *const *clip_names, GError **error)
{
  g_autoptr (RemixXml) self = g_new0 (RemixXml, 1);

  if (!looks_like_xml (data, size)) {
    g_set_error (error, REMIX_ERROR, REMIX_ERROR_TYPE,
        "line 1, column 1: this is no XML");
    return NULL;
  }
  if (size > REMIX_XML_MAX_SIZE) {
    g_set_error (error, REMIX_ERROR, REMIX_ERROR_LIMIT,
        "a playlist of %" G_GSIZE_FORMAT " bytes; the limit is %u", size,
        REMIX_XML_MAX_SIZE);
    return NULL;
  }
  self->max_clips = max_clips;
  self->clip_names = clip_names;
  self->places = g_array_new (FALSE, FALSE, sizeof (RemixPlace));
  if (!run (self, data, size, error))
    return NULL;
  return g_steal_pointer (&self);
}

void
remix_xml_free (RemixXml *self)
{
  if (!self)
    return;
  g_clear_pointer (&self->doc, xmlFreeDoc);
  g_clear_pointer (&self->places, g_array_unref);
  g_clear_error (&self->error);
  g_free (self);
}

xmlNode *
remix_xml_get_root (RemixXml *self)
{
  return xmlDocGetRootElement (self->doc);
}

RemixPlace
remix_xml_get_place (RemixXml *self, xmlNode *node)
{
  guint index = GPOINTER_TO_UINT (node->_private);
  RemixPlace none = { 0, 0 };

  if (index == 0 || index > self->places->len)
    return none;
  return g_array_index (self->places, RemixPlace, index - 1);
}

xmlNode *
remix_xml_first (xmlNode *node)
{
  return xmlFirstElementChild (node);
}

xmlNode *
remix_xml_next (xmlNode *node)
{
  return xmlNextElementSibling (node);
}

gboolean
remix_xml_is (xmlNode *node, const gchar *local_name)
{
  return strcmp ((const gchar *) node->name, local_name) == 0;
}

/* libxml2's strings are freed by its own function, ours by g_free(). */
static gchar *
take_string (xmlChar *string)
{
  gchar *copy = g_strdup ((const gchar *) string);

  if (string)
    xmlFree (string);
  return copy;
}

gchar *
remix_xml_get (xmlNode *node, const gchar *name)
{
  return take_string (xmlGetNoNsProp (node, (const xmlChar *) name));
}

gchar *
remix_xml_get_base (xmlNode *node)
{
  return take_string (
      xmlGetNsProp (node, (const xmlChar *) "base", XML_XML_NAMESPACE));
}

gchar *
remix_xml_get_text (xmlNode *node)
{
  return take_string (xmlNodeGetContent (node));
}

GBytes *
remix_xml_serialize (xmlNode *node)
{
  xmlDoc *doc = xmlNewDoc ((const xmlChar *) "1.0");
  xmlNode *copy = xmlDocCopyNode (node, doc, 1);
  xmlBuffer *buffer = xmlBufferCreate ();
  GBytes *bytes;

  xmlDocSetRootElement (doc, copy);
  xmlReconciliateNs (doc, copy);
  xmlNodeDump (buffer, doc, copy, 0, 0);
  bytes =
      g_bytes_new (xmlBufferContent (buffer), (gsize) xmlBufferLength (buffer));
  xmlBufferFree (buffer);
  xmlFreeDoc (doc);
  return bytes;
}
