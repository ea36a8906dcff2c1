/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of GstOfflineLicenseSession share, and nobody else. */

#pragma once

#include "gstofflinelicensesession.h"

G_BEGIN_DECLS

/* A license of which this playback session uses a key. */
typedef struct
{
  LicenseDocument *document;
  GPtrArray *keys;
  gboolean in_session; /* taken for PLAY */
  gboolean notice_given; /* that it ends soon */
  gboolean end_told;
} Bound;

struct _GstOfflineLicenseSession
{
  GstCencKeySession parent;

  GMutex lock; /* protects all below */
  gchar *store_path, *device_key, *issuers, *denied;
  guint skew, notice; /* s */
  const LicenseClock *clock;
  LicenseStore *store;
  GPtrArray *held; /* LicenseEntry: those that are not persistent */
  GHashTable *bound; /* name → Bound */
  gboolean anchored;
  LicenseInstant anchor; /* when time began to be counted by boottime */
  gint64 cleaned; /* boottime of the last clean-up */
};

/* With the lock. */
gboolean license_session_ensure_store (GstOfflineLicenseSession *self,
    gboolean create, GError **error);

/* With the lock. Now, as it counts for what is playing. */
gint64 license_session_time (GstOfflineLicenseSession *self,
    const LicenseInstant *now);

/* With the lock. @reason: (nullable) */
void
license_session_queue_message (GstOfflineLicenseSession *self, GQueue *messages,
    const LicenseEntry *entry, const gchar *state, const gchar *reason);
/* Without the lock. */
void license_session_emit_messages (GstOfflineLicenseSession *self,
    GQueue *messages);

/* GstCencKeySessionClass.get_key */
GstCencKey *license_session_get_key (GstCencKeySession *session,
    const guint8 *kid, GstCencKeyUse use, GError **error);

G_END_DECLS
