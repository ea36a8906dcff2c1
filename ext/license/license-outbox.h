/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Licenses that were given back without a network wait for the next contact. */

#pragma once

#include "license-jobs.h"

G_BEGIN_DECLS

/* Gives back what waits in @store, each at its own server. One that does not answer
 * is asked once, however much waits for it: what the user is waiting for is
 * something else. What goes wrong waits on, unless the server has a last word. */
void license_outbox_flush (LicenseJob *job, LicenseStore *store);

G_END_DECLS
