/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One defect per mode, and its twin without the defect.  A detector that is
 * silent about the library proves something only after it has spoken here,
 * and only if it is silent about the twins.
 *
 *   planted MODE          runs the defect
 *   planted MODE --fixed  runs the twin
 */

#include "planted-main.h"

#include <gio/gio.h>
#include <string.h>

#define ROUNDS 20000

/* Waits until both threads have started, so that they overlap. */
static gint arrived;

static void
meet (void)
{
  g_atomic_int_inc (&arrived);
  while (g_atomic_int_get (&arrived) < 2)
    g_thread_yield ();
}

static void
run_twice (GThreadFunc func,
           gpointer    data)
{
  GThread *first = g_thread_new ("planted-1", func, data);
  GThread *second = g_thread_new ("planted-2", func, data);

  g_thread_join (first);
  g_thread_join (second);
}

/* counter: two threads increment one plain integer. */

static GMutex counter_lock;
static guint counter;

static gpointer
counter_thread (gpointer data)
{
  meet ();

  for (guint i = 0; i < ROUNDS; i++)
    {
      if (fixed)
        g_mutex_lock (&counter_lock);
      counter++;
      if (fixed)
        g_mutex_unlock (&counter_lock);
    }

  return NULL;
}

static void
plant_counter (void)
{
  run_twice (counter_thread, NULL);
}

/* flag: a volatile is taken for an atomic. */

static volatile gint volatile_flag;
static gint atomic_flag;
static guint behind_flag;

static gpointer
flag_thread (gpointer data)
{
  behind_flag = 42;

  if (fixed)
    g_atomic_int_set (&atomic_flag, 1);
  else
    volatile_flag = 1;

  return NULL;
}

static void
plant_flag (void)
{
  GThread *thread = g_thread_new ("planted", flag_thread, NULL);

  while (fixed ? !g_atomic_int_get (&atomic_flag) : !volatile_flag)
    g_thread_yield ();

  g_assert_cmpuint (behind_flag, ==, 42);
  g_thread_join (thread);
}

/* half-locked: the writer takes the lock, the reader does not. */

static guint half_locked;

static gpointer
half_locked_writer (gpointer data)
{
  meet ();

  for (guint i = 0; i < ROUNDS; i++)
    {
      g_mutex_lock (&counter_lock);
      half_locked++;
      g_mutex_unlock (&counter_lock);
    }

  return NULL;
}

static gpointer
half_locked_reader (gpointer data)
{
  guint sum = 0;

  meet ();

  for (guint i = 0; i < ROUNDS; i++)
    {
      if (fixed)
        g_mutex_lock (&counter_lock);
      sum += half_locked;
      if (fixed)
        g_mutex_unlock (&counter_lock);
    }

  return GUINT_TO_POINTER (sum);
}

static void
plant_half_locked (void)
{
  GThread *writer = g_thread_new ("planted-w", half_locked_writer, NULL);
  GThread *reader = g_thread_new ("planted-r", half_locked_reader, NULL);

  g_thread_join (writer);
  g_thread_join (reader);
}

/* publish: a record is written after the source that reads it was attached. */

static gboolean
publish_dispatch (gpointer data)
{
  guint *record = data;

  (*record)++;

  return G_SOURCE_REMOVE;
}

static gboolean
publish_quit (gpointer data)
{
  g_main_loop_quit (data);

  return G_SOURCE_REMOVE;
}

static gpointer
publish_thread (gpointer data)
{
  GMainLoop *loop = data;
  GMainContext *context = g_main_loop_get_context (loop);

  for (guint i = 0; i < 2000; i++)
    {
      g_autoptr (GSource) source = g_idle_source_new ();
      guint *record = g_new0 (guint, 1);

      if (fixed)
        *record = i;
      g_source_set_callback (source, publish_dispatch, record, g_free);
      g_source_attach (source, context);
      if (!fixed)
        *record = i;
    }

  g_main_context_invoke (context, publish_quit, loop);

  return NULL;
}

static void
plant_publish (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GMainLoop) loop = g_main_loop_new (context, FALSE);
  GThread *thread = g_thread_new ("planted", publish_thread, loop);

  g_main_loop_run (loop);
  g_thread_join (thread);
}

/* lock-order: one after the other, so that nothing ever hangs. */

static GMutex lock_a;
static GMutex lock_b;

static gpointer
lock_order_thread (gpointer data)
{
  GMutex *first = data;
  GMutex *second = first == &lock_a ? &lock_b : &lock_a;

  g_mutex_lock (first);
  g_mutex_lock (second);
  g_mutex_unlock (second);
  g_mutex_unlock (first);

  return NULL;
}

