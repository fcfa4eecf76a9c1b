/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-sweep.h"

#include "executor/aex-core-private.h"

#define N_EVERY 64
#define N_QUIET_RUNS 3

typedef struct
{
  AexSweep   *sweep;
  AexPending *pending;
  int         n_done;      /* atomic */
} Watched;

typedef struct
{
  AexSweep    *sweep;
  AexExecutor *executor;   /* NULL: owner */
  int          n_released; /* atomic */
} Closure;

typedef struct
{
  AexSweepFunc func;
  gpointer     object;     /* a reference */
} Aim;

struct _AexSweep
{
  gboolean    elsewhere;
  GThread    *owner;
  int         k;           /* 0: count only */
  int         n;           /* atomic: checkpoints so far */
  int         fired;       /* atomic */
  int         paused;      /* atomic */
  int         n_open;      /* atomic: watched and not done, closures not released */

  GMutex      lock;        /* guards the rest */
  gboolean    due;         /* what is aimed at from now on is late */
  GPtrArray  *watched;     /* element Watched */
  GPtrArray  *closures;    /* element Closure */
  GArray     *aims;        /* element Aim */
};

static _Atomic (AexSweep *) current;

/* --- firing */

static void
aim_clear (gpointer data)
{
  g_object_unref (((Aim *) data)->object);
}

static GArray *
aims_new (void)
{
  GArray *aims = g_array_new (FALSE, FALSE, sizeof (Aim));

  g_array_set_clear_func (aims, aim_clear);
  return aims;
}

static void
aims_add (GArray      *aims,
          AexSweepFunc func,
          gpointer     object)
{
  Aim aim = { func, g_object_ref (object) };

  g_array_append_val (aims, aim);
}

static GArray *
dup_aims (AexSweep *self)
{
  GArray *aims = aims_new ();

  g_mutex_lock (&self->lock);
  for (guint i = 0; i < self->aims->len; i++)
    aims_add (aims, g_array_index (self->aims, Aim, i).func, g_array_index (self->aims, Aim, i).object);
  self->due = TRUE;
  g_mutex_unlock (&self->lock);
  return aims;
}

static gpointer
fire (gpointer data)
{
  g_autoptr (GArray) aims = dup_aims (data);

  for (guint i = 0; i < aims->len; i++)
    {
      Aim *aim = &g_array_index (aims, Aim, i);

      aim->func (aim->object);
    }
  return NULL;
}

static void
at_checkpoint (void)
{
  AexSweep *self = atomic_load (&current);

  if (g_atomic_int_get (&self->paused))
    return;
  if (g_atomic_int_add (&self->n, 1) + 1 != self->k)
    return;
  g_atomic_int_set (&self->fired, TRUE);
  if (self->elsewhere)
    g_thread_join (g_thread_new ("elsewhere", fire, self));
  else
    fire (self);
}

/* --- what a scenario says */

static void
one_less (AexSweep *self)
{
  g_atomic_int_add (&self->n_open, -1);
  g_main_context_wakeup (NULL);
}

static void
watched_done (AexPending *pending,
              gpointer    data)
{
  Watched *self = data;

  g_atomic_int_inc (&self->n_done);
  one_less (self->sweep);
}

AexPending *
aex_sweep_watch (AexSweep   *self,
                 AexPending *pending)
{
  Watched *watched = g_new0 (Watched, 1);

  watched->sweep = self;
  watched->pending = g_object_ref (pending);
  g_atomic_int_inc (&self->n_open);
  g_mutex_lock (&self->lock);
  g_ptr_array_add (self->watched, watched);
  g_mutex_unlock (&self->lock);
  aex_pending_add_done_callback_inline (pending, watched_done, watched, NULL);
  return pending;
}

void
aex_sweep_aim_func (AexSweep    *self,
                    AexSweepFunc func,
                    gpointer     object)
{
  gboolean due;

  g_mutex_lock (&self->lock);
  aims_add (self->aims, func, object);
  due = self->due;
  g_mutex_unlock (&self->lock);
  if (due)
    func (object);
}

static void
cancel (gpointer pending)
{
  aex_pending_cancel (pending, NULL);
}

AexPending *
aex_sweep_aim (AexSweep   *self,
               AexPending *pending)
{
  aex_sweep_watch (self, pending);
  aex_sweep_aim_func (self, cancel, pending);
  return pending;
}

