/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "remix-test.h"

#include "smilremix/remix-playlist.h"

#define BASE "http://origin/titles/a.smil"
#define SMIL "<smil xmlns='http://www.w3.org/2001/SMIL20/Language'>"

static RemixPlaylist *
parse (const gchar *text)
{
  GError *error = NULL;
  RemixPlaylist *self =
      remix_playlist_parse (text, strlen (text), BASE, FALSE, &error);

  fail_unless_no_error (error);
  return self;
}

static RemixPlaylist *
parse_body (const gchar *body)
{
  g_autofree gchar *text =
      g_strconcat (SMIL "<body>", body, "</body></smil>", NULL);

  return parse (text);
}

static void
expect_error (const gchar *text, gssize size, RemixError code,
    const gchar *message)
{
  GError *error = NULL;
  RemixPlaylist *self = remix_playlist_parse (text,
      size < 0 ? strlen (text) : (gsize) size, BASE, FALSE, &error);

  fail_unless (self == NULL, "taken: %.80s", text);
  fail_unless_remix_error (error, code, message);
}

static void
expect_body_error (const gchar *body, const gchar *message)
{
  g_autofree gchar *text =
      g_strconcat (SMIL "\n<body>", body, "</body></smil>", NULL);

  expect_error (text, -1, REMIX_ERROR_PLAYLIST, message);
}

static RemixClip *
get_clip (RemixPlaylist *self, guint i)
{
  fail_unless (i < self->clips->len);
  return g_ptr_array_index (self->clips, i);
}

static RemixMedia *
get_media (RemixPlaylist *self, guint clip, guint segment, guint media)
{
  RemixClip *c = get_clip (self, clip);
  RemixSegment *s;

  fail_unless (segment < c->segments->len);
  s = g_ptr_array_index (c->segments, segment);
  fail_unless (media < s->media->len);
  return g_ptr_array_index (s->media, media);
}

/* Remix's documentation, "a pre-roll bumper and 30 seconds". */
GST_START_TEST (test_bumper)
{
  g_autoptr (RemixPlaylist) self =
      parse ("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n" SMIL
             "\n  <head/>\n  <body>\n    <seq>\n"
             "      <video src=\"http://sample-content/logo_5s.mp4\"/>\n"
             "      <video src=\"http://sample-content/tears-of-steel.mp4\"\n"
             "        clipBegin=\"wallclock(1970-01-01T00:00:15.000Z)\"\n"
             "        clipEnd=\"wallclock(1970-01-01T00:00:45.000Z)\"/>\n"
             "    </seq>\n  </body>\n</smil>\n");
  RemixMedia *clip = get_media (self, 1, 0, 0);

  fail_unless_equals_int (self->clips->len, 2);
  fail_unless_equals_int (self->warnings->len, 0);
  fail_unless_equals_string (get_media (self, 0, 0, 0)->uri,
      "http://sample-content/logo_5s.mp4");
  fail_if (get_media (self, 0, 0, 0)->range.has_begin);
  fail_unless (clip->range.has_begin && clip->range.has_end);
  fail_unless_equals_uint64 (remix_time_to_ticks (&clip->range.begin, 1), 15);
  fail_unless_equals_uint64 (remix_time_to_ticks (&clip->range.end, 1), 45);
  fail_unless_equals_int (clip->range.mode, REMIX_CLIP_GOP);
  fail_unless_equals_int (clip->place.line, 7);
  fail_unless_equals_int (clip->place.column, 7);
}

GST_END_TEST;

GST_START_TEST (test_output_description)
{
  g_autoptr (RemixPlaylist) self = parse (
      SMIL "<head><meta name='outputDescription' content='../profile.mp4'/>"
           "<meta name='vod2live' content='true'/></head>"
           "<body><video src='a.mp4'/></body></smil>");

  fail_unless_equals_string (self->output_description,
      "http://origin/profile.mp4");
  fail_unless_equals_int (self->warnings->len, 1);
  fail_unless (strstr (g_ptr_array_index (self->warnings, 0),
                   "the meta vod2live is ignored") != NULL);
}

GST_END_TEST;

