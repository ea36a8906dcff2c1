/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Real sources for the tests of smilremixsrc, made by ffmpeg, and what ffmpeg says
 * of the output: md5 of each decoded frame, times, durations.
 */

#pragma once

#include <gst/check/gstcheck.h>

/** Runs what @add_tests adds, once @setup has made a folder (by remix_media_open() or remix_media_setup()); for main(), behind gst_check_init(). Returns the exit status: 77 where there is no ffmpeg. */
int remix_media_main (const gchar *name, void (*setup) (void),
    void (*add_tests) (TCase *tc));

/** Whether ffmpeg and ffprobe are there; without them nothing here runs. */
gboolean remix_media_available (void);
/** Makes a new folder, and nothing in it: for tests that make sources of their own. */
void remix_media_open (void);
/** Makes the sources in a new folder. Call as an unchecked fixture: once. */
void remix_media_setup (void);
void remix_media_teardown (void);

/** Makes further sources with ffmpeg; @args is a shell-quoted command line behind the options that are always there, run in the folder. */
void remix_media_make (const gchar *args);
/** Path of a file in the folder; (transfer full). */
gchar *remix_media_path (const gchar *name);
void remix_media_write (const gchar *name, const gchar *text);

/** Runs smilremixsrc over <smil><body>@body</body></smil> into @output in the folder; @properties as gst-launch-1.0 has them. Returns the error's debug text, or NULL; (transfer full). */
gchar *remix_media_run (const gchar *body, const gchar *properties,
    const gchar *output);
/** Like remix_media_run() over a whole document. */
gchar *remix_media_run_document (const gchar *document, const gchar *properties,
    const gchar *output);

/** Runs remix_media_run() into o.mp4, and fails the test if that is an error. */
void remix_media_expect_ok (const gchar *body, const gchar *properties);
/** Fails unless that is an error that has both texts. */
void remix_media_expect_error (const gchar *body, const gchar *first,
    const gchar *second);

/** Likewise, of the playlist at @uri. */
gchar *remix_media_run_uri (const gchar *uri, const gchar *output);

/** (element-type utf8): md5 of each decoded frame of the video track @n. */
GPtrArray *remix_media_frames (const gchar *name, guint n);
/** Appends frames [from, to) of @frames to @to_array. */
void
remix_media_append (GPtrArray *array, GPtrArray *frames, guint from, guint to);
/** Appends frames [from, to) of video track @track of @name. */
void remix_media_append_of (GPtrArray *array, const gchar *name, guint track,
    guint from, guint to);
/** ffprobe's value of stream entry @key of stream @stream ("v:0"); (transfer full). */
gchar *
remix_media_probe (const gchar *name, const gchar *stream, const gchar *key);
gdouble remix_media_probe_number (const gchar *name, const gchar *stream,
    const gchar *key);
/** A line "pts_time,duration_time,size" for each packet of @stream; (transfer full). */
gchar *remix_media_packets (const gchar *name, const gchar *stream);
/** When the keyframes of the video are shown, each time with a blank behind it; (transfer full). */
gchar *remix_media_keyframes (const gchar *name);
/** Seconds of decoded audio, as the edit list leaves them. */
gdouble remix_media_audio_seconds (const gchar *name);
/** Fails unless video track 0 of @name decodes to exactly @expected. */
void
remix_media_expect_frames (const gchar *name, guint track, GPtrArray *expected);

/** Plays @source ! qtdemux with a decoder on each pad to the end, and counts decoded buffers. */
void remix_media_play (const gchar *source, guint *n_video, guint *n_audio);

/** Fails unless picture and sound of o.mp4 both last @seconds by the file's tables. */
void remix_media_expect_duration (gdouble seconds);
/** Plays playlist.smil by smilremixsrc with @options, by pull and by push; fails unless @n_frames pictures come, and sound for @seconds. */
void remix_media_expect_played (const gchar *options, guint n_frames,
    gdouble seconds);
