/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-jobs.h"

/* A producer that is too fast waits for room, and how that wait ends.  The
 * messages themselves: test-pending-messages.c. */

static void
ignore_message (AexPending *pending,
                GVariant   *message,
                gpointer    data)
{
}

static gboolean
publish_until_refused (AexPending   *job,
                       GCancellable *cancellable,
                       gpointer      full,
                       GError      **error)
{
  while (aex_pending_publish (job, g_variant_new_int32 (0)))
    ;
  aex_gate_open (full);
  return aex_pending_publish_wait (job, g_variant_new_int32 (1), error);
}

/* A wait for room ends with the job. */
static void
test_wait_cancelled (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexSubmitOptions) options = aex_submit_options_new ();
  g_autoptr (AexPending) job = NULL;
  AexGate full;

  aex_gate_init (&full);
  aex_submit_options_set_subscriber (options, ignore_message, NULL, NULL);
  job = aex_executor_submit_full (pool, options, publish_until_refused, &full, NULL);
  aex_gate_wait (&full);
  g_assert_true (aex_pending_cancel (job, NULL));
  aex_test_shutdown (pool);
  aex_assert_cancelled (job);
  aex_test_drain ();
  aex_gate_clear (&full);
}

static void
open_when_done (AexPending *pending,
                gpointer    gate)
{
  aex_gate_open (gate);
}

/* The loop, which would make room, does not run until the time is over. */
static void
test_wait_timed_out (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexSubmitOptions) options = aex_submit_options_new ();
  g_autoptr (AexPending) job = NULL;
  AexGate full, done;

  aex_gate_init (&full);
  aex_gate_init (&done);
  aex_test_virtual_time ();
  aex_submit_options_set_subscriber (options, ignore_message, NULL, NULL);
  aex_submit_options_set_timeout (options, G_USEC_PER_SEC);
  job = aex_executor_submit_full (pool, options, publish_until_refused, &full, NULL);
  aex_pending_add_done_callback_inline (job, open_when_done, &done, NULL);
  aex_gate_wait (&full);
  aex_clock_advance (G_USEC_PER_SEC);
  aex_gate_wait (&done);
  aex_test_shutdown (pool);
  aex_assert_failed_with (job, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  aex_test_drain ();
  aex_gate_clear (&full);
  aex_gate_clear (&done);
}

/* The subscriber would be called on this very thread. */
static void
test_wait_own_thread (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  g_autoptr (GError) error = NULL;

  aex_pending_subscribe (pending, ignore_message, NULL, NULL);
  aex_publish_range (pending, 1, 1023);
  g_assert_true (aex_pending_publish_wait (pending, g_variant_new_int32 (1024), &error));
  g_assert_false (aex_pending_publish_wait (pending, g_variant_new_int32 (0), &error));
  g_assert_error (error, AEX_ERROR, AEX_ERROR_WOULD_DEADLOCK);
  g_assert_true (aex_pending_resolve (pending, NULL));
  g_clear_error (&error);
  g_assert_false (aex_pending_publish_wait (pending, g_variant_new_int32 (0), &error));
  g_assert_error (error, AEX_ERROR, AEX_ERROR_CLOSED);
  aex_test_drain ();
}

/* --- the subscriber's thread blocks until this job is done: whoever of the two comes last is refused */

typedef struct
{
  AexPending *promise;
  gulong      id;
  AexGate     blocks;       /* the subscriber's thread does */
} Knock;

static void
open_blocks (gpointer data)
{
  aex_gate_open (&((Knock *) data)->blocks);
}

static void
never_called (AexPending *pending,
              gpointer    data)
{
  g_assert_not_reached ();
}

/* A thread that blocks in a wait runs what is released on its context: so we know that it does. */
static gboolean
publish_when_it_blocks (AexPending   *job,
                        GCancellable *cancellable,
                        gpointer      data,
                        GError      **error)
{
  Knock *knock = data;

  while (aex_pending_publish (job, g_variant_new_int32 (0)))
    ;
  g_assert_true (aex_pending_remove_done_callback (knock->promise, knock->id));
  aex_gate_wait (&knock->blocks);
  return aex_pending_publish_wait (job, g_variant_new_int32 (1), error);
}

