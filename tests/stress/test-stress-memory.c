/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-growth.h"
#include "lib/aex-jobs.h"

/* Row X8 by number (test-stress-bounded.c: by time): whoever produces faster than is consumed is held up, or told, at the
 * bound, and memory does not grow with the count. */

#define WINDOW 64
#define MAX_GROWTH_KIB (8 * 1024)
#define N_WARM_UP 10000
#define SAMPLE_EVERY 1024

/* What the process has in memory, from the warm-up on. */
typedef struct
{
  guint64 n;
  long    first_kib, most_kib;
} Memory;

static void
memory_count (Memory *self)
{
  long now;

  if (++self->n < N_WARM_UP || self->n % SAMPLE_EVERY != 0)
    return;
  now = aex_growth_resident_kib ();
  if (self->first_kib == 0)
    self->first_kib = now;
  self->most_kib = MAX (self->most_kib, now);
}

static void
memory_check (Memory *self)
{
  g_assert_cmpint (self->first_kib, >, 0);
  g_test_message ("figure: memory items=%" G_GUINT64_FORMAT " max_growth_kib=%ld", self->n, self->most_kib - self->first_kib);
  /* A sanitizer keeps what was freed. */
  if (!aex_test_is_sanitized ())
    g_assert_cmpint (self->most_kib - self->first_kib, <=, MAX_GROWTH_KIB);
}

/* --- a map of so many items that all of them would not fit */
static gboolean
item_func (AexPendingStream *stream,
           guint             index,
           GCancellable     *cancellable,
           gpointer          user_data,
           GError          **error)
{
  g_auto (GValue) value = G_VALUE_INIT;

  g_value_init (&value, G_TYPE_UINT);
  g_value_set_uint (&value, index);
  aex_pending_stream_set_value (stream, index, &value);
  return TRUE;
}

static void
check_map (AexMapFlags flags)
{
  AexExecutor *pool = aex_test_pool (2);
  guint n = MAX (aex_test_scale_size (10000000), 10 * N_WARM_UP);
  g_autoptr (AexPendingStream) stream = aex_executor_map (pool, n, WINDOW, -1, flags, item_func, NULL, NULL);
  g_autoptr (GError) error = NULL;
  AexPendingResult *result;
  Memory memory = { 0 };
  guint64 sum = 0;

  while ((result = aex_pending_stream_next_sync (stream, -1, NULL, &error)) != NULL)
    {
      sum += g_value_get_uint (aex_pending_result_get_value (result, NULL));
      g_object_unref (result);
      memory_count (&memory);
      g_assert_cmpuint (aex_pending_stream_get_n_done (stream) - memory.n, <=, WINDOW);
    }
  g_assert_no_error (error);
  g_assert_cmpuint (memory.n, ==, n);
  g_assert_cmpuint (sum, ==, (guint64) n * (n - 1) / 2);
  memory_check (&memory);
  /* Whoever asks late for a list of the results gets those that come: before, there was none. */
  g_assert_cmpuint (g_list_model_get_n_items (aex_pending_stream_get_model (stream)), ==, 0);
  aex_test_shutdown (pool);
}

static void
test_map (void)
{
  check_map (AEX_MAP_FLAGS_NONE);
}

static void
test_map_unordered (void)
{
  check_map (AEX_MAP_FLAGS_UNORDERED);
}

/* --- submissions, ten times as fast as they are worked off */
static void
work (void)
{
  G_GNUC_UNUSED static volatile guint sink;

  for (guint i = 0; i < 2000; i++)
    sink += i;
}

static gboolean
slow_job (AexPending   *job,
          GCancellable *cancellable,
          gpointer      n_run,
          GError      **error)
{
  work ();
  g_atomic_int_inc ((int *) n_run);
  return TRUE;
}

