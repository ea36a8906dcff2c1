/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cenc/encrypt-secret.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>

struct _EncryptSecret
{
  gsize size;
  guint8 *pad, *masked; /* [size] */
};

/* Byte by byte, as that of GstCencKey: no vector register holds a piece of it. */
static void
mask (const guint8 *in, const guint8 *pad, guint8 *out, gsize size)
{
  volatile guint8 *to = out;
  gsize i;

  for (i = 0; i < size; i++)
    to[i] = in[i] ^ pad[i];
}

EncryptSecret *
encrypt_secret_new (const gchar *text)
{
  return text ? encrypt_secret_new_bytes ((const guint8 *) text, strlen (text))
              : NULL;
}

EncryptSecret *
encrypt_secret_new_bytes (const guint8 *data, gsize size)
{
  EncryptSecret *self;

  if (size > G_MAXINT)
    return NULL;
  self = g_new0 (EncryptSecret, 1);
  self->size = size;
  self->pad = g_malloc (size + 1);
  self->masked = g_malloc (size + 1);
  if (size > 0 && RAND_bytes (self->pad, (int) size) != 1) {
    encrypt_secret_free (self);
    return NULL;
  }
  mask (data, self->pad, self->masked, size);
  return self;
}

void
encrypt_secret_free (EncryptSecret *self)
{
  if (!self)
    return;
  OPENSSL_cleanse (self->pad, self->size);
  g_free (self->pad);
  g_free (self->masked);
  g_free (self);
}

gsize
encrypt_secret_get_size (const EncryptSecret *self)
{
  return self ? self->size : 0;
}

void
encrypt_secret_copy (const EncryptSecret *self, guint8 *out)
{
  mask (self->masked, self->pad, out, self->size);
}

gchar *
encrypt_secret_dup_text (const EncryptSecret *self)
{
  gchar *text = g_malloc (self->size + 1);

  mask (self->masked, self->pad, (guint8 *) text, self->size);
  text[self->size] = '\0';
  return text;
}

void
encrypt_secret_wipe (gchar *text)
{
  if (text)
    OPENSSL_cleanse (text, strlen (text));
  g_free (text);
}
