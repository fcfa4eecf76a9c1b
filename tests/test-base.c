/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The pieces of base/, each by itself: queue, parker, clock, service thread, home. */
#include "lib/aex-test.h"

#include "base/aex-home-private.h"
#include "base/aex-parker-private.h"
#include "base/aex-queue-private.h"

/* --- queue, against GQueue */

static void
no_run (AexEntry  *entry,
        AexTarget *target)
{
  g_assert_not_reached ();
}

static void
count_drop (AexEntry  *entry,
            AexTarget *target)
{
  g_queue_push_tail (entry->b, entry->a);
}

static const AexEntryKind number_kind = { .run = no_run, .drop = count_drop };

static void
check_pop (AexQueue *queue,
           GQueue   *oracle,
           guint     n)
{
  AexEntry entries[200];
  guint taken = aex_queue_pop_n (queue, entries, n);

  g_assert_cmpuint (taken, ==, MIN (n, oracle->length));
  for (guint i = 0; i < taken; i++)
    g_assert_true (entries[i].a == g_queue_pop_head (oracle));
}

static void
test_queue (void)
{
  AexQueue queues[2] = { { 0 } };
  GQueue oracles[2] = { G_QUEUE_INIT, G_QUEUE_INIT };
  GQueue dropped = G_QUEUE_INIT;
  guint serial = 0;

  for (guint i = 0; i < aex_test_scale (200000); i++)
    {
      guint which = (guint) g_test_rand_int_range (0, 2);
      AexEntry entry = { &number_kind, GUINT_TO_POINTER (++serial), &dropped, NULL };

      switch (g_test_rand_int_range (0, 8))
        {
        case 0:
          check_pop (&queues[which], &oracles[which], (guint) g_test_rand_int_range (1, 200));
          break;
        case 1:
          check_pop (&queues[which], &oracles[which], 1);
          break;
        case 2:
          aex_queue_splice (&queues[which], &queues[!which]);
          while (oracles[!which].length > 0)
            g_queue_push_tail (&oracles[which], g_queue_pop_head (&oracles[!which]));
          break;
        default:
          aex_queue_push (&queues[which], &entry);
          g_queue_push_tail (&oracles[which], entry.a);
          break;
        }
      g_assert_cmpuint (queues[which].length, ==, oracles[which].length);
    }
  for (guint which = 0; which < 2; which++)
    {
      aex_queue_drop_all (&queues[which], NULL);
      g_assert_cmpuint (dropped.length, ==, oracles[which].length);
      while (dropped.length > 0)
        g_assert_true (g_queue_pop_head (&dropped) == g_queue_pop_head (&oracles[which]));
      aex_queue_clear (&queues[which]);
    }
}

/* --- parker */

static void
test_parker_keeps_a_wake (void)
{
  AexParker *parker = aex_parker_new ();

  aex_test_virtual_time ();
  aex_parker_unpark (parker);
  aex_parker_unpark (parker);
  /* Two that came first are one. */
  g_assert_true (aex_parker_park (parker, 0, -1));
  g_assert_false (aex_parker_park (parker, 0, aex_clock_now ()));
  aex_parker_unref (parker);
}

typedef struct
{
  AexParker *there;
  AexParker *back;
  guint      n;
} PingPong;

static gpointer
answer (gpointer data)
{
  PingPong *self = data;

  for (guint i = 0; i < self->n; i++)
    {
      g_assert_true (aex_parker_park (self->there, i % 3 == 0 ? 0 : aex_spin_count (), -1));
      aex_parker_unpark (self->back);
    }
  return NULL;
}

static void
test_parker_ping_pong (void)
{
  PingPong self = { aex_parker_new (), aex_parker_new (), aex_test_scale (50000) };
  GThread *thread = g_thread_new ("answer", answer, &self);

  for (guint i = 0; i < self.n; i++)
    {
      aex_parker_unpark (self.there);
      g_assert_true (aex_parker_park (self.back, i % 5 == 0 ? 0 : aex_spin_count (), -1));
    }
  g_thread_join (thread);
  aex_parker_unref (self.there);
  aex_parker_unref (self.back);
}

/* --- clock */

typedef struct
{
  AexParker *parker;
  gint64     deadline_us;
  gboolean   woken;
} Sleeper;

static gpointer
sleep_until (gpointer data)
{
  Sleeper *self = data;

  self->woken = aex_parker_park (self->parker, 0, self->deadline_us);
  return NULL;
}

/* Whether it sleeps already or is only going to: the advance ends it. */
static void
test_clock_advance (void)
{
  aex_test_virtual_time ();
  for (guint i = 0; i < aex_test_scale (2000); i++)
    {
      Sleeper self = { aex_parker_new (), aex_clock_deadline (1000), FALSE };
      GThread *thread = g_thread_new ("sleeper", sleep_until, &self);

      aex_clock_advance (400);
      aex_clock_advance (600);
      g_thread_join (thread);
      g_assert_false (self.woken);
      aex_parker_unref (self.parker);
    }
  g_assert_cmpint (aex_clock_deadline (-1), ==, -1);
  g_assert_cmpint (aex_clock_deadline (G_MAXINT64), ==, G_MAXINT64);
}

