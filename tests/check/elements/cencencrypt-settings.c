/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The properties of cencencrypt, and those that make no sense together. */

#include "cencencrypt-period-util.h"

#include <string.h>

GST_START_TEST (test_given_iv_warns)
{
  GstElement *element = gst_element_factory_make ("cencencrypt", NULL);
  GstBus *bus = gst_bus_new ();
  GstMessage *message;

  g_object_set (element, "key-id", JUDGE_KID, "key", JUDGE_KEY, "iv",
      "1122334455667788", NULL);
  gst_element_set_bus (element, bus);
  gst_element_set_state (element, GST_STATE_PAUSED);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
  fail_unless (message, "no word of the IV's reuse");
  gst_message_unref (message);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_element_set_bus (element, NULL);
  gst_object_unref (bus);
  gst_object_unref (element);
}
GST_END_TEST

#define ONE_KEY "key-id=" JUDGE_KID " key=" JUDGE_KEY " "

/* Settings that make no sense, and the property that the error has to name. */
static const struct
{
  const gchar *properties, *text;
} bad_settings[] = {
  { "", "key-id" },
  { "key-id=" JUDGE_KID, "key:" },
  { "key=" JUDGE_KEY, "key-id" },
  { "key-id=0011 key=" JUDGE_KEY, "key-id" },
  { "key-id=" JUDGE_KID " key=zz", "key:" },
  { "key-id=" JUDGE_KID " key=" JUDGE_KEY " iv=12", "iv:" },
  { "key-id=" JUDGE_KID " key=" JUDGE_KEY " iv-size=constant", "iv-size" },
  { "key-id=" JUDGE_KID " key=" JUDGE_KEY " iv-size=8 iv=" JUDGE_KEY, "iv:" },
  { "track-keys=SD=" JUDGE_KID, "track-keys" },
  { "track-keys=4K=" JUDGE_KID ":" JUDGE_KEY, "track-keys" },
  { "track-keys=AUDIO=" KEY_A ",SD=" KEY_B ",AUDIO=" KEY_C,
      "track-keys: entry 3" },
  { "track-keys=1=" KEY_A ",01=" KEY_B, "track-keys: entry 2" },
  { "track-keys=AUDIO=" KEY_A ",SD=" JUDGE_KID ":" JUDGE_KEY_2,
      "track-keys: the KID 00112233-4455-6677-8899-aabbccddeeff has two keys" },
  { "track-keys=AUDIO=" KEY_A " key-id=" JUDGE_KID " key=" JUDGE_KEY_2,
      "has two keys" },
  { "crypto-period=1000 period-keys=" KEY_A ";" JUDGE_KID ":" JUDGE_KEY_2,
      "period 1: the KID" },
  { "key-id=" JUDGE_KID " key=" JUDGE_KEY " tracks=0", "tracks:" },
  { "key-id=" JUDGE_KID " key=" JUDGE_KEY " cpix-key=a", "cpix-key:" },
  { "key-id=" JUDGE_KID " key=" JUDGE_KEY " media-epoch=a", "media-epoch:" },
  { "key-id=" JUDGE_KID " key=" JUDGE_KEY " pssh=AAAA", "pssh" },
  { "key-id=" JUDGE_KID " key=" JUDGE_KEY " crypt-byte-block=1",
      "crypt-byte-block" },
  { "key-id=" JUDGE_KID " key=" JUDGE_KEY " scheme=cbcs crypt-byte-block=0",
      "crypt-byte-block" },
  { ONE_KEY "content-id=a", "content-id:" },
  { ONE_KEY "content-id=a protection-systems=playready", "content-id:" },
  { ONE_KEY "widevine-provider=a", "widevine-provider:" },
  { ONE_KEY "playready-la-url=a protection-systems=widevine",
      "playready-la-url:" },
  { ONE_KEY "playready-version=4.0", "playready-version:" },
  { ONE_KEY "cens-partial-blocks=true", "cens-partial-blocks:" },
  { ONE_KEY "cens-partial-blocks=true scheme=cbcs", "cens-partial-blocks:" },
  { ONE_KEY "cpix-require-mac=false", "cpix-require-mac:" },
};

