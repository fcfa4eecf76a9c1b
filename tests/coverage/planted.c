/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the counters of the compiler and gcovr have to see: run once without an
 * argument, it never takes one branch of the line marked "half" and does not
 * execute the one marked "none"; a second run, with an argument, does both. */
#include <glib.h>
#include <stdio.h>

int
main (int    argc,
      char **argv)
{
  /* Excluded, like those of the library. */
  g_return_val_if_fail (argv != NULL, 2);

  if (argc > 1) /* half */
    puts ("more"); /* none */

  return 0;
}
