/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "limits-test.h"

void
limits_mistake (LimitsWorld *w,
                const char  *format,
                ...)
{
  va_list args;

  if (w->mistake != NULL)
    return;
  va_start (args, format);
  w->mistake = g_strdup_vprintf (format, args);
  va_end (args);
}

static gboolean
is_of_limit (Limit         limit,
             const GError *error)
{
  switch (limit)
    {
    case LIMIT_DESCRIPTORS:
      return g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES)
             || g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_MFILE);
    case LIMIT_THREADS:
      return g_error_matches (error, G_THREAD_ERROR, G_THREAD_ERROR_AGAIN);
    case LIMIT_FORKED:
      return g_error_matches (error, AEX_ERROR, AEX_ERROR_FORKED);
    case LIMIT_SHUTDOWN:
      return g_error_matches (error, AEX_ERROR, AEX_ERROR_CLOSED);
    case N_LIMITS:
    default:
      g_assert_not_reached ();
    }
}

/* What the subject had to say already is passed on, and no news. */
static gboolean
is_passed_on (LimitsWorld *w)
{
  g_autoptr (GError) error = NULL;

  if (!w->of_pendings)
    return FALSE;
  error = aex_pending_dup_error (w->pendings[w->variant]);
  return is_of_limit (w->limit, error);
}

void
limits_see (LimitsWorld  *w,
            const GError *error)
{
  if (error == NULL)
    return;
  if (error->message == NULL || *error->message == '\0')
    limits_mistake (w, "an error without a message (%s %d)", g_quark_to_string (error->domain), error->code);
  if (!w->is_checked || !is_of_limit (w->limit, error))
    return;
  if (is_passed_on (w))
    w->n_passed_on++;
  else
    w->n_reported++;
}

void
limits_called (LimitsWorld *w,
               GError      *error)
{
  w->n_calls++;
  limits_see (w, error);
  g_clear_error (&error);
}

void
limits_boolean_returned (LimitsWorld *w,
                         gboolean     result,
                         GError      *error)
{
  if (result != (error == NULL))
    limits_mistake (w, "returns %s and %s error", result ? "TRUE" : "FALSE", error != NULL ? "an" : "no");
  limits_called (w, error);
}

void
limits_pointer_returned (LimitsWorld  *w,
                         gconstpointer result,
                         gboolean      may_be_null,
                         GError       *error)
{
  if (result != NULL && error != NULL)
    limits_mistake (w, "returns something and an error");
  if (result == NULL && error == NULL && !may_be_null)
    limits_mistake (w, "returns NULL, without an error");
  limits_called (w, error);
}

/* A child that forked can not wait: what it gets is done. */
static void
see_now (LimitsWorld *w,
         AexPending  *pending)
{
  g_autoptr (GError) error = aex_pending_dup_error (pending);

  if (!aex_pending_is_done (pending))
    limits_mistake (w, "returns a pending that will never be done");
  limits_see (w, error);
}

void
limits_pending_returned (LimitsWorld *w,
                         AexPending  *pending)
{
  w->n_calls++;
  if (!AEX_IS_PENDING (pending))
    {
      limits_mistake (w, "returns no pending");
      return;
    }
  if (w->limit == LIMIT_FORKED)
    see_now (w, pending);
  g_ptr_array_add (w->returned, pending);
}

void
limits_stream_returned (LimitsWorld      *w,
                        AexPendingStream *stream)
{
  if (!AEX_IS_PENDING_STREAM (stream))
    {
      limits_mistake (w, "returns no stream");
      return;
    }
  limits_pending_returned (w, aex_pending_stream_next (stream));
  g_object_unref (stream);
}

void
limits_started (LimitsWorld *w)
{
  w->n_calls++;
  w->n_started++;
}

void
limits_ended (LimitsWorld *w,
              GError      *error)
{
  w->n_ready++;
  limits_see (w, error);
  g_clear_error (&error);
}

/* Has to end as well, and is not what the function returned. */
void
limits_await (LimitsWorld *w,
              AexPending  *pending)
{
  g_ptr_array_add (w->awaited, pending);
}

void
limits_value_free (GValue *value)
{
  g_boxed_free (G_TYPE_VALUE, value);
}
