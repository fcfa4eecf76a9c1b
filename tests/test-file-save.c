/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-file-test.h"

#include "executor/aex-operation-private.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* The operation file-save: all of the new file or all of the old one. */

static AexPending *
save (AexFileTest *test,
      const char  *path,
      const char  *bytes,
      gsize        n,
      int          mode)
{
  GVariant *data = g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, bytes, n, 1);

  if (mode < 0)
    return aex_file_test_call (test, "file-save", path, "{'data': <%*>}", data);
  return aex_file_test_call (test, "file-save", path, "{'data': <%*>, 'mode': <%u>}", data, (guint32) mode);
}

static void
assert_saves (AexPending *call,
              guint64     expected)
{
  g_autoptr (AexPending) taken = call;
  g_autoptr (GVariant) value = NULL;
  g_autoptr (GError) error = NULL;

  aex_test_wait (taken);
  value = aex_pending_dup_variant (taken, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_variant_get_uint64 (value), ==, expected);
}

static void
assert_refused (AexPending *call,
                GQuark      domain,
                int         code,
                const char *part)
{
  aex_assert_call_fails (call, domain, code, part);
  g_object_unref (call);
}

static void
assert_content (const char *path,
                const char *expected)
{
  g_autofree char *content = NULL;
  g_autoptr (GError) error = NULL;

  g_file_get_contents (path, &content, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (content, ==, expected);
}

static mode_t
get_mode (const char *path)
{
  struct stat st;

  g_assert_cmpint (stat (path, &st), ==, 0);
  return st.st_mode & 07777;
}

static void
assert_names (AexFileTest *test,
              const char  *expected)
{
  g_autofree char *names = aex_file_test_list (test);

  g_assert_cmpstr (names, ==, expected);
}

/* --- what is saved */

static void
test_new (void)
{
  g_auto (AexFileTest) test = aex_file_test_begin ();
  g_autofree char *path = g_build_filename (test.folder, "new", NULL);
  g_autofree char *empty = g_build_filename (test.folder, "empty", NULL);
  mode_t mask = umask (027);

  assert_saves (save (&test, path, "abc", 3, -1), 3);
  assert_saves (save (&test, empty, "", 0, -1), 0);
  umask (mask);
  assert_content (path, "abc");
  assert_content (empty, "");
  g_assert_cmpuint (get_mode (path), ==, 0640);
  assert_names (&test, "empty new");
}

/* The same as a program that has nothing to do with us. */
static void
test_as_cmp (void)
{
  const gsize n = 3 * 1000 * 1000 + 1;
  g_auto (AexFileTest) test = aex_file_test_begin ();
  g_autofree char *bytes = g_malloc (n);
  g_autofree char *expected = NULL;
  g_autofree char *path = g_build_filename (test.folder, "b", NULL);
  g_autofree char *output = NULL;

  for (gsize i = 0; i < n; i++)
    bytes[i] = (char) g_test_rand_int ();
  expected = aex_file_test_write (&test, "a", bytes, n);
  assert_saves (save (&test, path, bytes, n, -1), n);
  assert_names (&test, "a b");
  output = aex_file_test_run (&test, "cmp", expected, path, NULL);
  g_assert_cmpstr (output, ==, "");
}

static void
test_replace (void)
{
  g_auto (AexFileTest) test = aex_file_test_begin ();
  g_autofree char *path = aex_file_test_write (&test, "a", "old and longer", 14);

  g_assert_cmpint (chmod (path, 0751), ==, 0);
  assert_saves (save (&test, path, "new", 3, -1), 3);
  assert_content (path, "new");
  g_assert_cmpuint (get_mode (path), ==, 0751);
  assert_saves (save (&test, path, "newer", 5, 0604), 5);
  assert_content (path, "newer");
  g_assert_cmpuint (get_mode (path), ==, 0604);
  assert_names (&test, "a");
}

/* Root saves a file of somebody else: it stays theirs. */
static void
test_owner (void)
{
  g_auto (AexFileTest) test = aex_file_test_begin ();
  g_autofree char *path = aex_file_test_write (&test, "a", "old", 3);
  struct stat st;

  if (chown (path, 12345, 23456) < 0)
    {
      g_test_skip ("not permitted to give files away");
      return;
    }
  g_assert_cmpint (chmod (path, 04755), ==, 0);
  assert_saves (save (&test, path, "new", 3, -1), 3);
  g_assert_cmpint (stat (path, &st), ==, 0);
  g_assert_cmpuint (st.st_uid, ==, 12345);
  g_assert_cmpuint (st.st_gid, ==, 23456);
  g_assert_cmpuint (st.st_mode & 07777, ==, 04755);
}

static void
test_through_link (void)
{
  g_auto (AexFileTest) test = aex_file_test_begin ();
  g_autofree char *path = aex_file_test_write (&test, "a", "old", 3);
  g_autofree char *link = g_build_filename (test.folder, "link", NULL);
  g_autofree char *broken = g_build_filename (test.folder, "to-nowhere", NULL);

  g_assert_cmpint (symlink ("a", link), ==, 0);
  g_assert_cmpint (symlink ("nowhere", broken), ==, 0);
  assert_saves (save (&test, link, "new", 3, -1), 3);
  assert_content (path, "new");
  g_assert_true (g_file_test (link, G_FILE_TEST_IS_SYMLINK));
  assert_refused (save (&test, broken, "new", 3, -1), G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "to-nowhere");
  assert_names (&test, "a link to-nowhere");
}

/* --- what is refused */

static void
test_refused (void)
{
  g_auto (AexFileTest) test = aex_file_test_begin ();
  g_autofree char *fifo = g_build_filename (test.folder, "fifo", NULL);
  g_autofree char *nowhere = g_build_filename (test.folder, "no", "where", NULL);
  g_autofree char *below = g_build_filename (test.folder, "a", "below", NULL);
  g_autofree char *slash = g_build_filename (test.folder, "b/", NULL);
  g_autofree char *file = aex_file_test_write (&test, "a", "old", 3);

  g_assert_cmpint (mkfifo (fifo, 0600), ==, 0);
  assert_refused (save (&test, fifo, "x", 1, -1), G_IO_ERROR, G_IO_ERROR_NOT_REGULAR_FILE, "fifo");
  assert_refused (save (&test, "/dev/full", "x", 1, -1), G_IO_ERROR, G_IO_ERROR_NOT_REGULAR_FILE, "/dev/full");
  assert_refused (save (&test, test.folder, "x", 1, -1), G_IO_ERROR, G_IO_ERROR_IS_DIRECTORY, test.folder);
  assert_refused (save (&test, nowhere, "x", 1, -1), G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "where");
  assert_refused (save (&test, below, "x", 1, -1), G_IO_ERROR, G_IO_ERROR_NOT_DIRECTORY, "below");
  assert_refused (save (&test, slash, "x", 1, -1), G_IO_ERROR, G_IO_ERROR_IS_DIRECTORY, "b/");
  assert_refused (save (&test, file, "x", 1, 010000), AEX_ERROR, AEX_ERROR_INVALID_ARGUMENT, "010000");
  assert_refused (aex_file_test_call (&test, "file-save", file, NULL), AEX_ERROR, AEX_ERROR_INVALID_ARGUMENT, "“data”");
  assert_content (file, "old");
  assert_names (&test, "a fifo");
}

/* The disk is full in the middle: here it is the limit of the process. */
static void
test_no_space (void)
{
  const gsize n = 300 * 1000;
  g_auto (AexFileTest) test = aex_file_test_begin ();
  g_autofree char *bytes = g_malloc0 (n);
  g_autofree char *path = aex_file_test_write (&test, "a", "old", 3);
  struct rlimit old, small;
  AexPending *call;

  signal (SIGXFSZ, SIG_IGN);
  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &old), ==, 0);
  small = old;
  small.rlim_cur = 100 * 1000;
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &small), ==, 0);
  call = save (&test, path, bytes, n, -1);
  aex_test_wait (call);
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &old), ==, 0);
  assert_refused (call, G_IO_ERROR, g_io_error_from_errno (EFBIG), test.folder);
  assert_content (path, "old");
  assert_names (&test, "a");
}

