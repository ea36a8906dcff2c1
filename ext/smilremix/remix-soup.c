/* SPDX-License-Identifier: LGPL-2.1-or-later */

#define REMIX_SOUP_NO_MACROS
#include "remix-soup.h"

#include <gmodule.h>

#include "remix-error.h"

#ifdef REMIX_SOUP_LIBRARY

RemixSoup remix_soup;
/* NULL before libsoup 3.4. */
static void (*set_force_http1) (SoupMessage *message, gboolean value);

static const gchar *const names[] = {
#define NAME(name) #name,
  REMIX_SOUP_FUNCTIONS (NAME)
#undef NAME
};

G_STATIC_ASSERT (sizeof (remix_soup) == sizeof (names));

static gpointer
load (gpointer data)
{
  GModule *module = g_module_open (REMIX_SOUP_LIBRARY,
      G_MODULE_BIND_LAZY | G_MODULE_BIND_LOCAL);
  gpointer *functions = (gpointer *) &remix_soup;
  guint i;

  if (!module)
    return g_strdup (g_module_error ());
  /* Its types stay, so that it has to. */
  g_module_make_resident (module);
  for (i = 0; i < G_N_ELEMENTS (names); i++) {
    if (!g_module_symbol (module, names[i], &functions[i]))
      return g_strdup (g_module_error ());
  }
  if (!g_module_symbol (module, "soup_message_set_force_http1",
          (gpointer *) &set_force_http1))
    set_force_http1 = NULL;
  return NULL;
}

gboolean
remix_soup_load (GError **error)
{
  static GOnce once = G_ONCE_INIT;
  const gchar *message = g_once (&once, load, NULL);

  if (!message)
    return TRUE;
  g_set_error (error, REMIX_ERROR, REMIX_ERROR_READ,
      "HTTP needs libsoup, which cannot be loaded: %s", message);
  return FALSE;
}

void
remix_soup_force_http1 (SoupMessage *message)
{
  if (set_force_http1)
    set_force_http1 (message, TRUE);
}

#else

gboolean
remix_soup_load (GError **error)
{
  return TRUE;
}

void
remix_soup_force_http1 (SoupMessage *message)
{
#if SOUP_CHECK_VERSION(3, 4, 0)
  soup_message_set_force_http1 (message, TRUE);
#endif
}

#endif
