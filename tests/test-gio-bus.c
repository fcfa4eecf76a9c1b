/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-gio-test.h"

#include <sys/socket.h>

/* Rows Y1 and Y3: D-Bus, on a private bus and between two ends of a socket. */

#define BUS "org.freedesktop.DBus"
#define BUS_PATH "/org/freedesktop/DBus"

/* --- two ends of a socket */

static const char *interface_xml
  = "<node><interface name='test.Echo'>"
    "<method name='Echo'><arg type='s' direction='in'/><arg type='s' direction='out'/></method>"
    "<method name='Never'/>"
    "</interface></node>";

/* "Never" is answered when the connection ends. */
static void
echo_called (GDBusConnection       *connection,
             const char            *sender,
             const char            *path,
             const char            *interface,
             const char            *method,
             GVariant              *parameters,
             GDBusMethodInvocation *invocation,
             gpointer               held)
{
  if (g_str_equal (method, "Echo"))
    g_dbus_method_invocation_return_value (invocation, parameters);
  else
    g_ptr_array_add (held, invocation);
}

static void
start_connection (gpointer            source,
                  GCancellable       *cancellable,
                  GAsyncReadyCallback callback,
                  gpointer            callback_data,
                  gpointer            is_server)
{
  g_autofree char *guid = g_dbus_generate_guid ();

  if (is_server != NULL)
    g_dbus_connection_new (source, guid, G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_SERVER, NULL, cancellable, callback, callback_data);
  else
    g_dbus_connection_new (source, NULL, G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT, NULL, cancellable, callback, callback_data);
}

/* The finish function has no source: it makes it. */
static gboolean
finish_connection (gpointer      source,
                   GAsyncResult *result,
                   GValue       *value,
                   gpointer      is_server,
                   GError      **error)
{
  GDBusConnection *connection = g_dbus_connection_new_finish (result, error);

  if (connection == NULL)
    return FALSE;
  g_value_init (value, G_TYPE_DBUS_CONNECTION);
  g_value_take_object (value, connection);
  return TRUE;
}

typedef struct
{
  GDBusConnection *server;
  GDBusConnection *client;
  GPtrArray       *held;
  GDBusNodeInfo   *info;
  guint            id;
} Peers;

static AexPending *
connect_end (int  fd,
             gint is_server)
{
  g_autoptr (GSocket) socket = g_socket_new_from_fd (fd, NULL);
  g_autoptr (GSocketConnection) stream = g_socket_connection_factory_create_connection (socket);

  return aex_pending_new_for_gio (stream, start_connection, finish_connection, GINT_TO_POINTER (is_server), NULL);
}

static void
peers_begin (Peers *self)
{
  static const GDBusInterfaceVTable table = { .method_call = echo_called };
  g_autoptr (AexPending) server = NULL;
  g_autoptr (AexPending) client = NULL;
  int fds[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM, 0, fds), ==, 0);
  server = connect_end (fds[0], TRUE);
  client = connect_end (fds[1], FALSE);
  self->server = aex_gio_take_object (g_steal_pointer (&server));
  self->client = aex_gio_take_object (g_steal_pointer (&client));
  self->held = g_ptr_array_new_with_free_func (g_object_unref);
  self->info = g_dbus_node_info_new_for_xml (interface_xml, NULL);
  self->id = g_dbus_connection_register_object (self->server, "/test", self->info->interfaces[0], &table, self->held, NULL, NULL);
  g_assert_cmpuint (self->id, !=, 0);
}

static AexPending *
close_end (GDBusConnection *connection)
{
  return AEX_PENDING_FOR_GIO_PAIR (g_dbus_connection_close, g_dbus_connection_close_finish, connection);
}

