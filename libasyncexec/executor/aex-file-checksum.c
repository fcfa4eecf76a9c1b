/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The operation file-checksum; see doc/operations.md. */
#include "executor/aex-file-private.h"
#include "executor/aex-operation-private.h"

#include "aex-error.h"
#include "base/aex-i18n-private.h"

static const struct {
  const char *name;
  GChecksumType type;
} algorithms[] = {
  { "md5", G_CHECKSUM_MD5 },
  { "sha1", G_CHECKSUM_SHA1 },
  { "sha256", G_CHECKSUM_SHA256 },
  { "sha384", G_CHECKSUM_SHA384 },
  { "sha512", G_CHECKSUM_SHA512 },
};

static gboolean
find_algorithm (GVariant *parameters, GChecksumType *type, GError **error)
{
  g_autoptr (GString) known = g_string_new (NULL);
  const char *name = "sha256";

  g_variant_lookup (parameters, "algorithm", "&s", &name);
  for (gsize i = 0; i < G_N_ELEMENTS (algorithms); i++)
    {
      if (g_str_equal (name, algorithms[i].name))
        {
          *type = algorithms[i].type;
          return TRUE;
        }
      g_string_append_printf (known, "%s%s", i > 0 ? ", " : "", algorithms[i].name);
    }
  g_set_error (error, AEX_ERROR, AEX_ERROR_INVALID_ARGUMENT, _("There is no algorithm “%s”; known are: %s"), name, known->str);
  return FALSE;
}

gboolean
aex_file_checksum (AexPending *job, GVariant *parameters, GCancellable *cancellable, gpointer user_data, GError **error)
{
  g_auto (AexFileReader) reader = { .fd = -1 };
  g_autoptr (GChecksum) checksum = NULL;
  g_autofree guchar *block = NULL;
  GChecksumType type;
  gsize size;
  gssize n;

  (void) user_data;
  if (!find_algorithm (parameters, &type, error) || !aex_file_reader_open (&reader, parameters, error))
    return FALSE;
  /* Many files are small, and of many only the beginning is wanted. */
  size = (gsize) CLAMP (reader.total, 4096, AEX_FILE_BLOCK);
  block = g_malloc (size);
  checksum = g_checksum_new (type);
  while ((n = aex_file_reader_read (&reader, job, block, size, cancellable, error)) > 0)
    g_checksum_update (checksum, block, n);
  if (n < 0 || !aex_file_reader_check (&reader, error))
    return FALSE;
  aex_pending_resolve_variant (job, g_variant_new_string (g_checksum_get_string (checksum)));
  return TRUE;
}
