/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "tree.h"

G_BEGIN_DECLS

/* Files with the same content. */
typedef struct
{
  guint64     size;            /* of each */
  guint64     wasted;          /* by all but one */
  GRefString *checksum;
  GPtrArray  *paths;           /* of char*, sorted bytewise */
} DupesGroup;

/* What the program has found out, and all that the reports need to know. */
typedef struct
{
  GPtrArray *groups;           /* of DupesGroup: the most wasteful first, then by first path */
  GPtrArray *problems;         /* of DupesProblem, sorted by path; owned by the tree */
  guint64    n_files;          /* distinct files that were looked at, and their bytes */
  guint64    n_bytes;
  guint64    n_wasted;
  gboolean   interrupted;
  double     seconds;
} DupesFindings;

void dupes_findings_init  (DupesFindings *self,
                           DupesTree     *tree,
                           GPtrArray     *files);
void dupes_findings_clear (DupesFindings *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (DupesFindings, dupes_findings_clear)

G_END_DECLS
