/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"

/* Rows X4 and R7: every function that takes a destroy notify calls it once, on
 * the thread of its owner, whoever ends what it was given to.  Four of them
 * have no owner but the one who lets go last: they say so below.  The check
 * "destroys" keeps the table at the end complete. */

typedef void (*Use) (AexPoison *poison);

static gpointer
unref_in_thread (gpointer object)
{
  g_object_unref (object);
  return NULL;
}

static gpointer
resolve_in_thread (gpointer pending)
{
  aex_pending_resolve (pending, NULL);
  return NULL;
}

static void
released_once (AexPoison *poison)
{
  aex_test_iterate_until (aex_poison_is_released, poison);
  aex_test_drain ();
  g_assert_cmpint (aex_poison_get_released (poison), ==, 1);
}

/* --- work: its executor owns it */

static AexPending *
poison_async (AexPending   *job,
              GCancellable *cancellable,
              gpointer      poison,
              GError      **error)
{
  aex_poison_touch (poison);
  return NULL;
}

static gboolean
poison_post (gpointer poison,
             GError **error)
{
  aex_poison_touch (poison);
  return TRUE;
}

static gboolean
poison_map (AexPendingStream *stream,
            guint             index,
            GCancellable     *cancellable,
            gpointer          poison,
            GError          **error)
{
  aex_poison_touch (poison);
  return TRUE;
}

static AexExecutor *
begin_pool (AexPoison *poison)
{
  AexExecutor *pool = aex_test_pool (1);

  aex_poison_init_executor (poison, pool);
  return pool;
}

/* Takes both; NULL: nobody can wait for it. */
static void
end_work (AexExecutor *executor,
          AexPending  *job,
          AexPoison   *poison)
{
  if (job != NULL)
    aex_test_run_until_done (job);
  g_clear_object (&job);
  released_once (poison);
  g_assert_cmpint (aex_poison_get_called (poison), ==, 1);
  aex_test_shutdown (executor);
}

static void
use_submit (AexPoison *poison)
{
  AexExecutor *pool = begin_pool (poison);

  end_work (pool, aex_executor_submit (pool, aex_poison_job, poison, aex_poison_release), poison);
}

static void
use_submit_async (AexPoison *poison)
{
  AexExecutor *pool = begin_pool (poison);

  end_work (pool, aex_executor_submit_async (pool, poison_async, poison, aex_poison_release), poison);
}

static void
use_submit_full (AexPoison *poison)
{
  AexExecutor *pool = begin_pool (poison);
  g_autoptr (AexSubmitOptions) options = aex_submit_options_new ();

  end_work (pool, aex_executor_submit_full (pool, options, aex_poison_job, poison, aex_poison_release), poison);
}

static void
use_submit_async_full (AexPoison *poison)
{
  AexExecutor *pool = begin_pool (poison);
  g_autoptr (AexSubmitOptions) options = aex_submit_options_new ();

  end_work (pool, aex_executor_submit_async_full (pool, options, poison_async, poison, aex_poison_release), poison);
}

static void
use_post (AexPoison *poison)
{
  AexExecutor *pool = begin_pool (poison);

  aex_executor_post (pool, poison_post, poison, aex_poison_release);
  end_work (pool, NULL, poison);
}

static void
use_run (AexPoison *poison)
{
  AexExecutor *pool = begin_pool (poison);
  g_autoptr (GError) error = NULL;
  /* With it the work is never done on this stack instead. */
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  GValue *value = aex_executor_run (pool, aex_poison_job, poison, aex_poison_release, cancellable, &error);

  g_assert_no_error (error);
  if (value != NULL)
    {
      g_value_unset (value);
      g_free (value);
    }
  end_work (pool, NULL, poison);
}

static void
use_map (AexPoison *poison)
{
  AexExecutor *pool = begin_pool (poison);
  AexPendingStream *stream = aex_executor_map (pool, 1, 0, -1, AEX_MAP_FLAGS_NONE, poison_map, poison,
                                               aex_poison_release);
  AexPending *next = aex_pending_stream_next (stream);

  aex_test_run_until_done (next);
  g_object_unref (next);
  g_object_unref (stream);
  end_work (pool, NULL, poison);
}

static AexCaller *
begin_caller (AexPoison *poison)
{
  AexCaller *caller = aex_caller_new_thread ("owner", NULL);

  g_assert_nonnull (caller);
  aex_poison_init_executor (poison, AEX_EXECUTOR (caller));
  return caller;
}

