/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Everything of libgstcenc. */

#pragma once

#include <gst/cenc/gstcenckey.h>
#include <gst/cenc/gstcenckeyring.h>
#include <gst/cenc/gstcenckeysession.h>
