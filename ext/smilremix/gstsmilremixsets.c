/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gstsmilremixsets.h"

GType
gst_smil_remix_src_parameter_sets_get_type (void)
{
  static const GEnumValue values[] = {
    { GST_SMIL_REMIX_SRC_PARAMETER_SETS_OUT_OF_BAND,
        "In the sample descriptions (avc1, hvc1)", "out-of-band" },
    { GST_SMIL_REMIX_SRC_PARAMETER_SETS_IN_BAND,
        "In front of each sync sample (avc3, hev1)", "in-band" },
    { 0, NULL, NULL },
  };
  static gsize type;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type,
        g_enum_register_static ("GstSmilRemixSrcParameterSets", values));
  return type;
}
