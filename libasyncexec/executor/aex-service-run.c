/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The life of a service, from its start to its end. */
#include "executor/aex-service-private.h"

#include "base/aex-fork-private.h"
#include "base/aex-i18n-private.h"
#include "base/aex-weak-private.h"
#include "pending/aex-value-private.h"

static void
say_stopping (AexService *self)
{
  aex_pending_record (aex_service_get_priv (self)->stopping, AEX_TAG_NONE, (AexWord) { 0 });
}

/* An error of the service, which the caller reports when nobody has seen it: of a job that was never accepted.  Takes it. */
static AexPending *
failure_new (AexService *self, GError *error, const GValue *payload)
{
  AexPending *failure = aex_pending_new_job (&aex_service_get_core (self)->core.target, NULL, NULL, NULL, NULL, 0);

  aex_pending_set_name (failure, aex_service_get_priv (self)->name);
  atomic_fetch_or (&failure->state, AEX_BIT_UNCOUNTED);
  aex_pending_reject_with_payload (failure, error, payload);
  g_error_free (error);
  return failure;
}

/* What the service, which ended as end did, failed with; NULL: it did not. */
static AexPending *
failure_of (AexService *self, AexPending *end)
{
  guint phase = AEX_PHASE (aex_pending_load (end));
  AexPending *failure = NULL;
  GValue *payload;

  if (phase == AEX_PHASE_REJECTED)
    {
      payload = aex_pending_dup_payload (end);
      failure = failure_new (self, aex_pending_dup_error (end), payload);
      g_clear_pointer (&payload, aex_value_free);
    }
  else if (phase == AEX_PHASE_RESOLVED && !aex_pending_is_done (aex_service_get_priv (self)->stopping))
    {
      failure = failure_new (self, g_error_new_literal (AEX_ERROR, AEX_ERROR_STOPPED_EARLY,
                                                        _("The service ended before it was told to stop")), NULL);
    }
  return failure;
}

static const char *
stopped_early (void)
{
  return _("The service was stopped before it had started");
}

/* Nothing of it runs any more. */
static void
service_ended (AexService *self, AexPending *end)
{
  AexServicePrivate *priv = aex_service_get_priv (self);
  g_autoptr (AexPending) outcome = failure_of (self, end);
  AexPending *job;

  aex_pending_note_observed (end);
  if (outcome == NULL)
    outcome = g_object_ref (end);
  g_mutex_lock (&priv->lock);
  job = g_steal_pointer (&priv->job);
  g_mutex_unlock (&priv->lock);
  g_clear_object (&job);
  aex_service_release_func (self);
  say_stopping (self);
  if (AEX_PHASE (aex_pending_load (outcome)) == AEX_PHASE_RESOLVED)
    aex_pending_cancel_as (priv->started, AEX_CANCEL_OWN, stopped_early ());
  else
    aex_pending_settle_linked (priv->started, outcome);
  aex_pending_settle_linked (priv->stopped, outcome);
}

/* ---- running */

/* From the call of the function to its end. */
typedef struct {
  AexService *service;
  AexPending *over;       /* what the job follows: done when the service is */
  GWeakRef end;           /* what the function returned */
} AexServiceRun;

static void
run_clear (gpointer data)
{
  AexServiceRun *self = data;

  g_object_unref (self->service);
  g_object_unref (self->over);
  g_weak_ref_clear (&self->end);
}

static void
run_unref (gpointer run)
{
  g_atomic_rc_box_release_full (run, run_clear);
}

/* On the thread that completes it. */
static void
function_ended (AexPending *end, gpointer run)
{
  AexServiceRun *self = run;

  service_ended (self->service, end);
  aex_pending_resolve (self->over, NULL);
}

/* The job was cancelled.  Not by its caller that stops: who is told of that needs no more. */
static void
job_cancelled (AexPending *over, gpointer run)
{
  AexServiceRun *self = run;
  g_autoptr (AexPending) end = NULL;

  (void) over;
  if (aex_core_is_closed (&aex_service_get_core (self->service)->core))
    return;
  say_stopping (self->service);
  end = aex_weak_get (&self->end);
  if (end != NULL)
    aex_pending_cancel (end, NULL);
}

static AexPending *
call_run (AexService *self, AexPending *job)
{
  GError *error = NULL;
  AexPending *end = AEX_SERVICE_GET_CLASS (self)->run (self, &error);

  if (error == NULL && (end == job || end == aex_service_get_priv (self)->stopped) && end != NULL)
    error = g_error_new_literal (AEX_ERROR, AEX_ERROR_WOULD_DEADLOCK,
                                 _("The pendings would wait for each other in a ring: let none follow what depends on it"));
  if (error != NULL)
    {
      g_clear_object (&end);
      return aex_pending_new_failed (error);
    }
  return end != NULL ? end : aex_pending_new_resolved (NULL);
}

