/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "aex-types.h"
#include "base/aex-parker-private.h"
#include "base/aex-target-private.h"

G_BEGIN_DECLS

typedef struct _AexFrame       AexFrame;
typedef struct _AexHome        AexHome;
typedef struct _AexThread      AexThread;
typedef struct _AexEnvironment AexEnvironment;

/* One function of a user that runs on this thread, as a job or as an item of a map; frames nest when a waiting job
 * claims another.  Lives on the stack of aex_pending_run_claimed(). */
struct _AexFrame {
  AexFrame *previous;
  AexPending *job;            /* NULL: an item of a map */
  AexTarget *executor;        /* where it was submitted */
  AexContext *context;        /* the one it was given; borrowed; NULL: none */
  GCancellable *cancellable;  /* given to the function; cancelled by others only under the lock of the job */
  AexParker *waiting;         /* while the function blocks in one of our waits: who wakes it on cancel; same lock */
  guint depth;                /* nested claims below this one */
};

#define AEX_ENVIRONMENT_CACHE 4

/* What one thread knows.  Only the thread itself touches it. */
struct _AexThread {
  AexFrame *frame;            /* innermost running function, or NULL */
  AexContext *context;        /* what the running code sees; NULL is the empty one; owned */
  AexHome *dispatching;       /* whose entries this thread runs now */
  AexTarget *pool;            /* the pool this thread works for, while a job of it runs */
  gpointer worker;            /* its AexPoolWorker */
  gpointer hooked_pool;       /* the AexPoolCore whose thread-main function has not called run_worker yet */
  GMainContext *own_context;  /* pushed because a pool's job asked for a caller; ends with the job; owned */

  AexHome *home;              /* cache: the home of home_context; owned */
  GMainContext *home_context; /* only compared */

  AexEnvironment *environments[AEX_ENVIRONMENT_CACHE];   /* cache; owned through credits */
  guint credits[AEX_ENVIRONMENT_CACHE];                  /* references taken in a block and not given out yet */
  AexEnvironment *released;   /* references to give back in a block */
  guint n_released;

  AexPending *cancelling;     /* the member of a group that this thread cancels with all others, and which group: as the
                               * last thing that it does with it; only compared */
  gpointer cancelling_for;
  gpointer settling;          /* list of done pendings whose waiters still have to be told; see aex-pending-waiters.c */
  gboolean in_settle;

  void (*guard) (void);       /* called before anything of a user is; NULL but for JavaScript, see aex-gjs.c */
  AexParker *parker;          /* made at the first wait */
  GCancellable *cancellable;  /* kept for the next job of this thread */
  gboolean registered;        /* the cleanup at thread exit is armed */
};

/* initial-exec: 0.3 ns instead of a call per access; the library's thread-local data is this one small struct. */
extern __thread AexThread aex_thread_self __attribute__ ((tls_model ("initial-exec")));

static inline AexThread *
aex_thread_get (void)
{
  AexThread *self = &aex_thread_self;

#ifdef __SANITIZE_ADDRESS__
  /* The null check of GCC 12's UBSan looks at the flags of the addition that makes this address, which the linker has
   * relaxed to one that sets none. */
  __asm__ ("" : "+r" (self));
#endif
  return self;
}

/* Before a function of a user is called or a signal emitted. */
static inline void
aex_thread_guard (AexThread *self)
{
  if (G_UNLIKELY (self->guard != NULL))
    self->guard ();
}

/* Arms the cleanup at thread exit; to be called before something owned is stored. */
void aex_thread_register (AexThread *self);

/* Gives back what the thread only caches. */
void aex_thread_flush (void);

/* pending/ says here, at its first use, how to let go of environments and contexts. */
typedef void (*AexThreadFlushFunc) (AexThread *self, gboolean exiting);
void aex_thread_set_flush_func (AexThreadFlushFunc func);

AexParker *aex_thread_get_parker (AexThread *self);

/* TRUE on the thread that entered main(). */
gboolean aex_thread_is_main (void);

G_END_DECLS
