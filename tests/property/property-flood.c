/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "property/property.h"

/* I9: a timer on a caller whose queue never gets empty.  Each job submits the next
 * one; once a job has seen that the timer is due, only so many may come before
 * it.  Jobs are counted and not time: a busy machine changes nothing. */

/* More than a slice of a dispatch can hold. */
#define MAX_JOBS_AFTER_DUE 200000

typedef struct {
  PropRun  *run;
  gint64    due_us;
  gboolean  fired;          /* only on the caller's thread, like the rest */
  guint     n_after_due;
  int       refs;           /* atomic */
} Flood;

static Flood *
flood_ref (Flood *self)
{
  g_atomic_int_inc (&self->refs);
  return self;
}

static void
flood_unref (gpointer data)
{
  Flood *self = data;

  if (!g_atomic_int_dec_and_test (&self->refs))
    return;
  prop_open (self->run, -1);
  g_free (self);
}

static gboolean
flood_fires (AexPending   *job,
             GCancellable *cancellable,
             gpointer      data,
             GError      **error)
{
  Flood *self = data;

  if (g_get_monotonic_time () < self->due_us)
    prop_violate (self->run, 9, "a timer fired before its time");
  self->fired = TRUE;
  return TRUE;
}

static gboolean
flood_job (AexPending   *job,
           GCancellable *cancellable,
           gpointer      data,
           GError      **error)
{
  Flood *self = data;
  g_autoptr (AexCaller) here = NULL;

  if (self->fired || g_atomic_int_get (&self->run->over))
    return TRUE;
  if (g_get_monotonic_time () >= self->due_us
      && ++self->n_after_due > (prop_is_planted (self->run, "I9") ? 0 : MAX_JOBS_AFTER_DUE))
    {
      prop_violate (self->run, 9, "%u jobs ran after a timer was due, and it has not fired", self->n_after_due);
      return TRUE;
    }
  here = aex_caller_ref_current (NULL);
  g_object_unref (aex_executor_submit (AEX_EXECUTOR (here), flood_job, flood_ref (self), flood_unref));
  return TRUE;
}

void
prop_flood (PropRun *self,
            int      executor,
            int      n)
{
  g_autoptr (AexExecutor) caller = prop_executor_ref (self, executor);
  Flood *flood;

  if (caller == NULL || !AEX_IS_CALLER (caller))
    return;
  flood = g_new0 (Flood, 1);
  flood->run = self;
  flood->refs = 1;
  prop_open (self, 1);
  flood->due_us = g_get_monotonic_time () + 50 * n;
  g_object_unref (aex_caller_call_later (AEX_CALLER (caller), 50 * n, flood_fires, flood_ref (flood), flood_unref));
  for (int i = 0; i < 1 + n; i++)
    g_object_unref (aex_executor_submit (caller, flood_job, flood_ref (flood), flood_unref));
  flood_unref (flood);
}
