/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstofflinelicensesession.h"
#include "gstofflinelicensesrc.h"

static gboolean
plugin_init (GstPlugin *plugin)
{
  return gst_dynamic_type_register (plugin, GST_TYPE_OFFLINE_LICENSE_SESSION) &&
      GST_ELEMENT_REGISTER (offlinelicensesrc, plugin);
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, offlinelicense,
    "Licenses that are acquired, kept and enforced on the device", plugin_init,
    VERSION, GST_LICENSE, GST_PACKAGE_NAME, GST_PACKAGE_ORIGIN)
