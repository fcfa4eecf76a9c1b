/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <asyncexec.h>

#if !AEX_CHECK_VERSION (AEX_MAJOR_VERSION, AEX_MINOR_VERSION, AEX_MICRO_VERSION)
# error "AEX_CHECK_VERSION does not know its own version"
#endif

#if AEX_CHECK_VERSION (AEX_MAJOR_VERSION, AEX_MINOR_VERSION + 1, 0)
# error "AEX_CHECK_VERSION takes a later version for this one"
#endif

static gboolean
answer (AexPending   *job,
        GCancellable *cancellable G_GNUC_UNUSED,
        gpointer      user_data G_GNUC_UNUSED,
        GError      **error G_GNUC_UNUSED)
{
  aex_pending_resolve_string (job, "forty-two");

  return TRUE;
}

int
main (void)
{
  g_autoptr (AexExecutor) pool = aex_executor_ref_default ();
  g_autoptr (AexPending) pending = aex_executor_submit (pool, answer, NULL, NULL);
  g_autoptr (GError) error = NULL;

  if (!aex_pending_wait (pending, AEX_WAIT_FLAGS_NONE, -1, NULL, &error))
    {
      g_printerr ("%s\n", error->message);
      return 1;
    }

  return aex_pending_get_state (pending) == AEX_PENDING_STATE_RESOLVED ? 0 : 1;
}
