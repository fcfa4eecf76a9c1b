/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Jobs of a caller that run in another loop of its thread, and the guests whose loops these are. */
#include "aex-submit-options.h"
#include "base/aex-fork-private.h"
#include "base/aex-i18n-private.h"
#include "executor/aex-guest-private.h"
#include "executor/aex-submit-options-private.h"

const char *
aex_caller_core_get_backend_for (AexCallerCore *self, AexPending *job)
{
  AexPendingExtra *extra = atomic_load_explicit (&job->extra, memory_order_acquire);
  const char *backend = extra != NULL && extra->backend != NULL ? extra->backend : self->backend;

  return backend == NULL || aex_backend_is_glib (backend) ? NULL : backend;
}

/* ---- jobs that a guest has and that have not started */

static void
hold_job (AexCallerCore *self, AexPending *job)
{
  g_mutex_lock (&self->family_lock);
  if (self->held == NULL)
    self->held = g_hash_table_new (NULL, NULL);
  if (g_hash_table_add (self->held, g_object_ref (job)))
    atomic_fetch_add (&self->n_held, 1);
  else
    g_object_unref (job);
  g_mutex_unlock (&self->family_lock);
}

/* Whether it was one. */
static gboolean
let_go_of_job (AexCallerCore *self, AexPending *job)
{
  gboolean found;

  g_mutex_lock (&self->family_lock);
  found = self->held != NULL && g_hash_table_remove (self->held, job);
  g_mutex_unlock (&self->family_lock);
  if (!found)
    return FALSE;
  atomic_fetch_sub (&self->n_held, 1);
  return TRUE;
}

void
aex_caller_core_forget_held (AexCallerCore *self, AexPending *job, gboolean dropped)
{
  if (!let_go_of_job (self, job))
    return;
  /* Whoever cancels it has a reference, and so has who runs it.  A guest need not come back to what was dropped. */
  if (dropped)
    aex_core_release_unrun (job);
  g_object_unref (job);
}

void
aex_caller_core_drop_held (AexCallerCore *self)
{
  g_autoptr (GPtrArray) jobs = g_ptr_array_new_with_free_func (g_object_unref);
  GHashTableIter iter;
  gpointer job;

  g_mutex_lock (&self->family_lock);
  if (self->held != NULL)
    {
      g_hash_table_iter_init (&iter, self->held);
      while (g_hash_table_iter_next (&iter, &job, NULL))
        g_ptr_array_add (jobs, g_object_ref (job));
    }
  g_mutex_unlock (&self->family_lock);
  for (guint i = 0; i < jobs->len; i++)
    aex_pending_cancel_as (jobs->pdata[i], AEX_CANCEL_DROP, NULL);
}

/* ---- guests; on the thread of the caller */

static AexGuest *
ref_guest (AexCallerCore *self, const char *backend, GError **error)
{
  AexGuest *guest;

  for (guint i = 0; self->guests != NULL && i < self->guests->len; i++)
    if (aex_guest_get_backend (self->guests->pdata[i]) == backend)
      return g_object_ref (self->guests->pdata[i]);
  guest = aex_guest_new_for_core (backend, self, error);
  if (guest == NULL)
    return NULL;
  if (self->guests == NULL)
    self->guests = g_ptr_array_new_with_free_func (g_object_unref);
  g_ptr_array_add (self->guests, g_object_ref (guest));
  atomic_fetch_add (&self->n_guests, 1);
  return guest;
}

static void
give_to_guest (AexCallerCore *self, AexPending *job)
{
  g_autoptr (AexGuest) guest = NULL;
  GError *error = NULL;

  hold_job (self, job);
  /* Whoever has cancelled it before that has not found it there. */
  if (AEX_PHASE (aex_pending_load (job)) != AEX_PHASE_QUEUED)
    {
      aex_caller_core_forget_held (self, job, TRUE);
      return;
    }
  guest = ref_guest (self, aex_caller_core_get_backend_for (self, job), &error);
  if (guest != NULL)
    aex_guest_dispatch_job (guest, job);
  else
    aex_pending_reject (job, error);
}

/* The guest of a job runs it.  An entry of a job that is queued no more, or of one that was moved, is a tombstone, with
 * which the entry of a plain job knows what to do. */
