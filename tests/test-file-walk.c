/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-file-test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

/* The operation file-walk: every file once, what cannot be read said, nothing run ahead. */

/* More than one subscriber may have waiting: 1024 messages of 64. */
#define N_MANY (70 * 1000)
#define N_LINKS_PER_FILE 30000

/* What a walk has published. */
typedef struct
{
  GPtrArray *files;      /* "size device inode path", as find prints it */
  GPtrArray *errors;     /* "code path" */
  GArray    *mtimes;
  AexGate   *gate;       /* the reader waits for it, if there is one */
} Found;

static void
found_init (Found *self)
{
  *self = (Found) {
    g_ptr_array_new_with_free_func (g_free),
    g_ptr_array_new_with_free_func (g_free),
    g_array_new (FALSE, FALSE, sizeof (gint64)),
  };
}

static void
found_clear (Found *self)
{
  g_ptr_array_unref (self->files);
  g_ptr_array_unref (self->errors);
  g_array_unref (self->mtimes);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Found, found_clear)

static void
on_message (AexPending *pending,
            GVariant   *message,
            gpointer    found)
{
  Found *self = found;
  GVariantIter *files, *errors;
  guint64 size, device, inode;
  const char *path, *text;
  gint64 mtime;
  gint32 code;

  if (self->gate != NULL)
    aex_gate_wait (self->gate);
  g_variant_get (message, "(a(aytttx)a(ayis))", &files, &errors);
  while (g_variant_iter_next (files, "(^&aytttx)", &path, &size, &device, &inode, &mtime))
    {
      g_ptr_array_add (self->files, g_strdup_printf ("%ju %ju %ju %s", (uintmax_t) size, (uintmax_t) device, (uintmax_t) inode, path));
      g_array_append_val (self->mtimes, mtime);
    }
  while (g_variant_iter_next (errors, "(^&ayi&s)", &path, &code, &text))
    {
      g_assert_cmpstr (text, !=, "");
      g_ptr_array_add (self->errors, g_strdup_printf ("%d %s", code, path));
    }
  g_variant_iter_free (files);
  g_variant_iter_free (errors);
}