static void
use_call_later (AexPoison *poison)
{
  AexCaller *caller = begin_caller (poison);

  end_work (AEX_EXECUTOR (caller), aex_caller_call_later (caller, 1000, aex_poison_job, poison, aex_poison_release),
            poison);
}

static void
use_call_direct (AexPoison *poison)
{
  AexCaller *caller = begin_caller (poison);

  aex_caller_call_direct (caller, poison_post, poison, aex_poison_release);
  end_work (AEX_EXECUTOR (caller), NULL, poison);
}

/* --- callbacks: the thread that attaches owns them; another one ends them */

static AexPending *
begin_promise (AexPoison *poison)
{
  aex_poison_init (poison);
  poison->in_dispatch = TRUE;
  return aex_pending_new ();
}

static void
end_promise (AexPending *promise,
             AexPoison  *poison)
{
  aex_test_in_thread (resolve_in_thread, promise);
  released_once (poison);
  g_object_unref (promise);
}

static void
use_add_done_callback (AexPoison *poison)
{
  AexPending *promise = begin_promise (poison);

  aex_pending_add_done_callback (promise, aex_poison_callback, poison, aex_poison_release);
  end_promise (promise, poison);
  g_assert_cmpint (aex_poison_get_called (poison), ==, 1);
}

static void
inline_callback (AexPending *pending,
                 gpointer    poison)
{
  /* On the thread that completes: not the owner's. */
}

static void
use_add_done_callback_inline (AexPoison *poison)
{
  AexPending *promise = begin_promise (poison);

  /* Released where it is called: the completing thread owns it. */
  poison->thread = NULL;
  poison->in_dispatch = FALSE;
  aex_pending_add_done_callback_inline (promise, inline_callback, poison, aex_poison_release);
  aex_test_in_thread (resolve_in_thread, promise);
  g_assert_cmpint (aex_poison_get_released (poison), ==, 1);
  g_object_unref (promise);
}

static void
use_add_done_callback_object (AexPoison *poison)
{
  AexPending *promise = begin_promise (poison);
  g_autoptr (GObject) target = aex_test_object_new (NULL);

  aex_pending_add_done_callback_object (promise, target, aex_poison_callback, poison, aex_poison_release);
  end_promise (promise, poison);
}

static void
end_derived (AexPending *promise,
             AexPending *derived,
             AexPoison  *poison)
{
  end_promise (promise, poison);
  aex_test_run_until_done (derived);
  g_object_unref (derived);
}

static void
use_then (AexPoison *poison)
{
  AexPending *promise = begin_promise (poison);

  end_derived (promise, aex_pending_then (promise, aex_poison_then, poison, aex_poison_release), poison);
}

static void
use_catch (AexPoison *poison)
{
  AexPending *promise = begin_promise (poison);

  end_derived (promise, aex_pending_catch (promise, aex_poison_then, poison, aex_poison_release), poison);
  g_assert_cmpint (aex_poison_get_called (poison), ==, 0);
}

static void
use_finally (AexPoison *poison)
{
  AexPending *promise = begin_promise (poison);

  end_derived (promise, aex_pending_finally (promise, aex_poison_then, poison, aex_poison_release), poison);
}

static void
use_then_object (AexPoison *poison)
{
  AexPending *promise = begin_promise (poison);
  g_autoptr (GObject) target = aex_test_object_new (NULL);

  end_derived (promise, aex_pending_then_object (promise, target, aex_poison_then, poison, aex_poison_release), poison);
}

static void
use_add_continuation (AexPoison *poison)
{
  AexPending *promise = begin_promise (poison);

  end_derived (promise, aex_pending_add_continuation (promise, AEX_THEN_FLAGS_ON_SUCCESS, aex_poison_then, poison,
                                                      aex_poison_release), poison);
}

static void
use_set_canceller (AexPoison *poison)
{
  AexPending *promise = begin_promise (poison);

  g_assert_true (aex_pending_set_canceller (promise, aex_poison_callback, poison, aex_poison_release));
  end_promise (promise, poison);
  g_assert_cmpint (aex_poison_get_called (poison), ==, 0);
}

static void
poison_message (AexPending *pending,
                GVariant   *message,
                gpointer    poison)
{
  aex_poison_touch (poison);
}

static void
use_subscribe (AexPoison *poison)
{
  AexPending *promise = begin_promise (poison);

  aex_pending_subscribe (promise, poison_message, poison, aex_poison_release);
  aex_pending_publish (promise, g_variant_new_boolean (TRUE));
  end_promise (promise, poison);
  g_assert_cmpint (aex_poison_get_called (poison), ==, 1);
}