static void
guest_job_run (AexEntry *entry, AexTarget *target)
{
  AexPending *job = entry->a;
  guint state = aex_pending_load (job);
  gboolean is_valid = AEX_PHASE (state) == AEX_PHASE_QUEUED && AEX_GENERATION (state) == GPOINTER_TO_UINT (entry->b);
  AexCallerCore *self = is_valid ? aex_caller_core_peek_for_home ((AexHome *) target) : NULL;

  if (self != NULL)
    {
      give_to_guest (self, job);
      aex_target_unref (self);
      g_object_unref (job);
    }
  else if (is_valid)
    {
      aex_job_kind.drop (entry, target);
    }
  else
    {
      aex_job_kind.run (entry, target);
    }
}

static void
guest_job_drop (AexEntry *entry, AexTarget *target)
{
  aex_job_kind.drop (entry, target);
}

static gboolean
guest_job_is_dead (const AexEntry *entry)
{
  return aex_job_kind.is_dead (entry);
}

const AexEntryKind aex_guest_job_kind = { .run = guest_job_run, .drop = guest_job_drop, .is_dead = guest_job_is_dead };

void
aex_caller_core_divert (AexCallerCore *self, AexEntry *entry)
{
  if (entry->kind == &aex_job_kind && aex_caller_core_get_backend_for (self, entry->a) != NULL)
    entry->kind = &aex_guest_job_kind;
}

/* ---- their end */

typedef struct {
  AexCallerCore *core;
  AexGuest *guest;
} AexGuestEnd;

static void
guest_end_free (gpointer data)
{
  AexGuestEnd *self = data;

  g_clear_object (&self->guest);
  g_clear_pointer (&self->core, aex_target_unref);
  g_free (self);
}

static void
guest_has_ended (AexCallerCore *self, AexGuest *guest)
{
  aex_guest_detach (guest);
  atomic_fetch_sub (&self->n_guests, 1);
  aex_caller_core_check_stopped (self);
}

static void
guest_end_run (AexEntry *entry, AexTarget *target)
{
  AexGuestEnd *self = entry->a;

  (void) target;
  guest_has_ended (self->core, self->guest);
  guest_end_free (self);
}

static const AexEntryKind guest_end_kind = { .run = guest_end_run, .drop = guest_end_run };

/* On any thread; the guest is let go of on its own, so that nothing of it may be left here. */
static void
guest_end_is_done (AexPending *pending, gpointer data)
{
  AexGuestEnd *given = data, *self = g_new (AexGuestEnd, 1);
  AexTarget *home = aex_target_ref (given->core->home);
  AexEntry entry = { &guest_end_kind, self, NULL, NULL };

  (void) pending;
  *self = (AexGuestEnd) { g_steal_pointer (&given->core), g_steal_pointer (&given->guest) };
  aex_target_post_or_drop (home, AEX_LANE_HIGH, &entry);
  aex_target_unref (home);
}

static void
end_guest (AexCallerCore *self, AexGuest *guest)
{
  g_autoptr (AexPending) ended = aex_guest_end (guest);
  AexGuestEnd *end;

  if (ended == NULL)
    {
      guest_has_ended (self, guest);
      return;
    }
  end = g_new (AexGuestEnd, 1);
  *end = (AexGuestEnd) { aex_target_ref (self), g_object_ref (guest) };
  aex_pending_add_done_callback_inline (ended, guest_end_is_done, end, guest_end_free);
}

static void
end_guests_run (AexEntry *entry, AexTarget *target)
{
  AexCallerCore *self = entry->a;
  g_autoptr (GPtrArray) guests = NULL;

  (void) target;
  atomic_store (&self->guests_end_posted, FALSE);
  /* Something may have come meanwhile from an executor that is built on this one: its end leads here again. */
  if (atomic_load (&self->n_queued) == 0 && atomic_load (&self->n_running) <= (int) aex_core_n_excused (&self->core))
    guests = g_steal_pointer (&self->guests);
  for (guint i = 0; guests != NULL && i < guests->len; i++)
    end_guest (self, guests->pdata[i]);
  aex_target_unref (self);
}

static void
end_guests_drop (AexEntry *entry, AexTarget *target)
{
  (void) target;
  aex_target_unref (entry->a);
}

