/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An application that links the plugins statically: their elements are there
 * without any plugin path. Fails if one that is named as an argument is not. */
#include <gst/gst.h>

GST_PLUGIN_STATIC_DECLARE (cenc);
GST_PLUGIN_STATIC_DECLARE (offlinelicense);
GST_PLUGIN_STATIC_DECLARE (smilremix);

int
main (int argc, char *argv[])
{
  int missing = 0;

  g_setenv ("GST_PLUGIN_SYSTEM_PATH_1_0", "", TRUE);
  g_setenv ("GST_PLUGIN_PATH_1_0", "", TRUE);
  g_setenv ("GST_REGISTRY_DISABLE", "yes", TRUE);
  gst_init (NULL, NULL);
  GST_PLUGIN_STATIC_REGISTER (cenc);
  GST_PLUGIN_STATIC_REGISTER (offlinelicense);
  GST_PLUGIN_STATIC_REGISTER (smilremix);
  for (int i = 1; i < argc; i++) {
    GstElement *element = gst_element_factory_make (argv[i], NULL);

    if (element == NULL) {
      g_printerr ("no element %s\n", argv[i]);
      missing++;
    }
    g_clear_pointer (&element, gst_object_unref);
  }
  return missing != 0;
}
