/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Operations of GIO as pendings. */
#include "aex-gio.h"

#include "base/aex-fork-private.h"
#include "base/aex-home-private.h"
#include "base/aex-i18n-private.h"
#include "pending/aex-context-private.h"
#include "pending/aex-pending-private.h"
#include "pending/aex-value-private.h"

/* What the operation carries as the data of its callback.  Made and ended on the thread that runs the context in which it
 * calls back. */
typedef struct {
  AexPending *pending;         /* a reference: who drops the pending does not end the operation */
  GCancellable *cancellable;
  GObject *source;
  AexGioFinish finish;         /* with data and destroy, or else plain with type */
  gpointer data;
  GDestroyNotify destroy;
  GCallback plain;
  GType type;
} AexGioCall;

/* ---- finish functions of the plain form: (source, result, error) */

static gboolean
finish_plain (AexGioCall *self, GObject *source, GAsyncResult *result, GValue *value, GError **error)
{
  g_autoptr (GError) own = NULL;
  gboolean truth = FALSE;
  gint64 number = 0;
  gpointer pointer = NULL;

  if (self->type == G_TYPE_BOOLEAN)
    truth = ((gboolean (*) (GObject *, GAsyncResult *, GError **)) self->plain) (source, result, &own);
  else if (self->type == G_TYPE_INT64)
    number = ((gssize (*) (GObject *, GAsyncResult *, GError **)) self->plain) (source, result, &own);
  else
    pointer = ((gpointer (*) (GObject *, GAsyncResult *, GError **)) self->plain) (source, result, &own);
  if (own != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&own));
      return FALSE;
    }
  if (self->type != G_TYPE_BOOLEAN && self->type != G_TYPE_INT64)
    {
      aex_value_take (value, self->type, pointer);
      return TRUE;
    }
  g_value_init (value, self->type);
  if (self->type == G_TYPE_BOOLEAN)
    g_value_set_boolean (value, truth);
  else
    g_value_set_int64 (value, number);
  return TRUE;
}

/* ---- the end */

/* Takes error.  When the operation was cancelled, that is what becomes of the pending, whoever it was. */
void
aex_pending_complete_error (AexPending *pending, GError *error)
{
  if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      aex_pending_reject (pending, error);
      return;
    }
  if (!aex_pending_is_cancelled (pending))
    aex_pending_cancel_as (pending, AEX_CANCEL_EXPLICIT, error->message);
  aex_pending_record (pending, AEX_TAG_NONE, (AexWord) { 0 });
  g_error_free (error);
}

static void
complete (AexPending *pending, gboolean ok, const GValue *value, GError *error)
{
  if (error == NULL && !ok)
    error = g_error_new_literal (AEX_ERROR, AEX_ERROR_FAILED,
                                 _("The operation failed without an error: set one in the finish function, or return TRUE"));
  if (error == NULL)
    aex_pending_resolve (pending, value);
  else
    aex_pending_complete_error (pending, error);
}

/**
 * aex_gio_ready: (skip)
 * @source: the object that the operation belongs to
 * @result: what the operation gave
 * @call: what aex_pending_begin_gio() gave
 *
 * The callback of an operation that was begun with aex_pending_begin_gio().
 *
 * Since: 1.0
 */
void
aex_gio_ready (GObject *source, GAsyncResult *result, gpointer call)
{
  AexGioCall *self = call;
  AexThread *thread = aex_thread_get ();
  g_auto (GValue) value = G_VALUE_INIT;
  GError *error = NULL;
  AexContext *saved;
  gboolean ok;

  g_return_if_fail (call != NULL);

  saved = aex_context_enter (thread, self->pending->environment->context);
  if (self->plain != NULL)
    ok = finish_plain (self, source, result, &value, &error);
  else
    ok = self->finish (self->source, result, &value, self->data, &error);
  if (self->destroy != NULL)
    self->destroy (self->data);
  aex_context_leave (thread, saved);
  /* The pending is done when nothing of the operation is left. */
  g_clear_object (&self->source);
  complete (self->pending, ok, &value, error);
  g_object_unref (self->cancellable);
  g_object_unref (self->pending);
  g_free (self);
}

/* ---- the start */

/* GIO answers in the main context that is current here; NULL with error set: nobody would run it for this thread. */
static AexHome *
answering_home (AexThread *thread, GError **error)
{
  if (aex_thread_lacks_context ())
    {
      g_set_error_literal (error, AEX_ERROR, AEX_ERROR_NO_CONTEXT,
                           _("This thread has no main context in which GIO could answer: start the operation in a job of a "
                             "caller, or push a context with g_main_context_push_thread_default() and run it"));
      return NULL;
    }
  return aex_home_get_for_thread (thread, error);
}

static void
cancel_operation (AexPending *pending, gpointer cancellable)
{
  (void) pending;
  g_cancellable_cancel (cancellable);
}

