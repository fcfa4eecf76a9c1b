/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gio/gio.h>

/* A race in a library that an interpreter loads; preloaded.py calls it. */

__attribute__ ((visibility ("default"))) void count (int fixed);

static int counter;

static gpointer
count_up (gpointer fixed)
{
  for (int i = 0; i < 1000; i++)
    {
      if (fixed != NULL)
        g_atomic_int_inc (&counter);
      else
        counter++;
    }
  return NULL;
}

void
count (int fixed)
{
  GThread *thread = g_thread_new ("counter", count_up, GINT_TO_POINTER (fixed));

  count_up (GINT_TO_POINTER (fixed));
  g_thread_join (thread);
}
