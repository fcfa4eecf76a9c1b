/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A program of async_executors, ported: work that waits, on threads with a loop.
 *
 * usage: async-executors FOLDER      with files 1 to 5 in it
 *
 * What it was is in original.py.txt.  A coroutine is a function that may wait here.
 * Lines of code: 45 there, 119 here. */
#include <asyncexec.h>

static const char *folder;
static const char *five[] = { "1", "2", "3", "4", "5" };

static gboolean
wait_and_read (const char *name, gsize *size, GError **error)
{
  g_autoptr (AexPending) slept = aex_pending_sleep (name != NULL ? 1000 : G_TIME_SPAN_HOUR);
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree char *content = NULL;

  return aex_pending_wait (slept, AEX_WAIT_FLAGS_NONE, -1, NULL, error) && g_file_get_contents (path, &content, size, error);
}

/* Waits for a while, and tells how long a file is; without a name it takes too long. */
static gboolean
size (AexPending *job, GCancellable *cancellable, gpointer name, GError **error)
{
  gsize size = 0;

  return wait_and_read (name, &size, error) && aex_pending_resolve_int64 (job, size);
}

static gboolean
read_value (const char *name, GValue *value, GError **error)
{
  gsize size = 0;

  if (!wait_and_read (name, &size, error))
    return FALSE;
  g_value_set_int64 (g_value_init (value, G_TYPE_INT64), size);
  return TRUE;
}

static gboolean
nth_size (AexPendingStream *sizes, guint index, GCancellable *cancellable, gpointer names, GError **error)
{
  g_auto (GValue) value = G_VALUE_INIT;

  return read_value (((const char **) names)[index], &value, error)
         && aex_pending_stream_set_value (sizes, index, &value);
}

/* One after the other. */
static gboolean
push_sizes (AexPending *job, GCancellable *cancellable, gpointer sizes, GError **error)
{
  const char *names[] = { "3", "4", "5" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_auto (GValue) value = G_VALUE_INIT;

      if (!read_value (names[i], &value, error))
        return FALSE;
      g_object_unref (aex_pending_stream_push (sizes, &value));
    }
  aex_pending_stream_complete (sizes);
  return TRUE;
}

/* Blocks for one job, or runs this thread's loop meanwhile. */
static void
print_size (AexExecutor *executor, const char *label, const char *name)
{
  g_autoptr (AexPending) job = aex_executor_submit (executor, size, (gpointer) name, NULL);
  g_autoptr (GError) error = NULL;

  if (aex_pending_run_until_done (job, AEX_WAIT_FLAGS_NONE, -1, NULL, &error))
    g_print ("%s: %d\n", label, (int) aex_pending_get_int64 (job, NULL));
  else if (g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_NOENT))
    g_print ("%s: no such file\n", label);
}

/* Prints what there is, or adds it up; gives the number of errors. */
static int
take_all (AexPendingStream *sizes, const char *label, int *total)
{
  AexPendingResult *result;
  int n_errors = 0;

  g_print ("%s", label);
  while ((result = aex_pending_stream_next_sync (sizes, -1, NULL, NULL)) != NULL)
    {
      const GValue *size = aex_pending_result_get_value (result, NULL);

      if (size == NULL)
        n_errors++;
      else if (total != NULL)
        *total += g_value_get_int64 (size);
      else
        g_print (" %d", (int) g_value_get_int64 (size));
      g_object_unref (result);
    }
  return n_errors;
}

static void
show (AexExecutor *executor)
{
  const char *tasks[] = { "1", "missing", NULL, "4" };
  g_autoptr (AexPendingStream) all = NULL;
  g_autoptr (AexPendingStream) some = NULL;
  g_autoptr (AexPendingStream) pushed = aex_pending_stream_new (0);
  int n_errors;

  /* One call, and what it gives as an error. */
  print_size (executor, "run", "1");
  print_size (executor, "run", "missing");

  /* Several of them, results in their order. */
  all = aex_executor_map (executor, G_N_ELEMENTS (five), 0, -1, AEX_MAP_FLAGS_NONE, nth_size, five, NULL);
  take_all (all, "submit:", NULL);

  /* At most two at the same time, as they complete, each in its time. */
  some = aex_executor_map (executor, G_N_ELEMENTS (tasks), 2, G_USEC_PER_SEC / 2,
                           AEX_MAP_FLAGS_UNORDERED | AEX_MAP_FLAGS_CONTINUE_ON_ERROR, nth_size, tasks, NULL);
  n_errors = take_all (some, "\nvalues:", NULL);
  g_print ("\nerrors: %d\n", n_errors);

  /* What a producer gives, while it goes on. */
  g_object_unref (aex_executor_submit (executor, push_sizes, pushed, NULL));
  take_all (pushed, "iterator:", NULL);
  g_print ("\n");
}

int
main (int argc, char **argv)
{
  g_autoptr (AexCaller) caller = aex_caller_new_thread (NULL, NULL);
  g_autoptr (AexExecutor) pool = aex_caller_pool_new (3, NULL);
  g_autoptr (AexPendingStream) all = NULL;
  g_autoptr (AexExecutor) first = aex_executor_ref_default ();
  g_autoptr (AexExecutor) second = NULL;
  int total = 0;

  folder = argv[1];
  /* A thread with a loop. */
  show (AEX_EXECUTOR (caller));

  /* Three of them. */
  g_print ("pool: %u\n", aex_caller_pool_get_n_callers (AEX_CALLER_POOL (pool)));
  print_size (pool, "await", "2");
  all = aex_executor_map (pool, G_N_ELEMENTS (five), 0, -1, AEX_MAP_FLAGS_NONE, nth_size, five, NULL);
  take_all (all, "total:", &total);
  g_print (" %d\n", total);

  /* The one that everybody uses, and another in its place. */
  print_size (first, "default", "3");
  aex_executor_set_default (pool);
  second = aex_executor_ref_default ();
  print_size (second, "default", "4");
  aex_executor_set_default (NULL);
  return 0;
}
