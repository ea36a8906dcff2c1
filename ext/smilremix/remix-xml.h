/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A document of untrusted XML as a tree, read so that it costs little whatever
 * it holds, and each element's line and column.
 */

#pragma once

#include <glib.h>
#include <libxml/tree.h>

G_BEGIN_DECLS

#define REMIX_XML_MAX_SIZE (1u << 20)
#define REMIX_XML_MAX_DEPTH 32
#define REMIX_XML_MAX_ELEMENTS 100000

typedef struct
{
  guint line, column; /* from 1; 0 if not known */
} RemixPlace;

typedef struct _RemixXml RemixXml;

/**
 * remix_xml_parse:
 * @max_clips: how many elements with one of the names in @clip_names there may
 *   be; counted while parsing, so that a flood is refused at once
 * @clip_names: NULL-terminated
 *
 * Nothing is loaded from elsewhere, no entity is replaced, a DOCTYPE is refused.
 *
 * Returns: NULL with REMIX_ERROR_TYPE (this is no XML), REMIX_ERROR_XML or
 *   REMIX_ERROR_LIMIT; the message gives line and column
 */
RemixXml *remix_xml_parse (const gchar *data, gsize size, guint max_clips,
    const gchar *const *clip_names, GError **error);
void remix_xml_free (RemixXml *self);

xmlNode *remix_xml_get_root (RemixXml *self);
/** Where the start tag of @node begins. */
RemixPlace remix_xml_get_place (RemixXml *self, xmlNode *node);

/** The first child element, or the next sibling element; NULL if there is none. */
xmlNode *remix_xml_first (xmlNode *node);
xmlNode *remix_xml_next (xmlNode *node);
gboolean remix_xml_is (xmlNode *node, const gchar *local_name);
/** The attribute without a namespace, NULL if it is not there; (transfer full), g_free(). */
gchar *remix_xml_get (xmlNode *node, const gchar *name);
/** xml:base; (transfer full), g_free(). */
gchar *remix_xml_get_base (xmlNode *node);
/** All text in @node; (transfer full), g_free(). */
gchar *remix_xml_get_text (xmlNode *node);
/** @node as a document of its own, with the namespaces it needs, without an XML declaration; (transfer full). */
GBytes *remix_xml_serialize (xmlNode *node);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (RemixXml, remix_xml_free)

G_END_DECLS
