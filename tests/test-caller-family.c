/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-caller-test.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* K5, K6, K9-K13, K29, K37, D7, P11, P12, P15, P23, X12: callers among each other. */

static gboolean
is_listed (AexCaller *caller,
           gboolean   running_only)
{
  g_autoptr (GPtrArray) all = aex_caller_list (running_only);

  return g_ptr_array_find (all, caller, NULL);
}

/* --- K5: made without being started */
static void
test_manual_exists (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (AexCaller) caller = aex_caller_new_for_context (context, "manual", &error);
  g_autoptr (AexPending) job = NULL;
  g_autoptr (AexPending) stopped = NULL;
  g_autoptr (AexCaller) again = NULL;

  g_assert_no_error (error);
  g_assert_cmpstr (aex_executor_get_name (AEX_EXECUTOR (caller)), ==, "manual");
  g_assert_cmpint (aex_executor_get_state (AEX_EXECUTOR (caller)), ==, AEX_EXECUTOR_STATE_INITIAL);
  g_assert_null (aex_caller_new_for_context (context, "manual", &error));
  g_assert_error (error, AEX_ERROR, AEX_ERROR_EXISTS);
  g_clear_error (&error);

  job = aex_executor_submit (AEX_EXECUTOR (caller), aex_job_int, GINT_TO_POINTER (5), NULL);
  g_assert_false (aex_pending_is_done (aex_caller_get_started (caller)));
  while (!aex_pending_is_done (job))
    g_main_context_iteration (context, TRUE);
  aex_assert_resolved_int64 (job, 5);
  g_assert_true (aex_pending_is_done (aex_caller_get_started (caller)));

  stopped = aex_caller_stop (caller, AEX_STOP_FLAGS_NONE);
  while (!aex_pending_is_done (stopped))
    g_main_context_iteration (context, TRUE);
  again = aex_caller_new_for_context (context, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (again != caller);
}

/* --- K6 */
static void
test_name_mismatch (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (AexCaller) caller = aex_caller_ref_for_context_named (context, "view", &error);
  g_autoptr (AexCaller) same = NULL;
  g_autoptr (AexCaller) unnamed = NULL;

  g_assert_no_error (error);
  same = aex_caller_ref_for_context_named (context, "view", &error);
  g_assert_no_error (error);
  g_assert_true (same == caller);
  unnamed = aex_caller_ref_for_context (context);
  g_assert_true (unnamed == caller);
  g_assert_null (aex_caller_ref_for_context_named (context, "model", &error));
  g_assert_error (error, AEX_ERROR, AEX_ERROR_MISMATCH);
  g_assert_nonnull (strstr (error->message, "view"));
}

static void
test_options_mismatch (void)
{
  AexCaller *parent = aex_test_caller_new ("parent");
  g_autoptr (AexCallerOptions) options = aex_caller_options_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (AexCaller) child = NULL;
  g_autoptr (AexCaller) same = NULL;

  aex_caller_options_set_name (options, "child");
  aex_caller_options_set_niceness (options, 3);
  child = aex_caller_ref_child_full (parent, options, &error);
  g_assert_no_error (error);
  same = aex_caller_ref_child_full (parent, options, &error);
  g_assert_no_error (error);
  g_assert_true (same == child);
  g_clear_object (&same);
  /* What is not said is not compared. */
  same = aex_test_caller_ref_child (parent, "child");
  g_assert_true (same == child);
  aex_caller_options_set_niceness (options, 4);
  g_assert_null (aex_caller_ref_child_full (parent, options, &error));
  g_assert_error (error, AEX_ERROR, AEX_ERROR_MISMATCH);
  aex_test_caller_end (parent);
}

/* --- K9-K11 */
static gboolean
job_lookup_current (AexPending   *job,
                    GCancellable *cancellable,
                    gpointer      user_data,
                    GError      **error)
{
  g_autoptr (AexCaller) caller = aex_caller_lookup_current ();

  g_assert_nonnull (caller);
  aex_pending_resolve_int64 (job, (gint64) aex_caller_get_id (caller));
  return TRUE;
}

static gpointer
lookup_in_plain_thread (gpointer unused)
{
  g_autoptr (GMainContext) context = g_main_context_new ();

  g_assert_null (aex_caller_lookup_current ());
  g_main_context_push_thread_default (context);
  g_assert_null (aex_caller_lookup_current ());
  g_main_context_pop_thread_default (context);
  return NULL;
}

static void
test_lookup (void)
{
  AexCaller *caller = aex_test_caller_new ("found");
  guint64 id = aex_caller_get_id (caller);
  g_autoptr (AexCaller) found = aex_caller_lookup (id);
  g_autoptr (AexPending) job = aex_executor_submit (AEX_EXECUTOR (caller), job_lookup_current, NULL, NULL);

  g_assert_true (found == caller);
  g_assert_null (aex_caller_lookup (id + 1000000));
  g_assert_null (aex_caller_lookup (0));
  aex_test_wait (job);
  aex_assert_resolved_int64 (job, (gint64) id);
  g_clear_object (&found);
  aex_test_in_thread (lookup_in_plain_thread, NULL);
  g_object_ref (caller);
  aex_test_caller_end (caller);
  g_assert_null (aex_caller_lookup (id));
  g_object_unref (caller);
  g_assert_null (aex_caller_lookup (id));
}

static void
test_listed (void)
{
  AexCaller *caller = aex_test_caller_new ("listed");
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (AexCaller) initial = aex_caller_ref_for_context (context);

  aex_test_wait (aex_caller_get_started (caller));
  g_assert_true (is_listed (caller, TRUE));
  g_assert_true (is_listed (caller, FALSE));
  g_assert_false (is_listed (initial, TRUE));
  g_assert_true (is_listed (initial, FALSE));
  g_object_ref (caller);
  aex_test_caller_end (caller);
  g_assert_false (is_listed (caller, TRUE));
  g_assert_true (is_listed (caller, FALSE));
  g_object_unref (caller);
}

/* P12: what is done to a member does not change the list. */
static void
test_list_is_snapshot (void)
{
  AexCaller *parent = aex_test_caller_new ("parent");
  g_autoptr (GPtrArray) children = NULL;
  g_autoptr (GPtrArray) all = NULL;
  g_autoptr (GPtrArray) left = NULL;

  for (guint i = 0; i < 5; i++)
    g_object_unref (aex_test_caller_ref_child (parent, NULL));
  all = aex_caller_list (FALSE);
  children = aex_caller_list_children (parent);
  g_assert_cmpuint (children->len, ==, 5);
  for (guint i = 0; i < children->len; i++)
    {
      g_autoptr (AexPending) stopped = aex_caller_stop (children->pdata[i], AEX_STOP_FLAGS_NONE);

      g_assert_true (g_ptr_array_find (all, children->pdata[i], NULL));
      if (i % 2 == 0)
        g_object_unref (aex_test_caller_ref_child (parent, NULL));
      aex_test_wait (stopped);
    }
  g_assert_cmpuint (children->len, ==, 5);
  left = aex_caller_list_children (parent);
  g_assert_cmpuint (left->len, ==, 3);
  aex_test_caller_end (parent);
}

/* P11: the system gives the number of a thread out again. */
static void
test_thread_number_reused (void)
{
  g_autoptr (GHashTable) ids = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);

  for (guint i = 0; i < 30; i++)
    {
      AexCaller *caller = aex_test_caller_new (NULL);
      guint64 id = aex_caller_get_id (caller);
      g_autoptr (AexPending) job = aex_executor_submit (AEX_EXECUTOR (caller), job_lookup_current, NULL, NULL);

      aex_test_wait (job);
      aex_assert_resolved_int64 (job, (gint64) id);
      g_assert_true (g_hash_table_add (ids, g_memdup2 (&id, sizeof id)));
      aex_test_caller_end (caller);
      aex_test_wait_threads ();
      g_assert_null (aex_caller_lookup (id));
    }
}

