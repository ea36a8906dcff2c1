/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which of a CPIX document's keys is for a track (CPIX 2.4, "Usage Rules
 * Filters"). A pure function.
 */

#pragma once

#include "cenc/cpix-document.h"

G_BEGIN_DECLS

typedef enum
{
  CPIX_TRACK_VIDEO,
  CPIX_TRACK_AUDIO,
} CpixTrackKind;

/** What is known of a track. */
typedef struct
{
  CpixTrackKind kind;
  guint id; /* for messages */
  const gchar *label; /* NULL: not known */
  guint64 pixels; /* encoded width × height; 0: not known */
  guint fps_n, fps_d; /* frames a second; 0: not known */
  guint channels; /* 0: not known */
  guint64 bitrate; /* nominal, bit/s; 0: not known */
  gint hdr, wcg; /* -1: not known */
  const gchar *const *
      periods; /* ids of the key periods it is in, NULL at the end; NULL: not known */
  const gchar
      *scheme; /* that the track will be encrypted with; NULL: not compared */
} CpixTrackFacts;

/**
 * cpix_document_choose:
 *
 * Filters of one type in a rule are alternatives, types are all demanded. A
 * document without rules and with one key has it for all tracks.
 *
 * Returns: (transfer none): a key with a value, or NULL with CPIX_ERROR_RULE
 *   that names the rules: none matches, two match with different keys, one has
 *   a filter that is not known or asks for what is not known of the track; or
 *   CPIX_ERROR_UNSUPPORTED (a leaf of a key hierarchy, another scheme)
 */
const CpixKey *cpix_document_choose (const CpixDocument *self,
    const CpixTrackFacts *facts, GError **error);

G_END_DECLS
