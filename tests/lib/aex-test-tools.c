/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "aex-test-private.h"

#include "base/aex-thread-private.h"
#include "executor/aex-core-private.h"

/* --- gates */

void
aex_gate_init (AexGate *self)
{
  g_mutex_init (&self->lock);
  g_cond_init (&self->cond);
  self->n_opened = 0;
}

void
aex_gate_clear (AexGate *self)
{
  /* Whoever opened it may still be about to leave. */
  g_mutex_lock (&self->lock);
  g_mutex_unlock (&self->lock);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->cond);
}

void
aex_gate_open (AexGate *self)
{
  g_mutex_lock (&self->lock);
  self->n_opened++;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
}

void
aex_gate_wait_n (AexGate *self,
                 guint    n)
{
  g_mutex_lock (&self->lock);
  while (self->n_opened < n)
    g_cond_wait (&self->cond, &self->lock);
  g_mutex_unlock (&self->lock);
}

void
aex_gate_wait (AexGate *self)
{
  aex_gate_wait_n (self, 1);
}

gboolean
aex_gate_is_open (AexGate *self)
{
  gboolean open;

  g_mutex_lock (&self->lock);
  open = self->n_opened > 0;
  g_mutex_unlock (&self->lock);
  return open;
}

/* --- blocks */

void
aex_block_init (AexBlock *self)
{
  aex_gate_init (&self->started);
  aex_gate_init (&self->release);
  self->n_runs = 0;
}

void
aex_block_clear (AexBlock *self)
{
  aex_gate_clear (&self->started);
  aex_gate_clear (&self->release);
}

gboolean
aex_block_job (AexPending   *job,
               GCancellable *cancellable,
               gpointer      block,
               GError      **error)
{
  AexBlock *self = block;

  g_atomic_int_inc (&self->n_runs);
  aex_gate_open (&self->started);
  aex_gate_wait (&self->release);
  return TRUE;
}

/* --- poison */

static void
poison_wake (AexPoison *self)
{
  g_main_context_wakeup (NULL);
  if (self->context != NULL)
    g_main_context_wakeup (self->context);
}

void
aex_poison_init (AexPoison *self)
{
  *self = (AexPoison) { .thread = g_thread_self (), .context = g_main_context_get_thread_default () };
}

void
aex_poison_init_executor (AexPoison   *self,
                          AexExecutor *executor)
{
  *self = (AexPoison) { .executor = executor };
}

/* On a thread that belongs to the executor: aex_executor_runs_here() asks for
 * more, that a job would run on this very thread. */
gboolean
aex_test_is_on (AexExecutor *executor)
{
  return aex_executor_runs_here (executor)
         || (AEX_IS_THREAD_POOL (executor)
             && aex_thread_get ()->pool == &aex_executor_get_core (executor)->target);
}

static void
poison_check (AexPoison *self)
{
  if (self->thread != NULL)
    g_assert_true (g_thread_self () == self->thread);
  if (self->executor != NULL)
    g_assert_true (aex_test_is_on (self->executor));
}

void
aex_poison_touch (AexPoison *self)
{
  poison_check (self);
  g_assert_cmpint (g_atomic_int_get (&self->n_released), ==, 0);
  g_atomic_int_inc (&self->n_called);
  poison_wake (self);
}

void
aex_poison_release (gpointer poison)
{
  AexPoison *self = poison;

  poison_check (self);
  if (self->in_dispatch)
    g_assert_cmpint (g_main_depth (), >, 0);
  g_assert_cmpint (g_atomic_int_add (&self->n_released, 1), ==, 0);
  poison_wake (self);
}

void
aex_poison_callback (AexPending *pending,
                     gpointer    poison)
{
  g_assert_true (AEX_IS_PENDING (pending));
  aex_poison_touch (poison);
}

gboolean
aex_poison_job (AexPending   *job,
                GCancellable *cancellable,
                gpointer      poison,
                GError      **error)
{
  aex_poison_touch (poison);
  return TRUE;
}

AexPending *
aex_poison_then (AexPending *done,
                 gpointer    poison,
                 GError    **error)
{
  g_assert_true (aex_pending_is_done (done));
  aex_poison_touch (poison);
  return NULL;
}

int
aex_poison_get_called (AexPoison *self)
{
  return g_atomic_int_get (&self->n_called);
}

int
aex_poison_get_released (AexPoison *self)
{
  return g_atomic_int_get (&self->n_released);
}

