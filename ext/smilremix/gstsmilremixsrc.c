/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-smilremixsrc
 * @title: smilremixsrc
 * @short_description: a SMIL playlist as one MP4, without re-encoding
 *
 * Reads a SMIL playlist of the kind that Unified Remix takes, and gives one MP4
 * that holds its clips one behind the other, cut at keyframes, with sound and
 * picture in step however many joins there are. Nothing is decoded or encoded,
 * but for GOPs that an exact cut splits (#GstSmilRemixSrc:encode-cuts):
 * the element writes the tables, and the sample bytes are the sources' own.
 *
 * The file is virtual: its size is known at once, and any range of it can be read
 * at any time, so that a demuxer can pull from it and seek. Two runs over the same
 * sources give the same bytes.
 *
 * What a playlist asks for and cannot be done is a warning on the bus, or an
 * error with #GstSmilRemixSrc:strict.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 smilremixsrc location=rental.smil ! filesink location=title.mp4
 * ]|
 * |[
 * gst-launch-1.0 smilremixsrc location=rental.smil ! qtdemux ! h264parse ! avdec_h264 ! autovideosink
 * ]|
 * |[
 * gst-launch-1.0 smilremixsrc location=rental.smil fragment-duration=2000 ! cencencrypt cpix=keys.xml ! filesink location=title.mp4
 * ]|
 *
 * Since: 0.1
 */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstsmilremixsrc.h"

#include <string.h>

#include "gstsmilremixerror.h"
#include "gstsmilremixsets.h"
#include "gstsmilremixuri.h"
#include "remix-title.h"

GST_DEBUG_CATEGORY_STATIC (gst_smil_remix_src_debug);
#define GST_CAT_DEFAULT gst_smil_remix_src_debug

#define DEFAULT_MAX_SOURCES 500
#define DEFAULT_MAX_MOOV_SIZE (64u << 20)
#define DEFAULT_TIMEOUT 15
#define DEFAULT_READ_AHEAD (4u << 20)
#define DEFAULT_BLOCKSIZE (1u << 20)
/* What comes over a network is passed on sooner. */
#define REMOTE_BLOCKSIZE (256u << 10)
/* What is pushed at a time at most, however large blocksize is. */
#define MAX_BLOCKSIZE (64u << 20)
#define PAGE 4096u

struct _GstSmilRemixSrc
{
  GstBaseSrc parent;

  /* Protected by the object lock. */
  gchar *location;
  gchar *playlist;
  gchar *allowed_schemes;
  gchar *root;
  guint fragment_duration; /* milliseconds */
  guint max_sources;
  guint64 max_moov_size;
  GstSmilRemixSrcParameterSets parameter_sets;
  gboolean encode_cuts;
  gboolean strict;
  guint timeout; /* seconds */
  guint read_ahead; /* bytes */

  GCancellable *cancellable;
  RemixTitle *title; /* from start() to stop() */
  RemixDocument *known; /* the playlist as the last title had it, or NULL */
  GstBufferPool *pool; /* likewise: blocks and a page, at pages */
  guint pool_size; /* bytes of a block */
};

enum
{
  PROP_0,
  PROP_LOCATION,
  PROP_PLAYLIST,
  PROP_FRAGMENT_DURATION,
  PROP_PARAMETER_SETS,
  PROP_ENCODE_CUTS,
  PROP_STRICT,
  PROP_ALLOWED_SCHEMES,
  PROP_ROOT,
  PROP_MAX_SOURCES,
  PROP_MAX_MOOV_SIZE,
  PROP_TIMEOUT,
  PROP_READ_AHEAD,
  PROP_ETAG,
  N_PROPERTIES,
};

static GParamSpec *properties[N_PROPERTIES];

static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS,
        GST_STATIC_CAPS ("video/quicktime, variant = (string) iso"));

G_DEFINE_TYPE_WITH_CODE (GstSmilRemixSrc, gst_smil_remix_src, GST_TYPE_BASE_SRC,
    G_IMPLEMENT_INTERFACE (GST_TYPE_URI_HANDLER,
        gst_smil_remix_uri_handler_init));
GST_ELEMENT_REGISTER_DEFINE (smilremixsrc, "smilremixsrc", GST_RANK_PRIMARY,
    GST_TYPE_SMIL_REMIX_SRC);

static void
post_warnings (GstSmilRemixSrc *self)
{
  const GPtrArray *warnings = remix_title_get_warnings (self->title);
  guint i;

  for (i = 0; i < warnings->len; i++)
    GST_ELEMENT_WARNING (self, STREAM, FORMAT,
        ("The playlist is not followed to the letter."),
        ("%s", (const gchar *) g_ptr_array_index (warnings, i)));
}

