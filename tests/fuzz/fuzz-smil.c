/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A playlist of any bytes is taken or refused with an error, in bounded time. */

#include <stddef.h>
#include <stdint.h>

#include "smilremix/remix-playlist.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RemixPlaylist) playlist =
      remix_playlist_parse ((const gchar *) data, size, "http://origin/a.smil",
          FALSE, &error);

  g_assert ((playlist == NULL) == (error != NULL));
  return 0;
}
