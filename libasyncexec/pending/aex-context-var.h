/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "aex-types.h"

G_BEGIN_DECLS

#define AEX_TYPE_CONTEXT_VAR (aex_context_var_get_type ())
AEX_AVAILABLE_IN_1_0
G_DECLARE_FINAL_TYPE (AexContextVar, aex_context_var, AEX, CONTEXT_VAR, GObject)

AEX_AVAILABLE_IN_1_0 AexContextVar   *aex_context_var_new       (const char *name, const GValue *default_value);
AEX_AVAILABLE_IN_1_0 const char      *aex_context_var_get_name  (AexContextVar *self);
AEX_AVAILABLE_IN_1_0 GValue          *aex_context_var_dup_value (AexContextVar *self);
AEX_AVAILABLE_IN_1_0 AexContextToken *aex_context_var_set       (AexContextVar *self, const GValue *value);
AEX_AVAILABLE_IN_1_0 gboolean         aex_context_var_reset     (AexContextVar *self, AexContextToken *token, GError **error);

#define AEX_TYPE_CONTEXT_TOKEN (aex_context_token_get_type ())
AEX_AVAILABLE_IN_1_0 GType            aex_context_token_get_type (void) G_GNUC_CONST;
AEX_AVAILABLE_IN_1_0 AexContextToken *aex_context_token_ref      (AexContextToken *self);
AEX_AVAILABLE_IN_1_0 void             aex_context_token_unref    (AexContextToken *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AexContextToken, aex_context_token_unref)

G_END_DECLS
