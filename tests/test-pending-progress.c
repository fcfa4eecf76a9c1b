/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>

#include "lib/aex-jobs.h"

/* How far a pending is, and who shows the same.  How it is told:
 * test-pending-notify.c. */

#define assert_progress(pending, fraction, message) \
  G_STMT_START { \
    g_autofree char *text_ = aex_pending_dup_progress_message (pending); \
    g_assert_cmpfloat (aex_pending_get_progress (pending), ==, (fraction)); \
    g_assert_cmpstr (text_, ==, (message)); \
  } G_STMT_END

static void
test_set_get (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();

  assert_progress (pending, -1.0, NULL);
  aex_pending_set_progress (pending, 0.5, "half");
  assert_progress (pending, 0.5, "half");
  aex_pending_set_progress (pending, 7.0, NULL);
  assert_progress (pending, 1.0, NULL);
  aex_pending_set_progress (pending, -3.0, "who knows");
  assert_progress (pending, -1.0, "who knows");
  aex_pending_set_progress (pending, (double) NAN, NULL);
  assert_progress (pending, -1.0, NULL);
}

/* What it was at the end stays. */
static void
test_done (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();

  aex_pending_set_progress (pending, 0.25, "a quarter");
  g_assert_true (aex_pending_resolve (pending, NULL));
  aex_pending_set_progress (pending, 0.75, "too late");
  assert_progress (pending, 0.25, "a quarter");
}

int
main (int argc, char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/pending-progress/rule9/set-get", test_set_get);
  aex_test_add ("/pending-progress/rule9/done", test_done);
  return aex_test_run ();
}
