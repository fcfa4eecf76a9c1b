/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "property/property.h"

G_BEGIN_DECLS

/* Besides its tests, the program runs programs when it is told which. */
typedef struct {
  gint64   seed;        /* -1: none */
  int      programs;
  int      seconds;
  int      flavour;
  int      repeat;
  char    *file;
  char    *plant;
  gboolean print;
} PropTool;

typedef struct {
  guint n_programs, n_steps, n_jobs;
} PropFigures;

#define PROP_EXIT_VIOLATED 1
#define PROP_EXIT_HANG 3

int      prop_tool_run      (const PropTool *self);

/* --- property-child.c: the same in a child, and what to do when it fails */

/* What became of a child: NULL, "I3", "hang", "crash". */
char    *prop_child_run     (const PropTool *tool, gboolean in_a_hurry, PropFigures *figures, char **output);
gboolean prop_find_smallest (const PropTool *tool, const char *output, const char *how, PropProgram *smallest);
void     prop_child_init    (const char *program);

G_END_DECLS
