/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"

/* A million links, in a thread with a stack of 256 KiB: completing,
 * cancelling and letting go of chains must not recurse. */

#define FULL_COUNT 1000000

typedef AexPending *(*Link) (AexPending *previous, gpointer data);

typedef enum
{
  END_RESOLVE,
  END_REJECT,
  END_CANCEL_FIRST,
  END_CANCEL_LAST,
  END_ABANDON,
  END_DROP,
} End;

typedef struct
{
  const char      *name;
  Link             link;
  End              end;
  gboolean         calls;       /* a function is called for each link */
} Case;

typedef struct
{
  const Case *chain;
  guint       n;
  guint       n_calls;          /* only touched by the small thread */
  guint       n_released;
} Run;

static AexPending *
count_and_pass_on (AexPending *done,
                   gpointer    data,
                   GError    **error)
{
  ((Run *) data)->n_calls++;
  return NULL;
}

static void
count_release (gpointer data)
{
  ((Run *) data)->n_released++;
}

static AexPending *
link_then (AexPending *previous,
           gpointer    data)
{
  return aex_pending_add_continuation (previous, AEX_THEN_FLAGS_ON_SUCCESS, count_and_pass_on, data, count_release);
}

static AexPending *
link_catch (AexPending *previous,
            gpointer    data)
{
  return aex_pending_add_continuation (previous, AEX_THEN_FLAGS_ON_ERROR, count_and_pass_on, data, count_release);
}

static AexPending *
link_finally (AexPending *previous,
              gpointer    data)
{
  return aex_pending_add_continuation (previous, AEX_THEN_FLAGS_ALWAYS, count_and_pass_on, data, count_release);
}

static AexPending *
link_shield (AexPending *previous,
             gpointer    data)
{
  return aex_pending_shield (previous);
}

static AexPending *
link_first (AexPending *previous,
          gpointer    data)
{
  return aex_pending_firstv (&previous, 1);
}

static AexPending *
link_follow (AexPending *previous,
             gpointer    data)
{
  AexPending *next = aex_pending_new ();

  g_assert_true (aex_pending_follow (next, previous));
  return next;
}

static const Case cases[] = {
  { "then-resolve", link_then, END_RESOLVE, TRUE },
  { "then-reject", link_then, END_REJECT, FALSE },
  { "then-cancel-first", link_then, END_CANCEL_FIRST, FALSE },
  { "then-cancel-last", link_then, END_CANCEL_LAST, FALSE },
  { "then-abandon", link_then, END_ABANDON, FALSE },
  { "then-drop", link_then, END_DROP, FALSE },
  { "catch-reject", link_catch, END_REJECT, TRUE },
  { "catch-cancel-first", link_catch, END_CANCEL_FIRST, TRUE },
  { "finally-cancel-last", link_finally, END_CANCEL_LAST, TRUE },
  { "shield-resolve", link_shield, END_RESOLVE, FALSE },
  { "shield-cancel-first", link_shield, END_CANCEL_FIRST, FALSE },
  { "shield-abandon", link_shield, END_ABANDON, FALSE },
  { "shield-drop", link_shield, END_DROP, FALSE },
  { "first-resolve", link_first, END_RESOLVE, FALSE },
  { "first-cancel-last", link_first, END_CANCEL_LAST, FALSE },
  { "first-abandon", link_first, END_ABANDON, FALSE },
  { "follow-resolve", link_follow, END_RESOLVE, FALSE },
  { "follow-cancel-first", link_follow, END_CANCEL_FIRST, FALSE },
  { "follow-cancel-last", link_follow, END_CANCEL_LAST, FALSE },
  { "follow-abandon", link_follow, END_ABANDON, FALSE },
};

static void
build (Run         *self,
       AexPending **first,
       AexPending **last)
{
  *first = aex_pending_new ();
  *last = g_object_ref (*first);
  for (guint i = 0; i < self->n; i++)
    {
      AexPending *next = self->chain->link (*last, self);

      g_object_unref (*last);
      *last = next;
    }
}

/* The last one ends as abandoned, which nobody observes: that is reported. */
static void
drop_all (AexPending **first,
          AexPending **last)
{
  g_autoptr (GPtrArray) log = NULL;

  aex_test_log_begin ();
  g_clear_object (last);
  g_clear_object (first);
  log = aex_test_log_end ();
  g_assert_cmpuint (log->len, ==, 1);
}

static void
end_chain (Run         *self,
           AexPending **first,
           AexPending **last)
{
  switch (self->chain->end)
    {
    case END_RESOLVE:
      g_assert_true (aex_pending_resolve_int64 (*first, 7));
      break;
    case END_REJECT:
      g_assert_true (aex_pending_reject_new (*first, G_IO_ERROR, G_IO_ERROR_FAILED, "far away"));
      break;
    case END_CANCEL_FIRST:
      g_assert_true (aex_pending_cancel (*first, NULL));
      break;
    case END_CANCEL_LAST:
      g_assert_true (aex_pending_cancel (*last, NULL));
      break;
    case END_ABANDON:
      g_clear_object (first);
      break;
    case END_DROP:
      drop_all (first, last);
      break;
    default:
      g_assert_not_reached ();
    }
}

