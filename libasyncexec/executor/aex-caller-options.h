/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "aex-enums.h"

G_BEGIN_DECLS

#define AEX_TYPE_CALLER_OPTIONS (aex_caller_options_get_type ())
AEX_AVAILABLE_IN_1_0 GType             aex_caller_options_get_type          (void) G_GNUC_CONST;
AEX_AVAILABLE_IN_1_0 AexCallerOptions *aex_caller_options_new               (void);
AEX_AVAILABLE_IN_1_0 AexCallerOptions *aex_caller_options_copy              (const AexCallerOptions *self);
AEX_AVAILABLE_IN_1_0 void              aex_caller_options_free              (AexCallerOptions *self);
AEX_AVAILABLE_IN_1_0 void              aex_caller_options_set_name          (AexCallerOptions *self, const char *name);
AEX_AVAILABLE_IN_1_0 void              aex_caller_options_set_context_flags (AexCallerOptions *self, GMainContextFlags flags);
AEX_AVAILABLE_IN_1_0 void              aex_caller_options_set_niceness      (AexCallerOptions *self, int niceness);
AEX_AVAILABLE_IN_1_0 void              aex_caller_options_set_poll_func     (AexCallerOptions *self, GPollFunc poll_func);
AEX_AVAILABLE_IN_1_0 void              aex_caller_options_set_backend       (AexCallerOptions *self, const char *backend);
AEX_AVAILABLE_IN_1_0 const char       *aex_caller_options_get_name          (const AexCallerOptions *self);
AEX_AVAILABLE_IN_1_0 GMainContextFlags aex_caller_options_get_context_flags (const AexCallerOptions *self);
AEX_AVAILABLE_IN_1_0 int               aex_caller_options_get_niceness      (const AexCallerOptions *self);
AEX_AVAILABLE_IN_1_0 const char       *aex_caller_options_get_backend       (const AexCallerOptions *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AexCallerOptions, aex_caller_options_free)

G_END_DECLS
