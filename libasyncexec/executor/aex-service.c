/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "executor/aex-service-private.h"

#include "base/aex-fork-private.h"
#include "base/aex-i18n-private.h"
#include "base/aex-weak-private.h"
#include "pending/aex-value-private.h"

/**
 * AexService:
 *
 * Something that runs on a [class@Caller] for a while, says when it has started,
 * and is told when to stop: a server, a monitor, a connection that is kept.
 *
 * What it does is a function, or [vfunc@Service.run] of a subclass. It is begun by
 * [method@Service.start], calls [method@Service.ready] when it serves, and ends
 * what it does when [method@Service.get_stopping] is done, which
 * [method@Service.stop] brings about, or its caller that stops. A caller has
 * stopped only after its services have, and does not cancel them: it tells them.
 *
 * Three pendings tell what becomes of it, and nobody can cancel them: *started*,
 * *stopping* and *stopped*, which has what the function ended with. A function that
 * fails rejects *stopped*, and *started* if that is not done; one that ends, without
 * an error, before it was told to rejects them with %AEX_ERROR_STOPPED_EARLY. An
 * error that is seen in neither of the two is an [signal@Executor::unhandled-error] of the
 * caller. What is stopped before it has started is cancelled.
 *
 * A service runs once. While it does it is kept alive, whoever drops it, and it
 * keeps its caller: one that is not needed any more is stopped. Its job is like any
 * other: a member of the group in which it is started. Cancelling that job, as
 * such a group may do, cancels what the function has returned.
 *
 * All functions may be called on any thread.
 *
 * Since: 1.0
 */
G_DEFINE_TYPE_WITH_PRIVATE (AexService, aex_service, G_TYPE_OBJECT)

enum { PROP_CALLER = 1, PROP_NAME, PROP_STARTED, PROP_STOPPING, PROP_STOPPED, N_PROPS };

static GParamSpec *properties[N_PROPS];

AexServicePrivate *
aex_service_get_priv (AexService *self)
{
  return aex_service_get_instance_private (self);
}

AexCallerCore *
aex_service_get_core (AexService *self)
{
  return aex_caller_get_caller_core (aex_service_get_priv (self)->caller);
}

AexPending *
aex_service_call_func (AexService *self, GError **error)
{
  AexServicePrivate *priv = aex_service_get_priv (self);
  AexServiceFunc func;
  gpointer data;

  g_mutex_lock (&priv->lock);
  func = priv->func;
  data = priv->data;
  g_mutex_unlock (&priv->lock);
  if (func != NULL)
    return func (self, data, error);
  g_set_error_literal (error, AEX_ERROR, AEX_ERROR_NOT_FOUND, _("The service has no function: give it one before it is started"));
  return NULL;
}

void
aex_service_release_func (AexService *self)
{
  AexServicePrivate *priv = aex_service_get_priv (self);
  GDestroyNotify destroy;
  gpointer data;

  g_mutex_lock (&priv->lock);
  destroy = g_steal_pointer (&priv->destroy);
  data = g_steal_pointer (&priv->data);
  priv->func = NULL;
  g_mutex_unlock (&priv->lock);
  if (destroy != NULL)
    aex_destroy_at (&aex_service_get_core (self)->home->target, destroy, data);
}

/* ---- the class */

/* On the thread that stops it. */
static void
caller_stops (AexPending *stopping, gpointer weak)
{
  g_autoptr (AexService) self = aex_weak_get (weak);

  (void) stopping;
  if (self != NULL)
    g_object_unref (aex_service_stop (self));
}

static void
weak_free (gpointer weak)
{
  g_weak_ref_clear (weak);
  g_free (weak);
}

