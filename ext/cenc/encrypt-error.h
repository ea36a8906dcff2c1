/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cencencrypt's error messages, and when they may be posted. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/** Whether an element is in PAUSED on the way up; by the element's object lock. */
typedef struct
{
  gboolean going_on;
  GCond over;
} EncryptPreroll;

void encrypt_preroll_init (EncryptPreroll *self);
void encrypt_preroll_clear (EncryptPreroll *self);
/** Without the object lock. */
void encrypt_preroll_set (EncryptPreroll *self, GstElement *element,
    gboolean going_on);
/** Waits for its end, a tenth of a second at most; without the object lock. */
void encrypt_preroll_wait (EncryptPreroll *self, GstElement *element);

/** Posts @error as an error message whose domain and code an application can tell causes by. */
void encrypt_error_post (GstElement *element, const GError *error);

G_END_DECLS
