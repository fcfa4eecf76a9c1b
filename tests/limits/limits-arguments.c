/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "limits-test.h"

/* --- subjects */

AexExecutor *
limits_executor (LimitsWorld *w)
{
  return w->executors[w->variant];
}

AexCaller *
limits_caller (LimitsWorld *w)
{
  AexExecutor *caller = w->executors[w->variant == 0 ? LIMITS_MAIN_CALLER : LIMITS_THREAD_CALLER];

  return caller != NULL ? AEX_CALLER (caller) : NULL;
}

AexCallerPool *
limits_caller_pool (LimitsWorld *w)
{
  AexExecutor *pool = w->executors[LIMITS_CALLER_POOL];

  return pool != NULL ? AEX_CALLER_POOL (pool) : NULL;
}

AexThreadPool *
limits_thread_pool (LimitsWorld *w)
{
  return AEX_THREAD_POOL (w->executors[w->variant == 0 ? LIMITS_BUSY_POOL : LIMITS_FRESH_POOL]);
}

AexPending *
limits_pending (LimitsWorld *w)
{
  return w->pendings[w->variant];
}

AexPending *
limits_other_pending (LimitsWorld *w)
{
  return w->other;
}

AexPendingStream *
limits_stream (LimitsWorld *w)
{
  return w->streams[w->variant];
}

AexPendingStream *
limits_producer (LimitsWorld *w)
{
  return w->streams[LIMITS_PRODUCER];
}

/* --- values */

GCancellable *
limits_cancellable_for_executor (LimitsWorld *w)
{
  gboolean waits = w->variant == LIMITS_BUSY_POOL || w->variant == LIMITS_LIMITER || w->variant == LIMITS_SCRIPTED;

  return waits ? w->cancelled : w->cancellable;
}

static void
count_destroyed (gpointer world)
{
  g_atomic_int_inc (&((LimitsWorld *) world)->n_destroyed);
}

GDestroyNotify
limits_give_destroy (LimitsWorld *w)
{
  w->n_given++;
  return count_destroyed;
}

/* Operations are added under a name of their own. */
const char *
limits_name (LimitsWorld *w)
{
  return w->n_names++ == 0 ? "first" : "second";
}

GVariant *
limits_walk_parameters (void)
{
  return g_variant_new_parsed ("{'path': <b'/proc/self/fd'>}");
}

GVariant *
limits_keys (void)
{
  return g_variant_new_parsed ("{'path': 'ay'}");
}

/* --- functions that are called back */

gboolean
limits_job (AexPending   *job,
            GCancellable *cancellable,
            gpointer      user_data,
            GError      **error)
{
  return TRUE;
}

AexPending *
limits_async (AexPending   *job,
              GCancellable *cancellable,
              gpointer      user_data,
              GError      **error)
{
  return NULL;
}

AexPending *
limits_service (AexService *service,
                gpointer    user_data,
                GError    **error)
{
  aex_service_ready (service);
  return aex_pending_shield (aex_service_get_stopping (service));
}

gboolean
limits_map (AexPendingStream *stream,
            guint             index,
            GCancellable     *cancellable,
            gpointer          user_data,
            GError          **error)
{
  return TRUE;
}

gboolean
limits_each (guint         index,
             GCancellable *cancellable,
             gpointer      user_data,
             GError      **error)
{
  return TRUE;
}

gboolean
limits_post (gpointer user_data,
             GError **error)
{
  return TRUE;
}

gboolean
limits_operation (AexPending   *job,
                  GVariant     *parameters,
                  GCancellable *cancellable,
                  gpointer      user_data,
                  GError      **error)
{
  return TRUE;
}

gboolean
limits_bounce (AexPending *pending,
               guint64     token,
               gpointer    user_data,
               GError    **error)
{
  return TRUE;
}

AexPending *
limits_then (AexPending *done,
             gpointer    user_data,
             GError    **error)
{
  return NULL;
}

void
limits_done (AexPending *pending,
             gpointer    user_data)
{
}

void
limits_message (AexPending *pending,
                GVariant   *message,
                gpointer    user_data)
{
}

void
limits_run (gpointer user_data)
{
}

void
limits_thread_main (AexThreadPool *pool,
                    gpointer       user_data)
{
  aex_thread_pool_run_worker (pool);
}

void
limits_unhandled (AexExecutor  *executor,
                  AexPending   *pending,
                  const GError *error,
                  gpointer      user_data)
{
}
