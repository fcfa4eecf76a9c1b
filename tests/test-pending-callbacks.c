/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"

/* Rules 2 and 3: when, where and how often a done callback is called, and
 * where it is released.  Contexts that die: test-pending-release.c. */

static AexRecord record;

static void
note (AexPending *pending,
      gpointer    name)
{
  g_assert_true (aex_pending_is_done (pending));
  aex_record_add (&record, name);
}

static gboolean
record_has (gpointer n)
{
  return aex_record_get_length (&record) >= GPOINTER_TO_UINT (n);
}

/* --- K56 */

static void
test_fifo (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();

  aex_record_init (&record);
  aex_pending_add_done_callback (pending, note, (gpointer) "a", NULL);
  aex_pending_add_done_callback (pending, note, (gpointer) "b", NULL);
  aex_pending_add_done_callback (pending, note, (gpointer) "c", NULL);
  g_assert_true (aex_pending_resolve (pending, NULL));
  aex_pending_add_done_callback (pending, note, (gpointer) "d", NULL);
  aex_test_iterate_until (record_has, GUINT_TO_POINTER (4));
  aex_pending_add_done_callback (pending, note, (gpointer) "e", NULL);
  aex_test_iterate_until (record_has, GUINT_TO_POINTER (5));
  aex_assert_record (&record, "a b c d e");
  aex_record_clear (&record);
}

/* Across pendings the order is that of completion. */
static void
test_fifo_across (void)
{
  AexPending *pendings[3];
  const char *names[] = { "a", "b", "c" };

  aex_record_init (&record);
  for (guint i = 0; i < 3; i++)
    {
      pendings[i] = aex_pending_new ();
      aex_pending_add_done_callback (pendings[i], note, (gpointer) names[i], NULL);
    }
  g_assert_true (aex_pending_resolve (pendings[2], NULL));
  g_assert_true (aex_pending_resolve (pendings[0], NULL));
  g_assert_true (aex_pending_resolve (pendings[1], NULL));
  for (guint i = 0; i < 3; i++)
    g_object_unref (pendings[i]);
  aex_test_iterate_until (record_has, GUINT_TO_POINTER (3));
  aex_assert_record (&record, "c a b");
  aex_record_clear (&record);
}

static void
test_ids_differ (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  gulong first;
  gulong second;

  aex_record_init (&record);
  first = aex_pending_add_done_callback (pending, note, (gpointer) "a", NULL);
  second = aex_pending_add_done_callback (pending, note, (gpointer) "b", NULL);
  g_assert_cmpuint (first, !=, 0);
  g_assert_cmpuint (second, !=, 0);
  g_assert_cmpuint (first, !=, second);
  g_assert_true (aex_pending_remove_done_callback (pending, first));
  g_assert_false (aex_pending_remove_done_callback (pending, first));
  g_assert_true (aex_pending_resolve (pending, NULL));
  aex_test_iterate_until (record_has, GUINT_TO_POINTER (1));
  aex_assert_record (&record, "b");
  g_assert_false (aex_pending_remove_done_callback (pending, second));
  aex_record_clear (&record);
}

/* Completed, not yet delivered: a removed callback is not called any more. */
static void
test_remove_after_done (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  AexPoison poison;
  gulong id;

  aex_poison_init (&poison);
  id = aex_pending_add_done_callback (pending, aex_poison_callback, &poison, aex_poison_release);
  g_assert_true (aex_pending_resolve (pending, NULL));
  if (aex_pending_remove_done_callback (pending, id))
    {
      aex_test_iterate_until (aex_poison_is_released, &poison);
      g_assert_cmpint (aex_poison_get_called (&poison), ==, 0);
    }
  else
    {
      aex_test_iterate_until (aex_poison_is_released, &poison);
      g_assert_cmpint (aex_poison_get_called (&poison), ==, 1);
    }
}

/* --- rule 2: never inline */

static gpointer
resolve_in_thread (gpointer pending)
{
  g_assert_true (aex_pending_resolve_int64 (pending, 1));
  return NULL;
}

