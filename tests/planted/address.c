/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the address, leak and undefined-behaviour sanitizers have to find: mistakes
 * that users of the library make.  One per mode, and its twin without it.
 *
 *   planted-address MODE          runs the defect
 *   planted-address MODE --fixed  runs the twin
 */

#include "planted-main.h"

#include <asyncexec.h>
#include <string.h>

/* freed: a pending is looked at after its last reference was given back. */

static void
plant_freed (void)
{
  AexPending *pending = aex_pending_new_resolved (NULL);
  AexPending * volatile kept = pending;

  if (!fixed)
    g_object_unref (pending);
  if (!aex_pending_is_done (kept))
    g_printerr ("unlikely\n");
  if (fixed)
    g_object_unref (pending);
}

/* returned: a job gets the address of a variable whose function has returned. */

static gboolean
count_job (AexPending   *job,
           GCancellable *cancellable,
           gpointer      data,
           GError      **error)
{
  guint * volatile count = data;

  (*count)++;

  return TRUE;
}

static G_GNUC_NO_INLINE AexPending *
submit_count (AexExecutor *executor)
{
  guint on_the_stack = 0;

  return fixed ? aex_executor_submit (executor, count_job, g_new0 (guint, 1), g_free)
               : aex_executor_submit (executor, count_job, &on_the_stack, NULL);
}

static void
plant_returned (void)
{
  /* Hosted: the job runs inside the wait, certainly after the return. */
  g_autoptr (GMainContext) context = g_main_context_new ();

  g_main_context_push_thread_default (context);
  {
    g_autoptr (AexCaller) caller = aex_caller_ref_for_context (context);
    g_autoptr (AexPending) job = submit_count (AEX_EXECUTOR (caller));

    g_assert_true (aex_pending_run_until_done (job, AEX_WAIT_FLAGS_NONE, -1, NULL, NULL));
  }
  g_main_context_pop_thread_default (context);
}

/* leaked: a result that belongs to whoever asked for it.  What a thread that is gone
 * left on its stack hides nothing. */

static gpointer
leak_thread (gpointer data)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  char *text;

  aex_pending_resolve_string (pending, "planted");
  text = aex_pending_dup_string (pending, NULL);
  if (fixed)
    g_free (text);

  return NULL;
}

static void
plant_leaked (void)
{
  g_thread_join (g_thread_new ("planted", leak_thread, NULL));
}

/* overflow: one more than the largest result there is. */

static void
plant_overflow (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  gint64 value;

  aex_pending_resolve_int64 (pending, fixed ? G_MAXINT64 - 1 : G_MAXINT64);
  value = aex_pending_get_int64 (pending, NULL);
  if (value + 1 == 42)
    g_printerr ("unlikely\n");
}

/* misaligned: a number is read where it lies in a message. */

static void
plant_misaligned (void)
{
  guint64 message[2] = { 0, 0 };
  const guint8 * volatile bytes = (const guint8 *) message;
  guint64 number;

  if (fixed)
    memcpy (&number, bytes + 1, sizeof number);
  else
    number = *(const guint64 *) (gconstpointer) (bytes + 1);
  if (number == 42)
    g_printerr ("unlikely\n");
}

static const PlantedMode modes[] = {
  { "freed", plant_freed },
  { "returned", plant_returned },
  { "leaked", plant_leaked },
  { "overflow", plant_overflow },
  { "misaligned", plant_misaligned },
  { NULL, NULL },
};

int
main (int    argc,
      char **argv)
{
  return planted_main (argc, argv, modes);
}
