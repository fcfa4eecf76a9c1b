/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "report.h"

#include "text.h"

static void
write_group (const DupesGroup *group,
             FILE             *output)
{
  g_autofree char *wasted = dupes_text_bytes (group->wasted);
  g_autofree char *size = dupes_text_bytes (group->size);

  for (guint i = 0; i < group->paths->len; i++)
    {
      g_autofree char *name = dupes_text_name (group->paths->pdata[i]);

      if (i == 0)
        fprintf (output, "%10s %10s %7u  %s\n", wasted, size, group->paths->len, name);
      else
        fprintf (output, "%29s  %s\n", "", name);
    }
}

/* The report for people. */
void
dupes_report_table (const DupesFindings *findings,
                    FILE                *output)
{
  g_autofree char *n_bytes = dupes_text_bytes (findings->n_bytes);
  g_autofree char *n_wasted = dupes_text_bytes (findings->n_wasted);
  guint64 n_copies = 0;

  if (findings->groups->len > 0)
    fprintf (output, "%10s %10s %7s  %s\n", "WASTED", "SIZE", "COPIES", "PATH");
  for (guint i = 0; i < findings->groups->len; i++)
    {
      const DupesGroup *group = findings->groups->pdata[i];

      write_group (group, output);
      n_copies += group->paths->len - 1;
    }

  if (findings->groups->len > 0)
    fputc ('\n', output);
  fprintf (output,
           "%sLooked at %" G_GUINT64_FORMAT " files, %s, in %.2f s: %" G_GUINT64_FORMAT
           " duplicates in %u groups waste %s; %u could not be read\n",
           findings->interrupted ? "Interrupted, this is not all.  " : "",
           findings->n_files, n_bytes, findings->seconds,
           n_copies, findings->groups->len, n_wasted, findings->problems->len);
}
