/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _DupesProgress DupesProgress;

DupesProgress *dupes_progress_new   (gboolean       visible);
void           dupes_progress_free  (DupesProgress *self);
void           dupes_progress_begin (DupesProgress *self,
                                     const char    *title,
                                     guint64        n_bytes);
void           dupes_progress_end   (DupesProgress *self);
void           dupes_progress_error (DupesProgress *self,
                                     const char    *path,
                                     const char    *message);

/* These two may be called on any thread. */
void           dupes_progress_found (DupesProgress *self,
                                     guint64        n_files,
                                     guint64        n_bytes);
void           dupes_progress_read  (DupesProgress *self,
                                     guint64        n_bytes);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DupesProgress, dupes_progress_free)

G_END_DECLS
