/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-gio-test.h"

/* Row Y9: a thousand operations of GIO from two contexts, cancelled by three
 * threads at random moments.  Each ends once, with its own outcome or the
 * cancellation, on its own thread. */

#define N_OPERATIONS 500   /* in each context */
#define N_CANCELLERS 3
#define FULL_ROUNDS 100

typedef struct _Storm Storm;

typedef struct
{
  Storm      *storm;
  AexPending *pending;
  int         cancelled;    /* atomic: cancel said TRUE while it was under way */
  int         n_done;       /* atomic */
} Operation;

typedef struct
{
  Operation operations[N_OPERATIONS];
  GThread  *thread;
  AexGate   begun;
  guint     n_done;         /* only its thread */
} Side;

struct _Storm
{
  Side           sides[2];
  GFile         *file;
  GFile         *missing;
  AexLoopThread *other;
  guint32        seed;
  int            next_seed;  /* atomic */
};

static void
operation_done (AexPending *pending,
                gpointer    data)
{
  Operation *self = data;
  Side *side = &self->storm->sides[self >= self->storm->sides[1].operations];

  g_assert_true (g_thread_self () == side->thread);
  g_assert_cmpint (g_atomic_int_add (&self->n_done, 1), ==, 0);
  side->n_done++;
}

static AexPending *
begin_one (Storm *self,
           guint  index)
{
  switch (index % 4)
    {
    case 0:
      return AEX_PENDING_FOR_GIO (g_file_query_info, self->file, "standard::size", G_FILE_QUERY_INFO_NONE, G_PRIORITY_DEFAULT);
    case 1:
      return AEX_PENDING_FOR_GIO (g_file_read, self->missing, G_PRIORITY_DEFAULT);
    case 2:
      return AEX_PENDING_FOR_GIO (g_file_read, self->file, G_PRIORITY_DEFAULT);
    default:
      {
        g_autoptr (GInputStream) memory = g_memory_input_stream_new_from_data ("text", 4, NULL);

        return AEX_PENDING_FOR_GIO (g_input_stream_read_bytes, memory, 4, G_PRIORITY_DEFAULT);
      }
    }
}

static void
check_outcome (Operation *self,
               guint      index)
{
  g_autoptr (GError) error = aex_pending_dup_error (self->pending);

  g_assert_cmpint (self->n_done, ==, 1);
  g_assert_cmpint (aex_pending_is_cancelled (self->pending), ==, self->cancelled);
  if (self->cancelled)
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  else if (index % 4 == 1)
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  else
    g_assert_no_error (error);
}

static gboolean
side_is_done (gpointer side)
{
  return ((Side *) side)->n_done == N_OPERATIONS;
}

static void
run_side (gpointer storm,
          gpointer which)
{
  Storm *self = storm;
  Side *side = &self->sides[GPOINTER_TO_INT (which)];

  side->thread = g_thread_self ();
  for (guint i = 0; i < N_OPERATIONS; i++)
    {
      Operation *operation = &side->operations[i];

      operation->storm = self;
      operation->pending = begin_one (self, i);
      aex_pending_add_done_callback (operation->pending, operation_done, operation, NULL);
    }
  aex_gate_open (&side->begun);
  /* All are under way before the first can end. */
  aex_gate_wait (&self->sides[side == self->sides].begun);
  aex_test_iterate_until (side_is_done, side);
}

static gpointer
cancel_thread (gpointer storm)
{
  Storm *self = storm;
  GRand *rand = g_rand_new_with_seed (self->seed + (guint32) g_atomic_int_add (&self->next_seed, 1));

  for (guint i = 0; i < 2; i++)
    aex_gate_wait (&self->sides[i].begun);
  for (guint i = 0; i < N_OPERATIONS; i++)
    {
      Side *side = &self->sides[g_rand_int_range (rand, 0, 2)];
      Operation *operation = &side->operations[g_rand_int_range (rand, 0, N_OPERATIONS)];

      if (aex_pending_cancel (operation->pending, NULL))
        g_atomic_int_set (&operation->cancelled, 1);
    }
  g_rand_free (rand);
  return NULL;
}

static gpointer
call_other_side (gpointer storm)
{
  aex_loop_thread_call (((Storm *) storm)->other, run_side, storm, GINT_TO_POINTER (1));
  return NULL;
}

static void
run_round (AexFileTest   *files,
           AexLoopThread *other,
           guint32        seed)
{
  Storm *self = g_new0 (Storm, 1);
  GThread *threads[N_CANCELLERS + 1];

  self->other = other;
  self->seed = seed;
  self->file = aex_gio_file (files, "a", "text");
  self->missing = aex_gio_file (files, "missing", NULL);
  for (guint i = 0; i < 2; i++)
    aex_gate_init (&self->sides[i].begun);
  for (guint i = 0; i < N_CANCELLERS; i++)
    threads[i] = g_thread_new ("cancel", cancel_thread, self);
  threads[N_CANCELLERS] = g_thread_new ("other", call_other_side, self);
  run_side (self, GINT_TO_POINTER (0));
  for (guint i = 0; i <= N_CANCELLERS; i++)
    g_thread_join (threads[i]);
  for (guint i = 0; i < 2; i++)
    for (guint j = 0; j < N_OPERATIONS; j++)
      {
        check_outcome (&self->sides[i].operations[j], j);
        g_object_unref (self->sides[i].operations[j].pending);
      }
  for (guint i = 0; i < 2; i++)
    aex_gate_clear (&self->sides[i].begun);
  g_object_unref (self->file);
  g_object_unref (self->missing);
  g_free (self);
}

static void
test_cancel_at_random (void)
{
  g_auto (AexFileTest) files = aex_file_test_begin ();
  AexLoopThread *other = aex_loop_thread_new ();

  aex_test_set_watchdog (600);
  for (guint i = 0; i < aex_test_scale (FULL_ROUNDS); i++)
    run_round (&files, other, (guint32) g_test_rand_int ());
  aex_loop_thread_free (other);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/stress/Y9-I1/cancel-at-random", test_cancel_at_random);
  return aex_test_run ();
}
