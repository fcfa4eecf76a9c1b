/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "stage.h"

G_BEGIN_DECLS

/* So many bytes of every file whose size is not unique are compared first. */
#define DUPES_BEGINNING 4096

DupesStage *dupes_beginnings_new (GPtrArray     *files,
                                  GChecksumType  algorithm,
                                  DupesProgress *progress);

G_END_DECLS
