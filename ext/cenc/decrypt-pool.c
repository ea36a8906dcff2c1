/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cenc/decrypt-pool.h"

/* Below and above these, malloc() does as well, or a pool would hold too much. */
#define MIN_SHIFT 12
#define MAX_SHIFT 24

struct _DecryptPool
{
  GstBufferPool *pools[MAX_SHIFT + 1]; /* of 2^index bytes; made when needed */
};

DecryptPool *
decrypt_pool_new (void)
{
  return g_new0 (DecryptPool, 1);
}

void
decrypt_pool_free (DecryptPool *self)
{
  guint i;

  if (!self)
    return;
  for (i = 0; i <= MAX_SHIFT; i++) {
    if (self->pools[i])
      gst_buffer_pool_set_active (self->pools[i], FALSE);
    gst_clear_object (&self->pools[i]);
  }
  g_free (self);
}

/* (transfer none) (nullable) */
static GstBufferPool *
get_pool (DecryptPool *self, guint shift)
{
  g_autoptr (GstBufferPool) pool = NULL;
  GstStructure *config;

  if (self->pools[shift])
    return self->pools[shift];

  pool = gst_buffer_pool_new ();
  config = gst_buffer_pool_get_config (pool);
  gst_buffer_pool_config_set_params (config, NULL, 1u << shift, 0, 0);
  if (!gst_buffer_pool_set_config (pool, config) ||
      !gst_buffer_pool_set_active (pool, TRUE))
    return NULL;
  self->pools[shift] = g_steal_pointer (&pool);
  return self->pools[shift];
}

GstBuffer *
decrypt_pool_acquire (DecryptPool *self, gsize size)
{
  guint shift = g_bit_storage (size > 0 ? size - 1 : 0);
  GstBuffer *buffer = NULL;
  GstBufferPool *pool = NULL;

  if (shift >= MIN_SHIFT && shift <= MAX_SHIFT)
    pool = get_pool (self, shift);
  if (pool &&
      gst_buffer_pool_acquire_buffer (pool, &buffer, NULL) == GST_FLOW_OK) {
    gst_buffer_set_size (buffer, (gssize) size);
    return buffer;
  }
  return gst_buffer_new_allocate (NULL, size, NULL);
}
