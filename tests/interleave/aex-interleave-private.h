/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "aex-interleave.h"

G_BEGIN_DECLS

/* What a step does to one address.  Two steps of different threads depend on each other if they meet at one address, and
 * are neither both reads nor both additions. */
typedef enum
{
  AEX_STEP_READ,
  AEX_STEP_ADD,
  AEX_STEP_WRITE,
  AEX_STEP_LOCK,
  AEX_STEP_UNLOCK,    /* only noted: nobody else could have gone on before it to another end */
} AexStepKind;

typedef struct
{
  AexStepKind          kind;
  const volatile void *address;
  const void          *site;       /* in the code */
} AexStep;

/* Calls stand one before the address to which they return. */
#define AEX_SITE_OF(function) ((const char *) (function) + 1)

/* --- the scheduler (aex-interleave.c) */

/* The calling thread is about to do a step, once ready (NULL: at once) returns TRUE. */
void     aex_schedule_step    (AexStep step, gboolean (*ready) (gpointer data), gpointer data);
void     aex_schedule_note    (AexStep step);
/* FALSE: this thread is none of the scenario's, hooks do nothing. */
gboolean aex_schedule_is_on   (void);
/* Lets the others go on first, unless none can. */
void     aex_schedule_yield   (const void *site);
GThread *aex_schedule_spawn   (GThreadFunc func, gpointer data, const void *site, GError **error);
gpointer aex_schedule_join    (GThread *thread, const void *site);
/* One round of a scenario. */
void     aex_schedule_run     (const AexInterleave *scenario, gpointer state);
/* What thread is about to do. */
AexStep  aex_schedule_get_next (guint thread);
/* Where thread stands that has not ended; NULL: there is no such. */
const void *aex_schedule_get_waiting (guint thread);

/* --- the search (aex-interleave-search.c) */

typedef enum { AEX_SEARCH_REDUCED, AEX_SEARCH_ALL, AEX_SEARCH_RANDOM, AEX_SEARCH_REPLAY } AexSearchMode;

void     aex_search_begin     (AexSearchMode mode, guint bound, guint32 seed, const char *replay);
/* Who does the next step of a round: one of the bits in enabled.  previous did the last one. */
guint    aex_search_pick      (guint previous, guint enabled);
void     aex_search_note      (guint thread, AexStep step);
/* After a round: FALSE: there is no other order. */
gboolean aex_search_next      (void);
void     aex_search_rewind    (void);
/* The order of the round: "0x12,1x3": twelve steps of the first thread, three of the second. */
char    *aex_search_dup_order (void);
void     aex_search_print     (void);

/* --- catching (aex-interleave-hooks.c) */

void     aex_hooks_new_round  (void);

G_END_DECLS
