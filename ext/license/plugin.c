/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstofflinelicensesession.h"
#include "gstofflinelicensesrc.h"

#include <openssl/crypto.h>

/* At exit OpenSSL frees what its threads still free themselves when they end, and
 * GLib's pools end theirs whenever they like: a process would now and then end
 * with "double free" (seen). The system takes the memory back anyhow; content keys
 * are cleansed by who holds them, not by this. */
static void
keep_openssl_to_the_end (void)
{
  OPENSSL_init_crypto (OPENSSL_INIT_NO_ATEXIT, NULL);
}

static gboolean
plugin_init (GstPlugin *plugin)
{
  keep_openssl_to_the_end ();
  return gst_dynamic_type_register (plugin, GST_TYPE_OFFLINE_LICENSE_SESSION) &&
      GST_ELEMENT_REGISTER (offlinelicensesrc, plugin);
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, offlinelicense,
    "Licenses that are acquired, kept and enforced on the device", plugin_init,
    VERSION, GST_LICENSE, GST_PACKAGE_NAME, GST_PACKAGE_ORIGIN)
