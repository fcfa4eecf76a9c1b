/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The operation file-save; see doc/operations.md.
 *
 * The bytes go to a new file in the same folder, which takes the name of the old one when it is complete and on the disk:
 * who reads sees either the old file or the new one. */
#include "executor/aex-file-private.h"
#include "executor/aex-operation-private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "aex-error.h"
#include "base/aex-i18n-private.h"

#define MODE_BITS 07777
#define NAME_TRIES 100

typedef struct {
  char *path;               /* as given */
  char *name;               /* the last part of where it leads */
  int folder;               /* fd */
  struct stat old;
  gboolean exists;
  gboolean has_mode;
  guint32 mode;
  char temporary[32];       /* its name, empty when there is none */
  int fd;
} AexFileWriter;

static void
writer_clear (AexFileWriter *self)
{
  if (self->fd >= 0)
    close (self->fd);
  if (self->temporary[0] != '\0')
    unlinkat (self->folder, self->temporary, 0);
  if (self->folder >= 0)
    close (self->folder);
  g_free (self->name);
  g_free (self->path);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (AexFileWriter, writer_clear)

static gboolean
fail (AexFileWriter *self, GError **error)
{
  aex_file_set_errno (error, self->path, errno);
  return FALSE;
}

/* A symbolic link stays, and where it leads is replaced. */
static char *
dup_target (AexFileWriter *self, GError **error)
{
  struct stat st;
  char *real, *target;

  if (g_str_has_suffix (self->path, "/"))
    {
      errno = EISDIR;
      fail (self, error);
      return NULL;
    }
  if (lstat (self->path, &st) < 0 || !S_ISLNK (st.st_mode))
    return g_strdup (self->path);
  real = realpath (self->path, NULL);
  if (real == NULL)
    fail (self, error);
  target = g_strdup (real);
  free (real);
  return target;
}

static gboolean
open_folder (AexFileWriter *self, GError **error)
{
  g_autofree char *target = dup_target (self, error);
  g_autofree char *folder = NULL;

  if (target == NULL)
    return FALSE;
  folder = g_path_get_dirname (target);
  self->name = g_path_get_basename (target);
  self->folder = open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (self->folder < 0)
    return fail (self, error);
  self->exists = fstatat (self->folder, self->name, &self->old, AT_SYMLINK_NOFOLLOW) == 0;
  if (!self->exists && errno != ENOENT)
    return fail (self, error);
  return !self->exists || aex_file_check_is_regular (self->path, &self->old, error);
}

static gboolean
create_temporary (AexFileWriter *self, GError **error)
{
  /* What is to be less open than a new file must not be open for a moment. */
  mode_t mode = self->exists || self->has_mode ? 0600 : 0666;

  for (int i = 0; i < NAME_TRIES; i++)
    {
      char name[sizeof self->temporary];

      g_snprintf (name, sizeof name, ".aex-%08x%08x", g_random_int (), g_random_int ());
      self->fd = openat (self->folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
      if (self->fd >= 0)
        {
          memcpy (self->temporary, name, sizeof name);
          return TRUE;
        }
      if (errno != EEXIST && errno != EINTR)
        break;
    }
  return fail (self, error);
}

/* The owner first, for changing it takes bits of the mode away. */
static gboolean
set_owner_and_mode (AexFileWriter *self, GError **error)
{
  guint32 mode = self->has_mode ? self->mode : self->old.st_mode & MODE_BITS;
  struct stat st;

  if (!self->exists && !self->has_mode)
    return TRUE;
  if (self->exists && fstat (self->fd, &st) == 0 && (st.st_uid != self->old.st_uid || st.st_gid != self->old.st_gid)
      && fchown (self->fd, self->old.st_uid, self->old.st_gid) < 0 && !self->has_mode)
    mode &= 0777;   /* not ours to give: nobody is to run it as us */
  return fchmod (self->fd, mode) == 0 || fail (self, error);
}

static gboolean
write_all (AexFileWriter *self, AexPending *job, const char *data, gsize size, GCancellable *cancellable, GError **error)
{
  gsize done = 0;

  while (done < size)
    {
      gssize n;

      if (!aex_file_go_on (cancellable, error))
        return FALSE;
      n = write (self->fd, data + done, MIN (size - done, AEX_FILE_BLOCK));
      if (n < 0 && errno != EINTR)
        return fail (self, error);
      done += n > 0 ? (gsize) n : 0;
      aex_file_report (job, done, size);
    }
  return TRUE;
}

/* From here on there is no way back. */
static gboolean
commit (AexFileWriter *self, GCancellable *cancellable, GError **error)
{
  int fd;

  if (fsync (self->fd) < 0)
    return fail (self, error);
  fd = self->fd;
  self->fd = -1;
  if (close (fd) < 0)
    return fail (self, error);
  if (!aex_file_go_on (cancellable, error))
    return FALSE;
  if (renameat (self->folder, self->temporary, self->folder, self->name) < 0)
    return fail (self, error);
  self->temporary[0] = '\0';
  /* The new name is safe once the folder is; where a file system cannot do that, it has done what it can. */
  (void) fsync (self->folder);
  return TRUE;
}

static gboolean
read_parameters (AexFileWriter *self, GVariant *parameters, GError **error)
{
  self->has_mode = g_variant_lookup (parameters, "mode", "u", &self->mode);
  if (self->has_mode && self->mode > MODE_BITS)
    {
      g_set_error (error, AEX_ERROR, AEX_ERROR_INVALID_ARGUMENT, _("The mode 0%o has more than permission bits"), self->mode);
      return FALSE;
    }
  self->path = aex_file_dup_path (parameters, error);
  return self->path != NULL;
}

gboolean
aex_file_save (AexPending *job, GVariant *parameters, GCancellable *cancellable, gpointer user_data, GError **error)
{
  g_auto (AexFileWriter) writer = { .fd = -1, .folder = -1 };
  g_autoptr (GVariant) bytes = g_variant_lookup_value (parameters, "data", G_VARIANT_TYPE_BYTESTRING);
  gsize size = 0;
  const char *data = g_variant_get_fixed_array (bytes, &size, 1);

  (void) user_data;
  if (!read_parameters (&writer, parameters, error) || !open_folder (&writer, error)
      || !create_temporary (&writer, error) || !write_all (&writer, job, data, size, cancellable, error)
      || !set_owner_and_mode (&writer, error) || !commit (&writer, cancellable, error))
    return FALSE;
  aex_pending_resolve_variant (job, g_variant_new_uint64 (size));
  return TRUE;
}
