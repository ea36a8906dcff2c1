/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Damaged files: each vector cut short and with a byte changed, and files that
 * were bad from the beginning, decrypted in front of the demuxer and behind
 * qtdemux; and the clear files, damaged likewise, encrypted. Wanted is an error
 * or a clean end, of a cut file in front of the demuxer and of an encrypted one
 * an error; no crash, no hang, no growing memory.
 *
 * CENC_DAMAGE=CUTS,FLIPS: so many of every vector (full: 50,200).
 * CENC_DAMAGE_ONLY=TEXT: only vectors whose name has it.
 * CENC_DAMAGE_PART=K/N: the Kth of N parts of the vectors, to share them out.
 *
 * A process of its own runs the cases of a vector, so that one that ends it is
 * known by its number. If stock qtdemux alone fails a case too, it is not ours.
 */

#include "config.h"

#include <gst/gst.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib/gstdio.h>

#define HANG (60 * G_USEC_PER_SEC)
/* The sanitizers keep freed memory, 256 MiB of it. */
#define MAX_RSS_KIB (1024 * 1024)

typedef enum
{
  FRONT_TASK,
  FRONT_PUSH,
  ENCRYPT_TASK,
  ENCRYPT_PUSH,
  BEHIND,
  STOCK, /* no cencdecrypt: qtdemux alone */
} Mode;

static const gchar *const mode_names[] = { "in front, pulling",
  "in front, pushed to", "encrypted, pulling", "encrypted, pushed to", "behind",
  "qtdemux alone" };

typedef struct
{
  gchar *path, *keys;
  gchar *data;
  gsize size;
  gboolean is_bad; /* not damaged further */
  gboolean is_clear; /* to be encrypted */
} Input;

typedef struct
{
  gint is_cut;
  gsize pos;
  guint8 mask;
} Damage;

/* Shared with the process that runs the cases. */
typedef struct
{
  gint n_done; /* cases that ended */
  gint64 n_bytes; /* that came out of the last one */
  gboolean ended; /* without an error */
  gboolean hanging;
  gint64 longest; /* a case took, in microseconds */
  gchar longest_name[256];
} Progress;

static Progress *progress;
/* By default a cut and a change of every third. */
static guint n_cuts = 1, n_flips = 1, first = 0, step = 3;
static guint n_runs, n_failures, n_stock;
static gint failure; /* the status of all that failed, or 1 if they differ */
static gint64 patience = HANG;
static long max_rss, last_rss;
static const gchar *largest = "none"; /* of which that was */

/*
 * Inputs
 */

static void
input_free (Input *self)
{
  g_free (self->path);
  g_free (self->keys);
  g_free (self->data);
  g_free (self);
}

static void
add_input (GPtrArray *inputs, const gchar *folder, const gchar *file,
    const gchar *keys, gboolean is_bad)
{
  const gchar *only = g_getenv ("CENC_DAMAGE_ONLY");
  Input *self;

  if (only && !strstr (file, only))
    return;
  self = g_new0 (Input, 1);
  self->path = g_build_filename (folder, file, NULL);
  self->keys = g_strdup (*keys ? keys
                               : "00000000000000000000000000000001:"
                                 "00000000000000000000000000000001");
  self->is_bad = is_bad;
  if (g_file_get_contents (self->path, &self->data, &self->size, NULL) &&
      self->size > 0)
    g_ptr_array_add (inputs, self);
  else
    input_free (self);
}

/* Of @folder/manifest.tsv; @column has the keys, 0 for none. */
static void
add_inputs (GPtrArray *inputs, const gchar *folder, guint column)
{
  g_autofree gchar *path = g_build_filename (folder, "manifest.tsv", NULL);
  g_autofree gchar *text = NULL;
  g_auto (GStrv) lines = NULL;
  guint i;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return;
  lines = g_strsplit (text, "\n", -1);
  for (i = 1; lines[i] && *lines[i]; i++) {
    g_auto (GStrv) cells = g_strsplit (lines[i], "\t", -1);

    add_input (inputs, folder, cells[0], column ? cells[column] : "",
        column == 0);
  }
}

