/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tree.h"

static void
folder_free (gpointer data)
{
  DupesFolder *folder = data;

  g_free (folder->path);
  g_free (folder->names);
  g_free (folder);
}

static void
problem_free (gpointer data)
{
  DupesProblem *problem = data;

  g_free (problem->path);
  g_free (problem->message);
  g_free (problem);
}

static void
file_clear (gpointer data)
{
  DupesFile *file = data;

  g_clear_pointer (&file->state, g_checksum_free);
  g_clear_pointer (&file->checksum, g_ref_string_release);
  g_clear_pointer (&file->problem, g_free);
}

DupesTree *
dupes_tree_new (void)
{
  DupesTree *self = g_new0 (DupesTree, 1);

  g_mutex_init (&self->lock);
  self->files = g_array_new (FALSE, FALSE, sizeof (DupesFile));
  g_array_set_clear_func (self->files, file_clear);
  self->folders = g_ptr_array_new_with_free_func (folder_free);
  self->problems = g_ptr_array_new_with_free_func (problem_free);
  return self;
}

void
dupes_tree_free (DupesTree *self)
{
  g_array_unref (self->files);
  g_ptr_array_unref (self->folders);
  g_ptr_array_unref (self->problems);
  g_mutex_clear (&self->lock);
  g_free (self);
}

/*
 * Any thread: adds a walked folder in one go.  names is consumed; files (of DupesFile) is copied.
 */
void
dupes_tree_add_folder (DupesTree  *self,
                       const char *path,
                       GString    *names,
                       GArray     *files)
{
  DupesFolder *folder = g_new (DupesFolder, 1);

  folder->path = g_strdup (path);
  folder->names = g_string_free (names, FALSE);
  for (guint i = 0; i < files->len; i++)
    g_array_index (files, DupesFile, i).folder = folder;

  g_mutex_lock (&self->lock);
  g_ptr_array_add (self->folders, folder);
  g_array_append_vals (self->files, files->data, files->len);
  g_mutex_unlock (&self->lock);
}

/* Any thread. */
void
dupes_tree_add_problem (DupesTree  *self,
                        const char *path,
                        const char *message)
{
  DupesProblem *problem = g_new (DupesProblem, 1);

  problem->path = g_strdup (path);
  problem->message = g_strdup (message);
  g_mutex_lock (&self->lock);
  g_ptr_array_add (self->problems, problem);
  g_mutex_unlock (&self->lock);
}

static int
compare_problems (gconstpointer a,
                  gconstpointer b)
{
  const DupesProblem *left = *(const DupesProblem * const *) a;
  const DupesProblem *right = *(const DupesProblem * const *) b;

  return strcmp (left->path, right->path);
}

/* By path, and each path once: a folder may have been met on two ways. */
void
dupes_tree_sort_problems (DupesTree *self)
{
  g_ptr_array_sort (self->problems, compare_problems);
  for (guint i = self->problems->len; i > 1; i--)
    if (compare_problems (&self->problems->pdata[i - 2], &self->problems->pdata[i - 1]) == 0)
      g_ptr_array_remove_index (self->problems, i - 1);
}

static int
compare_for_listing (gconstpointer a,
                     gconstpointer b)
{
  const DupesFile *left = *(const DupesFile * const *) a;
  const DupesFile *right = *(const DupesFile * const *) b;
  g_autofree char *left_path = NULL;
  g_autofree char *right_path = NULL;

  if (left->size != right->size)
    return left->size > right->size ? -1 : 1;
  if (left->device != right->device)
    return left->device < right->device ? -1 : 1;
  if (left->inode != right->inode)
    return left->inode < right->inode ? -1 : 1;

  left_path = dupes_file_dup_path (left);
  right_path = dupes_file_dup_path (right);
  return strcmp (left_path, right_path);
}

/*
 * All files, each once: hard links, and files that were reached through two roots, are one file,
 * known by the path that sorts first.  The largest come first; files of one size are neighbours.
 * No file may be added afterwards.
 */
GPtrArray *
dupes_tree_list_files (DupesTree *self)
{
  GPtrArray *list = g_ptr_array_sized_new (self->files->len);
  guint n_kept = 0;

  for (guint i = 0; i < self->files->len; i++)
    g_ptr_array_add (list, &g_array_index (self->files, DupesFile, i));
  g_ptr_array_sort (list, compare_for_listing);

  for (guint i = 0; i < list->len; i++)
    {
      const DupesFile *file = list->pdata[i];
      const DupesFile *last = n_kept > 0 ? list->pdata[n_kept - 1] : NULL;

      if (last == NULL || last->inode != file->inode || last->device != file->device)
        list->pdata[n_kept++] = list->pdata[i];
    }
  g_ptr_array_set_size (list, n_kept);
  return list;
}

void
dupes_file_append_path (const DupesFile *self,
                        GString         *path)
{
  const char *folder = self->folder->path;

  if (*folder != '\0')
    {
      g_string_append (path, folder);
      if (path->str[path->len - 1] != '/')
        g_string_append_c (path, '/');
    }
  g_string_append (path, self->folder->names + self->name);
}

char *
dupes_file_dup_path (const DupesFile *self)
{
  GString *path = g_string_new (NULL);

  dupes_file_append_path (self, path);
  return g_string_free (path, FALSE);
}
