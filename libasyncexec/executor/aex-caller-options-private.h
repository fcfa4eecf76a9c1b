/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "aex-caller-options.h"

G_BEGIN_DECLS

/* Immutable once a caller has it. */
struct _AexCallerOptions {
  char *name;
  gboolean has_context_flags;
  GMainContextFlags context_flags;
  gboolean has_niceness;
  int niceness;
  GPollFunc poll_func;
  const char *backend;      /* interned; NULL: not said */
};

/* FALSE: it makes no sense, and error says what does. */
gboolean          aex_caller_options_check   (const AexCallerOptions *self, GError **error);

/* The same for a caller that adopts a context: it says nothing of how one is made. */
gboolean          aex_caller_options_check_adopted (const AexCallerOptions *self, GError **error);

/* What self leaves open is as in parent; both may be NULL. */
AexCallerOptions *aex_caller_options_inherit (const AexCallerOptions *self, const AexCallerOptions *parent);

/* Is everything that wanted says so in self? */
gboolean          aex_caller_options_match   (const AexCallerOptions *self, const AexCallerOptions *wanted);

G_END_DECLS
