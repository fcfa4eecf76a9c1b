/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-growth.h"
#include "lib/aex-jobs.h"

/* Row X8: who produces ten times faster than is consumed, for as long as the tier says.  Every bound is held by count,
 * reached, and memory does not grow.  In small and by number: test-stress-memory.c. */

#define WINDOW 64
#define FASTER 10
/* What an AexPending keeps of messages. */
#define N_MESSAGES 1024

/* What a consumer does with an item of those that hold up whoever gives too much. */
static void
work (void)
{
  G_GNUC_UNUSED static volatile guint sink;

  for (guint i = 0; i < 4000; i++)
    sink += i;
}

/* --- submissions, refused while max-pending wait */
typedef struct
{
  AexExecutor *executor;
  guint        n_at_once;
  AexGrowth    growth;
  guint64      n_accepted;
  guint        most_waiting;
  GMutex       lock;
  GCond        cond;
  guint64      n_offered;       /* lock, and the next two */
  guint64      n_run;
  gboolean     over;
  guint        n_released;      /* atomic */
  int          n_running;       /* atomic */
  int          most_running;    /* atomic */
} Flood;

/* Consumers keep the pace: a job ends when ten more were offered. */
static void
flood_take (Flood *self)
{
  g_mutex_lock (&self->lock);
  while (!self->over && self->n_offered < FASTER * (self->n_run + 1))
    g_cond_wait (&self->cond, &self->lock);
  self->n_run++;
  g_mutex_unlock (&self->lock);
}

static gboolean
flood_job (AexPending   *job,
           GCancellable *cancellable,
           gpointer      data,
           GError      **error)
{
  Flood *self = data;
  int running = g_atomic_int_add (&self->n_running, 1) + 1, most = g_atomic_int_get (&self->most_running);

  while (running > most && !g_atomic_int_compare_and_exchange (&self->most_running, most, running))
    most = g_atomic_int_get (&self->most_running);
  flood_take (self);
  g_atomic_int_add (&self->n_running, -1);
  return TRUE;
}

static void
flood_released (gpointer data)
{
  g_atomic_int_inc (&((Flood *) data)->n_released);
  g_main_context_wakeup (NULL);
}

static gboolean
flood_is_released (gpointer data)
{
  Flood *self = data;

  return (guint) g_atomic_int_get (&self->n_released) == self->n_offered;
}

/* What was accepted and has not ended waits or runs. */
static void
flood_count (Flood   *self,
             gboolean accepted)
{
  g_mutex_lock (&self->lock);
  self->n_accepted += accepted;
  g_assert_cmpuint (self->n_accepted - self->n_run, <=, WINDOW + self->n_at_once);
  if (++self->n_offered % FASTER == 0)
    g_cond_signal (&self->cond);
  g_mutex_unlock (&self->lock);
}

/* The rest is done at once. */
static void
flood_end (Flood *self)
{
  g_mutex_lock (&self->lock);
  self->over = TRUE;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
  g_object_ref (self->executor);
  aex_test_shutdown (self->executor);
  aex_test_iterate_until (flood_is_released, self);
  g_object_unref (self->executor);
}

/* TRUE: accepted. */
static gboolean
flood_offer (Flood *self)
{
  g_autoptr (AexPending) job = aex_executor_submit (self->executor, flood_job, self, flood_released);
  g_autoptr (GError) error = aex_pending_is_done (job) ? aex_pending_dup_error (job) : NULL;
  guint n_waiting = aex_executor_get_n_pending (self->executor);

  g_assert_cmpuint (n_waiting, <=, WINDOW);
  self->most_waiting = MAX (self->most_waiting, n_waiting);
  if (error == NULL)
    return TRUE;
  g_assert_error (error, AEX_ERROR, AEX_ERROR_BUSY);
  return FALSE;
}

static void
flood (const char  *name,
       AexExecutor *executor,
       guint        n_at_once)
{
  Flood self = { .executor = executor, .n_at_once = n_at_once };

  g_mutex_init (&self.lock);
  g_cond_init (&self.cond);
  g_object_set (executor, "max-pending", (guint) WINDOW, NULL);
  aex_growth_begin (&self.growth, name);
  while (aex_growth_goes_on (&self.growth))
    {
      flood_count (&self, flood_offer (&self));
      /* What was refused is released in the loop of who offered it. */
      if (self.n_offered % WINDOW == 0)
        aex_test_drain ();
    }
  flood_end (&self);
  g_assert_cmpuint (self.n_run, ==, self.n_accepted);
  g_assert_cmpuint (self.n_offered, >, FASTER * (self.n_accepted - WINDOW - n_at_once));
  g_assert_cmpuint (self.most_waiting, ==, WINDOW);
  g_assert_cmpint (self.most_running, ==, (int) n_at_once);
  aex_growth_end (&self.growth, "offered=%" G_GUINT64_FORMAT " accepted=%" G_GUINT64_FORMAT " bound=%u most=%u",
                  self.n_offered, self.n_accepted, WINDOW, self.most_waiting);
  g_cond_clear (&self.cond);
  g_mutex_clear (&self.lock);
}

