/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/aex-i18n-private.h"

#include <libintl.h>

static void
bind_once (void)
{
  static gsize once;

  if (g_once_init_enter (&once))
    {
#ifdef AEX_LOCALEDIR
      bindtextdomain (GETTEXT_PACKAGE, AEX_LOCALEDIR);
      bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
#endif
      g_once_init_leave (&once, 1);
    }
}

const char *
aex_gettext (const char *text)
{
  bind_once ();
  return g_dgettext (GETTEXT_PACKAGE, text);
}

const char *
aex_ngettext (const char *one, const char *many, gulong n)
{
  bind_once ();
  return g_dngettext (GETTEXT_PACKAGE, one, many, n);
}
