/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <asyncexec.h>

/* On a worker thread: may block. */
static gboolean
hash_file (AexPending *job, GCancellable *cancellable, gpointer path, GError **error)
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autoptr (GMappedFile) file = g_mapped_file_new (path, FALSE, error);

  if (file == NULL)
    return FALSE;
  g_checksum_update (sum, (guchar *) g_mapped_file_get_contents (file), g_mapped_file_get_length (file));
  aex_pending_resolve_string (job, g_checksum_get_string (sum));
  return TRUE;
}

/* Back on the thread of the main loop: may touch widgets. */
static void
show_hash (AexPending *job, gpointer loop)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *hash = aex_pending_dup_string (job, &error);

  g_print ("%s\n", hash != NULL ? hash : error->message);
  g_main_loop_quit (loop);
}

int
main (int argc, char **argv)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (AexExecutor) pool = aex_executor_ref_default ();
  g_autoptr (AexPending) job = aex_executor_submit (pool, hash_file, g_strdup (argv[argc - 1]), g_free);
  g_autoptr (AexPending) in_time = aex_pending_with_timeout (job, 5 * G_USEC_PER_SEC);

  aex_pending_add_done_callback (in_time, show_hash, loop, NULL);
  g_main_loop_run (loop);
  return 0;
}
