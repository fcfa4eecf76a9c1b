/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-race.h"

/* Eight threads publish and say how far they are, on pendings of their own and
 * on one that all share.  Each is watched in two contexts, in one of them
 * through a pending that follows; some watchers leave, some pendings are
 * cancelled, at random moments.  Every message comes once, in order and in its
 * place, and before the done callback; so does the last progress. */

#define N_THREADS 8
#define FULL_ROUNDS 400
#define MAX_MESSAGES 3000

typedef struct _Round Round;

typedef struct
{
  Round      *round;
  GThread    *thread;           /* where it is called */
  AexPending *pending;
  gulong      id;
  gboolean    main;             /* on the main context, and the pending itself, not one that follows */
  guint       leave_at;         /* takes itself back in that call; 0: never */
  guint       n;                /* only on its thread, until it was released */
  guint       last[N_THREADS];
  int         left;             /* atomic: somebody took it back */
  int         done;             /* atomic */
  guint       n_at_done;
  double      told;
} Watcher;

/* One thread, its pending, and who watches that. */
typedef struct
{
  Round      *round;
  guint       index;
  guint32     seed;
  AexPending *pending;
  AexPending *shield;
  Watcher     main_watcher;
  Watcher     loop_watcher;
  int         n_own;            /* atomic: accepted */
  int         n_shared;         /* atomic */
} Publisher;

struct _Round
{
  Publisher     publishers[N_THREADS];
  AexPending   *shared;
  Watcher       shared_main;
  Watcher       shared_loop;
  AexLoopThread *loop;
  int           n_finished;     /* atomic: threads */
  int           n_open;         /* atomic: watchers whose done callback and release are to come */
};

/* --- watching */

static void
one_less (Round *round)
{
  if (g_atomic_int_dec_and_test (&round->n_open))
    g_main_context_wakeup (NULL);
}

static void
watch (AexPending *pending,
       GVariant   *message,
       gpointer    data)
{
  Watcher *self = data;
  guint32 from, number;

  g_assert_true (g_thread_self () == self->thread);
  g_assert_true (pending == self->pending);
  g_assert_false (g_atomic_int_get (&self->done));
  g_variant_get (message, "(uu)", &from, &number);
  g_assert_cmpuint (number, ==, self->last[from] + 1);
  self->last[from] = number;
  self->n++;
  if (self->n == self->leave_at)
    {
      g_atomic_int_set (&self->left, TRUE);
      aex_pending_unsubscribe (pending, self->id);
    }
}

static void
watch_released (gpointer data)
{
  Watcher *self = data;

  g_assert_true (g_thread_self () == self->thread);
  one_less (self->round);
}

static void
watch_done (AexPending *pending,
            gpointer    data)
{
  Watcher *self = data;

  g_assert_true (g_thread_self () == self->thread);
  self->n_at_done = self->n;
  if (self->main)
    g_assert_cmpfloat (self->told, ==, aex_pending_get_progress (pending));
  g_atomic_int_set (&self->done, TRUE);
  one_less (self->round);
}

static void
progress_changed (GObject    *object,
                  GParamSpec *spec,
                  gpointer    data)
{
  Watcher *self = data;
  double progress = aex_pending_get_progress (AEX_PENDING (object));

  g_assert_true (g_thread_self () == self->thread);
  g_assert_false (g_atomic_int_get (&self->done));
  g_assert_cmpfloat (progress, >=, self->told);
  self->told = progress;
}

static void
watcher_start (gpointer data,
               gpointer pending)
{
  Watcher *self = data;

  self->thread = g_thread_self ();
  self->pending = pending;
  self->told = -1;
  g_atomic_int_add (&self->round->n_open, 2);
  self->id = aex_pending_subscribe (pending, watch, self, watch_released);
  aex_pending_add_done_callback (pending, watch_done, self, NULL);
  if (self->main)
    g_signal_connect (pending, "notify::progress", G_CALLBACK (progress_changed), self);
}

/* --- publishing */

static guint32
next_random (Publisher *self)
{
  self->seed = self->seed * 1664525u + 1013904223u;
  return self->seed >> 8;
}