static void
test_loop_blocks_first (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexSubmitOptions) options = aex_submit_options_new ();
  g_autoptr (AexPending) job = NULL;
  Knock knock = { .promise = aex_pending_new () };

  aex_gate_init (&knock.blocks);
  knock.id = aex_pending_add_done_callback (knock.promise, never_called, &knock, open_blocks);
  aex_submit_options_set_subscriber (options, ignore_message, NULL, NULL);
  job = aex_executor_submit_full (pool, options, publish_when_it_blocks, &knock, NULL);
  aex_test_wait (job);
  aex_assert_failed_with (job, AEX_ERROR, AEX_ERROR_WOULD_DEADLOCK);
  aex_test_shutdown (pool);
  aex_test_drain ();
  aex_gate_clear (&knock.blocks);
  g_object_unref (knock.promise);
}

static gboolean
open_gate (AexPending   *job,
           GCancellable *cancellable,
           gpointer      gate,
           GError      **error)
{
  aex_gate_open (gate);
  return TRUE;
}

/* In a pool of one the second job runs when the first blocks. */
static void
test_producer_blocks_first (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexSubmitOptions) options = aex_submit_options_new ();
  g_autoptr (AexPending) job = NULL;
  g_autoptr (AexPending) second = NULL;
  g_autoptr (GError) error = NULL;
  AexGate full, blocks;

  aex_gate_init (&full);
  aex_gate_init (&blocks);
  aex_submit_options_set_subscriber (options, ignore_message, NULL, NULL);
  job = aex_executor_submit_full (pool, options, publish_until_refused, &full, NULL);
  second = aex_executor_submit (pool, open_gate, &blocks, NULL);
  aex_gate_wait (&blocks);
  g_assert_false (aex_pending_wait (job, AEX_WAIT_FLAGS_NO_RESULT, -1, NULL, &error));
  g_assert_error (error, AEX_ERROR, AEX_ERROR_WOULD_DEADLOCK);
  aex_test_run_until_done (job);
  aex_assert_state (job, RESOLVED);
  aex_test_wait (second);
  aex_test_shutdown (pool);
  aex_test_drain ();
  aex_gate_clear (&full);
  aex_gate_clear (&blocks);
}

/* A subscriber in a pool of one, whose only thread waits for room: another comes to make it. */
typedef struct
{
  AexPending *inner;
  int         n;            /* atomic */
  int         last;
} PoolSubscriber;

static void
count_in_pool (AexPending *pending,
               GVariant   *message,
               gpointer    data)
{
  PoolSubscriber *self = data;

  g_assert_cmpint (g_variant_get_int32 (message), ==, self->last + 1);
  self->last++;
  g_atomic_int_inc (&self->n);
}

static gboolean
subscribe_and_publish (AexPending   *job,
                       GCancellable *cancellable,
                       gpointer      data,
                       GError      **error)
{
  PoolSubscriber *self = data;

  aex_pending_subscribe (self->inner, count_in_pool, self, NULL);
  for (int i = 1; i <= 3000; i++)
    if (!aex_pending_publish_wait (self->inner, g_variant_new_int32 (i), error))
      return FALSE;
  return aex_pending_resolve (self->inner, NULL);
}

static void
test_pool_of_one (void)
{
  AexExecutor *pool = aex_test_pool (1);
  PoolSubscriber self = { aex_pending_new (), 0, 0 };
  g_autoptr (AexPending) job = aex_executor_submit (pool, subscribe_and_publish, &self, NULL);

  aex_test_wait (job);
  aex_assert_state (job, RESOLVED);
  aex_test_shutdown (pool);
  g_assert_cmpint (g_atomic_int_get (&self.n), ==, 3000);
  g_object_unref (self.inner);
}

int
main (int argc, char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/publish-wait/W7/cancelled", test_wait_cancelled);
  aex_test_add ("/publish-wait/W7/timed-out", test_wait_timed_out);
  aex_test_add ("/publish-wait/W7/own-thread", test_wait_own_thread);
  aex_test_add ("/publish-wait/W7/loop-blocks-first", test_loop_blocks_first);
  aex_test_add ("/publish-wait/W7/producer-blocks-first", test_producer_blocks_first);
  aex_test_add ("/publish-wait/W7/pool-of-one", test_pool_of_one);
  return aex_test_run ();
}
