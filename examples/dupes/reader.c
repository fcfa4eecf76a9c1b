/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "reader.h"

#include "interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHANGED "Changed while it was being read"

static void
reader_free (gpointer data)
{
  DupesReader *self = data;

  g_string_free (self->path, TRUE);
  g_free (self->block);
  g_byte_array_unref (self->first);
  g_byte_array_unref (self->second);
  g_free (self);
}

/* The reader of this thread; it is freed when the thread ends. */
DupesReader *
dupes_reader_get (DupesProgress *progress,
                  GCancellable  *cancellable)
{
  static GPrivate key = G_PRIVATE_INIT (reader_free);
  DupesReader *self = g_private_get (&key);

  if (self == NULL)
    {
      self = g_new0 (DupesReader, 1);
      self->path = g_string_new (NULL);
      self->block = g_malloc (DUPES_BLOCK_SIZE);
      self->first = g_byte_array_new ();
      self->second = g_byte_array_new ();
      g_private_set (&key, self);
    }
  self->progress = progress;
  self->cancellable = cancellable;
  return self;
}

/* TRUE: open no other file and read no other block. */
gboolean
dupes_reader_stopped (DupesReader *self)
{
  return dupes_interrupted () || g_cancellable_is_cancelled (self->cancellable);
}

static int
open_file (DupesReader *self,
           DupesFile   *file)
{
  int fd;

  g_string_truncate (self->path, 0);
  dupes_file_append_path (file, self->path);

  /* O_NONBLOCK: should a FIFO have taken the place of the file, nobody waits for its writer. */
  fd = open (self->path->str, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (fd < 0)
    file->problem = g_strdup (g_strerror (errno));
  return fd;
}

static gboolean
fail (DupesFile  *file,
      const char *message)
{
  file->problem = g_strdup (message);
  return FALSE;
}

/* Reads exactly n_bytes. */
static gboolean
read_block (DupesReader *self,
            int          fd,
            guint8      *buffer,
            gsize        n_bytes,
            DupesFile   *file)
{
  gsize n_read = 0;

  while (n_read < n_bytes)
    {
      gssize n = read (fd, buffer + n_read, n_bytes - n_read);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return fail (file, g_strerror (errno));
      if (n == 0)
        return fail (file, CHANGED);   /* shorter than it was */
      n_read += n;
    }
  dupes_progress_read (self->progress, n_bytes);
  return TRUE;
}

/*
 * The file as the walk saw it is "before", this is "after": all stages have worked on one and the
 * same content, or the file is reported and left out.
 */
static gboolean
check_unchanged (int        fd,
                 DupesFile *file)
{
  struct stat st;

  if (fstat (fd, &st) < 0)
    return fail (file, g_strerror (errno));

  if ((guint64) st.st_size == file->size
      && st.st_mtim.tv_sec * G_GINT64_CONSTANT (1000000000) + st.st_mtim.tv_nsec == file->mtime
      && st.st_ino == file->inode && st.st_dev == file->device)
    return TRUE;

  return fail (file, CHANGED);
}

/*
 * Reads from offset to end, block by block, either all into buffer or one block after the other
 * into checksum. FALSE: stopped, or file->problem tells.
 */
static gboolean
read_range (DupesReader *self,
            DupesFile   *file,
            guint64      offset,
            guint64      end,
            guint8      *buffer,
            GChecksum   *checksum)
{
  gboolean complete;
  int fd;

  if (dupes_reader_stopped (self))
    return FALSE;

  fd = open_file (self, file);
  if (fd < 0)
    return FALSE;

  complete = offset == 0 || lseek (fd, offset, SEEK_SET) >= 0 || fail (file, g_strerror (errno));
  while (complete && offset < end)
    {
      gsize n_bytes = MIN (end - offset, DUPES_BLOCK_SIZE);
      guint8 *block = buffer != NULL ? buffer + offset : self->block;

      complete = !dupes_reader_stopped (self) && read_block (self, fd, block, n_bytes, file);
      if (complete && checksum != NULL)
        g_checksum_update (checksum, block, n_bytes);
      offset += n_bytes;
    }

  complete = complete && check_unchanged (fd, file);
  close (fd);
  return complete;
}

/*
 * Reads the first n_bytes (at most the size) of file into buffer.  FALSE: stopped, or
 * file->problem tells.
 */
gboolean
dupes_reader_load (DupesReader *self,
                   DupesFile   *file,
                   gsize        n_bytes,
                   guint8      *buffer)
{
  return read_range (self, file, 0, n_bytes, buffer, NULL);
}

/*
 * Feeds file from offset to its end into checksum, in blocks.  FALSE: stopped, or file->problem
 * tells.
 */
gboolean
dupes_reader_checksum (DupesReader *self,
                       DupesFile   *file,
                       guint64      offset,
                       GChecksum   *checksum)
{
  return read_range (self, file, offset, file->size, NULL, checksum);
}
