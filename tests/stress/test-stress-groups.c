/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-jobs.h"
#include "lib/aex-race.h"

/* Groups under fire: trees of them with members that fail, are cancelled or submit more, and everything at once. */

#define ROUNDS 20000
#define N_TREES 400

/* ---- trees: each ends with exactly the errors of its members */

typedef struct {
  AexExecutor *pool;
  AexPendingGroup *group;
  guint seed;
  guint depth;
  int n_failed;               /* atomic: of all that ran */
} Tree;

typedef struct {
  Tree *tree;
  guint kind, n_more;
} Leaf;

static void submit_leaf (Tree *tree, GRand *rand, guint n_more);

static gboolean
leaf_run (AexPending   *job,
          GCancellable *cancellable,
          gpointer      data,
          GError      **error)
{
  Leaf *self = data;
  g_autoptr (GRand) rand = g_rand_new_with_seed (self->tree->seed + self->kind);

  for (guint i = 0; i < self->n_more; i++)
    submit_leaf (self->tree, rand, 0);
  switch (self->kind % 40)
    {
    case 0:
      /* One that was cancelled does not fail. */
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "leaf");
      return FALSE;
    case 1:
      aex_pending_cancel (job, NULL);
      return TRUE;
    case 2:
      aex_pending_group_cancel (self->tree->group, NULL);
      return TRUE;
    default:
      return TRUE;
    }
}

static void
submit_leaf (Tree  *tree,
             GRand *rand,
             guint  n_more)
{
  Leaf *leaf = g_new0 (Leaf, 1);

  leaf->tree = tree;
  leaf->kind = g_rand_int (rand) % 4000;
  leaf->n_more = n_more;
  g_object_unref (aex_executor_submit (tree->pool, leaf_run, leaf, g_free));
}

/* An inner group's errors are among those of the outer one. */
static void
assert_includes (AexPending *outer,
                 AexPending *inner)
{
  g_autoptr (GError) outer_error = aex_pending_dup_error (outer), inner_error = aex_pending_dup_error (inner);
  g_autoptr (GPtrArray) outer_members = NULL, inner_members = NULL;

  if (!g_error_matches (inner_error, AEX_ERROR, AEX_ERROR_GROUP))
    return;
  g_assert_error (outer_error, AEX_ERROR, AEX_ERROR_GROUP);
  outer_members = aex_error_get_members (outer_error);
  inner_members = aex_error_get_members (inner_error);
  g_assert_cmpuint (outer_members->len, >=, inner_members->len);
}

static AexPending *
grow (Tree            *parent,
      GRand           *rand,
      guint            depth)
{
  Tree tree = { .pool = parent->pool, .seed = g_rand_int (rand), .depth = depth };
  AexPending *end;
  g_autoptr (GPtrArray) inner = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GError) error = NULL;

  tree.group = aex_pending_group_new ((AexGroupMode) (g_rand_int (rand) % 4));
  g_assert_true (aex_pending_group_enter (tree.group, &error));
  for (guint i = g_rand_int_range (rand, 0, 12); i > 0; i--)
    submit_leaf (&tree, rand, g_rand_int_range (rand, 0, 3));
  for (guint i = depth < 3 ? g_rand_int_range (rand, 0, 3) : 0; i > 0; i--)
    g_ptr_array_add (inner, grow (&tree, rand, depth + 1));
  end = aex_pending_group_end (tree.group);
  g_assert_true (aex_pending_wait (end, AEX_WAIT_FLAGS_SHIELD | AEX_WAIT_FLAGS_NO_RESULT, -1, NULL, &error));
  g_assert_no_error (error);
  g_assert_true (aex_pending_group_is_over (tree.group));
  g_assert_cmpuint (aex_pending_tracker_get_n_pendings (AEX_PENDING_TRACKER (tree.group)), ==, 0);
  for (guint i = 0; i < inner->len; i++)
    assert_includes (end, inner->pdata[i]);
  g_object_unref (tree.group);
  return end;
}

typedef struct {
  AexExecutor *pool;
  guint seed;
} Gardener;

