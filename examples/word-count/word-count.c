/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A module with one operation: word-count {text s} -> t. */
#include <asyncexec.h>

gboolean aex_operations_register (AexOperations *operations, GError **error);

static gboolean
word_count (AexPending   *job,
            GVariant     *parameters,
            GCancellable *cancellable,
            gpointer      user_data,
            GError      **error)
{
  const char *text = "";
  gboolean in_word = FALSE;
  guint64 n_words = 0;

  g_variant_lookup (parameters, "text", "&s", &text);
  for (const char *c = text; *c != '\0'; c++)
    {
      if (!g_ascii_isspace (*c) && !in_word)
        n_words++;
      in_word = !g_ascii_isspace (*c);
      if (!in_word && g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;
    }
  aex_pending_resolve_variant (job, g_variant_new_uint64 (n_words));
  return TRUE;
}

gboolean
aex_operations_register (AexOperations *operations,
                         GError       **error)
{
  return aex_operations_add_with_keys (operations, "word-count",
                                       g_variant_new_parsed ("{'text': (signature 's', true)}"), G_VARIANT_TYPE_UINT64,
                                       word_count, NULL, NULL, error);
}
