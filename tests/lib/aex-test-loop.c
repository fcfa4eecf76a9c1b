/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "aex-test-private.h"

#include <pthread.h>
#include <string.h>

#define SMALL_STACK_BYTES (256 * 1024)

/* --- loops */

void
aex_test_iterate_until (AexTestDone done,
                        gpointer    data)
{
  GMainContext *context = g_main_context_get_thread_default ();

  while (!done (data))
    g_main_context_iteration (context, TRUE);
}

gboolean
aex_test_is_set (gpointer int_pointer)
{
  return g_atomic_int_get ((int *) int_pointer) != 0;
}

static void
set_flag (AexPending *pending,
          gpointer    flag)
{
  g_atomic_int_set ((int *) flag, 1);
}

/* Through a callback and not through aex_pending_run_until_done(), which is
 * itself under test. */
void
aex_test_run_until_done (AexPending *pending)
{
  int done = 0;

  aex_pending_add_done_callback (pending, set_flag, &done, NULL);
  aex_test_iterate_until (aex_test_is_set, &done);
  g_assert_true (aex_pending_is_done (pending));
}

void
aex_test_drain (void)
{
  GMainContext *context = g_main_context_get_thread_default ();

  while (g_main_context_iteration (context, FALSE))
    ;
}

/* --- a thread with a loop */

struct _AexLoopThread
{
  GThread      *thread;
  GMainContext *context;
  GMainLoop    *loop;
  AexGate       running;
};

static gboolean
open_gate (gpointer gate)
{
  aex_gate_open (gate);
  return G_SOURCE_REMOVE;
}

static void
attach_once (GMainContext *context,
             GSourceFunc   func,
             gpointer      data)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, func, data, NULL);
  g_source_attach (source, context);
}

static gpointer
loop_thread_main (gpointer data)
{
  AexLoopThread *self = data;

  g_main_context_push_thread_default (self->context);
  attach_once (self->context, open_gate, &self->running);
  g_main_loop_run (self->loop);
  while (g_main_context_iteration (self->context, FALSE))
    ;
  g_main_context_pop_thread_default (self->context);
  return NULL;
}

AexLoopThread *
aex_loop_thread_new (void)
{
  AexLoopThread *self = g_new0 (AexLoopThread, 1);

  self->context = g_main_context_new ();
  self->loop = g_main_loop_new (self->context, FALSE);
  aex_gate_init (&self->running);
  self->thread = g_thread_new ("loop-thread", loop_thread_main, self);
  aex_gate_wait (&self->running);
  return self;
}

static gboolean
quit_loop (gpointer loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_REMOVE;
}

void
aex_loop_thread_free (AexLoopThread *self)
{
  attach_once (self->context, quit_loop, self->loop);
  g_thread_join (self->thread);
  aex_gate_clear (&self->running);
  g_main_loop_unref (self->loop);
  g_main_context_unref (self->context);
  g_free (self);
}

typedef struct
{
  GFunc    func;
  gpointer first;
  gpointer second;
  AexGate  done;
} LoopCall;

static gboolean
loop_call_run (gpointer data)
{
  LoopCall *call = data;

  call->func (call->first, call->second);
  aex_gate_open (&call->done);
  return G_SOURCE_REMOVE;
}

/* Runs func in the thread's loop and waits for its end. */
void
aex_loop_thread_call (AexLoopThread *self,
                      GFunc          func,
                      gpointer       first,
                      gpointer       second)
{
  LoopCall call = { func, first, second };

  aex_gate_init (&call.done);
  attach_once (self->context, loop_call_run, &call);
  aex_gate_wait (&call.done);
  aex_gate_clear (&call.done);
}

GMainContext *
aex_loop_thread_get_context (AexLoopThread *self)
{
  return self->context;
}

GThread *
aex_loop_thread_get_thread (AexLoopThread *self)
{
  return self->thread;
}

/* --- plain threads */

void
aex_test_in_thread (GThreadFunc func,
                    gpointer    data)
{
  g_thread_join (g_thread_new ("plain", func, data));
}

void
aex_test_in_small_stack (GThreadFunc func,
                         gpointer    data)
{
  pthread_attr_t attributes;
  pthread_t thread;
  int result;

  pthread_attr_init (&attributes);
  result = pthread_attr_setstacksize (&attributes, SMALL_STACK_BYTES);
  g_assert_cmpint (result, ==, 0);
  result = pthread_create (&thread, &attributes, func, data);
  g_assert_cmpint (result, ==, 0);
  pthread_join (thread, NULL);
  pthread_attr_destroy (&attributes);
}