static gpointer
plant (gpointer data)
{
  Gardener *self = data;
  g_autoptr (GRand) rand = g_rand_new_with_seed (self->seed);
  Tree root = { .pool = self->pool };

  for (guint i = aex_test_scale (N_TREES); i > 0; i--)
    {
      g_autoptr (AexPending) end = grow (&root, rand, 0);
      G_GNUC_UNUSED g_autoptr (GError) error = aex_pending_dup_error (end);
    }
  return NULL;
}

static void
test_trees (void)
{
  AexExecutor *pool = aex_test_pool (3);
  Gardener gardeners[3];
  GThread *threads[3];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    {
      gardeners[i] = (Gardener) { pool, (guint) g_test_rand_int () };
      threads[i] = g_thread_new ("gardener", plant, &gardeners[i]);
    }
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  aex_test_shutdown (pool);
}

/* ---- adding, failing, cancelling and joining at the same moment */

typedef struct {
  AexPendingGroup *group;
  AexPending *first, *second, *end, *again;
  gboolean added;
} State;

static void
setup (gpointer data)
{
  State *self = data;

  self->group = aex_pending_group_new ((AexGroupMode) g_test_rand_int_range (0, 4));
  self->first = aex_pending_new ();
  self->second = aex_pending_new ();
  aex_pending_group_add (self->group, self->first);
}

static void
do_fail (gpointer data)
{
  aex_pending_reject (((State *) data)->first, g_error_new_literal (G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "first"));
}

static void
do_cancel (gpointer data)
{
  aex_race_pause ();
  aex_pending_group_cancel (((State *) data)->group, "why");
}

static void
do_add (gpointer data)
{
  State *self = data;

  self->added = aex_pending_group_add (self->group, self->second);
  aex_race_pause ();
  aex_pending_resolve (self->second, NULL);
}

static void
do_join (gpointer data)
{
  State *self = data;

  self->end = aex_pending_group_join (self->group);
  aex_pending_wait (self->end, AEX_WAIT_FLAGS_NO_RESULT, -1, NULL, NULL);
}

static void
do_join_and_look (gpointer data)
{
  State *self = data;
  g_autoptr (GPtrArray) pendings = aex_pending_tracker_dup_pendings (AEX_PENDING_TRACKER (self->group));

  g_assert_cmpuint (pendings->len, <=, 2);
  self->again = aex_pending_group_join (self->group);
}

static void
check (gpointer data)
{
  State *self = data;
  g_autoptr (GError) error = NULL, first_error = aex_pending_dup_error (self->first);

  g_assert_true (aex_pending_is_done (self->end));
  g_assert_true (self->again == NULL || self->again == self->end);
  g_assert_true (aex_pending_is_done (self->second));
  g_assert_true (!self->added || aex_pending_group_is_over (self->group));
  error = aex_pending_dup_error (self->end);
  if (g_error_matches (first_error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA))
    g_assert_error (error, AEX_ERROR, AEX_ERROR_GROUP);
  else
    g_assert_false (g_error_matches (error, AEX_ERROR, AEX_ERROR_GROUP));
  g_object_unref (self->first);
  g_object_unref (self->second);
  g_object_unref (self->end);
  g_clear_object (&self->again);
  g_object_unref (self->group);
}

/* ---- dropped while its member ends */

static void
do_drop (gpointer data)
{
  g_object_unref (((State *) data)->group);
}

static void
do_abandon (gpointer data)
{
  g_object_unref (((State *) data)->first);
}

static void
do_resolve_second (gpointer data)
{
  aex_pending_resolve (((State *) data)->second, NULL);
}

static void
setup_both (gpointer data)
{
  State *self = data;

  setup (data);
  aex_pending_group_add (self->group, self->second);
}

static void
check_dropped (gpointer data)
{
  State *self = data;

  g_assert_true (aex_pending_is_done (self->second));
  g_object_unref (self->second);
}

/* ---- let go of while it is listed: nobody gets what is just going */

static void
setup_unowned (gpointer data)
{
  State *self = data;

  setup_both (data);
  self->again = g_steal_pointer (&self->second);
}

static void
do_look (gpointer data)
{
  State *self = data;

  for (guint i = 0; i < 4; i++)
    {
      g_autoptr (GPtrArray) pendings = aex_pending_tracker_dup_pendings (AEX_PENDING_TRACKER (self->group));

      for (guint k = 0; k < pendings->len; k++)
        g_assert_true (AEX_IS_PENDING (pendings->pdata[k]));
    }
}

