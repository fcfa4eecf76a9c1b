/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "planted.h"

#if PLANTED == PLANTED_SIGNATURE
int
planted_use (PlantedThing *thing,
             long          by)
#else
int
planted_use (PlantedThing *thing,
             int           by)
#endif
{
  return thing->count += (int) by;
}

#if PLANTED != PLANTED_REMOVED
int
planted_count (const PlantedThing *thing)
{
  return thing->count;
}
#endif

#if PLANTED == PLANTED_ADDED
int
planted_more (PlantedThing *thing)
{
  return ++thing->count;
}
#endif
