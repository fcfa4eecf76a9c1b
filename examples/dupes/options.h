/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What the command line asked for. */
typedef struct
{
  guint         n_jobs;      /* 0: as many as the process may use CPUs */
  guint64       min_size;
  GChecksumType algorithm;
  gboolean      json;
  gboolean      progress;
  gboolean      follow;
  GStrv         roots;       /* raw file names, without trailing slashes */
} DupesOptions;

gboolean dupes_options_parse (DupesOptions  *options,
                              int           *argc,
                              char        ***argv,
                              GError       **error);
void     dupes_options_clear (DupesOptions  *options);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (DupesOptions, dupes_options_clear)

G_END_DECLS
