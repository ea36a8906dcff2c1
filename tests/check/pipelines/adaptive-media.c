/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "adaptive-media.h"
#include "../playready.h"
#include "decrypt-util.h"

#include <glib/gstdio.h>
#include <string.h>

#include "gst/isobmff/bmff-box.h"

#define N_SEGMENTS 2
#define RATE 44100
#define MOOF BMFF_FOURCC ('m', 'o', 'o', 'f')
#define MOOV BMFF_FOURCC ('m', 'o', 'o', 'v')

static const struct
{
  const gchar *name, *source;
  guint bandwidth;
} tracks[] = {
  { "small",
      "videotestsrc num-buffers=50 ! "
      "video/x-raw,width=160,height=120,framerate=25/1 ! "
      "x264enc key-int-max=25 tune=zerolatency "
      "speed-preset=ultrafast threads=1 ! h264parse",
      100000 },
  { "large",
      "videotestsrc num-buffers=50 ! "
      "video/x-raw,width=240,height=180,framerate=25/1 ! "
      "x264enc key-int-max=25 tune=zerolatency "
      "speed-preset=ultrafast threads=1 ! h264parse",
      200000 },
  { "sound",
      "audiotestsrc num-buffers=86 samplesperbuffer=1024 ! "
      "audio/x-raw,rate=44100,channels=2 ! avenc_aac ! aacparse",
      64000 },
};

/* (transfer full) */
static GBytes *
make_file (AdaptiveTrack track, const gchar *scheme)
{
  g_autofree gchar *path = temporary_file ("cenc-adaptive-XXXXXX.mp4");
  g_autofree gchar *launch =
      g_strdup_printf ("%s ! mp4mux fragment-duration=1000 ! "
                       "filesink location=%s",
          tracks[track].source, path);
  g_autofree gchar *protect = NULL;
  GError *error = NULL;
  GByteArray *data;

  pipeline_run (gst_parse_launch (launch, NULL), &error);
  fail_unless (!error, "%s", error ? error->message : "");
  protect = scheme
      ? g_strdup_printf ("cencencrypt scheme=%s key-id=%.32s "
                         "key=%s protection-systems=common+playready",
            scheme, ADAPTIVE_KEYS, ADAPTIVE_KEYS + 33)
      : g_strdup ("identity");
  g_free (launch);
  launch = g_strdup_printf ("filesrc location=%s blocksize=1048576 ! %s ! "
                            "fakesink name=sink",
      path, protect);
  data = pipeline_collect (launch, &error);
  fail_unless (!error, "%s", error ? error->message : "");
  g_unlink (path);
  return g_byte_array_free_to_bytes (data);
}

/* What begins at the box @type behind @from, or the end. */
static gsize
find_box (GBytes *file, gsize from, guint32 type)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (file, &size);
  BmffHeader header;

  while (from < size) {
    fail_unless_equals_int (bmff_header_parse (&header, data + from,
                                size - from),
        BMFF_HEADER_OK);
    if (header.type == type)
      return from;
    from += header.size ? header.size : size - from;
  }
  return size;
}

/* Where the segments begin, and where the last one ends, in front of an mfra. */
static void
find_segments (GBytes *file, gsize *begins)
{
  guint i;

  begins[0] = find_box (file, 0, MOOF);
  for (i = 1; i < N_SEGMENTS; i++)
    begins[i] = find_box (file, begins[i - 1] + 8, MOOF);
  fail_unless (begins[N_SEGMENTS - 1] < g_bytes_get_size (file));
  begins[N_SEGMENTS] =
      find_box (file, begins[N_SEGMENTS - 1], BMFF_FOURCC ('m', 'f', 'r', 'a'));
}

static void
add_slice (AdaptiveServer *server, const gchar *folder, const gchar *name,
    guint number, GBytes *file, gsize begin, gsize end)
{
  g_autofree gchar *path =
      g_strdup_printf ("%s/%s-%u.m4s", folder, name, number);

  adaptive_server_add (server, path,
      g_bytes_new_from_bytes (file, begin, end - begin));
  if (number == N_SEGMENTS)
    adaptive_server_add_end (server, path, 0);
}

