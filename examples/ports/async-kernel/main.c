/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A program of async-kernel, ported: reads files on threads.
 *
 * usage: async-kernel FOLDER      with files 1 to 5 in it
 *
 * What it was is in original.py.txt.  Lines of code: 53 there, 155 here. */
#include <asyncexec.h>

static const char *folder;
static AexPending *saved[3];

/* Blocks, and so is for a thread. */
static gboolean
size (AexPending *job, GCancellable *cancellable, gpointer name, GError **error)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree char *content = NULL;
  gsize length;

  return g_file_get_contents (path, &content, &length, error) && aex_pending_resolve_int64 (job, length);
}

/* Never two of them at the same time, although each waits. */
static AexPending *
save (AexPending *job, GCancellable *cancellable, gpointer place, GError **error)
{
  AexPending *slept = aex_pending_sleep (1000);

  g_print ("saving %d\n", (int) ((AexPending **) place - saved));
  aex_pending_follow (*(AexPending **) place, slept);
  return slept;
}

/* Busy until it is told to stop. */
static AexPending *
watch (AexPending *job, GCancellable *cancellable, gpointer data, GError **error)
{
  return aex_pending_sleep (G_TIME_SPAN_HOUR);
}

/* Runs this thread's context until it is done, or cancelled with what is around. */
static gboolean
await (AexPending *pending, AexWaitFlags flags, GError **error)
{
  return aex_pending_run_until_done (pending, flags, -1, NULL, error);
}

static void
sleep_long (void)
{
  g_autoptr (AexPending) sleep = aex_pending_sleep (G_TIME_SPAN_HOUR);

  await (sleep, AEX_WAIT_FLAGS_CANCEL_ON_ABANDON, NULL);
}

static AexPendingGroup *
group_enter (AexGroupMode mode)
{
  AexPendingGroup *group = aex_pending_group_new (mode);

  aex_pending_group_enter (group, NULL);
  return group;
}

static gboolean
group_end (AexPendingGroup *group, GError **error)
{
  g_autoptr (AexPending) end = aex_pending_group_end (group);

  return await (end, AEX_WAIT_FLAGS_SHIELD, error);
}

/* As they complete, at most two at the same time. */
static void
add_up (AexCaller *caller)
{
  const char *names[] = { "1", "2", "3", "4", "5" };
  g_autoptr (AexExecutor) workers = aex_caller_ref_workers (caller, NULL);
  g_autoptr (AexExecutor) limiter = aex_limiter_new (workers, 2);
  g_autoptr (GPtrArray) jobs = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (AexPendingStream) completed = NULL;
  AexPendingResult *result;
  int total = 0;

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    g_ptr_array_add (jobs, aex_executor_submit (limiter, size, (gpointer) names[i], NULL));
  completed = aex_pending_as_completed ((AexPending **) jobs->pdata, jobs->len);
  while ((result = aex_pending_stream_next_sync (completed, -1, NULL, NULL)) != NULL)
    {
      total += g_value_get_int64 (aex_pending_result_get_value (result, NULL));
      g_object_unref (result);
    }
  g_print ("total: %d\n", total);
}

/* Strictly one after the other. */
static void
save_all (AexCaller *caller)
{
  g_autoptr (AexCallQueue) queue = aex_caller_ensure_queue (caller, NULL, "save");
  g_autoptr (AexPending) all = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (saved); i++)
    {
      saved[i] = aex_pending_new ();
      aex_call_queue_push_async (queue, save, &saved[i], NULL);
    }
  all = aex_pending_allv (saved, G_N_ELEMENTS (saved));
  await (all, AEX_WAIT_FLAGS_NONE, NULL);
  aex_call_queue_close (queue);
  for (guint i = 0; i < G_N_ELEMENTS (saved); i++)
    g_object_unref (saved[i]);
  g_print ("saved: %d of 3 %s\n", aex_pending_is_done (all) ? 3 : 0,
           aex_caller_lookup_queue (caller, NULL, "save") ? "open" : "closed");
}

