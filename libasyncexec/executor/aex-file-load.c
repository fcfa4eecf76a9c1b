/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The operation file-load; see doc/operations.md. */
#include "executor/aex-file-private.h"
#include "executor/aex-operation-private.h"

#include "base/aex-i18n-private.h"

typedef struct {
  char *data;
  gsize n_used, n_allocated;
} AexBuffer;

static void
buffer_clear (AexBuffer *self)
{
  g_free (self->data);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (AexBuffer, buffer_clear)

/* Files can be larger than the memory: that is an error, not an abort. */
static gboolean
buffer_grow (AexBuffer *self, guint64 n_allocated, const char *path, GError **error)
{
  char *data = n_allocated <= G_MAXSSIZE ? g_try_realloc (self->data, (gsize) n_allocated) : NULL;
  g_autofree char *shown = NULL;

  if (data != NULL)
    {
      self->data = data;
      self->n_allocated = (gsize) n_allocated;
      return TRUE;
    }
  shown = g_filename_display_name (path);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED,
               _("%s: there is not enough memory for the whole file: load a part of it, with offset and length"), shown);
  return FALSE;
}

static gboolean
buffer_read_all (AexBuffer *self, AexFileReader *reader, AexPending *job, GCancellable *cancellable, GError **error)
{
  gssize n;

  /* One byte more than there should be, so that the end is seen without growing. */
  if (!buffer_grow (self, reader->total + 1, reader->path, error))
    return FALSE;
  while ((n = aex_file_reader_read (reader, job, self->data + self->n_used, self->n_allocated - self->n_used, cancellable, error)) > 0)
    {
      self->n_used += (gsize) n;
      if (self->n_used == self->n_allocated
          && !buffer_grow (self, (guint64) self->n_allocated + MAX (self->n_allocated / 2, AEX_FILE_BLOCK), reader->path, error))
        return FALSE;
    }
  return n == 0 && aex_file_reader_check (reader, error);
}

gboolean
aex_file_load (AexPending *job, GVariant *parameters, GCancellable *cancellable, gpointer user_data, GError **error)
{
  g_auto (AexFileReader) reader = { .fd = -1 };
  g_auto (AexBuffer) buffer = { 0 };
  g_autoptr (GBytes) bytes = NULL;

  (void) user_data;
  if (!aex_file_reader_open (&reader, parameters, error)
      || !buffer_read_all (&buffer, &reader, job, cancellable, error))
    return FALSE;
  bytes = g_bytes_new_take (g_steal_pointer (&buffer.data), buffer.n_used);
  aex_pending_resolve_variant (job, g_variant_new_from_bytes (G_VARIANT_TYPE_BYTESTRING, bytes, TRUE));
  return TRUE;
}
