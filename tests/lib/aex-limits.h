/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "lib/aex-jobs.h"

G_BEGIN_DECLS

/* What several programs about limiters use. */

static inline AexExecutor *
aex_test_limiter (AexExecutor *wrapped,
                  guint        max_concurrent)
{
  AexExecutor *limiter = aex_limiter_new (wrapped, max_concurrent);

  g_assert_true (AEX_IS_LIMITER (limiter));
  return limiter;
}

/* A limiter over a pool of its own. */
static inline AexExecutor *
aex_test_limited_pool (guint max_workers,
                       guint max_concurrent)
{
  g_autoptr (AexExecutor) pool = aex_test_pool (max_workers);

  return aex_test_limiter (pool, max_concurrent);
}

static inline void
aex_test_shut_down (AexExecutor *executor)
{
  g_autoptr (AexPending) stopped = aex_executor_shutdown (executor, AEX_SHUTDOWN_FLAGS_NONE);

  aex_test_wait (stopped);
}

static inline void
aex_test_assert_closed (AexPending *pending)
{
  aex_assert_state (pending, CANCELLED);
  aex_assert_failed_with (pending, AEX_ERROR, AEX_ERROR_CLOSED);
}

static inline AexPending *
aex_test_follow (AexPending   *job,
                 GCancellable *cancellable,
                 gpointer      promise,
                 GError      **error)
{
  return g_object_ref (promise);
}

G_END_DECLS
