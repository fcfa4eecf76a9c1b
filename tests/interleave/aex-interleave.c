/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The scheduler: threads of which one at a time goes on.  They are real threads, for GLib and the library keep what
 * belongs to a thread in thread-local data; they hand one baton on. */
#include "aex-interleave-private.h"

#include <sched.h>
#include <semaphore.h>

#include "base/aex-thread-private.h"

/* The linker gives these names to what hooks take the place of. */
GThread *__real_g_thread_try_new (const char *name, GThreadFunc func, gpointer data, GError **error);
gpointer __real_g_thread_join    (GThread *thread);

typedef struct
{
  guint      id;
  sem_t      go;                 /* the baton */
  gboolean   exists;             /* takes part in this round */
  gboolean   done;
  AexStep    next;
  gboolean (*ready) (gpointer);  /* next waits for this; NULL: for nothing */
  gpointer   ready_data;
  guint      yielded_at;         /* step; 0: did not */
  GThread   *real;
  gboolean   spawned;            /* by the library: ends with the round */
  void     (*run) (gpointer);
  GThreadFunc func;
  gpointer   data;
} Thread;

/* All of it belongs to whoever has the baton. */
static Thread threads[AEX_INTERLEAVE_MAX_THREADS];
static guint current;
static guint n_steps;
static sem_t round_over;

static __thread Thread *self;

#define MAX_STEPS 20000

gboolean
aex_schedule_is_on (void)
{
  return self != NULL;
}

AexStep
aex_schedule_get_next (guint thread)
{
  return threads[thread].next;
}

const void *
aex_schedule_get_waiting (guint thread)
{
  return threads[thread].exists && !threads[thread].done ? threads[thread].next.site : NULL;
}

static gboolean
is_enabled (Thread *thread)
{
  return thread->exists && !thread->done && thread->yielded_at != n_steps + 1
         && (thread->ready == NULL || thread->ready (thread->ready_data));
}

/* Asking is no step: hooks do nothing meanwhile. */
static guint
enabled_mask (void)
{
  Thread *me = self;
  guint mask = 0;

  self = NULL;
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    if (is_enabled (&threads[i]))
      mask |= 1u << i;
  /* Who yields to nobody goes on. */
  for (guint i = 0; mask == 0 && i < G_N_ELEMENTS (threads); i++)
    if (threads[i].exists && !threads[i].done && threads[i].yielded_at == n_steps + 1)
      mask |= 1u << i;
  self = me;
  return mask;
}

static gboolean
all_done (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    if (threads[i].exists && !threads[i].done)
      return FALSE;
  return TRUE;
}

/* Hands the baton to whoever is next.  TRUE: that is the caller himself. */
static gboolean
hand_on (Thread *from)
{
  guint mask = enabled_mask ();
  Thread *to;

  if (mask == 0 && all_done ())
    {
      sem_post (&round_over);
      return FALSE;
    }
  if (mask == 0)
    aex_interleave_fail ("deadlock: no thread can go on");
  if (++n_steps > MAX_STEPS)
    aex_interleave_fail ("more than %d steps: the threads run in circles", MAX_STEPS);
  current = aex_search_pick (current, mask);
  to = &threads[current];
  if (to == from)
    return TRUE;
  sem_post (&to->go);
  return FALSE;
}

static void
take_baton (Thread *thread)
{
  while (sem_wait (&thread->go) < 0)
    ;
}

void
aex_schedule_step (AexStep step, gboolean (*ready) (gpointer), gpointer data)
{
  Thread *me = self;

  me->next = step;
  me->ready = ready;
  me->ready_data = data;
  if (!hand_on (me))
    take_baton (me);
  me->ready = NULL;
}

void
aex_schedule_note (AexStep step)
{
  aex_search_note (self->id, step);
}

void
aex_schedule_yield (const void *site)
{
  self->yielded_at = n_steps + 1;
  aex_schedule_step ((AexStep) { AEX_STEP_READ, NULL, site }, NULL, NULL);
}

/* ---- threads */

