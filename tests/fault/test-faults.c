/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"
#include "lib/aex-jobs.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Rule 12: for every n, the n-th eventfd() or pthread_create() fails, or what operates on files.  Each run is a process of its own, with the shim
 * preloaded: it must neither abort nor hang, leave nothing behind, and say what went wrong in a GError. */

#define EXIT_NO_FAULT   77      /* nothing was hit: n is beyond the last call */
#define MAX_N           60
#define MS              1000

/* --- the scenarios: what a program might do; run in the child */

/* Done, and either well or with an error that says something. */
static gboolean
assert_clean (AexPending *pending)
{
  g_autoptr (GError) error = NULL;

  aex_test_wait (pending);
  if (aex_pending_get_state (pending) == AEX_PENDING_STATE_RESOLVED)
    return TRUE;
  error = aex_pending_dup_error (pending);
  g_assert_nonnull (error);
  g_assert_cmpstr (error->message, !=, "");
  return FALSE;
}

static void
shut_down (AexExecutor *executor)
{
  g_autoptr (AexPending) done = aex_executor_shutdown (executor, AEX_SHUTDOWN_FLAGS_NONE);

  aex_test_wait (done);
  g_object_unref (executor);
}

/* At least one worker: all is done.  None: all is refused, and the next try may work. */
static void
scenario_pool (void)
{
  AexExecutor *pool = aex_test_pool (4);
  guint n_ok = 0;

  for (guint round = 0; round < 3; round++)
    {
      g_autoptr (GPtrArray) jobs = aex_test_pendings_new ();

      for (guint i = 0; i < 20; i++)
        g_ptr_array_add (jobs, aex_executor_submit (pool, aex_job_int, GINT_TO_POINTER (i), NULL));
      for (guint i = 0; i < 20; i++)
        n_ok += assert_clean (jobs->pdata[i]);
    }
  g_assert_cmpuint (n_ok, <=, 60);
  shut_down (pool);
}

static gboolean
post_count (gpointer n,
            GError **error)
{
  g_atomic_int_inc ((int *) n);
  return TRUE;
}

static gboolean
on_unhandled (AexExecutor *executor,
              AexPending  *pending,
              GError      *error,
              gpointer     user_data)
{
  return TRUE;
}

static void
scenario_post (void)
{
  AexExecutor *pool = aex_test_pool (2);
  AexPoison poisons[10];
  int n = 0;

  g_signal_connect (pool, "unhandled-error", G_CALLBACK (on_unhandled), NULL);
  aex_executor_post (pool, post_count, &n, NULL);
  for (guint i = 0; i < 10; i++)
    {
      aex_poison_init (&poisons[i]);
      poisons[i].thread = NULL;
      g_object_unref (aex_executor_submit (pool, aex_poison_job, &poisons[i], aex_poison_release));
    }
  shut_down (pool);
  for (guint i = 0; i < 10; i++)
    aex_test_iterate_until (aex_poison_is_released, &poisons[i]);
}

/* A chain that needs replacements for threads that block. */
typedef struct
{
  AexExecutor *pool;
  guint        left;
} Chain;

static gboolean
job_chain (AexPending   *job,
           GCancellable *cancellable,
           gpointer      user_data,
           GError      **error)
{
  Chain *self = user_data;
  Chain below = { self->pool, self->left - 1 };
  g_autoptr (AexPending) next = NULL;

  if (self->left == 0)
    return TRUE;
  next = aex_executor_submit (self->pool, job_chain, &below, NULL);
  if (aex_pending_wait (next, AEX_WAIT_FLAGS_NONE, -1, NULL, error))
    return TRUE;
  /* below lives on this stack */
  aex_pending_cancel (next, NULL);
  aex_pending_wait (next, AEX_WAIT_FLAGS_NO_RESULT | AEX_WAIT_FLAGS_SHIELD, -1, NULL, NULL);
  return FALSE;
}

static void
scenario_replacements (void)
{
  Chain chain = { aex_test_pool (1), 60 };
  g_autoptr (AexPending) job = aex_executor_submit (chain.pool, job_chain, &chain, NULL);

  assert_clean (job);
  shut_down (chain.pool);
}

