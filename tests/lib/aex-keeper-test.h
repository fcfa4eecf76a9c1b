/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "lib/aex-jobs.h"

G_BEGIN_DECLS

/* An executor of a user that runs what it has when it is told to. */

#define TEST_TYPE_KEEPER (test_keeper_get_type ())
G_DECLARE_FINAL_TYPE (TestKeeper, test_keeper, TEST, KEEPER, AexExecutor)

struct _TestKeeper
{
  AexExecutor parent_instance;

  GPtrArray  *kept;             /* only the thread of the test */
  gboolean    shuts_down_badly;
};

G_DEFINE_FINAL_TYPE (TestKeeper, test_keeper, AEX_TYPE_EXECUTOR)

static void
test_keeper_dispatch (AexExecutor *executor,
                      AexPending  *job,
                      GError     **error)
{
  g_ptr_array_add (TEST_KEEPER (executor)->kept, g_object_ref (job));
}

static AexPending *
test_keeper_shutdown (AexExecutor     *executor,
                      AexShutdownFlags flags)
{
  if (TEST_KEEPER (executor)->shuts_down_badly)
    return NULL;
  return AEX_EXECUTOR_CLASS (test_keeper_parent_class)->shutdown (executor, flags);
}

static void
test_keeper_finalize (GObject *object)
{
  g_ptr_array_unref (TEST_KEEPER (object)->kept);
  G_OBJECT_CLASS (test_keeper_parent_class)->finalize (object);
}

static void
test_keeper_class_init (TestKeeperClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = test_keeper_finalize;
  AEX_EXECUTOR_CLASS (klass)->dispatch = test_keeper_dispatch;
  AEX_EXECUTOR_CLASS (klass)->shutdown = test_keeper_shutdown;
}

static void
test_keeper_init (TestKeeper *self)
{
  self->kept = g_ptr_array_new_with_free_func (g_object_unref);
}

static inline AexExecutor *
keeper_new (gboolean anywhere)
{
  return g_object_new (TEST_TYPE_KEEPER, "dispatch-anywhere", anywhere, NULL);
}

static inline void
run_kept (AexExecutor *keeper)
{
  GPtrArray *kept = TEST_KEEPER (keeper)->kept;

  while (kept->len > 0)
    {
      g_autoptr (AexPending) job = g_ptr_array_steal_index (kept, 0);

      aex_pending_run (job);
    }
}

G_END_DECLS