/* A running promise, cancelled by way of the operation; or one that is rejected, and no call. */
static AexPending *
call_new (AexGioCall **call)
{
  AexPending *pending = aex_pending_new_if_forked ();
  GError *error = NULL;
  AexHome *home;
  AexGioCall *self;

  *call = NULL;
  if (pending != NULL)
    return pending;
  home = answering_home (aex_thread_get (), &error);
  if (home == NULL)
    return aex_pending_new_failed (error);
  self = g_new0 (AexGioCall, 1);
  self->cancellable = g_cancellable_new ();
  pending = aex_pending_new_promise (0);
  /* Who blocks the thread of this home would wait for ever. */
  pending->func = home;
  aex_pending_set_canceller (pending, cancel_operation, g_object_ref (self->cancellable), g_object_unref);
  self->pending = g_object_ref (pending);
  *call = self;
  return pending;
}

/**
 * aex_pending_new_for_gio: (skip)
 * @source: (nullable) (type GObject.Object): the object that the operation
 *   belongs to; kept alive until the operation has ended
 * @start: starts the operation
 * @finish: ends it, and says what it gave
 * @user_data: data for @start and @finish
 * @destroy: (nullable): how to free @user_data
 *
 * Makes a pending from a pair of functions foo_async() and foo_finish().
 *
 * @start is called at once, inside this call. GIO calls back in the main
 * context that is current for this thread now, which somebody must run until
 * @self is done: there @finish is called, then @destroy, then the pending is
 * done, with the value or the error that @finish gave. On the thread of that
 * context a blocking wait is refused with %AEX_ERROR_WOULD_DEADLOCK, see
 * [method@Pending.run_until_done].
 *
 * Cancelling the pending cancels the operation, in a dispatch of the same
 * context; the pending is done when the operation has called back, and its
 * outcome is the cancellation. An operation that was cancelled by somebody else
 * (it ends with %G_IO_ERROR_CANCELLED) leaves a cancelled pending as well.
 * Dropping the pending does not end the operation.
 *
 * On a thread that has no main context (in a job of a thread pool, for example)
 * the pending is rejected with %AEX_ERROR_NO_CONTEXT, and @start is not called.
 *
 * AEX_PENDING_FOR_GIO() is shorter for most pairs.
 *
 * Returns: (transfer full): a new pending
 *
 * Since: 1.0
 */
AexPending *
aex_pending_new_for_gio (gpointer source, AexGioStart start, AexGioFinish finish, gpointer user_data, GDestroyNotify destroy)
{
  AexPending *pending;
  AexGioCall *self;

  g_return_val_if_fail (source == NULL || G_IS_OBJECT (source), NULL);
  g_return_val_if_fail (start != NULL, NULL);
  g_return_val_if_fail (finish != NULL, NULL);

  pending = call_new (&self);
  if (self == NULL)
    {
      aex_destroy_at (pending->environment != NULL ? pending->environment->delivery : NULL, destroy, user_data);
      return pending;
    }
  self->source = source != NULL ? g_object_ref (source) : NULL;
  self->finish = finish;
  self->data = user_data;
  self->destroy = destroy;
  start (source, self->cancellable, aex_gio_ready, self, user_data);
  return pending;
}

/**
 * aex_pending_begin_gio: (skip)
 * @type: what @finish returns: %G_TYPE_BOOLEAN, %G_TYPE_INT64 (a #gssize),
 *   %G_TYPE_STRING, a boxed type, %G_TYPE_VARIANT or %G_TYPE_OBJECT
 * @finish: (scope call): the finish function: (source, result, error)
 * @cancellable: (out) (transfer none): the cancellable for the operation
 * @call: (out): the data for aex_gio_ready(), %NULL when the operation must not
 *   be started
 *
 * Begins what AEX_PENDING_FOR_GIO() makes of a pair of functions: start the
 * operation, with @cancellable, aex_gio_ready() and @call, if @call is not
 * %NULL. See aex_pending_new_for_gio().
 *
 * Returns: (transfer full): a new pending; rejected when @call is %NULL
 *
 * Since: 1.0
 */
AexPending *
aex_pending_begin_gio (GType type, GCallback finish, GCancellable **cancellable, gpointer *call)
{
  AexPending *pending;
  AexGioCall *self;

  g_return_val_if_fail (type == G_TYPE_BOOLEAN || type == G_TYPE_INT64 || type == G_TYPE_STRING || type == G_TYPE_VARIANT
                        || G_TYPE_IS_BOXED (type) || type == G_TYPE_OBJECT, NULL);
  g_return_val_if_fail (finish != NULL, NULL);
  g_return_val_if_fail (cancellable != NULL && call != NULL, NULL);

  pending = call_new (&self);
  *call = self;
  *cancellable = self != NULL ? self->cancellable : NULL;
  if (self != NULL)
    {
      self->plain = finish;
      self->type = type;
    }
  return pending;
}