static gboolean
job_in_vain (AexPending   *job,
             GCancellable *cancellable,
             gpointer      user_data,
             GError      **error)
{
  return TRUE;
}

static void
scenario_caller_thread (void)
{
  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (GError) error = NULL;
      AexCaller *caller = aex_caller_new_thread ("faulty", &error);
      g_autoptr (AexPending) job = NULL;
      g_autoptr (AexPending) later = NULL;

      if (caller == NULL)
        {
          g_assert_nonnull (error);
          g_assert_cmpstr (error->message, !=, "");
          continue;
        }
      g_assert_no_error (error);
      job = aex_executor_submit (AEX_EXECUTOR (caller), job_in_vain, NULL, NULL);
      assert_clean (job);
      later = aex_caller_call_later (caller, MS, job_in_vain, NULL, NULL);
      assert_clean (later);
      shut_down (AEX_EXECUTOR (caller));
    }
}

/* A context of the program's own; GLib falls back to a pipe for its part. */
static void
scenario_pushed_context (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (AexCaller) caller = NULL;
  g_autoptr (GError) error = NULL;

  g_main_context_push_thread_default (context);
  caller = aex_caller_ref_current (&error);
  if (caller == NULL)
    {
      g_assert_nonnull (error);
      g_clear_error (&error);
      caller = aex_caller_ref_current (&error);
    }
  if (caller != NULL)
    {
      g_autoptr (AexPending) job = aex_executor_submit (AEX_EXECUTOR (caller), job_in_vain, NULL, NULL);

      while (!aex_pending_is_done (job))
        g_main_context_iteration (context, TRUE);
      assert_clean (job);
    }
  g_main_context_pop_thread_default (context);
}

/* A callback attached where no home can be made is dropped, not lost from memory. */
static void
scenario_callbacks (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (AexPending) promise = aex_pending_new ();
  g_autoptr (AexPending) derived = NULL;
  AexPoison callback, then;

  g_main_context_push_thread_default (context);
  aex_poison_init (&callback);
  aex_poison_init (&then);
  callback.thread = then.thread = NULL;
  aex_pending_add_done_callback (promise, aex_poison_callback, &callback, aex_poison_release);
  derived = aex_pending_then (promise, aex_poison_then, &then, aex_poison_release);
  aex_pending_resolve (promise, NULL);
  while (!aex_poison_is_released (&callback) || !aex_poison_is_released (&then) || !aex_pending_is_done (derived))
    g_main_context_iteration (context, FALSE);
  g_main_context_pop_thread_default (context);
}

/* The service thread that keeps the time can not be started. */
static void
scenario_time (void)
{
  g_autoptr (AexPending) promise = aex_pending_new ();
  g_autoptr (AexPending) slept = aex_pending_sleep (MS);
  g_autoptr (AexPending) limited = aex_pending_with_timeout (promise, MS);
  g_autoptr (GError) error = NULL;

  assert_clean (slept);
  g_assert_false (assert_clean (limited));
  g_assert_false (aex_pending_wait (promise, AEX_WAIT_FLAGS_NONE, MS, NULL, &error));
  g_assert_nonnull (error);
  aex_pending_resolve (promise, NULL);
}

static void
scenario_job_timeout (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexSubmitOptions) options = aex_submit_options_new ();
  g_autoptr (AexPending) job = NULL;

  aex_submit_options_set_timeout (options, 5 * MS);
  job = aex_executor_submit_full (pool, options, aex_job_until_cancelled, NULL, NULL);
  g_assert_false (assert_clean (job));
  shut_down (pool);
}

