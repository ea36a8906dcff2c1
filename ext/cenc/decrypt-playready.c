/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cenc/decrypt-playready.h"

#include <gst/cenc/gstcenckeysession.h>
#include <string.h>

#define SYSTEM_ID "9a04f079-9840-4286-ab92-e65be0885f95"
#define ORIGIN "smooth-streaming"
/* A PlayReady Object has at most 15 KB (PlayReady Header Specification). */
#define MAX_TEXT (64 << 10)
#define HEADER_SIZE 6 /* of the object: its size, how many records */
#define RECORD_HEADER_SIZE 4
#define RIGHTS_MANAGEMENT_HEADER 1
#define KID_SIZE 16
#define MAX_DEPTH 16 /* of elements; a KID's is at most: */
#define MAX_KID_DEPTH 5
#define BYTE_ORDER_MARK "\xef\xbb\xbf" /* in UTF-8 */

/* A GUID: its first three numbers are little-endian. */
static void
swap_guid (guint8 *kid)
{
  GST_WRITE_UINT32_BE (kid, GST_READ_UINT32_LE (kid));
  GST_WRITE_UINT16_BE (kid + 4, GST_READ_UINT16_LE (kid + 4));
  GST_WRITE_UINT16_BE (kid + 6, GST_READ_UINT16_LE (kid + 6));
}

static gboolean
is_same_but_for_space (const gchar *text, const gchar *wanted)
{
  for (; *text; text++) {
    if (!g_ascii_isspace (*text) && *text != *wanted++)
      return FALSE;
  }
  return !*wanted;
}

/* g_base64_decode() passes over what is none. */
static gboolean
decode_kid (const gchar *base64, guint8 *kid)
{
  gsize size;
  g_autofree guint8 *data = g_base64_decode (base64, &size);
  g_autofree gchar *again = g_base64_encode (data, size);

  if (size != KID_SIZE || !is_same_but_for_space (base64, again))
    return FALSE;
  memcpy (kid, data, KID_SIZE);
  swap_guid (kid);
  return TRUE;
}

/*
 * The header, which is XML: `<KID>…</KID>` of version 4.0, `<KID VALUE="…">` of later
 * ones. One anywhere else, as in CUSTOMATTRIBUTES, is somebody else's.
 */

typedef struct
{
  guint8 kid[KID_SIZE];
  gboolean found, ended;
  GString *text; /* of the KID that is open; NULL: none, or it has a VALUE */
} Header;

/* Its ancestors, from inside out. */
static const gchar *const kid_places[][MAX_KID_DEPTH + 1] = {
  { "KID", "DATA", "WRMHEADER" }, /* 4.0 */
  { "KID", "PROTECTINFO", "DATA", "WRMHEADER" }, /* 4.1 */
  { "KID", "KIDS", "PROTECTINFO", "DATA", "WRMHEADER" }, /* 4.2, 4.3 */
};

/* Without a namespace's prefix. */
static const gchar *
get_local_name (const gchar *name)
{
  const gchar *colon = strrchr (name, ':');

  return colon ? colon + 1 : name;
}

static gboolean
is_at (const GSList *stack, const gchar *const *place)
{
  for (; stack && *place; stack = stack->next, place++) {
    if (strcmp (get_local_name (stack->data), *place) != 0)
      return FALSE;
  }
  return !stack && !*place;
}

static gboolean
is_at_kid (GMarkupParseContext *context)
{
  const GSList *stack = g_markup_parse_context_get_element_stack (context);
  guint i;

  for (i = 0; i < G_N_ELEMENTS (kid_places); i++) {
    if (is_at (stack, kid_places[i]))
      return TRUE;
  }
  return FALSE;
}

static gboolean
refuse (GError **error, const gchar *message)
{
  g_set_error_literal (error, G_MARKUP_ERROR, G_MARKUP_ERROR_INVALID_CONTENT,
      message);
  return FALSE;
}

static gboolean
take_kid (Header *self, const gchar *base64, GError **error)
{
  guint8 kid[KID_SIZE];

  if (!decode_kid (base64, kid))
    return refuse (error, "a KID that is not 16 bytes in base64");
  if (self->found && memcmp (kid, self->kid, sizeof kid) != 0)
    return refuse (error, "several KIDs, and nothing says which is whose");
  memcpy (self->kid, kid, sizeof kid);
  return self->found = TRUE;
}

/* FALSE: twice there, which GMarkup lets pass. @value: (out): NULL if not there */
static gboolean
find_value (const gchar **names, const gchar **values, const gchar **value)
{
  *value = NULL;
  for (; *names; names++, values++) {
    if (strcmp (*names, "VALUE") != 0)
      continue;
    if (*value)
      return FALSE;
    *value = *values;
  }
  return TRUE;
}

static void
start_element (GMarkupParseContext *context, const gchar *name,
    const gchar **names, const gchar **values, gpointer user_data,
    GError **error)
{
  const GSList *stack = g_markup_parse_context_get_element_stack (context);
  Header *self = user_data;
  const gchar *value;

  if (self->ended)
    refuse (error, "a second root element");
  else if (g_slist_length ((GSList *) stack) > MAX_DEPTH)
    refuse (error, "elements too deep in each other");
  else if (!is_at_kid (context))
    return;
  else if (!find_value (names, values, &value))
    refuse (error, "an attribute that is there twice");
  else if (value)
    take_kid (self, value, error);
  else
    self->text = g_string_new (NULL);
}

