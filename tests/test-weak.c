/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-service-test.h"

#include "base/aex-thread-private.h"
#include "base/aex-weak-private.h"
#include "executor/aex-caller-core-private.h"
#include "pending/aex-pending-wait-private.h"

/* R10: where a weak reference is made strong, a wrapper may be told that has attributes, and that takes the lock of its
 * interpreter.  An interpreter of the test's own says whether it was entered before: else a thread that is in it, and lets
 * go of something, waits for a lock that is held here, and neither goes on. */

static _Thread_local guint n_entered;
static int armed;          /* atomic, as are all of these */
static int n_told;
static int n_early;        /* of these outside of the interpreter */

static int
fake_enter (void)
{
  n_entered++;
  return 1;
}

static void
fake_leave (int state)
{
  g_assert_cmpint (state, ==, 1);
  g_assert_cmpuint (n_entered--, >, 0);
}

static const AexInterpreter fake_interpreter = { fake_enter, fake_leave };

/* The wrapper: told when somebody else refers to the object too, and when nobody does any more. */
static void
wrapper_told (gpointer data,
              GObject *object,
              gboolean is_last)
{
  if (is_last || !g_atomic_int_get (&armed))
    return;
  if (n_entered == 0)
    g_atomic_int_inc (&n_early);
  g_atomic_int_inc (&n_told);
}

/* Takes the reference: from here on the wrapper has the only one. */
static void
wrap (gpointer object)
{
  g_object_add_toggle_ref (object, wrapper_told, NULL);
  g_object_unref (object);
  g_atomic_int_set (&n_told, 0);
  g_atomic_int_set (&n_early, 0);
  g_atomic_int_set (&armed, TRUE);
}

/* What was done with it made it strong, and in the interpreter. */
static void
assert_entered (gboolean with_lock_of_ours)
{
  g_atomic_int_set (&armed, FALSE);
  g_assert_cmpint (g_atomic_int_get (&n_told), >, 0);
  /* A newer GLib tells without its lock. */
  if (with_lock_of_ours || glib_check_version (2, 80, 0) != NULL)
    g_assert_cmpint (g_atomic_int_get (&n_early), ==, 0);
}

static void
unwrap (gpointer object)
{
  g_atomic_int_set (&armed, FALSE);
  g_object_remove_toggle_ref (object, wrapper_told, NULL);
}

/* --- executors */

static void
test_state (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) stopped = aex_executor_shutdown (pool, AEX_SHUTDOWN_FLAGS_NONE);

  aex_test_wait (stopped);
  wrap (pool);
  aex_test_drain ();
  assert_entered (FALSE);
  unwrap (pool);
}

static gboolean
on_unhandled (AexExecutor *executor,
              AexPending  *job,
              GError      *error,
              gpointer     n_unhandled)
{
  g_atomic_int_inc ((int *) n_unhandled);
  return TRUE;
}

static gboolean
post_fail (gpointer user_data,
           GError **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "Test exception");
  return FALSE;
}

static void
test_unhandled (void)
{
  AexExecutor *pool = aex_test_pool (1);
  int n_unhandled = 0;

  g_signal_connect (pool, "unhandled-error", G_CALLBACK (on_unhandled), &n_unhandled);
  wrap (pool);
  aex_executor_post (pool, post_fail, NULL, NULL);
  aex_test_iterate_until (aex_test_is_set, &n_unhandled);
  assert_entered (FALSE);
  g_object_ref (pool);
  unwrap (pool);
  aex_test_shutdown (pool);
}

static void
test_caller (void)
{
  AexCaller *caller = aex_test_caller_new ("test");
  AexCaller *again;
  guint64 id = aex_caller_get_id (caller);

  wrap (caller);
  again = aex_caller_lookup (id);
  assert_entered (TRUE);
  g_assert_true (again == caller);
  unwrap (caller);
  aex_test_caller_end (again);
}

static void
test_workers (void)
{
  AexCaller *caller = aex_test_caller_new ("test");
  AexExecutor *workers = aex_caller_ref_workers (caller, NULL);
  AexExecutor *again;

  wrap (workers);
  again = aex_caller_ref_workers (caller, NULL);
  assert_entered (TRUE);
  g_assert_true (again == workers);
  unwrap (workers);
  g_object_unref (again);
  aex_test_caller_end (caller);
}

