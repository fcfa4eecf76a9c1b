/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "progress.h"
#include "tree.h"

G_BEGIN_DECLS

/* Files are read in blocks of this size; an interrupt is looked for before each. */
#define DUPES_BLOCK_SIZE 65536

/* What a worker needs to read files, made once per thread and not once per file. */
typedef struct
{
  DupesProgress *progress;
  GCancellable  *cancellable;
  GString       *path;
  guint8        *block;        /* DUPES_BLOCK_SIZE bytes */
  GByteArray    *first;        /* two buffers for the stages to use as they like */
  GByteArray    *second;
} DupesReader;

DupesReader *dupes_reader_get      (DupesProgress *progress,
                                    GCancellable  *cancellable);
gboolean     dupes_reader_stopped  (DupesReader   *self);
gboolean     dupes_reader_load     (DupesReader   *self,
                                    DupesFile     *file,
                                    gsize          n_bytes,
                                    guint8        *buffer);
gboolean     dupes_reader_checksum (DupesReader   *self,
                                    DupesFile     *file,
                                    guint64        offset,
                                    GChecksum     *checksum);

G_END_DECLS
