/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"

/* Whoever looks on without a reference is told of the end of a pending, whether the library lets go of it last or its
 * user does. */

typedef struct
{
  GWeakRef weak_ref;
  gpointer weak_pointer;
  GClosure *watched;
  int       n_weak;         /* atomic, as all of these */
  int       n_data;
  int       n_handler;
} Onlookers;

static void
count (gpointer counter)
{
  g_atomic_int_inc ((int *) counter);
}

static void
count_weak (gpointer self, GObject *where_it_was)
{
  count (&((Onlookers *) self)->n_weak);
}

static void
count_handler (gpointer self, GClosure *closure)
{
  count (&((Onlookers *) self)->n_handler);
}

static void
ignore_notify (GObject *object, GParamSpec *pspec, gpointer data)
{
}

enum { BY_WEAK_REF, BY_WEAK_POINTER, BY_WEAK_NOTIFY, BY_DATA, BY_CLOSURE, BY_HANDLER, N_KINDS };

/* One alone, or N_KINDS: all. */
static void
onlookers_attach (Onlookers *self, AexPending *pending, guint kind)
{
  GObject *object = G_OBJECT (pending);

  *self = (Onlookers) { 0 };
  g_weak_ref_init (&self->weak_ref, kind == BY_WEAK_REF || kind == N_KINDS ? object : NULL);
  if (kind == BY_WEAK_POINTER || kind == N_KINDS)
    {
      self->weak_pointer = object;
      g_object_add_weak_pointer (object, &self->weak_pointer);
    }
  if (kind == BY_WEAK_NOTIFY || kind == N_KINDS)
    g_object_weak_ref (object, count_weak, self);
  if (kind == BY_DATA || kind == N_KINDS)
    g_object_set_data_full (object, "onlooker", &self->n_data, count);
  if (kind == BY_CLOSURE || kind == N_KINDS)
    {
      self->watched = g_closure_ref (g_cclosure_new (G_CALLBACK (ignore_notify), self, NULL));
      g_closure_sink (self->watched);
      g_object_watch_closure (object, self->watched);
    }
  if (kind == BY_HANDLER || kind == N_KINDS)
    g_signal_connect_data (object, "notify", G_CALLBACK (ignore_notify), self, count_handler, 0);
}

static void
onlookers_check (Onlookers *self, guint kind)
{
  g_assert_null (g_weak_ref_get (&self->weak_ref));
  g_weak_ref_clear (&self->weak_ref);
  g_assert_null (self->weak_pointer);
  g_assert_cmpint (self->n_weak, ==, kind == BY_WEAK_NOTIFY || kind == N_KINDS);
  g_assert_cmpint (self->n_data, ==, kind == BY_DATA || kind == N_KINDS);
  g_assert_cmpint (self->n_handler, ==, kind == BY_HANDLER || kind == N_KINDS);
  if (self->watched == NULL)
    return;
  g_assert_true (self->watched->is_invalid);
  g_closure_unref (self->watched);
}

/* A worker holds the last reference. */
static void
test_dropped_by_the_library (void)
{
  for (guint kind = 0; kind <= N_KINDS; kind++)
    {
      AexExecutor *pool = aex_test_pool (1);
      AexBlock block;
      AexPending *job;
      Onlookers self;

      aex_block_init (&block);
      job = aex_executor_submit (pool, aex_block_job, &block, NULL);
      aex_gate_wait (&block.started);
      onlookers_attach (&self, job, kind);
      g_object_unref (job);
      aex_gate_open (&block.release);
      aex_test_shutdown (pool);
      aex_test_wait_threads ();
      onlookers_check (&self, kind);
      aex_block_clear (&block);
    }
}

static void
test_dropped_by_its_user (void)
{
  for (guint kind = 0; kind <= N_KINDS; kind++)
    {
      AexPending *pending = aex_pending_new ();
      Onlookers self;

      onlookers_attach (&self, pending, kind);
      aex_pending_resolve (pending, NULL);
      /* What is on its way to a handler holds a reference. */
      aex_test_drain ();
      aex_assert_last_unref (pending);
      onlookers_check (&self, kind);
    }
}

/* A callback drops the last reference that is not the library's, on the way to its end. */
static void
drop_in_callback (AexPending *pending, gpointer user_data)
{
  g_object_unref (pending);
}

static void
test_dropped_after_a_callback (void)
{
  for (guint kind = 0; kind <= N_KINDS; kind++)
    {
      AexPending *pending = aex_pending_new ();
      Onlookers self;

      onlookers_attach (&self, pending, kind);
      aex_pending_add_done_callback (pending, drop_in_callback, NULL, NULL);
      aex_pending_resolve (pending, NULL);
      aex_test_drain ();
      onlookers_check (&self, kind);
    }
}

static void
note_toggle (gpointer n_toggles, GObject *object, gboolean is_last)
{
  if (is_last)
    count (n_toggles);
}

/* A binding's reference is the last, and it is told so. */
static void
test_toggled (void)
{
  AexPending *pending = aex_pending_new ();
  int n_toggles = 0;
  gpointer weak = pending;

  g_object_add_weak_pointer (G_OBJECT (pending), &weak);
  g_object_add_toggle_ref (G_OBJECT (pending), note_toggle, &n_toggles);
  g_object_unref (pending);
  g_assert_cmpint (n_toggles, ==, 1);
  g_object_ref (pending);
  aex_pending_resolve (pending, NULL);
  g_object_unref (pending);
  g_assert_nonnull (weak);
  g_object_remove_toggle_ref (G_OBJECT (pending), note_toggle, &n_toggles);
  g_assert_null (weak);
}

/* ---- a weak reference is taken up while the library lets go */

typedef struct
{
  GWeakRef weak_ref;
  AexGate  armed;
} Chase;

static gboolean
chased_job (AexPending *job, GCancellable *cancellable, gpointer user_data, GError **error)
{
  Chase *chase = user_data;

  aex_gate_wait (&chase->armed);
  return aex_pending_resolve_int64 (job, 42);
}

static void
chase_once (AexExecutor *pool, Chase *chase)
{
  AexPending *job;

  aex_gate_init (&chase->armed);
  job = aex_executor_submit (pool, chased_job, chase, NULL);
  g_weak_ref_init (&chase->weak_ref, job);
  g_object_unref (job);
  job = g_weak_ref_get (&chase->weak_ref);
  g_assert_nonnull (job);
  g_object_unref (job);
  aex_gate_open (&chase->armed);
  while ((job = g_weak_ref_get (&chase->weak_ref)) != NULL)
    {
      g_assert_cmpint (aex_pending_get_state (job), !=, AEX_PENDING_STATE_CANCELLED);
      if (aex_pending_is_done (job))
        g_assert_cmpint (aex_pending_get_int64 (job, NULL), ==, 42);
      g_object_unref (job);
    }
  g_weak_ref_clear (&chase->weak_ref);
}

static void
test_taken_up (void)
{
  AexExecutor *pool = aex_test_pool (1);
  Chase chase;
  guint n = aex_test_scale (300);

  for (guint i = 0; i < n; i++)
    {
      chase_once (pool, &chase);
      aex_gate_clear (&chase.armed);
    }
  aex_test_shutdown (pool);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/pending/K46/dropped-by-the-library", test_dropped_by_the_library);
  aex_test_add ("/pending/K46/dropped-by-its-user", test_dropped_by_its_user);
  aex_test_add ("/pending/K46/dropped-after-a-callback", test_dropped_after_a_callback);
  aex_test_add ("/pending/K46/toggled", test_toggled);
  aex_test_add ("/pending/K46/taken-up", test_taken_up);
  return aex_test_run ();
}
