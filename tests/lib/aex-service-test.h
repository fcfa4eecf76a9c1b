/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "lib/aex-caller-test.h"

G_BEGIN_DECLS

/* One that serves until it is told to stop, and then until it is let go. */
typedef struct
{
  AexGate     called;
  AexPending *resume;       /* what it awaits at its end */
  gboolean    says_ready;
  int         n_calls;      /* atomic */
  int         n_freed;      /* atomic */
  AexExecutor *caller;     /* on which it is called and freed; no reference */
} AexServing;

static inline void
aex_serving_init (AexServing *self,
                  AexCaller  *caller)
{
  *self = (AexServing) { .resume = aex_pending_new (), .says_ready = TRUE, .caller = AEX_EXECUTOR (caller) };
  aex_gate_init (&self->called);
}

static inline void
aex_serving_clear (AexServing *self)
{
  aex_gate_clear (&self->called);
  g_object_unref (self->resume);
}

static inline void
aex_serving_freed (gpointer serving)
{
  AexServing *self = serving;

  g_assert_true (aex_executor_runs_here (self->caller));
  g_atomic_int_inc (&self->n_freed);
}

/* stopping is done: the end is that of resume. */
static inline AexPending *
aex_serving_resume (AexPending *stopping,
                    gpointer    resume,
                    GError    **error)
{
  return g_object_ref (resume);
}

static inline AexPending *
aex_serving_run (AexService *service,
                 gpointer    serving,
                 GError    **error)
{
  AexServing *self = serving;

  g_assert_true (aex_executor_runs_here (self->caller));
  g_atomic_int_inc (&self->n_calls);
  if (self->says_ready)
    g_assert_true (aex_service_ready (service));
  aex_gate_open (&self->called);
  return aex_pending_then (aex_service_get_stopping (service), aex_serving_resume, g_object_ref (self->resume), g_object_unref);
}

static inline AexService *
aex_serving_new (AexCaller  *caller,
                 AexServing *serving)
{
  aex_serving_init (serving, caller);
  return aex_service_new (caller, "test", aex_serving_run, serving, aex_serving_freed);
}

/* Everything that belongs to the thread of the caller has happened there. */
static inline void
aex_test_settle_caller (AexCaller *caller)
{
  g_autoptr (AexPending) last = aex_executor_submit (AEX_EXECUTOR (caller), aex_job_int, NULL, NULL);

  aex_test_wait (last);
}

static inline gboolean
aex_serving_open_gate (gpointer gate)
{
  aex_gate_open (gate);
  return G_SOURCE_REMOVE;
}

/* The same of one that takes no jobs any more. */
static inline void
aex_test_settle_stopping (AexCaller *caller)
{
  g_autoptr (GSource) source = g_idle_source_new ();
  AexGate gate;

  aex_gate_init (&gate);
  g_source_set_callback (source, aex_serving_open_gate, &gate, NULL);
  g_source_attach (source, aex_caller_get_context (caller));
  aex_gate_wait (&gate);
  aex_gate_clear (&gate);
}

static inline void
aex_assert_stopped_early (AexPending *pending)
{
  g_autoptr (GError) error = aex_pending_dup_error (pending);

  aex_assert_cancelled (pending);
  g_assert_cmpstr (error->message, ==, "The service was stopped before it had started");
}

G_END_DECLS