static gpointer
free_options_in_thread (gpointer options)
{
  aex_submit_options_free (options);
  return NULL;
}

static void
use_set_subscriber (AexPoison *poison)
{
  AexSubmitOptions *options = aex_submit_options_new ();

  aex_poison_init (poison);
  poison->in_dispatch = TRUE;
  aex_submit_options_set_subscriber (options, poison_message, poison, aex_poison_release);
  aex_test_in_thread (free_options_in_thread, options);
  released_once (poison);
}

/* --- things that stay */

static void
use_resolve_pointer (AexPoison *poison)
{
  AexPending *promise = begin_promise (poison);

  /* A plain pointer has no owner: it goes with the last reference. */
  poison->thread = NULL;
  poison->in_dispatch = FALSE;
  g_assert_true (aex_pending_resolve_pointer (promise, poison, aex_poison_release));
  aex_test_in_thread (unref_in_thread, promise);
  released_once (poison);
}

static void
never_woken (AexCaller *caller,
             gpointer   poison)
{
}

static void
never_main (AexThreadPool *pool,
            gpointer       poison)
{
  g_assert_not_reached ();
}

static void
use_set_wake_func (AexPoison *poison)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (AexCaller) caller = NULL;

  /* Its owner is whoever lets go of it last, as the reference says. */
  aex_poison_init (poison);
  poison->thread = NULL;
  g_main_context_push_thread_default (context);
  caller = aex_caller_ref_current (NULL);
  g_assert_nonnull (caller);
  aex_caller_set_wake_func (caller, never_woken, poison, aex_poison_release);
  g_assert_cmpint (aex_poison_get_released (poison), ==, 0);
  aex_caller_set_wake_func (caller, NULL, NULL, NULL);
  released_once (poison);
  g_main_context_pop_thread_default (context);
}

static void
use_set_thread_main (AexPoison *poison)
{
  AexExecutor *pool = aex_test_pool (1);

  /* As with the one above. */
  aex_poison_init (poison);
  poison->thread = NULL;
  aex_thread_pool_set_thread_main (AEX_THREAD_POOL (pool), never_main, poison,
                                   aex_poison_release);
  aex_test_in_thread (unref_in_thread, pool);
  released_once (poison);
}

static void
test_use (gconstpointer use)
{
  AexPoison poison;

  ((Use) use) (&poison);
}

/* --- R7 */

typedef struct
{
  GObject *object;
  GThread *disposed_on;         /* atomic */
} Witness;

static void
on_disposed (gpointer data,
             GObject *where_the_object_was)
{
  g_atomic_pointer_set (&((Witness *) data)->disposed_on, g_thread_self ());
}

static gboolean
is_disposed (gpointer data)
{
  return g_atomic_pointer_get (&((Witness *) data)->disposed_on) != NULL;
}

static void
witness_init (Witness *self)
{
  self->disposed_on = NULL;
  self->object = aex_test_object_new (NULL);
  g_object_weak_ref (self->object, on_disposed, self);
}

/* On a context of its own: the default one owns nothing while nobody runs it. */
static void
end_on_owner (AexPending *promise,
              Witness    *witness)
{
  aex_test_in_thread (unref_in_thread, promise);
  g_assert_false (is_disposed (witness));
  aex_test_iterate_until (is_disposed, witness);
  g_assert_true (witness->disposed_on == g_thread_self ());
}

static void
check_value_on_owner (void)
{
  AexPending *promise = aex_pending_new ();
  Witness witness;

  witness_init (&witness);
  g_assert_true (aex_pending_resolve_object (promise, witness.object));
  g_object_unref (witness.object);
  end_on_owner (promise, &witness);
}

static void
check_payload_of (const GError *error)
{
  AexPending *promise = aex_pending_new ();
  g_auto (GValue) payload = G_VALUE_INIT;
  Witness witness;

  witness_init (&witness);
  g_value_init (&payload, G_TYPE_OBJECT);
  g_value_take_object (&payload, witness.object);
  g_assert_true (aex_pending_reject_with_payload (promise, error, &payload));
  g_value_reset (&payload);
  aex_assert_failed_with (promise, error->domain, error->code);
  end_on_owner (promise, &witness);
}

static void
check_payload_on_owner (void)
{
  g_autoptr (GError) foreign = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_FAILED, "no");
  g_autoptr (GError) own = g_error_new_literal (AEX_ERROR, AEX_ERROR_EXCEPTION, "no");

  check_payload_of (foreign);
  check_payload_of (own);
}

