/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "testvfs.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <glib/gstdio.h>

#define SECTOR 512

static sqlite3_vfs *real_vfs, vfs;
static TestVfsFault mode;
static gint calls, chosen, fail_code;
static GRand *luck; /* NULL: nothing survives */

/* --- a disk that forgets -------------------------------------------------- */

/* A change that was not synced. */
typedef struct
{
  gint64 at;
  GBytes *data; /* NULL: truncated to at */
} Change;

typedef struct
{
  gchar *path;
  gboolean durable; /* its name is */
  GByteArray *synced;
  GArray *changes;
} Disk;

static GPtrArray *disks;

static Disk *
find_disk (const gchar *path)
{
  guint i;

  for (i = 0; i < disks->len; i++) {
    Disk *disk = g_ptr_array_index (disks, i);

    if (g_str_equal (disk->path, path))
      return disk;
  }
  return NULL;
}

static void
add_disk (const gchar *path)
{
  Disk *disk = g_new0 (Disk, 1);
  gchar *data = NULL;
  gsize size = 0;

  disk->path = g_strdup (path);
  disk->durable = g_file_get_contents (path, &data, &size, NULL);
  disk->synced = g_byte_array_new ();
  g_byte_array_append (disk->synced, (guint8 *) data, (guint) size);
  disk->changes = g_array_new (FALSE, FALSE, sizeof (Change));
  g_ptr_array_add (disks, disk);
  g_free (data);
}

static void
apply (GByteArray *file, const Change *change, gsize from, gsize size)
{
  const guint8 *data = g_bytes_get_data (change->data, NULL);
  guint end = (guint) change->at + (guint) (from + size), old = file->len;

  if (end > old) {
    g_byte_array_set_size (file, end);
    memset (file->data + old, 0, end - old);
  }
  memcpy (file->data + change->at + from, data + from, size);
}

static void
truncate_to (GByteArray *file, gint64 size)
{
  guint old = file->len;

  g_byte_array_set_size (file, (guint) size);
  if (file->len > old)
    memset (file->data + old, 0, file->len - old);
}

static gboolean
survives (void)
{
  return luck && g_rand_boolean (luck);
}

/* A disk writes sectors, in an order of its own. */
static void
apply_by_luck (GByteArray *file, const Change *change)
{
  gsize size, from;

  if (!change->data) {
    if (survives ())
      truncate_to (file, change->at);
    return;
  }
  size = g_bytes_get_size (change->data);
  for (from = 0; from < size; from += SECTOR) {
    if (survives ())
      apply (file, change, from, MIN (SECTOR, size - from));
  }
}

static void
sync_disk (Disk *disk)
{
  guint i;

  for (i = 0; i < disk->changes->len; i++) {
    Change *change = &g_array_index (disk->changes, Change, i);

    if (change->data)
      apply (disk->synced, change, 0, g_bytes_get_size (change->data));
    else
      truncate_to (disk->synced, change->at);
    g_bytes_unref (change->data);
  }
  g_array_set_size (disk->changes, 0);
  disk->durable = TRUE; /* SQLite syncs a new journal's folder with it */
}

static void
leave_disk (Disk *disk)
{
  guint i;

  if (!disk->durable && !survives ()) {
    g_unlink (disk->path);
    return;
  }
  for (i = 0; i < disk->changes->len; i++)
    apply_by_luck (disk->synced, &g_array_index (disk->changes, Change, i));
  g_assert_true (g_file_set_contents (disk->path,
      (const gchar *) disk->synced->data, disk->synced->len, NULL));
}

void
test_vfs_power_loss (void)
{
  guint i;

  for (i = 0; i < disks->len; i++)
    leave_disk (g_ptr_array_index (disks, i));
  kill (getpid (), SIGKILL);
  _exit (1); /* not reached */
}

/* --- calls ---------------------------------------------------------------- */

typedef struct
{
  sqlite3_file base;
  Disk *disk; /* NULL if nobody asks */
  sqlite3_file *real;
} File;

#define REAL(file) (((File *) (file))->real)

static gint watch_fd;
static gboolean watch_syncs;

/* Returns: whether this call fails */
static gboolean
count (gboolean is_sync)
{
  calls++;
  if (mode == TEST_VFS_WATCH && (is_sync || !watch_syncs) &&
      write (watch_fd, &calls, sizeof calls) != sizeof calls)
    _exit (1);
  if (chosen == 0 || calls < chosen)
    return FALSE;
  if (mode == TEST_VFS_DIE)
    kill (getpid (), SIGKILL);
  if (mode == TEST_VFS_POWER)
    test_vfs_power_loss ();
  return mode == TEST_VFS_FAIL;
}

static gint
fail_by (gint code)
{
  return fail_code == SQLITE_FULL ? SQLITE_OK : code;
}

static void
record (sqlite3_file *file, gint64 at, gconstpointer data, gsize size)
{
  Disk *disk = ((File *) file)->disk;
  Change change = { at, data ? g_bytes_new (data, size) : NULL };

