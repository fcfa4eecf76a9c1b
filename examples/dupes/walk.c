/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "walk.h"

#include "interrupt.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * The walk: one posted job per folder.  A job lists its folder, posts a job for every folder in
 * it and adds its files to the tree.  Nobody waits for a single folder, so aex_executor_post() is
 * enough; a counter of jobs that are not finished tells the last one, which resolves the pending
 * that the caller of dupes_walk() got.
 *
 * With --follow links to folders are kept for later rounds: first everything that can be reached
 * without them, then one link after the other in the order of their names.  So a file has the
 * same path in every run although the jobs run in any order, and a folder that was seen is not
 * walked again, which ends every loop of links.
 */
typedef struct
{
  AexExecutor        *pool;
  const DupesOptions *options;
  DupesTree          *tree;
  DupesProgress      *progress;
  AexPending         *done;
  gint                n_unfinished;   /* atomic; folders, and one while the roots are posted */
  gboolean            following;      /* changes between rounds only, when no job runs */
  GPtrArray          *round;          /* links of this round, the next one last */

  GMutex              lock;           /* guards what follows */
  GPtrArray          *links;          /* links to folders, found in this round */
  GHashTable         *seen;           /* folders by "device:inode"; with --follow only */
} DupesWalk;

typedef struct
{
  DupesWalk *walk;
  char      *path;
  gboolean   is_link;                 /* may be a symbolic link: a root, or one that is followed */
  gboolean   has_run;
} WalkJob;

/* A folder while it is listed. */
typedef struct
{
  DupesWalk  *walk;
  const char *path;
  int         fd;
  GString    *names;
  GArray     *files;
  guint64     n_bytes;
} Listing;

static void walk_next_round (DupesWalk *walk);

static void
report_errno (DupesWalk  *walk,
              const char *folder,
              const char *name,
              int         error_number)
{
  g_autofree char *path = *folder != '\0' ? g_build_filename (folder, name, NULL) : g_strdup (name);

  dupes_tree_add_problem (walk->tree, path, g_strerror (error_number));
}

/* Runs on the worker, after the job; also if the job was dropped. */
static void
walk_job_free (gpointer data)
{
  WalkJob *job = data;
  DupesWalk *walk = job->walk;

  if (!job->has_run)
    dupes_tree_add_problem (walk->tree, job->path, "Could not be walked");
  g_free (job->path);
  g_free (job);
  if (g_atomic_int_dec_and_test (&walk->n_unfinished))
    walk_next_round (walk);
}

static gboolean walk_folder (gpointer   user_data,
                             GError   **error);

static void
post_folder (DupesWalk *walk,
             char      *path,
             gboolean   is_link)
{
  WalkJob *job = g_new0 (WalkJob, 1);

  job->walk = walk;
  job->path = path;
  job->is_link = is_link;
  g_atomic_int_inc (&walk->n_unfinished);
  aex_executor_post (walk->pool, walk_folder, job, walk_job_free);
}

/* TRUE: this folder must not be walked (again). */
static gboolean
was_seen (DupesWalk *walk,
          int        fd)
{
  struct stat st;
  char *id;
  gboolean is_new;

  if (!walk->options->follow || fstat (fd, &st) < 0)
    return FALSE;

  id = g_strdup_printf ("%jx:%jx", (uintmax_t) st.st_dev, (uintmax_t) st.st_ino);
  g_mutex_lock (&walk->lock);
  is_new = g_hash_table_add (walk->seen, id);
  g_mutex_unlock (&walk->lock);
  return walk->following && !is_new;
}

static void
add_file (Listing           *listing,
          const char        *name,
          const struct stat *st)
{
  DupesFile file = { 0 };

  if ((guint64) st->st_size < listing->walk->options->min_size)
    return;

  file.name = listing->names->len;
  file.size = st->st_size;
  file.device = st->st_dev;
  file.inode = st->st_ino;
  file.mtime = st->st_mtim.tv_sec * G_GINT64_CONSTANT (1000000000) + st->st_mtim.tv_nsec;
  g_array_append_val (listing->files, file);
  g_string_append_len (listing->names, name, strlen (name) + 1);
  listing->n_bytes += file.size;
}

static void
add_link (Listing    *listing,
          const char *name)
{
  DupesWalk *walk = listing->walk;
  struct stat st;

  if (fstatat (listing->fd, name, &st, 0) < 0)
    {
      /* A link that leads nowhere, or in a circle, is not a file that could not be read. */
      if (errno != ENOENT && errno != ELOOP && errno != ENOTDIR)
        report_errno (walk, listing->path, name, errno);
    }
  else if (S_ISREG (st.st_mode))
    {
      add_file (listing, name, &st);
    }
  else if (S_ISDIR (st.st_mode))
    {
      g_mutex_lock (&walk->lock);
      g_ptr_array_add (walk->links, g_build_filename (listing->path, name, NULL));
      g_mutex_unlock (&walk->lock);
    }
}