static void
end_element (GMarkupParseContext *context, const gchar *name,
    gpointer user_data, GError **error)
{
  const GSList *stack = g_markup_parse_context_get_element_stack (context);
  Header *self = user_data;

  self->ended = !stack->next;
  if (!self->text || !is_at_kid (context))
    return;
  take_kid (self, self->text->str, error);
  g_string_free (g_steal_pointer (&self->text), TRUE);
}

static void
take_text (GMarkupParseContext *context, const gchar *text, gsize length,
    gpointer user_data, GError **error)
{
  Header *self = user_data;

  if (self->text && is_at_kid (context))
    g_string_append_len (self->text, text, (gssize) length);
}

/* Comments, processing instructions, and what the XML of PlayReady has not. */
static void
pass (GMarkupParseContext *context, const gchar *text, gsize length,
    gpointer user_data, GError **error)
{
  if (length > 2 && text[1] == '!' && text[2] != '-')
    refuse (error, "a DTD");
}

static const GMarkupParser parser = { start_element, end_element, take_text,
  pass, NULL };

/* Without the mark of its byte order, and zeros behind it that are some packagers'
 * end of a string. */
static const gchar *
trim (const gchar *xml, gsize *size)
{
  while (*size > 0 && xml[*size - 1] == 0)
    (*size)--;
  if (*size < strlen (BYTE_ORDER_MARK) ||
      memcmp (xml, BYTE_ORDER_MARK, strlen (BYTE_ORDER_MARK)) != 0)
    return xml;
  *size -= strlen (BYTE_ORDER_MARK);
  return xml + strlen (BYTE_ORDER_MARK);
}

static gboolean
parse (const gchar *xml, gsize size, guint8 *kid, GError **error)
{
  Header self = { { 0 } };
  g_autoptr (GMarkupParseContext) context = g_markup_parse_context_new (&parser,
      G_MARKUP_TREAT_CDATA_AS_TEXT, &self, NULL);
  gboolean ok;

  xml = trim (xml, &size);
  ok = g_markup_parse_context_parse (context, xml, (gssize) size, error) &&
      g_markup_parse_context_end_parse (context, error);
  if (self.text)
    g_string_free (self.text, TRUE);
  if (ok && !self.found)
    return refuse (error, "it names no KID");
  memcpy (kid, self.kid, sizeof self.kid);
  return ok;
}

/*
 * The object around it
 */

static gboolean
read_header (const guint8 *utf16, gsize size, guint8 *kid, GError **error)
{
  gsize length;
  g_autofree gchar *xml = g_convert ((const gchar *) utf16, (gssize) size,
      "UTF-8", "UTF-16LE", NULL, &length, error);

  return xml && parse (xml, length, kid, error);
}

static gboolean
read_object (const guint8 *data, gsize size, guint8 *kid, GError **error)
{
  gsize at = HEADER_SIZE;

  while (at + RECORD_HEADER_SIZE <= size) {
    guint type = GST_READ_UINT16_LE (data + at);
    gsize length = GST_READ_UINT16_LE (data + at + 2);

    at += RECORD_HEADER_SIZE;
    if (length > size - at)
      return refuse (error, "a record that is longer than the object");
    if (type == RIGHTS_MANAGEMENT_HEADER)
      return read_header (data + at, length, kid, error);
    at += length;
  }
  return refuse (error, "an object without a header");
}

static gboolean
read_text (const gchar *text, gsize size, guint8 *kid, GError **error)
{
  g_autofree gchar *base64 = NULL;
  g_autofree guint8 *data = NULL;

  if (size == 0 || size > MAX_TEXT)
    return refuse (error, "nothing, or more than 64 KiB");
  base64 = g_strndup (text, size);
  data = g_base64_decode (base64, &size);
  return read_object (data, size, kid, error);
}

gboolean
decrypt_playready_read_text (const gchar *text, gsize size, guint8 *kid,
    GError **error)
{
  g_autoptr (GError) problem = NULL;

  if (read_text (text, size, kid, &problem))
    return TRUE;
  g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_FORMAT,
      "PlayReady header of the manifest: %s", problem->message);
  return FALSE;
}

gboolean
decrypt_playready_is_manifests (GstEvent *event)
{
  const gchar *system = NULL, *origin = NULL;

  gst_event_parse_protection (event, &system, NULL, &origin);
  return g_strcmp0 (system, SYSTEM_ID) == 0 && g_strcmp0 (origin, ORIGIN) == 0;
}

gboolean
decrypt_playready_read_event (GstEvent *event, guint8 *kid, GError **error)
{
  GstBuffer *buffer = NULL;
  GstMapInfo map;
  gboolean ok;

  gst_event_parse_protection (event, NULL, &buffer, NULL);
  if (!buffer || !gst_buffer_map (buffer, &map, GST_MAP_READ)) {
    g_set_error (error, GST_CENC_ERROR, GST_CENC_ERROR_FAILED,
        "PlayReady header of the manifest: it cannot be mapped");
    return FALSE;
  }
  ok = decrypt_playready_read_text ((const gchar *) map.data, map.size, kid,
      error);
  gst_buffer_unmap (buffer, &map);
  return ok;
}
