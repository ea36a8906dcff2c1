/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "remix-playlist.h"

#include <string.h>

#include "remix-parse.h"
#include "remix-uri.h"

/* Elements that stand for a source. Their names say nothing about what is in
 * it: audio and subtitles often come as <video>. */
static const gchar *const media_names[] = { "video", "audio", "text",
  "textstream", "ref", "media", "animation", NULL };

/* What an element has from the elements around it. */
typedef struct
{
  const gchar *base; /* absolute URI or NULL */
  const RemixRange
      *range; /* of a seq or par that carries attributes, or NULL */
  RemixClipMode mode;
  guint depth_in_par;
} Scope;

static void
media_free (RemixMedia *self)
{
  g_free (self->uri);
  g_free (self);
}

static void
segment_free (RemixSegment *self)
{
  g_ptr_array_unref (self->media);
  g_free (self);
}

static RemixSegment *
segment_new (void)
{
  RemixSegment *self = g_new0 (RemixSegment, 1);

  self->media = g_ptr_array_new_with_free_func ((GDestroyNotify) media_free);
  return self;
}

static void
clip_free (RemixClip *self)
{
  g_ptr_array_unref (self->segments);
  g_ptr_array_unref (self->event_streams);
  g_array_unref (self->conditions);
  g_free (self);
}

