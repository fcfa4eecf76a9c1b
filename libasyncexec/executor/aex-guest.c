/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "executor/aex-guest-private.h"

#include "base/aex-i18n-private.h"
#include "pending/aex-context-private.h"

/**
 * AexGuest:
 *
 * A loop other than GLib's that runs in the thread of a caller, as a guest of
 * the main context: asyncio, libuv or whatever a subclass knows to drive. A
 * caller makes one when the first job asks for its backend (see
 * [func@Caller.register_backend]), and ends it before it stops.
 *
 * A subclass says what wakes its loop, a file descriptor and a time, and runs a
 * turn of it when it is told to. Turns run at default priority; when 2 ms were
 * spent in them, sources down to GTK's redraw priority come first, but for 50
 * ms at most. All of it happens on the thread of the caller.
 *
 * Where a foreign loop hosts the caller (see [method@Caller.dispatch]), nobody
 * looks at the context, and the loop of a guest is not run.
 *
 * Since: 1.0
 */
typedef struct {
  AexCallerCore *core;     /* a reference, while it is attached */
  const char *backend;     /* interned */
  GSource *source;         /* a reference, while it is attached: fd and ready time */
  GSource *low_source;     /* likewise: below GTK's redraw, says that everything above had its turn */
  gpointer fd_tag;
  gint64 ready_us;         /* -1: never */
  gint64 spent_us;         /* in turns, since others had theirs */
  gboolean low;            /* it waits for the low source */
  gboolean in_turn;
} AexGuestPrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (AexGuest, aex_guest, G_TYPE_OBJECT)

typedef struct {
  GSource source;
  AexGuest *guest;    /* not owned: it destroys the source */
} AexGuestSource;

static AexGuestPrivate *
get_private (AexGuest *self)
{
  return aex_guest_get_instance_private (self);
}

/* ---- the sources */

/* What the two sources wait for now. */
static void
arm (AexGuestPrivate *priv)
{
  if (priv->source == NULL)
    return;
  if (priv->fd_tag != NULL)
    g_source_modify_unix_fd (priv->source, priv->fd_tag, priv->low ? 0 : G_IO_IN);
  g_source_set_ready_time (priv->source, priv->low ? g_get_monotonic_time () + AEX_STARVED_US : priv->ready_us);
  g_source_set_ready_time (priv->low_source, priv->low ? 0 : -1);
}

static gboolean
is_due (AexGuestPrivate *priv, gint64 now)
{
  return priv->source != NULL && priv->ready_us >= 0 && priv->ready_us <= now;
}

/* Turns until nothing is ready, or the slice is over. */
static void
run_turns (AexGuest *self)
{
  AexGuestPrivate *priv = get_private (self);
  AexGuestClass *klass = AEX_GUEST_GET_CLASS (self);
  gint64 begin = g_get_monotonic_time (), now;

  do
    {
      priv->ready_us = -1;
      klass->iterate (self);
      now = g_get_monotonic_time ();
    }
  while (is_due (priv, now) && now - begin < AEX_SLICE_US);
  priv->spent_us += now - begin;
}

static gboolean
guest_source_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  g_autoptr (AexGuest) self = g_object_ref (((AexGuestSource *) source)->guest);
  AexGuestPrivate *priv = get_private (self);
  AexThread *thread = aex_thread_get ();
  AexHome *outer = thread->dispatching;
  AexHome *home = aex_target_ref (priv->core->home);
  AexContext *saved = aex_context_enter (thread, NULL);

  (void) callback;
  (void) user_data;
  if (priv->low)
    priv->spent_us = 0;
  priv->in_turn = TRUE;
  thread->dispatching = home;
  aex_thread_guard (thread);
  run_turns (self);
  thread->dispatching = outer;
  aex_context_leave (thread, saved);
  priv->in_turn = FALSE;
  priv->low = priv->spent_us >= AEX_SLICE_US;
  arm (priv);
  aex_target_unref (home);
  return G_SOURCE_CONTINUE;
}

static gboolean
low_source_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  AexGuestPrivate *priv = get_private (((AexGuestSource *) source)->guest);

  (void) callback;
  (void) user_data;
  priv->low = FALSE;
  priv->spent_us = 0;
  arm (priv);
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs guest_source_funcs = { .dispatch = guest_source_dispatch };
static GSourceFuncs low_source_funcs = { .dispatch = low_source_dispatch };

static GSource *
guest_source_new (AexGuest *self, GSourceFuncs *funcs, const char *name, int priority, GMainContext *context)
{
  GSource *source = g_source_new (funcs, sizeof (AexGuestSource));

  ((AexGuestSource *) source)->guest = self;
  g_source_set_static_name (source, name);
  g_source_set_priority (source, priority);
  g_source_attach (source, context);
  return source;
}

/* ---- for the caller */

