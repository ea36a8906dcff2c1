/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where smilremixsrc puts the parameter sets of H.264 and H.265. */

#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

typedef enum
{
  GST_SMIL_REMIX_SRC_PARAMETER_SETS_OUT_OF_BAND,
  GST_SMIL_REMIX_SRC_PARAMETER_SETS_IN_BAND,
} GstSmilRemixSrcParameterSets;

#define GST_TYPE_SMIL_REMIX_SRC_PARAMETER_SETS \
  (gst_smil_remix_src_parameter_sets_get_type ())
GType gst_smil_remix_src_parameter_sets_get_type (void);

G_END_DECLS