static void
test_listed (void)
{
  AexCaller *caller = aex_test_caller_new ("test");
  g_autoptr (AexPending) stopped = aex_caller_stop (caller, AEX_STOP_FLAGS_NONE);
  g_autoptr (GPtrArray) list = NULL;

  aex_test_wait (stopped);
  wrap (caller);
  list = aex_caller_list (FALSE);
  assert_entered (FALSE);
  unwrap (caller);
}

static gboolean
post_open (gpointer gate,
           GError **error)
{
  aex_gate_open (gate);
  return TRUE;
}

/* With room for one, which has a result: nobody runs, and nobody but who reads it has the stream. */
static void
test_map_scope (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexScope *scope = aex_scope_enter (-1, AEX_SCOPE_FLAGS_NONE);
  AexPendingStream *stream = aex_executor_map (pool, 4, 1, -1, AEX_MAP_FLAGS_NONE, aex_map_nothing, NULL, NULL);
  AexGate after;

  aex_gate_init (&after);
  /* Not jobs, which whoever waits for them could run; and twice, for between items it goes to the end of the queue. */
  for (guint i = 1; i <= 2; i++)
    {
      aex_executor_post (pool, post_open, &after, NULL);
      aex_gate_wait_n (&after, i);
    }
  wrap (stream);
  aex_scope_cancel (scope);
  assert_entered (FALSE);
  unwrap (stream);
  g_assert_true (aex_scope_leave (scope));
  aex_gate_clear (&after);
  aex_test_shutdown (pool);
}

static void
test_service (void)
{
  AexCaller *caller = aex_test_caller_new ("test");
  AexServing serving;
  AexService *service = aex_serving_new (caller, &serving);
  g_autoptr (AexPending) stopped = NULL;

  wrap (service);
  stopped = aex_caller_stop (caller, AEX_STOP_FLAGS_NONE);
  aex_test_wait (stopped);
  assert_entered (FALSE);
  unwrap (service);
  aex_serving_clear (&serving);
  g_object_unref (caller);
}

/* --- pendings */

static void
test_sources (void)
{
  AexPending *source = aex_pending_new ();
  g_autoptr (AexPending) derived = aex_pending_then (source, aex_then_nothing, NULL, NULL);
  GPtrArray *sources;

  wrap (source);
  sources = aex_pending_dup_sources (derived);
  assert_entered (TRUE);
  g_assert_cmpuint (sources->len, ==, 1);
  g_ptr_array_unref (sources);
  g_atomic_int_set (&armed, TRUE);
  g_assert_true (aex_pending_cancel (derived, NULL));
  assert_entered (FALSE);
  aex_assert_cancelled (source);
  unwrap (source);
}

static void
test_followed (void)
{
  AexPending *source = aex_pending_new ();
  g_autoptr (AexPending) follower = aex_pending_new ();
  AexPending *followed;

  g_assert_true (aex_pending_follow (follower, source));
  wrap (source);
  followed = aex_pending_ref_followed (follower);
  assert_entered (TRUE);
  g_assert_true (followed == source);
  unwrap (source);
  aex_pending_resolve (followed, NULL);
  g_object_unref (followed);
}

static void
test_graph (void)
{
  AexPending *source = aex_pending_new ();
  g_autoptr (AexPending) derived = aex_pending_all (source, NULL);
  AexWaitGraphNode node;

  wrap (source);
  g_assert_true (aex_wait_graph_enter (&node, aex_thread_get (), derived, NULL));
  aex_wait_graph_leave (&node);
  assert_entered (TRUE);
  aex_pending_cancel (derived, NULL);
  unwrap (source);
}

static void
test_cancel_with (void)
{
  AexPending *pending = aex_pending_new ();
  GObject *owner = g_object_new (G_TYPE_OBJECT, NULL);

  aex_pending_cancel_with (pending, owner);
  wrap (pending);
  g_object_unref (owner);
  assert_entered (TRUE);
  aex_assert_cancelled (pending);
  unwrap (pending);
}

static void
count_done (AexPending *pending,
            gpointer    n_done)
{
  ++*(int *) n_done;
}

