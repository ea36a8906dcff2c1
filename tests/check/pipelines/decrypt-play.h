/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Graphs that decode: sinks that sum up what comes to them, sessions, playbin3. */

#pragma once

#include "decrypt-util.h"

#include <gst/cenc/gstcenckeysession.h>

/* A sum over the bytes of @buffer, added to @sum: what differs by accident differs
 * there. Of pictures in I420 what fills rows up is left out: it is of no value. */
guint64 play_sum (guint64 sum, GstBuffer *buffer, GstCaps *caps);

/* What came to a sink. All zero at the beginning. */
typedef struct
{
  guint64 sum; /* of play_sum() */
  guint n_buffers;
} PlaySink;

/* @element: a fakesink, which is set up for it; @self has to outlive it. */
void play_sink_watch (PlaySink *self, GstElement *element);

/* Counts the elements cencdecrypt that come into @bin. */
void play_count_decryptors (GstElement *bin, guint *n);

/* @session: NULL: none */
void play_set_session (GstElement *element, GstCencKeySession *session);
/* (transfer full): of "KID:KEY,…"; empty: without a key */
GstCencKeySession *play_session_new (const gchar *keys);

/* (transfer full): path of the decrypted file: cencdecrypt made it, in front of no
 * demuxer; decrypt-front compares that with the manifest */
gchar *play_clear_file (const Vector *vector);

/* FALSE, and a line that says so, if one of @names, up to NULL, is missing */
gboolean play_have_elements (const gchar *const *names);

/* playbin3, or another player, with the two sinks. */
typedef struct
{
  GstElement *element;
  GstElement *video, *audio;
  PlaySink sinks[2];
  guint n_decryptors;
} Player;

/* @factory: playbin3 or playbin */
void player_init_uri (Player *self, const gchar *factory, const gchar *uri,
    GstCencKeySession *session);
void player_init (Player *self, const gchar *path, GstCencKeySession *session);
void player_clear (Player *self);
/* To its end; FALSE if there is none within a minute. */
gboolean player_run (Player *self, GError **error);
/* player_init() and player_run(), as often as stock.h says; to be cleared once. */
gboolean player_play (Player *self, const gchar *path,
    GstCencKeySession *session, GError **error);
/* @prepare: called with each player that is made; NULL: nothing */
gboolean player_play_uri (Player *self, const gchar *factory, const gchar *uri,
    GstCencKeySession *session, void (*prepare) (GstElement *player),
    GError **error);
/* Pauses, and waits for the first picture; FALSE if none comes. @what is for the
 * text of a failure. */
gboolean player_pause (Player *self, const gchar *what);
/* Waits for the picture after a flushing seek; FALSE if none comes. */
gboolean player_wait (Player *self, const gchar *what);
