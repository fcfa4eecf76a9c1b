/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "limits-test.h"
#include "lib/aex-jobs.h"

/* --- an executor like those that scripts derive: it runs its jobs from the main context, and can keep the first */

#define SCRIPTED_TYPE_EXECUTOR (scripted_executor_get_type ())
G_DECLARE_FINAL_TYPE (ScriptedExecutor, scripted_executor, SCRIPTED, EXECUTOR, AexExecutor)

struct _ScriptedExecutor
{
  AexExecutor  parent_instance;
  AexPending **kept;            /* where the next job goes, or NULL */
};

G_DEFINE_FINAL_TYPE (ScriptedExecutor, scripted_executor, AEX_TYPE_EXECUTOR)

static gboolean
run_job (gpointer job)
{
  aex_pending_run (job);
  return G_SOURCE_REMOVE;
}

static void
scripted_executor_dispatch (AexExecutor *executor,
                          AexPending  *job,
                          GError     **error)
{
  ScriptedExecutor *self = SCRIPTED_EXECUTOR (executor);

  if (self->kept != NULL)
    *g_steal_pointer (&self->kept) = g_object_ref (job);
  else
    g_idle_add_full (G_PRIORITY_DEFAULT, run_job, g_object_ref (job), g_object_unref);
}

static void
scripted_executor_class_init (ScriptedExecutorClass *klass)
{
  AEX_EXECUTOR_CLASS (klass)->dispatch = scripted_executor_dispatch;
}

static void
scripted_executor_init (ScriptedExecutor *self)
{
}

/* --- a guest that is in no thread */
typedef AexGuest LimitsGuest;
typedef AexGuestClass LimitsGuestClass;
G_DEFINE_TYPE (LimitsGuest, limits_guest, AEX_TYPE_GUEST)

static void
limits_guest_class_init (LimitsGuestClass *klass)
{
}

static void
limits_guest_init (LimitsGuest *self)
{
}

/* --- making */

static gboolean
is_quiet (AexExecutor *executor,
          AexPending  *pending,
          GError      *error,
          gpointer     user_data)
{
  return TRUE;
}

static AexExecutor *
quiet (gpointer executor)
{
  g_signal_connect (executor, "unhandled-error", G_CALLBACK (is_quiet), NULL);
  return executor;
}

/* Takes over the error. */
static AexExecutor *
quiet_or_null (gpointer executor,
               GError  *error)
{
  if (executor != NULL)
    return quiet (executor);
  g_assert_nonnull (error);
  g_assert_cmpstr (error->message, !=, "");
  g_error_free (error);
  return NULL;
}

static void
make_executors (LimitsWorld *w)
{
  GError *no_thread = NULL, *no_pool = NULL;
  AexCaller *thread_caller = aex_caller_new_thread ("limits", &no_thread);
  AexExecutor *caller_pool = aex_caller_pool_new (1, &no_pool);

  w->executors[LIMITS_BUSY_POOL] = w->pool = quiet (aex_thread_pool_new (1));
  w->executors[LIMITS_FRESH_POOL] = quiet (aex_thread_pool_new (1));
  w->executors[LIMITS_MAIN_CALLER] = quiet (aex_caller_ref_main ());
  w->caller = AEX_CALLER (w->executors[LIMITS_MAIN_CALLER]);
  w->queue = aex_caller_ensure_queue (w->caller, w->object, "queue");
  w->service = aex_service_new (w->caller, "service", limits_service, NULL, NULL);
  w->idle_service = aex_service_new (w->caller, NULL, NULL, NULL, NULL);
  w->lazy = aex_lazy_new (NULL, limits_job, NULL, NULL);
  w->caller_options = aex_caller_options_new ();
  w->guest = g_object_new (limits_guest_get_type (), NULL);
  w->executors[LIMITS_THREAD_CALLER] = quiet_or_null (thread_caller, no_thread);
  w->executors[LIMITS_CALLER_POOL] = quiet_or_null (caller_pool, no_pool);
  w->executors[LIMITS_LIMITER] = w->limiter = quiet (aex_limiter_new (w->executors[LIMITS_FRESH_POOL], 1));
  w->executors[LIMITS_SCRIPTED] = quiet (g_object_new (SCRIPTED_TYPE_EXECUTOR, NULL));
}

