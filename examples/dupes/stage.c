/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "stage.h"

#include "interrupt.h"

/*
 * One pass over many files: aex_executor_map() over units of files.  A unit is a range of the
 * list of files and has the size of a bite; there is no object and no job per file.
 *
 * The window keeps the workers busy while the main loop takes the results, and bounds what is
 * under way.  The results come in the order in which the units end, on the main thread, where all
 * reporting is done.
 */
#define WINDOW_PER_JOB 8

typedef struct
{
  guint    first;
  guint    n_files;
  gboolean taken;            /* main thread only */
} Unit;

struct _DupesStage
{
  const char       *title;
  GPtrArray        *files;
  GArray           *units;
  DupesUnitFunc     func;
  GChecksumType     algorithm;
  DupesProgress    *progress;
  guint64           n_bytes;

  DupesTree        *tree;
  AexPendingStream *stream;
  AexPending       *next;    /* the result that is waited for */
  AexPending       *closed;
  AexPending       *done;    /* what the caller of dupes_stage_start() has */
};

static void take_next (DupesStage *self);

/* files and progress must stay as long as the stage. */
DupesStage *
dupes_stage_new (const char    *title,
                 GPtrArray     *files,
                 DupesUnitFunc  func,
                 GChecksumType  algorithm,
                 DupesProgress *progress)
{
  DupesStage *self = g_new0 (DupesStage, 1);

  self->title = title;
  self->files = files;
  self->units = g_array_new (FALSE, TRUE, sizeof (Unit));
  self->func = func;
  self->algorithm = algorithm;
  self->progress = progress;
  return self;
}

/* Not while it runs. */
void
dupes_stage_free (DupesStage *self)
{
  g_clear_object (&self->stream);
  g_clear_object (&self->next);
  g_clear_object (&self->closed);
  g_clear_object (&self->done);
  g_array_unref (self->units);
  g_free (self);
}

void
dupes_stage_add_unit (DupesStage *self,
                      guint       first,
                      guint       n_files)
{
  Unit unit = { first, n_files, FALSE };

  g_array_append_val (self->units, unit);
}

/* How much will be read, for the progress bar. */
void
dupes_stage_add_bytes (DupesStage *self,
                       guint64     n_bytes)
{
  self->n_bytes += n_bytes;
}

/*
 * The AexMapFunc.  What became of a file is written into the file; so a unit has no value and
 * never fails.
 */
static gboolean
run_unit (AexPendingStream  *stream,
          guint              index,
          GCancellable      *cancellable,
          gpointer           user_data,
          GError           **error)
{
  DupesStage *self = user_data;
  const Unit *unit = &g_array_index (self->units, Unit, index);

  self->func (dupes_reader_get (self->progress, cancellable),
              (DupesFile **) self->files->pdata + unit->first, unit->n_files, self->algorithm);
  return TRUE;
}

static void
take_unit (DupesStage *self,
           Unit       *unit)
{
  unit->taken = TRUE;
  for (guint i = unit->first; i < unit->first + unit->n_files; i++)
    {
      DupesFile *file = self->files->pdata[i];

      if (file->problem != NULL)
        {
          g_autofree char *path = dupes_file_dup_path (file);

          dupes_progress_error (self->progress, path, file->problem);
          dupes_tree_add_problem (self->tree, path, file->problem);
        }
    }
}

/* No unit runs any more.  After a stop some may have results that the stream did not deliver. */
static void
on_closed (AexPending *closed,
           gpointer    user_data)
{
  DupesStage *self = user_data;

  for (guint i = 0; i < self->units->len; i++)
    {
      Unit *unit = &g_array_index (self->units, Unit, i);

      if (!unit->taken)
        take_unit (self, unit);
    }
  aex_pending_resolve (self->done, NULL);
}

/* The library could not run the unit: no memory for a thread, perhaps. */
static void
fail_unit (DupesStage   *self,
           const Unit   *unit,
           const GError *error)
{
  for (guint i = unit->first; i < unit->first + unit->n_files; i++)
    {
      DupesFile *file = self->files->pdata[i];

      if (file->checksum == NULL && file->problem == NULL)
        file->problem = g_strdup (error->message);
    }
}

static void
on_next (AexPending *next,
         gpointer    user_data)
{
  DupesStage *self = user_data;
  g_autoptr (AexPendingResult) result = aex_pending_dup_object (next, NULL);

  if (result != NULL)
    {
      Unit *unit = &g_array_index (self->units, Unit, aex_pending_result_get_index (result));
      g_autoptr (GError) error = aex_pending_result_dup_error (result);

      if (error != NULL && !dupes_interrupted ())
        fail_unit (self, unit, error);
      take_unit (self, unit);
      take_next (self);
    }
  else
    {
      /* The end, or the stream was closed: wait until nothing runs. */
      dupes_stage_stop (self);
      aex_pending_add_done_callback (self->closed, on_closed, self, NULL);
    }
}

static void
take_next (DupesStage *self)
{
  g_clear_object (&self->next);
  self->next = aex_pending_stream_next (self->stream);
  aex_pending_add_done_callback (self->next, on_next, self, NULL);
}

/*
 * Starts to work on pool, n_jobs units at a time.  The pending resolves, without a value, on the
 * thread that called this when all is done, or was stopped and nothing runs any more; until then
 * the stage must stay.  Files that could not be read are reported and added to tree.
 */
AexPending *
dupes_stage_start (DupesStage  *self,
                   AexExecutor *pool,
                   guint        n_jobs,
                   DupesTree   *tree)
{
  dupes_progress_begin (self->progress, self->title, self->n_bytes);
  self->tree = tree;
  self->done = aex_pending_new ();
  self->stream = aex_executor_map (pool, self->units->len, n_jobs * WINDOW_PER_JOB, -1,
                                   AEX_MAP_FLAGS_UNORDERED | AEX_MAP_FLAGS_CONTINUE_ON_ERROR,
                                   run_unit, self, NULL);
  take_next (self);
  return g_object_ref (self->done);
}

/* No unit starts any more, and the running ones see their cancellable cancelled. */
void
dupes_stage_stop (DupesStage *self)
{
  if (self->closed == NULL)
    self->closed = aex_pending_stream_close (self->stream);
}