static void
test_thread_pool (void)
{
  flood ("thread-pool", aex_test_pool (1), 1);
}

static void
test_caller (void)
{
  g_autoptr (GError) error = NULL;
  AexCaller *caller = aex_caller_new_thread ("slow", &error);

  g_assert_no_error (error);
  flood ("caller", AEX_EXECUTOR (caller), 1);
}

static void
test_caller_pool (void)
{
  g_autoptr (GError) error = NULL;
  AexExecutor *pool = aex_caller_pool_new (2, &error);

  g_assert_no_error (error);
  flood ("caller-pool", pool, 2);
}

static void
test_limiter (void)
{
  AexExecutor *pool = aex_test_pool (4);

  flood ("limiter", aex_limiter_new (pool, 2), 2);
  aex_test_shutdown (pool);
}

/* --- a map is pulled by its consumer: no more than the window was started and not taken */
typedef struct
{
  AexGrowth growth;
  guint     n_started;  /* atomic */
  guint     n_asked;    /* atomic: items that were taken, and the one that is wanted */
  guint     most_ahead; /* atomic */
} Map;

static gboolean
map_func (AexPendingStream *stream,
          guint             index,
          GCancellable     *cancellable,
          gpointer          data,
          GError          **error)
{
  Map *self = data;
  guint started = g_atomic_int_add (&self->n_started, 1) + 1;
  guint ahead = started - g_atomic_int_get (&self->n_asked), most = g_atomic_int_get (&self->most_ahead);

  /* Asked for since then: fewer are ahead, never more. */
  while ((int) ahead > (int) most && !g_atomic_int_compare_and_exchange (&self->most_ahead, most, ahead))
    most = g_atomic_int_get (&self->most_ahead);
  return TRUE;
}

static void
check_map (const char *name,
           AexMapFlags flags)
{
  AexExecutor *pool = aex_test_pool (2);
  Map self = { .n_started = 0 };
  g_autoptr (AexPendingStream) stream = NULL;
  g_autoptr (AexPending) closed = NULL;

  aex_growth_begin (&self.growth, name);
  stream = aex_executor_map (pool, G_MAXINT, WINDOW, -1, flags, map_func, &self, NULL);
  while (aex_growth_goes_on (&self.growth))
    {
      AexPendingResult *result;

      g_atomic_int_inc (&self.n_asked);
      result = aex_pending_stream_next_sync (stream, -1, NULL, NULL);
      g_assert_nonnull (result);
      g_object_unref (result);
      work ();
    }
  closed = aex_pending_stream_close (stream);
  aex_test_run_until_done (closed);
  aex_test_shutdown (pool);
  g_assert_cmpuint (self.most_ahead, <=, WINDOW);
  g_assert_cmpuint (self.n_started, >=, self.n_asked);
  aex_growth_end (&self.growth, "started=%u taken=%u bound=%u most=%u", self.n_started, self.n_asked, WINDOW,
                  self.most_ahead);
}

static void
test_map (void)
{
  check_map ("map", AEX_MAP_FLAGS_NONE);
}

static void
test_map_unordered (void)
{
  check_map ("map-unordered", AEX_MAP_FLAGS_UNORDERED);
}

/* --- a stream that is pushed into, and messages: who gives too much is held up */
typedef struct
{
  AexGrowth         growth;
  AexPendingStream *stream;
  guint             n_given;    /* atomic */
  guint             n_taken;    /* atomic */
  guint             n_held_up;
  guint             most_ahead;
  int               enough;     /* atomic */
} Gift;

static void
gift_given (Gift *self)
{
  int given = g_atomic_int_add (&self->n_given, 1) + 1;
  int ahead = given - g_atomic_int_get (&self->n_taken);

  self->most_ahead = MAX ((int) self->most_ahead, ahead);
}

