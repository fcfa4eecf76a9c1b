/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What AEX_DEBUG in the environment asks for. */
typedef enum {
  AEX_DEBUG_NAMES = 1 << 0,   /* jobs without a name are called after their function */
  AEX_DEBUG_TIMES = 1 << 1,   /* every executor records times */
} AexDebugFlags;

gboolean    aex_debug_wants      (AexDebugFlags flag);
/* Where func is, for people and for addr2line: its symbol, or the file that it is in and the offset there; NULL: unknown. */
char       *aex_debug_name_func  (gpointer func);

/* What is alive, for the census that ends every test program.  Counted only where AEX_DEBUG_COUNTS is defined (the
 * static library that the tests link): the shared library pays nothing. */
typedef enum {
  AEX_LIVE_PENDING,
  AEX_LIVE_EXTENSION,   /* what few pendings need */
  AEX_LIVE_WAITER,      /* callbacks, links, continuations attached to pendings */
  AEX_LIVE_CONTEXT,
  AEX_LIVE_STREAM,
  AEX_LIVE_RESULT,
  AEX_LIVE_EXECUTOR,    /* the GObjects */
  AEX_LIVE_CORE,        /* what is behind them */
  AEX_LIVE_HOME,        /* one per main context in use; the default one's stays */
  AEX_LIVE_SCOPE,
  AEX_LIVE_TRACKER,     /* what is behind trackers and groups */
  AEX_LIVE_N_KINDS
} AexLiveKind;

#ifdef AEX_DEBUG_COUNTS
void        aex_live_add      (AexLiveKind kind, int by);
#else
# define aex_live_add(kind, by) G_STMT_START { } G_STMT_END
#endif

int         aex_live_get      (AexLiveKind kind);
const char *aex_live_get_name (AexLiveKind kind);

/* A moment at which tests cancel what goes on, to see that it ends well: where somebody begins to wait, asks, publishes or
 * pushes, and around functions of users.  No lock is held; the calling thread may run anything.  Nothing in the shared
 * library. */
#ifdef AEX_DEBUG_COUNTS
typedef void (*AexCheckpointFunc) (void);

void        aex_checkpoint          (void);
void        aex_checkpoint_set_func (AexCheckpointFunc func);   /* NULL: none */
#else
# define aex_checkpoint() G_STMT_START { } G_STMT_END
#endif

G_END_DECLS
