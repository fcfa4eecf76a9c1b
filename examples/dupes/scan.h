/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <asyncexec.h>

#include "findings.h"
#include "options.h"

G_BEGIN_DECLS

typedef struct _DupesScan DupesScan;

DupesScan  *dupes_scan_new       (const DupesOptions *options);
void        dupes_scan_free      (DupesScan          *self);
AexPending *dupes_scan_start     (DupesScan          *self);
void        dupes_scan_stop      (DupesScan          *self);
void        dupes_scan_summarize (DupesScan          *self,
                                  DupesFindings      *findings);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DupesScan, dupes_scan_free)

G_END_DECLS