gboolean
aex_poison_is_released (gpointer poison)
{
  return aex_poison_get_released (poison) > 0;
}

/* --- records */

typedef struct
{
  char    *what;
  GThread *thread;      /* only compared */
} RecordItem;

static void
record_item_free (gpointer data)
{
  RecordItem *item = data;

  g_free (item->what);
  g_free (item);
}

void
aex_record_init (AexRecord *self)
{
  g_mutex_init (&self->lock);
  self->items = g_ptr_array_new_with_free_func (record_item_free);
}

void
aex_record_clear (AexRecord *self)
{
  g_clear_pointer (&self->items, g_ptr_array_unref);
  g_mutex_clear (&self->lock);
}

void
aex_record_add (AexRecord  *self,
                const char *what)
{
  RecordItem *item = g_new0 (RecordItem, 1);

  item->what = g_strdup (what);
  item->thread = g_thread_self ();
  g_mutex_lock (&self->lock);
  g_ptr_array_add (self->items, item);
  g_mutex_unlock (&self->lock);
  g_main_context_wakeup (NULL);
}

guint
aex_record_get_length (AexRecord *self)
{
  guint length;

  g_mutex_lock (&self->lock);
  length = self->items->len;
  g_mutex_unlock (&self->lock);
  return length;
}

char *
aex_record_dup_text (AexRecord *self)
{
  g_autoptr (GString) text = g_string_new (NULL);

  g_mutex_lock (&self->lock);
  for (guint i = 0; i < self->items->len; i++)
    {
      RecordItem *item = self->items->pdata[i];

      g_string_append_printf (text, "%s%s", i > 0 ? " " : "", item->what);
    }
  g_mutex_unlock (&self->lock);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

GThread *
aex_record_get_thread (AexRecord *self,
                       guint      index)
{
  GThread *thread;

  g_mutex_lock (&self->lock);
  g_assert_cmpuint (index, <, self->items->len);
  thread = ((RecordItem *) self->items->pdata[index])->thread;
  g_mutex_unlock (&self->lock);
  return thread;
}

/* --- objects */

static void
object_is_disposed (gpointer data,
                    GObject *where_it_was)
{
  g_atomic_int_set ((int *) data, 1);
  g_main_context_wakeup (NULL);
}

GObject *
aex_test_object_new (int *disposed)
{
  GObject *object = g_object_new (G_TYPE_OBJECT, NULL);

  if (disposed != NULL)
    {
      *disposed = 0;
      g_object_weak_ref (object, object_is_disposed, disposed);
    }
  return object;
}

void
aex_assert_last_unref (gpointer object)
{
  gpointer weak = object;

  g_object_add_weak_pointer (object, &weak);
  g_object_unref (object);
  g_assert_null (weak);
}

/* --- a job that is cancelled between its trackers and its executor */

static AexPendingManager *cancelling;    /* of the thread that submits */

static void
cancel_all (void)
{
  g_autoptr (AexPendingManager) manager = g_steal_pointer (&cancelling);
  g_autoptr (GPtrArray) pendings = NULL;

  if (manager == NULL)
    return;
  pendings = aex_pending_tracker_dup_pendings (AEX_PENDING_TRACKER (manager));
  g_assert_cmpuint (pendings->len, ==, 1);
  g_assert_true (aex_pending_cancel (pendings->pdata[0], NULL));
}

static gboolean
never_run (AexPending   *job,
           GCancellable *cancellable,
           gpointer      user_data,
           GError      **error)
{
  g_assert_not_reached ();
}

static void
count_release (gpointer n_released)
{
  g_atomic_int_inc ((int *) n_released);
  g_main_context_wakeup (NULL);
}

AexPending *
aex_submit_cancelled (AexExecutor *executor,
                      gint64       delay_us,
                      int         *n_released)
{
  g_autoptr (AexPendingManager) manager = aex_pending_manager_new ();
  g_autoptr (AexContextToken) token = aex_pending_manager_push (manager);
  AexPending *job;

  cancelling = g_object_ref (manager);
  aex_checkpoint_set_func (cancel_all);
  if (delay_us > 0)
    job = aex_caller_call_later (AEX_CALLER (executor), delay_us, never_run, n_released, count_release);
  else
    job = aex_executor_submit (executor, never_run, n_released, count_release);
  aex_checkpoint_set_func (NULL);
  g_assert_null (cancelling);
  g_assert_true (aex_pending_is_cancelled (job));
  g_assert_true (aex_pending_manager_pop (manager, token, NULL));
  return job;
}