static void
check_last (Run        *self,
            AexPending *first,
            AexPending *last)
{
  aex_test_run_until_done (last);
  switch (self->chain->end)
    {
    case END_RESOLVE:
      aex_assert_resolved_int64 (last, 7);
      break;
    case END_REJECT:
      aex_assert_failed_with (last, G_IO_ERROR, G_IO_ERROR_FAILED);
      break;
    case END_CANCEL_FIRST:
    case END_CANCEL_LAST:
      aex_assert_cancelled (last);
      g_assert_true (aex_pending_is_cancelled (first));
      break;
    case END_ABANDON:
      aex_assert_failed_with (last, AEX_ERROR, AEX_ERROR_ABANDONED);
      break;
    case END_DROP:
    default:
      g_assert_not_reached ();
    }
}

static gboolean
all_released (gpointer data)
{
  Run *self = data;

  return self->n_released == self->n;
}

static gpointer
run_chain (gpointer data)
{
  Run *self = data;
  GMainContext *context = g_main_context_new ();
  AexPending *first;
  AexPending *last;
  gboolean has_func = self->chain->link == link_then || self->chain->link == link_catch
                      || self->chain->link == link_finally;

  g_main_context_push_thread_default (context);
  build (self, &first, &last);
  end_chain (self, &first, &last);
  if (last != NULL)
    check_last (self, first, last);
  g_clear_object (&first);
  g_clear_object (&last);
  if (has_func)
    aex_test_iterate_until (all_released, self);
  g_assert_cmpuint (self->n_calls, ==, self->chain->calls ? self->n : 0);
  g_main_context_pop_thread_default (context);
  g_main_context_unref (context);
  return NULL;
}

static void
test_chain (gconstpointer data)
{
  Run self = { .chain = data, .n = aex_test_scale_size (FULL_COUNT) };

  aex_test_in_small_stack (run_chain, &self);
}

/* --- a loop of promises: each step's pending follows the next step's */

typedef struct
{
  guint n;
  guint n_steps;
} Loop;

static AexPending *
next_step (AexPending *done,
           gpointer    data,
           GError    **error)
{
  Loop *self = data;
  g_autoptr (AexPending) ready = NULL;

  self->n_steps++;
  if (self->n_steps == self->n)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, "the end");
      return NULL;
    }
  ready = aex_pending_new_resolved (NULL);
  return aex_pending_then (ready, next_step, self, NULL);
}

static gpointer
run_loop (gpointer data)
{
  Loop *self = data;
  GMainContext *context = g_main_context_new ();
  g_autoptr (AexPending) start = NULL;
  g_autoptr (AexPending) whole = NULL;

  g_main_context_push_thread_default (context);
  start = aex_pending_new_resolved (NULL);
  whole = aex_pending_then (start, next_step, self, NULL);
  aex_test_run_until_done (whole);
  aex_assert_failed_with (whole, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_cmpuint (self->n_steps, ==, self->n);
  g_main_context_pop_thread_default (context);
  g_main_context_unref (context);
  return NULL;
}

static void
test_loop (void)
{
  Loop self = { aex_test_scale_size (FULL_COUNT), 0 };

  aex_test_in_small_stack (run_loop, &self);
}

/* --- following in the other direction: an old pending follows a new one */

static gpointer
run_follow_backwards (gpointer data)
{
  guint n = GPOINTER_TO_UINT (data);
  g_autoptr (AexPending) first = aex_pending_new ();
  AexPending *last = g_object_ref (first);

  for (guint i = 0; i < n; i++)
    {
      AexPending *next = aex_pending_new ();

      g_assert_true (aex_pending_follow (last, next));
      g_object_unref (last);
      last = next;
    }
  g_assert_false (aex_pending_follow (last, first));
  aex_assert_failed_with (last, AEX_ERROR, AEX_ERROR_WOULD_DEADLOCK);
  aex_assert_failed_with (first, AEX_ERROR, AEX_ERROR_WOULD_DEADLOCK);
  g_object_unref (last);
  return NULL;
}

static void
test_ring (void)
{
  aex_test_in_small_stack (run_follow_backwards, GUINT_TO_POINTER (aex_test_scale_size (FULL_COUNT)));
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strconcat ("/stress/chain/", cases[i].name, NULL);

      aex_test_add_data (path, &cases[i], test_chain);
    }
  aex_test_add ("/stress/chain/loop", test_loop);
  aex_test_add ("/stress/chain/ring", test_ring);
  return aex_test_run ();
}
