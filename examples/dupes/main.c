/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * dupes: finds files with the same content.
 *
 * A program with a main loop that has much to read and to compute: the work runs on a pool of
 * threads, results and errors come back to the main thread as they happen, a progress bar is
 * drawn meanwhile, and Ctrl-C stops at once and keeps what is there.  Start reading in scan.c;
 * walk.c and stage.c are the two ways in which work gets on the pool.
 */

#include <errno.h>
#include <stdlib.h>

#include "interrupt.h"
#include "report.h"
#include "scan.h"

enum
{
  STATUS_OK = 0,
  STATUS_UNREADABLE = 1,      /* something could not be read, or the report not be written */
  STATUS_USAGE = 2,
  STATUS_INTERRUPTED = 130,
};

static void
on_interrupt (gpointer user_data)
{
  dupes_scan_stop (user_data);
}

static void
on_done (AexPending *done,
         gpointer    user_data)
{
  g_main_loop_quit (user_data);
}

static gboolean
run (DupesScan  *scan,
     GError    **error)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (AexPending) done = dupes_scan_start (scan);
  g_autoptr (GError) reason = NULL;

  aex_pending_add_done_callback (done, on_done, loop, NULL);
  g_main_loop_run (loop);

  reason = aex_pending_dup_error (done);
  if (reason == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&reason));
  return FALSE;
}

static int
report (const DupesOptions  *options,
        const DupesFindings *findings)
{
  if (options->json)
    dupes_report_json (findings, stdout);
  else
    dupes_report_table (findings, stdout);

  if (fflush (stdout) != 0 || ferror (stdout))
    {
      fprintf (stderr, "dupes: cannot write the report: %s\n", g_strerror (errno));
      return STATUS_UNREADABLE;
    }
  if (findings->interrupted)
    return STATUS_INTERRUPTED;
  return findings->problems->len > 0 ? STATUS_UNREADABLE : STATUS_OK;
}

int
main (int    argc,
      char **argv)
{
  g_auto (DupesOptions) options = { 0 };
  g_autoptr (DupesScan) scan = NULL;
  g_auto (DupesFindings) findings = { 0 };
  g_autoptr (GError) error = NULL;

  if (!dupes_options_parse (&options, &argc, &argv, &error))
    {
      fprintf (stderr, "dupes: %s\nTry 'dupes -h'.\n", error->message);
      return STATUS_USAGE;
    }

  scan = dupes_scan_new (&options);
  if (!dupes_interrupt_install (on_interrupt, scan, &error) || !run (scan, &error))
    {
      fprintf (stderr, "dupes: %s\n", error->message);
      return EXIT_FAILURE;
    }

  dupes_scan_summarize (scan, &findings);
  return report (&options, &findings);
}
