/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The two GSources of a home.  The first runs one slice of work at default priority.  When the slice is spent, the whole
 * home waits for the second, below GTK's redraw: so at most one slice runs while a redraw is due.  The second does no work
 * itself, it only says that everything above it had its turn. */
#include "base/aex-home-private.h"

#include "base/aex-clock-private.h"

typedef struct {
  GSource source;
  AexHome *home;    /* owned */
  gpointer fd_tag;
} AexHomeSource;

/* Milliseconds until a deadline, rounded up: never early, and never a busy loop. */
static int
timeout_until (gint64 deadline_us, gint64 now)
{
  /* Whoever moves a test clock on rings, but only for what was there by then. */
  if (aex_clock_is_virtual ())
    return deadline_us <= now ? 0 : -1;
  return (int) MIN ((deadline_us - now + 999) / 1000, G_MAXINT);
}

static gboolean
home_source_prepare (GSource *source, int *timeout)
{
  AexHome *home = ((AexHomeSource *) source)->home;
  gint64 now = aex_clock_now ();
  gint64 next;

  *timeout = -1;
  if (home->low)
    {
      if (now - home->last_slice_us >= AEX_STARVED_US)
        return TRUE;
      *timeout = timeout_until (home->last_slice_us + AEX_STARVED_US, now);
      return FALSE;
    }
  if (aex_home_has_work (home, now) || !aex_home_fall_asleep (home))
    return TRUE;
  next = atomic_load (&home->next_timer_us);
  if (next >= 0)
    *timeout = timeout_until (next, now);
  return FALSE;
}

static gboolean
home_source_check (GSource *source)
{
  AexHomeSource *self = (AexHomeSource *) source;
  gint64 now = aex_clock_now ();

  if (g_source_query_unix_fd (source, self->fd_tag) & G_IO_IN)
    aex_home_eat_wake (self->home);
  if (self->home->low)
    return now - self->home->last_slice_us >= AEX_STARVED_US;
  return aex_home_has_work (self->home, now);
}

static gboolean
home_source_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  AexHome *home = aex_target_ref (((AexHomeSource *) source)->home);

  (void) callback;
  (void) user_data;
  /* A source with a readable fd is dispatched whatever its check says: that may be a ring, while it is not our turn. */
  if (!home->low || aex_clock_now () - home->last_slice_us >= AEX_STARVED_US)
    aex_home_run_slice (home, AEX_SLICE_US);
  aex_target_unref (home);
  return G_SOURCE_CONTINUE;
}

static void
home_source_finalize (GSource *source)
{
  aex_target_unref (((AexHomeSource *) source)->home);
}

static gboolean
low_source_prepare (GSource *source, int *timeout)
{
  *timeout = -1;
  return ((AexHomeSource *) source)->home->low;
}

static gboolean
low_source_check (GSource *source)
{
  return ((AexHomeSource *) source)->home->low;
}

static gboolean
low_source_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  (void) callback;
  (void) user_data;
  ((AexHomeSource *) source)->home->low = FALSE;
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs home_source_funcs = {
  .prepare = home_source_prepare,
  .check = home_source_check,
  .dispatch = home_source_dispatch,
  .finalize = home_source_finalize,
};

static GSourceFuncs low_source_funcs = {
  .prepare = low_source_prepare,
  .check = low_source_check,
  .dispatch = low_source_dispatch,
  .finalize = home_source_finalize,
};

static gboolean
never_called (gpointer data)
{
  (void) data;
  return G_SOURCE_CONTINUE;
}

/* The destroy notify of the source's callback: GLib calls it while the context is torn down, in the thread that does it,
 * and before the memory of the context is gone; a finalize of the source would come after. */
static void
context_gone (gpointer data)
{
  aex_home_die (data);
  aex_target_unref (data);
}

static GSource *
home_source_new (AexHome *home, GSourceFuncs *funcs, const char *name, int priority)
{
  GSource *source = g_source_new (funcs, sizeof (AexHomeSource));

  ((AexHomeSource *) source)->home = aex_target_ref (home);
  g_source_set_static_name (source, name);
  g_source_set_priority (source, priority);
  g_source_set_can_recurse (source, TRUE);
  return source;
}

gboolean
aex_home_attach (AexHome *self, GMainContext *context)
{
  GSource *source = home_source_new (self, &home_source_funcs, "AexHome", G_PRIORITY_DEFAULT);
  GSource *low = home_source_new (self, &low_source_funcs, "AexHome (low)", AEX_LOW_PRIORITY);

  ((AexHomeSource *) source)->fd_tag = g_source_add_unix_fd (source, self->fd, G_IO_IN);
  g_source_set_callback (source, never_called, aex_target_ref (self), context_gone);
  atomic_store (&self->context, context);
  self->source = source;
  self->low_source = low;
  g_source_attach (source, context);
  g_source_attach (low, context);
  g_source_unref (source);
  g_source_unref (low);
  return TRUE;
}