/* --- K12, K13, D7 */
static void
test_children (void)
{
  AexCaller *parent = aex_test_caller_new ("parent");
  AexCaller *first = aex_test_caller_ref_child (parent, "first");
  AexCaller *again = aex_test_caller_ref_child (parent, "first");
  AexCaller *unnamed = aex_test_caller_ref_child (parent, NULL);
  AexCaller *other = aex_test_caller_ref_child (parent, NULL);
  g_autoptr (GPtrArray) children = aex_caller_list_children (parent);
  AexCaller *grandchild = aex_test_caller_ref_child (first, "first");
  g_autoptr (AexCaller) up = NULL;
  g_autoptr (AexCaller) above = NULL;

  g_assert_true (first == again);
  g_assert_true (unnamed != other && unnamed != first);
  g_assert_cmpuint (children->len, ==, 3);
  g_assert_true (children->pdata[0] == first);
  g_assert_true (grandchild != first);
  g_assert_cmpuint (children->len, ==, 3);
  up = aex_caller_ref_parent (grandchild);
  g_assert_true (up == first);
  g_object_get (first, "parent", &above, NULL);
  g_assert_true (above == parent);
  g_assert_null (aex_caller_ref_parent (parent));
  /* A child outlives references to it. */
  g_object_unref (unnamed);
  g_clear_pointer (&children, g_ptr_array_unref);
  children = aex_caller_list_children (parent);
  g_assert_cmpuint (children->len, ==, 3);
  g_object_unref (first);
  g_object_unref (again);
  g_object_unref (other);
  g_object_unref (grandchild);
  g_clear_object (&up);
  aex_test_caller_end (parent);
  aex_test_wait_threads ();
}