static void
thread_body (Thread *thread)
{
  self = thread;
  take_baton (thread);
  if (thread->run != NULL)
    thread->run (thread->data);
  else
    thread->func (thread->data);
  /* What the thread keeps would make the next round a different one. */
  aex_thread_flush ();
  g_clear_pointer (&aex_thread_get ()->parker, aex_parker_unref);
  self = NULL;
  thread->done = TRUE;
  hand_on (thread);
}

static gpointer
thread_main (gpointer data)
{
  Thread *thread = data;

  do
    thread_body (thread);
  while (!thread->spawned);
  return NULL;
}

static void
thread_begin (Thread *thread, AexStep step)
{
  thread->exists = TRUE;
  thread->done = FALSE;
  thread->next = step;
  thread->ready = NULL;
  thread->yielded_at = 0;
}

GThread *
aex_schedule_spawn (GThreadFunc func, gpointer data, const void *site, GError **error)
{
  Thread *thread = NULL;

  for (guint i = AEX_INTERLEAVE_MAX_RUN; thread == NULL && i < G_N_ELEMENTS (threads); i++)
    if (!threads[i].exists)
      thread = &threads[i];
  if (thread == NULL)
    aex_interleave_fail ("the library starts more threads than there are places for");
  thread->spawned = TRUE;
  thread->func = func;
  thread->data = data;
  thread->real = __real_g_thread_try_new ("spawned", thread_main, thread, error);
  if (thread->real == NULL)
    return NULL;
  thread_begin (thread, (AexStep) { AEX_STEP_READ, thread, site });
  aex_schedule_step ((AexStep) { AEX_STEP_WRITE, thread, site }, NULL, NULL);
  return thread->real;
}

static gboolean
thread_is_done (gpointer thread)
{
  return ((Thread *) thread)->done;
}

gpointer
aex_schedule_join (GThread *real, const void *site)
{
  for (guint i = AEX_INTERLEAVE_MAX_RUN; i < G_N_ELEMENTS (threads); i++)
    if (threads[i].exists && threads[i].real == real)
      aex_schedule_step ((AexStep) { AEX_STEP_READ, &threads[i], site }, thread_is_done, &threads[i]);
  return __real_g_thread_join (real);
}

void
aex_interleave_wait_until (gboolean (*ready) (gpointer data), gpointer data)
{
  aex_schedule_step ((AexStep) { AEX_STEP_READ, data, __builtin_return_address (0) }, ready, data);
}

/* ---- a round */

/* On one processor handing on is a switch of threads and no wake-up of a processor: ten times cheaper. */
static void
stay_on_one_processor (void)
{
  cpu_set_t set;
  int here = sched_getcpu ();

  if (here < 0)
    return;
  CPU_ZERO (&set);
  CPU_SET ((size_t) here, &set);
  sched_setaffinity (0, sizeof set, &set);
}

static void
prepare_threads (void)
{
  stay_on_one_processor ();
  sem_init (&round_over, 0, 0);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    {
      threads[i].id = i;
      sem_init (&threads[i].go, 0, 0);
      if (i < AEX_INTERLEAVE_MAX_RUN)
        threads[i].real = g_thread_new ("interleaved", thread_main, &threads[i]);
    }
}

void
aex_schedule_run (const AexInterleave *scenario, gpointer state)
{
  static gboolean prepared;

  if (!prepared)
    prepare_threads ();
  prepared = TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    {
      threads[i].exists = FALSE;
      if (i >= AEX_INTERLEAVE_MAX_RUN || scenario->run[i] == NULL)
        continue;
      threads[i].run = scenario->run[i];
      threads[i].data = state;
      thread_begin (&threads[i], (AexStep) { AEX_STEP_READ, NULL, AEX_SITE_OF (scenario->run[i]) });
    }
  n_steps = 0;
  current = AEX_INTERLEAVE_MAX_THREADS;
  aex_hooks_new_round ();
  hand_on (NULL);
  while (sem_wait (&round_over) < 0)
    ;
}