GST_START_TEST (test_par)
{
  g_autoptr (RemixPlaylist) self = parse_body (
      "<seq><par clipBegin='3s' clipEnd='9s' clipMode='sample'>"
      "<video src='v1.mp4'/><audio src='a.mp4'/>"
      "<seq><video src='t.mp4'/></seq><par><video src='v2.mp4'/></par>"
      "</par></seq>");
  guint i;

  fail_unless_equals_int (self->clips->len, 1);
  for (i = 0; i < 4; i++) {
    RemixMedia *media = get_media (self, 0, 0, i);

    fail_unless_equals_uint64 (remix_time_to_ticks (&media->range.begin, 1), 3);
    fail_unless_equals_int (media->range.mode, REMIX_CLIP_SAMPLE);
  }
  fail_unless_equals_string (get_media (self, 0, 0, 3)->uri,
      "http://origin/titles/v2.mp4");
}

GST_END_TEST;

GST_START_TEST (test_nesting)
{
  g_autoptr (RemixPlaylist) self =
      parse ("<smil><body><video src='1'/><seq><seq><audio src='2'/></seq>"
             "<text src='3'/></seq><ref src='4'/></body></smil>");
  guint i;

  fail_unless_equals_int (self->clips->len, 4);
  for (i = 0; i < 4; i++) {
    g_autofree gchar *uri = g_strdup_printf ("http://origin/titles/%u", i + 1);

    fail_unless_equals_string (get_media (self, i, 0, 0)->uri, uri);
  }
}

GST_END_TEST;

GST_START_TEST (test_continuous)
{
  g_autoptr (RemixPlaylist) self = parse_body (
      "<seq isContinuous='true' clipBegin='wallclock(2022-01-01T00:00:03Z)'"
      " clipEnd='wallclock(2022-01-01T00:00:17Z)'>"
      "<par><video src='v0.mp4'/><video src='a0.mp4'/></par>"
      "<par><video src='v1.mp4'/><video src='a1.mp4'/></par></seq>");
  RemixClip *clip = get_clip (self, 0);

  fail_unless (clip->continuous);
  fail_unless_equals_int (clip->segments->len, 2);
  fail_unless (clip->range.has_begin && clip->range.begin.wallclock);
  fail_if (get_media (self, 0, 1, 1)->range.has_begin);
  fail_unless_equals_string (get_media (self, 0, 1, 1)->uri,
      "http://origin/titles/a1.mp4");
}

GST_END_TEST;

GST_START_TEST (test_base)
{
  g_autoptr (RemixPlaylist) self =
      parse ("<smil xml:base='http://cdn/x/'><body xml:base='y/'>"
             "<video src='1' xml:base='../z/'/><video src='2'/></body></smil>");

  fail_unless_equals_string (get_media (self, 0, 0, 0)->uri,
      "http://cdn/x/z/1");
  fail_unless_equals_string (get_media (self, 1, 0, 0)->uri,
      "http://cdn/x/y/2");
}

GST_END_TEST;

GST_START_TEST (test_events)
{
  g_autoptr (RemixPlaylist) self = parse_body (
      "<seq><video src='a.mp4'/><par><video src='b.mp4'/>"
      "<EventStream xmlns='urn:mpeg:dash:schema:mpd:2011' timescale='1000'"
      " schemeIdUri='urn:scte:scte35:2013:xml'>"
      "<Event presentationTime='2500' duration='30000' id='7'>"
      "<s:SpliceInfoSection xmlns:s='http://www.scte.org/schemas/35/2016'>"
      "<s:SpliceInsert spliceEventId='1'/></s:SpliceInfoSection></Event>"
      "<Event presentationTime='5000'>text</Event>"
      "</EventStream></par>"
      "<par><EventStream schemeIdUri='urn:x'>"
      "<Event contentEncoding='base64'> AAEC </Event></EventStream></par>"
      "</seq>");
  RemixEventStream *stream =
      g_ptr_array_index (get_clip (self, 1)->event_streams, 0);
  RemixEvent *event = g_ptr_array_index (stream->events, 0);
  g_autofree gchar *xml = g_strndup (g_bytes_get_data (event->message, NULL),
      g_bytes_get_size (event->message));

  fail_unless_equals_int (self->clips->len, 3);
  fail_unless_equals_int (stream->timescale, 1000);
  fail_unless_equals_int (stream->events->len, 2);
  fail_unless_equals_uint64 (event->presentation_time, 2500);
  fail_unless_equals_int (event->id, 7);
  fail_unless (event->has_duration && event->duration == 30000);
  fail_unless_equals_string (xml,
      "<s:SpliceInfoSection xmlns:s=\"http://www.scte.org/schemas/35/2016\">"
      "<s:SpliceInsert spliceEventId=\"1\"/></s:SpliceInfoSection>");
  fail_if (
      ((RemixEvent *) g_ptr_array_index (stream->events, 1))->has_duration);

  stream = g_ptr_array_index (get_clip (self, 2)->event_streams, 0);
  event = g_ptr_array_index (stream->events, 0);
  fail_unless_equals_int (get_clip (self, 2)->segments->len, 0);
  fail_unless_equals_int (g_bytes_get_size (event->message), 3);
  fail_unless (
      memcmp (g_bytes_get_data (event->message, NULL), "\0\1\2", 3) == 0);
}

