/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A file through all of cencencrypt but its pads: pushed in pieces and read by
 * place, in each scheme, with a clear lead and keys that rotate. Input: a byte
 * that chooses how; then the file.
 * Nothing but bytes that a run says it made may come out, and no run goes on
 * for ever.
 */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "cenc/encrypt-run.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

typedef struct
{
  const guint8 *data;
  gsize size;
} Input;

static GstFlowReturn
drop (gpointer user_data, GstBuffer *buffer)
{
  gst_buffer_unref (buffer);
  return GST_FLOW_OK;
}

static GstFlowReturn
overwrite (gpointer user_data, guint64 offset, GstBuffer *buffer)
{
  gst_buffer_unref (buffer);
  return GST_FLOW_OK;
}

static void
warn (gpointer user_data, const gchar *message)
{
}

static gboolean
is_seekable (gpointer user_data)
{
  return TRUE;
}

static GstFlowReturn
read_input (gpointer user_data, guint64 offset, guint size, GstBuffer **buffer)
{
  const Input *input = user_data;

  if (offset >= input->size)
    return GST_FLOW_EOS;
  *buffer = gst_buffer_new_memdup (input->data + offset,
      MIN (size, input->size - offset));
  return GST_FLOW_OK;
}

/* The lead and the periods are as short as the clips that are fuzzed. */
static EncryptPlan *
make_plan (guint choice)
{
  static const guint8 bytes[16] = { 1, 2, 3 };
  EncryptSettings settings;
  EncryptPlan *plan;

  encrypt_settings_init (&settings);
  settings.scheme = (choice & 7) % (CENC_SCHEME_PIFF + 1);
  if (choice & 32)
    settings.clear_lead = 50 * GST_MSECOND;
  if (choice & 64)
    settings.periods =
        encrypt_periods_new_seed (50 * GST_MSECOND, bytes, bytes, sizeof bytes);
  else
    settings.key = gst_cenc_key_new (bytes, bytes);
  plan = encrypt_plan_new (&settings, NULL);
  encrypt_settings_clear (&settings);
  return plan;
}

static void
push_all (EncryptRun *run, const Input *input, gsize step)
{
  GstFlowReturn flow = GST_FLOW_OK;
  gsize pos;

  for (pos = 0; pos < input->size && flow == GST_FLOW_OK; pos += step)
    flow = encrypt_run_take (run,
        gst_buffer_new_memdup (input->data + pos,
            MIN (step, input->size - pos)),
        NULL);
  if (flow == GST_FLOW_OK)
    encrypt_run_end (run, NULL);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  EncryptRunFuncs funcs = { { drop, overwrite, warn }, NULL, is_seekable };
  Input input = { data + 1, size - 1 };
  g_autoptr (EncryptPlan) plan = NULL;
  g_autoptr (EncryptRun) run = NULL;

  if (size < 2)
    return 0;
  gst_init (NULL, NULL);
  plan = make_plan (data[0]);
  if (!plan) /* PIFF does not rotate */
    return 0;
  if (data[0] & 8)
    funcs.read = read_input;
  run = encrypt_run_new (plan, funcs.read ? input.size : G_MAXUINT64, NULL,
      &funcs, &input);
  if (!funcs.read)
    push_all (run, &input, data[0] & 16 ? 61 : 4096);
  else
    while (encrypt_run_step (run, NULL) == GST_FLOW_OK)
      ;
  return 0;
}
