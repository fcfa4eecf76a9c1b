/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "stage.h"

G_BEGIN_DECLS

DupesStage *dupes_contents_new (GPtrArray     *files,
                                GChecksumType  algorithm,
                                DupesProgress *progress);

G_END_DECLS