static void
test_child_after_exit (void)
{
  AexCaller *parent = aex_test_caller_new ("parent");
  AexCaller *child = aex_test_caller_ref_child (parent, "child");
  g_autoptr (AexPending) stopped = aex_caller_stop (child, AEX_STOP_FLAGS_NONE);
  AexCaller *anew;
  g_autoptr (GError) error = NULL;
  g_autoptr (AexCaller) up = NULL;

  /* One that is stopping is a child no more. */
  anew = aex_test_caller_ref_child (parent, "child");
  g_assert_true (anew != child);
  aex_test_wait (stopped);
  g_object_unref (aex_caller_stop (parent, AEX_STOP_FLAGS_NONE));
  g_assert_null (aex_caller_ref_child (parent, "child", &error));
  g_assert_error (error, AEX_ERROR, AEX_ERROR_CLOSED);
  g_clear_error (&error);
  g_assert_null (aex_caller_ref_child (parent, NULL, &error));
  g_assert_error (error, AEX_ERROR, AEX_ERROR_CLOSED);
  aex_test_wait (aex_caller_get_stopped (parent));
  /* Also when all is over it is known where it belonged. */
  up = aex_caller_ref_parent (child);
  g_assert_true (up == parent);
  g_object_unref (child);
  g_object_unref (anew);
  g_object_unref (parent);
}

static void
on_stopped_note (AexPending *pending,
                 gpointer    note)
{
  aex_note_callback (pending, note);
}

static void
on_stopped_open (AexPending *pending,
                 gpointer    gate)
{
  aex_gate_open (gate);
}

