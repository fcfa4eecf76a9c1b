/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "aex-guest.h"
#include "executor/aex-caller-core-private.h"

G_BEGIN_DECLS

/* A guest for a caller, on whose thread this is; NULL with error set. */
AexGuest   *aex_guest_new_for_core (const char *backend, AexCallerCore *core, GError **error);
const char *aex_guest_get_backend  (AexGuest *self);    /* interned */

/* On that thread.  detach: it is iterated no more. */
void        aex_guest_dispatch_job (AexGuest *self, AexPending *job);
AexPending *aex_guest_end          (AexGuest *self);
void        aex_guest_detach       (AexGuest *self);

/* ---- aex-backends.c: the names that are registered; any thread */
/* Interned; that of glib, which needs no guest, is there always.  NULL with error set: there is none of that name. */
const char *aex_backend_find       (const char *name, GError **error);
gboolean    aex_backend_is_glib    (const char *backend);
GType       aex_backend_get_type   (const char *backend);

G_END_DECLS