GST_END_TEST;

GST_START_TEST (test_conditioning)
{
  g_autoptr (RemixPlaylist) self = parse_body (
      "<par><video src='a.mp4'/><c:ConditioningInfo xmlns:c='urn:esam'"
      " acquisitionSignalIDRef='x' startOffset='PT10S' duration='PT30S'/>"
      "</par>");
  GArray *conditions = get_clip (self, 0)->conditions;

  fail_unless_equals_int (conditions->len, 2);
  fail_unless_equals_uint64 (g_array_index (conditions, RemixCondition, 0)
                                 .offset,
      10 * GST_SECOND);
  fail_unless_equals_uint64 (g_array_index (conditions, RemixCondition, 1)
                                 .offset,
      40 * GST_SECOND);
}

GST_END_TEST;

GST_START_TEST (test_type_errors)
{
  expect_error ("", -1, REMIX_ERROR_TYPE, "no XML");
  expect_error ("#EXTM3U\n", -1, REMIX_ERROR_TYPE, "no XML");
  expect_error ("\0\0\0\x20"
                "ftypisom<",
      13, REMIX_ERROR_TYPE, "no XML");
  expect_error ("<MPD/>", -1, REMIX_ERROR_TYPE, "its root is MPD");
  expect_error ("<smil xmlns='urn:other'/>", -1, REMIX_ERROR_TYPE,
      "its namespace is urn:other");
}

GST_END_TEST;

GST_START_TEST (test_xml_errors)
{
  expect_error (SMIL "\n<body>\n<video src='a.mp4'></body></smil>", -1,
      REMIX_ERROR_XML, "line 3, column");
  expect_error (SMIL "<body><video src='a&b.mp4'/></body></smil>", -1,
      REMIX_ERROR_XML, "line 1");
  expect_error (SMIL "<body><video src='&e;'/></body></smil>", -1,
      REMIX_ERROR_XML, "e");
  expect_error ("<smil><body><video src='a'/>", -1, REMIX_ERROR_XML, "line 1");
}

GST_END_TEST;

GST_START_TEST (test_playlist_errors)
{
  expect_error (SMIL "</smil>", -1, REMIX_ERROR_PLAYLIST, "no body");
  expect_body_error ("", "nothing to play");
  expect_body_error ("<seq/>", "nothing to play");
  expect_body_error ("<seq><par/></seq>", "line 2, column 12: an empty par");
  expect_body_error ("\n  <video/>", "line 3, column 3: video has no src");
  expect_body_error ("<video src=''/>", "empty address");
  expect_body_error ("<video src='a' clipBegin='soon'/>",
      "line 2, column 7: clipBegin: \"soon\" is not a time");
  expect_body_error ("<video src='a' clipBegin='9s' clipEnd='3s'/>",
      "clipBegin is not before clipEnd");
  expect_body_error ("<video src='a' clipBegin='3s' clipEnd='3s'/>",
      "clipBegin is not before clipEnd");
  expect_body_error ("<video src='a' clipBegin='3s'"
                     " clipEnd='wallclock(1970-01-01T00:00:09Z)'/>",
      "both wallclock");
  expect_body_error ("<video src='a' clipMode='frame'/>", "clipMode is");
  expect_body_error ("<seq clipBegin='1s'>\n<par clipEnd='2s'>"
                     "<video src='a'/></par></seq>",
      "line 3, column 1: clip attributes here and on the element at line 2");
  expect_body_error ("<par clipBegin='1s'><video src='a' clipEnd='2s'/></par>",
      "clip attributes here and");
  expect_body_error ("<seq isContinuous='true'/>", "holds nothing");
  expect_body_error ("<seq isContinuous='yes'/>", "isContinuous is");
  expect_body_error (
      "<seq isContinuous='1'><video src='a' clipEnd='1s'/></seq>",
      "clip attributes here and");
  expect_body_error ("<seq isContinuous='1'><seq><video src='a'/></seq></seq>",
      "seq is not supported here");
  expect_body_error ("<par><seq><video src='a'/><video src='b'/></seq></par>",
      "seq is not supported here");
  expect_body_error ("<switch><video src='a'/></switch>",
      "switch is not supported here");
  expect_body_error ("<img src='a.png'/>", "img is not supported here");
  expect_body_error ("<video src='a'><video src='b'/></video>",
      "video is not supported here");
  expect_body_error ("<video src='a'/><par><EventStream/></par>",
      "no schemeIdUri");
  expect_body_error ("<video src='a'/><par>"
                     "<EventStream schemeIdUri='u' timescale='0'/></par>",
      "timescale 0");
  expect_body_error ("<video src='a'/><par><EventStream schemeIdUri='u'>"
                     "<Event presentationTime='-1'/></EventStream></par>",
      "presentationTime is not a number");
  expect_body_error ("<video src='a'/><par><ConditioningInfo startOffset='1'/>"
                     "</par>",
      "startOffset: \"1\" is not a duration");
}