/* --- virtual time */

struct _AexTicker
{
  GThread *thread;
  gint64   step_us;
  int      stopped;     /* atomic */
};

void
aex_test_virtual_time (void)
{
  aex_clock_set_virtual (TRUE);
}

static gpointer
ticker_main (gpointer data)
{
  AexTicker *self = data;

  while (!g_atomic_int_get (&self->stopped))
    {
      aex_clock_advance (self->step_us);
      g_thread_yield ();
    }
  return NULL;
}

AexTicker *
aex_ticker_start (gint64 step_us)
{
  AexTicker *self = g_new0 (AexTicker, 1);

  g_assert_true (aex_clock_is_virtual ());
  self->step_us = step_us;
  self->thread = g_thread_new ("ticker", ticker_main, self);
  return self;
}

void
aex_ticker_stop (AexTicker *self)
{
  g_atomic_int_set (&self->stopped, 1);
  g_thread_join (self->thread);
  g_free (self);
}

/* --- log */

static GMutex     log_lock;
static GPtrArray *log_entries;      /* log_lock; NULL: not capturing */

static void
log_entry_free (gpointer data)
{
  AexLogEntry *entry = data;

  g_hash_table_unref (entry->fields);
  g_free (entry);
}

static AexLogEntry *
log_entry_new (GLogLevelFlags   level,
               const GLogField *fields,
               gsize            n_fields)
{
  AexLogEntry *entry = g_new0 (AexLogEntry, 1);

  entry->level = level;
  entry->fields = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  for (gsize i = 0; i < n_fields; i++)
    {
      gsize length = fields[i].length < 0 ? strlen (fields[i].value) : (gsize) fields[i].length;

      g_hash_table_insert (entry->fields, g_strdup (fields[i].key), g_strndup (fields[i].value, length));
    }
  return entry;
}

static GLogWriterOutput
log_writer (GLogLevelFlags   level,
            const GLogField *fields,
            gsize            n_fields,
            gpointer         user_data)
{
  AexLogEntry *entry = log_entry_new (level, fields, n_fields);
  gboolean ours = g_strcmp0 (g_hash_table_lookup (entry->fields, "GLIB_DOMAIN"), "AsyncExec") == 0;

  g_mutex_lock (&log_lock);
  if (ours && log_entries != NULL)
    g_ptr_array_add (log_entries, g_steal_pointer (&entry));
  g_mutex_unlock (&log_lock);
  if (entry == NULL)
    return G_LOG_WRITER_HANDLED;
  log_entry_free (entry);
  return g_log_writer_default (level, fields, n_fields, user_data);
}

void
aex_test_log_install (void)
{
  g_log_set_writer_func (log_writer, NULL, NULL);
}

void
aex_test_log_begin (void)
{
  g_mutex_lock (&log_lock);
  g_assert_null (log_entries);
  log_entries = g_ptr_array_new_with_free_func (log_entry_free);
  g_mutex_unlock (&log_lock);
}

GPtrArray *
aex_test_log_end (void)
{
  GPtrArray *entries;

  g_mutex_lock (&log_lock);
  entries = g_steal_pointer (&log_entries);
  g_mutex_unlock (&log_lock);
  g_assert_nonnull (entries);
  return entries;
}

const char *
aex_log_entry_get (GPtrArray  *log,
                   guint       index,
                   const char *field)
{
  AexLogEntry *entry;

  g_assert_cmpuint (index, <, log->len);
  entry = log->pdata[index];
  return g_hash_table_lookup (entry->fields, field);
}

/* --- executors */

AexExecutor *
aex_test_pool (guint max_workers)
{
  AexExecutor *pool = aex_thread_pool_new (max_workers);

  g_assert_true (AEX_IS_THREAD_POOL (pool));
  return pool;
}

void
aex_test_shutdown (AexExecutor *executor)
{
  g_autoptr (AexPending) done = aex_executor_shutdown (executor, AEX_SHUTDOWN_FLAGS_NONE);

  aex_test_run_until_done (done);
  aex_assert_state (done, RESOLVED);
  g_object_unref (executor);
}
