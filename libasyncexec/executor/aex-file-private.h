/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sys/stat.h>

#include "aex-pending.h"

G_BEGIN_DECLS

/* What the operations on files share. */

/* How much is read or written between two looks at the cancellable. */
#define AEX_FILE_BLOCK 65536

/* ---- aex-file-path.c */

/* The path among the parameters, a byte string with or without its final nul. */
char    *aex_file_dup_path         (GVariant *parameters, GError **error);
void     aex_file_set_errno        (GError **error, const char *path, int saved_errno);
gint64   aex_file_get_mtime        (const struct stat *st);
/* FALSE, with error set, when the job that runs here is not wanted any more. */
gboolean aex_file_go_on            (GCancellable *cancellable, GError **error);
/* Clear words for what is no regular file. */
gboolean aex_file_check_is_regular (const char *path, const struct stat *st, GError **error);
void     aex_file_report           (AexPending *job, guint64 done, guint64 total);

/* ---- aex-file-reader.c: a part of a regular file, read in blocks */
typedef struct {
  char *path;
  int fd;
  guint64 offset;           /* of the next byte */
  guint64 left;             /* how many bytes may still be read */
  guint64 done, total;      /* of those that are there, for the progress */
  gboolean has_size, has_mtime;
  guint64 size;             /* what the file must be, if has_ says so */
  gint64 mtime;
} AexFileReader;

/* By the keys path, offset, length, size and mtime. */
gboolean aex_file_reader_open  (AexFileReader *self, GVariant *parameters, GError **error);
/* Up to size bytes, 0 at the end, -1 when error is set. */
gssize   aex_file_reader_read  (AexFileReader *self, AexPending *job, gpointer buffer, gsize size, GCancellable *cancellable, GError **error);
/* At the end: is the file still what it must be? */
gboolean aex_file_reader_check (AexFileReader *self, GError **error);
void     aex_file_reader_clear (AexFileReader *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (AexFileReader, aex_file_reader_clear)

G_END_DECLS
