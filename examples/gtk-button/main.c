/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A button that starts a job on a thread, and cancels it; a bar that shows how far it is. */
#include <asyncexec.h>
#include <gtk/gtk.h>

static gboolean                 /* on a thread */
hash_zeros (AexPending *job, GCancellable *cancellable, gpointer user_data, GError **error)
{
  static const guchar block[1 << 20];
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  for (guint i = 0; i < 1000; i++) {
    if (!aex_check_cancelled (error))
      return FALSE;
    g_checksum_update (sum, block, sizeof block);
    aex_pending_set_progress (job, (i + 1) / 1000.0, NULL);
  }
  return aex_pending_resolve_string (job, g_checksum_get_string (sum));
}

static void                     /* on the main thread, and only while the button is there */
on_done (AexPending *job, gpointer button)
{
  g_autoptr (GError) error = aex_pending_dup_error (job);
  gtk_button_set_label (button, error != NULL ? error->message : "Done. Again?");
}

static void
on_clicked (GtkButton *button, gpointer bar)
{
  AexPending *job = g_object_get_data (G_OBJECT (button), "job");
  g_autoptr (AexExecutor) pool = aex_executor_ref_default ();

  if (job != NULL && !aex_pending_is_done (job)) {
    aex_pending_cancel (job, "Cancelled. Again?");
    return;
  }
  job = aex_executor_submit (pool, hash_zeros, NULL, NULL);
  aex_pending_cancel_with (job, G_OBJECT (button));
  aex_pending_add_done_callback_object (job, G_OBJECT (button), on_done, button, NULL);
  g_object_bind_property (job, "progress", bar, "fraction", G_BINDING_SYNC_CREATE);
  g_object_set_data_full (G_OBJECT (button), "job", job, g_object_unref);
  gtk_button_set_label (button, "Cancel");
}

int
main (void)
{
  GtkWidget *button, *bar, *box;

  gtk_init ();
  box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 12);
  gtk_box_append (GTK_BOX (box), button = gtk_button_new_with_label ("Start"));
  gtk_box_append (GTK_BOX (box), bar = gtk_progress_bar_new ());
  g_signal_connect (button, "clicked", G_CALLBACK (on_clicked), bar);
  gtk_window_present (g_object_new (GTK_TYPE_WINDOW, "title", "gtk-button", "default-width", 320, "child", box, NULL));
  while (g_list_model_get_n_items (gtk_window_get_toplevels ()) > 0)
    g_main_context_iteration (NULL, TRUE);
  return 0;
}
