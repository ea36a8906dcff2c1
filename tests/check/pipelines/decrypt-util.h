/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The vectors' manifest, and pipelines that run to their end. */

#pragma once

#include <gst/check/gstcheck.h>

typedef struct
{
  gchar *file, *path, *scheme, *codec, *keys, *sha256;
  gboolean fragmented;
} Vector;

/* (element-type Vector); NULL, and a line that says so, where there are none */
GPtrArray *vectors_load (void);

/* (transfer none) (nullable): the one of that file; NULL if @vectors is, else the
 * test fails where there is none */
const Vector *vectors_find (GPtrArray *vectors, const gchar *file);

/* (transfer full): path of the file in the vectors' folder of clear ones */
gchar *vectors_clear (GPtrArray *vectors, const gchar *file);

/* (transfer full): path of a new, empty file; @tmpl as of g_file_open_tmp() */
gchar *temporary_file (const gchar *tmpl);

/* Runs @pipeline (transfer full) to EOS, or to the error that is given. */
void pipeline_run (GstElement *pipeline, GError **error);

/* (transfer full): what comes to the pad of element "sink" (a fakesink) of @launch,
 * where each %s was replaced already; NULL with the error of the pipeline */
GByteArray *pipeline_collect (const gchar *launch, GError **error);

/* SHA-256 over the payloads of all mdat boxes. */
gchar *mdat_digest (const guint8 *data, gsize size);

gchar *keys_property (const Vector *vector);

/* Under the leaks tracer: TRUE of a file of which stock qtdemux (1.22) leaks
 * something, be it encrypted or clear: what it reads of the ftyp where a styp
 * follows, and the caps of Opus. */
gboolean vector_leaks_in_qtdemux (const Vector *vector);