/* By files of their own; @by_ranges: of one. (transfer full) */
static gchar *
describe_segments (const gchar *name, gsize init_size, const gsize *begins,
    gboolean by_ranges)
{
  GString *text = g_string_new (NULL);
  guint i;

  if (!by_ranges) {
    g_string_printf (text,
        "<SegmentTemplate timescale=\"1\" duration=\"1\" startNumber=\"1\" "
        "initialization=\"%s-0.m4s\" media=\"%s-$Number$.m4s\"/>",
        name, name);
    return g_string_free (text, FALSE);
  }
  g_string_printf (text,
      "<BaseURL>%s.mp4</BaseURL><SegmentList timescale=\"1\" duration=\"1\">"
      "<Initialization range=\"0-%" G_GSIZE_FORMAT "\"/>",
      name, init_size - 1);
  for (i = 0; i < N_SEGMENTS; i++)
    g_string_append_printf (text,
        "<SegmentURL mediaRange=\"%" G_GSIZE_FORMAT "-%" G_GSIZE_FORMAT "\"/>",
        begins[i], begins[i + 1] - 1);
  g_string_append (text, "</SegmentList>");
  return g_string_free (text, FALSE);
}

typedef struct
{
  gchar *by_files[ADAPTIVE_N_TRACKS]; /* representations */
  gchar *by_ranges[ADAPTIVE_N_TRACKS];
} Manifest;

static gchar *
describe (AdaptiveTrack track, gsize init_size, const gsize *begins,
    gboolean by_ranges)
{
  const gchar *name = tracks[track].name;
  g_autofree gchar *segments =
      describe_segments (name, init_size, begins, by_ranges);

  return g_strdup_printf ("<Representation id=\"%s\" bandwidth=\"%u\" "
                          "mimeType=\"%s\" codecs=\"%s\">%s</Representation>",
      name, tracks[track].bandwidth,
      track == ADAPTIVE_SOUND ? "audio/mp4" : "video/mp4",
      track == ADAPTIVE_SOUND ? "mp4a.40.2" : "avc1.42c00d", segments);
}

static void
add_track (AdaptiveServer *server, const gchar *folder, AdaptiveTrack track,
    const gchar *scheme, Manifest *manifest)
{
  const gchar *name = tracks[track].name;
  g_autofree gchar *path = g_strdup_printf ("%s/%s.mp4", folder, name);
  g_autoptr (GBytes) file = make_file (track, scheme);
  gsize begins[N_SEGMENTS + 1], moov = find_box (file, 0, MOOV);
  gsize init_size = moov +
      GST_READ_UINT32_BE ((guint8 *) g_bytes_get_data (file, NULL) + moov);
  guint i;

  find_segments (file, begins);
  adaptive_server_add (server, path, g_bytes_ref (file));
  adaptive_server_add_end (server, path, begins[N_SEGMENTS - 1]);
  add_slice (server, folder, name, 0, file, 0, init_size);
  for (i = 0; i < N_SEGMENTS; i++)
    add_slice (server, folder, name, i + 1, file, begins[i], begins[i + 1]);
  for (i = 0; track == ADAPTIVE_SOUND && i < N_SEGMENTS; i++)
    add_slice (server, folder, "at", i * RATE, file, begins[i], begins[i + 1]);
  manifest->by_files[track] = describe (track, init_size, begins, FALSE);
  manifest->by_ranges[track] = describe (track, init_size, begins, TRUE);
}

static void
add_mpd (AdaptiveServer *server, const gchar *folder, const gchar *name,
    const gchar *scheme, gchar *const *descriptions, const gchar *second)
{
  g_autofree gchar *protection = scheme
      ? g_strdup_printf (
            "<ContentProtection schemeIdUri=\"urn:mpeg:dash:mp4protection:2011\" "
            "value=\"%s\" cenc:default_KID=\"a7e61c37-3e21-9033-c210-91fa607bf3b8\"/>"
            "<ContentProtection schemeIdUri="
            "\"urn:uuid:1077efec-c0b2-4d02-ace3-3c1e52e2fb4b\"/>",
            scheme)
      : g_strdup ("");
  g_autofree gchar *path = g_strdup_printf ("%s/%s.mpd", folder, name);
  g_autofree gchar *text = g_strdup_printf (
      "<?xml version=\"1.0\"?><MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" "
      "xmlns:cenc=\"urn:mpeg:cenc:2013\" type=\"static\" "
      "profiles=\"urn:mpeg:dash:profile:isoff-live:2011\" "
      "minBufferTime=\"PT1S\" mediaPresentationDuration=\"PT2S\"><Period>"
      "<AdaptationSet contentType=\"video\" segmentAlignment=\"true\">%s%s%s"
      "</AdaptationSet><AdaptationSet contentType=\"audio\">%s%s"
      "</AdaptationSet></Period></MPD>",
      protection, descriptions[ADAPTIVE_SMALL], second, protection,
      descriptions[ADAPTIVE_SOUND]);

  adaptive_server_add_text (server, path, text);
}

