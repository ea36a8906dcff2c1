/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "remix-error.h"

GQuark
remix_error_quark (void)
{
  return g_quark_from_static_string ("remix-error-quark");
}
