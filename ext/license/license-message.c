/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "license-message.h"

#include <gst/cenc/gstcenckeyring.h>

static void
put_date (GstStructure *structure, const gchar *field, gint64 time)
{
  GstDateTime *date;

  if (time == LICENSE_TIME_NONE)
    return;
  date = gst_date_time_new_from_unix_epoch_utc_usecs (time);
  if (!date)
    return;
  gst_structure_set (structure, field, GST_TYPE_DATE_TIME, date, NULL);
  gst_date_time_unref (date);
}

static void
put_remaining (GstStructure *structure, const gchar *field, gint64 remaining)
{
  if (remaining != LICENSE_TIME_NONE)
    gst_structure_set (structure, field, G_TYPE_UINT64,
        (guint64) MIN (remaining, G_MAXINT64 / 1000) * 1000, NULL);
}

static void
put_kids (GstStructure *structure, const LicenseDocument *document)
{
  GValue list = G_VALUE_INIT, text = G_VALUE_INIT;
  guint i, n = license_document_n_kids (document);

  g_value_init (&list, GST_TYPE_ARRAY);
  g_value_init (&text, G_TYPE_STRING);
  for (i = 0; i < n; i++) {
    g_value_take_string (&text,
        gst_cenc_kid_to_string (license_document_kid (document, i)));
    gst_value_array_append_value (&list, &text);
  }
  g_value_unset (&text);
  gst_structure_take_value (structure, "key-ids", &list);
}

GstStructure *
license_message_new (const LicenseEntry *entry, const LicenseDecision *decision,
    const gchar *state, const gchar *reason)
{
  const LicenseDocument *document = entry->document;
  GstStructure *s = gst_structure_new (LICENSE_MESSAGE_NAME, "license-id",
      G_TYPE_STRING, document->id, "state", G_TYPE_STRING, state, "rights-type",
      G_TYPE_STRING, license_rights_to_string (document->rules.rights),
      "persistent", G_TYPE_BOOLEAN, document->rules.persistent,
      "expiration-source", G_TYPE_STRING,
      license_end_to_string (decision->source), NULL);

  if (reason)
    gst_structure_set (s, "reason", G_TYPE_STRING, reason, NULL);
  put_date (s, "not-before", document->rules.not_before);
  put_date (s, "expiration", decision->expiration);
  put_date (s, "first-play", entry->record.first_play);
  put_remaining (s, "license-remaining", decision->license_remaining);
  put_remaining (s, "playback-remaining", decision->playback_remaining);
  put_kids (s, document);
  if (document->output_protection)
    gst_structure_set (s, "output-protection", GST_TYPE_STRUCTURE,
        document->output_protection, NULL);
  return s;
}

const gchar *
license_reason_to_string (GstCencError reason)
{
  static const struct
  {
    GstCencError code;
    const gchar *word;
  } words[] = {
    { GST_CENC_ERROR_NO_KEY, "no-key" },
    { GST_CENC_ERROR_NOT_YET_VALID, "not-yet-valid" },
    { GST_CENC_ERROR_WINDOW_OVER, "window-over" },
    { GST_CENC_ERROR_PLAYBACK_OVER, "playback-over" },
    { GST_CENC_ERROR_CLOCK_TURNED_BACK, "clock-turned-back" },
    { GST_CENC_ERROR_CLOCK_NOT_SET, "clock-not-set" },
    { GST_CENC_ERROR_OTHER_DEVICE, "other-device" },
    { GST_CENC_ERROR_SIGNATURE, "signature" },
    { GST_CENC_ERROR_OUTPUT_PROTECTION, "output-protection" },
    { GST_CENC_ERROR_REVOKED, "revoked" },
    { GST_CENC_ERROR_STORE, "store" },
    { GST_CENC_ERROR_FORMAT, "format" },
    { GST_CENC_ERROR_UNSUPPORTED, "unsupported" },
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (words); i++) {
    if (words[i].code == reason)
      return words[i].word;
  }
  return "failed";
}

static gchar *
date_to_string (gint64 time)
{
  g_autoptr (GDateTime) date = time == LICENSE_TIME_NONE
      ? NULL
      : g_date_time_new_from_unix_utc (time / G_USEC_PER_SEC);

  return date ? g_date_time_format (date, "%Y-%m-%d %H:%M:%S UTC")
              : g_strdup ("?");
}

void
license_message_set_error (const LicenseEntry *entry,
    const LicenseDecision *decision, GError **error)
{
  const LicenseDocument *document = entry->document;
  g_autofree gchar *begin = date_to_string (document->rules.not_before);
  g_autofree gchar *end = date_to_string (decision->expiration);
  g_autofree gchar *first = date_to_string (entry->record.first_play);
  g_autofree gchar *now = date_to_string (entry->now.wall);
  g_autofree gchar *text = NULL;

  switch (decision->reason) {
    case GST_CENC_ERROR_NOT_YET_VALID:
      text = g_strdup_printf ("begins on %s; the clock shows %s", begin, now);
      break;
    case GST_CENC_ERROR_WINDOW_OVER:
      text = g_strdup_printf ("ended on %s", end);
      break;
    case GST_CENC_ERROR_PLAYBACK_OVER:
      text = g_strdup_printf ("was first played on %s and ended on %s", first,
          end);
      break;
    case GST_CENC_ERROR_CLOCK_TURNED_BACK:
      text = g_strdup_printf ("needs the right time: the clock shows %s, less "
                              "than it once did, or than when it was issued",
          now);
      break;
    case GST_CENC_ERROR_CLOCK_NOT_SET:
      text = g_strdup ("needs the time: the clock is not set");
      break;
    default:
      text = g_strdup ("was given back");
      break;
  }
  g_set_error (error, GST_CENC_ERROR, (gint) decision->reason, "license %s %s",
      document->id, text);
}
