/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"
#include "lib/aex-jobs.h"

/* An executor of a user: a subclass with two methods. */

typedef enum
{
  DISPATCH_KEEP,        /* run later, by run_kept() */
  DISPATCH_RUN,         /* run here and now */
  DISPATCH_FAIL,
  DISPATCH_FORWARD,     /* run on another executor */
  DISPATCH_FORGET,
} DispatchMode;

#define TEST_TYPE_SCRIPTED (test_scripted_get_type ())
G_DECLARE_FINAL_TYPE (TestScripted, test_scripted, TEST, SCRIPTED, AexExecutor)

struct _TestScripted
{
  AexExecutor  parent_instance;

  DispatchMode mode;
  GMutex       lock;
  GPtrArray   *kept;            /* lock */
  AexExecutor *other;
  GThread     *dispatch_thread; /* atomic: of the last call */
  int          n_dispatched;    /* atomic */
  AexPending  *shutdown_result; /* what shutdown returns, or NULL for the default */
  int          shutdown_flags;  /* atomic; -1: not called */
  GThread     *shutdown_thread;
};

G_DEFINE_FINAL_TYPE (TestScripted, test_scripted, AEX_TYPE_EXECUTOR)

static gboolean
post_run (gpointer job,
          GError **error)
{
  aex_pending_run (job);
  return TRUE;
}

static void
test_scripted_dispatch (AexExecutor *executor,
                        AexPending  *job,
                        GError     **error)
{
  TestScripted *self = TEST_SCRIPTED (executor);

  g_atomic_pointer_set (&self->dispatch_thread, g_thread_self ());
  g_atomic_int_inc (&self->n_dispatched);
  switch (self->mode)
    {
    case DISPATCH_KEEP:
      g_mutex_lock (&self->lock);
      g_ptr_array_add (self->kept, g_object_ref (job));
      g_mutex_unlock (&self->lock);
      break;
    case DISPATCH_RUN:
      aex_pending_run (job);
      break;
    case DISPATCH_FAIL:
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE, "no room");
      break;
    case DISPATCH_FORWARD:
      aex_executor_post (self->other, post_run, g_object_ref (job), g_object_unref);
      break;
    case DISPATCH_FORGET:
      break;
    default:
      g_assert_not_reached ();
    }
  g_main_context_wakeup (NULL);
}

static AexPending *
test_scripted_shutdown (AexExecutor     *executor,
                        AexShutdownFlags flags)
{
  TestScripted *self = TEST_SCRIPTED (executor);

  self->shutdown_thread = g_thread_self ();
  g_atomic_int_set (&self->shutdown_flags, (int) flags);
  g_main_context_wakeup (NULL);
  if (self->shutdown_result != NULL)
    return g_object_ref (self->shutdown_result);
  return AEX_EXECUTOR_CLASS (test_scripted_parent_class)->shutdown (executor, flags);
}

static void
test_scripted_finalize (GObject *object)
{
  TestScripted *self = TEST_SCRIPTED (object);

  g_clear_pointer (&self->kept, g_ptr_array_unref);
  g_clear_object (&self->other);
  g_clear_object (&self->shutdown_result);
  g_mutex_clear (&self->lock);
  G_OBJECT_CLASS (test_scripted_parent_class)->finalize (object);
}

static void
test_scripted_class_init (TestScriptedClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = test_scripted_finalize;
  AEX_EXECUTOR_CLASS (klass)->dispatch = test_scripted_dispatch;
  AEX_EXECUTOR_CLASS (klass)->shutdown = test_scripted_shutdown;
}

static void
test_scripted_init (TestScripted *self)
{
  g_mutex_init (&self->lock);
  self->kept = g_ptr_array_new_with_free_func (g_object_unref);
  self->shutdown_flags = -1;
}

static TestScripted *
scripted_new (DispatchMode mode,
              gboolean     anywhere)
{
  TestScripted *self = g_object_new (TEST_TYPE_SCRIPTED, "dispatch-anywhere", anywhere, NULL);

  self->mode = mode;
  return self;
}

static void
run_kept (TestScripted *self)
{
  g_autoptr (GPtrArray) jobs = NULL;

  g_mutex_lock (&self->lock);
  jobs = g_steal_pointer (&self->kept);
  self->kept = g_ptr_array_new_with_free_func (g_object_unref);
  g_mutex_unlock (&self->lock);
  for (guint i = 0; i < jobs->len; i++)
    aex_pending_run (jobs->pdata[i]);
}