static void
do_resolve_again (gpointer data)
{
  State *self = data;

  aex_race_pause ();
  aex_pending_resolve (self->again, NULL);
  g_object_unref (self->again);
}

static void
check_unowned (gpointer data)
{
  State *self = data;
  g_autoptr (AexPending) end = aex_pending_group_join (self->group);
  g_autoptr (GError) error = NULL;

  /* The first was abandoned, or cancelled before. */
  g_assert_true (aex_pending_is_done (end));
  g_assert_true (aex_pending_group_is_cancelled (self->group));
  error = aex_pending_dup_error (end);
  g_object_unref (self->group);
}

/* ---- ended while others use it for the first time */

static void
setup_unused (gpointer data)
{
  State *self = data;

  self->group = aex_pending_group_new (AEX_GROUP_MODE_IGNORE);
  self->first = aex_pending_new ();
}

static void
do_end (gpointer data)
{
  State *self = data;

  self->end = aex_pending_group_end (self->group);
}

static void
do_get_scope (gpointer data)
{
  aex_pending_group_get_scope (((State *) data)->group);
}

static void
do_track (gpointer data)
{
  State *self = data;

  aex_pending_tracker_add (AEX_PENDING_TRACKER (self->group), self->first);
}

static void
check_unused (gpointer data)
{
  State *self = data;

  aex_pending_resolve (self->first, NULL);
  g_assert_true (aex_pending_is_done (self->end));
  g_object_unref (self->first);
  g_object_unref (self->end);
  g_object_unref (self->group);
}

/* ---- many members, of several threads, while it is cancelled and joined */

#define N_MANY    100000
#define N_ADDERS  3

typedef struct
{
  AexExecutor     *pool;
  AexPendingGroup *group;
  AexPending     **promises;    /* NULL where it was not added */
  guint            n;
} Many;

static gboolean
many_run (AexPending   *job,
          GCancellable *cancellable,
          gpointer      data,
          GError      **error)
{
  return TRUE;
}

static gpointer
many_add (gpointer data)
{
  Many *self = data;

  for (guint i = 0; i < self->n; i++)
    {
      AexPending *promise = aex_pending_new ();

      if (i % 3 == 0)
        g_object_unref (aex_pending_group_submit (self->group, self->pool, many_run, NULL, NULL));
      if (aex_pending_group_add (self->group, promise))
        self->promises[i] = promise;
      else
        g_object_unref (promise);
      if (i % 2 == 0 && self->promises[i] != NULL)
        aex_pending_resolve (promise, NULL);
    }
  return NULL;
}

/* Whatever was added is done when the group is over, and what was not is left alone. */
static void
test_many (gconstpointer cancel_late)
{
  AexExecutor *pool = aex_test_pool (2);
  g_autoptr (AexPendingGroup) group = aex_pending_group_new (AEX_GROUP_MODE_IGNORE);
  g_autoptr (AexPending) end = NULL;
  Many adders[N_ADDERS];
  GThread *threads[N_ADDERS];
  guint n = aex_test_scale (N_MANY) / N_ADDERS;

  for (guint i = 0; i < N_ADDERS; i++)
    {
      adders[i] = (Many) { .pool = pool, .group = group, .promises = g_new0 (AexPending *, n), .n = n };
      threads[i] = g_thread_new ("adder", many_add, &adders[i]);
    }
  if (!GPOINTER_TO_INT (cancel_late))
    aex_pending_group_cancel (group, NULL);
  for (guint i = 0; i < N_ADDERS; i++)
    {
      /* While the others go on. */
      g_thread_join (threads[i]);
      if (i == 0)
        aex_pending_group_cancel (group, NULL);
      if (i == 1)
        end = aex_pending_group_join (group);
    }
  aex_test_wait (end);
  g_assert_cmpuint (aex_pending_tracker_get_n_pendings (AEX_PENDING_TRACKER (group)), ==, 0);
  for (guint i = 0; i < N_ADDERS; i++)
    {
      for (guint k = 0; k < n; k++)
        {
          g_assert_true (adders[i].promises[k] == NULL || aex_pending_is_done (adders[i].promises[k]));
          g_clear_object (&adders[i].promises[k]);
        }
      g_free (adders[i].promises);
    }
  aex_test_shutdown (pool);
}

/* ---- functions for many items: each runs at most once, and with the end nothing runs any more */

