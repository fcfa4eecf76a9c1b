/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdio.h>

#include "findings.h"

G_BEGIN_DECLS

void dupes_report_table (const DupesFindings *findings,
                         FILE                *output);
void dupes_report_json  (const DupesFindings *findings,
                         FILE                *output);

G_END_DECLS
