/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-gio-test.h"

/* Row Y1: the operations of GFile as pendings, with their values and errors. */

/* --- the plain form: one expression */

static void
test_read (void)
{
  g_auto (AexFileTest) self = aex_file_test_begin ();
  g_autoptr (GFile) file = aex_gio_file (&self, "a", "text");
  g_autoptr (GFileInputStream) stream
    = aex_gio_take_object (AEX_PENDING_FOR_GIO (g_file_read, file, G_PRIORITY_DEFAULT));
  g_autoptr (GBytes) bytes
    = aex_gio_take_boxed (AEX_PENDING_FOR_GIO (g_input_stream_read_bytes, G_INPUT_STREAM (stream), 10, G_PRIORITY_DEFAULT), G_TYPE_BYTES);
  g_autoptr (GFileInfo) info
    = aex_gio_take_object (AEX_PENDING_FOR_GIO (g_file_input_stream_query_info, stream, "standard::size", G_PRIORITY_DEFAULT));

  g_assert_true (G_IS_FILE_INPUT_STREAM (stream));
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), "text", 4);
  g_assert_cmpint (g_file_info_get_size (info), ==, 4);
  aex_gio_expect_true (AEX_PENDING_FOR_GIO (g_input_stream_close, G_INPUT_STREAM (stream), G_PRIORITY_DEFAULT));
}

static void
write_and_close (GOutputStream *stream,
                 const char    *text)
{
  aex_gio_expect_number (AEX_PENDING_FOR_GIO (g_output_stream_write, stream, text, strlen (text), G_PRIORITY_DEFAULT),
                         (gint64) strlen (text));
  aex_gio_expect_true (AEX_PENDING_FOR_GIO (g_output_stream_flush, stream, G_PRIORITY_DEFAULT));
  aex_gio_expect_true (AEX_PENDING_FOR_GIO (g_output_stream_close, stream, G_PRIORITY_DEFAULT));
}

static void
assert_contents (GFile      *file,
                 const char *expected)
{
  g_autofree char *text = NULL;

  g_assert_true (g_file_load_contents (file, NULL, &text, NULL, NULL, NULL));
  g_assert_cmpstr (text, ==, expected);
}

static void
test_create_append_replace (void)
{
  g_auto (AexFileTest) self = aex_file_test_begin ();
  g_autoptr (GFile) file = aex_gio_file (&self, "new", NULL);
  g_autoptr (GOutputStream) created
    = aex_gio_take_object (AEX_PENDING_FOR_GIO (g_file_create, file, G_FILE_CREATE_NONE, G_PRIORITY_DEFAULT));
  g_autoptr (GOutputStream) appended = NULL;
  g_autoptr (GOutputStream) replaced = NULL;

  write_and_close (created, "one");
  aex_gio_expect_error (AEX_PENDING_FOR_GIO (g_file_create, file, G_FILE_CREATE_NONE, G_PRIORITY_DEFAULT),
                        G_IO_ERROR, G_IO_ERROR_EXISTS);
  appended = aex_gio_take_object (AEX_PENDING_FOR_GIO (g_file_append_to, file, G_FILE_CREATE_NONE, G_PRIORITY_DEFAULT));
  write_and_close (appended, "two");
  assert_contents (file, "onetwo");
  replaced = aex_gio_take_object (AEX_PENDING_FOR_GIO (g_file_replace, file, NULL, FALSE, G_FILE_CREATE_NONE, G_PRIORITY_DEFAULT));
  write_and_close (replaced, "three");
  assert_contents (file, "three");
}

static void
test_open_readwrite (void)
{
  g_auto (AexFileTest) self = aex_file_test_begin ();
  g_autoptr (GFile) file = aex_gio_file (&self, "a", "text");
  g_autoptr (GIOStream) stream
    = aex_gio_take_object (AEX_PENDING_FOR_GIO (g_file_open_readwrite, file, G_PRIORITY_DEFAULT));

  g_assert_true (G_IS_FILE_IO_STREAM (stream));
  aex_gio_expect_true (AEX_PENDING_FOR_GIO (g_io_stream_close, stream, G_PRIORITY_DEFAULT));
}

static void
test_query_info (void)
{
  g_auto (AexFileTest) self = aex_file_test_begin ();
  g_autoptr (GFile) file = aex_gio_file (&self, "a", "text");
  g_autoptr (GFileInfo) info
    = aex_gio_take_object (AEX_PENDING_FOR_GIO (g_file_query_info, file, "standard::size", G_FILE_QUERY_INFO_NONE, G_PRIORITY_DEFAULT));
  g_autoptr (GFileInfo) system
    = aex_gio_take_object (AEX_PENDING_FOR_GIO (g_file_query_filesystem_info, file, "filesystem::size", G_PRIORITY_DEFAULT));

  g_assert_cmpint (g_file_info_get_size (info), ==, 4);
  g_assert_true (g_file_info_has_attribute (system, "filesystem::size"));
}