static void
finish (TestScripted *self)
{
  aex_test_shutdown (AEX_EXECUTOR (self));
}

/* --- a subclass that forgot the mandatory method */
#define TEST_TYPE_EMPTY (test_empty_get_type ())
G_DECLARE_FINAL_TYPE (TestEmpty, test_empty, TEST, EMPTY, AexExecutor)

struct _TestEmpty
{
  AexExecutor parent_instance;
};

G_DEFINE_FINAL_TYPE (TestEmpty, test_empty, AEX_TYPE_EXECUTOR)

static void
test_empty_class_init (TestEmptyClass *klass)
{
}

static void
test_empty_init (TestEmpty *self)
{
}

static void
test_not_implemented (void)
{
  AexExecutor *executor = g_object_new (TEST_TYPE_EMPTY, NULL);
  g_autoptr (AexPending) job = aex_executor_submit (executor, aex_job_int, NULL, NULL);

  aex_test_run_until_done (job);
  aex_assert_state (job, REJECTED);
  aex_assert_failed_with (job, AEX_ERROR, AEX_ERROR_NOT_SUPPORTED);
  aex_test_shutdown (executor);
}

/* --- where dispatch is called */
static gpointer
submit_in_thread (gpointer executor)
{
  return aex_executor_submit (executor, aex_job_thread, NULL, NULL);
}

static AexPending *
submit_from_thread (TestScripted *self)
{
  return g_thread_join (g_thread_new ("submitter", submit_in_thread, self));
}

static gboolean
was_dispatched (gpointer scripted)
{
  return g_atomic_int_get (&((TestScripted *) scripted)->n_dispatched) > 0;
}

static void
test_dispatch_on_owner_context (void)
{
  TestScripted *self = scripted_new (DISPATCH_RUN, FALSE);
  g_autoptr (AexPending) job = submit_from_thread (self);

  g_assert_false (was_dispatched (self));
  aex_assert_state (job, QUEUED);
  aex_test_iterate_until (was_dispatched, self);
  g_assert_true (self->dispatch_thread == g_thread_self ());
  aex_test_run_until_done (job);
  g_assert_true (aex_pending_get_pointer (job, NULL) == g_thread_self ());
  finish (self);
}

/* K23 holds for those who submit on the owner's thread, too. */
static void
test_never_inline (void)
{
  TestScripted *self = scripted_new (DISPATCH_RUN, FALSE);
  g_autoptr (AexPending) job = aex_executor_submit (AEX_EXECUTOR (self), aex_job_int, GINT_TO_POINTER (3), NULL);

  g_assert_false (was_dispatched (self));
  aex_test_run_until_done (job);
  aex_assert_resolved_int64 (job, 3);
  finish (self);
}

static void
test_dispatch_anywhere (void)
{
  TestScripted *self = scripted_new (DISPATCH_KEEP, TRUE);
  g_autoptr (AexPending) job = submit_from_thread (self);

  /* No iteration of anything: the submitting thread called. */
  g_assert_true (was_dispatched (self));
  g_assert_true (self->dispatch_thread != g_thread_self ());
  aex_assert_state (job, QUEUED);
  g_assert_cmpuint (aex_executor_get_n_pending (AEX_EXECUTOR (self)), ==, 1);
  run_kept (self);
  aex_assert_state (job, RESOLVED);
  g_assert_true (aex_pending_get_pointer (job, NULL) == g_thread_self ());
  g_assert_cmpuint (aex_executor_get_n_pending (AEX_EXECUTOR (self)), ==, 0);
  finish (self);
}

static void
test_order (void)
{
  TestScripted *self = scripted_new (DISPATCH_RUN, FALSE);
  g_autoptr (GPtrArray) jobs = aex_test_pendings_new ();
  AexRecord record;

  aex_record_init (&record);
  g_ptr_array_add (jobs, aex_submit_note (AEX_EXECUTOR (self), &record, "1"));
  g_ptr_array_add (jobs, aex_submit_note (AEX_EXECUTOR (self), &record, "2"));
  g_ptr_array_add (jobs, aex_submit_note (AEX_EXECUTOR (self), &record, "3"));
  for (guint i = 0; i < jobs->len; i++)
    aex_test_run_until_done (jobs->pdata[i]);
  aex_assert_record (&record, "1 2 3");
  g_assert_cmpint (self->n_dispatched, ==, 3);
  aex_record_clear (&record);
  finish (self);
}