/* A member that fails ends the others, and the block. */
static void
fail (AexCaller *caller)
{
  g_autoptr (AexPendingGroup) group = group_enter (AEX_GROUP_MODE_IGNORE);
  g_autoptr (GPtrArray) errors = NULL;
  g_autoptr (GError) error = NULL;

  g_object_unref (aex_caller_to_thread (caller, size, (gpointer) "missing", NULL));
  sleep_long ();
  group_end (group, &error);
  errors = aex_error_get_members (error);
  g_print ("failed: %u\n", errors->len);
}

/* A member that is cancelled: ends the innermost group quietly, makes the middle one say so; the outermost ignores it. */
static void
cancel (AexCaller *caller)
{
  g_autoptr (AexPendingGroup) outermost = group_enter (AEX_GROUP_MODE_IGNORE);
  g_autoptr (AexPendingGroup) middle = group_enter (AEX_GROUP_MODE_RAISE);
  g_autoptr (AexPendingGroup) innermost = group_enter (AEX_GROUP_MODE_QUIET);
  g_autoptr (AexPending) unwanted = aex_executor_submit_async (AEX_EXECUTOR (caller), watch, NULL, NULL);
  g_autoptr (AexPending) last = NULL;
  AexPendingGroup *groups[] = { outermost, middle, innermost };

  aex_pending_cancel (unwanted, "changed my mind");
  sleep_long ();
  group_end (innermost, NULL);
  if (!group_end (middle, NULL))
    g_print ("middle: says so\n");
  last = aex_caller_to_thread (caller, size, (gpointer) "5", NULL);
  group_end (outermost, NULL);
  g_print ("groups: %d", (int) aex_pending_get_int64 (last, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (groups); i++)
    g_print (" %s", aex_pending_group_is_cancelled (groups[i]) ? "cancelled" : "ended");
  g_print ("\n");
}

/* Stopped while it is busy: what runs is cancelled, what comes later is refused. */
static void
stop (AexCaller *writer)
{
  g_autoptr (AexPending) busy = aex_executor_submit_async (AEX_EXECUTOR (writer), watch, NULL, NULL);
  g_autoptr (AexPending) stopped = aex_caller_stop (writer, AEX_STOP_FLAGS_NONE);
  g_autoptr (AexPending) late = NULL;

  await (stopped, AEX_WAIT_FLAGS_NONE, NULL);
  late = aex_executor_submit_async (AEX_EXECUTOR (writer), watch, NULL, NULL);
  g_print ("cancelled: %d of 2\n", aex_pending_is_cancelled (busy) + aex_pending_is_cancelled (late));
}

int
main (int argc, char **argv)
{
  g_autoptr (AexCaller) caller = aex_caller_ref_main ();
  g_autoptr (AexCaller) reader = aex_caller_ref_child (caller, "reader", NULL);
  g_autoptr (AexCaller) writer = aex_caller_ref_child (caller, "writer", NULL);
  g_autoptr (GPtrArray) children = aex_caller_list_children (caller);
  g_autoptr (AexPending) first = NULL;
  g_autoptr (AexPending) stopped = NULL;

  folder = argv[1];
  aex_caller_hold (caller);
  first = aex_executor_submit (AEX_EXECUTOR (reader), size, (gpointer) "1", NULL);
  g_print ("children: %s %s\n", aex_executor_get_name (children->pdata[0]), aex_executor_get_name (children->pdata[1]));
  await (first, AEX_WAIT_FLAGS_NONE, NULL);
  g_print ("on a child: %d\n", (int) aex_pending_get_int64 (first, NULL));
  add_up (caller);
  save_all (caller);
  fail (caller);
  cancel (caller);
  stop (writer);
  stopped = aex_caller_release (caller);
  await (stopped, AEX_WAIT_FLAGS_NONE, NULL);
  g_print ("stopped: %d of 3\n", aex_pending_is_done (aex_caller_get_stopped (reader))
           + aex_pending_is_done (aex_caller_get_stopped (writer)) + aex_pending_is_done (stopped));
  return 0;
}
