/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The search: which thread does the next step.  Depth first over all orders with a bounded number of preemptions (a thread
 * that could go on does not), after CHESS: Musuvathi and Qadeer, "Iterative context bounding for systematic testing of
 * multithreaded programs", PLDI 2007.
 *
 * Orders that differ only in steps that do not depend on each other end alike.  Where two dependent steps could have come
 * the other way round, the second thread is tried before the first, and also where the first one's turn began, for from
 * there it may need fewer preemptions: Flanagan and Godefroid, "Dynamic partial-order reduction", POPL 2005; Coons,
 * Musuvathi and McKinley, "Bounded partial-order reduction", OOPSLA 2013. */
#include "aex-interleave-private.h"

#include <stdio.h>
#include <string.h>

typedef struct
{
  AexStep step;
  guint8  thread;
  guint8  previous;      /* who did the step before */
  gboolean is_note;      /* nothing was decided */
  guint   enabled;       /* bits: who could have gone on */
  guint   todo;          /* bits: who is to be tried */
  guint   done;          /* bits: who was */
  guint   n_preemptions; /* before this step */
  guint   clock[AEX_INTERLEAVE_MAX_THREADS];   /* of each thread, how many events are before this one in every order that ends
                                                * alike */
} Event;

static AexSearchMode mode;
static guint bound;
static GRand *dice;
static const char *order;      /* REPLAY: what is left of it */
static guint order_thread, order_left;
static GArray *events;         /* element Event */
static guint n_kept;           /* so many begin the next round as they did the last one */
static guint n_seen;           /* events of this round */

#define EVENT(i) (&g_array_index (events, Event, i))

void
aex_search_begin (AexSearchMode new_mode, guint new_bound, guint32 seed, const char *replay)
{
  mode = new_mode;
  bound = new_bound;
  g_clear_pointer (&dice, g_rand_free);
  dice = g_rand_new_with_seed (seed);
  order = replay;
  order_left = 0;
  if (events == NULL)
    events = g_array_new (FALSE, TRUE, sizeof (Event));
  g_array_set_size (events, 0);
  n_kept = n_seen = 0;
}

void
aex_search_rewind (void)
{
  n_seen = 0;
}

/* ---- one step */

static gboolean
is_preemption (const Event *event, guint thread)
{
  return thread != event->previous && event->previous < AEX_INTERLEAVE_MAX_THREADS
         && event->enabled & (1u << event->previous);
}

static guint
usual_pick (guint previous, guint enabled)
{
  if (previous < AEX_INTERLEAVE_MAX_THREADS && enabled & (1u << previous))
    return previous;
  return (guint) g_bit_nth_lsf (enabled, -1);
}

static guint
random_pick (guint previous, guint enabled)
{
  guint pick;

  if (g_rand_int_range (dice, 0, 8) != 0)
    return usual_pick (previous, enabled);
  do
    pick = (guint) g_rand_int_range (dice, 0, AEX_INTERLEAVE_MAX_THREADS);
  while (!(enabled & (1u << pick)));
  return pick;
}

static guint
replay_pick (guint previous, guint enabled)
{
  char *end;

  if (order_left == 0 && order != NULL && *order != '\0')
    {
      order_thread = (guint) g_ascii_strtoull (order, &end, 10);
      order_left = *end == 'x' ? (guint) g_ascii_strtoull (end + 1, &end, 10) : 0;
      order = *end == ',' ? end + 1 : end;
      if (order_left == 0)
        aex_interleave_fail ("--replay wants an order as it was printed, like 0x12,1x3");
    }
  if (order_left == 0)
    return usual_pick (previous, enabled);
  order_left--;
  if (order_thread >= AEX_INTERLEAVE_MAX_THREADS || !(enabled & (1u << order_thread)))
    aex_interleave_fail ("--replay is of another program: thread %u can not go on", order_thread);
  return order_thread;
}

static Event *
append_event (guint thread)
{
  Event *event;

  g_array_set_size (events, n_seen + 1);
  event = EVENT (n_seen);
  event->thread = (guint8) thread;
  n_seen++;
  return event;
}

guint
aex_search_pick (guint previous, guint enabled)
{
  guint n_preemptions = 0, pick;
  Event *event;

  if (n_seen < n_kept)
    {
      event = EVENT (n_seen);
      n_seen++;
      if (event->is_note || event->enabled != enabled || !(event->enabled & (1u << event->thread))
          || (event->step.site != NULL && event->step.site != aex_schedule_get_next (event->thread).site))
        aex_interleave_fail ("the same order of steps went another way: something depends on more than that");
      event->step = aex_schedule_get_next (event->thread);
      return event->thread;
    }
  if (n_seen > 0)
    {
      event = EVENT (n_seen - 1);
      n_preemptions = event->n_preemptions + (!event->is_note && is_preemption (event, event->thread));
    }
  pick = mode == AEX_SEARCH_RANDOM ? random_pick (previous, enabled)
       : mode == AEX_SEARCH_REPLAY ? replay_pick (previous, enabled) : usual_pick (previous, enabled);
  event = append_event (pick);
  event->previous = (guint8) previous;
  event->is_note = FALSE;
  event->enabled = enabled;
  event->todo = mode == AEX_SEARCH_ALL ? enabled : 0;
  event->done = 1u << pick;
  event->n_preemptions = n_preemptions;
  event->step = aex_schedule_get_next (pick);
  return pick;
}

void
aex_search_note (guint thread, AexStep step)
{
  Event *before = EVENT (n_seen - 1), *event;
  guint n_preemptions = before->n_preemptions + (!before->is_note && is_preemption (before, before->thread));

  if (n_seen < n_kept)
    {
      event = EVENT (n_seen);
      n_seen++;
    }
  else
    {
      event = append_event (thread);
    }
  event->step = step;
  event->is_note = TRUE;
  event->n_preemptions = n_preemptions;
}

