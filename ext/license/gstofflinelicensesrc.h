/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gst/base/gstbasesrc.h>

G_BEGIN_DECLS

#define GST_TYPE_OFFLINE_LICENSE_SRC (gst_offline_license_src_get_type ())
G_DECLARE_FINAL_TYPE (GstOfflineLicenseSrc, gst_offline_license_src, GST,
    OFFLINE_LICENSE_SRC, GstBaseSrc)

GST_ELEMENT_REGISTER_DECLARE (offlinelicensesrc);

G_END_DECLS
