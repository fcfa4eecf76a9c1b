/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/aex-debug-private.h"

#include <dlfcn.h>
#include <stdatomic.h>

#include "base/aex-thread-private.h"

gboolean
aex_debug_wants (AexDebugFlags flag)
{
  static const GDebugKey keys[] = { { "names", AEX_DEBUG_NAMES }, { "times", AEX_DEBUG_TIMES } };
  static gsize flags;   /* with a bit more, so that it is not 0 once it is known */

  if (g_once_init_enter (&flags))
    g_once_init_leave (&flags, g_parse_debug_string (g_getenv ("AEX_DEBUG"), keys, G_N_ELEMENTS (keys)) | 1 << 8);
  return (flags & flag) != 0;
}

char *
aex_debug_name_func (gpointer func)
{
  g_autofree char *file = NULL;
  Dl_info info;

  /* The closures that bindings make are in no file. */
  if (dladdr (func, &info) == 0 || info.dli_fname == NULL)
    return NULL;
  if (info.dli_sname != NULL && info.dli_saddr == func)
    return g_strdup (info.dli_sname);
  file = g_path_get_basename (info.dli_fname);
  return g_strdup_printf ("%s+0x%" G_GINTPTR_MODIFIER "x", file, (guintptr) func - (guintptr) info.dli_fbase);
}

static atomic_int live[AEX_LIVE_N_KINDS];

#ifdef AEX_DEBUG_COUNTS
void
aex_live_add (AexLiveKind kind, int by)
{
  atomic_fetch_add_explicit (&live[kind], by, memory_order_relaxed);
}

static _Atomic (AexCheckpointFunc) checkpoint_func;

void
aex_checkpoint (void)
{
  AexCheckpointFunc func = atomic_load (&checkpoint_func);

  if (func != NULL)
    func ();
}

void
aex_checkpoint_set_func (AexCheckpointFunc func)
{
  atomic_store (&checkpoint_func, func);
}
#endif

int
aex_live_get (AexLiveKind kind)
{
  /* What this thread only caches does not count as alive. */
  aex_thread_flush ();
  return atomic_load_explicit (&live[kind], memory_order_relaxed);
}

const char *
aex_live_get_name (AexLiveKind kind)
{
  static const char * const names[AEX_LIVE_N_KINDS] = {
    "pending", "extension", "waiter", "context", "stream", "result", "executor", "core", "home", "scope",
    "tracker",
  };

  return names[kind];
}
