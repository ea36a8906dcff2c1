/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <string.h>

#include <gst/gst.h>

#include "gstsmilremixbin.h"
#include "gstsmilremixsrc.h"

#define LOOK_AHEAD 4096

/* Behind what may stand in front of the root: blanks, the XML declaration,
 * comments. NULL if there is anything else, or no end to it. */
static const gchar *
skip_prolog (const gchar *p)
{
  for (;;) {
    const gchar *end = NULL;

    p += strspn (p, " \t\r\n");
    if (g_str_has_prefix (p, "<?"))
      end = strstr (p, "?>");
    else if (g_str_has_prefix (p, "<!--"))
      end = strstr (p, "-->");
    else
      return p;
    if (!end)
      return NULL;
    p = end + (p[1] == '?' ? 2 : 3);
  }
}

/* The length is not always known: then as much as there is, roughly. */
static const guint8 *
peek_start (GstTypeFind *find, guint *size)
{
  guint64 length = gst_type_find_get_length (find);
  const guint8 *data = NULL;

  if (length > 0) {
    *size = (guint) MIN (length, (guint64) LOOK_AHEAD);
    return gst_type_find_peek (find, 0, *size);
  }
  for (*size = LOOK_AHEAD; *size >= 8; *size -= *size / 4) {
    data = gst_type_find_peek (find, 0, *size);
    if (data)
      break;
  }
  return data;
}

/* GStreamer's own finder wants an XML declaration, and a file of some length. */
static void
find_smil (GstTypeFind *find, gpointer user_data)
{
  guint size;
  const guint8 *data = peek_start (find, &size);
  g_autofree gchar *text = NULL;
  const gchar *p;

  if (!data)
    return;
  if (size > 3 && memcmp (data, "\357\273\277", 3) == 0) {
    data += 3;
    size -= 3;
  }
  text = g_strndup ((const gchar *) data, size);
  p = skip_prolog (text);
  if (p && g_str_has_prefix (p, "<smil") && p[5] && strchr (" \t\r\n>/", p[5]))
    gst_type_find_suggest_empty_simple (find, GST_TYPE_FIND_MAXIMUM,
        "application/smil");
}

static gboolean
plugin_init (GstPlugin *plugin)
{
  g_autoptr (GstCaps) caps = gst_caps_new_empty_simple ("application/smil");

  return gst_type_find_register (plugin, "smilremix", GST_RANK_PRIMARY,
             find_smil, "smil", caps, NULL, NULL) &&
      GST_ELEMENT_REGISTER (smilremixsrc, plugin) &&
      GST_ELEMENT_REGISTER (smilremixbin, plugin);
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, smilremix,
    "SMIL playlists as one MP4, without re-encoding", plugin_init, VERSION,
    GST_LICENSE, GST_PACKAGE_NAME, GST_PACKAGE_ORIGIN)