static void
test_max_pending (void)
{
  AexExecutor *pool = aex_test_pool (1);
  guint n = MAX (aex_test_scale_size (1000000), 5 * N_WARM_UP), n_refused = 0;
  g_autoptr (AexPending) last = NULL;
  Memory memory = { 0 };
  int n_run = 0;

  g_object_set (pool, "max-pending", (guint) WINDOW, NULL);
  while (memory.n < n)
    {
      g_autoptr (AexPending) job = aex_executor_submit (pool, slow_job, &n_run, NULL);
      g_autoptr (GError) error = aex_pending_is_done (job) ? aex_pending_dup_error (job) : NULL;

      g_assert_cmpuint (aex_executor_get_n_pending (pool), <=, WINDOW);
      if (error == NULL)
        {
          g_set_object (&last, job);
          memory_count (&memory);
          continue;
        }
      g_assert_error (error, AEX_ERROR, AEX_ERROR_BUSY);
      n_refused++;
      aex_test_wait (last);
    }
  aex_test_wait (last);
  aex_test_shutdown (pool);
  g_assert_cmpuint (n_refused, >, 0);
  g_assert_cmpuint ((guint) n_run, ==, n);
  memory_check (&memory);
}

/* --- messages */
typedef struct
{
  guint  n;
  guint  n_full;
  Memory memory;      /* on the subscriber's thread */
  gint64 next;
} Talk;

static gboolean
talk_job (AexPending   *job,
          GCancellable *cancellable,
          gpointer      data,
          GError      **error)
{
  Talk *self = data;

  for (guint i = 0; i < self->n; i++)
    {
      g_autoptr (GVariant) message = g_variant_ref_sink (g_variant_new_int64 (i));

      if (aex_pending_publish (job, message))
        continue;
      self->n_full++;
      if (!aex_pending_publish_wait (job, message, error))
        return FALSE;
    }
  return TRUE;
}

static void
listen (AexPending *job,
        GVariant   *message,
        gpointer    data)
{
  Talk *self = data;

  g_assert_cmpint (g_variant_get_int64 (message), ==, self->next++);
  work ();
  memory_count (&self->memory);
}

static void
test_publish (void)
{
  AexExecutor *pool = aex_test_pool (1);
  Talk talk = { .n = MAX (aex_test_scale_size (1000000), 5 * N_WARM_UP) };
  AexBlock block;
  AexPending *blocking = aex_block_begin (&block, pool);
  g_autoptr (AexPending) job = aex_executor_submit (pool, talk_job, &talk, NULL);

  aex_pending_subscribe (job, listen, &talk, NULL);
  aex_block_end (&block, blocking);
  aex_test_run_until_done (job);
  aex_assert_state (job, RESOLVED);
  g_assert_cmpint (talk.next, ==, talk.n);
  g_assert_cmpuint (talk.n_full, >, 0);
  g_assert_cmpuint (aex_pending_get_n_lost_messages (job), ==, 0);
  memory_check (&talk.memory);
  aex_test_shutdown (pool);
}

/* --- a pushed stream */
static gboolean
push_job (AexPending   *job,
          GCancellable *cancellable,
          gpointer      data,
          GError      **error)
{
  AexPendingStream *stream = data;
  guint n = MAX (aex_test_scale_size (1000000), 5 * N_WARM_UP), n_full = 0;

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (AexPending) pushed = aex_pending_stream_push (stream, NULL);

      n_full += !aex_pending_is_done (pushed);
      if (!aex_pending_wait (pushed, AEX_WAIT_FLAGS_NONE, -1, NULL, error))
        return FALSE;
    }
  aex_pending_stream_end (stream, NULL);
  return aex_pending_resolve_int64 (job, n_full);
}

static void
test_push (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPendingStream) stream = aex_pending_stream_new (WINDOW);
  g_autoptr (AexPending) job = aex_executor_submit (pool, push_job, stream, NULL);
  AexPendingResult *result;
  Memory memory = { 0 };

  while ((result = aex_pending_stream_next_sync (stream, -1, NULL, NULL)) != NULL)
    {
      g_assert_cmpuint (aex_pending_result_get_index (result), ==, memory.n);
      g_object_unref (result);
      work ();
      memory_count (&memory);
    }
  aex_test_wait (job);
  g_assert_cmpint (aex_pending_get_int64 (job, NULL), >, 0);
  memory_check (&memory);
  aex_test_shutdown (pool);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_set_watchdog (300);
  aex_test_add ("/stress/memory/E4/map", test_map);
  aex_test_add ("/stress/memory/S8/map-unordered", test_map_unordered);
  aex_test_add ("/stress/memory/max-pending", test_max_pending);
  aex_test_add ("/stress/memory/W7/publish", test_publish);
  aex_test_add ("/stress/memory/push", test_push);
  return aex_test_run ();
}