static void
test_never_inline (void)
{
  g_autoptr (AexPending) mine = aex_pending_new ();
  g_autoptr (AexPending) done = aex_pending_new_resolved (NULL);
  g_autoptr (AexPending) theirs = aex_pending_new ();
  AexPoison poison[3];

  for (guint i = 0; i < 3; i++)
    {
      aex_poison_init (&poison[i]);
      poison[i].in_dispatch = TRUE;
    }
  aex_pending_add_done_callback (mine, aex_poison_callback, &poison[0], aex_poison_release);
  aex_pending_add_done_callback (theirs, aex_poison_callback, &poison[1], aex_poison_release);
  g_assert_true (aex_pending_resolve (mine, NULL));
  aex_pending_add_done_callback (done, aex_poison_callback, &poison[2], aex_poison_release);
  aex_test_in_thread (resolve_in_thread, theirs);
  for (guint i = 0; i < 3; i++)
    g_assert_cmpint (aex_poison_get_called (&poison[i]), ==, 0);
  for (guint i = 0; i < 3; i++)
    {
      aex_test_iterate_until (aex_poison_is_released, &poison[i]);
      g_assert_cmpint (aex_poison_get_called (&poison[i]), ==, 1);
    }
}

static void
mark (AexPending *pending,
      gpointer    flag)
{
  g_assert_false (*(gboolean *) flag);
  *(gboolean *) flag = TRUE;
}

static void
attach_and_check (AexPending *pending,
                  gpointer    flag)
{
  aex_pending_add_done_callback (pending, mark, flag, NULL);
  g_assert_false (*(gboolean *) flag);
}

/* Neither when attached inside a callback of the same pending. */
static void
test_never_inline_nested (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  gboolean called = FALSE;

  aex_pending_add_done_callback (pending, attach_and_check, &called, NULL);
  g_assert_true (aex_pending_resolve (pending, NULL));
  while (!called)
    g_main_context_iteration (NULL, TRUE);
}

/* --- _inline: C only */

static void
test_inline_variant (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  AexPoison before;
  AexPoison after;
  AexPoison never;
  gulong id;

  aex_poison_init (&before);
  aex_poison_init (&after);
  aex_poison_init (&never);
  aex_pending_add_done_callback_inline (pending, aex_poison_callback, &before, aex_poison_release);
  id = aex_pending_add_done_callback_inline (pending, aex_poison_callback, &never, aex_poison_release);
  g_assert_true (aex_pending_remove_done_callback (pending, id));
  g_assert_cmpint (aex_poison_get_released (&never), ==, 1);
  g_assert_cmpint (aex_poison_get_called (&before), ==, 0);
  g_assert_true (aex_pending_resolve (pending, NULL));
  g_assert_cmpint (aex_poison_get_called (&before), ==, 1);
  g_assert_cmpint (aex_poison_get_released (&before), ==, 1);
  aex_pending_add_done_callback_inline (pending, aex_poison_callback, &after, aex_poison_release);
  g_assert_cmpint (aex_poison_get_called (&after), ==, 1);
  g_assert_cmpint (aex_poison_get_released (&after), ==, 1);
  g_assert_cmpint (aex_poison_get_called (&never), ==, 0);
}

static gpointer
attach_inline_and_wait (gpointer data)
{
  gpointer *two = data;

  aex_pending_add_done_callback_inline (two[0], aex_poison_callback, two[1], aex_poison_release);
  return NULL;
}

/* Called by whoever completes. */
static void
test_inline_on_completing_thread (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  AexPoison poison;
  gpointer two[] = { pending, &poison };

  aex_poison_init (&poison);
  aex_test_in_thread (attach_inline_and_wait, two);
  g_assert_true (aex_pending_resolve (pending, NULL));
  g_assert_cmpint (aex_poison_get_called (&poison), ==, 1);
}

/* --- where */

static void
attach_poison (gpointer pending,
               gpointer poison)
{
  aex_poison_init (poison);
  ((AexPoison *) poison)->in_dispatch = TRUE;
  aex_pending_add_done_callback (pending, aex_poison_callback, poison, aex_poison_release);
}

static void
iterate_until_released (gpointer poison,
                        gpointer unused)
{
  aex_test_iterate_until (aex_poison_is_released, poison);
}

