/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "beginnings.h"

#include <string.h>

/*
 * The second sieve.  Files of one size are compared by their first 4 KiB; who has no twin is out.
 *
 * The bytes themselves are compared: that is faster than hashing them, and who is out now has
 * never been hashed at all. A file of up to 4 KiB is known whole by then; one checksum serves all
 * that are equal, and nothing is read again.
 *
 * So many beginnings must fit into memory, so where very many files have the same size the
 * checksums of the beginnings are compared instead.  To hash no byte twice the next stage then
 * continues with the state that the GChecksum is in; at some 300 bytes a file that is affordable
 * for these files, but it would be a waste for all.
 */
#define MAX_BEGINNINGS 1024

/*
 * A unit of work has so many files or more: large enough to make its own cost small, small enough
 * to share out.
 */
#define FILES_PER_UNIT 128

#define MAX_DIGEST 64

static gsize
beginning_of (const DupesFile *file)
{
  return MIN (file->size, DUPES_BEGINNING);
}

/* Fills key, by which the file is compared with the others of its size. */
static void
read_key (DupesReader   *reader,
          DupesFile     *file,
          GChecksumType  algorithm,
          gboolean       digest,
          guint8        *key)
{
  gsize length = beginning_of (file);

  if (!digest)
    {
      if (dupes_reader_load (reader, file, length, key))
        file->key = key;
    }
  else if (dupes_reader_load (reader, file, length, reader->block))
    {
      g_autoptr (GChecksum) copy = NULL;
      gsize digest_length = MAX_DIGEST;

      file->state = g_checksum_new (algorithm);
      g_checksum_update (file->state, reader->block, length);
      copy = g_checksum_copy (file->state);
      g_checksum_get_digest (copy, key, &digest_length);
      file->key = key;
    }
}

/* Those without a key last. */
static int
compare_keys (gconstpointer a,
              gconstpointer b,
              gpointer      user_data)
{
  const DupesFile *left = *(const DupesFile * const *) a;
  const DupesFile *right = *(const DupesFile * const *) b;

  if (left->key == NULL || right->key == NULL)
    return (left->key == NULL) - (right->key == NULL);
  return memcmp (left->key, right->key, *(gsize *) user_data);
}

/* All these files begin alike. */
static void
mark_twins (DupesFile     **files,
            guint           n_files,
            GChecksumType   algorithm)
{
  g_autofree char *checksum = NULL;
  g_autoptr (GRefString) shared = NULL;

  if (files[0]->size <= DUPES_BEGINNING)
    {
      checksum = files[0]->state != NULL
                   ? g_strdup (g_checksum_get_string (files[0]->state))
                   : g_compute_checksum_for_data (algorithm, files[0]->key, files[0]->size);
      shared = g_ref_string_new (checksum);
    }

  for (guint i = 0; i < n_files; i++)
    {
      files[i]->twin = files[0];
      if (shared != NULL)
        files[i]->checksum = g_ref_string_acquire (shared);
    }
}

/* All these files have the same size. */
static void
compare_group (DupesReader    *reader,
               DupesFile     **files,
               guint           n_files,
               GChecksumType   algorithm)
{
  gboolean digest = n_files > MAX_BEGINNINGS;
  gsize length = digest ? (gsize) g_checksum_type_get_length (algorithm) : beginning_of (files[0]);
  guint n_equal;

  g_byte_array_set_size (reader->first, MAX (1, n_files * length));
  for (guint i = 0; i < n_files && !dupes_reader_stopped (reader); i++)
    read_key (reader, files[i], algorithm, digest, reader->first->data + i * length);

  g_qsort_with_data (files, n_files, sizeof *files, compare_keys, &length);
  for (guint i = 0; i < n_files && files[i]->key != NULL; i += n_equal)
    {
      for (n_equal = 1; i + n_equal < n_files && files[i + n_equal]->key != NULL; n_equal++)
        if (memcmp (files[i]->key, files[i + n_equal]->key, length) != 0)
          break;
      if (n_equal > 1)
        mark_twins (files + i, n_equal, algorithm);
    }

  for (guint i = 0; i < n_files; i++)
    {
      files[i]->key = NULL;
      if (files[i]->twin == NULL || files[i]->checksum != NULL)
        g_clear_pointer (&files[i]->state, g_checksum_free);
    }
}

/* The job. */
static void
compare_unit (DupesReader    *reader,
              DupesFile     **files,
              guint           n_files,
              GChecksumType   algorithm)
{
  guint n_same;

  for (guint i = 0; i < n_files && !dupes_reader_stopped (reader); i += n_same)
    {
      for (n_same = 1; i + n_same < n_files && files[i + n_same]->size == files[i]->size; n_same++)
        ;
      compare_group (reader, files + i, n_same, algorithm);
    }
}

/*
 * files (of DupesFile) is sorted by size, and no size is alone.  Afterwards twin is set in those
 * that begin like another, and checksum as well if they are not longer than that.
 */
DupesStage *
dupes_beginnings_new (GPtrArray     *files,
                      GChecksumType  algorithm,
                      DupesProgress *progress)
{
  DupesStage *stage = dupes_stage_new ("Comparing", files, compare_unit, algorithm, progress);
  guint first = 0;

  for (guint i = 0; i < files->len; i++)
    {
      const DupesFile *file = files->pdata[i];
      const DupesFile *next = i + 1 < files->len ? files->pdata[i + 1] : NULL;

      /* All files of one size belong to one unit. */
      if (next == NULL || (next->size != file->size && i + 1 - first >= FILES_PER_UNIT))
        {
          dupes_stage_add_unit (stage, first, i + 1 - first);
          first = i + 1;
        }
      dupes_stage_add_bytes (stage, beginning_of (file));
    }
  return stage;
}
