/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Binds the text domain at the first message: nothing happens at load time. */
const char *aex_gettext (const char *text) G_GNUC_FORMAT (1);
const char *aex_ngettext (const char *one, const char *many, gulong n) G_GNUC_FORMAT (1) G_GNUC_FORMAT (2);

#define _(text)  aex_gettext (text)
#define N_(text) (text)

G_END_DECLS