/* ---- what else to try */

static gboolean
depend (const Event *one, const Event *other)
{
  if (one->step.address != other->step.address || one->step.address == NULL)
    return FALSE;
  return one->step.kind != other->step.kind || one->step.kind > AEX_STEP_ADD;
}

static void
clock_join (guint *clock, const guint *other)
{
  for (guint i = 0; i < AEX_INTERLEAVE_MAX_THREADS; i++)
    clock[i] = MAX (clock[i], other[i]);
}

static void
try_here (guint i, guint thread)
{
  Event *event = EVENT (i);

  event->todo |= event->enabled & (1u << thread) ? 1u << thread : event->enabled;
}

static void
try_before (guint i, guint thread)
{
  try_here (i, thread);
  /* Where the turn of that thread began. */
  for (guint k = i; ; k--)
    {
      Event *event = EVENT (k);

      if (event->is_note)
        continue;
      if (event->previous != event->thread)
        {
          try_here (k, thread);
          return;
        }
    }
}

/* Finds the steps before j that could have come after it, and where j stands in all equal orders. */
static void
look_back (guint j)
{
  Event *event = EVENT (j);
  guint seen[AEX_INTERLEAVE_MAX_THREADS] = { 0 }, clock[AEX_INTERLEAVE_MAX_THREADS] = { 0 };

  for (guint i = j; i-- > 0;)
    if (EVENT (i)->thread == event->thread)
      {
        clock_join (seen, EVENT (i)->clock);
        break;
      }
  clock_join (clock, seen);
  for (guint i = j; i-- > 0;)
    {
      Event *before = EVENT (i);

      if (before->thread == event->thread || !depend (before, event))
        continue;
      clock_join (clock, before->clock);
      if (before->is_note || event->is_note)
        continue;
      if (i >= seen[before->thread])
        try_before (i, event->thread);
      clock_join (seen, before->clock);
    }
  clock[event->thread] = j + 1;
  memcpy (event->clock, clock, sizeof clock);
}

gboolean
aex_search_next (void)
{
  if (mode == AEX_SEARCH_REPLAY)
    return FALSE;
  if (mode == AEX_SEARCH_RANDOM)
    {
      n_kept = 0;
      return TRUE;
    }
  g_array_set_size (events, n_seen);
  if (mode == AEX_SEARCH_REDUCED)
    for (guint j = n_kept > 0 ? n_kept - 1 : 0; j < n_seen; j++)
      look_back (j);
  for (guint i = n_seen; i-- > 0;)
    {
      Event *event = EVENT (i);
      guint left = event->is_note ? 0 : event->todo & ~event->done;

      while (left != 0)
        {
          guint thread = (guint) g_bit_nth_lsf (left, -1);

          left &= ~(1u << thread);
          event->done |= 1u << thread;
          if (event->n_preemptions + is_preemption (event, thread) > bound)
            continue;
          event->thread = (guint8) thread;
          event->step.site = NULL;    /* what that thread does here is not known yet */
          n_kept = i + 1;
          return TRUE;
        }
    }
  return FALSE;
}

/* ---- telling */

char *
aex_search_dup_order (void)
{
  GString *text = g_string_new (NULL);
  guint thread = AEX_INTERLEAVE_MAX_THREADS, n = 0;

  for (guint i = 0; i <= n_seen; i++)
    {
      if (i < n_seen && EVENT (i)->is_note)
        continue;
      if (i < n_seen && EVENT (i)->thread == thread)
        {
          n++;
          continue;
        }
      if (n > 0)
        g_string_append_printf (text, "%s%ux%u", text->len > 0 ? "," : "", thread, n);
      if (i < n_seen)
        thread = EVENT (i)->thread;
      n = 1;
    }
  return g_string_free (text, FALSE);
}

/* The linker's: where the program begins in memory. */
extern const char __executable_start;

/* Where in the sources; the functions that were inlined there too. */
static char *
dup_place (const void *site)
{
  g_autofree char *address = g_strdup_printf ("0x%zx", (gsize) ((const char *) site - &__executable_start) - 1);
  g_autofree char *program = g_file_read_link ("/proc/self/exe", NULL);
  const char *const argv[] = { "addr2line", "-e", program, "-f", "-i", "-p", "-s", address, NULL };
  char *output = NULL;

  if (site == NULL)
    return g_strdup ("the scheduler");
  if (!g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &output,
                     NULL, NULL, NULL))
    return g_strdup (address);
  return g_strdelimit (g_strchomp (output), "\n", ',');
}

void
aex_search_print (void)
{
  static const char * const kinds[] = { "reads", "adds to", "changes", "locks", "unlocks" };
  guint thread = AEX_INTERLEAVE_MAX_THREADS, n = 0;

  for (guint i = 0; i < n_seen; i++)
    {
      const Event *event = EVENT (i);

      if (event->is_note)
        continue;
      if (event->thread != thread && thread < AEX_INTERLEAVE_MAX_THREADS && event->enabled & (1u << thread))
        printf ("#   thread %u could go on after %u steps\n", thread, n);
      if (event->thread != thread)
        {
          g_autofree char *place = dup_place (event->step.site);

          printf ("#   thread %u %s %p: %s\n", event->thread, kinds[event->step.kind], event->step.address, place);
          n = 0;
        }
      thread = event->thread;
      n++;
    }
  for (guint i = 0; i < AEX_INTERLEAVE_MAX_THREADS; i++)
    {
      const void *site = aex_schedule_get_waiting (i);
      g_autofree char *place = site != NULL ? dup_place (site) : NULL;

      if (place != NULL)
        printf ("#   thread %u stands at %s\n", i, place);
    }
}