typedef struct
{
  guint8 *runs;
  int     n_runs;        /* atomic */
  int     n_running;     /* atomic */
  int     n_released;    /* atomic */
  guint   cancels, fails;
  AexPendingGroup *group;
} Each;

static gboolean
each_run (guint         index,
          GCancellable *cancellable,
          gpointer      data,
          GError      **error)
{
  Each *self = data;

  g_atomic_int_inc (&self->n_running);
  g_assert_cmpint (g_atomic_int_get (&self->n_released), ==, 0);
  g_assert_cmpuint (self->runs[index]++, ==, 0);
  g_atomic_int_inc (&self->n_runs);
  if (index == self->cancels)
    aex_pending_group_cancel (self->group, NULL);
  g_atomic_int_add (&self->n_running, -1);
  if (index != self->fails)
    return TRUE;
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "item");
  return FALSE;
}

static void
each_released (gpointer data)
{
  Each *self = data;

  g_assert_cmpint (g_atomic_int_get (&self->n_running), ==, 0);
  g_atomic_int_inc (&self->n_released);
  g_main_context_wakeup (NULL);
}

static gboolean
each_is_released (gpointer data)
{
  return g_atomic_int_get (&((Each *) data)->n_released) == 1;
}

static void
test_each (void)
{
  AexExecutor *pool = aex_test_pool (3);
  guint n = aex_test_scale (N_MANY);

  for (guint round = 0; round < 30; round++)
    {
      g_autoptr (AexPendingGroup) group = aex_pending_group_new ((AexGroupMode) (round % 4));
      g_autofree guint8 *runs = g_new0 (guint8, n);
      g_autoptr (AexPending) end = NULL;
      g_autoptr (GError) error = NULL;
      Each each = { .runs = runs, .cancels = G_MAXUINT, .fails = G_MAXUINT, .group = group };

      if (round % 3 == 1)
        each.cancels = (guint) g_test_rand_int_range (0, (int) n);
      if (round % 3 == 2)
        each.fails = (guint) g_test_rand_int_range (0, (int) n);
      g_assert_true (aex_pending_group_for_each (group, pool, n, each_run, &each, each_released, NULL));
      if (round % 5 == 4)
        aex_pending_group_cancel (group, NULL);
      end = aex_pending_group_join (group);
      aex_test_wait (end);
      g_assert_cmpint (g_atomic_int_get (&each.n_running), ==, 0);
      g_assert_true (aex_pending_group_is_cancelled (group) || g_atomic_int_get (&each.n_runs) == (int) n);
      aex_test_iterate_until (each_is_released, &each);
      error = aex_pending_dup_error (end);
      g_assert_false (runs[MIN (each.fails, n - 1)] == 1 && each.fails < n && error == NULL && round % 5 != 4);
    }
  aex_test_shutdown (pool);
}

static const AexRace races[] = {
  { "/stress/groups/K61-K62-K64/all", ROUNDS, sizeof (State), setup, { do_fail, do_cancel, do_add, do_join }, check },
  { "/stress/groups/K62-I7/join-twice", ROUNDS, sizeof (State), setup, { do_fail, do_join_and_look, do_add, do_join }, check },
  { "/stress/groups/K58-K64/going", ROUNDS, sizeof (State), setup_unowned,
    { do_abandon, do_look, do_cancel, do_resolve_again }, check_unowned },
  { "/stress/groups/K61/R10/first-use", ROUNDS, sizeof (State), setup_unused, { do_end, do_get_scope, do_track }, check_unused },
  { "/stress/groups/K64/dropped", ROUNDS, sizeof (State), setup_both, { do_drop, do_abandon, do_resolve_second }, check_dropped },
};

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_set_watchdog (300);
  aex_test_add ("/stress/groups/K62-K68-I1/trees", test_trees);
  aex_test_add_data ("/stress/groups/K61-K64/many/at-once", GINT_TO_POINTER (FALSE), test_many);
  aex_test_add_data ("/stress/groups/K61-K64/many/late", GINT_TO_POINTER (TRUE), test_many);
  aex_test_add ("/stress/groups/K61-K62-K64/each", test_each);
  for (guint i = 0; i < G_N_ELEMENTS (races); i++)
    aex_race_add (&races[i]);
  return aex_test_run ();
}
