/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * For programs under the address sanitizer. GLib's first table of quarks, which it
 * allocates while it is loaded, is lost on purpose when it grows. Held here it is no
 * leak; to tell it from others by who allocated it would take the slow unwinder,
 * and with that everything takes three times as long.
 */

#include <stddef.h>

#define TABLE_SIZE (2048 * sizeof (char *))

void __sanitizer_malloc_hook (const volatile void *block, size_t size);

/* Not static: nobody reads it but LeakSanitizer. */
extern const volatile void *sanitized_first_table;
const volatile void *sanitized_first_table;

/* In each program the first block of that size is GLib's. */
__attribute__ ((visibility ("default"))) void
__sanitizer_malloc_hook (const volatile void *block, size_t size)
{
  if (size == TABLE_SIZE && !sanitized_first_table)
    sanitized_first_table = block;
}
