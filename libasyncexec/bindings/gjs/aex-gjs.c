/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* GJS before 1.82 refuses every callback that comes between two slices in which SpiderMonkey sweeps: it takes "a sweep has
 * begun" for "the collector is on the stack" (mended in GJS by "callbacks: fix sweeping check for incremental GC").  The
 * callback is lost, and where only callbacks would make JavaScript run again, the next slice never comes.
 *
 * So a sweep that has begun is finished before anything of JavaScript is called from here.  That a sweep goes on is heard
 * from SpiderMonkey in the same way as GJS does; it is finished with the public function of GJS.  The library is not linked
 * with either: their functions are looked up in the process. */
#include "bindings/gjs/aex-gjs.h"

#include "base/aex-symbols-private.h"
#include "base/aex-thread-private.h"

/* JSFinalizeStatus. */
enum { SWEEP_PREPARES = 0, SWEEP_IS_OVER = 3 };

/* JS::HeapState::Idle. */
#define HEAP_IS_IDLE 0

typedef void (*FinalizeFunc) (gpointer gc, int status, gpointer data);

static struct {
  /* Of GJS. */
  gpointer (*context_get_current) (void);
  gpointer (*context_get_native_context) (gpointer context);
  void     (*context_gc) (gpointer context);
  /* Of SpiderMonkey, by their C++ names; its bool is a byte. */
  guint8   (*add_finalize_callback) (gpointer native, FinalizeFunc func, gpointer data);
  guint8   (*is_collecting_by_slices) (gpointer native);
  int      (*get_heap_state) (void);
} gjs;

static const AexSymbol symbols[] = {
  { "gjs_context_get_current", (gpointer *) &gjs.context_get_current },
  { "gjs_context_get_native_context", (gpointer *) &gjs.context_get_native_context },
  { "gjs_context_gc", (gpointer *) &gjs.context_gc },
  { "_Z22JS_AddFinalizeCallbackP9JSContextPFvPN2JS9GCContextE16JSFinalizeStatusPvES5_",
    (gpointer *) &gjs.add_finalize_callback },
  { "_ZN2JS25IsIncrementalGCInProgressEP9JSContext", (gpointer *) &gjs.is_collecting_by_slices },
  { "_ZN2JS16RuntimeHeapStateEv", (gpointer *) &gjs.get_heap_state },
};

/* Only the thread of JavaScript touches these. */
static gboolean sweeping;
static guint n_finished;

static void
sweep_changed (gpointer gc, int status, gpointer data)
{
  (void) gc;
  (void) data;
  if (status == SWEEP_PREPARES)
    sweeping = TRUE;
  else if (status == SWEEP_IS_OVER)
    sweeping = FALSE;
}

/* Not from inside of the collector, which may let go of objects of ours. */
static void
finish_sweep (void)
{
  if (G_LIKELY (!sweeping) || gjs.get_heap_state () != HEAP_IS_IDLE)
    return;
  sweeping = FALSE;
  n_finished++;
  gjs.context_gc (gjs.context_get_current ());
}

/**
 * aex_gjs_protect_callbacks:
 *
 * Keeps the JavaScript engine of this process from losing callbacks of this
 * library, which GJS before 1.82 does while it collects garbage by slices: a
 * collection that has begun to sweep is finished before the next callback. For
 * the JavaScript override, once, on the thread of JavaScript.
 *
 * Returns: %FALSE if this process has no such engine
 *
 * Since: 1.0
 */
gboolean
aex_gjs_protect_callbacks (void)
{
  gpointer native;

  if (!aex_symbols_look_up (symbols, G_N_ELEMENTS (symbols)) || gjs.context_get_current () == NULL)
    return FALSE;
  native = gjs.context_get_native_context (gjs.context_get_current ());
  if (!gjs.add_finalize_callback (native, sweep_changed, NULL))
    return FALSE;
  /* It may have begun to sweep before anybody told us. */
  sweeping = gjs.is_collecting_by_slices (native);
  aex_thread_get ()->guard = finish_sweep;
  return TRUE;
}

/**
 * aex_gjs_get_n_finished:
 *
 * Gets how many collections were finished because a callback had to be made,
 * see [func@gjs_protect_callbacks]. On the thread of JavaScript.
 *
 * Returns: how many
 *
 * Since: 1.0
 */
guint
aex_gjs_get_n_finished (void)
{
  return n_finished;
}