/* In a scope: what can not be told its time fails with that, and blocking waits need nobody. */
static void
scenario_scope (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexScope *scope = aex_scope_enter (5 * MS, AEX_SCOPE_FLAGS_NONE);
  g_autoptr (AexPending) promise = aex_pending_new ();
  g_autoptr (AexPending) job = aex_executor_submit (pool, aex_job_until_cancelled, NULL, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_false (aex_pending_wait (promise, AEX_WAIT_FLAGS_NONE, -1, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_assert_true (aex_scope_leave (scope));
  g_assert_false (assert_clean (job));
  aex_pending_resolve (promise, NULL);
  shut_down (pool);
}

/* The job runs already when nothing can be had that would tell it its time: it is told so at once. */
static void
scenario_running_job_joins_scope (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexGate started;
  g_autoptr (AexPending) job = NULL;
  g_autoptr (GError) error = NULL;
  AexScope *scope = aex_scope_new (5 * MS, AEX_SCOPE_FLAGS_NONE);

  aex_gate_init (&started);
  job = aex_executor_submit (pool, aex_job_until_cancelled, &started, NULL);
  if (!aex_pending_is_done (job))
    {
      aex_gate_wait (&started);
      aex_scope_add (scope, job);
    }
  g_assert_false (assert_clean (job));
  aex_scope_unref (scope);
  aex_gate_clear (&started);
  shut_down (pool);
}

static gboolean
map_nothing (AexPendingStream *stream,
             guint             index,
             GCancellable     *cancellable,
             gpointer          user_data,
             GError          **error)
{
  return TRUE;
}

static void
scenario_map (void)
{
  AexExecutor *pool = aex_test_pool (3);
  g_autoptr (AexPendingStream) stream = aex_executor_map (pool, 50, 4, -1, AEX_MAP_FLAGS_CONTINUE_ON_ERROR, map_nothing, NULL, NULL);
  guint n = 0;

  while (n <= 50)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (AexPendingResult) result = aex_pending_stream_next_sync (stream, -1, NULL, &error);

      if (result == NULL)
        break;
      n++;
    }
  g_assert_cmpuint (n, <=, 50);
  shut_down (pool);
}

/* A worker asks for a context of its own. */
static gboolean
job_ref_caller (AexPending   *job,
                GCancellable *cancellable,
                gpointer      user_data,
                GError      **error)
{
  g_autoptr (AexCaller) caller = aex_caller_ref_current (error);

  return caller != NULL;
}

static void
scenario_context_in_worker (void)
{
  AexExecutor *pool = aex_test_pool (2);

  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (AexPending) job = aex_executor_submit (pool, job_ref_caller, NULL, NULL);

      assert_clean (job);
    }
  shut_down (pool);
}

/* --- files */

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
  assert_holds (path, assert_clean (call) ? "newer" : "old");
  g_assert_cmpint (unlink (path), ==, 0);
  g_assert_cmpint (rmdir (folder), ==, 0);
  shut_down (pool);
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

      assert_clean (call);
    }
  g_assert_cmpint (unlink (path), ==, 0);
  g_assert_cmpint (rmdir (folder), ==, 0);
  shut_down (pool);
}

/* What may fail; the last one can only be tried again. */
static const char *const thread_faults[] = { "pthread_create:EAGAIN", "eventfd:EMFILE", NULL };
static const char *const file_faults[] = { "open:EMFILE", "openat:EMFILE", "pread:EIO", "fsync:EIO", "fchmod:EPERM", "renameat:EIO", "pread:EINTR", NULL };

static const struct
{
  const char        *name;
  AexTestFunc        func;
  const char *const *faults;
} scenarios[] = {
  { "pool", scenario_pool, thread_faults },
  { "post", scenario_post, thread_faults },
  { "replacements", scenario_replacements, thread_faults },
  { "K4-caller-thread", scenario_caller_thread, thread_faults },
  { "pushed-context", scenario_pushed_context, thread_faults },
  { "callbacks", scenario_callbacks, thread_faults },
  { "time", scenario_time, thread_faults },
  { "job-timeout", scenario_job_timeout, thread_faults },
  { "N9-scope", scenario_scope, thread_faults },
  { "N9-running-job-joins-scope", scenario_running_job_joins_scope, thread_faults },
  { "map", scenario_map, thread_faults },
  { "context-in-worker", scenario_context_in_worker, thread_faults },
  { "O10-save", scenario_save, file_faults },
  { "O7-read", scenario_read, file_faults },
};