static void
test_names_and_folders (void)
{
  g_auto (AexFileTest) self = aex_file_test_begin ();
  g_autoptr (GFile) folder = aex_gio_file (&self, "folder", NULL);
  g_autoptr (GFile) renamed = NULL;
  g_autofree char *name = NULL;

  aex_gio_expect_true (AEX_PENDING_FOR_GIO (g_file_make_directory, folder, G_PRIORITY_DEFAULT));
  renamed = aex_gio_take_object (AEX_PENDING_FOR_GIO (g_file_set_display_name, folder, "other", G_PRIORITY_DEFAULT));
  name = g_file_get_basename (renamed);
  g_assert_cmpstr (name, ==, "other");
  g_assert_false (g_file_query_exists (folder, NULL));
  aex_gio_expect_true (AEX_PENDING_FOR_GIO (g_file_delete, renamed, G_PRIORITY_DEFAULT));
  g_assert_false (g_file_query_exists (renamed, NULL));
}

static void
test_missing (void)
{
  g_auto (AexFileTest) self = aex_file_test_begin ();
  g_autoptr (GFile) file = aex_gio_file (&self, "missing", NULL);
  g_autoptr (GFile) folder = g_file_new_for_path (self.folder);

  aex_gio_expect_error (AEX_PENDING_FOR_GIO (g_file_read, file, G_PRIORITY_DEFAULT), G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  aex_gio_expect_error (AEX_PENDING_FOR_GIO (g_file_delete, file, G_PRIORITY_DEFAULT), G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  aex_gio_expect_error (AEX_PENDING_FOR_GIO (g_file_enumerate_children, file, "standard::name", G_FILE_QUERY_INFO_NONE, G_PRIORITY_DEFAULT),
                        G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  aex_gio_expect_error (AEX_PENDING_FOR_GIO (g_file_make_directory, folder, G_PRIORITY_DEFAULT), G_IO_ERROR, G_IO_ERROR_EXISTS);
}

/* --- enumerating: a list is only known to who asks for it */

static void
start_next_files (gpointer            source,
                  GCancellable       *cancellable,
                  GAsyncReadyCallback callback,
                  gpointer            callback_data,
                  gpointer            user_data)
{
  g_file_enumerator_next_files_async (source, GPOINTER_TO_INT (user_data), G_PRIORITY_DEFAULT, cancellable, callback, callback_data);
}

static gboolean
finish_next_files (gpointer      source,
                   GAsyncResult *result,
                   GValue       *value,
                   gpointer      user_data,
                   GError      **error)
{
  GError *own = NULL;
  GList *list = g_file_enumerator_next_files_finish (source, result, &own);

  if (own != NULL)
    {
      g_propagate_error (error, own);
      return FALSE;
    }
  g_value_init (value, G_TYPE_UINT);
  g_value_set_uint (value, g_list_length (list));
  g_list_free_full (list, g_object_unref);
  return TRUE;
}

static void
test_enumerate (void)
{
  g_auto (AexFileTest) self = aex_file_test_begin ();
  g_autoptr (GFile) folder = g_file_new_for_path (self.folder);
  G_GNUC_UNUSED g_autoptr (GFile) first = aex_gio_file (&self, "a", "text");
  G_GNUC_UNUSED g_autoptr (GFile) second = aex_gio_file (&self, "b", "text");
  g_autoptr (GFileEnumerator) files
    = aex_gio_take_object (AEX_PENDING_FOR_GIO (g_file_enumerate_children, folder, "standard::name", G_FILE_QUERY_INFO_NONE, G_PRIORITY_DEFAULT));

  aex_gio_expect_number (aex_pending_new_for_gio (files, start_next_files, finish_next_files, GINT_TO_POINTER (10), NULL), 2);
  aex_gio_expect_number (aex_pending_new_for_gio (files, start_next_files, finish_next_files, GINT_TO_POINTER (10), NULL), 0);
  aex_gio_expect_true (AEX_PENDING_FOR_GIO (g_file_enumerator_close, files, G_PRIORITY_DEFAULT));
}

/* --- pairs that give several values, or take more callbacks */

static void
start_load (gpointer            source,
            GCancellable       *cancellable,
            GAsyncReadyCallback callback,
            gpointer            callback_data,
            gpointer            user_data)
{
  g_file_load_contents_async (source, cancellable, callback, callback_data);
}

static gboolean
finish_load (gpointer      source,
             GAsyncResult *result,
             GValue       *value,
             gpointer      user_data,
             GError      **error)
{
  char *text;

  if (!g_file_load_contents_finish (source, result, &text, NULL, NULL, error))
    return FALSE;
  g_value_init (value, G_TYPE_STRING);
  g_value_take_string (value, text);
  return TRUE;
}

static void
test_load_contents (void)
{
  g_auto (AexFileTest) self = aex_file_test_begin ();
  g_autoptr (GFile) file = aex_gio_file (&self, "a", "text");
  g_autoptr (GFile) missing = aex_gio_file (&self, "missing", NULL);
  g_autofree char *text = aex_gio_take_string (aex_pending_new_for_gio (file, start_load, finish_load, NULL, NULL));

  g_assert_cmpstr (text, ==, "text");
  aex_gio_expect_error (aex_pending_new_for_gio (missing, start_load, finish_load, NULL, NULL), G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
}

static void
start_replace_contents (gpointer            source,
                        GCancellable       *cancellable,
                        GAsyncReadyCallback callback,
                        gpointer            callback_data,
                        gpointer            bytes)
{
  g_file_replace_contents_bytes_async (source, bytes, NULL, FALSE, G_FILE_CREATE_NONE, cancellable, callback, callback_data);
}

static gboolean
finish_replace_contents (gpointer      source,
                         GAsyncResult *result,
                         GValue       *value,
                         gpointer      user_data,
                         GError      **error)
{
  return g_file_replace_contents_finish (source, result, NULL, error);
}

static void
test_replace_contents (void)
{
  g_auto (AexFileTest) self = aex_file_test_begin ();
  g_autoptr (GFile) file = aex_gio_file (&self, "a", "old");
  g_autoptr (AexPending) pending
    = aex_pending_new_for_gio (file, start_replace_contents, finish_replace_contents,
                               g_bytes_new_static ("new", 3), (GDestroyNotify) g_bytes_unref);

  aex_test_run_until_done (pending);
  aex_assert_resolved_empty (pending);
  assert_contents (file, "new");
}

typedef struct
{
  GFile  *to;
  goffset copied;
} Copy;

static void
copy_progress (goffset  now,
               goffset  total,
               gpointer copy)
{
  ((Copy *) copy)->copied = now;
}

static void
start_copy (gpointer            source,
            GCancellable       *cancellable,
            GAsyncReadyCallback callback,
            gpointer            callback_data,
            gpointer            copy)
{
  g_file_copy_async (source, ((Copy *) copy)->to, G_FILE_COPY_NONE, G_PRIORITY_DEFAULT, cancellable, copy_progress, copy, callback, callback_data);
}

static gboolean
finish_copy (gpointer      source,
             GAsyncResult *result,
             GValue       *value,
             gpointer      copy,
             GError      **error)
{
  if (!g_file_copy_finish (source, result, error))
    return FALSE;
  g_value_init (value, G_TYPE_FILE);
  g_value_set_object (value, ((Copy *) copy)->to);
  return TRUE;
}

static void
test_copy (void)
{
  g_auto (AexFileTest) self = aex_file_test_begin ();
  g_autoptr (GFile) from = aex_gio_file (&self, "a", "text");
  g_autoptr (GFile) to = aex_gio_file (&self, "b", NULL);
  Copy copy = { to, 0 };
  g_autoptr (GFile) copied = aex_gio_take_object (aex_pending_new_for_gio (from, start_copy, finish_copy, &copy, NULL));

  g_assert_true (copied == to);
  g_assert_cmpint (copy.copied, ==, 4);
  assert_contents (to, "text");
  aex_gio_expect_error (aex_pending_new_for_gio (from, start_copy, finish_copy, &copy, NULL), G_IO_ERROR, G_IO_ERROR_EXISTS);
}

/* --- cancelled while it is under way */

static void
test_cancel_file (void)
{
  g_auto (AexFileTest) self = aex_file_test_begin ();
  g_autoptr (GFile) file = aex_gio_file (&self, "a", "text");

  aex_gio_expect_cancelled (AEX_PENDING_FOR_GIO (g_file_read, file, G_PRIORITY_DEFAULT));
  aex_gio_expect_cancelled (AEX_PENDING_FOR_GIO (g_file_query_info, file, "standard::*", G_FILE_QUERY_INFO_NONE, G_PRIORITY_DEFAULT));
  aex_gio_expect_cancelled (aex_pending_new_for_gio (file, start_load, finish_load, NULL, NULL));
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/gio/Y1/file/read", test_read);
  aex_test_add ("/gio/Y1/file/create-append-replace", test_create_append_replace);
  aex_test_add ("/gio/Y1/file/open-readwrite", test_open_readwrite);
  aex_test_add ("/gio/Y1/file/query-info", test_query_info);
  aex_test_add ("/gio/Y1/file/names-and-folders", test_names_and_folders);
  aex_test_add ("/gio/Y1/file/missing", test_missing);
  aex_test_add ("/gio/Y1/file/enumerate", test_enumerate);
  aex_test_add ("/gio/Y1/file/load-contents", test_load_contents);
  aex_test_add ("/gio/Y1/file/replace-contents", test_replace_contents);
  aex_test_add ("/gio/Y1/file/copy", test_copy);
  aex_test_add ("/gio/Y3/file/cancel", test_cancel_file);
  return aex_test_run ();
}