/* An executor built on another one. */
static void
test_forward (void)
{
  TestScripted *self = scripted_new (DISPATCH_FORWARD, TRUE);
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexContextVar) var = aex_test_var_new (0);
  g_autoptr (AexPending) where = NULL;
  g_autoptr (AexPending) job = NULL;
  GThread *worker;

  self->other = g_object_ref (pool);
  where = aex_executor_submit (pool, aex_job_thread, NULL, NULL);
  aex_test_wait (where);
  worker = aex_pending_get_pointer (where, NULL);
  g_clear_object (&where);
  where = aex_executor_submit (AEX_EXECUTOR (self), aex_job_thread, NULL, NULL);
  aex_test_wait (where);
  g_assert_true (aex_pending_get_pointer (where, NULL) == worker);
  aex_test_var_set (var, 4);
  job = aex_executor_submit (AEX_EXECUTOR (self), aex_job_read_and_change_var, var, NULL);
  aex_test_wait (job);
  aex_assert_resolved_int64 (job, 4);
  finish (self);
  aex_test_shutdown (pool);
}

/* run() and post() are built on the same two methods. */
static void
test_run_and_post (void)
{
  TestScripted *self = scripted_new (DISPATCH_FORWARD, TRUE);
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (GError) error = NULL;
  g_autoptr (AexPending) last = NULL;
  AexRecord record;
  GValue *value;

  self->other = g_object_ref (pool);
  value = aex_executor_run (AEX_EXECUTOR (self), aex_job_int, GINT_TO_POINTER (9), NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (g_value_get_int64 (value), ==, 9);
  g_boxed_free (G_TYPE_VALUE, value);
  aex_record_init (&record);
  aex_executor_post (AEX_EXECUTOR (self), aex_note_post, aex_note_new (&record, "posted"), aex_note_free);
  last = aex_submit_note (AEX_EXECUTOR (self), &record, "last");
  aex_test_wait (last);
  aex_assert_record (&record, "posted last");
  aex_record_clear (&record);
  finish (self);
  aex_test_shutdown (pool);
}

/* --- what goes wrong */
static void
check_rejected (gboolean anywhere)
{
  TestScripted *self = scripted_new (DISPATCH_FAIL, anywhere);
  AexPoison poison;
  g_autoptr (AexPending) job = NULL;

  aex_poison_init (&poison);
  job = aex_executor_submit (AEX_EXECUTOR (self), aex_poison_job, &poison, aex_poison_release);
  aex_test_run_until_done (job);
  aex_assert_state (job, REJECTED);
  aex_assert_failed_with (job, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  aex_test_iterate_until (aex_poison_is_released, &poison);
  g_assert_cmpint (aex_poison_get_called (&poison), ==, 0);
  g_assert_cmpuint (aex_executor_get_n_pending (AEX_EXECUTOR (self)), ==, 0);
  finish (self);
}

static void
test_error_rejects (void)
{
  check_rejected (FALSE);
  check_rejected (TRUE);
}

/* The executor ends, the job was taken and never run. */
static void
test_kept_until_the_end (void)
{
  TestScripted *self = scripted_new (DISPATCH_KEEP, TRUE);
  g_autoptr (AexPending) job = NULL;
  AexPoison poison;

  aex_poison_init (&poison);
  job = aex_executor_submit (AEX_EXECUTOR (self), aex_poison_job, &poison, aex_poison_release);
  g_assert_true (was_dispatched (self));
  g_object_unref (self);
  aex_test_run_until_done (job);
  g_assert_cmpint (aex_pending_get_state (job), >=, AEX_PENDING_STATE_REJECTED);
  {
    g_autoptr (GError) error = aex_pending_dup_error (job);

    g_assert_nonnull (error);
    g_assert_true (error->domain == AEX_ERROR);
    g_assert_true (error->code == AEX_ERROR_CLOSED || error->code == AEX_ERROR_ABANDONED);
  }
  aex_test_iterate_until (aex_poison_is_released, &poison);
  g_assert_cmpint (aex_poison_get_called (&poison), ==, 0);
}

/* The executor ends before its context was run at all. */
static void
test_undispatched_at_the_end (void)
{
  TestScripted *self = scripted_new (DISPATCH_RUN, FALSE);
  g_autoptr (AexPending) job = submit_from_thread (self);

  aex_assert_state (job, QUEUED);
  g_object_unref (self);
  aex_test_run_until_done (job);
  /* Drained or closed, and never forgotten. */
  if (aex_pending_get_state (job) != AEX_PENDING_STATE_RESOLVED)
    aex_assert_failed_with (job, AEX_ERROR, AEX_ERROR_CLOSED);
}

/* Nobody but the executor knows the job, and the executor forgot it. */
static void
on_abandoned (AexPending *pending,
              gpointer    n_called)
{
  g_assert_cmpint (aex_pending_get_state (pending), >=, AEX_PENDING_STATE_REJECTED);
  g_atomic_int_inc ((int *) n_called);
}

static void
test_forgotten (void)
{
  TestScripted *self = scripted_new (DISPATCH_FORGET, TRUE);
  AexPending *job;
  g_autoptr (AexPending) derived = NULL;
  int n_called = 0;

  job = aex_executor_submit (AEX_EXECUTOR (self), aex_job_int, NULL, NULL);
  derived = aex_pending_shield (job);
  aex_pending_add_done_callback (derived, on_abandoned, &n_called, NULL);
  g_object_unref (job);
  g_object_unref (self);
  aex_test_iterate_until (aex_test_is_set, &n_called);
  g_assert_cmpint (n_called, ==, 1);
}

/* Twice is once. */
static void
test_run_twice (void)
{
  TestScripted *self = scripted_new (DISPATCH_KEEP, TRUE);
  g_autoptr (AexPending) job = NULL;
  AexBlock block;

  aex_block_init (&block);
  aex_gate_open (&block.release);
  job = aex_executor_submit (AEX_EXECUTOR (self), aex_block_job, &block, NULL);
  aex_pending_run (job);
  aex_pending_run (job);
  run_kept (self);
  aex_assert_state (job, RESOLVED);
  g_assert_cmpint (block.n_runs, ==, 1);
  aex_block_clear (&block);
  finish (self);
}

static void
test_cancelled_is_not_run (void)
{
  TestScripted *self = scripted_new (DISPATCH_KEEP, TRUE);
  g_autoptr (AexPending) job = NULL;
  AexBlock block;

  aex_block_init (&block);
  job = aex_executor_submit (AEX_EXECUTOR (self), aex_block_job, &block, NULL);
  g_assert_true (aex_pending_cancel (job, NULL));
  g_assert_cmpuint (aex_executor_get_n_pending (AEX_EXECUTOR (self)), ==, 0);
  run_kept (self);
  aex_assert_cancelled (job);
  g_assert_cmpint (block.n_runs, ==, 0);
  aex_block_clear (&block);
  finish (self);
}

/* --- shutdown */
static gboolean
was_shut_down (gpointer scripted)
{
  return g_atomic_int_get (&((TestScripted *) scripted)->shutdown_flags) >= 0;
}

static gpointer
shut_down_in_thread (gpointer executor)
{
  return aex_executor_shutdown (executor, AEX_SHUTDOWN_FLAGS_CANCEL_QUEUED);
}

static void
test_shutdown_override (void)
{
  TestScripted *self = scripted_new (DISPATCH_RUN, FALSE);
  g_autoptr (AexPending) done = NULL;
  g_autoptr (AexPending) late = NULL;

  self->shutdown_result = aex_pending_new ();
  done = g_thread_join (g_thread_new ("closer", shut_down_in_thread, self));
  /* Closed at once, the method comes on the owner context. */
  late = aex_executor_submit (AEX_EXECUTOR (self), aex_job_int, NULL, NULL);
  aex_assert_failed_with (late, AEX_ERROR, AEX_ERROR_CLOSED);
  g_assert_false (was_shut_down (self));
  aex_test_iterate_until (was_shut_down, self);
  g_assert_true (self->shutdown_thread == g_thread_self ());
  g_assert_cmpint (self->shutdown_flags, ==, AEX_SHUTDOWN_FLAGS_CANCEL_QUEUED);
  g_assert_false (aex_pending_is_done (done));
  aex_pending_resolve (self->shutdown_result, NULL);
  aex_test_run_until_done (done);
  aex_assert_state (done, RESOLVED);
  g_object_unref (self);
}

static void
test_shutdown_default (void)
{
  TestScripted *self = scripted_new (DISPATCH_KEEP, TRUE);
  g_autoptr (AexPending) job = aex_executor_submit (AEX_EXECUTOR (self), aex_job_int, GINT_TO_POINTER (2), NULL);
  g_autoptr (AexPending) done = aex_executor_shutdown (AEX_EXECUTOR (self), AEX_SHUTDOWN_FLAGS_NONE);

  aex_test_drain ();
  g_assert_false (aex_pending_is_done (done));
  run_kept (self);
  aex_assert_resolved_int64 (job, 2);
  aex_test_run_until_done (done);
  aex_assert_state (done, RESOLVED);
  g_object_unref (self);
}

static void
test_unhandled_error (void)
{
  TestScripted *self = scripted_new (DISPATCH_RUN, FALSE);
  g_autoptr (GPtrArray) log = NULL;

  aex_test_log_begin ();
  g_object_unref (aex_executor_submit (AEX_EXECUTOR (self), aex_job_fail, NULL, NULL));
  aex_test_drain ();
  finish (self);
  aex_test_drain ();
  log = aex_test_log_end ();
  g_assert_cmpuint (log->len, ==, 1);
}

static void
test_runs_here (void)
{
  TestScripted *here = scripted_new (DISPATCH_RUN, FALSE);
  TestScripted *anywhere = scripted_new (DISPATCH_RUN, TRUE);

  g_assert_true (aex_executor_runs_here (AEX_EXECUTOR (here)));
  g_assert_false (aex_executor_runs_here (AEX_EXECUTOR (anywhere)));
  finish (here);
  finish (anywhere);
}

typedef struct
{
  AexPending *promise;
  GThread    *cancelled_on;   /* atomic */
} Followed;

static void
note_thread (GCancellable *cancellable,
             gpointer      data)
{
  g_atomic_pointer_set (&((Followed *) data)->cancelled_on, g_thread_self ());
}

static AexPending *
follow_until_cancelled (AexPending   *job,
                        GCancellable *cancellable,
                        gpointer      data,
                        GError      **error)
{
  g_signal_connect (cancellable, "cancelled", G_CALLBACK (note_thread), data);
  return g_object_ref (((Followed *) data)->promise);
}

static gpointer
cancel_in_thread (gpointer job)
{
  aex_pending_cancel (job, NULL);
  return NULL;
}

/* The handler may be a script's, which must not be called on another thread. */
static void
test_cancelled_at_home (void)
{
  TestScripted *self = scripted_new (DISPATCH_RUN, FALSE);
  g_autoptr (AexPending) promise = aex_pending_new ();
  Followed followed = { promise, NULL };
  g_autoptr (AexPending) job = aex_executor_submit_async (AEX_EXECUTOR (self), follow_until_cancelled, &followed, NULL);

  aex_test_drain ();
  g_assert_cmpuint (aex_executor_get_n_running (AEX_EXECUTOR (self)), ==, 1);
  aex_test_in_thread (cancel_in_thread, job);
  aex_test_run_until_done (job);
  aex_test_drain ();
  aex_assert_cancelled (job);
  g_assert_true (followed.cancelled_on == g_thread_self ());
  finish (self);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/scripted/S4/not-implemented", test_not_implemented);
  aex_test_add ("/scripted/dispatch/on-owner-context", test_dispatch_on_owner_context);
  aex_test_add ("/scripted/dispatch/anywhere", test_dispatch_anywhere);
  aex_test_add ("/scripted/K23/never-inline", test_never_inline);
  aex_test_add ("/scripted/dispatch/order", test_order);
  aex_test_add_in_context ("/scripted/dispatch/forward", test_forward);
  aex_test_add ("/scripted/dispatch/run-and-post", test_run_and_post);
  aex_test_add ("/scripted/dispatch/error-rejects", test_error_rejects);
  aex_test_add ("/scripted/end/kept", test_kept_until_the_end);
  aex_test_add ("/scripted/end/undispatched", test_undispatched_at_the_end);
  aex_test_add ("/scripted/end/forgotten", test_forgotten);
  aex_test_add ("/scripted/run/twice", test_run_twice);
  aex_test_add ("/scripted/run/cancelled", test_cancelled_is_not_run);
  aex_test_add ("/scripted/S11/shutdown-override", test_shutdown_override);
  aex_test_add ("/scripted/S11/shutdown-default", test_shutdown_default);
  aex_test_add ("/scripted/I8/unhandled-error", test_unhandled_error);
  aex_test_add ("/scripted/E9/runs-here", test_runs_here);
  aex_test_add ("/scripted/R5/cancelled-at-home", test_cancelled_at_home);
  return aex_test_run ();
}
