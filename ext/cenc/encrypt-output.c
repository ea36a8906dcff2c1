/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "encrypt-output.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>
#include "cenc/cpix-write.h"
#include "cenc/cpix-xml.h"
#include "cenc/encrypt-cpix.h"
#include "gst/cenc/cenc-pssh.h"

typedef struct
{
  GstCencKey *key;
  guint64 number; /* G_MAXUINT64: none */
} Entry;

struct _EncryptOutput
{
  gchar *location;
  CpixRecipient *recipient; /* NULL: in the clear */
  EncryptSettings settings;
  GArray *entries; /* (element-type Entry) */
  gboolean exists; /* the file is ours */
};

static void
entry_clear (gpointer data)
{
  gst_cenc_key_unref (((Entry *) data)->key);
}

static CpixRecipient *
load_certificate (const gchar *location, GError **error)
{
  g_autoptr (CpixSecret) pem =
      encrypt_cpix_read_file ("cpix-recipient", location, error);
  CpixRecipient *recipient;
  GError *cpix_error = NULL;

  if (!pem)
    return NULL;
  recipient = cpix_recipient_new_from_certificate ((const gchar *) pem->data,
      pem->size, &cpix_error);
  if (!recipient)
    encrypt_cpix_propagate (error, "cpix-recipient", cpix_error);
  return recipient;
}

EncryptOutput *
encrypt_output_new (const gchar *location, const gchar *recipient_location,
    const EncryptSettings *settings, GError **error)
{
  g_autoptr (EncryptOutput) self = g_new0 (EncryptOutput, 1);

  self->location = g_strdup (location);
  self->entries = g_array_new (FALSE, FALSE, sizeof (Entry));
  g_array_set_clear_func (self->entries, entry_clear);
  encrypt_settings_copy (&self->settings, settings);
  if (recipient_location) {
    self->recipient = load_certificate (recipient_location, error);
    if (!self->recipient)
      return NULL;
  }
  return g_steal_pointer (&self);
}

void
encrypt_output_free (EncryptOutput *self)
{
  g_clear_pointer (&self->recipient, cpix_recipient_free);
  encrypt_settings_clear (&self->settings);
  g_array_unref (self->entries);
  g_free (self->location);
  g_free (self);
}

/* The document */

static void
add_systems (CpixDocument *document, const GPtrArray *boxes, const guint8 *kid)
{
  guint i;

  for (i = 0; i < boxes->len; i++) {
    const BmffBox *box = g_ptr_array_index (boxes, i);
    g_autoptr (CencPssh) pssh = cenc_pssh_parse (box, NULL);

    if (pssh && box->type == BMFF_FOURCC ('p', 's', 's', 'h'))
      cpix_document_add_system (document, pssh->system_id, kid)->pssh =
          bmff_box_to_bytes (box);
  }
}

static void
add_period (CpixDocument *document, const guint8 *kid, guint64 number)
{
  CpixPeriod *period = cpix_document_add_period (document);
  CpixRule *rule = cpix_document_add_rule (document, kid);
  CpixFilter *filter = cpix_rule_add_filter (rule, CPIX_FILTER_PERIOD);

  period->id = g_strdup_printf ("period%" G_GUINT64_FORMAT, number);
  period->index = (guint32) number;
  filter->text = g_strdup (period->id);
}

static gboolean
add_entry (const EncryptOutput *self, CpixDocument *document,
    const Entry *entry, GError **error)
{
  const EncryptSettings *settings = &self->settings;
  const guint8 *kid = gst_cenc_key_get_kid (entry->key);
  g_autoptr (GPtrArray) boxes =
      g_ptr_array_new_with_free_func ((GDestroyNotify) bmff_box_free);
  ProtectionInfo info = encrypt_settings_get_info (settings, &entry->key, 1);
  CpixKey *key;

  if (entry->number != G_MAXUINT64)
    add_period (document, kid, entry->number);
  if (cpix_document_find_key (document, kid))
    return TRUE;
  if (!protection_systems_make (settings->systems, &info, boxes, error))
    return FALSE;
  key = cpix_document_add_key (document, kid);
  key->key = gst_cenc_key_ref (entry->key);
  if (settings->scheme != CENC_SCHEME_PIFF) /* has no name there */
    key->scheme = g_strdup (cenc_scheme_get_name (settings->scheme));
  add_systems (document, boxes, kid);
  return TRUE;
}

