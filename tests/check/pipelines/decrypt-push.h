/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files that a test pushes, and their boxes. */

#pragma once

#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>

/* (transfer full): the file at @path */
GByteArray *read_file (const gchar *path);
/* @data in buffers of 64 KiB, until one is not taken. */
GstFlowReturn push_all (GstHarness *h, const GByteArray *data);
/* (transfer full): what has come out */
GByteArray *pull_all (GstHarness *h);

/* Offset of the first box of that type on the file level. */
guint find_box (const GByteArray *data, const gchar *type);
/* Where the first box that starts behind @offset does. */
guint next_box (const GByteArray *file, guint offset);

/* Adds @delta to the chunk offsets of @moov that are not below @from. */
void move_chunks (guint8 *moov, guint size, guint from, gint delta);
/* (transfer full): the progressive file at @path as ftyp mdat moov, with @padding
 * bytes of media data that no track has. */
GByteArray *moov_last (const gchar *path, guint padding);
