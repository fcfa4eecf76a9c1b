/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/aex-debug-private.h"

/* The counters of the library, for the census of the Python tests: this file is linked into their own build of it. */

#define EXPORT __attribute__ ((visibility ("default")))

EXPORT int         aex_test_live_n_kinds  (void);
EXPORT int         aex_test_live_get      (int kind);
EXPORT const char *aex_test_live_get_name (int kind);

int
aex_test_live_n_kinds (void)
{
  return AEX_LIVE_N_KINDS;
}

int
aex_test_live_get (int kind)
{
  return aex_live_get ((AexLiveKind) kind);
}

const char *
aex_test_live_get_name (int kind)
{
  return aex_live_get_name ((AexLiveKind) kind);
}
