/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Untrusted XML that has secrets in it, as a tree: nothing is loaded from
 * elsewhere, a DOCTYPE is refused, size, depth and number of elements have
 * limits, and the text of the elements that hold keys never gets into the tree.
 */

#pragma once

#include <libxml/tree.h>
#include "cenc/cpix-crypto.h"

G_BEGIN_DECLS

#define CPIX_XML_MAX_SIZE (1u << 20)
#define CPIX_XML_MAX_DEPTH 32
#define CPIX_XML_MAX_ELEMENTS 20000

typedef struct _CpixXml CpixXml;

/**
 * cpix_xml_parse:
 * @data: UTF-8; it holds the keys as text: the caller wipes it
 *
 * Returns: NULL with CPIX_ERROR_XML, whose message names line and column and
 *   quotes nothing
 */
CpixXml *cpix_xml_parse (const gchar *data, gsize size, GError **error);
void cpix_xml_free (CpixXml *self);
xmlNode *cpix_xml_get_root (CpixXml *self);

/** An element of CPIX's namespace with that name. */
gboolean cpix_xml_is (xmlNode *node, const gchar *name);
/** The first child of CPIX's namespace with that name, NULL if there is none. */
xmlNode *cpix_xml_child (xmlNode *node, const gchar *name);
/** Likewise, whatever its namespace: in PSKC, XML Encryption and XML Signature names are unambiguous. */
xmlNode *cpix_xml_child_any (xmlNode *node, const gchar *name);
/** (transfer full) (nullable) */
gchar *cpix_xml_get (xmlNode *node, const gchar *name);
/** Text as base64, decoded; NULL: none, or no such thing. Works for a PlainValue too. */
CpixSecret *cpix_xml_decode (CpixXml *self, xmlNode *node);
/** Sets CPIX_ERROR_DOCUMENT "line 12: <Name>: why"; FALSE. */
gboolean cpix_xml_refuse (xmlNode *node, GError **error, const gchar *why);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CpixXml, cpix_xml_free)

G_END_DECLS
