/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A small library that changes: PLANTED says in which way. */
#define PLANTED_NOTHING   0
#define PLANTED_REMOVED   1
#define PLANTED_LAYOUT    2
#define PLANTED_SIGNATURE 3
#define PLANTED_ADDED     4

typedef struct _PlantedThing PlantedThing;

struct _PlantedThing
{
#if PLANTED == PLANTED_LAYOUT
  int flags;
#endif
  int count;
};

#if PLANTED == PLANTED_SIGNATURE
int planted_use (PlantedThing *thing, long by);
#else
int planted_use (PlantedThing *thing, int by);
#endif

#if PLANTED != PLANTED_REMOVED
int planted_count (const PlantedThing *thing);
#endif

#if PLANTED == PLANTED_ADDED
int planted_more (PlantedThing *thing);
#endif
