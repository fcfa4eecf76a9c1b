/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-gio-test.h"

/* Rows Y1 and Y3: streams of GIO, and operations that end only when they are cancelled. */

static void
test_read_write (void)
{
  g_autoptr (GInputStream) in = NULL;
  g_autoptr (GOutputStream) out = NULL;
  g_autoptr (AexPending) read = NULL;
  char buffer[10] = { 0 };

  aex_gio_pipe (&in, &out);
  read = AEX_PENDING_FOR_GIO (g_input_stream_read, in, buffer, sizeof buffer, G_PRIORITY_DEFAULT);
  aex_gio_expect_number (AEX_PENDING_FOR_GIO (g_output_stream_write, out, "text", 4, G_PRIORITY_DEFAULT), 4);
  aex_gio_expect_number (g_steal_pointer (&read), 4);
  g_assert_cmpstr (buffer, ==, "text");
  aex_gio_expect_true (AEX_PENDING_FOR_GIO (g_output_stream_close, out, G_PRIORITY_DEFAULT));
  /* The end is a number too. */
  aex_gio_expect_number (AEX_PENDING_FOR_GIO (g_input_stream_read, in, buffer, sizeof buffer, G_PRIORITY_DEFAULT), 0);
}

static void
test_bytes_and_skip (void)
{
  g_autoptr (GInputStream) in = NULL;
  g_autoptr (GOutputStream) out = NULL;
  g_autoptr (GBytes) given = g_bytes_new_static ("0123456789", 10);
  g_autoptr (GBytes) got = NULL;

  aex_gio_pipe (&in, &out);
  aex_gio_expect_number (AEX_PENDING_FOR_GIO (g_output_stream_write_bytes, out, given, G_PRIORITY_DEFAULT), 10);
  aex_gio_expect_number (AEX_PENDING_FOR_GIO (g_input_stream_skip, in, 7, G_PRIORITY_DEFAULT), 7);
  got = aex_gio_take_boxed (AEX_PENDING_FOR_GIO (g_input_stream_read_bytes, in, 10, G_PRIORITY_DEFAULT), G_TYPE_BYTES);
  g_assert_cmpmem (g_bytes_get_data (got, NULL), g_bytes_get_size (got), "789", 3);
}

static void
test_splice (void)
{
  g_autoptr (GInputStream) in = g_memory_input_stream_new_from_data ("text", 4, NULL);
  g_autoptr (GOutputStream) out = g_memory_output_stream_new_resizable ();

  aex_gio_expect_number (AEX_PENDING_FOR_GIO (g_output_stream_splice, out, in,
                                              G_OUTPUT_STREAM_SPLICE_CLOSE_SOURCE | G_OUTPUT_STREAM_SPLICE_CLOSE_TARGET, G_PRIORITY_DEFAULT), 4);
  g_assert_true (g_output_stream_is_closed (out));
  g_assert_cmpmem (g_memory_output_stream_get_data (G_MEMORY_OUTPUT_STREAM (out)), 4, "text", 4);
}

static void
test_buffered (void)
{
  g_autoptr (GInputStream) base = g_memory_input_stream_new_from_data ("text", 4, NULL);
  g_autoptr (GInputStream) in = g_buffered_input_stream_new (base);

  aex_gio_expect_number (AEX_PENDING_FOR_GIO (g_buffered_input_stream_fill, G_BUFFERED_INPUT_STREAM (in), -1, G_PRIORITY_DEFAULT), 4);
  g_assert_cmpuint (g_buffered_input_stream_get_available (G_BUFFERED_INPUT_STREAM (in)), ==, 4);
}

/* --- lines: NULL without an error is the end */

static void
start_read_line (gpointer            source,
                 GCancellable       *cancellable,
                 GAsyncReadyCallback callback,
                 gpointer            callback_data,
                 gpointer            user_data)
{
  g_data_input_stream_read_line_async (source, G_PRIORITY_DEFAULT, cancellable, callback, callback_data);
}

static gboolean
finish_read_line (gpointer      source,
                  GAsyncResult *result,
                  GValue       *value,
                  gpointer      user_data,
                  GError      **error)
{
  GError *own = NULL;
  char *line = g_data_input_stream_read_line_finish (source, result, NULL, &own);

  if (own != NULL)
    {
      g_propagate_error (error, own);
      return FALSE;
    }
  g_value_init (value, G_TYPE_STRING);
  g_value_take_string (value, line);
  return TRUE;
}

static void
test_lines (void)
{
  g_autoptr (GInputStream) base = g_memory_input_stream_new_from_data ("one\ntwo\n", -1, NULL);
  g_autoptr (GDataInputStream) in = g_data_input_stream_new (base);
  g_autofree char *first = aex_gio_take_string (aex_pending_new_for_gio (in, start_read_line, finish_read_line, NULL, NULL));
  g_autofree char *second = aex_gio_take_string (aex_pending_new_for_gio (in, start_read_line, finish_read_line, NULL, NULL));
  g_autofree char *end = aex_gio_take_string (aex_pending_new_for_gio (in, start_read_line, finish_read_line, NULL, NULL));

  g_assert_cmpstr (first, ==, "one");
  g_assert_cmpstr (second, ==, "two");
  g_assert_null (end);
}