static void
leave_from_outside (Watcher *watcher)
{
  g_atomic_int_set (&watcher->left, TRUE);
  aex_pending_unsubscribe (watcher->pending, watcher->id);
}

/* Something that others have to live with. */
static void
disturb (Publisher *self)
{
  Publisher *other = &self->round->publishers[next_random (self) % N_THREADS];

  switch (next_random (self) % 8)
    {
    case 0:
      aex_pending_cancel (other->pending, NULL);
      break;
    case 1:
      aex_pending_cancel (other->shield, NULL);
      break;
    case 2:
      leave_from_outside (&other->main_watcher);
      break;
    case 3:
      leave_from_outside (&other->loop_watcher);
      break;
    default:
      break;
    }
}

static gboolean
publish_one (AexPending *pending,
             guint       from,
             int        *n_accepted,
             gboolean    wait)
{
  GVariant *message = g_variant_new ("(uu)", from, (guint) *n_accepted + 1);
  g_autoptr (GError) error = NULL;
  gboolean ok = wait ? aex_pending_publish_wait (pending, message, &error) : aex_pending_publish (pending, message);

  if (ok)
    g_atomic_int_inc (n_accepted);
  else if (wait)
    g_assert_error (error, AEX_ERROR, AEX_ERROR_CLOSED);
  return ok || !wait;
}

static gpointer
publisher_main (gpointer data)
{
  Publisher *self = data;
  guint n = 1 + next_random (self) % MAX_MESSAGES;
  guint disturb_at = next_random (self) % (2 * n);

  for (guint i = 0; i < n; i++)
    {
      aex_pending_set_progress (self->pending, i / (double) n, NULL);
      if (!publish_one (self->pending, self->index, &self->n_own, i % 4 != 3))
        break;
      publish_one (self->round->shared, self->index, &self->n_shared, i % 2 == 0);
      if (i == disturb_at)
        disturb (self);
    }
  aex_pending_resolve (self->pending, NULL);
  g_atomic_int_inc (&self->round->n_finished);
  g_main_context_wakeup (NULL);
  return NULL;
}

/* --- a round */

static gboolean
all_finished (gpointer round)
{
  return g_atomic_int_get (&((Round *) round)->n_finished) == N_THREADS;
}

static gboolean
all_closed (gpointer round)
{
  return g_atomic_int_get (&((Round *) round)->n_open) == 0;
}

static void
round_start (Round *self)
{
  self->shared = aex_pending_new ();
  self->shared_main.round = self->shared_loop.round = self;
  self->shared_main.main = TRUE;
  watcher_start (&self->shared_main, self->shared);
  aex_loop_thread_call (self->loop, watcher_start, &self->shared_loop, self->shared);
  for (guint i = 0; i < N_THREADS; i++)
    {
      Publisher *publisher = &self->publishers[i];

      publisher->round = publisher->main_watcher.round = publisher->loop_watcher.round = self;
      publisher->index = i;
      publisher->seed = (guint32) g_test_rand_int ();
      publisher->pending = aex_pending_new ();
      publisher->shield = aex_pending_shield (publisher->pending);
      publisher->main_watcher.main = TRUE;
      if (next_random (publisher) % 4 == 0)
        publisher->main_watcher.leave_at = 1 + next_random (publisher) % MAX_MESSAGES;
      watcher_start (&publisher->main_watcher, publisher->pending);
      aex_loop_thread_call (self->loop, watcher_start, &publisher->loop_watcher, publisher->shield);
    }
}

/* It got everything, unless it left or what it watched was given up before. */
static void
watcher_check (Watcher *self,
               guint    n_accepted,
               gboolean all)
{
  g_assert_cmpuint (self->n, <=, n_accepted);
  if (!g_atomic_int_get (&self->left))
    g_assert_cmpuint (self->n, ==, self->n_at_done);
  if (!g_atomic_int_get (&self->left) && all)
    g_assert_cmpuint (self->n, ==, n_accepted);
}