static int
compare_lines (gconstpointer a,
               gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

static char *
sorted_lines (GPtrArray *lines)
{
  GString *text = g_string_new (NULL);

  g_ptr_array_sort (lines, compare_lines);
  for (guint i = 0; i < lines->len; i++)
    g_string_append_printf (text, "%s\n", (char *) lines->pdata[i]);
  return g_string_free (text, FALSE);
}

/* The paths, below the folder of the test. */
static char *
sorted_paths (AexFileTest *test,
              GPtrArray   *lines)
{
  g_autoptr (GPtrArray) paths = g_ptr_array_new ();

  for (guint i = 0; i < lines->len; i++)
    g_ptr_array_add (paths, strstr (lines->pdata[i], test->folder) + strlen (test->folder));
  return sorted_lines (paths);
}

static AexPending *
start (AexFileTest *test,
       Found       *found,
       const char  *root,
       gboolean     follow,
       guint64      min_size)
{
  g_autoptr (AexSubmitOptions) options = aex_submit_options_new ();

  aex_submit_options_set_subscriber (options, on_message, found, NULL);
  return aex_file_test_call_full (test, options, "file-walk", root, "{'follow': <%b>, 'min-size': <%t>}", follow, min_size);
}

static void
assert_totals (AexPending *call,
               guint64     n_files,
               guint64     n_bytes,
               guint64     n_errors)
{
  g_autoptr (GVariant) value = NULL;
  g_autoptr (GError) error = NULL;
  guint64 files, bytes, errors;

  value = aex_pending_dup_variant (call, &error);
  g_assert_no_error (error);
  g_variant_get (value, "(ttt)", &files, &bytes, &errors);
  g_assert_cmpuint (files, ==, n_files);
  g_assert_cmpuint (bytes, ==, n_bytes);
  g_assert_cmpuint (errors, ==, n_errors);
}

static void
make_folder (AexFileTest *test,
             const char  *name)
{
  g_autofree char *path = g_build_filename (test->folder, name, NULL);

  g_assert_cmpint (mkdir (path, 0700), ==, 0);
}

static void
make_file (AexFileTest *test,
           const char  *name,
           const char  *content)
{
  g_free (aex_file_test_write (test, name, content, strlen (content)));
}

static void
make_link (AexFileTest *test,
           const char  *target,
           const char  *name)
{
  g_autofree char *path = g_build_filename (test->folder, name, NULL);

  g_assert_cmpint (symlink (target, path), ==, 0);
}

/* a/b/one (3) a/two (5) b/a-hard-link-of-one a/empty \xff, and things that are no files. */
static void
make_tree (AexFileTest *test)
{
  g_autofree char *one = g_build_filename (test->folder, "a/b/one", NULL);
  g_autofree char *hard = g_build_filename (test->folder, "b/hard", NULL);
  g_autofree char *fifo = g_build_filename (test->folder, "b/fifo", NULL);

  make_folder (test, "a");
  make_folder (test, "a/b");
  make_folder (test, "b");
  make_file (test, "a/b/one", "one");
  make_file (test, "a/two", "three");
  make_file (test, "a/empty", "");
  make_file (test, "b/\xff\xfe strange", "strange");
  g_assert_cmpint (link (one, hard), ==, 0);
  g_assert_cmpint (mkfifo (fifo, 0600), ==, 0);
  make_link (test, "../a", "b/to-a");
  make_link (test, "..", "a/up");
  make_link (test, "../a/two", "b/to-two");
  make_link (test, "nowhere", "b/to-nowhere");
  make_link (test, "myself", "b/myself");
}

/* --- */

/* The same as a program that has nothing to do with us. */
static void
test_as_find (void)
{
  g_auto (AexFileTest) test = aex_file_test_begin ();
  g_auto (Found) found;
  g_autoptr (GPtrArray) lines = g_ptr_array_new ();
  g_auto (GStrv) printed = NULL;
  g_autofree char *output = NULL;
  g_autofree char *expected = NULL;
  g_autofree char *got = NULL;
  g_autoptr (AexPending) call = NULL;

  found_init (&found);
  make_tree (&test);
  output = aex_file_test_run (&test, "find", test.folder, "-type", "f", "-printf", "%s %D %i %p\\n", NULL);
  call = start (&test, &found, test.folder, FALSE, 0);
  aex_test_run_until_done (call);
  printed = g_strsplit (g_strchomp (output), "\n", -1);
  for (gsize i = 0; printed[i] != NULL; i++)
    g_ptr_array_add (lines, printed[i]);
  expected = sorted_lines (lines);
  got = sorted_lines (found.files);
  g_assert_cmpstr (got, ==, expected);
  g_assert_cmpuint (found.errors->len, ==, 0);
  assert_totals (call, 5, 3 + 5 + 0 + 7 + 3, 0);
}

static void
test_mtime (void)
{
  g_auto (AexFileTest) test = aex_file_test_begin ();
  g_auto (Found) found;
  g_autofree char *path = aex_file_test_write (&test, "a", "abc", 3);
  g_autoptr (AexPending) call = NULL;

  found_init (&found);
  call = start (&test, &found, test.folder, FALSE, 0);
  aex_test_run_until_done (call);
  g_assert_cmpuint (found.mtimes->len, ==, 1);
  g_assert_cmpint (g_array_index (found.mtimes, gint64, 0), ==, aex_file_test_get_mtime (path));
}

/* Each folder once, by a way without links where there is one; files that links lead to under the names of the links. */
static void
test_follow (void)
{
  g_auto (AexFileTest) test = aex_file_test_begin ();
  g_auto (AexFileTest) other = aex_file_test_begin ();
  g_auto (Found) found;
  g_autofree char *got = NULL;
  g_autoptr (AexPending) call = NULL;

  found_init (&found);
  make_tree (&test);
  make_folder (&other, "c");
  make_file (&other, "c/outside", "outside");
  make_link (&other, "..", "c/up");
  make_link (&test, other.folder, "z-to-other");
  make_link (&test, other.folder, "y-to-other");
  call = start (&test, &found, test.folder, TRUE, 1);
  aex_test_run_until_done (call);
  got = sorted_paths (&test, found.files);
  g_assert_cmpstr (got, ==, "/a/b/one\n/a/two\n/b/hard\n/b/to-two\n/b/\xff\xfe strange\n/y-to-other/c/outside\n");
  g_assert_cmpuint (found.errors->len, ==, 0);
  assert_totals (call, 6, 3 + 5 + 3 + 5 + 7 + 7, 0);
}

static void
test_min_size (void)
{
  g_auto (AexFileTest) test = aex_file_test_begin ();
  g_auto (Found) found;
  g_autofree char *got = NULL;
  g_autoptr (AexPending) call = NULL;

  found_init (&found);
  make_tree (&test);
  call = start (&test, &found, test.folder, FALSE, 5);
  aex_test_run_until_done (call);
  got = sorted_paths (&test, found.files);
  g_assert_cmpstr (got, ==, "/a/two\n/b/\xff\xfe strange\n");
  assert_totals (call, 2, 5 + 7, 0);
}

/* --- roots */

static void
test_root (void)
{
  g_auto (AexFileTest) test = aex_file_test_begin ();
  g_auto (Found) found;
  g_autofree char *file = aex_file_test_write (&test, "file", "abc", 3);
  g_autofree char *link = g_build_filename (test.folder, "link", NULL);
  g_autofree char *got = NULL;
  g_autoptr (AexPending) from_file = NULL;
  g_autoptr (AexPending) from_link = NULL;

  found_init (&found);
  make_folder (&test, "folder");
  make_file (&test, "folder/inside", "inside");
  make_link (&test, "folder", "link");
  from_file = start (&test, &found, file, FALSE, 0);
  aex_test_run_until_done (from_file);
  from_link = start (&test, &found, link, FALSE, 0);
  aex_test_run_until_done (from_link);
  got = sorted_paths (&test, found.files);
  g_assert_cmpstr (got, ==, "/file\n/link/inside\n");
}

static void
test_root_refused (void)
{
  g_auto (AexFileTest) test = aex_file_test_begin ();
  g_autofree char *fifo = g_build_filename (test.folder, "fifo", NULL);
  g_autofree char *missing = g_build_filename (test.folder, "missing", NULL);
  g_autoptr (AexPending) from_fifo = NULL;
  g_autoptr (AexPending) from_missing = aex_file_test_call (&test, "file-walk", missing, NULL);

  g_assert_cmpint (mkfifo (fifo, 0600), ==, 0);
  from_fifo = aex_file_test_call (&test, "file-walk", fifo, NULL);
  aex_assert_call_fails (from_fifo, G_IO_ERROR, G_IO_ERROR_NOT_REGULAR_FILE, "fifo");
  aex_assert_call_fails (from_missing, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "missing");
}

/* --- what cannot be read is said, and the walk goes on */

/* Folders in folders until no path can name them. */
static int
make_deep (AexFileTest *test)
{
  g_autofree char *name = g_strnfill (250, 'd');
  int folder = open (test->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int depth = 0;

  for (gsize length = strlen (test->folder); length < 5000; length += 251)
    {
      int next;

      g_assert_cmpint (mkdirat (folder, name, 0700), ==, 0);
      next = openat (folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
      g_assert_cmpint (next, >=, 0);
      close (folder);
      folder = next;
      depth++;
    }
  close (folder);
  return depth;
}

static void
test_unreadable (void)
{
  g_auto (AexFileTest) test = aex_file_test_begin ();
  g_auto (Found) found;
  g_autofree char *got = NULL;
  g_autofree char *code = g_strdup_printf ("%d /", g_io_error_from_errno (ENAMETOOLONG));
  g_autoptr (AexPending) call = NULL;

  found_init (&found);
  make_file (&test, "a", "a");
  make_file (&test, "z", "z");
  g_assert_cmpint (make_deep (&test), >, 16);
  call = start (&test, &found, test.folder, FALSE, 0);
  aex_test_run_until_done (call);
  got = sorted_paths (&test, found.files);
  g_assert_cmpstr (got, ==, "/a\n/z\n");
  assert_totals (call, 2, 2, 1);
  g_assert_cmpuint (found.errors->len, ==, 1);
  g_assert_true (g_str_has_prefix (found.errors->pdata[0], code));
}

/* --- it does not run ahead of its reader */

static void
make_many (AexFileTest *test)
{
  int folder;

  make_folder (test, "many");
  for (int i = 0; i < N_MANY; i += N_LINKS_PER_FILE)
    {
      g_autofree char *name = g_strdup_printf ("many/%d", i);

      make_file (test, name, "x");
    }
  folder = open (test->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  for (int i = 0; i < N_MANY; i++)
    {
      char first[32], name[32];

      if (i % N_LINKS_PER_FILE == 0)
        continue;
      g_snprintf (first, sizeof first, "many/%d", i - i % N_LINKS_PER_FILE);
      g_snprintf (name, sizeof name, "many/%d", i);
      g_assert_cmpint (linkat (folder, first, folder, name, 0), ==, 0);
    }
  close (folder);
}

/* Runs on the reader's thread, which is then that of the subscription. */
static void
start_reading (gpointer first,
               gpointer second)
{
  AexFileTest *test = first;
  gpointer *pair = second;

  pair[1] = start (test, pair[0], test->folder, FALSE, 0);
}

/* The reader waits at its first message.  A pool of one worker starts a second job only when the first is done or blocks. */
static AexPending *
start_with_slow_reader (AexFileTest   *test,
                        Found         *found,
                        AexLoopThread *reader)
{
  gpointer pair[2] = { found, NULL };
  g_autoptr (AexPending) after = NULL;

  aex_test_shutdown (test->pool);
  test->pool = aex_test_pool (1);
  make_many (test);
  aex_loop_thread_call (reader, start_reading, test, pair);
  after = aex_executor_submit (test->pool, aex_job_int, GINT_TO_POINTER (1), NULL);
  aex_test_wait (after);
  g_assert_false (aex_pending_is_done (pair[1]));
  return pair[1];
}

static void
test_slow_reader (void)
{
  g_auto (AexFileTest) test = aex_file_test_begin ();
  g_auto (Found) found;
  AexLoopThread *reader = aex_loop_thread_new ();
  g_autoptr (AexPending) call = NULL;
  AexGate gate;

  found_init (&found);
  aex_gate_init (&gate);
  found.gate = &gate;
  call = start_with_slow_reader (&test, &found, reader);
  aex_gate_open (&gate);
  aex_test_wait (call);
  assert_totals (call, N_MANY, N_MANY, 0);
  aex_loop_thread_free (reader);
  g_assert_cmpuint (found.files->len, ==, N_MANY);
  aex_gate_clear (&gate);
}

static void
test_cancel (void)
{
  g_auto (AexFileTest) test = aex_file_test_begin ();
  g_auto (Found) found;
  AexLoopThread *reader = aex_loop_thread_new ();
  g_autoptr (AexPending) call = NULL;
  AexGate gate;

  found_init (&found);
  aex_gate_init (&gate);
  found.gate = &gate;
  call = start_with_slow_reader (&test, &found, reader);
  g_assert_true (aex_pending_cancel (call, NULL));
  aex_test_wait (call);
  aex_assert_cancelled (call);
  aex_gate_open (&gate);
  aex_loop_thread_free (reader);
  g_assert_cmpuint (found.files->len, <, N_MANY);
  aex_gate_clear (&gate);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/file-walk/O11/as-find", test_as_find);
  aex_test_add ("/file-walk/O11/mtime", test_mtime);
  aex_test_add ("/file-walk/O11/follow", test_follow);
  aex_test_add ("/file-walk/O11/min-size", test_min_size);
  aex_test_add ("/file-walk/O11/root", test_root);
  aex_test_add ("/file-walk/O11/root-refused", test_root_refused);
  aex_test_add ("/file-walk/O11/unreadable", test_unreadable);
  aex_test_add ("/file-walk/O11/slow-reader", test_slow_reader);
  aex_test_add ("/file-walk/O11/cancel", test_cancel);
  return aex_test_run ();
}