static CpixDocument *
make_document (const EncryptOutput *self, GError **error)
{
  g_autoptr (CpixDocument) document = cpix_document_new ();
  guint i;

  document->content_id = g_strdup (self->settings.info.content_id);
  for (i = 0; i < self->entries->len; i++) {
    if (!add_entry (self, document, &g_array_index (self->entries, Entry, i),
            error))
      return NULL;
  }
  return g_steal_pointer (&document);
}

static CpixSecret *
make_text (const EncryptOutput *self, GError **error)
{
  g_autoptr (CpixDocument) document = make_document (self, error);
  g_autoptr (CpixSecret) text = NULL;
  GError *cpix_error = NULL;

  if (!document)
    return NULL;
  text = cpix_document_write (document, self->recipient, &cpix_error);
  if (!text) {
    encrypt_cpix_propagate (error, "cpix-output", cpix_error);
    return NULL;
  }
  if (text->size > CPIX_XML_MAX_SIZE) {
    encrypt_cpix_refuse_file (error, "cpix-output", self->location,
        "with so many keys it would be larger than 1 MiB");
    return NULL;
  }
  return g_steal_pointer (&text);
}

/* The file */

static gboolean
write_all (gint fd, const CpixSecret *text)
{
  gsize done = 0;

  while (done < text->size) {
    gssize n = write (fd, text->data + done, text->size - done);

    if (n < 0 && errno != EINTR)
      return FALSE;
    done += MAX (n, 0);
  }
  return fsync (fd) == 0;
}

static gboolean
refuse (const EncryptOutput *self, GError **error)
{
  return encrypt_cpix_refuse_file (error, "cpix-output", self->location,
      g_strerror (errno));
}

/* Takes @fd. */
static gboolean
finish_file (const EncryptOutput *self, gint fd, const gchar *path,
    const CpixSecret *text, GError **error)
{
  gboolean ok = write_all (fd, text) || refuse (self, error);

  if (close (fd) != 0 && ok)
    ok = refuse (self, error);
  if (ok && path != self->location && g_rename (path, self->location) != 0)
    ok = refuse (self, error);
  if (!ok)
    g_unlink (path);
  return ok;
}

static gboolean
write_file (EncryptOutput *self, const CpixSecret *text, GError **error)
{
  g_autofree gchar *next = g_strconcat (self->location, ".XXXXXX", NULL);
  const gchar *path = self->exists ? next : self->location;
  gint fd = self->exists
      ? g_mkstemp_full (next, O_WRONLY | O_CLOEXEC, 0600)
      : g_open (path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

  if (fd < 0)
    return refuse (self, error);
  if (!finish_file (self, fd, path, text, error))
    return FALSE;
  self->exists = TRUE;
  return TRUE;
}

gboolean
encrypt_output_add (EncryptOutput *self, GstCencKey *key, guint64 number,
    GError **error)
{
  g_autoptr (CpixSecret) text = NULL;
  Entry *found = NULL;
  guint i;

  for (i = 0; i < self->entries->len && !found; i++) {
    Entry *entry = &g_array_index (self->entries, Entry, i);

    if (memcmp (gst_cenc_key_get_kid (entry->key), gst_cenc_key_get_kid (key),
            GST_CENC_KID_SIZE) == 0)
      found = entry;
  }
  if (found && found->number == number)
    return TRUE;
  if (found && found->number == G_MAXUINT64) {
    found->number = number;
  } else {
    Entry entry = { gst_cenc_key_ref (key), number };

    g_array_append_val (self->entries, entry);
  }
  text = make_text (self, error);
  return text && write_file (self, text, error);
}
