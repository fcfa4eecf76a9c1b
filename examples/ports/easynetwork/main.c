/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A program of EasyNetwork, ported: blocking functions on a thread.
 *
 * usage: easynetwork FOLDER      with files 1 to 5 in it
 *
 * What it was is in original.py.txt.  Lines of code: 47 there, 138 here. */
#include <asyncexec.h>

static const char *folder;
static AexContextVar *user;
static int n_waited;

/* Blocks. */
static gboolean
read_size (const char *name, gsize *size, GError **error)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree char *content = NULL;

  return g_file_get_contents (path, &content, size, error);
}

static gboolean
size (AexPending *job, GCancellable *cancellable, gpointer name, GError **error)
{
  gsize size = 0;

  return read_size (name, &size, error) && aex_pending_resolve_int64 (job, size);
}

static gboolean
nth_size (AexPendingStream *sizes, guint index, GCancellable *cancellable, gpointer names, GError **error)
{
  g_auto (GValue) value = G_VALUE_INIT;
  gsize size = 0;

  if (!read_size (((const char **) names)[index], &size, error))
    return FALSE;
  g_value_set_int64 (g_value_init (&value, G_TYPE_INT64), size);
  return aex_pending_stream_set_value (sizes, index, &value);
}

static gboolean
get_user (AexPending *job, GCancellable *cancellable, gpointer data, GError **error)
{
  g_autofree GValue *name = aex_context_var_dup_value (user);

  aex_pending_resolve (job, name);
  g_value_unset (name);
  return TRUE;
}

/* Blocks, and does not listen when it is told to stop. */
static gboolean
hold (AexPending *job, GCancellable *cancellable, gpointer queues, GError **error)
{
  g_async_queue_push (((GAsyncQueue **) queues)[0], job);
  g_async_queue_pop (((GAsyncQueue **) queues)[1]);
  return aex_pending_resolve_string (job, "held");
}

/* One call, and what it raises. */
static void
run (AexExecutor *pool)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (AexPending) first = aex_executor_submit (pool, size, (gpointer) "1", NULL);

  if (aex_pending_wait (first, AEX_WAIT_FLAGS_NONE, -1, NULL, NULL))
    g_print ("run: %d\n", (int) aex_pending_get_int64 (first, NULL));
  aex_executor_run (pool, size, (gpointer) "missing", NULL, NULL, &error);
  if (g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_NOENT))
    g_print ("run: no such file\n");
}

/* The function sees the context variables of its caller. */
static void
ask (AexExecutor *pool)
{
  g_auto (GValue) name = G_VALUE_INIT;
  g_autoptr (AexContextToken) token = NULL;
  g_autoptr (AexPending) asked = NULL;

  g_value_set_static_string (g_value_init (&name, G_TYPE_STRING), "ann");
  token = aex_context_var_set (user, &name);
  asked = aex_executor_submit (pool, get_user, NULL, NULL);
  aex_pending_wait (asked, AEX_WAIT_FLAGS_NONE, -1, NULL, NULL);
  g_print ("user: %s\n", g_value_get_string (aex_pending_get_value (asked, NULL)));
}

/* All at once, results in the order of the arguments. */
static void
map (AexExecutor *pool)
{
  const char *names[] = { "1", "2", "3", "4", "5" };
  g_autoptr (AexPendingStream) sizes = aex_executor_map (pool, 5, 0, -1, AEX_MAP_FLAGS_NONE, nth_size, names, NULL);
  AexPendingResult *result;

  g_print ("map:");
  while ((result = aex_pending_stream_next_sync (sizes, -1, NULL, NULL)) != NULL)
    {
      g_print (" %d", (int) g_value_get_int64 (aex_pending_result_get_value (result, NULL)));
      g_object_unref (result);
    }
  g_print ("\n");
}

/* A GTask for whoever wants one. */
static void
give_task (AexExecutor *pool)
{
  g_autoptr (AexPending) job = aex_executor_submit (pool, size, (gpointer) "2", NULL);
  g_autoptr (GTask) task = g_task_new (pool, NULL, NULL, NULL);

  aex_pending_to_task (job, g_object_ref (task));
  while (!g_task_get_completed (task))
    g_main_context_iteration (NULL, TRUE);
  g_print ("future: %d\n", (int) g_task_propagate_int (task, NULL));
}

static void
waited (GObject *job, GAsyncResult *result, gpointer name)
{
  gboolean is_done = aex_pending_wait_finish (AEX_PENDING (job), result, NULL);

  g_print ("%s: %s\n", (char *) name,
           is_done ? g_value_get_string (aex_pending_get_value (AEX_PENDING (job), NULL)) : "cancelled");
  n_waited++;
}

/* One that runs is waited for although its waiter is cancelled, one that is queued is dropped with its
 * waiter, and one by the shutdown. */
static void
cancel (AexExecutor *pool)
{
  g_autoptr (GAsyncQueue) started = g_async_queue_new ();
  g_autoptr (GAsyncQueue) gate = g_async_queue_new ();
  GAsyncQueue *queues[] = { started, gate };
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (AexPending) running = aex_executor_submit (pool, hold, queues, NULL);
  g_autoptr (AexPending) queued = aex_executor_submit (pool, size, (gpointer) "3", NULL);
  g_autoptr (AexPending) dropped = aex_executor_submit (pool, size, (gpointer) "4", NULL);

  aex_pending_wait_async (running, AEX_WAIT_FLAGS_CANCEL_QUEUED_ONLY, -1, cancellable, waited, (gpointer) "running");
  aex_pending_wait_async (queued, AEX_WAIT_FLAGS_CANCEL_QUEUED_ONLY, -1, cancellable, waited, (gpointer) "queued");
  g_async_queue_pop (started);
  g_cancellable_cancel (cancellable);
  while (n_waited == 0)
    g_main_context_iteration (NULL, TRUE);
  g_object_unref (aex_executor_shutdown (pool, AEX_SHUTDOWN_FLAGS_CANCEL_QUEUED));
  g_async_queue_push (gate, gate);
  while (n_waited < 2)
    g_main_context_iteration (NULL, TRUE);
  if (aex_pending_is_cancelled (dropped))
    g_print ("dropped: cancelled\n");
}

int
main (int argc, char **argv)
{
  g_autoptr (AexExecutor) pool = aex_thread_pool_new (1);
  g_autoptr (GError) error = NULL;

  folder = argv[1];
  user = aex_context_var_new ("user", NULL);
  run (pool);
  ask (pool);
  map (pool);
  give_task (pool);
  cancel (pool);
  aex_executor_run (pool, size, (gpointer) "5", NULL, NULL, &error);
  if (g_error_matches (error, AEX_ERROR, AEX_ERROR_CLOSED))
    g_print ("closed\n");
  g_object_unref (user);
  return 0;
}