#ifdef HAVE_ENCRYPT
static void
add_clear_inputs (GPtrArray *inputs, const gchar *parent)
{
  g_autofree gchar *folder = g_build_filename (parent, "clear", NULL);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const gchar *name;

  while (dir && (name = g_dir_read_name (dir))) {
    guint n = inputs->len;

    add_input (inputs, folder, name, "", FALSE);
    if (inputs->len > n)
      ((Input *) g_ptr_array_index (inputs, n))->is_clear = TRUE;
  }
}
#endif

/* TRUE if a file that ends at @pos has whole boxes only. */
static gboolean
is_boundary (const Input *self, gsize pos)
{
  const guint8 *data = (const guint8 *) self->data;
  gsize at = 0;

  while (at + 8 <= self->size && at < pos) {
    guint64 size = GST_READ_UINT32_BE (data + at);

    if (size == 1 && at + 16 <= self->size)
      size = GST_READ_UINT64_BE (data + at + 8);
    if (size < 8 || size > self->size - at)
      return TRUE; /* to the end of the file: any length is as good */
    at += size;
  }
  return at == pos;
}

/*
 * A case
 */

static void
count (GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer data)
{
  progress->n_bytes += (gint64) gst_buffer_get_size (buffer);
}

static void
on_pad (GstElement *demuxer, GstPad *pad, gpointer keys)
{
  g_autoptr (GstObject) pipeline = gst_object_get_parent (GST_OBJECT (demuxer));
  g_autofree gchar *description =
      g_strdup_printf ("%s%s%s fakesink sync=false async=false",
          keys ? "cencdecrypt keys=" : "", keys ? (gchar *) keys : "",
          keys ? " !" : "");
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  const gchar *name =
      caps ? gst_structure_get_name (gst_caps_get_structure (caps, 0)) : "";
  GstElement *bin =
      gst_parse_bin_from_description (g_str_equal (name, "application/x-cenc")
              ? description
              : "fakesink sync=false async=false",
          TRUE, NULL);
  g_autoptr (GstPad) sink = gst_element_get_static_pad (bin, "sink");

  gst_bin_add (GST_BIN (pipeline), bin);
  gst_element_sync_state_with_parent (bin);
  gst_pad_link (pad, sink);
}

static GstElement *
make_encrypting_pipeline (Mode mode, const gchar *path, guint number)
{
  static const gchar *const schemes[] = { "cenc", "cbcs", "cens", "cbc1" };
  g_autofree gchar *description = g_strdup_printf (
      "filesrc location=%s %s ! cencencrypt scheme=%s "
      "key-id=00000000000000000000000000000001 "
      "key=00000000000000000000000000000002 ! fakesink sync=false",
      path, mode == ENCRYPT_PUSH ? "! queue" : "",
      schemes[number / 2 % G_N_ELEMENTS (schemes)]);

  return gst_parse_launch (description, NULL);
}

static GstElement *
make_pipeline (const Input *input, Mode mode, const gchar *path)
{
  g_autofree gchar *front =
      g_strdup_printf ("filesrc location=%s %s ! cencdecrypt keys=%s ! "
                       "fakesink name=sink sync=false signal-handoffs=true",
          path, mode == FRONT_PUSH ? "! queue" : "", input->keys);
  g_autofree gchar *behind =
      g_strdup_printf ("filesrc location=%s ! qtdemux name=d", path);
  GstElement *pipeline =
      gst_parse_launch (mode >= BEHIND ? behind : front, NULL);
  GstElement *element =
      gst_bin_get_by_name (GST_BIN (pipeline), mode >= BEHIND ? "d" : "sink");

  if (mode >= BEHIND)
    g_signal_connect (element, "pad-added", G_CALLBACK (on_pad),
        mode == BEHIND ? input->keys : NULL);
  else
    g_signal_connect (element, "handoff", G_CALLBACK (count), NULL);
  gst_object_unref (element);
  return pipeline;
}

