/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define AEX_INTERLEAVE_MAX_RUN     3
#define AEX_INTERLEAVE_MAX_THREADS 5    /* with those that the library starts */

/* A small situation that is set up again and again: in each round the functions run as threads of which one at a time
 * does a step, in another order of steps.  setup and check run alone, on the main thread. */
typedef struct
{
  const char *path;
  gsize       size;                                     /* of the state that the functions get, zeroed each round */
  void      (*setup) (gpointer state);
  void      (*run[AEX_INTERLEAVE_MAX_RUN]) (gpointer state);
  void      (*check) (gpointer state);
  guint       heavy;                                    /* of many steps: so many preemptions less than the tier allows */
  guint       most_preemptions;                         /* 0: as many as the tier allows */
  guint       n_outcomes;                               /* so many different ends there must be; 0: any number */
} AexInterleave;

void aex_interleave_add     (const AexInterleave *scenario);
int  aex_interleave_main    (int argc, char **argv);

/* In any of the functions: this order of steps breaks a promise.  Does not return. */
void aex_interleave_fail    (const char *format, ...) G_GNUC_PRINTF (1, 2) G_GNUC_NORETURN;
#define aex_interleave_assert(expr) \
  G_STMT_START { \
    if (!(expr)) \
      aex_interleave_fail ("%s:%d: %s", __FILE__, __LINE__, #expr); \
  } G_STMT_END

/* In check: how this round ended.  The report counts different ends. */
void aex_interleave_outcome (const char *format, ...) G_GNUC_PRINTF (1, 2);

/* In a run function: sleeps until a step of another thread makes ready return TRUE. */
void aex_interleave_wait_until (gboolean (*ready) (gpointer data), gpointer data);

/* One iteration of a context that aex_interleave_context_new() made; sleeps until something is ready. */
GMainContext *aex_interleave_context_new (void);

/* In setup, and back in check: a wait in real time ends at once; without, it is a failure. */
void aex_interleave_set_real_time (gboolean is_real);

/* The scenarios, one function per file. */
void aex_interleave_add_harness (void);
void aex_interleave_add_home    (void);
void aex_interleave_add_pending (void);
void aex_interleave_add_jobs    (void);
void aex_interleave_add_pool    (void);
void aex_interleave_add_stream  (void);
void aex_interleave_add_timers  (void);

G_END_DECLS
