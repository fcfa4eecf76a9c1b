/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "property/property.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Sets up what a program names, lets its threads go, ends everything. */

/* How long something may be on its way; only what is lost costs that. */
#define SETTLE_US (5 * G_USEC_PER_SEC)

int
prop_now (PropRun *self)
{
  return g_atomic_int_add (&self->clock, 1) + 1;
}

void
prop_open (PropRun *self,
           int      by)
{
  if (g_atomic_int_add (&self->n_open, by) + by == 0)
    g_main_context_wakeup (NULL);
}

/* The first of each kind is kept. */
void
prop_violate (PropRun    *self,
              guint       invariant,
              const char *format,
              ...)
{
  va_list arguments;
  char *text;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_mutex_lock (&self->lock);
  if (self->violations[invariant - 1] == NULL)
    self->violations[invariant - 1] = g_steal_pointer (&text);
  g_mutex_unlock (&self->lock);
  g_free (text);
}

AexPending *
prop_slot_ref (PropRun   *self,
               int        slot,
               PropItem **item)
{
  AexPending *pending;

  g_mutex_lock (&self->lock);
  pending = self->slots[slot].pending;
  *item = self->slots[slot].item;
  if (pending != NULL)
    g_object_ref (pending);
  g_mutex_unlock (&self->lock);
  return pending;
}

/* Takes the reference. */
void
prop_slot_take (PropRun    *self,
                int         slot,
                AexPending *pending,
                PropItem   *item)
{
  AexPending *before;

  g_mutex_lock (&self->lock);
  before = self->slots[slot].pending;
  self->slots[slot] = (PropSlot) { pending, item };
  g_mutex_unlock (&self->lock);
  g_clear_object (&before);
}

AexExecutor *
prop_executor_ref (PropRun *self,
                   int      executor)
{
  AexExecutor *object;

  g_mutex_lock (&self->lock);
  object = self->executors[executor].object;
  if (object != NULL)
    g_object_ref (object);
  g_mutex_unlock (&self->lock);
  return object;
}

/* --- setting up */

static gboolean
on_unhandled (AexExecutor *executor,
              AexPending  *pending,
              GError      *error,
              gpointer     data)
{
  PropExecutor *self = data;

  /* The owner of a caller is its own context. */
  gboolean here = AEX_IS_CALLER (executor) ? g_main_context_is_owner (aex_caller_get_context (AEX_CALLER (executor)))
                                           : g_thread_self () == self->run->main_thread;

  if (!here)
    prop_violate (self->run, 4, "unhandled-error of e%d came on a foreign thread", self->index);
  if (error->domain == PROP_ERROR)
    g_atomic_int_inc (&self->run->items[error->code].n_reports);
  return TRUE;
}

static void
mark_loop (gpointer data,
           gpointer user_data)
{
  prop_set_loop (TRUE);
}

static AexExecutor *
executor_new (PropExecutor           *self,
              const PropExecutorSpec *spec)
{
  AexExecutor *below = spec->kind == PROP_EXECUTOR_LIMITER || spec->kind == PROP_EXECUTOR_CHILD
                         ? self->run->executors[spec->on].object : NULL;
  AexExecutor *object = NULL;
  guint n = (guint) CLAMP (spec->n, 1, 4);

  switch ((int) spec->kind)
    {
    case PROP_EXECUTOR_POOL:
      return aex_thread_pool_new (n);
    case PROP_EXECUTOR_CALLER:
      return AEX_EXECUTOR (aex_caller_new_thread (NULL, NULL));
    case PROP_EXECUTOR_HOSTED:
      self->host = prop_host_start (&object);
      return object;
    case PROP_EXECUTOR_ADOPTED:
      self->loop = aex_loop_thread_new ();
      aex_loop_thread_call (self->loop, mark_loop, NULL, NULL);
      return AEX_EXECUTOR (aex_caller_ref_for_context (aex_loop_thread_get_context (self->loop)));
    case PROP_EXECUTOR_CALLERS:
      return aex_caller_pool_new (n, NULL);
    case PROP_EXECUTOR_LIMITER:
      return below != NULL ? aex_limiter_new (below, n) : NULL;
    case PROP_EXECUTOR_CHILD:
      return below != NULL && AEX_IS_CALLER (below) ? AEX_EXECUTOR (aex_caller_ref_child (AEX_CALLER (below), NULL, NULL)) : NULL;
    default:
      return NULL;
    }
}