static void
aex_service_constructed (GObject *object)
{
  AexService *self = AEX_SERVICE (object);
  AexServicePrivate *priv = aex_service_get_priv (self);
  AexHome *home;
  GWeakRef *weak;

  if (priv->caller == NULL)
    priv->caller = aex_caller_ref_current (NULL);
  if (priv->caller == NULL)
    priv->caller = aex_caller_ref_main ();
  home = aex_service_get_core (self)->home;
  priv->started = aex_pending_new_report (home);
  priv->stopping = aex_pending_new_report (home);
  priv->stopped = aex_pending_new_report (home);
  if (!aex_is_forked ())
    {
      weak = g_new (GWeakRef, 1);
      g_weak_ref_init (weak, self);
      priv->caller_watch = aex_pending_add_done_callback_inline (aex_service_get_core (self)->stopping, caller_stops, weak, weak_free);
    }
  G_OBJECT_CLASS (aex_service_parent_class)->constructed (object);
}

static void
aex_service_dispose (GObject *object)
{
  AexService *self = AEX_SERVICE (object);
  AexServicePrivate *priv = aex_service_get_priv (self);
  gboolean never_begun;

  if (!aex_is_forked ())
    {
      aex_pending_remove_done_callback (aex_service_get_core (self)->stopping, priv->caller_watch);
      g_mutex_lock (&priv->lock);
      never_begun = !priv->is_begun;
      g_mutex_unlock (&priv->lock);
      /* Whoever waits for it is told. */
      if (never_begun)
        g_object_unref (aex_service_stop (self));
    }
  G_OBJECT_CLASS (aex_service_parent_class)->dispose (object);
}

static void
aex_service_finalize (GObject *object)
{
  AexServicePrivate *priv = aex_service_get_priv (AEX_SERVICE (object));

  g_clear_object (&priv->job);
  g_object_unref (priv->started);
  g_object_unref (priv->stopping);
  g_object_unref (priv->stopped);
  g_object_unref (priv->caller);
  g_mutex_clear (&priv->lock);
  g_free (priv->name);
  G_OBJECT_CLASS (aex_service_parent_class)->finalize (object);
}

static void
aex_service_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  AexServicePrivate *priv = aex_service_get_priv (AEX_SERVICE (object));

  switch (id)
    {
    case PROP_CALLER:
      g_value_set_object (value, priv->caller);
      break;
    case PROP_NAME:
      g_value_set_string (value, priv->name);
      break;
    case PROP_STARTED:
      g_value_set_object (value, priv->started);
      break;
    case PROP_STOPPING:
      g_value_set_object (value, priv->stopping);
      break;
    case PROP_STOPPED:
      g_value_set_object (value, priv->stopped);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
    }
}

static void
aex_service_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  AexServicePrivate *priv = aex_service_get_priv (AEX_SERVICE (object));

  if (id == PROP_CALLER)
    priv->caller = g_value_dup_object (value);
  else if (id == PROP_NAME)
    priv->name = g_value_dup_string (value);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

#define GIVEN (G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS)
#define TOLD  (G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)

static void
make_report_properties (void)
{
  /**
   * AexService:started: (getter get_started)
   *
   * A pending that resolves when the service has said that it has started.
   *
   * Since: 1.0
   */
  properties[PROP_STARTED] = g_param_spec_object ("started", NULL, NULL, AEX_TYPE_PENDING, TOLD);
  /**
   * AexService:stopping: (getter get_stopping)
   *
   * A pending that resolves when the service is told to stop.
   *
   * Since: 1.0
   */
  properties[PROP_STOPPING] = g_param_spec_object ("stopping", NULL, NULL, AEX_TYPE_PENDING, TOLD);
  /**
   * AexService:stopped: (getter get_stopped)
   *
   * A pending that is done when the service has ended.
   *
   * Since: 1.0
   */
  properties[PROP_STOPPED] = g_param_spec_object ("stopped", NULL, NULL, AEX_TYPE_PENDING, TOLD);
}