static void
add_m3u8 (AdaptiveServer *server, const gchar *folder)
{
  g_autofree gchar *path = g_strdup_printf ("%s/title.m3u8", folder);
  GString *text = g_string_new (
      "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:1\n"
      "#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-MAP:URI=\"small-0.m4s\"\n");
  guint i;

  for (i = 1; i <= N_SEGMENTS; i++)
    g_string_append_printf (text, "#EXTINF:1.0,\nsmall-%u.m4s\n", i);
  g_string_append (text, "#EXT-X-ENDLIST\n");
  adaptive_server_add_text (server, path, text->str);
  g_string_free (text, TRUE);
}

/* (transfer full): of {a7e61c37-3e21-9033-c210-91fa607bf3b8} */
static gchar *
describe_protection (void)
{
  g_autofree gchar *object = playready_object_new (
      "<WRMHEADER "
      "xmlns=\"http://schemas.microsoft.com/DRM/2007/03/PlayReadyHeader\" "
      "version=\"4.0.0.0\"><DATA><PROTECTINFO><KEYLEN>16</KEYLEN><ALGID>AESCTR"
      "</ALGID></PROTECTINFO><KID>NxzmpyE+M5DCEJH6YHvzuA==</KID></DATA>"
      "</WRMHEADER>");

  return g_strdup_printf ("<Protection><ProtectionHeader SystemID="
                          "\"9A04F079-9840-4286-AB92-E65BE0885F95\">%s"
                          "</ProtectionHeader></Protection>",
      object);
}

/* Of less than two kilobytes no typefinder says what it is. */
static void
add_manifest (AdaptiveServer *server, const gchar *folder, const gchar *scheme)
{
  g_autofree gchar *path = g_strdup_printf ("%s/Manifest", folder);
  g_autofree gchar *protection =
      scheme ? describe_protection () : g_strdup ("");
  g_autofree gchar *text = g_strdup_printf (
      "<?xml version=\"1.0\"?>\n<SmoothStreamingMedia MajorVersion=\"2\" "
      "MinorVersion=\"1\" TimeScale=\"%u\" Duration=\"%u\"><StreamIndex "
      "Type=\"audio\" TimeScale=\"%u\" QualityLevels=\"1\" Chunks=\"%u\" "
      "Url=\"at-{start time}.m4s\"><QualityLevel Index=\"0\" Bitrate=\"64000\" "
      "FourCC=\"AACL\" SamplingRate=\"%u\" Channels=\"2\" BitsPerSample=\"16\" "
      "PacketSize=\"4\" AudioTag=\"255\" CodecPrivateData=\"1210\"/>"
      "<c t=\"0\" d=\"%u\"/><c t=\"%u\" d=\"%u\"/></StreamIndex>%s"
      "</SmoothStreamingMedia>%2048s",
      RATE, N_SEGMENTS * RATE, RATE, N_SEGMENTS, RATE, RATE, RATE, RATE,
      protection, "");

  adaptive_server_add_text (server, path, text);
}

void
adaptive_media_add (AdaptiveServer *server, const gchar *folder,
    const gchar *scheme)
{
  Manifest manifest = { { NULL } };
  gchar *large[ADAPTIVE_N_TRACKS];
  guint i;

  for (i = 0; i < ADAPTIVE_N_TRACKS; i++)
    add_track (server, folder, i, scheme, &manifest);
  memcpy (large, manifest.by_files, sizeof large);
  large[ADAPTIVE_SMALL] = large[ADAPTIVE_LARGE];
  add_mpd (server, folder, "small", scheme, manifest.by_files, "");
  add_mpd (server, folder, "large", scheme, large, "");
  add_mpd (server, folder, "both", scheme, manifest.by_files,
      manifest.by_files[ADAPTIVE_LARGE]);
  add_mpd (server, folder, "ranges", scheme, manifest.by_ranges, "");
  add_m3u8 (server, folder);
  add_manifest (server, folder, scheme);
  for (i = 0; i < ADAPTIVE_N_TRACKS; i++) {
    g_free (manifest.by_files[i]);
    g_free (manifest.by_ranges[i]);
  }
}
