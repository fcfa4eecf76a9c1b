/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "aex-test.h"

/* Between the files of the harness. */
void  aex_test_log_install            (void);
guint aex_test_get_n_threads_at_start (void);
guint aex_census_get_n_threads        (const AexCensus *self);
