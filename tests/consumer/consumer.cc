// SPDX-License-Identifier: LGPL-2.1-or-later

#include <asyncexec.h>

static gboolean
answer (AexPending *job, GCancellable *, gpointer, GError **)
{
  return aex_pending_resolve_int64 (job, 42);
}

int
main ()
{
  g_autoptr (AexExecutor) pool = aex_thread_pool_new (1);
  g_autoptr (AexPending) pending = aex_executor_submit (pool, answer, nullptr, nullptr);
  g_autoptr (GError) error = nullptr;

  if (!aex_pending_wait (pending, AEX_WAIT_FLAGS_NONE, -1, nullptr, &error))
    return 1;
  return aex_pending_get_int64 (pending, nullptr) == 42 ? 0 : 1;
}