static void
aex_service_class_init (AexServiceClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->constructed = aex_service_constructed;
  object_class->dispose = aex_service_dispose;
  object_class->finalize = aex_service_finalize;
  object_class->get_property = aex_service_get_property;
  object_class->set_property = aex_service_set_property;
  klass->run = aex_service_call_func;

  /**
   * AexService:caller: (getter get_caller)
   *
   * The caller that runs it. Unless given, that of the thread which makes the
   * service, or of the default main context when the thread has none.
   *
   * Since: 1.0
   */
  properties[PROP_CALLER] = g_param_spec_object ("caller", NULL, NULL, AEX_TYPE_CALLER, GIVEN);
  /**
   * AexService:name: (getter get_name)
   *
   * Its name.
   *
   * Since: 1.0
   */
  properties[PROP_NAME] = g_param_spec_string ("name", NULL, NULL, NULL, GIVEN);
  make_report_properties ();
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
aex_service_init (AexService *self)
{
  g_mutex_init (&aex_service_get_priv (self)->lock);
}

/**
 * aex_service_new:
 * @caller: (nullable): where it runs; %NULL for the caller of the calling thread
 * @name: (nullable): a name, for logs
 * @func: (scope notified) (closure user_data) (destroy destroy) (nullable): what it
 *   does; %NULL to say that later, see [method@Service.set_func]
 * @user_data: data for @func
 * @destroy: (nullable): how to free @user_data, called on the thread of the caller
 *   when the service has ended
 *
 * Makes a service, which does nothing until it is started.
 *
 * Returns: (transfer full): a new service
 *
 * Since: 1.0
 */
AexService *
aex_service_new (AexCaller *caller, const char *name, AexServiceFunc func, gpointer user_data, GDestroyNotify destroy)
{
  AexService *self;

  g_return_val_if_fail (caller == NULL || AEX_IS_CALLER (caller), NULL);

  self = g_object_new (AEX_TYPE_SERVICE, "caller", caller, "name", name, NULL);
  if (func != NULL)
    aex_service_set_func (self, func, user_data, destroy, NULL);
  return self;
}

static gboolean
may_enter (AexServicePrivate *priv, gboolean runs_here, GError **error)
{
  if (!priv->is_begun)
    g_set_error_literal (error, AEX_ERROR, AEX_ERROR_FAILED, _("The service was not started: call start() before"));
  else if (priv->is_entered)
    g_set_error_literal (error, AEX_ERROR, AEX_ERROR_REENTERED, _("A service is entered once: make another one"));
  else if (!runs_here)
    g_set_error_literal (error, AEX_ERROR, AEX_ERROR_MISMATCH,
                         _("A service is entered on the thread of its caller: use start() and stop() elsewhere"));
  else
    return TRUE;
  return FALSE;
}

/**
 * aex_service_enter:
 * @self: a service
 * @error: return location for an error
 *
 * Notes that a stretch of code begins for which @self runs: the code then waits
 * for [method@Service.get_started], and calls [method@Service.stop] at its end. For
 * language bindings, which have a block for that. The error is
 * %AEX_ERROR_FAILED before [method@Service.start], %AEX_ERROR_REENTERED the second
 * time, and %AEX_ERROR_MISMATCH on a thread that is not that of the caller.
 *
 * Returns: %TRUE on success, %FALSE if @error is set
 *
 * Since: 1.0
 */
gboolean
aex_service_enter (AexService *self, GError **error)
{
  AexServicePrivate *priv;
  gboolean runs_here, ok;

  g_return_val_if_fail (AEX_IS_SERVICE (self), FALSE);

  if (aex_fork_check (error))
    return FALSE;
  priv = aex_service_get_priv (self);
  runs_here = aex_executor_runs_here (AEX_EXECUTOR (priv->caller));
  g_mutex_lock (&priv->lock);
  ok = may_enter (priv, runs_here, error);
  priv->is_entered |= ok;
  g_mutex_unlock (&priv->lock);
  return ok;
}

/**
 * aex_service_set_func:
 * @self: a service
 * @func: (scope notified) (closure user_data) (destroy destroy): what it does
 * @user_data: data for @func
 * @destroy: (nullable): how to free @user_data, called on the thread of the caller
 *   when @self has ended
 * @error: return location for an error
 *
 * Says what @self does, once: the error is %AEX_ERROR_EXISTS when it has a
 * function, or was started or stopped; then @user_data is freed.
 *
 * Returns: %TRUE on success, %FALSE if @error is set
 *
 * Since: 1.0
 */
gboolean
aex_service_set_func (AexService *self, AexServiceFunc func, gpointer user_data, GDestroyNotify destroy, GError **error)
{
  AexServicePrivate *priv;
  gboolean taken;

  g_return_val_if_fail (AEX_IS_SERVICE (self), FALSE);
  g_return_val_if_fail (func != NULL, FALSE);

  priv = aex_service_get_priv (self);
  taken = !aex_fork_check (error);
  if (taken)
    {
      g_mutex_lock (&priv->lock);
      taken = !priv->has_func && !priv->is_begun;
      if (taken)
        {
          priv->func = func;
          priv->data = user_data;
          priv->destroy = destroy;
          priv->has_func = TRUE;
        }
      g_mutex_unlock (&priv->lock);
      if (!taken)
        g_set_error_literal (error, AEX_ERROR, AEX_ERROR_EXISTS, _("The function of a service is set once, before it is started"));
    }
  if (!taken && destroy != NULL)
    aex_destroy_at (aex_delivery_target (aex_thread_get (), NULL), destroy, user_data);
  return taken;
}

/* ---- getters */

/**
 * aex_service_get_started: (get-property started)
 * @self: a service
 *
 * Gets a pending that resolves when @self has said that it has started. It is
 * cancelled when @self is stopped before that, rejected when it fails, and can not
 * be cancelled by anybody else.
 *
 * Returns: (transfer none): the pending
 *
 * Since: 1.0
 */
AexPending *
aex_service_get_started (AexService *self)
{
  g_return_val_if_fail (AEX_IS_SERVICE (self), NULL);

  return aex_service_get_priv (self)->started;
}

/**
 * aex_service_get_stopping: (get-property stopping)
 * @self: a service
 *
 * Gets a pending that resolves when @self is told to stop, or has ended. It can
 * not be cancelled.
 *
 * Returns: (transfer none): the pending
 *
 * Since: 1.0
 */
AexPending *
aex_service_get_stopping (AexService *self)
{
  g_return_val_if_fail (AEX_IS_SERVICE (self), NULL);

  return aex_service_get_priv (self)->stopping;
}

/**
 * aex_service_get_stopped: (get-property stopped)
 * @self: a service
 *
 * Gets a pending that is done when @self has ended, with the value, error or
 * cancellation of what its function returned. It can not be cancelled.
 *
 * Returns: (transfer none): the pending
 *
 * Since: 1.0
 */
AexPending *
aex_service_get_stopped (AexService *self)
{
  g_return_val_if_fail (AEX_IS_SERVICE (self), NULL);

  return aex_service_get_priv (self)->stopped;
}

/**
 * aex_service_get_caller: (get-property caller)
 * @self: a service
 *
 * Gets the caller that runs @self.
 *
 * Returns: (transfer none): the caller
 *
 * Since: 1.0
 */
AexCaller *
aex_service_get_caller (AexService *self)
{
  g_return_val_if_fail (AEX_IS_SERVICE (self), NULL);

  return aex_service_get_priv (self)->caller;
}

/**
 * aex_service_get_name: (get-property name)
 * @self: a service
 *
 * Gets the name, which its job has too.
 *
 * Returns: (nullable): the name
 *
 * Since: 1.0
 */
const char *
aex_service_get_name (AexService *self)
{
  g_return_val_if_fail (AEX_IS_SERVICE (self), NULL);

  return aex_service_get_priv (self)->name;
}
