/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The operation file-walk; see doc/operations.md.
 *
 * One folder is open at a time.  Links to folders are kept for later rounds: first comes everything that is reached
 * without them, then what each of them leads to, in the order of their names.  So a file is found by the same path in
 * every run, and as a folder that was seen is not walked again, every loop of links ends. */
#include "executor/aex-file-private.h"
#include "executor/aex-operation-private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/aex-clock-private.h"

/* How many entries one message has at most, and how old they get before they are sent. */
#define BATCH_ENTRIES 64
#define BATCH_US 50000

typedef struct {
  dev_t device;
  ino_t inode;
} AexFolderId;

typedef struct {
  AexPending *job;
  GCancellable *cancellable;
  gboolean follow;
  guint64 min_size;

  GPtrArray *folders;       /* paths to be listed, the next one last */
  GPtrArray *round;         /* links that are followed in this round, the next one last */
  GPtrArray *links;         /* those of the next round */
  GHashTable *seen;         /* AexFolderId; with follow only */

  GVariantBuilder files, errors;
  guint n_batch;
  gint64 sent_us;
  guint64 n_files, n_bytes, n_errors;
} AexFileWalk;

static guint
folder_id_hash (gconstpointer id)
{
  const AexFolderId *self = id;
  guint64 mixed = (guint64) self->device * 31 + (guint64) self->inode;

  return (guint) (mixed ^ (mixed >> 32));
}

static gboolean
folder_id_equal (gconstpointer a, gconstpointer b)
{
  const AexFolderId *left = a, *right = b;

  return left->device == right->device && left->inode == right->inode;
}

static void
begin_batch (AexFileWalk *self)
{
  g_variant_builder_init (&self->files, G_VARIANT_TYPE ("a(aytttx)"));
  g_variant_builder_init (&self->errors, G_VARIANT_TYPE ("a(ayis)"));
  self->n_batch = 0;
  self->sent_us = aex_clock_now ();
}

static void
walk_init (AexFileWalk *self, AexPending *job, GVariant *parameters, GCancellable *cancellable)
{
  *self = (AexFileWalk) { .job = job, .cancellable = cancellable };
  g_variant_lookup (parameters, "follow", "b", &self->follow);
  g_variant_lookup (parameters, "min-size", "t", &self->min_size);
  self->folders = g_ptr_array_new_with_free_func (g_free);
  self->round = g_ptr_array_new_with_free_func (g_free);
  self->links = g_ptr_array_new_with_free_func (g_free);
  self->seen = g_hash_table_new_full (folder_id_hash, folder_id_equal, g_free, NULL);
  begin_batch (self);
}

