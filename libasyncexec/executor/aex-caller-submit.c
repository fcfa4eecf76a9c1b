/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Giving work to a caller. */
#include "base/aex-clock-private.h"
#include "executor/aex-caller-core-private.h"

/* ---- functions without a pending: counted, so that nothing runs any more when it has stopped */

static void
post_is_over (AexCallerCore *self)
{
  atomic_fetch_sub (&self->n_posts, 1);
  if (G_UNLIKELY (aex_core_is_closed (&self->core)))
    aex_caller_core_check_stopped (self);
}

/* The caller that counted it; NULL: it has ended, with its context, or by this very function. */
static AexCallerCore *
ref_caller_of_post (AexTarget *target)
{
  return (AexCallerCore *) aex_home_ref_executor ((AexHome *) target);
}

static void
caller_post_run (AexEntry *entry, AexTarget *target)
{
  AexCallerCore *self = ref_caller_of_post (target);

  if (self != NULL)
    self->post_depth++;
  aex_post_kind.run (entry, target);
  if (self == NULL)
    return;
  self->post_depth--;
  post_is_over (self);
  aex_target_unref (self);
}

static void
caller_post_drop (AexEntry *entry, AexTarget *target)
{
  AexCallerCore *self = ref_caller_of_post (target);

  aex_post_kind.drop (entry, target);
  if (self == NULL)
    return;
  post_is_over (self);
  aex_target_unref (self);
}

const AexEntryKind aex_caller_post_kind = { .run = caller_post_run, .drop = caller_post_drop };

/* ---- taking it */

/* Its thread is there, or it never will have one. */
gboolean
aex_caller_core_ensure_thread (AexCore *core, GError **error)
{
  AexCallerCore *self = (AexCallerCore *) core;

  if (self->refusal != NULL && error != NULL)
    *error = g_error_copy (self->refusal);
  return self->refusal == NULL;
}

static AexAcceptance
caller_accepts (AexCallerCore *self, GError **error)
{
  guint max = atomic_load_explicit (&self->core.max_pending, memory_order_relaxed);

  if (G_UNLIKELY (aex_core_is_closed (&self->core)))
    return AEX_REFUSED_CLOSED;
  if (G_UNLIKELY (!aex_caller_core_ensure_thread (&self->core, error)))
    return AEX_REFUSED_ERROR;
  if (G_UNLIKELY (max > 0 && (guint) MAX (atomic_load (&self->n_queued), 0) >= max))
    return AEX_REFUSED_BUSY;
  return AEX_ACCEPTED;
}

/* by_user: not when it is closed.  Whoever closes it meanwhile sees the count, or is seen here. */
static gboolean
caller_enqueue (AexCallerCore *self, AexLane lane, const AexEntry *entry, gboolean by_user)
{
  AexEntry counted = *entry;
  atomic_int *count = NULL;

  if (entry->kind == &aex_job_kind)
    {
      count = &self->n_queued;
    }
  else if (entry->kind == &aex_post_kind)
    {
      count = &self->n_posts;
      counted.kind = &aex_caller_post_kind;
    }
  if (count != NULL)
    atomic_fetch_add (count, 1);
  aex_caller_core_divert (self, &counted);
  if (G_LIKELY (!by_user || !aex_core_is_closed (&self->core))
      && G_LIKELY (self->home->target.ops->post (&self->home->target, lane, &counted)))
    return TRUE;
  if (count != NULL)
    {
      atomic_fetch_sub (count, 1);
      aex_caller_core_check_stopped (self);
    }
  return FALSE;
}

gboolean
aex_caller_core_hand_over (AexCore *core, AexLane lane, const AexEntry *entry, GError **error)
{
  return G_LIKELY (aex_caller_core_ensure_thread (core, error)) && caller_enqueue ((AexCallerCore *) core, lane, entry, FALSE);
}

AexAcceptance
aex_caller_core_submit (AexCore *core, AexLane lane, const AexEntry *entry, GError **error)
{
  AexAcceptance acceptance = caller_accepts ((AexCallerCore *) core, error);

  if (G_UNLIKELY (acceptance != AEX_ACCEPTED))
    return acceptance;
  return G_LIKELY (caller_enqueue ((AexCallerCore *) core, lane, entry, TRUE)) ? AEX_ACCEPTED : AEX_REFUSED_CLOSED;
}

AexPending *
aex_caller_core_call_later (AexCallerCore *self, AexPending *job, gint64 delay_us)
{
  AexEntry entry = { &aex_job_kind, g_object_ref (job), NULL, NULL };
  GError *error = NULL;
  AexAcceptance acceptance = caller_accepts (self, &error);

  if (acceptance == AEX_ACCEPTED)
    {
      atomic_fetch_add (&self->n_queued, 1);
      aex_caller_core_divert (self, &entry);
      if (!aex_core_is_closed (&self->core) && aex_home_add_timer (self->home, aex_clock_deadline (delay_us), &entry))
        {
          aex_pending_accepted (job);
          return job;
        }
      atomic_fetch_sub (&self->n_queued, 1);
      aex_caller_core_check_stopped (self);
      acceptance = AEX_REFUSED_CLOSED;
    }
  g_object_unref (job);
  aex_core_refuse (&self->core, job, acceptance, error);
  return job;
}