static const AexEntryKind end_guests_kind = { .run = end_guests_run, .drop = end_guests_drop };

gboolean
aex_caller_core_end_guests (AexCallerCore *self)
{
  AexEntry entry = { &end_guests_kind, self, NULL, NULL };

  if (atomic_load (&self->n_guests) == 0)
    return TRUE;
  if (atomic_exchange (&self->guests_end_posted, TRUE))
    return FALSE;
  aex_target_ref (self);
  aex_target_post_or_drop (&self->home->target, AEX_LANE_HIGH, &entry);
  return FALSE;
}

void
aex_caller_core_abandon_guests (AexCallerCore *self)
{
  g_autoptr (GPtrArray) guests = NULL;

  /* Whoever asks again whether it has ended, on any thread, finds none. */
  if (atomic_load (&self->n_guests) == 0)
    return;
  guests = g_steal_pointer (&self->guests);
  if (guests != NULL)
    aex_caller_core_drop_held (self);
  for (guint i = 0; guests != NULL && i < guests->len; i++)
    {
      aex_guest_detach (guests->pdata[i]);
      atomic_fetch_sub (&self->n_guests, 1);
    }
}

/* ---- calling */

/**
 * aex_caller_get_backend: (get-property backend)
 * @self: a caller
 *
 * Gets the name of the loop in which jobs of @self run when nothing else is
 * said: “glib”, or what its options said.
 *
 * Returns: the name
 *
 * Since: 1.0
 */
const char *
aex_caller_get_backend (AexCaller *self)
{
  const char *backend;

  g_return_val_if_fail (AEX_IS_CALLER (self), NULL);

  backend = aex_caller_get_caller_core (self)->backend;
  return backend != NULL ? backend : "glib";
}

/**
 * aex_caller_call_using_backend:
 * @self: a caller
 * @backend: the name of a backend, see [func@Caller.register_backend]
 * @func: (scope notified) (closure user_data) (destroy destroy): the job, in coroutine form
 * @user_data: data for @func
 * @destroy: (nullable): how to free @user_data
 *
 * Submits a job whose function is called inside of the loop of @backend, on the
 * thread of @self, and otherwise like [method@Executor.submit_async]: it is
 * tracked, counted and cancelled like every other job of @self. The loop is
 * made when it is first needed, and ended before @self stops. With “glib” it is
 * the same as [method@Executor.submit_async].
 *
 * The pending is rejected at once, with %AEX_ERROR_NOT_FOUND, when there is no
 * such backend.
 *
 * Returns: (transfer full): the pending of the job
 *
 * Since: 1.0
 */
AexPending *
aex_caller_call_using_backend (AexCaller *self, const char *backend, AexAsyncFunc func, gpointer user_data, GDestroyNotify destroy)
{
  return aex_caller_call_using_backend_full (self, backend, NULL, func, user_data, destroy);
}

/**
 * aex_caller_call_using_backend_full:
 * @self: a caller
 * @backend: the name of a backend
 * @options: (nullable): options
 * @func: (scope notified) (closure user_data) (destroy destroy): the job, in coroutine form
 * @user_data: data for @func
 * @destroy: (nullable): how to free @user_data
 *
 * The same with options, see [method@Caller.call_using_backend].
 *
 * Returns: (transfer full): the pending of the job
 *
 * Since: 1.0
 */
AexPending *
aex_caller_call_using_backend_full (AexCaller *self, const char *backend, AexSubmitOptions *options, AexAsyncFunc func,
                                    gpointer user_data, GDestroyNotify destroy)
{
  AexSubmitOptions own = { .timeout_us = -1 };
  GError *error = NULL;

  g_return_val_if_fail (AEX_IS_CALLER (self), NULL);
  g_return_val_if_fail (backend != NULL, NULL);
  g_return_val_if_fail (func != NULL, NULL);

  if (options != NULL)
    own = *options;
  if (!aex_is_forked ())
    own.backend = aex_backend_find (backend, &error);
  if (error == NULL)
    return aex_executor_submit_async_full (AEX_EXECUTOR (self), &own, func, user_data, destroy);
  if (destroy != NULL)
    destroy (user_data);
  return aex_pending_new_failed (error);
}
