/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the programs with planted defects have in common: modes, and the twin of each, without the defect. */

#include <glib.h>
#include <string.h>

typedef struct
{
  const char *name;
  void      (*run) (void);
} PlantedMode;

/* The twin is asked for. */
static gboolean fixed;

/* modes: up to one without a name */
static inline int
planted_main (int                argc,
              char             **argv,
              const PlantedMode *modes)
{
  fixed = argc == 3 && strcmp (argv[2], "--fixed") == 0;
  for (; argc > 1 && modes->name != NULL; modes++)
    {
      if (strcmp (argv[1], modes->name) != 0)
        continue;
      modes->run ();
      return 0;
    }
  g_printerr ("usage: %s MODE [--fixed]\n", argv[0]);
  return 2;
}
