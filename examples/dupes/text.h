/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

char *dupes_text_bytes (guint64     n_bytes);
char *dupes_text_name  (const char *name);

G_END_DECLS
