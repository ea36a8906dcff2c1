/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The room's error domain. A message always names what it is about: line and
 * column of the playlist, or the URI of a source, or the clip by its number
 * (from 1, as a person counts) and its line.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define REMIX_ERROR (remix_error_quark ())
GQuark remix_error_quark (void);

/**
 * RemixError:
 * @REMIX_ERROR_TYPE: the document is no SMIL playlist at all
 * @REMIX_ERROR_XML: it is not well-formed, or of a kind that is refused (a
 *   DOCTYPE, too large, too deep)
 * @REMIX_ERROR_PLAYLIST: well-formed, but not a playlist that makes sense
 * @REMIX_ERROR_REFUSED: an address that the policy does not allow
 * @REMIX_ERROR_NOT_FOUND: there is nothing at that address
 * @REMIX_ERROR_READ: a source cannot be opened or read
 * @REMIX_ERROR_ANSWER: a server answers with an error that to ask again does not
 *   change
 * @REMIX_ERROR_SEEK: a source does not give ranges
 * @REMIX_ERROR_CHANGED: a source is not what it was when it was opened
 * @REMIX_ERROR_FORMAT: a source is damaged, or of a kind that cannot be remixed
 * @REMIX_ERROR_MATCH: a clip's tracks do not go with the others
 * @REMIX_ERROR_GAP: archive segments that should be contiguous are not
 * @REMIX_ERROR_LIMIT: beyond one of the limits that keep memory bounded
 * @REMIX_ERROR_ENCODER: a GOP cannot be encoded anew
 * @REMIX_ERROR_CANCELLED: stopped from outside
 */
typedef enum
{
  REMIX_ERROR_TYPE,
  REMIX_ERROR_XML,
  REMIX_ERROR_PLAYLIST,
  REMIX_ERROR_REFUSED,
  REMIX_ERROR_NOT_FOUND,
  REMIX_ERROR_READ,
  REMIX_ERROR_ANSWER,
  REMIX_ERROR_SEEK,
  REMIX_ERROR_CHANGED,
  REMIX_ERROR_FORMAT,
  REMIX_ERROR_MATCH,
  REMIX_ERROR_GAP,
  REMIX_ERROR_LIMIT,
  REMIX_ERROR_ENCODER,
  REMIX_ERROR_CANCELLED,
} RemixError;

G_END_DECLS