static void
make_pool (GstSmilRemixSrc *self)
{
  GstAllocationParams params = { 0, PAGE - 1, 0, 0 };
  GstStructure *config;

  self->pool_size =
      MIN (gst_base_src_get_blocksize (GST_BASE_SRC (self)), MAX_BLOCKSIZE);
  self->pool = gst_buffer_pool_new ();
  config = gst_buffer_pool_get_config (self->pool);
  gst_buffer_pool_config_set_params (config, NULL, self->pool_size + PAGE, 0,
      0);
  gst_buffer_pool_config_set_allocator (config, NULL, &params);
  gst_buffer_pool_set_config (self->pool, config);
  gst_buffer_pool_set_active (self->pool, TRUE);
}

/* For the next title of this location: the server is asked whether it still holds. */
static void
keep_document (GstSmilRemixSrc *self, RemixTitle *title)
{
  RemixDocument *document = remix_title_get_document (title);
  RemixDocument *old = self->known;

  self->known = document ? remix_document_ref (document) : NULL;
  remix_document_unref (old);
}

static gboolean
gst_smil_remix_src_start (GstBaseSrc *src)
{
  GstSmilRemixSrc *self = GST_SMIL_REMIX_SRC (src);
  g_autofree gchar *location = NULL;
  g_autofree gchar *playlist = NULL;
  g_autofree gchar *schemes = NULL;
  g_autofree gchar *root = NULL;
  g_autoptr (GError) error = NULL;
  RemixTitleOptions options;
  RemixTitle *title;

  GST_OBJECT_LOCK (self);
  options.location = location = g_strdup (self->location);
  options.playlist = playlist = g_strdup (self->playlist);
  options.allowed_schemes = schemes = g_strdup (self->allowed_schemes);
  options.root = root = g_strdup (self->root);
  options.max_sources = self->max_sources;
  options.max_moov_size = self->max_moov_size;
  options.fragment_duration = self->fragment_duration * GST_MSECOND;
  options.in_band =
      self->parameter_sets == GST_SMIL_REMIX_SRC_PARAMETER_SETS_IN_BAND;
  options.encode = self->encode_cuts;
  options.strict = self->strict;
  options.timeout = self->timeout;
  options.read_ahead = self->read_ahead;
  options.known = self->known;
  GST_OBJECT_UNLOCK (self);

  if (!location && !playlist) {
    GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS, ("No playlist is given."),
        ("set location or playlist"));
    return FALSE;
  }
  title = remix_title_open (&options, self->cancellable, &error);
  if (!title) {
    gst_smil_remix_post_error (GST_ELEMENT (self), error);
    return FALSE;
  }
  keep_document (self, title);
  GST_OBJECT_LOCK (self);
  self->title = title;
  GST_OBJECT_UNLOCK (self);
  post_warnings (self);
  make_pool (self);
  GST_INFO_OBJECT (self,
      "%" G_GUINT64_FORMAT " bytes, %" GST_TIME_FORMAT ", etag %s",
      remix_title_get_size (self->title),
      GST_TIME_ARGS (remix_title_get_duration (self->title)),
      remix_title_get_etag (self->title));
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_ETAG]);
  return TRUE;
}

static gboolean
gst_smil_remix_src_stop (GstBaseSrc *src)
{
  GstSmilRemixSrc *self = GST_SMIL_REMIX_SRC (src);
  RemixTitle *title;

  GST_OBJECT_LOCK (self);
  title = g_steal_pointer (&self->title);
  GST_OBJECT_UNLOCK (self);
  remix_title_free (title);
  if (self->pool)
    gst_buffer_pool_set_active (self->pool, FALSE);
  gst_clear_object (&self->pool);
  return TRUE;
}

static gboolean
gst_smil_remix_src_unlock (GstBaseSrc *src)
{
  g_cancellable_cancel (GST_SMIL_REMIX_SRC (src)->cancellable);
  return TRUE;
}

static gboolean
gst_smil_remix_src_unlock_stop (GstBaseSrc *src)
{
  g_cancellable_reset (GST_SMIL_REMIX_SRC (src)->cancellable);
  return TRUE;
}

static gboolean
gst_smil_remix_src_get_size (GstBaseSrc *src, guint64 *size)
{
  GstSmilRemixSrc *self = GST_SMIL_REMIX_SRC (src);

  if (!self->title)
    return FALSE;
  *size = remix_title_get_size (self->title);
  return TRUE;
}

static gboolean
gst_smil_remix_src_is_seekable (GstBaseSrc *src)
{
  return TRUE;
}

