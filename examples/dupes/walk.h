/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <asyncexec.h>

#include "options.h"
#include "progress.h"
#include "tree.h"

G_BEGIN_DECLS

AexPending *dupes_walk (AexExecutor        *pool,
                        const DupesOptions *options,
                        DupesTree          *tree,
                        DupesProgress      *progress);

G_END_DECLS