/* --- converters */

static void
test_converters (void)
{
  g_autoptr (GConverter) zip = G_CONVERTER (g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP, -1));
  g_autoptr (GConverter) unzip = G_CONVERTER (g_zlib_decompressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP));
  g_autoptr (GOutputStream) store = g_memory_output_stream_new_resizable ();
  g_autoptr (GOutputStream) zipper = g_converter_output_stream_new (store, zip);
  g_autoptr (GInputStream) base = NULL;
  g_autoptr (GInputStream) unzipper = NULL;
  g_autoptr (GBytes) zipped = NULL;
  g_autoptr (GBytes) text = NULL;

  aex_gio_expect_number (AEX_PENDING_FOR_GIO (g_output_stream_write, zipper, "text", 4, G_PRIORITY_DEFAULT), 4);
  aex_gio_expect_true (AEX_PENDING_FOR_GIO (g_output_stream_close, zipper, G_PRIORITY_DEFAULT));
  zipped = g_memory_output_stream_steal_as_bytes (G_MEMORY_OUTPUT_STREAM (store));
  base = g_memory_input_stream_new_from_bytes (zipped);
  unzipper = g_converter_input_stream_new (base, unzip);
  text = aex_gio_take_boxed (AEX_PENDING_FOR_GIO (g_input_stream_read_bytes, unzipper, 10, G_PRIORITY_DEFAULT), G_TYPE_BYTES);
  g_assert_cmpmem (g_bytes_get_data (text, NULL), g_bytes_get_size (text), "text", 4);
}

static void
test_bad_data (void)
{
  g_autoptr (GConverter) unzip = G_CONVERTER (g_zlib_decompressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP));
  g_autoptr (GInputStream) base = g_memory_input_stream_new_from_data ("no gzip at all", -1, NULL);
  g_autoptr (GInputStream) in = g_converter_input_stream_new (base, unzip);

  aex_gio_expect_error (AEX_PENDING_FOR_GIO (g_input_stream_read_bytes, in, 10, G_PRIORITY_DEFAULT),
                        G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
}

/* --- errors of GIO itself, and cancellation */

static void
test_outstanding (void)
{
  g_autoptr (GInputStream) in = NULL;
  g_autoptr (GOutputStream) out = NULL;
  g_autoptr (AexPending) first = NULL;

  aex_gio_pipe (&in, &out);
  first = AEX_PENDING_FOR_GIO (g_input_stream_read_bytes, in, 10, G_PRIORITY_DEFAULT);
  aex_gio_expect_error (AEX_PENDING_FOR_GIO (g_input_stream_read_bytes, in, 10, G_PRIORITY_DEFAULT), G_IO_ERROR, G_IO_ERROR_PENDING);
  aex_gio_expect_error (AEX_PENDING_FOR_GIO (g_input_stream_close, in, G_PRIORITY_DEFAULT), G_IO_ERROR, G_IO_ERROR_PENDING);
  aex_gio_expect_cancelled (g_steal_pointer (&first));
  g_assert_false (g_input_stream_has_pending (in));
  aex_gio_expect_true (AEX_PENDING_FOR_GIO (g_input_stream_close, in, G_PRIORITY_DEFAULT));
  aex_gio_expect_error (AEX_PENDING_FOR_GIO (g_input_stream_skip, in, 10, G_PRIORITY_DEFAULT), G_IO_ERROR, G_IO_ERROR_CLOSED);
}

static void
test_cancel_write (void)
{
  g_autoptr (GInputStream) in = NULL;
  g_autoptr (GOutputStream) out = NULL;
  g_autofree char *much = g_malloc0 (1 << 20);

  /* More than a pipe holds: splicing never ends by itself. */
  g_autoptr (GInputStream) source = g_memory_input_stream_new_from_data (much, 1 << 20, NULL);

  aex_gio_pipe (&in, &out);
  aex_gio_expect_cancelled (AEX_PENDING_FOR_GIO (g_output_stream_splice, out, source, G_OUTPUT_STREAM_SPLICE_NONE, G_PRIORITY_DEFAULT));
  g_assert_false (g_output_stream_has_pending (out));
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/gio/Y1/streams/read-write", test_read_write);
  aex_test_add ("/gio/Y1/streams/bytes-and-skip", test_bytes_and_skip);
  aex_test_add ("/gio/Y1/streams/splice", test_splice);
  aex_test_add ("/gio/Y1/streams/buffered", test_buffered);
  aex_test_add ("/gio/Y1/streams/lines", test_lines);
  aex_test_add ("/gio/Y1/streams/converters", test_converters);
  aex_test_add ("/gio/Y1/streams/bad-data", test_bad_data);
  aex_test_add ("/gio/Y1-Y3/streams/outstanding", test_outstanding);
  aex_test_add ("/gio/Y3/streams/cancel-write", test_cancel_write);
  return aex_test_run ();
}