static void
peers_clear (Peers *self)
{
  g_autoptr (AexPending) closing = NULL;
  g_autoptr (GError) error = NULL;

  g_ptr_array_unref (self->held);
  g_dbus_connection_unregister_object (self->server, self->id);
  /* The end of the other end closes this one as well, sooner or later. */
  closing = close_end (self->server);
  aex_test_run_until_done (closing);
  error = aex_pending_dup_error (closing);
  if (error != NULL)
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_clear_object (&self->server);
  g_clear_object (&self->client);
  g_dbus_node_info_unref (self->info);
}

static void
peers_end (Peers *self)
{
  aex_gio_expect_true (close_end (self->client));
  peers_clear (self);
}

static AexPending *
call_peer (Peers      *self,
           const char *method,
           GVariant   *parameters)
{
  return AEX_PENDING_FOR_GIO_PAIR (g_dbus_connection_call, g_dbus_connection_call_finish,
                                   self->client, NULL, "/test", "test.Echo", method, parameters, NULL,
                                   G_DBUS_CALL_FLAGS_NONE, -1);
}

static void
test_peers_call (void)
{
  Peers self;
  g_autoptr (AexPending) call = NULL;
  g_autoptr (GVariant) answer = NULL;
  const char *text;

  peers_begin (&self);
  call = aex_gio_succeed (call_peer (&self, "Echo", g_variant_new ("(s)", "text")));
  answer = aex_pending_dup_variant (call, NULL);
  g_variant_get (answer, "(&s)", &text);
  g_assert_cmpstr (text, ==, "text");
  aex_gio_expect_error (call_peer (&self, "Unknown", NULL), G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_METHOD);
  aex_gio_expect_true (AEX_PENDING_FOR_GIO_PAIR (g_dbus_connection_flush, g_dbus_connection_flush_finish, self.client));
  peers_end (&self);
}

static gboolean
is_held (gpointer peers)
{
  return ((Peers *) peers)->held->len > 0;
}

static void
test_peers_cancel (void)
{
  Peers self;
  g_autoptr (AexPending) call = NULL;

  peers_begin (&self);
  call = call_peer (&self, "Never", NULL);
  aex_test_iterate_until (is_held, &self);
  aex_gio_expect_cancelled (g_steal_pointer (&call));
  peers_end (&self);
}

/* Calls under way when the connection ends. */
static void
test_peers_closed (void)
{
  Peers self;
  g_autoptr (AexPending) call = NULL;

  peers_begin (&self);
  call = call_peer (&self, "Never", NULL);
  aex_test_iterate_until (is_held, &self);
  aex_gio_expect_true (close_end (self.server));
  aex_gio_expect_error (g_steal_pointer (&call), G_IO_ERROR, G_IO_ERROR_CLOSED);
  peers_clear (&self);
}

/* --- a bus */

static void
start_bus_get (gpointer            source,
               GCancellable       *cancellable,
               GAsyncReadyCallback callback,
               gpointer            callback_data,
               gpointer            user_data)
{
  g_bus_get (G_BUS_TYPE_SESSION, cancellable, callback, callback_data);
}

static gboolean
finish_bus_get (gpointer      source,
                GAsyncResult *result,
                GValue       *value,
                gpointer      user_data,
                GError      **error)
{
  GDBusConnection *connection = g_bus_get_finish (result, error);

  g_assert_null (source);
  if (connection == NULL)
    return FALSE;
  g_dbus_connection_set_exit_on_close (connection, FALSE);
  g_value_init (value, G_TYPE_DBUS_CONNECTION);
  g_value_take_object (value, connection);
  return TRUE;
}

static AexPending *
call_bus (GDBusConnection *connection,
          const char      *method,
          GVariant        *parameters,
          const char      *type)
{
  return AEX_PENDING_FOR_GIO_PAIR (g_dbus_connection_call, g_dbus_connection_call_finish,
                                   connection, BUS, BUS_PATH, BUS, method, parameters, G_VARIANT_TYPE (type),
                                   G_DBUS_CALL_FLAGS_NONE, -1);
}