/* K37: children end first, whatever holds them. */
static void
test_children_first (void)
{
  AexCaller *parent = aex_test_caller_new ("parent");
  AexCaller *child = aex_test_caller_ref_child (parent, "child");
  AexCaller *grandchild = aex_test_caller_ref_child (child, "grandchild");
  AexRecord record;
  AexBlock block;
  AexGate all_told;
  AexPending *busy;
  g_autoptr (AexPending) stopped = NULL;

  aex_gate_init (&all_told);
  aex_record_init (&record);
  aex_pending_add_done_callback_inline (aex_caller_get_stopped (parent), on_stopped_note, aex_note_new (&record, "parent"), aex_note_free);
  aex_pending_add_done_callback_inline (aex_caller_get_stopped (parent), on_stopped_open, &all_told, NULL);
  aex_pending_add_done_callback_inline (aex_caller_get_stopped (child), on_stopped_note, aex_note_new (&record, "child"), aex_note_free);
  aex_pending_add_done_callback_inline (aex_caller_get_stopped (grandchild), on_stopped_note, aex_note_new (&record, "grandchild"), aex_note_free);
  g_assert_true (aex_caller_hold (child));
  busy = aex_block_begin (&block, AEX_EXECUTOR (grandchild));
  stopped = aex_caller_stop (parent, AEX_STOP_FLAGS_NONE);
  g_assert_true (aex_pending_is_done (aex_caller_get_stopping (grandchild)));
  g_assert_false (aex_pending_is_done (stopped));
  aex_block_end (&block, busy);
  aex_test_wait (stopped);
  /* Who waits may go on before the callback. */
  aex_gate_wait (&all_told);
  aex_assert_record (&record, "grandchild child parent");
  aex_gate_clear (&all_told);
  g_object_unref (aex_caller_release (child));
  aex_record_clear (&record);
  g_object_unref (grandchild);
  g_object_unref (child);
  g_object_unref (parent);
}

/* Draining reaches them too: the last reference to the parent. */
static void
test_children_drain (void)
{
  AexCaller *parent = aex_test_caller_new ("parent");
  AexCaller *child = aex_test_caller_ref_child (parent, "child");
  g_autoptr (AexPending) job = aex_executor_submit (AEX_EXECUTOR (child), aex_job_int, GINT_TO_POINTER (6), NULL);

  g_object_unref (child);
  g_object_unref (parent);
  aex_test_wait (job);
  aex_assert_resolved_int64 (job, 6);
  aex_test_wait_threads ();
}

/* A parent that adopted its context, which goes away. */
static void
test_children_of_adopted (void)
{
  GMainContext *context = g_main_context_new ();
  AexCaller *parent = aex_caller_ref_for_context (context);
  AexCaller *child = aex_test_caller_ref_child (parent, "child");
  g_autoptr (AexPending) child_stopped = g_object_ref (aex_caller_get_stopped (child));

  g_main_context_unref (context);
  aex_test_wait (child_stopped);
  aex_test_wait (aex_caller_get_stopped (parent));
  g_object_unref (child);
  g_object_unref (parent);
}

/* Whoever asks at the same time gets the same. */
static gpointer
ask_for_child (gpointer parent)
{
  return aex_test_caller_ref_child (parent, "one");
}

static void
test_child_from_threads (void)
{
  for (guint k = 0; k < aex_test_scale (50); k++)
    {
      AexCaller *parent = aex_test_caller_new (NULL);
      GThread *threads[4];
      AexCaller *children[4];

      for (guint i = 0; i < 4; i++)
        threads[i] = g_thread_new ("asker", ask_for_child, parent);
      for (guint i = 0; i < 4; i++)
        children[i] = g_thread_join (threads[i]);
      for (guint i = 0; i < 4; i++)
        {
          g_assert_true (children[i] == children[0]);
          g_object_unref (children[i]);
        }
      aex_test_caller_end (parent);
    }
}

/* --- K29, P15, P23 */
static int n_polls;         /* atomic */
static int last_timeout;    /* atomic */

static int
note_poll (GPollFD *fds,
           guint    n_fds,
           int      timeout)
{
  g_atomic_int_inc (&n_polls);
  g_atomic_int_set (&last_timeout, timeout);
  return g_poll (fds, n_fds, timeout);
}

