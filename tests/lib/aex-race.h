/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "lib/aex-test.h"

G_BEGIN_DECLS

#define AEX_RACE_MAX_THREADS 4

/* The same small situation, set up again and again; in each round every
 * function runs once, all at the same time.  The main thread sets up and
 * checks, and drains its loop before it checks. */
typedef struct
{
  const char *path;
  guint       n_rounds;         /* of the full tier */
  gsize       size;             /* of the state that the functions get, zeroed each round */
  void      (*setup) (gpointer state);
  void      (*run[AEX_RACE_MAX_THREADS]) (gpointer state);
  void      (*check) (gpointer state);
  /* Around all rounds; may be NULL. */
  void      (*begin) (void);
  void      (*end) (void);
} AexRace;

void aex_race_add   (const AexRace *race);
/* For run functions: a moment of random length, so that rounds differ. */
void aex_race_pause (void);

G_END_DECLS
