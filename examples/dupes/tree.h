/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* A folder that was walked.  Its files share its path and one block with all their names. */
typedef struct
{
  char *path;                  /* "" for files that were named on the command line */
  char *names;                 /* each with its NUL */
} DupesFolder;

typedef struct _DupesFile DupesFile;

/*
 * A regular file.  There may be millions, so it is a plain struct: no GObject, no GFile, no path
 * of its own. The first part is written by the walk, the second by the one job that has the file
 * at that time.
 */
struct _DupesFile
{
  const DupesFolder *folder;
  gsize              name;     /* offset in folder->names */
  guint64            size;
  guint64            device;
  guint64            inode;
  gint64             mtime;    /* nanoseconds */

  const guint8      *key;      /* its beginning, while beginnings are compared */
  GChecksum         *state;    /* of its beginning, if that was hashed already */
  const DupesFile   *twin;     /* first file of the same size and beginning, or NULL: it is alone */
  GRefString        *checksum; /* of the whole content */
  char              *problem;  /* why it could not be read */
};

/* Something that could not be read. */
typedef struct
{
  char *path;
  char *message;
} DupesProblem;

/* Everything the walk found. */
typedef struct
{
  GMutex     lock;             /* guards all fields while the walk runs, later nobody needs it */
  GArray    *files;            /* of DupesFile */
  GPtrArray *folders;          /* of DupesFolder */
  GPtrArray *problems;         /* of DupesProblem */
} DupesTree;

DupesTree *dupes_tree_new           (void);
void       dupes_tree_free          (DupesTree       *self);
void       dupes_tree_add_folder    (DupesTree       *self,
                                     const char      *path,
                                     GString         *names,
                                     GArray          *files);
void       dupes_tree_add_problem   (DupesTree       *self,
                                     const char      *path,
                                     const char      *message);
void       dupes_tree_sort_problems (DupesTree       *self);
GPtrArray *dupes_tree_list_files    (DupesTree       *self);

void       dupes_file_append_path   (const DupesFile *self,
                                     GString         *path);
char      *dupes_file_dup_path      (const DupesFile *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DupesTree, dupes_tree_free)

G_END_DECLS
