/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/aex-fork-private.h"

#include "base/aex-i18n-private.h"
#include <pthread.h>

#include "aex-error.h"

/* Written once, by the only thread of a forked child. */
gboolean aex_forked_flag;

static void
forked_in_child (void)
{
  aex_forked_flag = TRUE;
}

void
aex_fork_watch (void)
{
  static gsize once;

  if (g_once_init_enter (&once))
    {
      pthread_atfork (NULL, NULL, forked_in_child);
      g_once_init_leave (&once, 1);
    }
}

gboolean
aex_fork_check (GError **error)
{
  if (!aex_is_forked ())
    return FALSE;
  g_set_error_literal (error, AEX_ERROR, AEX_ERROR_FORKED,
                       _("This process was forked without exec: start a new program, or use the library only in the parent"));
  return TRUE;
}
