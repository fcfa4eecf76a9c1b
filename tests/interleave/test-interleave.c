/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "aex-interleave.h"

int
main (int argc, char **argv)
{
  aex_interleave_add_harness ();
  aex_interleave_add_home ();
  aex_interleave_add_timers ();
  aex_interleave_add_pending ();
  aex_interleave_add_jobs ();
  aex_interleave_add_stream ();
  aex_interleave_add_pool ();
  return aex_interleave_main (argc, argv);
}