static void
test_on_pushed_context (void)
{
  AexLoopThread *loop = aex_loop_thread_new ();
  g_autoptr (AexPending) pending = aex_pending_new ();
  AexPoison there;
  AexPoison here;

  aex_loop_thread_call (loop, attach_poison, pending, &there);
  attach_poison (pending, &here);
  g_assert_true (there.thread == aex_loop_thread_get_thread (loop));
  g_assert_true (aex_pending_resolve (pending, NULL));
  aex_loop_thread_call (loop, iterate_until_released, &there, NULL);
  iterate_until_released (&here, NULL);
  g_assert_cmpint (aex_poison_get_called (&there), ==, 1);
  g_assert_cmpint (aex_poison_get_called (&here), ==, 1);
  aex_loop_thread_free (loop);
}

/* A pushed context counts for what is attached while it is pushed. */
static void
test_pushed_and_popped (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (AexPending) pending = aex_pending_new ();
  AexPoison inner;
  AexPoison outer;

  g_main_context_push_thread_default (context);
  attach_poison (pending, &inner);
  g_main_context_pop_thread_default (context);
  attach_poison (pending, &outer);
  g_assert_true (aex_pending_resolve (pending, NULL));
  aex_test_iterate_until (aex_poison_is_released, &outer);
  g_assert_cmpint (aex_poison_get_called (&inner), ==, 0);
  while (aex_poison_get_released (&inner) == 0)
    g_main_context_iteration (context, TRUE);
  g_assert_cmpint (aex_poison_get_called (&inner), ==, 1);
}

static gpointer
attach_for_main (gpointer data)
{
  gpointer *two = data;

  aex_pending_add_done_callback (two[0], aex_poison_callback, two[1], aex_poison_release);
  g_assert_true (aex_pending_resolve (two[0], NULL));
  return NULL;
}

/* A thread without a context: the default one takes it. */
static void
test_plain_thread (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  AexPoison poison;
  gpointer two[] = { pending, &poison };

  aex_poison_init (&poison);
  poison.in_dispatch = TRUE;
  aex_test_in_thread (attach_for_main, two);
  g_assert_cmpint (aex_poison_get_called (&poison), ==, 0);
  aex_test_iterate_until (aex_poison_is_released, &poison);
  g_assert_cmpint (aex_poison_get_called (&poison), ==, 1);
}

static gboolean
attach_in_job (AexPending   *job,
               GCancellable *cancellable,
               gpointer      data,
               GError      **error)
{
  gpointer *two = data;

  aex_pending_add_done_callback (two[0], aex_poison_callback, two[1], aex_poison_release);
  return TRUE;
}

/* Inside a pool job: another job of that pool. */
static void
test_in_pool_job (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) pending = aex_pending_new ();
  g_autoptr (AexPending) job = NULL;
  AexPoison poison;
  gpointer two[] = { pending, &poison };

  aex_poison_init_executor (&poison, pool);
  job = aex_executor_submit (pool, attach_in_job, two, NULL);
  aex_test_run_until_done (job);
  g_assert_true (aex_pending_resolve (pending, NULL));
  aex_test_iterate_until (aex_poison_is_released, &poison);
  g_assert_cmpint (aex_poison_get_called (&poison), ==, 1);
  aex_test_shutdown (pool);
}

/* Inside a caller's job: that caller. */
static void
test_in_caller_job (void)
{
  g_autoptr (GError) error = NULL;
  AexCaller *caller = aex_caller_new_thread ("callbacks", &error);
  g_autoptr (AexPending) pending = aex_pending_new ();
  g_autoptr (AexPending) job = NULL;
  AexPoison poison;
  gpointer two[] = { pending, &poison };

  g_assert_no_error (error);
  aex_poison_init_executor (&poison, AEX_EXECUTOR (caller));
  poison.in_dispatch = TRUE;
  job = aex_executor_submit (AEX_EXECUTOR (caller), attach_in_job, two, NULL);
  aex_test_run_until_done (job);
  g_assert_true (aex_pending_resolve (pending, NULL));
  aex_test_iterate_until (aex_poison_is_released, &poison);
  g_assert_cmpint (aex_poison_get_called (&poison), ==, 1);
  aex_test_shutdown (AEX_EXECUTOR (caller));
}