/* A block of the size that is asked for all the time comes from the pool. It
 * starts as far into a page as its bytes do in their source: that the kernel can
 * copy page by page, and processors are slow at some other distances. */
static GstFlowReturn
acquire_buffer (GstSmilRemixSrc *self, guint64 offset, guint size,
    GstBuffer **buffer)
{
  GstFlowReturn ret;
  guint skew;

  if (size > self->pool_size || size < self->pool_size / 4) {
    *buffer = gst_buffer_new_allocate (NULL, size, NULL);
    return *buffer ? GST_FLOW_OK : GST_FLOW_ERROR;
  }
  ret = gst_buffer_pool_acquire_buffer (self->pool, buffer, NULL);
  if (ret != GST_FLOW_OK)
    return ret;
  skew = remix_title_get_skew (self->title, offset, size, PAGE);
  gst_buffer_resize (*buffer, (gssize) skew, (gssize) size);
  return GST_FLOW_OK;
}

static GstFlowReturn
read_into (GstSmilRemixSrc *self, guint64 offset, guint size, GstBuffer *buffer)
{
  g_autoptr (GError) error = NULL;
  GstMapInfo map;
  gboolean ok;

  if (!gst_buffer_map (buffer, &map, GST_MAP_WRITE))
    return GST_FLOW_ERROR;
  if (map.size < size) {
    GST_ELEMENT_ERROR (self, CORE, PAD, ("A buffer is too small."),
        ("%u bytes do not fit into its %" G_GSIZE_FORMAT, size, map.size));
    gst_buffer_unmap (buffer, &map);
    return GST_FLOW_ERROR;
  }
  ok = remix_title_read (self->title, offset, map.data, size, self->cancellable,
      &error);
  gst_buffer_unmap (buffer, &map);
  if (!ok) {
    if (g_cancellable_is_cancelled (self->cancellable))
      return GST_FLOW_FLUSHING;
    gst_smil_remix_post_error (GST_ELEMENT (self), error);
    return GST_FLOW_ERROR;
  }
  GST_BUFFER_OFFSET (buffer) = offset;
  GST_BUFFER_OFFSET_END (buffer) = offset + size;
  return GST_FLOW_OK;
}

static GstFlowReturn
gst_smil_remix_src_create (GstBaseSrc *src, guint64 offset, guint size,
    GstBuffer **buffer)
{
  GstSmilRemixSrc *self = GST_SMIL_REMIX_SRC (src);
  guint64 total = remix_title_get_size (self->title);
  GstBuffer *result = *buffer; /* who pulls may bring one */
  GstFlowReturn ret;

  if (offset >= total)
    return GST_FLOW_EOS;
  size = (guint) MIN ((guint64) size, total - offset);
  if (GST_PAD_MODE (src->srcpad) == GST_PAD_MODE_PUSH)
    size = MIN (size,
        remix_title_is_remote (self->title, offset) ? REMOTE_BLOCKSIZE
                                                    : MAX_BLOCKSIZE);
  if (!result) {
    ret = acquire_buffer (self, offset, size, &result);
    if (ret != GST_FLOW_OK)
      return ret;
  }
  ret = read_into (self, offset, size, result);
  if (ret == GST_FLOW_OK) {
    if (*buffer)
      gst_buffer_set_size (result, (gssize) size);
    *buffer = result;
  } else if (!*buffer)
    gst_buffer_unref (result);
  return ret;
}

static gboolean
gst_smil_remix_src_query (GstBaseSrc *src, GstQuery *query)
{
  GstSmilRemixSrc *self = GST_SMIL_REMIX_SRC (src);
  GstFormat format;

  if (GST_QUERY_TYPE (query) == GST_QUERY_DURATION && self->title) {
    gst_query_parse_duration (query, &format, NULL);
    if (format == GST_FORMAT_TIME) {
      gst_query_set_duration (query, format,
          (gint64) remix_title_get_duration (self->title));
      return TRUE;
    }
  }
  return GST_BASE_SRC_CLASS (gst_smil_remix_src_parent_class)
      ->query (src, query);
}

static void
replace_string (GstSmilRemixSrc *self, gchar **field, const GValue *value)
{
  GST_OBJECT_LOCK (self);
  g_free (*field);
  *field = g_value_dup_string (value);
  GST_OBJECT_UNLOCK (self);
}

