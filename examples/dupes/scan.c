/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "scan.h"

#include "beginnings.h"
#include "contents.h"
#include "interrupt.h"
#include "walk.h"

/*
 * The whole search: walk, compare beginnings, hash contents, one after the other, chained with
 * aex_pending_then(). Everything in this file runs on the main thread; the work is done by a pool
 * of as many threads as files may be open.
 */
struct _DupesScan
{
  const DupesOptions *options;
  AexExecutor        *pool;
  guint               n_jobs;
  DupesProgress      *progress;
  gint64              started;

  DupesTree          *tree;
  GPtrArray          *files;        /* all distinct files, largest first */
  GPtrArray          *candidates;   /* those that may still have an equal */
  DupesStage         *stage;        /* the one that runs, if any */
};

DupesScan *
dupes_scan_new (const DupesOptions *options)
{
  DupesScan *self = g_new0 (DupesScan, 1);

  self->options = options;
  self->pool = aex_thread_pool_new (options->n_jobs);
  self->n_jobs = aex_thread_pool_get_max_workers (AEX_THREAD_POOL (self->pool));
  self->progress = dupes_progress_new (options->progress);
  self->tree = dupes_tree_new ();
  self->files = g_ptr_array_new ();
  self->candidates = g_ptr_array_new ();
  return self;
}

/* Not while it runs. */
void
dupes_scan_free (DupesScan *self)
{
  g_clear_pointer (&self->stage, dupes_stage_free);
  g_ptr_array_unref (self->candidates);
  g_ptr_array_unref (self->files);
  dupes_tree_free (self->tree);
  dupes_progress_free (self->progress);
  g_object_unref (self->pool);
  g_free (self);
}

static void
report_problems (DupesScan *self)
{
  dupes_tree_sort_problems (self->tree);
  for (guint i = 0; i < self->tree->problems->len; i++)
    {
      const DupesProblem *problem = self->tree->problems->pdata[i];

      dupes_progress_error (self->progress, problem->path, problem->message);
    }
}

/* The first sieve: who has a size of his own is out. */
static void
keep_common_sizes (DupesScan *self)
{
  guint n_same;

  for (guint i = 0; i < self->files->len; i += n_same)
    {
      const DupesFile *first = self->files->pdata[i];

      for (n_same = 1; i + n_same < self->files->len; n_same++)
        if (((DupesFile *) self->files->pdata[i + n_same])->size != first->size)
          break;
      for (guint j = 0; n_same > 1 && j < n_same; j++)
        g_ptr_array_add (self->candidates, self->files->pdata[i + j]);
    }
}

static void
keep_undecided_twins (DupesScan *self)
{
  guint n_kept = 0;

  for (guint i = 0; i < self->candidates->len; i++)
    {
      const DupesFile *file = self->candidates->pdata[i];

      if (file->twin != NULL && file->checksum == NULL)
        self->candidates->pdata[n_kept++] = self->candidates->pdata[i];
    }
  g_ptr_array_set_size (self->candidates, n_kept);
}

static AexPending *
start_stage (DupesScan  *self,
             DupesStage *stage)
{
  g_clear_pointer (&self->stage, dupes_stage_free);
  self->stage = stage;
  return dupes_stage_start (stage, self->pool, self->n_jobs, self->tree);
}

/*
 * An AexThenFunc gets the pending before it, which is done, and returns the one that the chain
 * goes on with; NULL passes the outcome on.
 */
static AexPending *
on_walked (AexPending  *walked,
           gpointer     user_data,
           GError     **error)
{
  DupesScan *self = user_data;

  report_problems (self);
  g_clear_pointer (&self->files, g_ptr_array_unref);
  self->files = dupes_tree_list_files (self->tree);
  if (dupes_interrupted ())
    return NULL;

  keep_common_sizes (self);
  return start_stage (self, dupes_beginnings_new (self->candidates, self->options->algorithm,
                                                  self->progress));
}

static AexPending *
on_compared (AexPending  *compared,
             gpointer     user_data,
             GError     **error)
{
  DupesScan *self = user_data;

  if (dupes_interrupted ())
    return NULL;

  keep_undecided_twins (self);
  return start_stage (self, dupes_contents_new (self->candidates, self->options->algorithm,
                                                self->progress));
}

/*
 * The pending is done when everything is, or when dupes_scan_stop() was called and nothing runs
 * any more.
 */
AexPending *
dupes_scan_start (DupesScan *self)
{
  g_autoptr (AexPending) walked = NULL;
  g_autoptr (AexPending) compared = NULL;

  self->started = g_get_monotonic_time ();
  dupes_progress_begin (self->progress, "Walking", 0);
  walked = dupes_walk (self->pool, self->options, self->tree, self->progress);
  compared = aex_pending_then (walked, on_walked, self, NULL);
  return aex_pending_then (compared, on_compared, self, NULL);
}

/*
 * After an interrupt: what is queued is dropped.  (What runs looks at dupes_interrupted() itself,
 * as does the walk.)
 */
void
dupes_scan_stop (DupesScan *self)
{
  if (self->stage != NULL)
    dupes_stage_stop (self->stage);
}

/* findings must be cleared before the scan is freed. */
void
dupes_scan_summarize (DupesScan     *self,
                      DupesFindings *findings)
{
  dupes_progress_end (self->progress);
  dupes_findings_init (findings, self->tree, self->files);
  findings->interrupted = dupes_interrupted ();
  findings->seconds = (g_get_monotonic_time () - self->started) / (double) G_USEC_PER_SEC;
}