static void
note_time (const Input *input, guint number, Mode mode, gint64 time)
{
  if (time <= progress->longest)
    return;
  progress->longest = time;
  g_snprintf (progress->longest_name, sizeof progress->longest_name,
      "%s: case %u, %s", strrchr (input->path, '/') + 1, number,
      mode_names[mode]);
}

static void
run_case (const Input *input, Mode mode, const gchar *path, guint number)
{
  GstElement *pipeline = input->is_clear
      ? make_encrypting_pipeline (mode, path, number)
      : make_pipeline (input, mode, path);
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *message;
  gint64 start = g_get_monotonic_time ();

  progress->n_bytes = 0;
  progress->ended = progress->hanging = FALSE;
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message =
      gst_bus_timed_pop_filtered (bus, (GstClockTime) patience * GST_USECOND,
          GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  if (!message)
    progress->hanging = TRUE;
  else
    progress->ended = GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS;
  g_clear_pointer (&message, gst_message_unref);
  if (progress->hanging)
    _exit (3);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (pipeline);
  note_time (input, number, mode, g_get_monotonic_time () - start);
}

/* Writes the file that is wanted over the one at @path. */
static void
write_damaged (const Input *input, const Damage *damage, const gchar *path)
{
  g_autofree gchar *copy = g_memdup2 (input->data, input->size);
  gsize size = input->size;
  FILE *file;

  if (damage->is_cut)
    size = damage->pos;
  else
    copy[damage->pos] ^= (gchar) damage->mask;
  /* g_file_set_contents() would wait for the disk. */
  file = fopen (path, "wb");
  if (!file || fwrite (copy, 1, size, file) != size || fclose (file) != 0)
    _exit (4);
}

static Damage
get_damage (const Input *input, guint number)
{
  g_autoptr (GRand) rand =
      g_rand_new_with_seed (g_str_hash (strrchr (input->path, '/')) + number);
  Damage damage = { number < n_cuts, 0, 0 };

  /* Half of the bytes stand in headers, which are few: near the beginning, or in
   * what follows a "moof" or "moov". */
  damage.pos = (gsize) (g_rand_double (rand) * (gdouble) input->size);
  if (!damage.is_cut && g_rand_boolean (rand)) {
    const gchar *name = g_rand_boolean (rand) ? "moof" : "moov";
    gsize from = damage.pos;

    for (; from + 4 < input->size; from++) {
      if (memcmp (input->data + from, name, 4) == 0)
        break;
    }
    if (from + 4 >= input->size)
      from = 0;
    damage.pos = from + (gsize) g_rand_int_range (rand, 0, 1200);
    if (damage.pos >= input->size)
      damage.pos %= input->size;
  }
  damage.mask = (guint8) g_rand_int_range (rand, 1, 256);
  return damage;
}

/* Front and behind of each; in front, and to be encrypted, in turn as a task and
 * pushed to. */
static Mode
get_mode (const Input *input, guint number, gboolean behind)
{
  if (input->is_clear)
    return number % 2 ? ENCRYPT_PUSH : ENCRYPT_TASK;
  return behind ? BEHIND : number % 2 ? FRONT_PUSH : FRONT_TASK;
}

static const gchar *
judge (const Input *input, const Damage *damage, Mode mode)
{
  if (progress->hanging)
    return "hangs";
  if (mode >= BEHIND || !progress->ended)
    return NULL;
  if (input->is_bad)
    return progress->n_bytes == (gint64) input->size ? NULL : "ends early";
  if (damage->is_cut && !is_boundary (input, damage->pos))
    return "half a file ends without an error";
  if (!damage->is_cut && !input->is_clear &&
      progress->n_bytes != (gint64) input->size)
    return "another number of bytes, without an error";
  return NULL;
}

/*
 * Processes
 */

typedef struct
{
  const Input *input;
  const gchar *path;
  guint first, last; /* cases */
  Mode mode; /* BEHIND: all of them behind; FRONT_TASK: in front */
  gboolean stock;
} Job;

static void
say_nothing (const gchar *domain, GLogLevelFlags level, const gchar *message,
    gpointer data)
{
}

static void
run_job (const Job *job)
{
  guint i;

  gst_init (NULL, NULL);
  gst_debug_set_default_threshold (GST_LEVEL_NONE);
  if (job->mode == FRONT_TASK)
    g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
  else /* qtdemux has some */
    g_log_set_default_handler (say_nothing, NULL);
  for (i = job->first; i < job->last; i++) {
    Damage damage = get_damage (job->input, i);
    Mode mode =
        job->stock ? STOCK : get_mode (job->input, i, job->mode == BEHIND);
    const gchar *wrong;

    /* Of what does not even stop: SIGALRM ends the process. */
    alarm ((guint) (4 * patience / G_USEC_PER_SEC));
    if (!job->input->is_bad)
      write_damaged (job->input, &damage, job->path);
    run_case (job->input, mode,
        job->input->is_bad ? job->input->path : job->path, i);
    wrong = judge (job->input, &damage, mode);
    if (wrong) {
      fprintf (stderr,
          "%s: case %u (%s at %zu, mask %02x), %s: %s (%" G_GINT64_FORMAT
          " of %zu bytes)\n",
          job->input->path, i, damage.is_cut ? "cut" : "changed", damage.pos,
          damage.mask, mode_names[mode], wrong, progress->n_bytes,
          job->input->size);
      _exit (5);
    }
    g_atomic_int_inc (&progress->n_done);
  }
  gst_deinit ();
}

/* The exit status, or the negative number of a signal. */
static gint
wait_for (pid_t pid)
{
  gint status = 0;
  struct rusage usage = { { 0 } };

  while (wait4 (pid, &status, 0, &usage) < 0 && errno == EINTR)
    ;
  last_rss = usage.ru_maxrss;
  return WIFEXITED (status) ? WEXITSTATUS (status) : -WTERMSIG (status);
}

static gint
run_process (const Job *job, guint *n_done)
{
  pid_t pid;
  gint status;

  g_atomic_int_set (&progress->n_done, 0);
  progress->hanging = FALSE;
  fflush (NULL);
  pid = fork ();
  if (pid == 0) {
    run_job (job);
    exit (0);
  }
  status = wait_for (pid);
  *n_done = (guint) g_atomic_int_get (&progress->n_done);
  return status;
}

/* Whether qtdemux alone does the same with a case. */
static gboolean
is_stock (const Job *job, guint number)
{
  Job alone = *job;
  guint n_done;

  alone.first = number;
  alone.last = number + 1;
  alone.stock = TRUE;
  return run_process (&alone, &n_done) != 0;
}

/* Of cases that took too much memory together, those that do alone, and do not
 * with qtdemux alone. */
static void
find_hogs (const Job *job)
{
  Job alone = *job;
  guint i, n_done;

  for (i = job->first; i < job->last; i++) {
    long rss;

    alone.first = i;
    alone.last = i + 1;
    run_process (&alone, &n_done);
    rss = last_rss;
    if (rss <= MAX_RSS_KIB)
      continue;
    if (job->mode == BEHIND) {
      is_stock (job, i);
      if (last_rss > MAX_RSS_KIB) {
        n_stock++;
        continue;
      }
    }
    n_failures++;
    failure = 1;
    fprintf (stderr, "%s: case %u, %s: %ld MiB\n", job->input->path, i,
        job->mode == BEHIND ? "behind" : "in front", rss / 1024);
  }
}

static void
note_rss (const Job *job)
{
  if (last_rss <= max_rss)
    return;
  max_rss = last_rss;
  largest = strrchr (job->input->path, '/') + 1;
}

static void
run_cases (const Input *input, const gchar *path, Mode mode)
{
  guint n = input->is_bad ? (mode == BEHIND ? 1 : 2) : n_cuts + n_flips;
  Job job = { input, path, 0, n, mode, FALSE };

  while (job.first < job.last) {
    guint n_done;
    gint status = run_process (&job, &n_done);

    n_runs += n_done;
    if (last_rss > MAX_RSS_KIB)
      find_hogs (&job);
    else
      note_rss (&job);
    if (status == 0)
      return;
    job.first += n_done;
    /* At its end all cases are done: what a sanitizer says of the whole. */
    if (mode == BEHIND && job.first < job.last && is_stock (&job, job.first)) {
      n_stock++;
    } else {
      failure = n_failures == 0 || failure == status ? status : 1;
      n_failures++;
      fprintf (stderr, "%s: case %u, %s: status %d%s\n", input->path, job.first,
          mode == BEHIND ? "behind" : "in front", status,
          progress->hanging ? ", hangs" : "");
    }
    job.first++;
  }
}

static void
read_environment (void)
{
  const gchar *counts = g_getenv ("CENC_DAMAGE");
  const gchar *part = g_getenv ("CENC_DAMAGE_PART");
  const gchar *factor = g_getenv ("CK_TIMEOUT_MULTIPLIER");

  if (counts) {
    step = 1;
    if (sscanf (counts, "%u,%u", &n_cuts, &n_flips) != 2)
      g_error ("CENC_DAMAGE is not CUTS,FLIPS");
  }
  if (part) {
    if (sscanf (part, "%u/%u", &first, &step) != 2 || first == 0 ||
        first > step)
      g_error ("CENC_DAMAGE_PART is not K/N");
    first--;
  }
  if (factor)
    patience *= MAX (1, atoi (factor));
}

int
main (int argc, char **argv)
{
  const gchar *env = g_getenv ("CENC_VECTORS");
  const gchar *folder = env ? env : VECTORS_DIR;
  g_autofree gchar *bad = g_build_filename (folder, "bad", NULL);
  g_autofree gchar *path = NULL;
  g_autoptr (GPtrArray) inputs =
      g_ptr_array_new_with_free_func ((GDestroyNotify) input_free);
  gint fd;
  guint i, n_files = 0;

  read_environment ();
  add_inputs (inputs, folder, 6);
#ifdef HAVE_ENCRYPT
  add_clear_inputs (inputs, folder);
#endif
  add_inputs (inputs, bad, 0);
  if (inputs->len == 0) {
    printf ("skipped: no vectors at %s\n", folder);
    return 77;
  }
  progress = mmap (NULL, sizeof *progress, PROT_READ | PROT_WRITE,
      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  fd = g_file_open_tmp ("decrypt-damage-XXXXXX", &path, NULL);
  if (fd < 0 || progress == MAP_FAILED)
    return 2;
  close (fd);
  for (i = first; i < inputs->len; i += step) {
    const Input *input = g_ptr_array_index (inputs, i);

    n_files++;
    run_cases (input, path, FRONT_TASK);
    /* What qtdemux leaks of a damaged file is not ours. */
    if (!input->is_clear && !g_getenv ("GST_TRACERS"))
      run_cases (input, path, BEHIND);
  }
  g_unlink (path);
  printf ("%u files, %u runs, %u failures, %u more of qtdemux alone, at most "
          "%ld MiB (%s) and %.1f s (%s)\n",
      n_files, n_runs, n_failures, n_stock, max_rss / 1024, largest,
      (gdouble) progress->longest / G_USEC_PER_SEC, progress->longest_name);
  return n_failures > 0 ? failure : n_runs == 0;
}