static void
start_proxy (gpointer            source,
             GCancellable       *cancellable,
             GAsyncReadyCallback callback,
             gpointer            callback_data,
             gpointer            user_data)
{
  g_dbus_proxy_new (source, G_DBUS_PROXY_FLAGS_NONE, NULL, BUS, BUS_PATH, BUS, cancellable, callback, callback_data);
}

static gboolean
finish_proxy (gpointer      source,
              GAsyncResult *result,
              GValue       *value,
              gpointer      user_data,
              GError      **error)
{
  GDBusProxy *proxy = g_dbus_proxy_new_finish (result, error);

  if (proxy == NULL)
    return FALSE;
  g_value_init (value, G_TYPE_DBUS_PROXY);
  g_value_take_object (value, proxy);
  return TRUE;
}

static void
use_bus (GDBusConnection *connection)
{
  g_autoptr (AexPending) call = aex_gio_succeed (call_bus (connection, "GetId", NULL, "(s)"));
  g_autoptr (GVariant) id = aex_pending_dup_variant (call, NULL);
  g_autoptr (GDBusProxy) proxy
    = aex_gio_take_object (aex_pending_new_for_gio (connection, start_proxy, finish_proxy, NULL, NULL));
  g_autoptr (AexPending) by_proxy
    = aex_gio_succeed (AEX_PENDING_FOR_GIO_PAIR (g_dbus_proxy_call, g_dbus_proxy_call_finish, proxy, "ListNames", NULL, G_DBUS_CALL_FLAGS_NONE, -1));
  g_autoptr (GVariant) names = aex_pending_dup_variant (by_proxy, NULL);

  g_assert_true (g_variant_is_of_type (id, G_VARIANT_TYPE ("(s)")));
  g_assert_true (g_variant_is_of_type (names, G_VARIANT_TYPE ("(as)")));
  aex_gio_expect_error (call_bus (connection, "GetNameOwner", g_variant_new ("(s)", "no.such.Name"), "(s)"),
                        G_DBUS_ERROR, G_DBUS_ERROR_NAME_HAS_NO_OWNER);
  /* The answer is of another type than the expected one. */
  aex_gio_expect_error (call_bus (connection, "GetId", NULL, "(u)"), G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
}

static gboolean
have_daemon (void)
{
  g_autofree char *daemon = g_find_program_in_path ("dbus-daemon");

  return daemon != NULL;
}

static void
test_bus (void)
{
  g_autoptr (GTestDBus) bus = NULL;
  g_autoptr (GDBusConnection) connection = NULL;

  if (!have_daemon ())
    {
      g_test_skip ("there is no dbus-daemon");
      return;
    }
  bus = g_test_dbus_new (G_TEST_DBUS_NONE);
  g_test_dbus_up (bus);
  connection = aex_gio_take_object (aex_pending_new_for_gio (NULL, start_bus_get, finish_bus_get, NULL, NULL));
  use_bus (connection);
  aex_gio_expect_true (close_end (connection));
  g_clear_object (&connection);
  aex_test_drain ();
  g_test_dbus_down (bus);
}

/* GDBus keeps a thread for the life of the process, and GTestDBus a pipe: they are there before the first census. */
static void
warm_up (void)
{
  g_autoptr (GTestDBus) bus = g_test_dbus_new (G_TEST_DBUS_NONE);
  Peers self;

  peers_begin (&self);
  peers_end (&self);
  if (!have_daemon ())
    return;
  g_test_dbus_up (bus);
  g_test_dbus_stop (bus);
}

int
main (int    argc,
      char **argv)
{
  warm_up ();
  aex_test_init (&argc, &argv);
  aex_test_add ("/gio/Y1/bus/peers-call", test_peers_call);
  aex_test_add ("/gio/Y3/bus/peers-cancel", test_peers_cancel);
  aex_test_add ("/gio/Y1/bus/peers-closed", test_peers_closed);
  aex_test_add ("/gio/Y1/bus/private", test_bus);
  return aex_test_run ();
}
