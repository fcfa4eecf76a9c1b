/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <asyncexec.h>

#include "reader.h"

G_BEGIN_DECLS

typedef struct _DupesStage DupesStage;

/* Works on some files; runs on a worker, and no other job has these files at that time. */
typedef void (*DupesUnitFunc) (DupesReader    *reader,
                               DupesFile     **files,
                               guint           n_files,
                               GChecksumType   algorithm);

DupesStage *dupes_stage_new       (const char     *title,
                                   GPtrArray      *files,
                                   DupesUnitFunc   func,
                                   GChecksumType   algorithm,
                                   DupesProgress  *progress);
void        dupes_stage_free      (DupesStage     *self);
void        dupes_stage_add_unit  (DupesStage     *self,
                                   guint           first,
                                   guint           n_files);
void        dupes_stage_add_bytes (DupesStage     *self,
                                   guint64         n_bytes);
AexPending *dupes_stage_start     (DupesStage     *self,
                                   AexExecutor    *pool,
                                   guint           n_jobs,
                                   DupesTree      *tree);
void        dupes_stage_stop      (DupesStage     *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DupesStage, dupes_stage_free)

G_END_DECLS
