/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <asyncexec.h>

int aex_test_something_else (void);

int
aex_test_something_else (void)
{
  return 1;
}