/* The type that readdir() tells saves a system call for all but regular files. */
static void
add_entry (Listing    *listing,
           const char *name,
           int         type)
{
  DupesWalk *walk = listing->walk;
  struct stat st;

  if (type == DT_UNKNOWN || type == DT_REG)
    {
      if (fstatat (listing->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        {
          report_errno (walk, listing->path, name, errno);
          return;
        }
      type = IFTODT (st.st_mode);
    }

  if (type == DT_REG)
    add_file (listing, name, &st);
  else if (type == DT_DIR)
    post_folder (walk, g_build_filename (listing->path, name, NULL), FALSE);
  else if (type == DT_LNK && walk->options->follow)
    add_link (listing, name);
}

static void
list_folder (DupesWalk  *walk,
             const char *path,
             DIR        *stream)
{
  g_autoptr (GArray) files = g_array_new (FALSE, FALSE, sizeof (DupesFile));
  Listing listing = { walk, path, dirfd (stream), g_string_new (NULL), files, 0 };
  const struct dirent *entry;

  errno = 0;
  while ((entry = readdir (stream)) != NULL && !dupes_interrupted ())
    {
      const char *name = entry->d_name;

      if (strcmp (name, ".") != 0 && strcmp (name, "..") != 0)
        add_entry (&listing, name, entry->d_type);
      errno = 0;
    }
  if (entry == NULL && errno != 0)
    dupes_tree_add_problem (walk->tree, path, g_strerror (errno));

  dupes_progress_found (walk->progress, files->len, listing.n_bytes);
  dupes_tree_add_folder (walk->tree, path, listing.names, files);
}

/* The job.  It never fails: what cannot be read goes to the tree, and the walk goes on. */
static gboolean
walk_folder (gpointer   user_data,
             GError   **error)
{
  WalkJob *job = user_data;
  DIR *stream = NULL;
  int fd;

  job->has_run = TRUE;
  if (dupes_interrupted ())
    return TRUE;

  fd = open (job->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (job->is_link ? 0 : O_NOFOLLOW));
  if (fd >= 0)
    stream = fdopendir (fd);
  if (stream == NULL)
    {
      dupes_tree_add_problem (job->walk->tree, job->path, g_strerror (errno));
      if (fd >= 0)
        close (fd);
      return TRUE;
    }

  if (!was_seen (job->walk, fd))
    list_folder (job->walk, job->path, stream);
  closedir (stream);
  return TRUE;
}

/* A root may be a symbolic link even without --follow: who names one means where it leads. */
static void
add_root (DupesWalk *walk,
          char      *path)
{
  struct stat st;

  if (stat (path, &st) < 0)
    {
      report_errno (walk, "", path, errno);
    }
  else if (S_ISDIR (st.st_mode))
    {
      post_folder (walk, g_strdup (path), TRUE);
    }
  else if (S_ISREG (st.st_mode))
    {
      g_autoptr (GArray) files = g_array_new (FALSE, FALSE, sizeof (DupesFile));
      Listing listing = { walk, "", -1, g_string_new (NULL), files, 0 };

      add_file (&listing, path, &st);
      dupes_progress_found (walk->progress, files->len, listing.n_bytes);
      dupes_tree_add_folder (walk->tree, "", listing.names, files);
    }
}

static void
walk_finish (DupesWalk *walk)
{
  g_autoptr (AexPending) done = g_steal_pointer (&walk->done);

  g_ptr_array_unref (walk->round);
  g_ptr_array_unref (walk->links);
  g_hash_table_unref (walk->seen);
  g_mutex_clear (&walk->lock);
  g_object_unref (walk->pool);
  g_free (walk);
  aex_pending_resolve (done, NULL);
}

static int
compare_descending (gconstpointer a,
                    gconstpointer b)
{
  return strcmp (*(const char * const *) b, *(const char * const *) a);
}

/* No job is left: follow the next link, or end the walk. */
static void
walk_next_round (DupesWalk *walk)
{
  if (walk->round->len == 0)
    {
      GPtrArray *empty = walk->round;

      walk->round = walk->links;
      walk->links = empty;
      walk->following = TRUE;
      g_ptr_array_sort (walk->round, compare_descending);
    }

  if (walk->round->len == 0 || dupes_interrupted ())
    walk_finish (walk);
  else
    post_folder (walk, g_ptr_array_steal_index (walk->round, walk->round->len - 1), TRUE);
}

/*
 * Walks options->roots on pool.  The pending resolves, without a value, when tree is complete;
 * until then options, tree and progress must stay.  After an interrupt it resolves as soon as the
 * running jobs have returned.
 */
AexPending *
dupes_walk (AexExecutor        *pool,
            const DupesOptions *options,
            DupesTree          *tree,
            DupesProgress      *progress)
{
  DupesWalk *walk = g_new0 (DupesWalk, 1);
  AexPending *done = aex_pending_new ();

  walk->pool = g_object_ref (pool);
  walk->options = options;
  walk->tree = tree;
  walk->progress = progress;
  walk->done = g_object_ref (done);
  walk->n_unfinished = 1;
  walk->round = g_ptr_array_new_with_free_func (g_free);
  walk->links = g_ptr_array_new_with_free_func (g_free);
  walk->seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_mutex_init (&walk->lock);

  for (guint i = 0; options->roots[i] != NULL; i++)
    add_root (walk, options->roots[i]);
  if (g_atomic_int_dec_and_test (&walk->n_unfinished))
    walk_next_round (walk);
  return done;
}
