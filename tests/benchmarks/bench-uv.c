/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What libuv makes of B1h, B3, B4, B5, B6 and B7.  Its pool has four threads. */

#include "bench.h"

#include <stdlib.h>

#include <uv.h>

typedef struct
{
  uv_loop_t loop;
  guint     left;
} Loop;

static void
loop_init (Loop *self, guint n)
{
  uv_loop_init (&self->loop);
  self->loop.data = self;
  self->left = n;
}

static void
loop_finish (Loop *self, BenchRun *run)
{
  uv_run (&self->loop, UV_RUN_DEFAULT);
  bench_expect (run, self->left, 0, "callbacks left");
  bench_expect (run, (guint64) -uv_loop_close (&self->loop), 0, "error of uv_loop_close()");
}

/* ---- B1h, B3 ---- */

static void
work (uv_work_t *request)
{
  request->data = request;
}

static void
work_counted (uv_work_t *request, int status)
{
  Loop *self = request->loop->data;

  self->left -= request->data == request;
  g_free (request);
}

static void
b1h (BenchRun *run)
{
  Loop self;

  loop_init (&self, run->n);
  bench_start (run);
  for (guint i = 0; i < run->n; i++)
    uv_queue_work (&self.loop, g_new0 (uv_work_t, 1), work, work_counted);
  uv_run (&self.loop, UV_RUN_DEFAULT);
  bench_stop (run);
  loop_finish (&self, run);
}

static void
work_chained (uv_work_t *request, int status)
{
  Loop *self = request->loop->data;

  if (--self->left > 0)
    uv_queue_work (&self->loop, request, work, work_chained);
}

static void
b3 (BenchRun *run)
{
  uv_work_t request;
  Loop self;

  loop_init (&self, run->n);
  bench_start (run);
  uv_queue_work (&self.loop, &request, work, work_chained);
  uv_run (&self.loop, UV_RUN_DEFAULT);
  bench_stop (run);
  loop_finish (&self, run);
}

/* ---- B4, B5: what one writes around uv_async_t to post functions ---- */

typedef struct _Post Post;

struct _Post
{
  Post *next;
  void (*func) (void);
};

typedef struct
{
  Loop       loop;
  uv_async_t async;
  GMutex     lock;
  Post      *first;     /* lock */
  Post     **last;      /* lock */
} Inbox;

static void
inbox_run (uv_async_t *async)
{
  Inbox *self = async->data;
  Post *post;

  g_mutex_lock (&self->lock);
  post = self->first;
  self->first = NULL;
  self->last = &self->first;
  g_mutex_unlock (&self->lock);
  while (post != NULL)
    {
      Post *next = post->next;

      post->func ();
      free (post);
      self->loop.left--;
      post = next;
    }
  if (self->loop.left == 0)
    uv_close ((uv_handle_t *) async, NULL);
}

static void
inbox_post (Inbox *self, void (*func) (void))
{
  Post *post = malloc (sizeof *post);
  gboolean was_empty;

  post->next = NULL;
  post->func = func;
  g_mutex_lock (&self->lock);
  was_empty = self->first == NULL;
  *self->last = post;
  self->last = &post->next;
  g_mutex_unlock (&self->lock);
  if (was_empty)
    uv_async_send (&self->async);
}

static void
inbox_init (Inbox *self, guint n)
{
  loop_init (&self->loop, n);
  uv_async_init (&self->loop.loop, &self->async, inbox_run);
  self->async.data = self;
  g_mutex_init (&self->lock);
  self->first = NULL;
  self->last = &self->first;
}

static gpointer
loop_thread (gpointer inbox)
{
  uv_run (&((Inbox *) inbox)->loop.loop, UV_RUN_DEFAULT);
  return NULL;
}

static void
b4 (BenchRun *run)
{
  GThread *thread;
  Inbox self;

  inbox_init (&self, run->n);
  bench_tally_reset ();
  thread = g_thread_new ("bench-uv", loop_thread, &self);
  bench_start (run);
  for (guint i = 0; i < run->n; i++)
    inbox_post (&self, bench_tally_add);
  g_thread_join (thread);
  bench_stop (run);
  bench_expect (run, bench_tally_sum (), run->n, "callbacks");
  loop_finish (&self.loop, run);
  g_mutex_clear (&self.lock);
}

static void
b5 (BenchRun *run)
{
  Inbox self;

  inbox_init (&self, run->n);
  bench_tally_reset ();
  bench_start (run);
  for (guint i = 0; i < run->n; i++)
    inbox_post (&self, bench_tally_add);
  uv_run (&self.loop.loop, UV_RUN_DEFAULT);
  bench_stop (run);
  bench_expect (run, bench_tally_sum (), run->n, "callbacks");
  loop_finish (&self.loop, run);
  g_mutex_clear (&self.lock);
}

/* ---- B6 ---- */

typedef struct
{
  uv_timer_t handle;
  gint64     due_ns;    /* at its end: how late it was */
} Timer;

static int
compare_lateness (const void *a, const void *b)
{
  gint64 x = ((const Timer *) a)->due_ns, y = ((const Timer *) b)->due_ns;

  return (x > y) - (x < y);
}

static void
timer_fired (uv_timer_t *handle)
{
  Timer *timer = (Timer *) handle;
  Loop *self = handle->loop->data;

  timer->due_ns = bench_now_ns () - timer->due_ns;
  self->left--;
  uv_close ((uv_handle_t *) handle, NULL);
}

static void
b6 (BenchRun *run)
{
  g_autofree Timer *timers = g_new0 (Timer, run->n);
  gint64 start_ns;
  Loop self;

  loop_init (&self, run->n);
  start_ns = bench_now_ns ();
  bench_start (run);
  for (guint i = 0; i < run->n; i++)
    {
      guint delay_ms = (guint) ((guint64) i * 7919 % G_USEC_PER_SEC) / 1000;

      timers[i].due_ns = bench_now_ns () + delay_ms * G_GINT64_CONSTANT (1000000);
      uv_timer_init (&self.loop, &timers[i].handle);
      uv_timer_start (&timers[i].handle, timer_fired, delay_ms, 0);
    }
  bench_stop (run);
  uv_run (&self.loop, UV_RUN_DEFAULT);
  bench_stop_cpu (run);
  run->extras[BENCH_FIRED_MS] = (bench_now_ns () - start_ns) / 1e6;
  loop_finish (&self, run);
  qsort (timers, run->n, sizeof (Timer), compare_lateness);
  run->extras[BENCH_LATE_P99_MS] = timers[(guint64) run->n * 99 / 100].due_ns / 1e6;
}

const BenchCase bench_uv_cases[] = {
  { "B1h", "libuv", 1000000, b1h },
  { "B3", "libuv", 20000, b3 },
  { "B4", "libuv", 1000000, b4 },
  { "B5", "libuv", 1000000, b5 },
  { "B6-100k", "libuv", 100000, b6 },
  { "B6-1M", "libuv", 1000000, b6 },
  { "B7", "libuv", 100000, b1h },
  { NULL }
};
