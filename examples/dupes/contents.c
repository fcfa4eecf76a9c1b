/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "contents.h"

#include "beginnings.h"

#include <string.h>

/*
 * The third sieve: the checksum of the whole content decides.
 *
 * Comparing bytes is ten times faster than hashing them, and most files that get here do have an
 * equal.  So a file of up to 4 MiB is loaded and compared with its twin, if the job has just
 * hashed that; if they are equal they share the checksum.  Larger files are hashed block by
 * block, in constant memory.
 */
#define MAX_LOADED (4 * 1024 * 1024)

/*
 * A unit of work ends when it has so many bytes, but not between twins that can be compared, or so
 * many files.
 */
#define BYTES_PER_UNIT (1024 * 1024)
#define FILES_PER_UNIT 128

static GRefString *
get_string (GChecksum *checksum)
{
  return g_ref_string_new (g_checksum_get_string (checksum));
}

static gboolean
is_comparable (const DupesFile *file,
               const DupesFile *other)
{
  return other->twin == file->twin && file->size <= MAX_LOADED;
}

/* last is the file that reader->second holds, or NULL; returns the one it holds now. */
static DupesFile *
hash_loaded (DupesReader   *reader,
             DupesFile     *file,
             DupesFile     *last,
             GChecksumType  algorithm)
{
  GByteArray *content = reader->first;

  g_byte_array_set_size (content, file->size);
  if (!dupes_reader_load (reader, file, file->size, content->data))
    return last;

  if (last != NULL && is_comparable (last, file)
      && memcmp (content->data, reader->second->data, file->size) == 0)
    {
      file->checksum = g_ref_string_acquire (last->checksum);
      return last;
    }
  else
    {
      g_autoptr (GChecksum) checksum = g_checksum_new (algorithm);

      g_checksum_update (checksum, content->data, file->size);
      file->checksum = get_string (checksum);
      reader->first = reader->second;
      reader->second = content;
      return file;
    }
}

static void
hash_blocks (DupesReader   *reader,
             DupesFile     *file,
             GChecksumType  algorithm)
{
  g_autoptr (GChecksum) checksum = g_steal_pointer (&file->state);
  guint64 offset = DUPES_BEGINNING;

  if (checksum == NULL)
    {
      checksum = g_checksum_new (algorithm);
      offset = 0;
    }
  if (dupes_reader_checksum (reader, file, offset, checksum))
    file->checksum = get_string (checksum);
}

/* The job. */
static void
hash_unit (DupesReader    *reader,
           DupesFile     **files,
           guint           n_files,
           GChecksumType   algorithm)
{
  DupesFile *last = NULL;

  for (guint i = 0; i < n_files && !dupes_reader_stopped (reader); i++)
    {
      if (files[i]->size <= MAX_LOADED && files[i]->state == NULL)
        last = hash_loaded (reader, files[i], last, algorithm);
      else
        hash_blocks (reader, files[i], algorithm);
    }
}

/*
 * Every one of files (of DupesFile) has a twin; twins are neighbours.  Afterwards checksum is set.
 */
DupesStage *
dupes_contents_new (GPtrArray     *files,
                    GChecksumType  algorithm,
                    DupesProgress *progress)
{
  DupesStage *stage = dupes_stage_new ("Hashing", files, hash_unit, algorithm, progress);
  guint64 n_bytes = 0;
  guint first = 0;

  for (guint i = 0; i < files->len; i++)
    {
      const DupesFile *file = files->pdata[i];
      const DupesFile *next = i + 1 < files->len ? files->pdata[i + 1] : NULL;
      guint n_files = i + 1 - first;

      n_bytes += file->size;
      dupes_stage_add_bytes (stage, file->size - (file->state != NULL ? DUPES_BEGINNING : 0));
      if (next == NULL || n_files >= FILES_PER_UNIT
          || (n_bytes >= BYTES_PER_UNIT && !is_comparable (file, next)))
        {
          dupes_stage_add_unit (stage, first, n_files);
          first = i + 1;
          n_bytes = 0;
        }
    }
  return stage;
}
