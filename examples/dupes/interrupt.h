/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef void (*DupesInterruptFunc) (gpointer user_data);

gboolean dupes_interrupt_install (DupesInterruptFunc   func,
                                  gpointer             user_data,
                                  GError             **error);
gboolean dupes_interrupted       (void);

G_END_DECLS