static gboolean
job_niceness (AexPending   *job,
              GCancellable *cancellable,
              gpointer      user_data,
              GError      **error)
{
  aex_pending_resolve_int64 (job, getpriority (PRIO_PROCESS, (id_t) gettid ()));
  return TRUE;
}

static void
test_options_passed (void)
{
  g_autoptr (AexCallerOptions) options = aex_caller_options_new ();
  g_autoptr (AexCallerOptions) got = NULL;
  g_autoptr (AexCallerOptions) inherited = NULL;
  g_autoptr (GError) error = NULL;
  int nice_here = getpriority (PRIO_PROCESS, (id_t) gettid ());
  AexCaller *caller, *child;
  g_autoptr (AexPending) job = NULL;
  g_autoptr (AexPending) below = NULL;

  aex_caller_options_set_name (options, "nice");
  aex_caller_options_set_context_flags (options, G_MAIN_CONTEXT_FLAGS_OWNERLESS_POLLING);
  aex_caller_options_set_niceness (options, 2);
  aex_caller_options_set_poll_func (options, note_poll);
  caller = aex_caller_new_thread_full (options, &error);
  g_assert_no_error (error);
  job = aex_executor_submit (AEX_EXECUTOR (caller), job_niceness, NULL, NULL);
  aex_test_wait (job);
  aex_assert_resolved_int64 (job, MIN (nice_here + 2, 19));
  g_assert_cmpint (g_atomic_int_get (&n_polls), >, 0);
  got = aex_caller_dup_options (caller);
  g_assert_cmpstr (aex_caller_options_get_name (got), ==, "nice");
  g_assert_cmpint (aex_caller_options_get_context_flags (got), ==, G_MAIN_CONTEXT_FLAGS_OWNERLESS_POLLING);

  /* A child is like its parent, as far as nothing else was said. */
  child = aex_test_caller_ref_child (caller, NULL);
  below = aex_executor_submit (AEX_EXECUTOR (child), job_niceness, NULL, NULL);
  aex_test_wait (below);
  aex_assert_resolved_int64 (below, MIN (nice_here + 2, 19));
  inherited = aex_caller_dup_options (child);
  g_assert_null (aex_caller_options_get_name (inherited));
  g_assert_cmpint (aex_caller_options_get_niceness (inherited), ==, 2);
  g_object_unref (child);
  aex_test_caller_end (caller);
}

static void
test_options_refused (void)
{
  g_autoptr (AexCallerOptions) options = aex_caller_options_new ();
  AexCaller *parent = aex_test_caller_new (NULL);
  const int wrong[] = { -1, 20 };

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autoptr (GError) error = NULL;

      aex_caller_options_set_niceness (options, wrong[i]);
      g_assert_null (aex_caller_new_thread_full (options, &error));
      g_assert_error (error, AEX_ERROR, AEX_ERROR_INVALID_ARGUMENT);
      g_clear_error (&error);
      g_assert_null (aex_caller_ref_child_full (parent, options, &error));
      g_assert_error (error, AEX_ERROR, AEX_ERROR_INVALID_ARGUMENT);
    }
  aex_test_caller_end (parent);
}

/* A caller that has nothing to do sleeps until somebody wakes it. */
static void
test_no_polling (void)
{
  g_autoptr (AexCallerOptions) options = aex_caller_options_new ();
  AexCaller *caller;

  aex_caller_options_set_poll_func (options, note_poll);
  caller = aex_caller_new_thread_full (options, NULL);
  for (guint i = 0; i < 50; i++)
    {
      g_autoptr (AexPending) job = aex_executor_submit (AEX_EXECUTOR (caller), aex_job_int, NULL, NULL);

      aex_test_wait (job);
    }
  /* It came back from its last sleep because of the last job; how it sleeps now is seen when it is stopped. */
  aex_test_caller_end (caller);
  g_assert_true (g_atomic_int_get (&last_timeout) == -1 || g_atomic_int_get (&last_timeout) == 0);
}