static void
test_callback_object (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  GObject *target = g_object_new (G_TYPE_OBJECT, NULL);
  int n_done = 0;

  aex_pending_add_done_callback_object (pending, target, count_done, &n_done, NULL);
  wrap (target);
  aex_pending_resolve (pending, NULL);
  aex_test_iterate_until (aex_test_is_set, &n_done);
  assert_entered (FALSE);
  unwrap (target);
}

static void
count_message (AexPending *pending,
               GVariant   *message,
               gpointer    n_messages)
{
  ++*(int *) n_messages;
}

static void
test_message (void)
{
  AexPending *pending = aex_pending_new ();
  int n_messages = 0;

  aex_pending_subscribe (pending, count_message, &n_messages, NULL);
  wrap (pending);
  g_assert_true (aex_pending_publish (pending, g_variant_new_boolean (TRUE)));
  assert_entered (FALSE);
  aex_test_iterate_until (aex_test_is_set, &n_messages);
  aex_pending_resolve (pending, NULL);
  unwrap (pending);
}

static void
test_cancellable (void)
{
  AexPending *pending = aex_pending_new ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();

  aex_pending_cancel_on (pending, cancellable);
  wrap (pending);
  g_cancellable_cancel (cancellable);
  assert_entered (FALSE);
  aex_assert_cancelled (pending);
  unwrap (pending);
}

static void
test_scope (void)
{
  AexPending *pending = aex_pending_new ();
  AexScope *scope = aex_scope_new (-1, AEX_SCOPE_FLAGS_NONE);

  aex_scope_add (scope, pending);
  wrap (pending);
  aex_scope_cancel (scope);
  assert_entered (FALSE);
  aex_assert_cancelled (pending);
  unwrap (pending);
  aex_scope_unref (scope);
}

static void
test_completed (void)
{
  g_autoptr (AexPending) member = aex_pending_new ();
  AexPendingStream *stream = aex_pending_as_completed (&member, 1);

  wrap (stream);
  aex_pending_resolve (member, NULL);
  assert_entered (FALSE);
  unwrap (stream);
}

static void
test_group (void)
{
  AexPendingGroup *group = aex_pending_group_new (AEX_GROUP_MODE_IGNORE);
  g_autoptr (AexPendingGroup) current = NULL;

  g_assert_true (aex_pending_group_enter (group, NULL));
  wrap (group);
  current = aex_pending_group_ref_current ();
  assert_entered (FALSE);
  g_assert_true (current == group);
  unwrap (group);
  aex_pending_group_leave (current);
}

/* --- what goes: the last reference but the wrapper's, with which that is told as well */

typedef struct
{
  GMutex *lock;       /* of ours, not to be held then; or NULL */
  AexGate gone;
} Going;

static void
wrapper_alone (gpointer data,
               GObject *object,
               gboolean is_last)
{
  Going *self = data;

  if (!is_last)
    return;
  if (self->lock != NULL)
    {
      g_assert_true (g_mutex_trylock (self->lock));
      g_mutex_unlock (self->lock);
    }
  aex_gate_open (&self->gone);
}

static void
wrap_going (Going      *self,
            AexPending *stopped)
{
  aex_gate_init (&self->gone);
  g_object_add_toggle_ref (G_OBJECT (stopped), wrapper_alone, self);
}

static void
open_gate (gpointer gate)
{
  aex_gate_open (gate);
}

static GPrivate thread_over = G_PRIVATE_INIT (open_gate);

/* A job: once its thread has let go of everything, the gate opens. */
static gboolean
tell_thread_over (AexPending   *job,
                  GCancellable *cancellable,
                  gpointer      gate,
                  GError      **error)
{
  g_private_set (&thread_over, gate);
  return TRUE;
}

/* Takes the caller, which has run tell_thread_over(): what its own thread holds goes before, and is not what is looked at. */
static void
end_and_forget (AexCaller *caller,
                AexGate   *over)
{
  g_autoptr (AexPending) end = aex_caller_stop (caller, AEX_STOP_FLAGS_NONE);

  aex_test_wait (end);
  aex_gate_wait (over);
  g_object_unref (caller);
}

/* What this thread keeps of a caller for its next submission, unless something else has its place already, goes before
 * another gets a child, and not under its lock. */
