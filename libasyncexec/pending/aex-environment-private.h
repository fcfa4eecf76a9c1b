/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/aex-thread-private.h"

G_BEGIN_DECLS

/* What many pendings have in common: where they were submitted, where their submitter gets its callbacks, and what he
 * saw.  Interned in a small cache per thread; references are taken and given back in blocks, so that a job costs no
 * atomic operation on a shared line. */
struct _AexEnvironment {
  _Atomic guint refs;
  AexTarget *executor;     /* NULL: a promise */
  AexTarget *delivery;     /* the submitter's delivery target: the owner; NULL: it could not be made */
  AexTarget *owner;        /* the main context on which it may be looked at (rule 4): delivery, unless that is a pool */
  AexContext *context;     /* NULL: the empty one */
};

/* For a pending made by this thread; executor and context may be NULL. */
AexEnvironment *aex_environment_take (AexTarget *executor, AexContext *context);
void            aex_environment_give (AexEnvironment *self);
AexEnvironment *aex_environment_ref  (AexEnvironment *self);

/* Gives back what the thread caches; exiting: also what its running code saw. */
void            aex_environment_flush_thread (AexThread *thread, gboolean exiting);

/* Where callbacks that this thread attaches now go (rule 2); borrowed; NULL with error set. */
AexTarget      *aex_delivery_target  (AexThread *thread, GError **error);

G_END_DECLS
