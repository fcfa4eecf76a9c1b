/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "aex-service.h"
#include "executor/aex-caller-core-private.h"

G_BEGIN_DECLS

typedef struct {
  AexCaller *caller;
  char *name;
  AexPending *started;
  AexPending *stopping;
  AexPending *stopped;
  gulong caller_watch;        /* on the stopping of the caller; written before anybody else knows the service */

  GMutex lock;                /* guards the rest */
  AexServiceFunc func;
  gpointer data;
  GDestroyNotify destroy;
  AexPending *job;            /* from its submission to the end of the service; a reference */
  gboolean has_func;          /* it was given one, which may be gone */
  gboolean is_begun;          /* start() does nothing any more */
  gboolean is_stopping;
  gboolean is_entered;
} AexServicePrivate;

AexServicePrivate *aex_service_get_priv     (AexService *self);
AexCallerCore     *aex_service_get_core     (AexService *self);
/* run() of the class: calls the function. */
AexPending        *aex_service_call_func    (AexService *self, GError **error);
/* To the thread of the caller, where it was called. */
void               aex_service_release_func (AexService *self);

G_END_DECLS