static gboolean
push_job (AexPending   *job,
          GCancellable *cancellable,
          gpointer      data,
          GError      **error)
{
  Gift *self = data;

  while (!g_atomic_int_get (&self->enough))
    {
      g_autoptr (AexPending) pushed = aex_pending_stream_push (self->stream, NULL);

      self->n_held_up += !aex_pending_is_done (pushed);
      if (!aex_pending_wait (pushed, AEX_WAIT_FLAGS_NONE, -1, NULL, error))
        return FALSE;
      gift_given (self);
    }
  aex_pending_stream_end (self->stream, NULL);
  return TRUE;
}

static void
test_push (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPendingStream) stream = aex_pending_stream_new (WINDOW);
  Gift self = { .stream = stream };
  g_autoptr (AexPending) job = NULL;
  AexPendingResult *result;

  aex_growth_begin (&self.growth, "push");
  job = aex_executor_submit (pool, push_job, &self, NULL);
  while ((result = aex_pending_stream_next_sync (stream, -1, NULL, NULL)) != NULL)
    {
      g_assert_cmpuint (aex_pending_result_get_index (result), ==, self.n_taken);
      g_object_unref (result);
      g_atomic_int_inc (&self.n_taken);
      work ();
      g_atomic_int_set (&self.enough, !aex_growth_goes_on (&self.growth) || g_atomic_int_get (&self.enough));
    }
  aex_test_wait (job);
  aex_assert_state (job, RESOLVED);
  aex_test_shutdown (pool);
  g_assert_cmpuint (self.n_given, ==, self.n_taken);
  g_assert_cmpuint (self.n_held_up, >, 0);
  /* The one that was just taken is not counted as taken yet. */
  g_assert_cmpuint (self.most_ahead, <=, WINDOW + 1);
  g_assert_cmpuint (self.most_ahead, >=, WINDOW);
  aex_growth_end (&self.growth, "given=%u held_up=%u bound=%u most=%u", self.n_given, self.n_held_up, WINDOW,
                  self.most_ahead);
}

static gboolean
publish_job (AexPending   *job,
             GCancellable *cancellable,
             gpointer      data,
             GError      **error)
{
  Gift *self = data;

  while (!g_atomic_int_get (&self->enough))
    {
      g_autoptr (GVariant) message = g_variant_ref_sink (g_variant_new_uint32 (self->n_given));

      if (!aex_pending_publish (job, message))
        {
          self->n_held_up++;
          if (!aex_pending_publish_wait (job, message, error))
            return FALSE;
        }
      gift_given (self);
    }
  return TRUE;
}

static void
publish_listen (AexPending *job,
                GVariant   *message,
                gpointer    data)
{
  Gift *self = data;

  g_assert_cmpuint (g_variant_get_uint32 (message), ==, self->n_taken);
  g_atomic_int_inc (&self->n_taken);
  work ();
  if (!aex_growth_goes_on (&self->growth))
    g_atomic_int_set (&self->enough, 1);
}

static void
test_publish (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexBlock block;
  AexPending *blocking = aex_block_begin (&block, pool);
  Gift self = { .n_given = 0 };
  g_autoptr (AexPending) job = aex_executor_submit (pool, publish_job, &self, NULL);

  aex_growth_begin (&self.growth, "publish");
  aex_pending_subscribe (job, publish_listen, &self, NULL);
  aex_block_end (&block, blocking);
  aex_test_run_until_done (job);
  aex_assert_state (job, RESOLVED);
  aex_test_shutdown (pool);
  g_assert_cmpuint (self.n_given, ==, self.n_taken);
  g_assert_cmpuint (aex_pending_get_n_lost_messages (job), ==, 0);
  g_assert_cmpuint (self.n_held_up, >, 0);
  g_assert_cmpuint (self.most_ahead, <=, N_MESSAGES + 1);
  g_assert_cmpuint (self.most_ahead, >=, N_MESSAGES);
  aex_growth_end (&self.growth, "given=%u held_up=%u bound=%u most=%u", self.n_given, self.n_held_up, N_MESSAGES,
                  self.most_ahead);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_set_watchdog (300);
  aex_test_add ("/bounded/X8/thread-pool", test_thread_pool);
  aex_test_add ("/bounded/X8/caller", test_caller);
  aex_test_add ("/bounded/X8/caller-pool", test_caller_pool);
  aex_test_add ("/bounded/X8/limiter", test_limiter);
  aex_test_add ("/bounded/X8-E4/map", test_map);
  aex_test_add ("/bounded/X8-S8/map-unordered", test_map_unordered);
  aex_test_add ("/bounded/X8/push", test_push);
  aex_test_add ("/bounded/X8-W7/publish", test_publish);
  return aex_test_run ();
}