/* --- cancelled on the way */

static gboolean
op_cancelled_save (AexPending   *job,
                   GVariant     *parameters,
                   GCancellable *cancellable,
                   gpointer      user_data,
                   GError      **error)
{
  g_autoptr (GCancellable) cancelled = g_cancellable_new ();

  g_cancellable_cancel (cancelled);
  return aex_file_save (job, parameters, cancelled, NULL, error);
}

/* With bytes before the first block, without any before the new file gets its name. */
static void
test_cancel (void)
{
  g_auto (AexFileTest) test = aex_file_test_begin ();
  AexOperations *set = aex_executor_get_operations (test.pool);
  g_autofree char *path = aex_file_test_write (&test, "a", "old", 3);
  AexPending *with_bytes, *without;

  g_assert_true (aex_operations_add (set, "cancelled-save", G_VARIANT_TYPE_VARDICT, G_VARIANT_TYPE_UINT64, op_cancelled_save, NULL, NULL, NULL));
  with_bytes = aex_file_test_call (&test, "cancelled-save", path, "{'data': <b'new'>}");
  without = aex_file_test_call (&test, "cancelled-save", path, "{'data': <@ay []>}");
  assert_refused (with_bytes, G_IO_ERROR, G_IO_ERROR_CANCELLED, "");
  assert_refused (without, G_IO_ERROR, G_IO_ERROR_CANCELLED, "");
  assert_content (path, "old");
  assert_names (&test, "a");
  g_assert_true (aex_operations_remove (set, "cancelled-save"));
}

