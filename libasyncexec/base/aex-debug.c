/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/aex-debug-private.h"

#include <stdatomic.h>

#include "base/aex-thread-private.h"

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