GST_START_TEST (test_bad_settings)
{
  period_check_refused (bad_settings[__i__].properties,
      bad_settings[__i__].text);
}
GST_END_TEST

static const gchar *secrets[] = { "key", "track-keys", "period-keys",
  "key-seed" };

GST_START_TEST (test_secrets_cannot_be_read)
{
  GstElement *element = gst_element_factory_make ("cencencrypt", NULL);
  GParamSpec *spec = g_object_class_find_property (G_OBJECT_GET_CLASS (element),
      secrets[__i__]);

  fail_unless (spec && spec->flags & G_PARAM_WRITABLE);
  fail_if (spec->flags & G_PARAM_READABLE);
  gst_object_unref (element);
}
GST_END_TEST

/* A value that is not the default, of each property another text. */
static void
set_other (GObject *object, GParamSpec *spec)
{
  const GValue *def = g_param_spec_get_default_value (spec);
  GValue value = G_VALUE_INIT;

  g_value_init (&value, spec->value_type);
  if (G_IS_PARAM_SPEC_STRING (spec))
    g_value_set_string (&value, spec->name);
  else if (G_IS_PARAM_SPEC_BOOLEAN (spec))
    g_value_set_boolean (&value, !g_value_get_boolean (def));
  else if (G_IS_PARAM_SPEC_INT (spec))
    g_value_set_int (&value, (gint) strlen (spec->name) % 16);
  else if (G_IS_PARAM_SPEC_UINT64 (spec))
    g_value_set_uint64 (&value, strlen (spec->name));
  else if (G_IS_PARAM_SPEC_FLAGS (spec))
    g_value_set_flags (&value, 2);
  else
    g_value_set_enum (&value,
        g_value_get_enum (def) ==
                G_PARAM_SPEC_ENUM (spec)->enum_class->values[0].value
            ? G_PARAM_SPEC_ENUM (spec)->enum_class->values[1].value
            : G_PARAM_SPEC_ENUM (spec)->enum_class->values[0].value);
  g_object_set_property (object, spec->name, &value);
  g_value_unset (&value);
}

/* What is set comes back, when all others are set too. */
GST_START_TEST (test_properties)
{
  GstElement *element = gst_element_factory_make ("cencencrypt", NULL);
  GType type = G_OBJECT_TYPE (element);
  guint i, n, n_read = 0;
  GParamSpec **specs =
      g_object_class_list_properties (G_OBJECT_GET_CLASS (element), &n);

  for (i = 0; i < n; i++) {
    if (specs[i]->owner_type == type)
      set_other (G_OBJECT (element), specs[i]);
  }
  for (i = 0; i < n; i++) {
    GValue value = G_VALUE_INIT;

    if (specs[i]->owner_type != type || !(specs[i]->flags & G_PARAM_READABLE))
      continue;
    g_value_init (&value, specs[i]->value_type);
    g_object_get_property (G_OBJECT (element), specs[i]->name, &value);
    fail_if (g_param_value_defaults (specs[i], &value), "%s", specs[i]->name);
    if (G_IS_PARAM_SPEC_STRING (specs[i]))
      fail_unless_equals_string (g_value_get_string (&value), specs[i]->name);
    if (G_IS_PARAM_SPEC_UINT64 (specs[i]))
      fail_unless_equals_uint64 (g_value_get_uint64 (&value),
          strlen (specs[i]->name));
    g_value_unset (&value);
    n_read++;
  }
  fail_unless_equals_int (n_read, 23);
  g_free (specs);
  gst_object_unref (element);
}
GST_END_TEST

static Suite *
cencencrypt_settings_suite (void)
{
  Suite *suite = suite_create ("cencencrypt-settings");
  TCase *tcase = tcase_create ("general");

  suite_add_tcase (suite, tcase);
  tcase_add_test (tcase, test_given_iv_warns);
  tcase_add_loop_test (tcase, test_bad_settings, 0,
      G_N_ELEMENTS (bad_settings));
  tcase_add_loop_test (tcase, test_secrets_cannot_be_read, 0,
      G_N_ELEMENTS (secrets));
  tcase_add_test (tcase, test_properties);
  return suite;
}

GST_CHECK_MAIN (cencencrypt_settings);