/* --- what a callback may do */

static void
cancel_and_drop (AexPending *pending,
                 gpointer    data)
{
  AexPending **slot = data;

  g_assert_false (aex_pending_cancel (pending, NULL));
  g_clear_object (slot);
}

static void
test_last_unref_in_callback (void)
{
  AexPending *pending = aex_pending_new ();
  AexPending *weak = pending;

  g_object_add_weak_pointer (G_OBJECT (pending), (gpointer *) &weak);
  aex_pending_add_done_callback (pending, cancel_and_drop, &pending, NULL);
  g_assert_true (aex_pending_resolve (pending, NULL));
  while (pending != NULL)
    g_main_context_iteration (NULL, TRUE);
  aex_test_drain ();
  g_assert_null (weak);
}

typedef struct
{
  AexPending *pending;
  gulong      other;
  int         n_calls;
} Remover;

static void
remove_other (AexPending *pending,
              gpointer    data)
{
  Remover *self = data;

  self->n_calls++;
  /* Both were completed together; whether the other still waits is not
   * promised, only that it is called if and only if this says FALSE. */
  if (aex_pending_remove_done_callback (pending, self->other))
    self->n_calls += 10;
}

static void
test_remove_in_callback (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  Remover self = { pending, 0, 0 };
  AexPoison poison;

  aex_poison_init (&poison);
  aex_pending_add_done_callback (pending, remove_other, &self, NULL);
  self.other = aex_pending_add_done_callback (pending, aex_poison_callback, &poison, aex_poison_release);
  g_assert_true (aex_pending_resolve (pending, NULL));
  aex_test_iterate_until (aex_poison_is_released, &poison);
  g_assert_cmpint (aex_poison_get_called (&poison), ==, self.n_calls == 1 ? 1 : 0);
}

static void
iterate_inside (AexPending *pending,
                gpointer    name)
{
  aex_record_add (&record, name);
  while (aex_record_get_length (&record) < 3)
    g_main_context_iteration (NULL, TRUE);
  aex_record_add (&record, "back");
}

/* A nested loop goes on with the rest, in order. */
static void
test_nested_iteration (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();

  aex_record_init (&record);
  aex_pending_add_done_callback (pending, iterate_inside, (gpointer) "a", NULL);
  aex_pending_add_done_callback (pending, note, (gpointer) "b", NULL);
  aex_pending_add_done_callback (pending, note, (gpointer) "c", NULL);
  g_assert_true (aex_pending_resolve (pending, NULL));
  aex_test_iterate_until (record_has, GUINT_TO_POINTER (4));
  aex_assert_record (&record, "a b c back");
  aex_record_clear (&record);
}

static void
add_where (void)
{
  aex_test_add ("/pending/I4/on-pushed-context", test_on_pushed_context);
  aex_test_add ("/pending/I4/pushed-and-popped", test_pushed_and_popped);
  aex_test_add ("/pending/I4/plain-thread", test_plain_thread);
  aex_test_add ("/pending/I4/in-pool-job", test_in_pool_job);
  aex_test_add ("/pending/I4/in-caller-job", test_in_caller_job);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/pending/K56/fifo", test_fifo);
  aex_test_add ("/pending/K56/fifo-across", test_fifo_across);
  aex_test_add ("/pending/K56/ids-differ", test_ids_differ);
  aex_test_add ("/pending/K56/remove-after-done", test_remove_after_done);
  aex_test_add ("/pending/rule2/never-inline", test_never_inline);
  aex_test_add ("/pending/rule2/never-inline-nested", test_never_inline_nested);
  aex_test_add ("/pending/K56/inline-variant", test_inline_variant);
  aex_test_add ("/pending/K56/inline-on-completing-thread", test_inline_on_completing_thread);
  add_where ();
  aex_test_add ("/pending/K56/last-unref-in-callback", test_last_unref_in_callback);
  aex_test_add ("/pending/K56/remove-in-callback", test_remove_in_callback);
  aex_test_add ("/pending/K56/nested-iteration", test_nested_iteration);
  return aex_test_run ();
}
