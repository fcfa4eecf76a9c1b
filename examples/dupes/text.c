/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "text.h"

/* "317 B", "1.2 kB", "48.0 MB": always one space, so that columns line up. */
char *
dupes_text_bytes (guint64 n_bytes)
{
  static const char * const units[] = { "kB", "MB", "GB", "TB", "PB", "EB" };
  double amount = n_bytes / 1000.0;
  guint unit = 0;

  if (n_bytes < 1000)
    return g_strdup_printf ("%" G_GUINT64_FORMAT " B", n_bytes);

  while (amount >= 999.95 && unit + 1 < G_N_ELEMENTS (units))
    {
      amount /= 1000.0;
      unit++;
    }
  return g_strdup_printf ("%.1f %s", amount, units[unit]);
}

/*
 * A file name as it is shown to a person.  A name is any bytes but NUL and slash: a newline would
 * break the table, an escape sequence would reach the terminal and a lone byte above 127 is not
 * text.  Those are written as \xHH, and the backslash as two, so that nothing is ambiguous.
 * Programs read the JSON report instead.
 */
char *
dupes_text_name (const char *name)
{
  GString *text = g_string_new (NULL);
  const char *at = name;

  while (*at != '\0')
    {
      gunichar c = g_utf8_get_char_validated (at, -1);

      if (c == (gunichar) -1 || c == (gunichar) -2)
        g_string_append_printf (text, "\\x%02x", (guchar) *at++);
      else
        {
          const char *next = g_utf8_next_char (at);

          if (c == '\\')
            g_string_append (text, "\\\\");
          else if (g_unichar_iscntrl (c))
            for (; at < next; at++)
              g_string_append_printf (text, "\\x%02x", (guchar) *at);
          else
            g_string_append_len (text, at, next - at);
          at = next;
        }
    }
  return g_string_free (text, FALSE);
}