static void
test_child (void)
{
  AexCaller *parent = aex_test_caller_new ("parent");
  AexCaller *lost = aex_test_caller_new ("lost");
  AexCaller *child;
  AexPending *stopped = aex_caller_get_stopped (lost);
  AexPending *told;
  Going going = { .lock = &aex_caller_get_caller_core (parent)->family_lock };
  AexGate over;

  aex_gate_init (&over);
  told = aex_executor_submit (AEX_EXECUTOR (lost), tell_thread_over, &over, NULL);
  aex_test_wait (told);
  g_object_unref (told);
  wrap_going (&going, stopped);
  end_and_forget (lost, &over);
  child = aex_test_caller_ref_child (parent, "child");
  aex_gate_wait (&going.gone);
  g_object_remove_toggle_ref (G_OBJECT (stopped), wrapper_alone, &going);
  g_object_unref (child);
  aex_test_caller_end (parent);
  aex_gate_clear (&going.gone);
  aex_gate_clear (&over);
}

typedef struct
{
  AexCaller *caller;
  AexGate    over;
  AexGate    fired;
} Alarm;

static gboolean
fire (AexPending   *job,
      GCancellable *cancellable,
      gpointer      alarm,
      GError      **error)
{
  Alarm *self = alarm;

  tell_thread_over (job, cancellable, &self->over, error);
  aex_gate_open (&self->fired);
  return TRUE;
}

static void
submit_from_service (gpointer alarm)
{
  Alarm *self = alarm;

  g_object_unref (aex_executor_submit (AEX_EXECUTOR (self->caller), fire, self, NULL));
}

/* The thread of the timers, which rests for ever on a clock that stands, keeps nothing meanwhile: whoever starts it anew
 * would wait for what goes with it. */
static void
test_timer_thread (void)
{
  Alarm alarm = { .caller = aex_test_caller_new ("lost") };
  AexPending *stopped = aex_caller_get_stopped (alarm.caller);
  Going going = { .lock = NULL };
  AexAlarm *timer;

  aex_gate_init (&alarm.over);
  aex_gate_init (&alarm.fired);
  aex_test_virtual_time ();
  wrap_going (&going, stopped);
  timer = aex_alarm_new (aex_clock_now (), submit_from_service, &alarm, NULL, NULL);
  aex_gate_wait (&alarm.fired);
  aex_alarm_cancel (timer);
  end_and_forget (alarm.caller, &alarm.over);
  aex_gate_wait (&going.gone);
  g_object_remove_toggle_ref (G_OBJECT (stopped), wrapper_alone, &going);
  aex_gate_clear (&going.gone);
  aex_gate_clear (&alarm.fired);
  aex_gate_clear (&alarm.over);
}

int
main (int    argc,
      char **argv)
{
  int result;

  aex_test_init (&argc, &argv);
  aex_interpreter_set (&fake_interpreter);
  aex_test_add ("/weak/R10/state", test_state);
  aex_test_add ("/weak/R10/unhandled", test_unhandled);
  aex_test_add ("/weak/R10/caller", test_caller);
  aex_test_add ("/weak/R10/workers", test_workers);
  aex_test_add ("/weak/R10/listed", test_listed);
  aex_test_add ("/weak/R10/map-scope", test_map_scope);
  aex_test_add ("/weak/R10/service", test_service);
  aex_test_add ("/weak/R10/sources", test_sources);
  aex_test_add ("/weak/R10/followed", test_followed);
  aex_test_add ("/weak/R10/graph", test_graph);
  aex_test_add ("/weak/R10/cancel-with", test_cancel_with);
  aex_test_add ("/weak/R10/callback-object", test_callback_object);
  aex_test_add ("/weak/R10/message", test_message);
  aex_test_add ("/weak/R10/cancellable", test_cancellable);
  aex_test_add ("/weak/R10/scope", test_scope);
  aex_test_add ("/weak/R10/completed", test_completed);
  aex_test_add ("/weak/R10/group", test_group);
  aex_test_add ("/weak/R10/child", test_child);
  aex_test_add ("/weak/R10/timer-thread", test_timer_thread);
  result = aex_test_run ();
  aex_interpreter_set (NULL);
  return result;
}