/* --- X12: in a forked child nothing of it is there, and nothing hangs */
static void
assert_is_forked (AexPending *pending)
{
  aex_assert_failed_with (pending, AEX_ERROR, AEX_ERROR_FORKED);
  g_object_unref (pending);
}

static void
look_in_forked_child (AexCaller *caller)
{
  g_autoptr (AexCallQueue) queue = aex_caller_ensure_queue (caller, NULL, "writes");
  g_autoptr (GPtrArray) children = aex_caller_list_children (caller);
  g_autoptr (GPtrArray) all = aex_caller_list (FALSE);
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) workers_error = NULL;

  g_assert_null (aex_caller_ref_child (caller, "child", &error));
  g_assert_error (error, AEX_ERROR, AEX_ERROR_FORKED);
  g_assert_null (aex_caller_ref_workers (caller, &workers_error));
  g_assert_error (workers_error, AEX_ERROR, AEX_ERROR_FORKED);
  assert_is_forked (aex_caller_to_thread (caller, aex_job_int, NULL, NULL));
  assert_is_forked (aex_caller_release (caller));
  g_assert_false (aex_call_queue_push (queue, aex_job_int, NULL, NULL));
  g_assert_null (aex_caller_lookup_queue (caller, NULL, "writes"));
  g_assert_cmpuint (children->len, ==, 0);
  g_assert_cmpuint (all->len, ==, 0);
  g_assert_null (aex_caller_lookup (aex_caller_get_id (caller)));
  g_assert_null (aex_caller_lookup_current ());
  g_assert_false (aex_caller_hold (caller));
  g_assert_false (aex_caller_get_protected (caller));
}

static void
test_forked (void)
{
  AexCaller *caller = aex_test_caller_new ("parent");
  G_GNUC_UNUSED g_autoptr (AexCaller) family = aex_test_caller_ref_child (caller, "child");
  g_autoptr (AexPending) job = aex_caller_to_thread (caller, aex_job_int, NULL, NULL);
  int status = 0;
  pid_t child;

  aex_test_wait (job);
  g_assert_true (aex_caller_hold (caller));
  child = fork ();
  g_assert_cmpint (child, >=, 0);
  if (child == 0)
    {
      alarm (10);
      look_in_forked_child (caller);
      _exit (0);
    }
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_cmpint (status, ==, 0);
  g_object_unref (aex_caller_release (caller));
  aex_test_caller_end (caller);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/caller/K5/manual-exists", test_manual_exists);
  aex_test_add ("/caller/K6/name-mismatch", test_name_mismatch);
  aex_test_add ("/caller/K6/options-mismatch", test_options_mismatch);
  aex_test_add ("/caller/K9-K10/lookup", test_lookup);
  aex_test_add ("/caller/K11/listed", test_listed);
  aex_test_add ("/caller/P12-D7/snapshots", test_list_is_snapshot);
  aex_test_add ("/caller/P11/thread-number-reused", test_thread_number_reused);
  aex_test_add ("/caller/K12-K13/children", test_children);
  aex_test_add ("/caller/K12/after-exit", test_child_after_exit);
  aex_test_add ("/caller/K12/from-threads", test_child_from_threads);
  aex_test_add ("/caller/K37/children-first", test_children_first);
  aex_test_add ("/caller/K12/drain", test_children_drain);
  aex_test_add ("/caller/K12/adopted-parent", test_children_of_adopted);
  aex_test_add ("/caller/K29/options-passed", test_options_passed);
  aex_test_add ("/caller/P15/options-refused", test_options_refused);
  aex_test_add ("/caller/P23/no-polling", test_no_polling);
  aex_test_add ("/caller/X12/forked", test_forked);
  return aex_test_run ();
}