AexGuest *
aex_guest_new_for_core (const char *backend, AexCallerCore *core, GError **error)
{
  GMainContext *context = atomic_load (&core->home->context);
  AexGuestPrivate *priv;
  AexGuest *self;

  if (context == NULL)
    {
      g_set_error_literal (error, AEX_ERROR, AEX_ERROR_CLOSED, _("The context of the caller is gone"));
      return NULL;
    }
  self = g_object_new (aex_backend_get_type (backend), NULL);
  priv = get_private (self);
  priv->backend = backend;
  priv->core = aex_target_ref (core);
  priv->source = guest_source_new (self, &guest_source_funcs, "AexGuest", G_PRIORITY_DEFAULT, context);
  priv->low_source = guest_source_new (self, &low_source_funcs, "AexGuest (low)", AEX_LOW_PRIORITY, context);
  return self;
}

const char *
aex_guest_get_backend (AexGuest *self)
{
  return get_private (self)->backend;
}

void
aex_guest_dispatch_job (AexGuest *self, AexPending *job)
{
  AexGuestClass *klass = AEX_GUEST_GET_CLASS (self);
  GError *error = NULL;

  if (klass->dispatch != NULL)
    klass->dispatch (self, job, &error);
  else
    error = g_error_new (AEX_ERROR, AEX_ERROR_NOT_SUPPORTED, _("%s has no dispatch(): a guest must implement it"),
                         G_OBJECT_TYPE_NAME (self));
  if (error != NULL)
    aex_pending_reject (job, error);
}

AexPending *
aex_guest_end (AexGuest *self)
{
  AexGuestClass *klass = AEX_GUEST_GET_CLASS (self);

  return klass->end != NULL ? klass->end (self) : NULL;
}

static void
end_source (GSource **source)
{
  if (*source == NULL)
    return;
  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

void
aex_guest_detach (AexGuest *self)
{
  AexGuestPrivate *priv = get_private (self);

  priv->fd_tag = NULL;
  end_source (&priv->source);
  end_source (&priv->low_source);
  g_clear_pointer (&priv->core, aex_target_unref);
}

/* ---- the object */

static void
aex_guest_real_iterate (AexGuest *self)
{
  (void) self;
}

static void
aex_guest_dispose (GObject *object)
{
  aex_guest_detach (AEX_GUEST (object));
  G_OBJECT_CLASS (aex_guest_parent_class)->dispose (object);
}

static void
aex_guest_class_init (AexGuestClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = aex_guest_dispose;
  klass->iterate = aex_guest_real_iterate;
}

static void
aex_guest_init (AexGuest *self)
{
  get_private (self)->ready_us = -1;
}

/**
 * aex_guest_ref_caller:
 * @self: a guest
 *
 * Gets the caller in whose thread @self is.
 *
 * Returns: (transfer full) (nullable): the caller, %NULL when @self has ended
 *
 * Since: 1.0
 */
AexCaller *
aex_guest_ref_caller (AexGuest *self)
{
  AexCallerCore *core;

  g_return_val_if_fail (AEX_IS_GUEST (self), NULL);

  core = get_private (self)->core;
  return core != NULL ? aex_caller_ref_for_core (core, core->core.name) : NULL;
}

/**
 * aex_guest_set_fd:
 * @self: a guest
 * @fd: a file descriptor, -1 for none
 *
 * Says what wakes the loop: [vfunc@Guest.iterate] is called when @fd is
 * readable, as that of an epoll set is when one of its members is ready. It
 * stays the subclass's, which takes it back before it is closed. Only on the
 * thread of the caller.
 *
 * Since: 1.0
 */
void
aex_guest_set_fd (AexGuest *self, int fd)
{
  AexGuestPrivate *priv;

  g_return_if_fail (AEX_IS_GUEST (self));
  g_return_if_fail (fd >= -1);

  priv = get_private (self);
  if (priv->source == NULL)
    return;
  if (priv->fd_tag != NULL)
    g_source_remove_unix_fd (priv->source, g_steal_pointer (&priv->fd_tag));
  if (fd >= 0)
    priv->fd_tag = g_source_add_unix_fd (priv->source, fd, priv->low ? 0 : G_IO_IN);
}

/**
 * aex_guest_set_ready_time:
 * @self: a guest
 * @ready_time_us: monotonic microseconds, 0 for at once, -1 for never
 *
 * Says when [vfunc@Guest.iterate] is to be called next; until this is called
 * again, or it was. Only on the thread of the caller.
 *
 * Since: 1.0
 */
void
aex_guest_set_ready_time (AexGuest *self, gint64 ready_time_us)
{
  AexGuestPrivate *priv;

  g_return_if_fail (AEX_IS_GUEST (self));

  priv = get_private (self);
  priv->ready_us = ready_time_us;
  if (!priv->in_turn && !priv->low)
    arm (priv);
}
