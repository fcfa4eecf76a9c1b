/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-gio-test.h"

/* Rows Y1 and Y3: names, sockets and programs, all on this machine. */

/* --- names */

static void
start_lookup (gpointer            source,
              GCancellable       *cancellable,
              GAsyncReadyCallback callback,
              gpointer            callback_data,
              gpointer            name)
{
  g_resolver_lookup_by_name_async (source, name, cancellable, callback, callback_data);
}

/* The first address. */
static gboolean
finish_lookup (gpointer      source,
               GAsyncResult *result,
               GValue       *value,
               gpointer      user_data,
               GError      **error)
{
  GList *addresses = g_resolver_lookup_by_name_finish (source, result, error);

  if (addresses == NULL)
    return FALSE;
  g_value_init (value, G_TYPE_INET_ADDRESS);
  g_value_set_object (value, addresses->data);
  g_resolver_free_addresses (addresses);
  return TRUE;
}

static void
test_lookup (void)
{
  g_autoptr (GResolver) resolver = g_resolver_get_default ();
  char localhost[] = "localhost", number[] = "127.0.0.1";
  char *names[] = { localhost, number, NULL };

  for (guint i = 0; names[i] != NULL; i++)
    {
      g_autoptr (GInetAddress) address
        = aex_gio_take_object (aex_pending_new_for_gio (resolver, start_lookup, finish_lookup, names[i], NULL));

      g_assert_true (g_inet_address_get_is_loopback (address));
    }
  aex_gio_expect_cancelled (aex_pending_new_for_gio (resolver, start_lookup, finish_lookup, localhost, NULL));
}

static void
test_enumerate_addresses (void)
{
  g_autoptr (GSocketConnectable) where = g_network_address_new ("127.0.0.1", 80);
  g_autoptr (GSocketAddressEnumerator) addresses = g_socket_connectable_enumerate (where);
  g_autoptr (GSocketAddress) address
    = aex_gio_take_object (AEX_PENDING_FOR_GIO (g_socket_address_enumerator_next, addresses));
  g_autoptr (AexPending) end = aex_gio_succeed (AEX_PENDING_FOR_GIO (g_socket_address_enumerator_next, addresses));

  g_assert_cmpint (g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address)), ==, 80);
  /* NULL without an error is the end. */
  aex_assert_resolved_empty (end);
}

/* --- sockets */

static void
start_accept (gpointer            source,
              GCancellable       *cancellable,
              GAsyncReadyCallback callback,
              gpointer            callback_data,
              gpointer            user_data)
{
  g_socket_listener_accept_async (source, cancellable, callback, callback_data);
}

static gboolean
finish_accept (gpointer      source,
               GAsyncResult *result,
               GValue       *value,
               gpointer      user_data,
               GError      **error)
{
  GSocketConnection *connection = g_socket_listener_accept_finish (source, result, NULL, error);

  if (connection == NULL)
    return FALSE;
  g_value_init (value, G_TYPE_SOCKET_CONNECTION);
  g_value_take_object (value, connection);
  return TRUE;
}

static AexPending *
accept_one (GSocketListener *listener)
{
  return aex_pending_new_for_gio (listener, start_accept, finish_accept, NULL, NULL);
}

static void
test_accept_and_connect (void)
{
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  guint16 port = g_socket_listener_add_any_inet_port (listener, NULL, NULL);
  g_autoptr (AexPending) accepting = accept_one (listener);
  g_autoptr (GIOStream) here
    = aex_gio_take_object (AEX_PENDING_FOR_GIO (g_socket_client_connect_to_host, client, "127.0.0.1", port));
  g_autoptr (GIOStream) there = aex_gio_take_object (g_steal_pointer (&accepting));
  g_autoptr (GBytes) bytes = NULL;

  aex_gio_expect_number (AEX_PENDING_FOR_GIO (g_output_stream_write, g_io_stream_get_output_stream (here), "text", 4, G_PRIORITY_DEFAULT), 4);
  bytes = aex_gio_take_boxed (AEX_PENDING_FOR_GIO (g_input_stream_read_bytes, g_io_stream_get_input_stream (there), 10, G_PRIORITY_DEFAULT), G_TYPE_BYTES);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), "text", 4);
  aex_gio_expect_cancelled (AEX_PENDING_FOR_GIO (g_input_stream_read_bytes, g_io_stream_get_input_stream (here), 10, G_PRIORITY_DEFAULT));
  aex_gio_expect_true (AEX_PENDING_FOR_GIO (g_io_stream_close, here, G_PRIORITY_DEFAULT));
  aex_gio_expect_true (AEX_PENDING_FOR_GIO (g_io_stream_close, there, G_PRIORITY_DEFAULT));
}

