/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "aex-error.h"

#include "base/aex-error-private.h"
#include "base/aex-i18n-private.h"

/* Extended errors of GLib 2.68: what lies before the GError and is copied with it. */
typedef struct {
  GPtrArray *members;    /* element GError; NULL: not a GROUP */
  AexPayload *payload;   /* what a binding threw; NULL: none */
} AexErrorPrivate;

static void
aex_error_private_init (AexErrorPrivate *self)
{
  (void) self;
}

static void
aex_error_private_copy (const AexErrorPrivate *from, AexErrorPrivate *to)
{
  to->members = from->members != NULL ? g_ptr_array_ref (from->members) : NULL;
  to->payload = from->payload != NULL ? g_atomic_rc_box_acquire (from->payload) : NULL;
}

static void
payload_clear (gpointer data)
{
  AexPayload *self = data;

  self->clear (self);
}

static void
aex_error_private_clear (AexErrorPrivate *self)
{
  g_clear_pointer (&self->members, g_ptr_array_unref);
  if (self->payload != NULL)
    g_atomic_rc_box_release_full (g_steal_pointer (&self->payload), payload_clear);
}

/* GLib's macro casts from bytes to the private struct, which GLib has aligned. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wcast-align"

/**
 * aex_error_quark:
 *
 * Gets the domain of the errors of this library, %AEX_ERROR.
 *
 * Returns: the quark
 *
 * Since: 1.0
 */
G_DEFINE_EXTENDED_ERROR (AexError, aex_error)

#pragma GCC diagnostic pop

/* A language binding makes errors of our domain without asking us for it.  One that was made before the domain was known
 * to be extended would be freed as what it is not. */
__attribute__ ((constructor)) static void
register_domain (void)
{
  aex_error_quark ();
}

/**
 * aex_error_get_members:
 * @error: any error
 *
 * Gets the errors that a %AEX_ERROR_GROUP stands for. They travel with copies
 * of @error. Any thread.
 *
 * Returns: (transfer container) (element-type GError) (nullable): the members,
 *   %NULL when @error is not a group
 *
 * Since: 1.0
 */
GPtrArray *
aex_error_get_members (const GError *error)
{
  g_return_val_if_fail (error != NULL, NULL);

  if (!g_error_matches (error, AEX_ERROR, AEX_ERROR_GROUP))
    return NULL;
  return aex_error_get_private (error)->members != NULL
         ? g_ptr_array_ref (aex_error_get_private (error)->members) : g_ptr_array_new ();
}

/* Names at most this many members in the message. */
#define MAX_NAMED 4

gboolean
aex_error_is_cancellation (const GError *error)
{
  return g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED) || g_error_matches (error, AEX_ERROR, AEX_ERROR_CLOSED);
}

/* Takes members, an array of GError with its free function. */
GError *
aex_error_new_group (GPtrArray *members)
{
  g_autoptr (GString) text = g_string_new (NULL);
  GError *error;

  for (guint i = 0; i < MIN (members->len, MAX_NAMED); i++)
    g_string_append_printf (text, "%s%s", i > 0 ? "; " : "", ((GError *) members->pdata[i])->message);
  if (members->len > MAX_NAMED)
    g_string_append (text, "; …");
  if (members->len == 0)
    error = g_error_new_literal (AEX_ERROR, AEX_ERROR_GROUP, _("None of no pendings succeeded: give at least one"));
  else
    error = g_error_new (AEX_ERROR, AEX_ERROR_GROUP,
                         aex_ngettext ("%u operation failed: %s", "%u operations failed: %s", members->len),
                         members->len, text->str);
  aex_error_get_private (error)->members = members;
  return error;
}

/* error is of our domain; takes payload. */
void
aex_error_take_payload (GError *error, AexPayload *payload)
{
  g_assert (error->domain == AEX_ERROR && aex_error_get_private (error)->payload == NULL);
  aex_error_get_private (error)->payload = payload;
}

/* What travels with error, or NULL; lives as long as error. */
AexPayload *
aex_error_peek_payload (const GError *error)
{
  return error->domain == AEX_ERROR ? aex_error_get_private (error)->payload : NULL;
}