static void
set_up (PropRun *self)
{
  /* While there is one thread: GLib's macro keeps the number without a lock. */
  prop_error_quark ();
  for (int i = 0; i < PROP_N_EXECUTORS; i++)
    {
      PropExecutor *executor = &self->executors[i];

      executor->run = self;
      executor->index = i;
      executor->object = executor_new (executor, &self->program->executors[i]);
      if (executor->object != NULL)
        g_signal_connect (executor->object, "unhandled-error", G_CALLBACK (on_unhandled), executor);
      if (executor->object != NULL && AEX_IS_CALLER (executor->object))
        executor->id = aex_caller_get_id (AEX_CALLER (executor->object));
    }
}

/* --- threads */

static gboolean
is_over (gpointer data)
{
  return g_atomic_int_get (&((PropRun *) data)->over) != 0;
}

static gpointer
thread_main (gpointer data)
{
  PropThread *self = data;
  PropRun *run = self->run;
  const PropThreadSpec *spec = &run->program->threads[self->index];

  if (self->context != NULL)
    {
      g_main_context_push_thread_default (self->context);
      prop_set_loop (TRUE);
    }
  for (guint i = 0; i < spec->n_steps; i++)
    prop_step (run, &spec->steps[i]);
  g_atomic_int_inc (&run->n_finished);
  g_main_context_wakeup (NULL);
  if (self->context != NULL)
    {
      aex_test_iterate_until (is_over, run);
      aex_test_drain ();
      g_main_context_pop_thread_default (self->context);
    }
  return NULL;
}

static void
start_threads (PropRun *self)
{
  for (guint i = 0; i < self->program->n_threads; i++)
    {
      PropThread *thread = &self->threads[i];

      thread->run = self;
      thread->index = i;
      thread->context = self->program->threads[i].loop ? g_main_context_new () : NULL;
      thread->thread = g_thread_new ("steps", thread_main, thread);
    }
}

static void
join_threads (PropRun *self)
{
  g_atomic_int_set (&self->over, 1);
  for (guint i = 0; i < self->program->n_threads; i++)
    {
      if (self->threads[i].context != NULL)
        g_main_context_wakeup (self->threads[i].context);
      g_thread_join (self->threads[i].thread);
      g_clear_pointer (&self->threads[i].context, g_main_context_unref);
    }
}

static gboolean
all_finished (gpointer data)
{
  PropRun *self = data;

  return (guint) g_atomic_int_get (&self->n_finished) == self->program->n_threads;
}

/* --- the end */

static gboolean
nothing_open (gpointer data)
{
  return g_atomic_int_get (&((PropRun *) data)->n_open) <= 0;
}

static gboolean
is_done (gpointer data)
{
  return aex_pending_is_done (data);
}

static gboolean
time_is_over (gpointer data)
{
  *(gboolean *) data = TRUE;
  return G_SOURCE_REMOVE;
}

/* FALSE: it did not become so. */
static gboolean
iterate_until (AexTestDone done,
               gpointer    data)
{
  gboolean late = FALSE;
  guint id = g_timeout_add ((guint) (SETTLE_US / 1000 * aex_test_time_factor ()), time_is_over, &late);

  while (!late && !done (data))
    g_main_context_iteration (NULL, TRUE);
  if (!late)
    g_source_remove (id);
  return !late;
}

static void
wake (AexPending *pending,
      gpointer    data)
{
  g_main_context_wakeup (NULL);
}

/* Nobody else does it now. */
static void
keep_promises (PropRun *self)
{
  for (int i = 0; i < PROP_N_SLOTS; i++)
    {
      PropItem *item;
      g_autoptr (AexPending) pending = prop_slot_ref (self, i, &item);

      if (pending != NULL && item->kind == PROP_ITEM_PROMISE)
        aex_pending_resolve_int64 (pending, item->index);
    }
}

static void
end_executor (PropExecutor *self)
{
  PropRun *run = self->run;
  PropEnd end = run->program->executors[self->index].end;
  g_autoptr (AexExecutor) object = prop_executor_ref (run, self->index);
  g_autoptr (AexPending) ended = NULL;

  if (object == NULL)
    return;
  prop_mark_ended (run);
  while (prop_take_hold (self))
    g_object_unref (aex_caller_release_full (AEX_CALLER (object), AEX_SHUTDOWN_FLAGS_NONE));
  if (end == PROP_END_DROP)
    return;
  if (end == PROP_END_STOP && AEX_IS_CALLER (object))
    ended = aex_caller_stop (AEX_CALLER (object), AEX_STOP_FLAGS_FORCE);
  else
    ended = aex_executor_shutdown (object, end == PROP_END_DRAIN ? AEX_SHUTDOWN_FLAGS_NONE
                                           : AEX_SHUTDOWN_FLAGS_CANCEL_QUEUED | AEX_SHUTDOWN_FLAGS_CANCEL_RUNNING);
  aex_pending_add_done_callback_inline (ended, wake, NULL, NULL);
  if (!iterate_until (is_done, ended))
    prop_violate (run, 5, "e%d does not end", self->index);
}