static void
test_accept_nobody (void)
{
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();

  g_assert_cmpuint (g_socket_listener_add_any_inet_port (listener, NULL, NULL), !=, 0);
  aex_gio_expect_cancelled (accept_one (listener));
}

static void
test_connect_refused (void)
{
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  guint16 port = g_socket_listener_add_any_inet_port (listener, NULL, NULL);

  /* Nobody listens there any more. */
  g_socket_listener_close (listener);
  aex_gio_expect_error (AEX_PENDING_FOR_GIO (g_socket_client_connect_to_host, client, "127.0.0.1", port),
                        G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED);
}

/* --- programs */

static GSubprocess *
spawn (GSubprocessFlags flags,
       const char      *script)
{
  g_autoptr (GError) error = NULL;
  GSubprocess *process = g_subprocess_new (flags, &error, "sh", "-c", script, NULL);

  g_assert_no_error (error);
  return process;
}

static void
start_communicate (gpointer            source,
                   GCancellable       *cancellable,
                   GAsyncReadyCallback callback,
                   gpointer            callback_data,
                   gpointer            input)
{
  g_subprocess_communicate_utf8_async (source, input, cancellable, callback, callback_data);
}

static gboolean
finish_communicate (gpointer      source,
                    GAsyncResult *result,
                    GValue       *value,
                    gpointer      input,
                    GError      **error)
{
  char *output;

  if (!g_subprocess_communicate_utf8_finish (source, result, &output, NULL, error))
    return FALSE;
  g_value_init (value, G_TYPE_STRING);
  g_value_take_string (value, output);
  return TRUE;
}

static void
test_communicate (void)
{
  char text[] = "text";
  g_autoptr (GSubprocess) cat = spawn (G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE, "cat");
  g_autofree char *output = aex_gio_take_string (aex_pending_new_for_gio (cat, start_communicate, finish_communicate, text, NULL));

  g_assert_cmpstr (output, ==, "text");
  aex_gio_expect_true (AEX_PENDING_FOR_GIO (g_subprocess_wait, cat));
}

static void
test_exit_status (void)
{
  g_autoptr (GSubprocess) good = spawn (G_SUBPROCESS_FLAGS_NONE, "exit 0");
  g_autoptr (GSubprocess) bad = spawn (G_SUBPROCESS_FLAGS_NONE, "exit 3");

  aex_gio_expect_true (AEX_PENDING_FOR_GIO (g_subprocess_wait_check, good));
  aex_gio_expect_error (AEX_PENDING_FOR_GIO (g_subprocess_wait_check, bad), G_SPAWN_EXIT_ERROR, 3);
}

static void
test_cancel_wait (void)
{
  g_autoptr (GSubprocess) process = spawn (G_SUBPROCESS_FLAGS_STDIN_PIPE, "read line");
  g_autoptr (AexPending) other = AEX_PENDING_FOR_GIO (g_subprocess_wait, process);

  aex_gio_expect_cancelled (AEX_PENDING_FOR_GIO (g_subprocess_wait, process));
  /* The wait ended and not the program. */
  g_assert_nonnull (g_subprocess_get_identifier (process));
  g_subprocess_force_exit (process);
  aex_gio_expect_true (g_steal_pointer (&other));
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/gio/Y1-Y3/net/lookup", test_lookup);
  aex_test_add ("/gio/Y1/net/enumerate-addresses", test_enumerate_addresses);
  aex_test_add ("/gio/Y1-Y3/net/accept-and-connect", test_accept_and_connect);
  aex_test_add ("/gio/Y3/net/accept-nobody", test_accept_nobody);
  aex_test_add ("/gio/Y1/net/connect-refused", test_connect_refused);
  aex_test_add ("/gio/Y1/process/communicate", test_communicate);
  aex_test_add ("/gio/Y1/process/exit-status", test_exit_status);
  aex_test_add ("/gio/Y3/process/cancel-wait", test_cancel_wait);
  return aex_test_run ();
}
