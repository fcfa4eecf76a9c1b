/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Names of files and what is wrong with them. */
#include "executor/aex-file-private.h"

#include <string.h>

#include "aex-error.h"
#include "base/aex-i18n-private.h"

char *
aex_file_dup_path (GVariant *parameters, GError **error)
{
  g_autoptr (GVariant) given = g_variant_lookup_value (parameters, "path", G_VARIANT_TYPE_BYTESTRING);
  gsize length = 0;
  const char *bytes = g_variant_get_fixed_array (given, &length, 1);

  if (length > 0 && bytes[length - 1] == '\0')
    length--;
  if (length > 0 && memchr (bytes, '\0', length) == NULL)
    return g_strndup (bytes, length);
  g_set_error_literal (error, AEX_ERROR, AEX_ERROR_INVALID_ARGUMENT,
                       length == 0 ? _("The path is empty") : _("The path has a zero byte in it"));
  return NULL;
}

void
aex_file_set_errno (GError **error, const char *path, int saved_errno)
{
  g_autofree char *shown = g_filename_display_name (path);

  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (saved_errno), "%s: %s", shown, g_strerror (saved_errno));
}

/* The cancellable of a caller's job is cancelled on the thread that is busy here: the job is asked as well. */
gboolean
aex_file_go_on (GCancellable *cancellable, GError **error)
{
  return !g_cancellable_set_error_if_cancelled (cancellable, error) && aex_check_cancelled (error);
}

gint64
aex_file_get_mtime (const struct stat *st)
{
  return (gint64) st->st_mtim.tv_sec * G_USEC_PER_SEC + st->st_mtim.tv_nsec / 1000;
}

gboolean
aex_file_check_is_regular (const char *path, const struct stat *st, GError **error)
{
  g_autofree char *shown = NULL;

  if (S_ISREG (st->st_mode))
    return TRUE;
  shown = g_filename_display_name (path);
  if (S_ISDIR (st->st_mode))
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_IS_DIRECTORY, _("%s: this is a folder, not a file"), shown);
  else
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_REGULAR_FILE,
                 _("%s: this is not a regular file: read pipes, sockets and devices with GIO"), shown);
  return FALSE;
}

void
aex_file_report (AexPending *job, guint64 done, guint64 total)
{
  /* What has grown since, or does not tell its size. */
  aex_pending_set_progress (job, total >= done ? (double) done / (double) total : -1, NULL);
}
