/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <asyncexec.h>
#include <string.h>

/* Modules of operations: loaded once, all of a module or nothing. */

static char *
module_path (const char *name)
{
  g_autofree char *file = g_strconcat (name, ".so", NULL);

  return g_build_filename (g_getenv ("AEX_TEST_MODULES"), file, NULL);
}

static void
assert_loads (AexOperations *set,
              const char    *name)
{
  g_autofree char *path = module_path (name);
  g_autoptr (GError) error = NULL;
  gboolean loaded = aex_operations_load_module (set, path, &error);

  g_assert_no_error (error);
  g_assert_true (loaded);
}

static void
assert_fails (AexOperations *set,
              const char    *path,
              GQuark         domain,
              int            code,
              const char    *part)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (aex_operations_load_module (set, path, &error));
  g_assert_error (error, domain, code);
  g_assert_nonnull (strstr (error->message, part));
}

static void
assert_names (AexOperations *set,
              const char    *expected)
{
  g_auto (GStrv) names = aex_operations_list (set);
  g_autofree char *joined = g_strjoinv (" ", names);

  g_assert_cmpstr (joined, ==, expected);
}

static void
assert_counts (AexOperations *set)
{
  g_autoptr (AexExecutor) pool = g_object_new (AEX_TYPE_THREAD_POOL, "max-workers", 1, "operations", set, NULL);
  g_autoptr (AexPending) call = aex_executor_call (pool, "word-count", g_variant_new_parsed ("{'text': <' one  two three'>}"));
  g_autoptr (GVariant) value = NULL;
  g_autoptr (GError) error = NULL;

  aex_pending_wait (call, AEX_WAIT_FLAGS_NONE, -1, NULL, &error);
  g_assert_no_error (error);
  value = aex_pending_dup_variant (call, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_variant_get_uint64 (value), ==, 3);
}

static void
test_load (void)
{
  g_autoptr (AexOperations) set = aex_operations_new ();

  assert_loads (set, "word-count");
  assert_names (set, "word-count");
  assert_counts (set);
}

static void
test_twice (void)
{
  g_autoptr (AexOperations) set = aex_operations_new ();
  g_autoptr (AexOperations) other = aex_operations_new ();

  assert_loads (set, "word-count");
  assert_loads (set, "word-count");
  assert_loads (other, "word-count");
  assert_names (set, "word-count");
  assert_counts (other);
}

static gpointer
load_in_thread (gpointer set)
{
  assert_loads (set, "word-count");
  return NULL;
}

static void
test_threads (void)
{
  for (int i = 0; i < 50; i++)
    {
      g_autoptr (AexOperations) set = aex_operations_new ();
      GThread *threads[4];

      for (gsize k = 0; k < G_N_ELEMENTS (threads); k++)
        threads[k] = g_thread_new ("loader", load_in_thread, set);
      for (gsize k = 0; k < G_N_ELEMENTS (threads); k++)
        g_thread_join (threads[k]);
      assert_names (set, "word-count");
    }
}

static void
test_fails (void)
{
  g_autoptr (AexOperations) set = aex_operations_new ();
  g_autofree char *missing = module_path ("missing");
  g_autofree char *failing = module_path ("failing");
  g_autofree char *silent = module_path ("silent");
  g_autofree char *without = module_path ("without-register");

  assert_fails (set, missing, AEX_ERROR, AEX_ERROR_NOT_FOUND, "missing.so");
  assert_fails (set, g_getenv ("AEX_TEST_NO_MODULE"), AEX_ERROR, AEX_ERROR_FAILED, "meson.build");
  assert_fails (set, without, AEX_ERROR, AEX_ERROR_NOT_FOUND, "aex_operations_register()");
  assert_fails (set, failing, G_IO_ERROR, G_IO_ERROR_NOT_MOUNTED, "the device is not there");
  assert_fails (set, failing, G_IO_ERROR, G_IO_ERROR_NOT_MOUNTED, "failing.so");
  assert_fails (set, silent, AEX_ERROR, AEX_ERROR_FAILED, "silent.so");
  assert_names (set, "");
}

static void
test_all_or_nothing (void)
{
  g_autoptr (AexOperations) set = aex_operations_new ();
  g_autofree char *taken = module_path ("taken");

  assert_loads (set, "word-count");
  assert_fails (set, taken, AEX_ERROR, AEX_ERROR_EXISTS, "“word-count”");
  assert_names (set, "word-count");
  g_assert_true (aex_operations_remove (set, "word-count"));
  assert_loads (set, "taken");
  assert_names (set, "free word-count");
}

/* A bare name is a file in the current folder, never one from the path of the linker. */
static void
test_no_search (void)
{
  g_autoptr (AexOperations) set = aex_operations_new ();

  assert_fails (set, "libc.so.6", AEX_ERROR, AEX_ERROR_NOT_FOUND, "libc.so.6");
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/operations/O12/load", test_load);
  g_test_add_func ("/operations/O12/twice", test_twice);
  g_test_add_func ("/operations/O12/threads", test_threads);
  g_test_add_func ("/operations/O12/fails", test_fails);
  g_test_add_func ("/operations/O12/all-or-nothing", test_all_or_nothing);
  g_test_add_func ("/operations/O12/no-search", test_no_search);
  return g_test_run ();
}
