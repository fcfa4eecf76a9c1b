/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "lib/aex-test.h"
#include "lib/aex-jobs.h"

G_BEGIN_DECLS

/* Callers with threads of their own, and their queues. */

static inline AexCaller *
aex_test_caller_new (const char *name)
{
  g_autoptr (GError) error = NULL;
  AexCaller *caller = aex_caller_new_thread (name, &error);

  g_assert_no_error (error);
  return caller;
}

static inline AexCaller *
aex_test_caller_ref_child (AexCaller  *parent,
                           const char *name)
{
  g_autoptr (GError) error = NULL;
  AexCaller *child = aex_caller_ref_child (parent, name, &error);

  g_assert_no_error (error);
  return child;
}

/* Takes the caller, whoever holds it. */
static inline void
aex_test_caller_end (AexCaller *caller)
{
  g_autoptr (AexPending) stopped = aex_caller_stop (caller, AEX_STOP_FLAGS_FORCE);

  aex_test_wait (stopped);
  g_object_unref (caller);
}

static inline gboolean
aex_test_open_gate_job (AexPending   *job,
                        GCancellable *cancellable,
                        gpointer      gate,
                        GError      **error)
{
  aex_gate_open (gate);
  return TRUE;
}

/* Everything that was pushed before is over. */
static inline void
aex_test_wait_for_queue (AexCallQueue *queue)
{
  AexGate gate;

  aex_gate_init (&gate);
  g_assert_true (aex_call_queue_push (queue, aex_test_open_gate_job, &gate, NULL));
  aex_gate_wait (&gate);
  aex_gate_clear (&gate);
}

G_END_DECLS