/* --- who reads sees one or the other */

#define N_SAVES 200
#define N_SAVED 70000

static gpointer
save_again_and_again (gpointer data)
{
  AexFileTest *test = data;
  g_autofree char *path = g_build_filename (test->folder, "a", NULL);
  g_autofree char *bytes = g_malloc (N_SAVED);

  for (int i = 0; i < N_SAVES; i++)
    {
      memset (bytes, 'a' + i % 2, N_SAVED);
      assert_saves (save (test, path, bytes, N_SAVED, -1), N_SAVED);
    }
  return NULL;
}

static void
test_atomic (void)
{
  g_auto (AexFileTest) test = aex_file_test_begin ();
  g_autofree char *start = g_strnfill (N_SAVED, 'a');
  g_autofree char *path = aex_file_test_write (&test, "a", start, N_SAVED);
  GThread *thread = g_thread_new ("saver", save_again_and_again, &test);

  for (int i = 0; i < N_SAVES; i++)
    {
      g_autofree char *content = NULL;
      gsize n;

      g_assert_true (g_file_get_contents (path, &content, &n, NULL));
      g_assert_cmpuint (n, ==, N_SAVED);
      g_assert_cmpuint (strspn (content, content[0] == 'a' ? "a" : "b"), ==, N_SAVED);
    }
  g_thread_join (thread);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/file-save/O10/new", test_new);
  aex_test_add ("/file-save/O10/as-cmp", test_as_cmp);
  aex_test_add ("/file-save/O10/replace", test_replace);
  aex_test_add ("/file-save/O10/owner", test_owner);
  aex_test_add ("/file-save/O10/through-link", test_through_link);
  aex_test_add ("/file-save/O7-O10/refused", test_refused);
  aex_test_add ("/file-save/O10/no-space", test_no_space);
  aex_test_add ("/file-save/O10/cancel", test_cancel);
  aex_test_add ("/file-save/O10/atomic", test_atomic);
  return aex_test_run ();
}
