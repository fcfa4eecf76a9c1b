/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A program without a main loop: hashes the files that it is given, all at the same time, and
 * prints each when it is done. */
#include <asyncexec.h>

/* On a thread, once for each file. */
static gboolean
hash_file (AexPendingStream *stream, guint index, GCancellable *cancellable, gpointer paths, GError **error)
{
  g_autoptr (GMappedFile) file = g_mapped_file_new (((char **) paths)[index], FALSE, error);
  g_autofree char *sum = NULL;

  if (file == NULL)
    return FALSE;
  sum = g_compute_checksum_for_data (G_CHECKSUM_SHA256, (guchar *) g_mapped_file_get_contents (file),
                                     g_mapped_file_get_length (file));
  return aex_pending_stream_set_string (stream, index, sum);
}

int
main (int argc, char **argv)
{
  g_autoptr (AexExecutor) pool = aex_executor_ref_default ();
  g_autoptr (AexPendingStream) sums =
    aex_executor_map (pool, argc - 1, 0, -1, AEX_MAP_FLAGS_UNORDERED | AEX_MAP_FLAGS_CONTINUE_ON_ERROR,
                      hash_file, argv + 1, NULL);
  AexPendingResult *result;
  int status = 0;

  /* Blocks until the next one is there; NULL at the end. */
  while ((result = aex_pending_stream_next_sync (sums, -1, NULL, NULL)) != NULL)
    {
      g_autoptr (GError) error = NULL;
      const GValue *sum = aex_pending_result_get_value (result, &error);
      const char *path = argv[1 + aex_pending_result_get_index (result)];

      if (sum != NULL)
        g_print ("%s  %s\n", g_value_get_string (sum), path);
      else
        g_printerr ("%s\n", error->message);
      status = error != NULL ? 1 : status;
      g_object_unref (result);
    }
  return status;
}
