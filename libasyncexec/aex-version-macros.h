/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined (ASYNCEXEC_INSIDE) && !defined (ASYNCEXEC_COMPILATION)
# error "Only <asyncexec.h> can be included directly."
#endif

#include "aex-version.h"

#ifndef _AEX_EXTERN
# define _AEX_EXTERN extern
#endif

#define AEX_AVAILABLE_IN_1_0 _AEX_EXTERN