static AexPending *
service_run (AexPending *job, GCancellable *cancellable, gpointer service, GError **error)
{
  AexService *self = service;
  g_autoptr (AexPending) end = NULL;
  g_autoptr (AexPending) follower = aex_pending_new ();
  AexPending *over = aex_pending_new ();
  AexServiceRun *run = g_atomic_rc_box_new0 (AexServiceRun);

  (void) cancellable;
  (void) error;
  end = call_run (self, job);
  run->service = g_object_ref (self);
  run->over = g_object_ref (over);
  g_weak_ref_init (&run->end, end);
  aex_pending_set_canceller (over, job_cancelled, g_atomic_rc_box_acquire (run), run_unref);
  /* Told also when what the function returned is dropped by everybody. */
  aex_pending_add_done_callback_inline (follower, function_ended, run, run_unref);
  aex_pending_follow (follower, end);
  return over;
}

/* One that never began: it was refused or dropped. */
static void
job_done (AexPending *job, gpointer service)
{
  if (aex_pending_load (job) & AEX_BIT_STARTED)
    aex_pending_note_observed (job);
  else
    service_ended (service, job);
}

static void
submit_job (AexService *self)
{
  AexServicePrivate *priv = aex_service_get_priv (self);
  AexCore *core = &aex_service_get_core (self)->core;
  AexPending *job = aex_pending_new_job (&core->target, aex_thread_get ()->context, (gpointer) service_run,
                                         g_object_ref (self), g_object_unref, AEX_FLAG_ASYNC);
  gboolean is_stopping;

  aex_pending_set_name (job, priv->name);
  aex_pending_add_done_callback_inline (job, job_done, g_object_ref (self), g_object_unref);
  aex_core_submit_job (core, job, AEX_LANE_DEFAULT);
  g_mutex_lock (&priv->lock);
  priv->job = g_object_ref (job);
  is_stopping = priv->is_stopping;
  g_mutex_unlock (&priv->lock);
  if (is_stopping)
    aex_pending_cancel_as (job, AEX_CANCEL_QUEUED, stopped_early ());
  g_object_unref (job);
}

/**
 * aex_service_start:
 * @self: a service
 *
 * Begins what @self does: its function is called soon on its caller. Does nothing
 * when that was done before, or when @self was stopped.
 *
 * The pending is rejected with %AEX_ERROR_NOT_FOUND when @self has nothing to do
 * yet, and cancelled with %AEX_ERROR_CLOSED when its caller has stopped.
 *
 * Returns: (transfer full): the pending of [method@Service.get_started]
 *
 * Since: 1.0
 */
AexPending *
aex_service_start (AexService *self)
{
  AexServicePrivate *priv;
  AexPending *forked;
  gboolean can_begin, begin;

  g_return_val_if_fail (AEX_IS_SERVICE (self), NULL);

  forked = aex_pending_new_if_forked ();
  if (forked != NULL)
    return forked;
  priv = aex_service_get_priv (self);
  g_mutex_lock (&priv->lock);
  begin = !priv->is_begun;
  can_begin = priv->has_func || AEX_SERVICE_GET_CLASS (self)->run != aex_service_call_func;
  priv->is_begun |= can_begin;
  g_mutex_unlock (&priv->lock);
  if (begin && !can_begin)
    return aex_pending_new_failed (g_error_new_literal (AEX_ERROR, AEX_ERROR_NOT_FOUND,
                                                        _("The service has no function: give it one before it is started")));
  if (begin)
    submit_job (self);
  return g_object_ref (priv->started);
}

/**
 * aex_service_stop:
 * @self: a service
 *
 * Tells @self to stop, and never waits for that; again and again does nothing
 * more. One whose function was not called yet is cancelled.
 *
 * Returns: (transfer full): the pending of [method@Service.get_stopped]
 *
 * Since: 1.0
 */
AexPending *
aex_service_stop (AexService *self)
{
  AexServicePrivate *priv;
  AexPending *forked;
  g_autoptr (AexPending) job = NULL;
  gboolean never_begun;

  g_return_val_if_fail (AEX_IS_SERVICE (self), NULL);

  forked = aex_pending_new_if_forked ();
  if (forked != NULL)
    return forked;
  priv = aex_service_get_priv (self);
  g_mutex_lock (&priv->lock);
  never_begun = !priv->is_begun;
  priv->is_begun = TRUE;
  priv->is_stopping = TRUE;
  job = priv->job != NULL ? g_object_ref (priv->job) : NULL;
  g_mutex_unlock (&priv->lock);
  aex_pending_cancel_as (priv->started, AEX_CANCEL_OWN, stopped_early ());
  say_stopping (self);
  if (never_begun)
    {
      aex_pending_cancel_as (priv->stopped, AEX_CANCEL_OWN, stopped_early ());
      aex_service_release_func (self);
    }
  if (job != NULL)
    aex_pending_cancel_as (job, AEX_CANCEL_QUEUED, stopped_early ());
  return g_object_ref (priv->stopped);
}

/**
 * aex_service_ready:
 * @self: a service
 *
 * Says that @self has started: its function calls it when it serves.
 *
 * Returns: %TRUE if that resolved [method@Service.get_started]; %FALSE if it was
 *   said before, or @self was stopped or has ended
 *
 * Since: 1.0
 */
gboolean
aex_service_ready (AexService *self)
{
  g_return_val_if_fail (AEX_IS_SERVICE (self), FALSE);

  return !aex_is_forked () && aex_pending_record (aex_service_get_priv (self)->started, AEX_TAG_NONE, (AexWord) { 0 });
}
