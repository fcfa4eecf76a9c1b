/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "faults.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Operations on files, and what GIO does. */

static void
write_plainly (const char *path,
               const char *content)
{
  FILE *file = fopen (path, "w");

  g_assert_nonnull (file);
  g_assert_cmpint (fputs (content, file), >=, 0);
  g_assert_cmpint (fclose (file), ==, 0);
}

static void
assert_holds (const char *path,
              const char *expected)
{
  char content[32] = "";
  FILE *file = fopen (path, "r");

  g_assert_nonnull (file);
  g_assert_cmpuint (fread (content, 1, sizeof content - 1, file), ==, strlen (expected));
  g_assert_cmpstr (content, ==, expected);
  fclose (file);
}

static AexPending *
call_on_file (AexExecutor *pool,
              const char  *operation,
              const char  *path)
{
  if (g_str_equal (operation, "file-save"))
    return aex_executor_call (pool, operation, g_variant_new_parsed ("{'path': <%^ay>, 'data': <%*>}", path,
                                                                    g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, "newer", 5, 1)));
  return aex_executor_call (pool, operation, g_variant_new_parsed ("{'path': <%^ay>}", path));
}

/* All of the old file or all of the new one, and nothing beside it: rmdir() would say so. */
static void
scenario_save (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autofree char *folder = g_dir_make_tmp ("aex-test-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "a", NULL);
  g_autoptr (AexPending) call = NULL;

  write_plainly (path, "old");
  call = call_on_file (pool, "file-save", path);
  assert_holds (path, fault_assert_clean (call) ? "newer" : "old");
  g_assert_cmpint (unlink (path), ==, 0);
  g_assert_cmpint (rmdir (folder), ==, 0);
  fault_shut_down (pool);
}

static void
scenario_read (void)
{
  static const char *const operations[] = { "file-checksum", "file-load", "file-walk" };
  AexExecutor *pool = aex_test_pool (1);
  g_autofree char *folder = g_dir_make_tmp ("aex-test-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "a", NULL);

  write_plainly (path, "abc");
  for (guint i = 0; i < G_N_ELEMENTS (operations); i++)
    {
      g_autoptr (AexPending) call = call_on_file (pool, operations[i], i == 2 ? folder : path);

      fault_assert_clean (call);
    }
  g_assert_cmpint (unlink (path), ==, 0);
  g_assert_cmpint (rmdir (folder), ==, 0);
  fault_shut_down (pool);
}

/* More than a file of one piece: reads and writes have to be put together. */
static void
scenario_large (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autofree char *folder = g_dir_make_tmp ("aex-test-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "a", NULL);
  g_autofree char *data = g_strnfill (300, 'x');
  g_autoptr (AexPending) save = NULL;
  g_autoptr (AexPending) load = NULL;

  save = aex_executor_call (pool, "file-save", g_variant_new_parsed ("{'path': <%^ay>, 'data': <%*>}", path,
                                                                     g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, data, 300, 1)));
  if (fault_assert_clean (save))
    {
      load = call_on_file (pool, "file-load", path);
      if (fault_assert_clean (load))
        {
          g_autoptr (GVariant) loaded = aex_pending_dup_variant (load, NULL);

          g_assert_cmpmem (g_variant_get_data (loaded), g_variant_get_size (loaded), data, 300);
        }
      g_assert_cmpint (unlink (path), ==, 0);
    }
  g_assert_cmpint (rmdir (folder), ==, 0);
  fault_shut_down (pool);
}

/* --- an operation of GIO's kind, which answers through the main loop */

static void
answer_async (gpointer            source,
              GCancellable       *cancellable,
              GAsyncReadyCallback callback,
              gpointer            user_data)
{
  g_autoptr (GTask) task = g_task_new (source, cancellable, callback, user_data);

  g_task_return_boolean (task, TRUE);
}

static gboolean
answer_finish (gpointer      source,
               GAsyncResult *result,
               GError      **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

static void
task_func (GTask        *task,
           gpointer      source,
           gpointer      data,
           GCancellable *cancellable)
{
  g_task_return_boolean (task, TRUE);
}

static void
on_task (GObject      *source,
         GAsyncResult *result,
         gpointer      n_ready)
{
  g_autoptr (GError) error = NULL;

  if (!g_task_propagate_boolean (G_TASK (result), &error))
    fault_assert_error (error);
  g_atomic_int_inc ((int *) n_ready);
}

static void
scenario_gio (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (GObject) source = g_object_new (G_TYPE_OBJECT, NULL);
  g_autoptr (AexPending) answer = AEX_PENDING_FOR_GIO_PAIR (answer_async, answer_finish, source);
  g_autoptr (GTask) task = g_task_new (NULL, NULL, NULL, NULL);
  g_autoptr (AexPending) of_task = aex_pending_new_for_task_typed (task, G_TYPE_BOOLEAN);
  g_autoptr (GTask) run = NULL;
  int n_ready = 0;

  run = g_task_new (NULL, NULL, on_task, &n_ready);
  aex_executor_run_task (pool, run, task_func);
  g_task_return_boolean (task, TRUE);
  aex_test_run_until_done (answer);
  fault_assert_clean (answer);
  aex_test_run_until_done (of_task);
  fault_assert_clean (of_task);
  aex_test_iterate_until (aex_test_is_set, &n_ready);
  fault_shut_down (pool);
}

static const char *const file_faults[] = {
  "open:EMFILE", "openat:EMFILE", "openat:EACCES", "fdopendir:ENOMEM", "readdir:EIO", "fstat:EIO", "pread:EIO", "write:ENOSPC",
  "fsync:EIO", "fchmod:EPERM", "renameat:EIO", "pread:EINTR", "pread:SHORT", "write:SHORT",
  NULL
};

const FaultScenario fault_file_scenarios[] = {
  { "O10-save", scenario_save, file_faults },
  { "O7-read", scenario_read, file_faults },
  { "O7-O10-large", scenario_large, file_faults },
  { "Y1-gio", scenario_gio, fault_thread_faults },
  { NULL },
};