/* --- in the child */
static AexTestFunc child_scenario;

static void
run_armed (void)
{
  void (*arm) (void) = dlsym (RTLD_DEFAULT, "ae_fail_arm");

  g_assert_nonnull (arm);
  arm ();
  child_scenario ();
}

static int
child_main (int         argc,
            char      **argv,
            const char *name)
{
  int (*get_hits) (void) = dlsym (RTLD_DEFAULT, "ae_fail_get_hits");
  int result;

  for (guint i = 0; i < G_N_ELEMENTS (scenarios); i++)
    {
      if (g_str_equal (scenarios[i].name, name))
        child_scenario = scenarios[i].func;
    }
  g_assert_nonnull (child_scenario);
  g_assert_nonnull (get_hits);
  aex_test_init (&argc, &argv);
  aex_test_set_watchdog (20);
  aex_test_log_begin ();
  aex_test_add ("/scenario", run_armed);
  result = aex_test_run ();
  g_ptr_array_unref (aex_test_log_end ());
  if (result == 0 && get_hits () == 0)
    return EXIT_NO_FAULT;
  return result;
}

/* --- in the parent */
static char *self_path;

static int
run_child (const char *scenario,
           const char *rule)
{
  g_auto (GStrv) envp = g_get_environ ();
  const char *argv[] = { self_path, NULL };
  g_autofree char *output = NULL;
  g_autofree char *messages = NULL;
  g_autoptr (GError) error = NULL;
  int status = -1;

  envp = g_environ_setenv (envp, "LD_PRELOAD", g_getenv ("AEX_SHIM"), TRUE);
  envp = g_environ_setenv (envp, "AE_FAIL_LATER", rule, TRUE);
  envp = g_environ_setenv (envp, "AEX_FAULT_SCENARIO", scenario, TRUE);
  g_spawn_sync (NULL, (char **) argv, envp, G_SPAWN_DEFAULT, NULL, NULL, &output, &messages, &status, &error);
  g_assert_no_error (error);
  if (WIFEXITED (status) && (WEXITSTATUS (status) == 0 || WEXITSTATUS (status) == EXIT_NO_FAULT))
    return WEXITSTATUS (status);
  g_printerr ("%s with %s: status %d\n%s%s", scenario, rule, status, output, messages);
  return -1;
}

static void
test_scenario (gconstpointer data)
{
  const char *scenario = scenarios[GPOINTER_TO_UINT (data)].name;
  const char *const *faults = scenarios[GPOINTER_TO_UINT (data)].faults;
  guint n_hit = 0;

  for (guint f = 0; faults[f] != NULL; f++)
    {
      /* Who is interrupted tries again: not for ever. */
      g_autofree char *always = g_strdup_printf ("%s:*%d", faults[f], g_str_has_suffix (faults[f], "EINTR") ? 2 : 1);

      for (guint n = 1; n <= MAX_N; n++)
        {
          g_autofree char *rule = g_strdup_printf ("%s:%u", faults[f], n);
          int result = run_child (scenario, rule);

          if (result == EXIT_NO_FAULT)
            break;
          g_assert_cmpint (result, ==, 0);
          n_hit++;
        }
      g_assert_cmpint (run_child (scenario, always), >=, 0);
    }
  g_test_message ("%s: %u faults survived", scenario, n_hit);
  g_assert_cmpuint (n_hit, >, 0);
}

int
main (int    argc,
      char **argv)
{
  const char *scenario = g_getenv ("AEX_FAULT_SCENARIO");

  if (scenario != NULL)
    return child_main (argc, argv, scenario);
  self_path = argv[0];
  aex_test_init (&argc, &argv);
  if (g_getenv ("AEX_SHIM") == NULL)
    g_error ("AEX_SHIM must name the shim");
  for (guint i = 0; i < G_N_ELEMENTS (scenarios); i++)
    {
      g_autofree char *path = g_strdup_printf ("/fault/X9/%s", scenarios[i].name);

      aex_test_add_data (path, GUINT_TO_POINTER (i), test_scenario);
    }
  return aex_test_run ();
}
