/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cencdecrypt's request pad `license`: takes license documents, whole or in
 * pieces. Nothing of it reaches the media branch but keys: its events stop
 * here, and its end neither ends nor stalls anything.
 */

#pragma once

#include "cenc/decrypt-keys.h"

#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * decrypt_license_pad_new:
 * @keys: borrowed: has to outlive the pad's last call, that is, the element it is added to
 *
 * Returns: (transfer floating): the pad; a license is pending while it is linked, until one came or its source is at its end
 */
GstPad *decrypt_license_pad_new (GstPadTemplate *templ, DecryptKeys *keys);
/** The pad is about to be removed: nothing is pending any more. */
void decrypt_license_pad_release (GstPad *pad);
/** READY → PAUSED: a new document is awaited. */
void decrypt_license_pad_reset (GstPad *pad);

G_END_DECLS