static guint
round_check (Round *self)
{
  guint n_all = 0, n_shared = 0;

  for (guint i = 0; i < N_THREADS; i++)
    {
      Publisher *publisher = &self->publishers[i];
      guint n = (guint) publisher->n_own;

      watcher_check (&publisher->main_watcher, n, TRUE);
      watcher_check (&publisher->loop_watcher, n, !aex_pending_is_cancelled (publisher->shield));
      n_shared += (guint) publisher->n_shared;
      n_all += n;
      g_object_unref (publisher->pending);
      g_object_unref (publisher->shield);
    }
  watcher_check (&self->shared_main, n_shared, TRUE);
  watcher_check (&self->shared_loop, n_shared, TRUE);
  g_object_unref (self->shared);
  return n_all + n_shared;
}

static void
test_messages (void)
{
  guint n_rounds = aex_test_scale (FULL_ROUNDS);
  AexLoopThread *loop = aex_loop_thread_new ();
  guint64 n_messages = 0;

  for (guint i = 0; i < n_rounds; i++)
    {
      g_autofree Round *round = g_new0 (Round, 1);
      GThread *threads[N_THREADS];

      round->loop = loop;
      round_start (round);
      for (guint j = 0; j < N_THREADS; j++)
        threads[j] = g_thread_new ("publisher", publisher_main, &round->publishers[j]);
      aex_test_iterate_until (all_finished, round);
      g_assert_true (aex_pending_resolve (round->shared, NULL));
      aex_test_iterate_until (all_closed, round);
      for (guint j = 0; j < N_THREADS; j++)
        g_thread_join (threads[j]);
      n_messages += round_check (round);
    }
  aex_loop_thread_free (loop);
  g_test_message ("figure: messages rounds=%u messages=%" G_GUINT64_FORMAT, n_rounds, n_messages);
}

/* --- what follows is cancelled between the room for a message and the message */

#define CANCEL_ROUNDS 60000
/* The more have to be asked for room, the longer that moment. */
#define N_SUBSCRIBERS 32

typedef struct
{
  AexPending *source;
  AexPending *shield;
  int         n_released;       /* atomic */
  gboolean    done;
} Cancelled;

static void
cancelled_message (AexPending *pending,
                   GVariant   *message,
                   gpointer    data)
{
  g_assert_false (((Cancelled *) data)->done);
}

static void
cancelled_released (gpointer data)
{
  g_atomic_int_inc (&((Cancelled *) data)->n_released);
  g_main_context_wakeup (NULL);
}

static void
cancelled_done (AexPending *pending,
                gpointer    data)
{
  ((Cancelled *) data)->done = TRUE;
}

static void
setup_cancelled (gpointer data)
{
  Cancelled *self = data;

  self->source = aex_pending_new ();
  self->shield = aex_pending_shield (self->source);
  for (guint i = 0; i < N_SUBSCRIBERS; i++)
    aex_pending_subscribe (self->shield, cancelled_message, self, cancelled_released);
  aex_pending_add_done_callback (self->shield, cancelled_done, self, NULL);
}

static void
do_publish (gpointer data)
{
  for (guint i = 0; i < 4; i++)
    aex_pending_publish (((Cancelled *) data)->source, g_variant_new_uint32 (i));
}

static void
do_cancel_shield (gpointer data)
{
  aex_pending_cancel (((Cancelled *) data)->shield, NULL);
}

static gboolean
cancelled_is_over (gpointer data)
{
  Cancelled *self = data;

  return self->done && g_atomic_int_get (&self->n_released) == N_SUBSCRIBERS;
}

static void
check_cancelled (gpointer data)
{
  Cancelled *self = data;

  aex_test_iterate_until (cancelled_is_over, self);
  aex_pending_resolve (self->source, NULL);
  g_object_unref (self->source);
  g_object_unref (self->shield);
}

static const AexRace cancelled = {
  "/stress/messages/cancelled-while-published", CANCEL_ROUNDS, sizeof (Cancelled), setup_cancelled,
  { do_publish, do_cancel_shield }, check_cancelled,
};

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_set_watchdog (300);
  aex_test_add ("/stress/messages/X1-W2-W5-W8-W9-R5-R6", test_messages);
  aex_race_add (&cancelled);
  return aex_test_run ();
}
