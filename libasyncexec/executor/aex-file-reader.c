/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A part of a regular file, read in blocks. */
#include "executor/aex-file-private.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "aex-error.h"
#include "base/aex-i18n-private.h"

static gboolean
check_size (AexFileReader *self, const struct stat *st, GError **error)
{
  g_autofree char *shown = NULL;

  if (!self->has_size || (guint64) st->st_size == self->size)
    return TRUE;
  shown = g_filename_display_name (self->path);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_WRONG_ETAG,
               _("%s: this file has changed: it has %llu bytes, not %llu"),
               shown, (unsigned long long) st->st_size, (unsigned long long) self->size);
  return FALSE;
}

static gboolean
check_mtime (AexFileReader *self, const struct stat *st, GError **error)
{
  g_autofree char *shown = NULL;

  if (!self->has_mtime || aex_file_get_mtime (st) == self->mtime)
    return TRUE;
  shown = g_filename_display_name (self->path);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_WRONG_ETAG, _("%s: this file has changed since it was looked at"), shown);
  return FALSE;
}

static gboolean
look (AexFileReader *self, struct stat *st, GError **error)
{
  if (fstat (self->fd, st) == 0)
    return check_size (self, st, error) && check_mtime (self, st, error);
  aex_file_set_errno (error, self->path, errno);
  return FALSE;
}

/* Not blocking: who opens a pipe would wait for somebody to write, and nothing could cancel him. */
static gboolean
open_file (AexFileReader *self, struct stat *st, GError **error)
{
  do
    self->fd = open (self->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  while (self->fd < 0 && errno == EINTR);
  if (self->fd < 0 || fstat (self->fd, st) < 0)
    {
      aex_file_set_errno (error, self->path, errno);
      return FALSE;
    }
  return aex_file_check_is_regular (self->path, st, error) && look (self, st, error);
}

gboolean
aex_file_reader_open (AexFileReader *self, GVariant *parameters, GError **error)
{
  struct stat st;

  *self = (AexFileReader) { .fd = -1, .left = G_MAXUINT64 };
  self->path = aex_file_dup_path (parameters, error);
  if (self->path == NULL)
    return FALSE;
  self->has_size = g_variant_lookup (parameters, "size", "t", &self->size);
  self->has_mtime = g_variant_lookup (parameters, "mtime", "x", &self->mtime);
  g_variant_lookup (parameters, "offset", "t", &self->offset);
  g_variant_lookup (parameters, "length", "t", &self->left);
  if (self->offset > G_MAXINT64)
    {
      g_set_error_literal (error, AEX_ERROR, AEX_ERROR_INVALID_ARGUMENT, _("No file is so long that it could be read from there"));
      return FALSE;
    }
  if (!open_file (self, &st, error))
    return FALSE;
  if ((guint64) st.st_size > self->offset)
    self->total = MIN (self->left, (guint64) st.st_size - self->offset);
  return TRUE;
}

gssize
aex_file_reader_read (AexFileReader *self, AexPending *job, gpointer buffer, gsize size, GCancellable *cancellable, GError **error)
{
  /* The kernel refuses a range that ends beyond the last offset. */
  gsize wanted = MIN (MIN (size, AEX_FILE_BLOCK), MIN (self->left, G_MAXINT64 - self->offset));
  gssize n;

  if (!aex_file_go_on (cancellable, error))
    return -1;
  do
    n = pread (self->fd, buffer, wanted, (off_t) self->offset);
  while (n < 0 && errno == EINTR);
  if (n < 0)
    {
      aex_file_set_errno (error, self->path, errno);
      return -1;
    }
  self->offset += (guint64) n;
  self->left -= (guint64) n;
  self->done += (guint64) n;
  if (n > 0)
    aex_file_report (job, self->done, self->total);
  return n;
}

gboolean
aex_file_reader_check (AexFileReader *self, GError **error)
{
  struct stat st;

  return (!self->has_size && !self->has_mtime) || look (self, &st, error);
}

void
aex_file_reader_clear (AexFileReader *self)
{
  if (self->fd >= 0)
    close (self->fd);
  g_free (self->path);
}