static void
gst_smil_remix_src_set_property (GObject *object, guint id, const GValue *value,
    GParamSpec *pspec)
{
  GstSmilRemixSrc *self = GST_SMIL_REMIX_SRC (object);

  switch (id) {
    case PROP_LOCATION:
      if (GST_STATE (self) <= GST_STATE_READY)
        replace_string (self, &self->location, value);
      else
        GST_WARNING_OBJECT (self, "location cannot change while it runs");
      break;
    case PROP_PLAYLIST:
      replace_string (self, &self->playlist, value);
      break;
    case PROP_FRAGMENT_DURATION:
      self->fragment_duration = g_value_get_uint (value);
      break;
    case PROP_PARAMETER_SETS:
      self->parameter_sets =
          (GstSmilRemixSrcParameterSets) g_value_get_enum (value);
      break;
    case PROP_ENCODE_CUTS:
      self->encode_cuts = g_value_get_boolean (value);
      break;
    case PROP_STRICT:
      self->strict = g_value_get_boolean (value);
      break;
    case PROP_ALLOWED_SCHEMES:
      replace_string (self, &self->allowed_schemes, value);
      break;
    case PROP_ROOT:
      replace_string (self, &self->root, value);
      break;
    case PROP_MAX_SOURCES:
      self->max_sources = g_value_get_uint (value);
      break;
    case PROP_MAX_MOOV_SIZE:
      self->max_moov_size = g_value_get_uint64 (value);
      break;
    case PROP_TIMEOUT:
      self->timeout = g_value_get_uint (value);
      break;
    case PROP_READ_AHEAD:
      self->read_ahead = g_value_get_uint (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
gst_smil_remix_src_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
  GstSmilRemixSrc *self = GST_SMIL_REMIX_SRC (object);

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_LOCATION:
      g_value_set_string (value, self->location);
      break;
    case PROP_PLAYLIST:
      g_value_set_string (value, self->playlist);
      break;
    case PROP_FRAGMENT_DURATION:
      g_value_set_uint (value, self->fragment_duration);
      break;
    case PROP_PARAMETER_SETS:
      g_value_set_enum (value, (gint) self->parameter_sets);
      break;
    case PROP_ENCODE_CUTS:
      g_value_set_boolean (value, self->encode_cuts);
      break;
    case PROP_STRICT:
      g_value_set_boolean (value, self->strict);
      break;
    case PROP_ALLOWED_SCHEMES:
      g_value_set_string (value, self->allowed_schemes);
      break;
    case PROP_ROOT:
      g_value_set_string (value, self->root);
      break;
    case PROP_MAX_SOURCES:
      g_value_set_uint (value, self->max_sources);
      break;
    case PROP_MAX_MOOV_SIZE:
      g_value_set_uint64 (value, self->max_moov_size);
      break;
    case PROP_TIMEOUT:
      g_value_set_uint (value, self->timeout);
      break;
    case PROP_READ_AHEAD:
      g_value_set_uint (value, self->read_ahead);
      break;
    case PROP_ETAG:
      g_value_set_string (value,
          self->title ? remix_title_get_etag (self->title) : NULL);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_smil_remix_src_finalize (GObject *object)
{
  GstSmilRemixSrc *self = GST_SMIL_REMIX_SRC (object);

  g_free (self->location);
  g_free (self->playlist);
  g_free (self->allowed_schemes);
  g_free (self->root);
  remix_document_unref (self->known);
  g_object_unref (self->cancellable);
  G_OBJECT_CLASS (gst_smil_remix_src_parent_class)->finalize (object);
}

#define SETTING \
  (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY)

static GParamSpec *
string_property (const gchar *name, const gchar *nick, const gchar *blurb)
{
  return g_param_spec_string (name, nick, blurb, NULL, SETTING);
}

/* What sources may be, and how they are read. */
static void
make_source_properties (void)
{
  properties[PROP_ALLOWED_SCHEMES] = string_property ("allowed-schemes",
      "Allowed schemes",
      "Comma-separated schemes that sources may have (default: file,http,https; "
      "a playlist from the network may never name files)");
  properties[PROP_ROOT] = string_property ("root", "Root",
      "Folder that files have to lie in (default: none)");
  properties[PROP_MAX_SOURCES] = g_param_spec_uint ("max-sources",
      "Maximum sources", "How many different sources a playlist may name", 1,
      65000, DEFAULT_MAX_SOURCES, SETTING);
  properties[PROP_MAX_MOOV_SIZE] = g_param_spec_uint64 ("max-moov-size",
      "Maximum moov size", "How many bytes of moov and moof a source may have",
      1024, G_MAXUINT32, DEFAULT_MAX_MOOV_SIZE, SETTING);
  properties[PROP_TIMEOUT] = g_param_spec_uint ("timeout", "Timeout",
      "Seconds without a byte from an HTTP server until it is an error (0 = "
      "wait for ever)",
      0, 3600, DEFAULT_TIMEOUT, SETTING);
  properties[PROP_READ_AHEAD] = g_param_spec_uint ("read-ahead", "Read-ahead",
      "Bytes ahead of what is read in which HTTP sources are asked already, once "
      "it is read on and on (0 = only when they are needed)",
      0, 1u << 30, DEFAULT_READ_AHEAD, SETTING);
}

static void
install_properties (GObjectClass *class)
{
  properties[PROP_LOCATION] = string_property ("location", "Location",
      "Path or URI of the SMIL playlist");
  properties[PROP_PLAYLIST] = string_property ("playlist", "Playlist",
      "The SMIL playlist itself; relative addresses in it refer to location, "
      "or to the current folder");
  properties[PROP_FRAGMENT_DURATION] =
      g_param_spec_uint ("fragment-duration", "Fragment duration",
          "Shortest duration of a fragment in milliseconds (0 = a progressive "
          "file, moov first)",
          0, G_MAXUINT, 0, SETTING);
  properties[PROP_PARAMETER_SETS] = g_param_spec_enum ("parameter-sets",
      "Parameter sets",
      "Where parameter sets of H.264 and H.265 stand: sources of different sets "
      "give several sample descriptions out of band, one in band",
      GST_TYPE_SMIL_REMIX_SRC_PARAMETER_SETS,
      GST_SMIL_REMIX_SRC_PARAMETER_SETS_OUT_OF_BAND, SETTING);
  properties[PROP_ENCODE_CUTS] = g_param_spec_boolean ("encode-cuts",
      "Encode cuts",
      "Whether a GOP that clipMode sample or a conditioning point splits is "
      "encoded anew; else, and where that cannot be, the cut goes back to a "
      "keyframe, and the point has none",
      TRUE, SETTING);
  properties[PROP_STRICT] = g_param_spec_boolean ("strict", "Strict",
      "Whether what cannot be done as the playlist says is an error, not a "
      "warning",
      FALSE, SETTING);
  make_source_properties ();
  properties[PROP_ETAG] = g_param_spec_string ("etag", "ETag",
      "Changes when the output does; from PAUSED on", NULL,
      G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (class, N_PROPERTIES, properties);
}

static void
gst_smil_remix_src_class_init (GstSmilRemixSrcClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);
  GstElementClass *element_class = GST_ELEMENT_CLASS (class);
  GstBaseSrcClass *base_class = GST_BASE_SRC_CLASS (class);

  GST_DEBUG_CATEGORY_INIT (gst_smil_remix_src_debug, "smilremixsrc", 0,
      "SMIL remix source");
  object_class->set_property = gst_smil_remix_src_set_property;
  object_class->get_property = gst_smil_remix_src_get_property;
  object_class->finalize = gst_smil_remix_src_finalize;
  install_properties (object_class);

  gst_type_mark_as_plugin_api (GST_TYPE_SMIL_REMIX_SRC_PARAMETER_SETS, 0);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "SMIL remix source",
      "Source/File/Network",
      "Plays a SMIL playlist out as one MP4, without re-encoding",
      "gst-plugins-cenc");

  base_class->start = GST_DEBUG_FUNCPTR (gst_smil_remix_src_start);
  base_class->stop = GST_DEBUG_FUNCPTR (gst_smil_remix_src_stop);
  base_class->unlock = GST_DEBUG_FUNCPTR (gst_smil_remix_src_unlock);
  base_class->unlock_stop = GST_DEBUG_FUNCPTR (gst_smil_remix_src_unlock_stop);
  base_class->get_size = GST_DEBUG_FUNCPTR (gst_smil_remix_src_get_size);
  base_class->is_seekable = GST_DEBUG_FUNCPTR (gst_smil_remix_src_is_seekable);
  base_class->create = GST_DEBUG_FUNCPTR (gst_smil_remix_src_create);
  base_class->query = GST_DEBUG_FUNCPTR (gst_smil_remix_src_query);
}

static void
gst_smil_remix_src_init (GstSmilRemixSrc *self)
{
  self->max_sources = DEFAULT_MAX_SOURCES;
  self->max_moov_size = DEFAULT_MAX_MOOV_SIZE;
  self->timeout = DEFAULT_TIMEOUT;
  self->read_ahead = DEFAULT_READ_AHEAD;
  self->encode_cuts = TRUE;
  self->cancellable = g_cancellable_new ();
  gst_base_src_set_blocksize (GST_BASE_SRC (self), DEFAULT_BLOCKSIZE);
}