static void
end_executors (PropRun *self)
{
  for (int i = 0; i < PROP_N_EXECUTORS; i++)
    {
      int which = self->program->seed % 2 == 0 ? i : PROP_N_EXECUTORS - 1 - i;

      end_executor (&self->executors[which]);
    }
  /* Only now, as a limiter that is dropped later may still need one that is dropped first. */
  for (int i = 0; i < PROP_N_EXECUTORS; i++)
    {
      if (self->program->executors[i].end == PROP_END_DROP)
        prop_step_forget (self, &(PropStep) { .on = i });
    }
}

static void
let_go (PropRun *self)
{
  for (int i = 0; i < PROP_N_SLOTS; i++)
    prop_slot_take (self, i, NULL, NULL);
  for (int i = 0; i < PROP_N_EXECUTORS; i++)
    g_clear_object (&self->executors[i].object);
  join_threads (self);
  for (int i = 0; i < PROP_N_EXECUTORS; i++)
    {
      g_clear_pointer (&self->executors[i].host, prop_host_stop);
      g_clear_pointer (&self->executors[i].loop, aex_loop_thread_free);
    }
  aex_test_drain ();
}

/* What nobody handled is in the log, with the number of the item in its text. */
static void
count_log (PropRun *self)
{
  g_autoptr (GPtrArray) log = aex_test_log_end ();

  for (guint i = 0; i < log->len; i++)
    {
      const char *text = aex_log_entry_get (log, i, "MESSAGE");
      const char *at = text != NULL ? strstr (text, "[item ") : NULL;
      guint64 index = at != NULL ? g_ascii_strtoull (at + strlen ("[item "), NULL, 10) : PROP_MAX_ITEMS;

      if (index < PROP_MAX_ITEMS)
        self->items[index].n_reports++;
    }
}

static void
run (PropRun *self)
{
  set_up (self);
  start_threads (self);
  aex_test_iterate_until (all_finished, self);
  keep_promises (self);
  end_executors (self);
  if (!iterate_until (nothing_open, self))
    prop_violate (self, 1, "%d functions and pendings are never released or done", self->n_open);
  prop_check_alive (self);
  let_go (self);
}

/* The test's own part of the context stays with the run. */
static void
run_apart (gpointer data)
{
  run (data);
}

static char *
violations_to_text (PropRun *self)
{
  GString *text = NULL;

  for (guint i = 0; i < PROP_N_INVARIANTS; i++)
    {
      if (self->violations[i] == NULL)
        continue;
      if (text == NULL)
        text = g_string_new (NULL);
      g_string_append_printf (text, "I%u: %s\n", i + 1, self->violations[i]);
      g_free (self->violations[i]);
    }
  return text != NULL ? g_string_free (text, FALSE) : NULL;
}

char *
prop_run_program (const PropProgram *program,
                  const char        *plant,
                  int               *n_jobs)
{
  PropRun *self = g_new0 (PropRun, 1);
  g_autoptr (AexCensus) before = aex_census_take ();
  g_autoptr (AexContext) context = aex_context_new ();
  char *text;
  int planted = -1;

  self->program = program;
  self->plant = plant;
  self->main_thread = g_thread_self ();
  self->var = aex_test_var_new (-1);
  self->items = g_new0 (PropItem, PROP_MAX_ITEMS);
  g_mutex_init (&self->lock);
  aex_test_log_begin ();
  aex_context_run (context, run_apart, self);
  g_clear_pointer (&context, aex_context_unref);
  g_clear_object (&self->var);
  aex_timer_service_quiesce ();
  if (prop_is_planted (self, "I5"))
    planted = open ("/dev/null", O_RDONLY | O_CLOEXEC);
  if (!aex_census_settle (before, TRUE, "the program"))
    prop_violate (self, 5, "something is left: see the census");
  if (planted >= 0)
    close (planted);
  count_log (self);
  prop_plant (self);
  prop_check_settled (self);
  text = violations_to_text (self);
  for (int i = 0; i < self->n_items; i++)
    *n_jobs += self->items[i].n_runs;
  g_mutex_clear (&self->lock);
  g_free (self->items);
  g_free (self);
  return text;
}