static void
plant_lock_order (void)
{
  g_thread_join (g_thread_new ("planted-1", lock_order_thread, &lock_a));
  g_thread_join (g_thread_new ("planted-2", lock_order_thread, fixed ? &lock_a : &lock_b));
}

/* use-after-free: the owner frees what a thread still reads. */

static gpointer
use_after_free_thread (gpointer data)
{
  guint *block = data;
  guint sum = 0;

  meet ();

  for (guint i = 0; i < ROUNDS; i++)
    sum += block[i % 16];

  return GUINT_TO_POINTER (sum);
}

static void
plant_use_after_free (void)
{
  guint *block = g_new0 (guint, 16);
  GThread *thread = g_thread_new ("planted", use_after_free_thread, block);

  meet ();

  if (fixed)
    g_thread_join (thread);
  g_free (block);
  if (!fixed)
    g_thread_join (thread);
}

/* qdata: its list is locked by GObject, what it points to is not. */

static gpointer
qdata_thread (gpointer data)
{
  meet ();

  for (guint i = 0; i < ROUNDS; i++)
    {
      guint *value = g_object_get_data (data, "planted");

      if (fixed)
        g_mutex_lock (&counter_lock);
      (*value)++;
      if (fixed)
        g_mutex_unlock (&counter_lock);
    }

  return NULL;
}

static void
plant_qdata (void)
{
  g_autoptr (GObject) object = g_object_new (G_TYPE_OBJECT, NULL);

  g_object_set_data_full (object, "planted", g_new0 (guint, 1), g_free);
  run_twice (qdata_thread, object);
}

/* mixed: one side is atomic, the other a plain store. */

static gint mixed;

static gpointer
mixed_atomic (gpointer data)
{
  meet ();

  for (guint i = 0; i < ROUNDS; i++)
    g_atomic_int_inc (&mixed);

  return NULL;
}

static gpointer
mixed_plain (gpointer data)
{
  meet ();

  for (guint i = 0; i < ROUNDS; i++)
    {
      if (fixed)
        g_atomic_int_set (&mixed, 0);
      else
        mixed = 0;
    }

  return NULL;
}

static void
plant_mixed (void)
{
  GThread *atomic = g_thread_new ("planted-a", mixed_atomic, NULL);
  GThread *plain = g_thread_new ("planted-p", mixed_plain, NULL);

  g_thread_join (atomic);
  g_thread_join (plain);
}

/* What follows has nothing to do with threads. */

/* leak: the thread that knew a block is gone; what it left on its stack would hide the leak. */

static gpointer
leak_thread (gpointer data)
{
  char *block = g_strdup ("planted");

  if (fixed)
    g_free (block);

  return NULL;
}

static void
plant_leak (void)
{
  g_thread_join (g_thread_new ("planted", leak_thread, NULL));
}

/* uninitialised: a branch depends on what nobody wrote. */

static void
plant_uninitialised (void)
{
  guint *block = g_malloc (16 * sizeof *block);
  guint * volatile kept = block;

  if (fixed)
    memset (block, 0, 16 * sizeof *block);
  if (kept[7] == 42)
    g_printerr ("unlikely\n");
  g_free (block);
}

/* stale: a block is read after it was freed. */

static void
plant_stale (void)
{
  guint *block = g_new0 (guint, 16);
  guint * volatile kept = block;

  if (!fixed)
    g_free (block);
  if (kept[7] == 42)
    g_printerr ("unlikely\n");
  if (fixed)
    g_free (block);
}

/* unlock: a lock is released by somebody who does not hold it. */

static void
plant_unlock (void)
{
  g_mutex_lock (&lock_a);
  g_mutex_unlock (&lock_a);
  if (!fixed)
    g_mutex_unlock (&lock_a);
}

static const PlantedMode modes[] = {
  { "counter", plant_counter },
  { "flag", plant_flag },
  { "half-locked", plant_half_locked },
  { "publish", plant_publish },
  { "lock-order", plant_lock_order },
  { "use-after-free", plant_use_after_free },
  { "qdata", plant_qdata },
  { "mixed", plant_mixed },
  { "leak", plant_leak },
  { "uninitialised", plant_uninitialised },
  { "stale", plant_stale },
  { "unlock", plant_unlock },
  { NULL, NULL },
};

int
main (int    argc,
      char **argv)
{
  return planted_main (argc, argv, modes);
}