static void
test_on_owner (gconstpointer check)
{
  g_autoptr (GMainContext) context = g_main_context_new ();

  g_main_context_push_thread_default (context);
  ((AexTestFunc) check) ();
  g_main_context_pop_thread_default (context);
}

/* --- operations: the thread that added them owns them */

static gboolean
poison_operation (AexPending   *job,
                  GVariant     *parameters,
                  GCancellable *cancellable,
                  gpointer      poison,
                  GError      **error)
{
  return TRUE;
}

/* Takes the set; its last call lets go of the operation on a worker. */
static void
end_operations (AexOperations *set,
                AexPoison     *poison)
{
  AexExecutor *pool = g_object_new (AEX_TYPE_THREAD_POOL, "max-workers", 1, "operations", set, NULL);
  g_autoptr (AexPending) call = aex_executor_call (pool, "poison", NULL);

  aex_test_run_until_done (call);
  g_assert_cmpint (aex_poison_get_released (poison), ==, 0);
  aex_test_shutdown (pool);
  aex_test_in_thread (unref_in_thread, set);
  released_once (poison);
}

static void
use_operations_add (AexPoison *poison)
{
  AexOperations *set = aex_operations_new ();

  aex_poison_init (poison);
  g_assert_true (aex_operations_add (set, "poison", G_VARIANT_TYPE_UNIT, G_VARIANT_TYPE_UNIT,
                                     poison_operation, poison, aex_poison_release, NULL));
  end_operations (set, poison);
}

static void
use_operations_add_with_keys (AexPoison *poison)
{
  AexOperations *set = aex_operations_new ();

  aex_poison_init (poison);
  g_assert_true (aex_operations_add_with_keys (set, "poison", g_variant_new_parsed ("@a{s(gb)} {}"), G_VARIANT_TYPE_UNIT,
                                               poison_operation, poison, aex_poison_release, NULL));
  end_operations (set, poison);
}

static const struct
{
  const char *path;
  Use         use;
} uses[] = {
  { "/destroy/X4/aex_caller_call_direct", use_call_direct },
  { "/destroy/X4/aex_caller_call_later", use_call_later },
  { "/destroy/X4/aex_caller_set_wake_func", use_set_wake_func },
  { "/destroy/X4/aex_executor_map", use_map },
  { "/destroy/X4/aex_executor_post", use_post },
  { "/destroy/X4/aex_executor_run", use_run },
  { "/destroy/X4/aex_executor_submit", use_submit },
  { "/destroy/X4/aex_executor_submit_async", use_submit_async },
  { "/destroy/X4/aex_executor_submit_async_full", use_submit_async_full },
  { "/destroy/X4/aex_executor_submit_full", use_submit_full },
  { "/destroy/X4/aex_operations_add", use_operations_add },
  { "/destroy/X4/aex_operations_add_with_keys", use_operations_add_with_keys },
  { "/destroy/X4/aex_pending_add_continuation", use_add_continuation },
  { "/destroy/X4/aex_pending_add_done_callback", use_add_done_callback },
  { "/destroy/X4/aex_pending_add_done_callback_inline", use_add_done_callback_inline },
  { "/destroy/X4/aex_pending_add_done_callback_object", use_add_done_callback_object },
  { "/destroy/X4/aex_pending_catch", use_catch },
  { "/destroy/X4/aex_pending_finally", use_finally },
  { "/destroy/X4/aex_pending_resolve_pointer", use_resolve_pointer },
  { "/destroy/X4/aex_pending_set_canceller", use_set_canceller },
  { "/destroy/X4/aex_pending_subscribe", use_subscribe },
  { "/destroy/X4/aex_pending_then", use_then },
  { "/destroy/X4/aex_pending_then_object", use_then_object },
  { "/destroy/X4/aex_submit_options_set_subscriber", use_set_subscriber },
  { "/destroy/X4/aex_thread_pool_set_thread_main", use_set_thread_main },
};

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  for (guint i = 0; i < G_N_ELEMENTS (uses); i++)
    aex_test_add_data (uses[i].path, (gconstpointer) uses[i].use, test_use);
  aex_test_add_data ("/destroy/R7/value", (gconstpointer) check_value_on_owner, test_on_owner);
  aex_test_add_data ("/destroy/R7/payload", (gconstpointer) check_payload_on_owner, test_on_owner);
  return aex_test_run ();
}