/* --- alarms */

typedef struct
{
  AexGate fired;
  int     n_fired;
  int     n_destroyed;
} Ring;

static void
ring_fire (gpointer data)
{
  g_atomic_int_inc (&((Ring *) data)->n_fired);
}

static void
ring_destroy (gpointer data)
{
  g_atomic_int_inc (&((Ring *) data)->n_destroyed);
  aex_gate_open (&((Ring *) data)->fired);
}

static AexAlarm *
ring_arm (Ring  *self,
          gint64 delay_us)
{
  g_autoptr (GError) error = NULL;
  AexAlarm *alarm = aex_alarm_new (aex_clock_deadline (delay_us), ring_fire, self, ring_destroy, &error);

  g_assert_no_error (error);
  return alarm;
}

static void
test_alarm_fires_once (void)
{
  Ring ring = { .n_fired = 0 };
  AexAlarm *alarm;

  aex_gate_init (&ring.fired);
  aex_test_virtual_time ();
  alarm = ring_arm (&ring, 1000);
  aex_clock_advance (999);
  g_assert_cmpuint (aex_timer_service_get_n_armed (), ==, 1);
  aex_clock_advance (1);
  aex_gate_wait (&ring.fired);
  g_assert_false (aex_alarm_cancel (alarm));
  g_assert_cmpint (ring.n_fired, ==, 1);
  g_assert_cmpint (ring.n_destroyed, ==, 1);
  aex_gate_clear (&ring.fired);
}

static void
test_alarm_cancelled (void)
{
  Ring ring = { .n_fired = 0 };
  guint n = aex_test_scale (5000);
  AexAlarm *kept;

  aex_gate_init (&ring.fired);
  aex_test_virtual_time ();
  kept = ring_arm (&ring, 60 * G_USEC_PER_SEC);
  /* Dead ones do not pile up: they are compacted away while the last is armed. */
  for (guint i = 0; i < n; i++)
    g_assert_true (aex_alarm_cancel (ring_arm (&ring, 30 * G_USEC_PER_SEC)));
  g_assert_cmpuint (aex_timer_service_get_n_armed (), ==, 1);
  g_assert_true (aex_alarm_cancel (kept));
  g_assert_cmpint (ring.n_fired, ==, 0);
  g_assert_cmpint (ring.n_destroyed, ==, n + 1);
  aex_gate_clear (&ring.fired);
}

/* --- home */

typedef struct
{
  GThread *thread;
  guint    n;
  guint    last[4];
} Inbox;

static void
inbox_run (AexEntry  *entry,
           AexTarget *target)
{
  Inbox *self = entry->a;
  guint producer = GPOINTER_TO_UINT (entry->b) % 4, serial = GPOINTER_TO_UINT (entry->b) / 4;

  g_assert_true (g_thread_self () == self->thread);
  g_assert_cmpuint (serial, ==, self->last[producer]++);
  self->n++;
}

static const AexEntryKind inbox_kind = { .run = inbox_run, .drop = no_run };

typedef struct
{
  AexHome *home;
  Inbox   *inbox;
  guint    number;
  guint    n;
} Producer;

static gpointer
produce (gpointer data)
{
  Producer *self = data;

  for (guint i = 0; i < self->n; i++)
    {
      AexEntry entry = { &inbox_kind, self->inbox, GUINT_TO_POINTER (i * 4 + self->number), NULL };

      g_assert_true (self->home->target.ops->post (&self->home->target, AEX_LANE_DEFAULT, &entry));
    }
  return NULL;
}

static gboolean
inbox_is_full (gpointer data)
{
  Producer *self = data;

  return self->inbox->n == 4 * self->n;
}

/* Four producers, the loop asleep and awake: nothing is lost, and each producer's order is kept. */
static void
test_home_inbox (void)
{
  AexHome *home = aex_home_ref_for_context (NULL, NULL);
  Inbox inbox = { .thread = g_thread_self () };
  Producer producers[4];
  GThread *threads[4];

  for (guint i = 0; i < 4; i++)
    {
      producers[i] = (Producer) { home, &inbox, i, aex_test_scale (100000) };
      threads[i] = g_thread_new ("producer", produce, &producers[i]);
    }
  aex_test_iterate_until (inbox_is_full, &producers[0]);
  for (guint i = 0; i < 4; i++)
    g_thread_join (threads[i]);
  aex_target_unref (home);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/base/queue/random", test_queue);
  aex_test_add ("/base/parker/keeps-a-wake", test_parker_keeps_a_wake);
  aex_test_add ("/base/parker/ping-pong", test_parker_ping_pong);
  aex_test_add ("/base/clock/advance", test_clock_advance);
  aex_test_add ("/base/alarm/fires-once", test_alarm_fires_once);
  aex_test_add ("/base/alarm/cancelled", test_alarm_cancelled);
  aex_test_add ("/base/home/inbox", test_home_inbox);
  return aex_test_run ();
}
