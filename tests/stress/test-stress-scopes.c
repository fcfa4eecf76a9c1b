/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-race.h"
#include "lib/aex-jobs.h"

/* A scope that is cancelled, left, waited in and out of time at the same moment. */

#define ROUNDS 30000

typedef struct
{
  AexScope    *scope;
  AexPending  *promise;
  AexPending  *added;
  int          over;
} State;

static void
setup (gpointer data)
{
  State *self = data;

  self->scope = aex_scope_new (g_test_rand_int_range (0, 200), AEX_SCOPE_FLAGS_NONE);
  self->promise = aex_pending_new ();
  self->added = aex_pending_new ();
}

static void
wait_inside (gpointer data)
{
  State *self = data;
  g_autoptr (GError) error = NULL;

  if (!aex_pending_wait (self->promise, AEX_WAIT_FLAGS_NONE, -1, NULL, &error))
    g_assert_true (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED)
                   || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT));
}

static void
do_wait (gpointer data)
{
  aex_scope_run (((State *) data)->scope, wait_inside, data);
}

static void
do_cancel (gpointer data)
{
  aex_scope_cancel (((State *) data)->scope);
}

static void
do_add_and_wait (gpointer data)
{
  State *self = data;
  AexScope *inner;

  aex_scope_add (self->scope, self->added);
  inner = aex_scope_enter (100, AEX_SCOPE_FLAGS_NONE);
  aex_scope_add (inner, self->added);
  aex_pending_wait (self->added, AEX_WAIT_FLAGS_NO_RESULT, -1, NULL, NULL);
  aex_scope_leave (inner);
}

static void
do_leave (gpointer data)
{
  State *self = data;

  aex_scope_ref (self->scope);
  self->over = aex_scope_leave (self->scope);
  /* Whoever is left inside a scope that nobody ends. */
  aex_pending_resolve (self->promise, NULL);
}

static void
check (gpointer data)
{
  State *self = data;
  g_autoptr (GError) error = NULL;

  g_assert_true (aex_pending_is_done (self->promise));
  if (self->over)
    g_assert_true (aex_scope_is_cancelled (self->scope));
  aex_pending_cancel (self->added, NULL);
  error = aex_pending_dup_error (self->added);
  g_assert_nonnull (error);
  g_object_unref (self->promise);
  g_object_unref (self->added);
  aex_scope_unref (self->scope);
}

/* --- a map that starts in a scope while that ends */

static AexExecutor *pool;

static void
begin_pool (void)
{
  pool = aex_test_pool (2);
}

static void
end_pool (void)
{
  aex_test_shutdown (g_steal_pointer (&pool));
}

#define N_MAPS 50

typedef struct
{
  AexScope *scope;
  guint     n_maps;
  int       n_released;     /* atomic */
} Mapping;

static void
setup_mapping (gpointer data)
{
  ((Mapping *) data)->scope = aex_scope_new (-1, AEX_SCOPE_FLAGS_NONE);
}

static void
count_release (gpointer data)
{
  g_atomic_int_inc (&((Mapping *) data)->n_released);
  g_main_context_wakeup (NULL);
}

/* Until that has ended in the middle of one. */
static void
map_inside (gpointer data)
{
  Mapping *self = data;

  while (self->n_maps < N_MAPS && !aex_scope_is_cancelled (self->scope))
    {
      self->n_maps++;
      g_object_unref (aex_executor_map (pool, 1, 0, -1, AEX_MAP_FLAGS_NONE, aex_map_nothing, self, count_release));
    }
}

static void
do_map (gpointer data)
{
  aex_scope_run (((Mapping *) data)->scope, map_inside, data);
}

static void
do_cancel_mapping (gpointer data)
{
  for (guint i = g_test_rand_int_range (0, 20); i > 0; i--)
    aex_race_pause ();
  aex_scope_cancel (((Mapping *) data)->scope);
}

static gboolean
all_released (gpointer data)
{
  Mapping *self = data;

  return g_atomic_int_get (&self->n_released) == (int) self->n_maps;
}

static void
check_mapping (gpointer data)
{
  aex_test_iterate_until (all_released, data);
  aex_scope_unref (((Mapping *) data)->scope);
}

static const AexRace races[] = {
  { "/stress/scopes/N11/all", ROUNDS, sizeof (State), setup, { do_wait, do_cancel, do_add_and_wait, do_leave }, check },
  { "/stress/scopes/N11/late", ROUNDS, sizeof (State), setup, { do_wait, do_add_and_wait, do_leave }, check },
  { "/stress/scopes/R10/map-starts", ROUNDS, sizeof (Mapping), setup_mapping, { do_map, do_cancel_mapping }, check_mapping,
    begin_pool, end_pool },
};

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_set_watchdog (300);
  for (guint i = 0; i < G_N_ELEMENTS (races); i++)
    aex_race_add (&races[i]);
  return aex_test_run ();
}
