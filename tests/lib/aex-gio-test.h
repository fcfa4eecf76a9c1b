/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "lib/aex-test.h"
#include "lib/aex-file-test.h"

#include <gio/gunixinputstream.h>
#include <gio/gunixoutputstream.h>
#include <glib-unix.h>

G_BEGIN_DECLS

/* Operations of GIO, run to their end on the context of the calling thread. */

/* Takes the pending and gives it back, resolved. */
static inline AexPending *
aex_gio_succeed (AexPending *pending)
{
  g_autoptr (GError) error = NULL;

  aex_test_run_until_done (pending);
  error = aex_pending_dup_error (pending);
  g_assert_no_error (error);
  aex_assert_state (pending, RESOLVED);
  return pending;
}

/* These take the pending. */
static inline gpointer
aex_gio_take_object (AexPending *pending)
{
  g_autoptr (AexPending) done = aex_gio_succeed (pending);
  gpointer object = aex_pending_dup_object (done, NULL);

  g_assert_true (G_IS_OBJECT (object));
  return object;
}

static inline gpointer
aex_gio_take_boxed (AexPending *pending,
                    GType       type)
{
  g_autoptr (AexPending) done = aex_gio_succeed (pending);
  gpointer boxed = aex_pending_dup_boxed (done, type, NULL);

  g_assert_nonnull (boxed);
  return boxed;
}

static inline char *
aex_gio_take_string (AexPending *pending)
{
  g_autoptr (AexPending) done = aex_gio_succeed (pending);

  return aex_pending_dup_string (done, NULL);
}

static inline void
aex_gio_expect_true (AexPending *pending)
{
  g_autoptr (AexPending) done = aex_gio_succeed (pending);

  g_assert_true (aex_pending_get_boolean (done, NULL));
}

static inline void
aex_gio_expect_number (AexPending *pending,
                       gint64      number)
{
  g_autoptr (AexPending) done = aex_gio_succeed (pending);

  aex_assert_resolved_int64 (done, number);
}

static inline void
aex_gio_expect_error (AexPending *pending,
                      GQuark      domain,
                      int         code)
{
  g_autoptr (AexPending) done = pending;

  aex_test_run_until_done (done);
  aex_assert_state (done, REJECTED);
  aex_assert_failed_with (done, domain, code);
}

/* Cancels it while it is under way. */
static inline void
aex_gio_expect_cancelled (AexPending *pending)
{
  g_autoptr (AexPending) done = pending;

  g_assert_false (aex_pending_is_done (done));
  g_assert_true (aex_pending_cancel (done, NULL));
  g_assert_false (aex_pending_is_done (done));
  aex_test_run_until_done (done);
  aex_assert_cancelled (done);
}

/* Two streams that are the ends of a pipe. */
static inline void
aex_gio_pipe (GInputStream  **in,
              GOutputStream **out)
{
  g_autoptr (GError) error = NULL;
  int fds[2];

  g_assert_true (g_unix_open_pipe (fds, FD_CLOEXEC, &error));
  g_assert_no_error (error);
  *in = g_unix_input_stream_new (fds[0], TRUE);
  *out = g_unix_output_stream_new (fds[1], TRUE);
}

static inline GFile *
aex_gio_file (AexFileTest *self,
              const char  *name,
              const char  *text)
{
  g_autofree char *path = text != NULL ? aex_file_test_write (self, name, text, strlen (text))
                                       : g_build_filename (self->folder, name, NULL);

  return g_file_new_for_path (path);
}

G_END_DECLS
