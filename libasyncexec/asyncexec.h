/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#define ASYNCEXEC_INSIDE
#include "aex-version.h"
#include "aex-types.h"
#include "aex-enums.h"
#include "aex-enum-types.h"
#include "aex-error.h"
#include "aex-context.h"
#include "aex-context-var.h"
#include "aex-pending.h"
#include "aex-pending-info.h"
#include "aex-pending-result.h"
#include "aex-pending-stream.h"
#include "aex-scope.h"
#include "aex-executor.h"
#include "aex-submit-options.h"
#include "aex-operations.h"
#include "aex-thread-pool.h"
#include "aex-trampoline.h"
#include "aex-caller.h"
#include "aex-testing.h"
#include "aex-gjs.h"
#undef ASYNCEXEC_INSIDE