static void
make_pendings (LimitsWorld *w)
{
  w->pendings[LIMITS_PROMISE] = aex_pending_new ();
  w->pendings[LIMITS_RUNNING] = aex_block_begin (&w->block, w->pool);
  w->pendings[LIMITS_QUEUED] = aex_executor_submit (w->pool, aex_job_int, GINT_TO_POINTER (1), NULL);
  w->pendings[LIMITS_RESOLVED] = aex_pending_new_resolved (&w->value);
  w->pendings[LIMITS_REJECTED] = aex_pending_new_rejected (g_error_copy (w->error));
  w->pendings[LIMITS_CANCELLED] = aex_pending_new ();
  aex_pending_cancel (w->pendings[LIMITS_CANCELLED], NULL);
  w->other = aex_pending_new ();
  w->pendings[LIMITS_DERIVED] = aex_pending_then (w->other, limits_then, w, limits_give_destroy (w));
  w->members[0] = w->pendings[LIMITS_PROMISE];
  w->members[1] = w->pendings[LIMITS_RESOLVED];
  w->info = aex_pending_dup_info (w->pendings[LIMITS_RESOLVED]);
  w->result = aex_pending_dup_result (w->pendings[LIMITS_RESOLVED]);
}

static void
make_streams (LimitsWorld *w)
{
  w->streams[LIMITS_PRODUCER] = aex_pending_stream_new (1);
  w->streams[LIMITS_MAP] = aex_executor_map (w->pool, 2, 1, -1, AEX_MAP_FLAGS_NONE, limits_map, w, limits_give_destroy (w));
  w->streams[LIMITS_AS_COMPLETED] = aex_pending_as_completed (w->members, 2);
}

/* A slot, and a job that a script was given and has not run, which comes through the main context. */
static void
make_what_comes (LimitsWorld *w)
{
  ScriptedExecutor *scripted = SCRIPTED_EXECUTOR (w->executors[LIMITS_SCRIPTED]);
  g_autoptr (AexPending) acquired = aex_limiter_acquire (AEX_LIMITER (w->limiter));
  g_autoptr (AexPending) job = NULL;

  aex_test_wait (acquired);
  w->permit = aex_pending_dup_boxed (acquired, AEX_TYPE_PERMIT, NULL);
  if (w->is_checked)
    {
      w->scripted_job = g_object_ref (w->pendings[LIMITS_RESOLVED]);
      return;
    }
  scripted->kept = &w->scripted_job;
  job = aex_executor_submit (w->executors[LIMITS_SCRIPTED], limits_job, w, limits_give_destroy (w));
  while (w->scripted_job == NULL)
    g_main_context_iteration (NULL, TRUE);
}

LimitsWorld *
limits_world_new (Limit                 limit,
                  const LimitsFunction *function,
                  guint                 variant,
                  gboolean              first_use)
{
  LimitsWorld *w = g_new0 (LimitsWorld, 1);

  w->limit = limit;
  w->variant = variant;
  w->of_pendings = function->of_pendings;
  w->is_checked = first_use;
  w->returned = g_ptr_array_new_with_free_func (g_object_unref);
  w->awaited = g_ptr_array_new_with_free_func (g_object_unref);
  w->strings[0] = "text";
  g_value_init (&w->value, G_TYPE_STRING);
  g_value_set_static_string (&w->value, "text");
  w->error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_FAILED, "no");
  w->object = g_object_new (G_TYPE_OBJECT, NULL);
  w->cancellable = g_cancellable_new ();
  w->cancelled = g_cancellable_new ();
  g_cancellable_cancel (w->cancelled);
  /* One that nobody has made a caller for. */
  w->main_context = first_use ? NULL : g_main_context_new ();
  w->context = aex_context_new ();
  w->var = aex_context_var_new ("limits", &w->value);
  w->options = aex_submit_options_new ();
  w->operations = aex_operations_new ();
  w->trampoline = aex_trampoline_new (limits_bounce, w, limits_give_destroy (w));
  w->scope = aex_scope_new (-1, AEX_SCOPE_FLAGS_NONE);
  w->group = aex_pending_group_new (AEX_GROUP_MODE_RAISE);
  w->manager = aex_pending_manager_new ();
  make_executors (w);
  make_pendings (w);
  make_streams (w);
  make_what_comes (w);
  w->n_reported = 0;
  return w;
}

/* --- ending */

static gboolean
all_done (GPtrArray *pendings)
{
  for (guint i = 0; i < pendings->len; i++)
    {
      if (!aex_pending_is_done (pendings->pdata[i]))
        return FALSE;
    }
  return TRUE;
}

static gboolean
is_settled (LimitsWorld *w)
{
  return all_done (w->returned) && all_done (w->awaited) && w->n_ready >= w->n_started;
}

static void
wake_up (AexPending *pending,
         gpointer    user_data)
{
  g_main_context_wakeup (NULL);
}

static void
wake_up_by (gpointer pending,
            gpointer user_data)
{
  aex_pending_add_done_callback_inline (pending, wake_up, NULL, NULL);
}

