/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "aex-test-private.h"

#include <stdio.h>
#include <unistd.h>

/* How long something may be on its way out, on a quick machine.  Reaching the
 * limit is a failure, so that its length costs nothing. */
#define SETTLE_LIMIT_US (5 * G_USEC_PER_SEC)

struct _AexCensus
{
  int        live[AEX_LIVE_N_KINDS];
  guint      n_threads;
  guint      n_fds;
  GPtrArray *threads;   /* their names */
  GPtrArray *fds;       /* where they lead */
};

static GPtrArray *
list_threads (void)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/task", 0, NULL);
  const char *entry;

  while (dir != NULL && (entry = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename ("/proc/self/task", entry, "comm", NULL);
      char *name = NULL;

      /* A thread may be gone since the folder was read. */
      if (g_file_get_contents (path, &name, NULL, NULL))
        g_ptr_array_add (names, g_strchomp (name));
    }
  return names;
}

static GPtrArray *
list_fds (void)
{
  GPtrArray *targets = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/fd", 0, NULL);
  const char *entry;

  /* One of them is the folder itself, each time. */
  while (dir != NULL && (entry = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename ("/proc/self/fd", entry, NULL);
      g_autofree char *target = g_file_read_link (path, NULL);

      g_ptr_array_add (targets, g_strdup_printf ("%s %s", entry, target != NULL ? target : "?"));
    }
  return targets;
}

AexCensus *
aex_census_take (void)
{
  AexCensus *self = g_new0 (AexCensus, 1);

  for (guint i = 0; i < AEX_LIVE_N_KINDS; i++)
    self->live[i] = aex_live_get (i);
  self->threads = list_threads ();
  self->fds = list_fds ();
  self->n_threads = self->threads->len;
  self->n_fds = self->fds->len;
  return self;
}

void
aex_census_free (AexCensus *self)
{
  g_ptr_array_unref (self->threads);
  g_ptr_array_unref (self->fds);
  g_free (self);
}

static gboolean
live_is_back (const AexCensus *before)
{
  for (guint i = 0; i < AEX_LIVE_N_KINDS; i++)
    {
      if (aex_live_get (i) > before->live[i])
        return FALSE;
    }
  return TRUE;
}

static gboolean
process_is_back (const AexCensus *before)
{
  g_autoptr (AexCensus) now = aex_census_take ();

  return now->n_threads <= before->n_threads && now->n_fds <= before->n_fds;
}

static void
report_names (const char *what,
              GPtrArray  *before,
              GPtrArray  *now)
{
  if (now->len <= before->len)
    return;
  g_printerr ("  %u %s, now %u:\n", before->len, what, now->len);
  for (guint i = 0; i < now->len; i++)
    g_printerr ("    %s\n", (char *) now->pdata[i]);
}

static void
report (const AexCensus *before,
        gboolean         with_process,
        const char      *where)
{
  g_autoptr (AexCensus) now = aex_census_take ();

  g_printerr ("census: %s leaves something behind\n", where);
  for (guint i = 0; i < AEX_LIVE_N_KINDS; i++)
    {
      if (now->live[i] > before->live[i])
        g_printerr ("  %d %s, now %d\n", before->live[i], aex_live_get_name (i), now->live[i]);
    }
  if (with_process)
    {
      report_names ("threads", before->threads, now->threads);
      report_names ("fds", before->fds, now->fds);
    }
}

static gint64
settle_deadline (void)
{
  return g_get_monotonic_time () + (gint64) (SETTLE_LIMIT_US * aex_test_time_factor ());
}

/* This and the next function are the only ones of the tests that look again
 * and again: what they wait for, the exit of a thread and the last unref by
 * it, tells nobody.  They count what is left; nothing is synchronised by them. */
gboolean
aex_census_settle (const AexCensus *before,
                   gboolean         with_process,
                   const char      *where)
{
  gint64 deadline = settle_deadline ();

  while (TRUE)
    {
      aex_test_drain ();
      if (live_is_back (before) && (!with_process || process_is_back (before)))
        return TRUE;
      if (g_get_monotonic_time () >= deadline)
        break;
      g_thread_yield ();
    }
  report (before, with_process, where);
  return FALSE;
}

static guint
count_threads (void)
{
  g_autoptr (GPtrArray) names = list_threads ();

  return names->len;
}

/* Waits until no thread but the calling one and those of the first census of
 * the process is left; for tests that count threads themselves. */
void
aex_test_wait_threads (void)
{
  guint expected = aex_test_get_n_threads_at_start ();
  guint n_seen = 0;
  gint64 deadline = settle_deadline ();

  g_thread_pool_stop_unused_threads ();
  /* Twice in a row: the kernel's list can miss one while another goes. */
  while (n_seen < 2 && g_get_monotonic_time () < deadline)
    {
      n_seen = count_threads () <= expected ? n_seen + 1 : 0;
      if (n_seen == 0)
        g_thread_yield ();
    }
  g_assert_cmpuint (n_seen, ==, 2);
}

guint
aex_census_get_n_threads (const AexCensus *self)
{
  return self->n_threads;
}
