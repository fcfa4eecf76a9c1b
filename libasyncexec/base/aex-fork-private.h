/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* After fork() without exec() the child has one thread and locks in any state: nothing of ours may lock or wait there. */
extern gboolean aex_forked_flag;

void aex_fork_watch (void);

static inline gboolean
aex_is_forked (void)
{
  return G_UNLIKELY (aex_forked_flag);
}

/* TRUE, with error set to FORKED, in a forked child. */
gboolean aex_fork_check (GError **error);

G_END_DECLS
