/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-jobs.h"
#include "lib/aex-test.h"

/* Order where work comes from two sides: what a job posts to its own caller takes a short way, past the inbox that other
 * threads use. */

#define MANY 300

typedef struct
{
  AexExecutor *executor;
  AexRecord    record;
} Order;

static void
post_note (Order *order, const char *text)
{
  aex_executor_post (order->executor, aex_note_post, aex_note_new (&order->record, text), aex_note_free);
}

static gpointer
post_cause (gpointer order)
{
  post_note (order, "cause");
  return NULL;
}

static gpointer
post_many_causes (gpointer order)
{
  for (guint i = 0; i < MANY; i++)
    post_note (order, "cause");
  return NULL;
}

/* Another thread posts, and this job knows it when it posts itself. */
static gboolean
job_causes_and_effect (AexPending *job, GCancellable *cancellable, gpointer data, GError **error)
{
  Order *order = data;

  g_thread_join (g_thread_new ("cause", post_cause, order));
  post_note (order, "effect");
  g_thread_join (g_thread_new ("cause", post_cause, order));
  post_note (order, "effect");
  return TRUE;
}

/* More than one block of each, in turns. */
static gboolean
job_many_causes (AexPending *job, GCancellable *cancellable, gpointer data, GError **error)
{
  Order *order = data;

  for (guint turn = 0; turn < 2; turn++)
    {
      g_thread_join (g_thread_new ("causes", post_many_causes, order));
      for (guint i = 0; i < MANY; i++)
        post_note (order, "effect");
    }
  return TRUE;
}

static void
order_init (Order *self)
{
  self->executor = AEX_EXECUTOR (aex_caller_ref_main ());
  aex_record_init (&self->record);
}

static void
order_clear (Order *self)
{
  aex_record_clear (&self->record);
  g_object_unref (self->executor);
}

static void
test_causes_first (void)
{
  g_autoptr (AexPending) job = NULL;
  Order order;

  order_init (&order);
  job = aex_executor_submit (order.executor, job_causes_and_effect, &order, NULL);
  aex_test_run_until_done (job);
  aex_test_drain ();
  aex_assert_record (&order.record, "cause effect cause effect");
  order_clear (&order);
}

static void
test_many_causes_first (void)
{
  g_autoptr (AexPending) job = NULL;
  g_autoptr (GString) expected = g_string_new (NULL);
  Order order;

  order_init (&order);
  job = aex_executor_submit (order.executor, job_many_causes, &order, NULL);
  aex_test_run_until_done (job);
  aex_test_drain ();
  for (guint turn = 0; turn < 2; turn++)
    {
      for (guint i = 0; i < MANY; i++)
        g_string_append_printf (expected, "%scause", expected->len > 0 ? " " : "");
      for (guint i = 0; i < MANY; i++)
        g_string_append (expected, " effect");
    }
  aex_assert_record (&order.record, expected->str);
  order_clear (&order);
}

int
main (int argc, char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/caller/I2/causes-first", test_causes_first);
  aex_test_add ("/caller/I2/many-causes-first", test_many_causes_first);
  return aex_test_run ();
}