gpointer
aex_sweep_closure (AexSweep    *self,
                   AexExecutor *executor)
{
  Closure *closure = g_new0 (Closure, 1);

  closure->sweep = self;
  closure->executor = executor;
  g_atomic_int_inc (&self->n_open);
  g_mutex_lock (&self->lock);
  g_ptr_array_add (self->closures, closure);
  g_mutex_unlock (&self->lock);
  return closure;
}

void
aex_sweep_release (gpointer closure)
{
  Closure *self = closure;

  /* What never starts may go back to its owner. */
  if (g_thread_self () != self->sweep->owner)
    g_assert_true (self->executor != NULL && aex_test_is_on (self->executor));
  g_assert_cmpint (g_atomic_int_add (&self->n_released, 1), ==, 0);
  one_less (self->sweep);
}

static gboolean
is_settled (gpointer data)
{
  return g_atomic_int_get (&((AexSweep *) data)->n_open) == 0;
}

void
aex_sweep_settle (AexSweep *self)
{
  aex_test_iterate_until (is_settled, self);
}

void
aex_sweep_pause (AexSweep *self,
                 gboolean  pause)
{
  g_atomic_int_set (&self->paused, pause);
}

gboolean
aex_sweep_has_fired (AexSweep *self)
{
  return g_atomic_int_get (&self->fired);
}

/* --- the runs */

static void
watched_check (gpointer data)
{
  Watched *self = data;

  g_assert_true (aex_pending_is_done (self->pending));
  g_assert_cmpint (aex_pending_get_state (self->pending), >=, AEX_PENDING_STATE_RESOLVED);
  g_assert_cmpint (g_atomic_int_get (&self->n_done), ==, 1);
  g_object_unref (self->pending);
  g_free (self);
}

static void
closure_check (gpointer data)
{
  g_assert_cmpint (g_atomic_int_get (&((Closure *) data)->n_released), ==, 1);
  g_free (data);
}

/* FALSE: it was through before the k-th checkpoint. */
static gboolean
run_once (AexScenario scenario,
          gboolean    elsewhere,
          int         k)
{
  g_autoptr (AexCensus) before = aex_census_take ();
  AexSweep self = { .elsewhere = elsewhere, .owner = g_thread_self (), .k = k };

  g_mutex_init (&self.lock);
  self.watched = g_ptr_array_new_with_free_func (watched_check);
  self.closures = g_ptr_array_new_with_free_func (closure_check);
  self.aims = aims_new ();
  atomic_store (&current, &self);
  aex_checkpoint_set_func (at_checkpoint);
  scenario (&self);
  aex_sweep_settle (&self);
  aex_checkpoint_set_func (NULL);
  g_ptr_array_unref (self.watched);
  g_ptr_array_unref (self.closures);
  g_array_unref (self.aims);
  g_mutex_clear (&self.lock);
  if (!aex_census_settle (before, FALSE, g_test_get_path ()))
    g_error ("cancelled at checkpoint %d", k);
  return self.fired;
}

static void
sweep (gconstpointer scenario,
       gboolean      elsewhere)
{
  guint n_runs = 0, n_quiet = 0;

  /* How many there are differs from run to run where threads race. */
  for (int k = 1; n_quiet < N_QUIET_RUNS; k += k < N_EVERY ? 1 : k / 8)
    {
      n_quiet = run_once ((AexScenario) scenario, elsewhere, k) ? 0 : n_quiet + 1;
      n_runs++;
    }
  g_test_message ("figure: sweep checkpoints=%u", n_runs - N_QUIET_RUNS);
}

static void
sweep_here (gconstpointer scenario)
{
  sweep (scenario, FALSE);
}

static void
sweep_elsewhere (gconstpointer scenario)
{
  sweep (scenario, TRUE);
}

void
aex_sweep_add (const char *path,
               AexScenario scenario)
{
  g_autofree char *here = g_strconcat (path, "/here", NULL);
  g_autofree char *elsewhere = g_strconcat (path, "/elsewhere", NULL);

  aex_test_add_data (here, (gconstpointer) scenario, sweep_here);
  aex_test_add_data (elsewhere, (gconstpointer) scenario, sweep_elsewhere);
}