  if (disk)
    g_array_append_val (disk->changes, change);
  else if (change.data)
    g_bytes_unref (change.data);
}

static int
f_close (sqlite3_file *f)
{
  int result = REAL (f)->pMethods->xClose (REAL (f));

  g_free (REAL (f));
  return result;
}

static int
f_read (sqlite3_file *f, void *data, int n, sqlite3_int64 at)
{
  return REAL (f)->pMethods->xRead (REAL (f), data, n, at);
}

static int
f_write (sqlite3_file *f, const void *data, int n, sqlite3_int64 at)
{
  /* Die with half of it written, too. */
  if (mode == TEST_VFS_DIE && chosen == calls + 2)
    REAL (f)->pMethods->xWrite (REAL (f), data, n / 2, at);
  if (mode == TEST_VFS_DIE)
    count (FALSE);
  record (f, at, data, (gsize) n);
  if (count (FALSE))
    return fail_code;
  return REAL (f)->pMethods->xWrite (REAL (f), data, n, at);
}

static int
f_truncate (sqlite3_file *f, sqlite3_int64 size)
{
  record (f, size, NULL, 0);
  if (count (FALSE) && fail_by (1))
    return SQLITE_IOERR_TRUNCATE;
  return REAL (f)->pMethods->xTruncate (REAL (f), size);
}

static int
f_sync (sqlite3_file *f, int flags)
{
  if (count (TRUE) && fail_by (1))
    return SQLITE_IOERR_FSYNC;
  if (((File *) f)->disk)
    sync_disk (((File *) f)->disk);
  return REAL (f)->pMethods->xSync (REAL (f), flags);
}

static int
f_size (sqlite3_file *f, sqlite3_int64 *size)
{
  return REAL (f)->pMethods->xFileSize (REAL (f), size);
}

static int
f_lock (sqlite3_file *f, int level)
{
  return REAL (f)->pMethods->xLock (REAL (f), level);
}

static int
f_unlock (sqlite3_file *f, int level)
{
  if (mode != TEST_VFS_FAIL)
    count (FALSE);
  return REAL (f)->pMethods->xUnlock (REAL (f), level);
}

static int
f_check (sqlite3_file *f, int *result)
{
  return REAL (f)->pMethods->xCheckReservedLock (REAL (f), result);
}

static int
f_control (sqlite3_file *f, int op, void *arg)
{
  return REAL (f)->pMethods->xFileControl (REAL (f), op, arg);
}

static int
f_sector (sqlite3_file *f)
{
  return SECTOR;
}

/* That a sector is written by half, or wanders about, is what we are here for. */
static int
f_device (sqlite3_file *f)
{
  return mode == TEST_VFS_POWER
      ? 0
      : REAL (f)->pMethods->xDeviceCharacteristics (REAL (f));
}

static const sqlite3_io_methods methods = { 1, f_close, f_read, f_write,
  f_truncate, f_sync, f_size, f_lock, f_unlock, f_check, f_control, f_sector,
  f_device };

static int
v_open (sqlite3_vfs *self, const char *name, sqlite3_file *file, int flags,
    int *out)
{
  File *f = (File *) file;
  int result;

  f->base.pMethods = NULL;
  f->disk = NULL;
  if (mode == TEST_VFS_POWER && name) {
    if (!find_disk (name))
      add_disk (name);
    f->disk = find_disk (name);
  }
  f->real = g_malloc0 ((gsize) real_vfs->szOsFile);
  result = real_vfs->xOpen (real_vfs, name, f->real, flags, out);
  if (f->real->pMethods)
    f->base.pMethods = &methods;
  return result;
}

static int
v_delete (sqlite3_vfs *self, const char *name, int sync)
{
  Disk *disk;

  if (count (FALSE) && fail_by (1))
    return SQLITE_IOERR_DELETE;
  disk = mode == TEST_VFS_POWER ? find_disk (name) : NULL;
  /* Without a sync of the folder it may be there again. */
  if (disk && sync)
    g_ptr_array_remove (disks, disk);
  return real_vfs->xDelete (real_vfs, name, sync);
}

void
test_vfs_install (TestVfsFault fault, gint call, guint32 seed)
{
  mode = fault;
  calls = 0;
  chosen = call;
  fail_code = SQLITE_OK;
  luck = seed ? g_rand_new_with_seed (seed) : NULL;
  disks = g_ptr_array_new ();
  if (vfs.zName)
    return;
  real_vfs = sqlite3_vfs_find (NULL);
  vfs = *real_vfs;
  vfs.zName = "faulty";
  vfs.szOsFile = sizeof (File);
  vfs.xOpen = v_open;
  vfs.xDelete = v_delete;
  vfs.pNext = NULL;
  sqlite3_vfs_register (&vfs, 1);
}

void
test_vfs_fail (gint call, gint code)
{
  chosen = call ? calls + call : 0;
  fail_code = code;
}

void
test_vfs_watch (gint fd, gboolean syncs_only)
{
  watch_fd = fd;
  watch_syncs = syncs_only;
}