GST_END_TEST;

GST_START_TEST (test_strict)
{
  static const gchar text[] =
      SMIL "<head><layout/></head><body>\n"
           "<video src='a' dur='3s' x:y='z' xmlns:x='urn:x'/></body></smil>";
  g_autoptr (RemixPlaylist) self = parse (text);
  GError *error = NULL;

  fail_unless_equals_int (self->warnings->len, 2);
  fail_unless (strstr (g_ptr_array_index (self->warnings, 1),
      "line 2, column 1: video: the attribute dur is ignored"));
  fail_if (remix_playlist_parse (text, strlen (text), BASE, TRUE, &error));
  fail_unless_remix_error (error, REMIX_ERROR_PLAYLIST,
      "the element layout is ignored");
}

GST_END_TEST;

/* Case 23 of the facts: each of these has to be refused at once. */
GST_START_TEST (test_hostile)
{
  g_autoptr (GString) text = g_string_new (NULL);
  guint i;

  expect_error ("<!DOCTYPE smil SYSTEM 'file:///etc/passwd'><smil/>", -1,
      REMIX_ERROR_XML, "a DOCTYPE is refused");
  expect_error ("<!DOCTYPE smil [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;'>"
                "<!ENTITY c '&b;&b;&b;'>]><smil>&c;</smil>",
      -1, REMIX_ERROR_XML, "a DOCTYPE is refused");

  for (i = 0; i < 1000; i++)
    g_string_append (text, i == 0 ? "<smil>" : "<seq>");
  expect_error (text->str, -1, REMIX_ERROR_LIMIT, "nested deeper");

  g_string_assign (text, "<smil><body>");
  for (i = 0; i < 100000; i++)
    g_string_append (text, "<ref/>");
  expect_error (text->str, -1, REMIX_ERROR_LIMIT, "more than 10000 clips");

  g_string_assign (text, "<smil><body>");
  for (i = 0; i < 150000; i++)
    g_string_append (text, "<a/>");
  expect_error (text->str, -1, REMIX_ERROR_LIMIT, "more than 100000 elements");

  g_string_assign (text, "<smil>");
  while (text->len < 2u << 20)
    g_string_append_c (text, ' ');
  expect_error (text->str, -1, REMIX_ERROR_LIMIT, "2097152 bytes");
}

GST_END_TEST;

/* The column of the 10,000th element on one line is still right, or at least
 * costs nothing. */
GST_START_TEST (test_one_line)
{
  g_autoptr (GString) text = g_string_new ("<smil><body>");
  g_autoptr (RemixPlaylist) self = NULL;
  guint i;

  for (i = 0; i < 10000; i++)
    g_string_append (text, "<ref src='a'/>");
  g_string_append (text, "</body></smil>");
  self = parse (text->str);
  fail_unless_equals_int (self->clips->len, 10000);
  fail_unless_equals_int (get_clip (self, 9999)->place.column, 13 + 9999 * 14);
}

GST_END_TEST;

static Suite *
remix_playlist_suite (void)
{
  Suite *s = suite_create ("smilremix-playlist");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_bumper);
  tcase_add_test (tc, test_output_description);
  tcase_add_test (tc, test_par);
  tcase_add_test (tc, test_nesting);
  tcase_add_test (tc, test_continuous);
  tcase_add_test (tc, test_base);
  tcase_add_test (tc, test_events);
  tcase_add_test (tc, test_conditioning);
  tcase_add_test (tc, test_type_errors);
  tcase_add_test (tc, test_xml_errors);
  tcase_add_test (tc, test_playlist_errors);
  tcase_add_test (tc, test_strict);
  tcase_add_test (tc, test_hostile);
  tcase_add_test (tc, test_one_line);

  return s;
}

GST_CHECK_MAIN (remix_playlist);
