/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "lib/aex-test.h"
#include "lib/aex-jobs.h"

#include <string.h>

G_BEGIN_DECLS

/* A folder for the files of one test, and a pool to call operations on. */
typedef struct
{
  char        *folder;
  AexExecutor *pool;
} AexFileTest;

AexFileTest aex_file_test_begin     (void);
void        aex_file_test_end       (AexFileTest *self);
/* The path of the new file. */
char       *aex_file_test_write     (AexFileTest *self, const char *name, const char *bytes, gsize n);
gint64      aex_file_test_get_mtime (const char *path);
/* more: a dictionary of further parameters, as for g_variant_new_parsed(), or NULL. */
AexPending *aex_file_test_call      (AexFileTest *self, const char *operation, const char *path, const char *more, ...);
AexPending *aex_file_test_call_full (AexFileTest *self, AexSubmitOptions *options, const char *operation, const char *path, const char *more, ...);
/* Standard output of a program that succeeds. */
char       *aex_file_test_run       (AexFileTest *self, const char *program, ...) G_GNUC_NULL_TERMINATED;
/* The names in the folder, sorted, joined by blanks. */
char       *aex_file_test_list      (AexFileTest *self);

void        aex_assert_call_gives_string (AexPending *call, const char *expected);
void        aex_assert_call_fails        (AexPending *call, GQuark domain, int code, const char *part);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (AexFileTest, aex_file_test_end)

G_END_DECLS