/* What was pushed is taken. */
static void
end_streams (LimitsWorld *w)
{
  limits_await (w, aex_pending_stream_next (w->streams[LIMITS_PRODUCER]));
  aex_pending_stream_end (w->streams[LIMITS_PRODUCER], NULL);
  for (guint i = 0; i < LIMITS_N_STREAMS; i++)
    g_object_unref (aex_pending_stream_close (w->streams[i]));
}

void
limits_world_settle (LimitsWorld *w)
{
  aex_gate_open (&w->block.release);
  aex_pending_resolve (w->pendings[LIMITS_PROMISE], NULL);
  aex_pending_resolve (w->other, NULL);
  end_streams (w);
  g_object_unref (aex_service_stop (w->service));
  if (w->permit != NULL)
    aex_permit_release (w->permit);
  aex_pending_run (w->scripted_job);
  g_ptr_array_foreach (w->returned, wake_up_by, NULL);
  g_ptr_array_foreach (w->awaited, wake_up_by, NULL);
  while (!is_settled (w))
    g_main_context_iteration (NULL, TRUE);
  for (guint i = 0; i < w->returned->len; i++)
    {
      g_autoptr (GError) error = aex_pending_dup_error (w->returned->pdata[i]);

      limits_see (w, error);
    }
}

/* A job that runs is told to end; that of the busy pool waits for its gate. */
void
limits_world_shutdown (LimitsWorld *w)
{
  g_autoptr (GPtrArray) ends = aex_test_pendings_new ();

  for (guint i = 0; i < LIMITS_N_EXECUTORS; i++)
    g_ptr_array_add (ends, aex_executor_shutdown (w->executors[i], AEX_SHUTDOWN_FLAGS_CANCEL_QUEUED));
  aex_gate_open (&w->block.release);
  aex_pending_run (w->scripted_job);
  if (w->permit != NULL)
    aex_permit_release (w->permit);
  for (guint i = 0; i < ends->len; i++)
    aex_test_run_until_done (ends->pdata[i]);
}

static void
free_pendings (LimitsWorld *w)
{
  g_clear_pointer (&w->returned, g_ptr_array_unref);
  g_clear_pointer (&w->awaited, g_ptr_array_unref);
  aex_test_run_until_done (w->pendings[LIMITS_RUNNING]);
  for (guint i = 0; i < LIMITS_N_PENDINGS; i++)
    g_object_unref (w->pendings[i]);
  for (guint i = 0; i < LIMITS_N_STREAMS; i++)
    g_object_unref (w->streams[i]);
  g_object_unref (w->other);
  g_object_unref (w->scripted_job);
  g_object_unref (w->result);
  aex_pending_info_free (w->info);
  g_clear_pointer (&w->permit, aex_permit_unref);
}

static void
free_executors (LimitsWorld *w)
{
  aex_caller_options_free (w->caller_options);
  g_clear_object (&w->guest);
  aex_call_queue_close (w->queue);
  g_object_unref (w->queue);
  g_object_unref (w->service);
  g_object_unref (w->idle_service);
  g_object_unref (w->lazy);
  aex_executor_set_default (NULL);
  aex_executor_set_unhandled_func (NULL, NULL, NULL);
  for (int i = LIMITS_N_EXECUTORS - 1; i >= 0; i--)
    {
      g_autoptr (AexPending) end = NULL;

      if (w->executors[i] == NULL)
        continue;
      if (i != LIMITS_MAIN_CALLER || aex_executor_get_state (w->executors[i]) >= AEX_EXECUTOR_STATE_STOPPING)
        {
          end = aex_executor_shutdown (w->executors[i], AEX_SHUTDOWN_FLAGS_NONE);
          aex_test_run_until_done (end);
        }
      g_object_unref (w->executors[i]);
    }
}

void
limits_world_free (LimitsWorld *w)
{
  free_pendings (w);
  free_executors (w);
  aex_block_clear (&w->block);
  g_clear_pointer (&w->token, aex_context_token_unref);
  aex_context_unref (w->context);
  aex_submit_options_free (w->options);
  aex_scope_unref (w->scope);
  g_object_unref (w->var);
  g_object_unref (w->group);
  g_object_unref (w->manager);
  g_object_unref (w->operations);
  g_object_unref (w->trampoline);
  g_object_unref (w->cancellable);
  g_object_unref (w->cancelled);
  g_object_unref (w->object);
  g_clear_pointer (&w->main_context, g_main_context_unref);
  g_error_free (w->error);
  g_value_unset (&w->value);
  aex_test_drain ();
}
