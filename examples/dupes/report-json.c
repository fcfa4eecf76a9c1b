/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "report.h"

#include <string.h>

/*
 * The report for programs.
 *
 * JSON is text and file names are bytes.  A name that is not UTF-8 is written with the convention
 * of Python (PEP 383, "surrogateescape"): a byte 0x80 to 0xff that is not part of a valid
 * character becomes the lone surrogate \udc80 to \udcff.  After json.loads() os.fsencode() gives
 * the bytes back.  JSON-GLib refuses to write those, which is why this file has a writer of its
 * own; it needs no more than strings and numbers.
 */

static void
write_string (const char *string,
              FILE       *output)
{
  const char *at = string;

  fputc ('"', output);
  while (*at != '\0')
    {
      gunichar c = g_utf8_get_char_validated (at, -1);
      guchar byte = *at;

      if (c == (gunichar) -1 || c == (gunichar) -2)
        fprintf (output, "\\udc%02x", byte);
      else if (c == '"' || c == '\\')
        fprintf (output, "\\%c", byte);
      else if (c == '\n')
        fputs ("\\n", output);
      else if (c < 0x20 || c == 0x7f)
        fprintf (output, "\\u%04x", byte);
      else
        {
          const char *next = g_utf8_next_char (at);

          fwrite (at, 1, next - at, output);
          at = next;
          continue;
        }
      at++;
    }
  fputc ('"', output);
}

static void
write_group (const DupesGroup *group,
             FILE             *output)
{
  fprintf (output, "{\"size\": %" G_GUINT64_FORMAT ", \"checksum\": ", group->size);
  write_string (group->checksum, output);
  fputs (", \"paths\": [", output);
  for (guint i = 0; i < group->paths->len; i++)
    {
      if (i > 0)
        fputs (", ", output);
      write_string (group->paths->pdata[i], output);
    }
  fputs ("]}", output);
}

static void
write_problem (const DupesProblem *problem,
               FILE               *output)
{
  fputs ("{\"path\": ", output);
  write_string (problem->path, output);
  fputs (", \"error\": ", output);
  write_string (problem->message, output);
  fputc ('}', output);
}

void
dupes_report_json (const DupesFindings *findings,
                   FILE                *output)
{
  char seconds[G_ASCII_DTOSTR_BUF_SIZE];

  fputs ("{\"groups\": [", output);
  for (guint i = 0; i < findings->groups->len; i++)
    {
      fputs (i > 0 ? ",\n  " : "\n  ", output);
      write_group (findings->groups->pdata[i], output);
    }
  fprintf (output,
           "],\n \"files\": %" G_GUINT64_FORMAT ",\n \"bytes\": %" G_GUINT64_FORMAT
           ",\n \"wasted\": %" G_GUINT64_FORMAT ",\n \"unreadable\": [",
           findings->n_files, findings->n_bytes, findings->n_wasted);
  for (guint i = 0; i < findings->problems->len; i++)
    {
      fputs (i > 0 ? ",\n  " : "\n  ", output);
      write_problem (findings->problems->pdata[i], output);
    }
  fprintf (output, "],\n \"interrupted\": %s,\n \"seconds\": %s}\n",
           findings->interrupted ? "true" : "false",
           g_ascii_formatd (seconds, sizeof seconds, "%.3f", findings->seconds));
}
