/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-race.h"

#include <pthread.h>

typedef struct
{
  const AexRace    *race;
  guint             n_rounds;
  gpointer          state;      /* handed over by the barriers */
  pthread_barrier_t start;
  pthread_barrier_t end;
} Track;

typedef struct
{
  Track *track;
  void (*run) (gpointer state);
} Runner;

static __thread guint32 pause_state;

void
aex_race_pause (void)
{
  guint n;

  if (pause_state == 0)
    pause_state = (guint32) g_test_rand_int () | 1;
  /* xorshift: g_random_int() takes a lock, which would put the threads in step. */
  pause_state ^= pause_state << 13;
  pause_state ^= pause_state >> 17;
  pause_state ^= pause_state << 5;
  n = pause_state % 256;
  for (volatile guint i = 0; i < n; i++)
    ;
}

static gpointer
runner_main (gpointer data)
{
  Runner *self = data;

  for (guint i = 0; i < self->track->n_rounds; i++)
    {
      pthread_barrier_wait (&self->track->start);
      aex_race_pause ();
      self->run (self->track->state);
      pthread_barrier_wait (&self->track->end);
    }
  return NULL;
}

static void
run_rounds (Track *track)
{
  for (guint i = 0; i < track->n_rounds; i++)
    {
      track->state = g_malloc0 (track->race->size);
      track->race->setup (track->state);
      pthread_barrier_wait (&track->start);
      pthread_barrier_wait (&track->end);
      aex_test_drain ();
      track->race->check (track->state);
      g_free (track->state);
    }
}

static void
race_run (gconstpointer data)
{
  Track track = { .race = data };
  Runner runners[AEX_RACE_MAX_THREADS];
  GThread *threads[AEX_RACE_MAX_THREADS];
  guint n = 0;

  while (n < AEX_RACE_MAX_THREADS && track.race->run[n] != NULL)
    n++;
  track.n_rounds = aex_test_scale (track.race->n_rounds);
  if (track.race->begin != NULL)
    track.race->begin ();
  pthread_barrier_init (&track.start, NULL, n + 1);
  pthread_barrier_init (&track.end, NULL, n + 1);
  for (guint i = 0; i < n; i++)
    {
      runners[i] = (Runner) { &track, track.race->run[i] };
      threads[i] = g_thread_new ("runner", runner_main, &runners[i]);
    }
  run_rounds (&track);
  for (guint i = 0; i < n; i++)
    g_thread_join (threads[i]);
  pthread_barrier_destroy (&track.start);
  pthread_barrier_destroy (&track.end);
  if (track.race->end != NULL)
    track.race->end ();
}

void
aex_race_add (const AexRace *race)
{
  aex_test_add_data (race->path, race, race_run);
}