static RemixClip *
clip_new (RemixPlace place)
{
  RemixClip *self = g_new0 (RemixClip, 1);

  self->segments =
      g_ptr_array_new_with_free_func ((GDestroyNotify) segment_free);
  self->event_streams =
      g_ptr_array_new_with_free_func ((GDestroyNotify) remix_event_stream_free);
  self->conditions = g_array_new (FALSE, FALSE, sizeof (RemixCondition));
  self->place = place;
  return self;
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (RemixClip, clip_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RemixSegment, segment_free)

void
remix_playlist_free (RemixPlaylist *self)
{
  if (!self)
    return;
  g_free (self->output_description);
  g_ptr_array_unref (self->clips);
  g_ptr_array_unref (self->warnings);
  g_free (self);
}

/* Attributes that have a meaning here, or need none: a reader, not a player,
 * may leave names, titles and hints alone. */
static gboolean
is_known_attribute (const gchar *name)
{
  static const gchar *const known[] = { "src", "clipBegin", "clipEnd",
    "clip-begin", "clip-end", "clipMode", "isContinuous", "id", "base", "lang",
    "space", "class", "title", "alt", "longdesc", "author", "copyright",
    "abstract", "type", "region", "systemBitrate", "systemLanguage", NULL };

  return g_strv_contains (known, name);
}

/* Foreign attributes (another namespace than none and xml) are for others. */
static gboolean
check_attributes (RemixParser *self, xmlNode *node, GError **error)
{
  xmlAttr *attribute;

  for (attribute = node->properties; attribute; attribute = attribute->next) {
    const gchar *name = (const gchar *) attribute->name;

    if (attribute->ns &&
        strcmp ((const gchar *) attribute->ns->prefix, "xml") != 0)
      continue;
    if (!is_known_attribute (name) &&
        !remix_parser_warn (self, node, error,
            "%s: the attribute %s is ignored", (const gchar *) node->name,
            name))
      return FALSE;
  }
  return TRUE;
}

static gchar *
get_either (xmlNode *node, const gchar *name, const gchar *other)
{
  gchar *value = remix_xml_get (node, name);

  return value ? value : remix_xml_get (node, other);
}

static gboolean
parse_one_time (RemixParser *self, xmlNode *node, const gchar *text,
    const gchar *name, RemixTime *time, gboolean *has, GError **error)
{
  if (!text)
    return TRUE;
  *has = TRUE;
  if (remix_time_parse (time, text, error))
    return TRUE;
  g_prefix_error (error, "%s: ", name);
  return remix_parser_prefix (self, node, error);
}

static gboolean
parse_clip_mode (RemixParser *self, xmlNode *node, RemixClipMode *mode,
    GError **error)
{
  g_autofree gchar *text = remix_xml_get (node, "clipMode");

  if (!text)
    return TRUE;
  if (strcmp (text, "gop") == 0)
    *mode = REMIX_CLIP_GOP;
  else if (strcmp (text, "sample") == 0)
    *mode = REMIX_CLIP_SAMPLE;
  else
    return remix_parser_fail (self, node, error, REMIX_ERROR_PLAYLIST,
        "clipMode is \"gop\" or \"sample\", not \"%.32s\"", text);
  return TRUE;
}

/* Whether begin lies before end, as far as both count from the same point. */
static gboolean
check_order (RemixParser *self, xmlNode *node, const RemixRange *range,
    GError **error)
{
  if (!range->has_begin || !range->has_end)
    return TRUE;
  if (range->begin.wallclock != range->end.wallclock)
    return remix_parser_fail (self, node, error, REMIX_ERROR_PLAYLIST,
        "clipBegin and clipEnd have to be both wallclock, or both not");
  if (remix_time_to_ticks (&range->begin, 1000000000) >=
      remix_time_to_ticks (&range->end, 1000000000))
    return remix_parser_fail (self, node, error, REMIX_ERROR_PLAYLIST,
        "clipBegin is not before clipEnd");
  return TRUE;
}

/* Reads clipBegin, clipEnd and clipMode of @node into @range, which is preset
 * from @scope. */
static gboolean
parse_range (RemixParser *self, xmlNode *node, const Scope *scope,
    RemixRange *range, gboolean *own, GError **error)
{
  g_autofree gchar *begin = get_either (node, "clipBegin", "clip-begin");
  g_autofree gchar *end = get_either (node, "clipEnd", "clip-end");

  memset (range, 0, sizeof (*range));
  if (scope->range)
    *range = *scope->range;
  range->mode = scope->mode;
  *own = begin || end;
  if (*own && scope->range)
    return remix_parser_fail (self, node, error, REMIX_ERROR_PLAYLIST,
        "clip attributes here and on the element at line %u around it",
        scope->range->place.line);
  if (*own)
    range->place = remix_xml_get_place (self->xml, node);
  return parse_one_time (self, node, begin, "clipBegin", &range->begin,
             &range->has_begin, error) &&
      parse_one_time (self, node, end, "clipEnd", &range->end, &range->has_end,
          error) &&
      parse_clip_mode (self, node, &range->mode, error) &&
      check_order (self, node, range, error);
}

/* What stands around @node's children: its own xml:base and clip attributes,
 * else those around itself. @range and @base are the caller's storage. */
static gboolean
enter (RemixParser *self, xmlNode *node, const Scope *outer, Scope *inner,
    RemixRange *range, gchar **base, GError **error)
{
  g_autofree gchar *relative = remix_xml_get_base (node);
  gboolean own = FALSE;

  *inner = *outer;
  if (relative) {
    *base = remix_uri_resolve (outer->base, relative, error);
    if (!*base)
      return remix_parser_prefix (self, node, error);
    inner->base = *base;
  }
  if (!check_attributes (self, node, error) ||
      !parse_range (self, node, outer, range, &own, error))
    return FALSE;
  inner->mode = range->mode;
  if (own)
    inner->range = range;
  return TRUE;
}

static gboolean
is_media (xmlNode *node)
{
  return g_strv_contains (media_names, (const gchar *) node->name);
}

/* What a clip may hold beside media. TRUE in @handled if it was one of these. */
static gboolean
parse_annotation (RemixParser *self, xmlNode *node, RemixClip *clip,
    gboolean *handled, GError **error)
{
  *handled = TRUE;
  if (remix_xml_is (node, "EventStream"))
    return remix_parse_event_stream (self, node, clip, error);
  if (remix_xml_is (node, "ConditioningInfo"))
    return remix_parse_conditioning (self, node, clip, error);
  *handled = FALSE;
  return TRUE;
}

/* Elements that would have put something on the screen: to leave them out
 * would make a title with a hole. */
static gboolean
refuse_or_ignore (RemixParser *self, xmlNode *node, GError **error)
{
  static const gchar *const presenting[] = { "img", "switch", "excl", "brush",
    "priorityClass", "par", "seq", "body", NULL };
  const gchar *name = (const gchar *) node->name;

  if (g_strv_contains (presenting, name) || is_media (node))
    return remix_parser_fail (self, node, error, REMIX_ERROR_PLAYLIST,
        "%s is not supported here", name);
  return remix_parser_warn (self, node, error, "the element %s is ignored",
      name);
}

static gboolean
parse_media (RemixParser *self, xmlNode *node, const Scope *outer,
    RemixClip *clip, RemixSegment *segment, GError **error)
{
  g_autofree gchar *base = NULL;
  g_autofree gchar *src = remix_xml_get (node, "src");
  RemixMedia *media;
  RemixRange range;
  Scope scope;
  xmlNode *child;

  if (!enter (self, node, outer, &scope, &range, &base, error))
    return FALSE;
  if (!src)
    return remix_parser_fail (self, node, error, REMIX_ERROR_PLAYLIST,
        "%s has no src", (const gchar *) node->name);
  media = g_new0 (RemixMedia, 1);
  g_ptr_array_add (segment->media, media);
  media->place = remix_xml_get_place (self->xml, node);
  media->range = range;
  media->uri = remix_uri_resolve (scope.base, src, error);
  if (!media->uri)
    return remix_parser_prefix (self, node, error);
  for (child = remix_xml_first (node); child; child = remix_xml_next (child)) {
    gboolean handled;

    if (!parse_annotation (self, child, clip, &handled, error))
      return FALSE;
    if (!handled && !remix_xml_is (child, "param") &&
        !refuse_or_ignore (self, child, error))
      return FALSE;
  }
  return TRUE;
}

/* A seq in a par is taken if it stands for one source. */
static gboolean
parse_par_children (RemixParser *self, xmlNode *node, const Scope *outer,
    RemixClip *clip, RemixSegment *segment, GError **error)
{
  g_autofree gchar *base = NULL;
  RemixRange range;
  Scope scope;
  xmlNode *child;

  if (!enter (self, node, outer, &scope, &range, &base, error))
    return FALSE;
  for (child = remix_xml_first (node); child; child = remix_xml_next (child)) {
    gboolean handled,
        single = remix_xml_is (child, "seq") &&
        xmlChildElementCount (child) == 1 && is_media (remix_xml_first (child));

    if (!parse_annotation (self, child, clip, &handled, error))
      return FALSE;
    if (handled)
      continue;
    if (is_media (child)) {
      if (!parse_media (self, child, &scope, clip, segment, error))
        return FALSE;
    } else if (single || remix_xml_is (child, "par")) {
      if (!parse_par_children (self, child, &scope, clip, segment, error))
        return FALSE;
    } else if (!refuse_or_ignore (self, child, error))
      return FALSE;
  }
  return TRUE;
}

/* A par or a media element as a segment of @clip. */
static gboolean
parse_segment (RemixParser *self, xmlNode *node, const Scope *scope,
    RemixClip *clip, GError **error)
{
  g_autoptr (RemixSegment) segment = segment_new ();

  if (is_media (node)
          ? !parse_media (self, node, scope, clip, segment, error)
          : !parse_par_children (self, node, scope, clip, segment, error))
    return FALSE;
  if (segment->media->len > 0)
    g_ptr_array_add (clip->segments, g_steal_pointer (&segment));
  else if (clip->event_streams->len == 0 && clip->conditions->len == 0)
    return remix_parser_fail (self, node, error, REMIX_ERROR_PLAYLIST,
        "an empty par");
  return TRUE;
}

static gboolean
parse_simple_clip (RemixParser *self, xmlNode *node, const Scope *scope,
    GError **error)
{
  g_autoptr (RemixClip) clip = clip_new (remix_xml_get_place (self->xml, node));

  if (!parse_segment (self, node, scope, clip, error))
    return FALSE;
  g_ptr_array_add (self->playlist->clips, g_steal_pointer (&clip));
  return TRUE;
}

/* Attributes of the seq, or around it, clip what the segments are when merged;
 * a segment cannot have its own. */
static gboolean
parse_continuous (RemixParser *self, xmlNode *node, const Scope *outer,
    GError **error)
{
  g_autoptr (RemixClip) clip = clip_new (remix_xml_get_place (self->xml, node));
  g_autofree gchar *base = NULL;
  RemixRange none = { 0 };
  Scope scope;
  xmlNode *child;

  if (!enter (self, node, outer, &scope, &clip->range, &base, error))
    return FALSE;
  clip->continuous = TRUE;
  none.place = clip->place;
  scope.range = &none;
  for (child = remix_xml_first (node); child; child = remix_xml_next (child)) {
    gboolean handled;

    if (!parse_annotation (self, child, clip, &handled, error))
      return FALSE;
    if (handled)
      continue;
    if (is_media (child) || remix_xml_is (child, "par")) {
      if (!parse_segment (self, child, &scope, clip, error))
        return FALSE;
    } else if (!refuse_or_ignore (self, child, error))
      return FALSE;
  }
  if (clip->segments->len == 0)
    return remix_parser_fail (self, node, error, REMIX_ERROR_PLAYLIST,
        "a seq with isContinuous that holds nothing");
  g_ptr_array_add (self->playlist->clips, g_steal_pointer (&clip));
  return TRUE;
}

static gboolean
get_boolean (RemixParser *self, xmlNode *node, const gchar *name,
    gboolean *value, GError **error)
{
  g_autofree gchar *text = remix_xml_get (node, name);

  *value = FALSE;
  if (!text || strcmp (text, "false") == 0 || strcmp (text, "0") == 0)
    return TRUE;
  *value = TRUE;
  if (strcmp (text, "true") == 0 || strcmp (text, "1") == 0)
    return TRUE;
  return remix_parser_fail (self, node, error, REMIX_ERROR_PLAYLIST,
      "%s is \"true\" or \"false\", not \"%.32s\"", name, text);
}

/* body, or a seq: clips in order. */
static gboolean
parse_sequence (RemixParser *self, xmlNode *node, const Scope *outer,
    GError **error)
{
  g_autofree gchar *base = NULL;
  gboolean continuous;
  RemixRange range;
  Scope scope;
  xmlNode *child;

  if (!get_boolean (self, node, "isContinuous", &continuous, error))
    return FALSE;
  if (continuous)
    return parse_continuous (self, node, outer, error);
  if (!enter (self, node, outer, &scope, &range, &base, error))
    return FALSE;
  for (child = remix_xml_first (node); child; child = remix_xml_next (child)) {
    gboolean ok;

    if (remix_xml_is (child, "seq"))
      ok = parse_sequence (self, child, &scope, error);
    else if (is_media (child) || remix_xml_is (child, "par"))
      ok = parse_simple_clip (self, child, &scope, error);
    else
      ok = refuse_or_ignore (self, child, error);
    if (!ok)
      return FALSE;
  }
  return TRUE;
}

static gboolean
parse_meta (RemixParser *self, xmlNode *node, const Scope *scope,
    GError **error)
{
  g_autofree gchar *name = remix_xml_get (node, "name");
  g_autofree gchar *content = remix_xml_get (node, "content");

  if (g_strcmp0 (name, "outputDescription") != 0)
    return remix_parser_warn (self, node, error, "the meta %.64s is ignored",
        name ? name : "without a name");
  if (!content || self->playlist->output_description)
    return remix_parser_fail (self, node, error, REMIX_ERROR_PLAYLIST,
        content ? "a second outputDescription"
                : "outputDescription has no content");
  self->playlist->output_description =
      remix_uri_resolve (scope->base, content, error);
  self->playlist->output_description_place =
      remix_xml_get_place (self->xml, node);
  if (!self->playlist->output_description)
    return remix_parser_prefix (self, node, error);
  return TRUE;
}

static gboolean
parse_head (RemixParser *self, xmlNode *node, const Scope *outer,
    GError **error)
{
  g_autofree gchar *base = NULL;
  RemixRange range;
  Scope scope;
  xmlNode *child;

  if (!enter (self, node, outer, &scope, &range, &base, error))
    return FALSE;
  for (child = remix_xml_first (node); child; child = remix_xml_next (child)) {
    if (remix_xml_is (child, "meta")
            ? !parse_meta (self, child, &scope, error)
            : !remix_parser_warn (self, child, error,
                  "the element %s is ignored", (const gchar *) child->name))
      return FALSE;
  }
  return TRUE;
}

/* SMIL 1.0 to 3.0, or no namespace. */
static gboolean
check_root (RemixParser *self, xmlNode *root, GError **error)
{
  const gchar *ns = root->ns ? (const gchar *) root->ns->href : NULL;

  if (!remix_xml_is (root, "smil"))
    return remix_parser_fail (self, root, error, REMIX_ERROR_TYPE,
        "this is no SMIL playlist: its root is %.64s",
        (const gchar *) root->name);
  if (ns && !strstr (ns, "/SMIL") && !strstr (ns, "/smil") &&
      !strstr (ns, "REC-smil"))
    return remix_parser_fail (self, root, error, REMIX_ERROR_TYPE,
        "this is no SMIL playlist: its namespace is %.128s", ns);
  return TRUE;
}

static gboolean
parse_root (RemixParser *self, const gchar *base_uri, GError **error)
{
  xmlNode *root = remix_xml_get_root (self->xml), *child;
  g_autofree gchar *base = NULL;
  gboolean has_body = FALSE;
  Scope outer = { base_uri, NULL, REMIX_CLIP_GOP, 0 }, scope;
  RemixRange range;

  if (!check_root (self, root, error) ||
      !enter (self, root, &outer, &scope, &range, &base, error))
    return FALSE;
  for (child = remix_xml_first (root); child; child = remix_xml_next (child)) {
    gboolean ok;

    if (remix_xml_is (child, "head"))
      ok = parse_head (self, child, &scope, error);
    else if (remix_xml_is (child, "body") && !has_body) {
      has_body = TRUE;
      ok = parse_sequence (self, child, &scope, error);
    } else
      ok = refuse_or_ignore (self, child, error);
    if (!ok)
      return FALSE;
  }
  if (!has_body)
    return remix_parser_fail (self, root, error, REMIX_ERROR_PLAYLIST,
        "there is no body");
  return TRUE;
}

/* Events alone make no title. */
static gboolean
check_clips (RemixParser *self, GError **error)
{
  guint i;

  for (i = 0; i < self->playlist->clips->len; i++) {
    const RemixClip *clip = g_ptr_array_index (self->playlist->clips, i);

    if (clip->segments->len > 0)
      return TRUE;
  }
  return remix_parser_fail (self, remix_xml_get_root (self->xml), error,
      REMIX_ERROR_PLAYLIST, "there is nothing to play");
}

RemixPlaylist *
remix_playlist_parse (const gchar *data, gsize size, const gchar *base_uri,
    gboolean strict, GError **error)
{
  g_autoptr (RemixXml) xml =
      remix_xml_parse (data, size, REMIX_MAX_CLIPS, media_names, error);
  g_autoptr (RemixPlaylist) playlist = NULL;
  RemixParser parser;

  if (!xml)
    return NULL;
  playlist = g_new0 (RemixPlaylist, 1);
  playlist->clips = g_ptr_array_new_with_free_func ((GDestroyNotify) clip_free);
  playlist->warnings = g_ptr_array_new_with_free_func (g_free);
  parser.xml = xml;
  parser.playlist = playlist;
  parser.strict = strict;
  if (!parse_root (&parser, base_uri, error) || !check_clips (&parser, error))
    return NULL;
  return g_steal_pointer (&playlist);
}
