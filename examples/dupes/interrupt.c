/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "interrupt.h"

#include <errno.h>
#include <glib-unix.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

/*
 * Ctrl-C.  g_unix_signal_add() would do for most programs, but it only tells the main loop, and
 * until the loop's turn comes the workers would go on opening files.  So the handler itself
 * raises a flag that every worker reads before each file and each block, and wakes the loop
 * through a pipe, which then cancels what is queued.
 *
 * SA_RESETHAND: the second Ctrl-C finds the default action and kills, even if the loop is stuck.
 * When the search is over the first one does nothing, so that the report is not cut off.
 */

static atomic_int flag;
static int wake_fds[2] = { -1, -1 };
static DupesInterruptFunc wake_func;

static void
on_signal (int signum)
{
  int saved_errno = errno;

  atomic_store (&flag, 1);
  while (write (wake_fds[1], "", 1) < 0 && errno == EINTR)
    ;
  errno = saved_errno;
}

static gboolean
on_woken (int          fd,
          GIOCondition condition,
          gpointer     user_data)
{
  wake_func (user_data);
  return G_SOURCE_REMOVE;
}

/* func is called once, from the default main context, after the first SIGINT or SIGTERM. */
gboolean
dupes_interrupt_install (DupesInterruptFunc   func,
                         gpointer             user_data,
                         GError             **error)
{
  struct sigaction action = { 0 };

  if (!g_unix_open_pipe (wake_fds, FD_CLOEXEC, error))
    return FALSE;

  wake_func = func;
  g_unix_fd_add (wake_fds[0], G_IO_IN, on_woken, user_data);

  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART | SA_RESETHAND;
  sigemptyset (&action.sa_mask);
  sigaction (SIGINT, &action, NULL);
  sigaction (SIGTERM, &action, NULL);
  return TRUE;
}

/* Any thread. */
gboolean
dupes_interrupted (void)
{
  return atomic_load_explicit (&flag, memory_order_relaxed) != 0;
}
