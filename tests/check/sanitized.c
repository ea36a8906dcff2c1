/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * For programs under the address sanitizer: what is no leak, and could be told from one
 * only by who allocated it. That takes the slow unwinder, and with it everything takes
 * three times as long.
 */

#include <glib.h>
#include <sanitizer/asan_interface.h>
#include <stddef.h>
#ifdef HAVE_OPENSSL
#include <openssl/crypto.h>
#endif

/* GLib's tables of quarks, the first of which it allocates while it is loaded, are
 * lost on purpose when they grow. They are held here. */
#define TABLE_SIZE (2048 * sizeof (char *))

void __sanitizer_malloc_hook (const volatile void *block, size_t size);

/* Not static: nobody reads the first but LeakSanitizer. */
extern const volatile void *sanitized_first_table, *sanitized_second_table;
const volatile void *sanitized_first_table, *sanitized_second_table;

static int
is_table (const volatile void *block)
{
  const char *const *table = (const char *const *) block;

  return block && !__asan_address_is_poisoned (block) &&
      table[1] == g_quark_to_string (1);
}

/* In each program the first block of the first table's size is GLib's; of the
 * second's, the one that holds quarks by the time another of that size comes. */
__attribute__ ((visibility ("default"))) void
__sanitizer_malloc_hook (const volatile void *block, size_t size)
{
  if (size == TABLE_SIZE && !sanitized_first_table)
    sanitized_first_table = block;
  if (size == 2 * TABLE_SIZE && !is_table (sanitized_second_table))
    sanitized_second_table = block;
}

#ifdef HAVE_OPENSSL
/* What OpenSSL keeps for a thread is lost when it cleans up before the thread ends, and
 * threads of GStreamer's pool outlive main(). */
__attribute__ ((constructor)) static void
keep_openssl (void)
{
  OPENSSL_init_crypto (OPENSSL_INIT_NO_ATEXIT, NULL);
}
#endif