static void
walk_clear (AexFileWalk *self)
{
  g_variant_builder_clear (&self->files);
  g_variant_builder_clear (&self->errors);
  g_ptr_array_unref (self->folders);
  g_ptr_array_unref (self->round);
  g_ptr_array_unref (self->links);
  g_hash_table_unref (self->seen);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (AexFileWalk, walk_clear)

/* ---- messages */

/* Waits while the one who reads has too much to read. */
static gboolean
send_batch (AexFileWalk *self, GError **error)
{
  GVariant *message;

  if (self->n_batch == 0)
    return TRUE;
  message = g_variant_new ("(@a(aytttx)@a(ayis))", g_variant_builder_end (&self->files), g_variant_builder_end (&self->errors));
  begin_batch (self);
  return aex_pending_publish_wait (self->job, message, error);
}

static void
add_error (AexFileWalk *self, const char *path, int saved_errno)
{
  g_variant_builder_add (&self->errors, "(^ayis)", path, (gint32) g_io_error_from_errno (saved_errno), g_strerror (saved_errno));
  self->n_batch++;
  self->n_errors++;
}

static void
add_file (AexFileWalk *self, const char *path, const struct stat *st)
{
  if ((guint64) st->st_size < self->min_size)
    return;
  g_variant_builder_add (&self->files, "(^aytttx)", path, (guint64) st->st_size, (guint64) st->st_dev, (guint64) st->st_ino,
                         aex_file_get_mtime (st));
  self->n_batch++;
  self->n_files++;
  self->n_bytes += (guint64) st->st_size;
}

/* ---- one folder */

static void
add_link (AexFileWalk *self, int folder, const char *name, char *path)
{
  g_autofree char *taken = path;
  struct stat st;

  if (fstatat (folder, name, &st, 0) < 0)
    {
      /* A link that leads nowhere, or in a circle, is not a file that could not be read. */
      if (errno != ENOENT && errno != ELOOP && errno != ENOTDIR)
        add_error (self, path, errno);
    }
  else if (S_ISREG (st.st_mode))
    {
      add_file (self, path, &st);
    }
  else if (S_ISDIR (st.st_mode))
    {
      g_ptr_array_add (self->links, g_steal_pointer (&taken));
    }
}

/* The type that readdir() tells saves a system call for all but regular files. */
static void
add_entry (AexFileWalk *self, const char *folder_path, int folder, const struct dirent *entry)
{
  g_autofree char *path = g_build_filename (folder_path, entry->d_name, NULL);
  int type = entry->d_type;
  struct stat st;

  if (type == DT_UNKNOWN || type == DT_REG)
    {
      if (fstatat (folder, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        {
          add_error (self, path, errno);
          return;
        }
      type = IFTODT (st.st_mode);
    }
  if (type == DT_REG)
    add_file (self, path, &st);
  else if (type == DT_DIR)
    g_ptr_array_add (self->folders, g_steal_pointer (&path));
  else if (type == DT_LNK && self->follow)
    add_link (self, folder, entry->d_name, g_steal_pointer (&path));
}

static gboolean
list_folder (AexFileWalk *self, const char *path, DIR *stream, GError **error)
{
  const struct dirent *entry;

  errno = 0;
  while ((entry = readdir (stream)) != NULL)
    {
      if (!aex_file_go_on (self->cancellable, error))
        return FALSE;
      if (strcmp (entry->d_name, ".") != 0 && strcmp (entry->d_name, "..") != 0)
        add_entry (self, path, dirfd (stream), entry);
      if (self->n_batch >= BATCH_ENTRIES && !send_batch (self, error))
        return FALSE;
      errno = 0;
    }
  if (errno != 0)
    add_error (self, path, errno);
  return TRUE;
}

/* With follow: this folder must not be walked again. */
static gboolean
was_seen (AexFileWalk *self, int folder)
{
  AexFolderId *id;
  struct stat st;

  if (!self->follow || fstat (folder, &st) < 0)
    return FALSE;
  id = g_new (AexFolderId, 1);
  id->device = st.st_dev;
  id->inode = st.st_ino;
  return !g_hash_table_add (self->seen, id);
}

/* NULL: errno is set. */
static DIR *
open_folder (const char *path, gboolean may_be_link)
{
  int fd = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (may_be_link ? 0 : O_NOFOLLOW));
  DIR *stream = fd >= 0 ? fdopendir (fd) : NULL;

  if (stream == NULL && fd >= 0)
    {
      int saved_errno = errno;

      close (fd);
      errno = saved_errno;
    }
  return stream;
}

/* Takes the stream. */
static gboolean
walk_stream (AexFileWalk *self, const char *path, DIR *stream, GError **error)
{
  gboolean ok = was_seen (self, dirfd (stream)) || list_folder (self, path, stream, error);

  closedir (stream);
  if (ok && aex_clock_now () - self->sent_us >= BATCH_US)
    ok = send_batch (self, error);
  return ok;
}

static gboolean
walk_folder (AexFileWalk *self, const char *path, gboolean may_be_link, GError **error)
{
  DIR *stream = open_folder (path, may_be_link);

  if (stream != NULL)
    return walk_stream (self, path, stream, error);
  add_error (self, path, errno);
  return aex_file_go_on (self->cancellable, error);
}

/* ---- all of them */

static int
compare_descending (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) b, *(const char *const *) a);
}

/* NULL: nothing is left. */
static char *
take_next (AexFileWalk *self, gboolean *is_link)
{
  GPtrArray *empty = self->round;

  *is_link = self->folders->len == 0;
  if (!*is_link)
    return g_ptr_array_steal_index (self->folders, self->folders->len - 1);
  if (self->round->len == 0)
    {
      self->round = self->links;
      self->links = empty;
      g_ptr_array_sort (self->round, compare_descending);
    }
  return self->round->len > 0 ? g_ptr_array_steal_index (self->round, self->round->len - 1) : NULL;
}

/* A root may be a symbolic link even without follow: who names one means where it leads.  What is wrong with it is not a
 * detail of the walk but its failure. */
static gboolean
begin_walk (AexFileWalk *self, const char *root, GError **error)
{
  struct stat st;
  DIR *stream;

  if (stat (root, &st) < 0)
    {
      aex_file_set_errno (error, root, errno);
      return FALSE;
    }
  if (S_ISREG (st.st_mode))
    {
      add_file (self, root, &st);
      return TRUE;
    }
  if (!S_ISDIR (st.st_mode))
    return aex_file_check_is_regular (root, &st, error);
  stream = open_folder (root, TRUE);
  if (stream != NULL)
    return walk_stream (self, root, stream, error);
  aex_file_set_errno (error, root, errno);
  return FALSE;
}

gboolean
aex_file_walk (AexPending *job, GVariant *parameters, GCancellable *cancellable, gpointer user_data, GError **error)
{
  g_autofree char *root = aex_file_dup_path (parameters, error);
  g_auto (AexFileWalk) walk;
  gboolean ok, is_link;
  char *path;

  (void) user_data;
  walk_init (&walk, job, parameters, cancellable);
  ok = root != NULL && begin_walk (&walk, root, error);
  while (ok && (path = take_next (&walk, &is_link)) != NULL)
    {
      ok = walk_folder (&walk, path, is_link, error);
      g_free (path);
    }
  if (!ok || !send_batch (&walk, error))
    return FALSE;
  aex_pending_resolve_variant (job, g_variant_new ("(ttt)", walk.n_files, walk.n_bytes, walk.n_errors));
  return TRUE;
}
