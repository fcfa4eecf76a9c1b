/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "findings.h"

#include <string.h>

static void
group_free (gpointer data)
{
  DupesGroup *group = data;

  g_ref_string_release (group->checksum);
  g_ptr_array_unref (group->paths);
  g_free (group);
}

static int
compare_contents (gconstpointer a,
                  gconstpointer b)
{
  const DupesFile *left = *(const DupesFile * const *) a;
  const DupesFile *right = *(const DupesFile * const *) b;

  if (left->size != right->size)
    return left->size > right->size ? -1 : 1;
  return strcmp (left->checksum, right->checksum);
}

static int
compare_paths (gconstpointer a,
               gconstpointer b)
{
  return strcmp (*(const char * const *) a, *(const char * const *) b);
}

static int
compare_groups (gconstpointer a,
                gconstpointer b)
{
  const DupesGroup *left = *(const DupesGroup * const *) a;
  const DupesGroup *right = *(const DupesGroup * const *) b;

  if (left->wasted != right->wasted)
    return left->wasted > right->wasted ? -1 : 1;
  return strcmp (left->paths->pdata[0], right->paths->pdata[0]);
}

static void
add_group (DupesFindings    *self,
           DupesFile       **files,
           guint             n_files)
{
  DupesGroup *group = g_new (DupesGroup, 1);

  group->size = files[0]->size;
  group->wasted = group->size * (n_files - 1);
  group->checksum = g_ref_string_acquire (files[0]->checksum);
  group->paths = g_ptr_array_new_full (n_files, g_free);
  for (guint i = 0; i < n_files; i++)
    g_ptr_array_add (group->paths, dupes_file_dup_path (files[i]));
  g_ptr_array_sort (group->paths, compare_paths);

  g_ptr_array_add (self->groups, group);
  self->n_wasted += group->wasted;
}

/*
 * Draws the conclusion from files (of DupesFile), all that the walk found.  The checksums decide:
 * files of one size and checksum are a group.  With a broken algorithm (md5, sha1) somebody may
 * have made different files that look equal.
 */
void
dupes_findings_init (DupesFindings *self,
                     DupesTree     *tree,
                     GPtrArray     *files)
{
  g_autoptr (GPtrArray) hashed = g_ptr_array_new ();
  guint n_equal;

  *self = (DupesFindings) { 0 };
  self->groups = g_ptr_array_new_with_free_func (group_free);
  dupes_tree_sort_problems (tree);
  self->problems = g_ptr_array_ref (tree->problems);
  self->n_files = files->len;
  for (guint i = 0; i < files->len; i++)
    {
      const DupesFile *file = files->pdata[i];

      self->n_bytes += file->size;
      if (file->checksum != NULL)
        g_ptr_array_add (hashed, files->pdata[i]);
    }

  g_ptr_array_sort (hashed, compare_contents);
  for (guint i = 0; i < hashed->len; i += n_equal)
    {
      for (n_equal = 1; i + n_equal < hashed->len; n_equal++)
        if (compare_contents (&hashed->pdata[i], &hashed->pdata[i + n_equal]) != 0)
          break;
      if (n_equal > 1)
        add_group (self, (DupesFile **) hashed->pdata + i, n_equal);
    }

  g_ptr_array_sort (self->groups, compare_groups);
}

void
dupes_findings_clear (DupesFindings *self)
{
  g_clear_pointer (&self->groups, g_ptr_array_unref);
  g_clear_pointer (&self->problems, g_ptr_array_unref);
}
