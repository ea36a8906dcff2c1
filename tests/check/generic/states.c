/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each element of each of our plugins goes through the states, up, down and
 * across, without anything to work on, and can be freed in each. */

#include <gst/check/gstcheck.h>

static const gchar *const elements[] = { ELEMENTS };

/* A source without anything to read fails to start: that, too, is an answer. */
static void
set_state (GstElement *element, GstState state)
{
  GstStateChangeReturn ret = gst_element_set_state (element, state);

  if (ret == GST_STATE_CHANGE_ASYNC)
    ret = gst_element_get_state (element, NULL, NULL, GST_SECOND);
  if (state <= GST_STATE_READY)
    fail_unless (ret == GST_STATE_CHANGE_SUCCESS, "%s does not go to %s",
        GST_OBJECT_NAME (element), gst_element_state_get_name (state));
}

GST_START_TEST (test_states)
{
  static const GstState walk[] = { GST_STATE_READY, GST_STATE_NULL,
    GST_STATE_PAUSED, GST_STATE_READY, GST_STATE_PLAYING, GST_STATE_NULL,
    GST_STATE_PLAYING, GST_STATE_PAUSED, GST_STATE_PLAYING, GST_STATE_READY,
    GST_STATE_NULL };
  GstElement *element = gst_element_factory_make (elements[__i__], NULL);
  guint i;

  fail_unless (element != NULL, "no %s", elements[__i__]);
  for (i = 0; i < G_N_ELEMENTS (walk); i++)
    set_state (element, walk[i]);
  ASSERT_OBJECT_REFCOUNT (element, elements[__i__], 1);
  gst_object_unref (element);
}
GST_END_TEST;

/* All properties but the write-only ones can be read, and have their default. */
GST_START_TEST (test_properties)
{
  GstElement *element = gst_element_factory_make (elements[__i__], NULL);
  guint i, n;
  GParamSpec **specs =
      g_object_class_list_properties (G_OBJECT_GET_CLASS (element), &n);

  for (i = 0; i < n; i++) {
    GValue value = G_VALUE_INIT;

    fail_unless (g_param_spec_get_blurb (specs[i]) != NULL, "%s has no words",
        specs[i]->name);
    if (!(specs[i]->flags & G_PARAM_READABLE))
      continue;
    g_value_init (&value, specs[i]->value_type);
    g_object_get_property (G_OBJECT (element), specs[i]->name, &value);
    g_value_unset (&value);
  }
  g_free (specs);
  gst_object_unref (element);
}
GST_END_TEST;

/* What holds a key or a token cannot be read back. */
GST_START_TEST (test_secret_properties)
{
  static const gchar *const secrets[] = { "key", "keys", "token",
    "track-keys" };
  GstElement *element = gst_element_factory_make (elements[__i__], NULL);
  guint i;

  for (i = 0; i < G_N_ELEMENTS (secrets); i++) {
    GParamSpec *spec =
        g_object_class_find_property (G_OBJECT_GET_CLASS (element), secrets[i]);

    fail_unless (!spec || !(spec->flags & G_PARAM_READABLE),
        "%s of %s is readable", secrets[i], elements[__i__]);
  }
  gst_object_unref (element);
}
GST_END_TEST;

static Suite *
states_suite (void)
{
  Suite *suite = suite_create ("states");
  TCase *tc = tcase_create ("generic");

  suite_add_tcase (suite, tc);
  tcase_add_loop_test (tc, test_states, 0, G_N_ELEMENTS (elements));
  tcase_add_loop_test (tc, test_properties, 0, G_N_ELEMENTS (elements));
  tcase_add_loop_test (tc, test_secret_properties, 0, G_N_ELEMENTS (elements));
  return suite;
}

GST_CHECK_MAIN (states);
