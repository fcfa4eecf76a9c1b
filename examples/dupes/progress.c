/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "progress.h"

#include "text.h"

#include <stdatomic.h>
#include <stdio.h>

/*
 * The progress bar.  Workers only add to counters; a timer on the main loop looks at them ten
 * times a second and draws. So a million files cost a million additions and not a million
 * redraws, and nothing is drawn off the main thread.
 */

#define DRAW_INTERVAL_MS 100
#define BAR_WIDTH 24

struct _DupesProgress
{
  gboolean              visible;
  guint                 timer;
  guint                 drawn;     /* columns on the screen now */
  const char           *title;     /* NULL: nothing is going on */
  gint64                started;   /* monotonic time */
  guint64               n_total;   /* bytes; 0: not known */

  atomic_uint_least64_t n_files;
  atomic_uint_least64_t n_bytes;
};

static void
draw (DupesProgress *self,
      const char    *text)
{
  guint length = g_utf8_strlen (text, -1);

  fprintf (stderr, "\r%s%*s", text, self->drawn > length ? (int) (self->drawn - length) : 0, "");
  if (*text == '\0')
    fputc ('\r', stderr);
  fflush (stderr);
  self->drawn = length;
}

static void
append_bar (GString *line,
            double   fraction)
{
  guint n_full = fraction * BAR_WIDTH;

  g_string_append_c (line, '[');
  for (guint i = 0; i < BAR_WIDTH; i++)
    g_string_append_c (line, i < n_full ? '#' : '.');
  g_string_append_printf (line, "] %3.0f %%", fraction * 100);
}

static gboolean
on_timer (gpointer user_data)
{
  DupesProgress *self = user_data;
  guint64 n_files = atomic_load_explicit (&self->n_files, memory_order_relaxed);
  guint64 n_bytes = atomic_load_explicit (&self->n_bytes, memory_order_relaxed);
  double seconds = (g_get_monotonic_time () - self->started) / (double) G_USEC_PER_SEC;
  g_autofree char *amount = dupes_text_bytes (n_bytes);
  g_autoptr (GString) line = g_string_new (NULL);

  g_string_append_printf (line, "%-10s ", self->title);
  if (self->n_total == 0)
    {
      g_string_append_printf (line, "%" G_GUINT64_FORMAT " files, %s, %.0f files/s",
                              n_files, amount, n_files / MAX (seconds, 1e-3));
    }
  else
    {
      double fraction = MIN (1.0, n_bytes / (double) self->n_total);
      g_autofree char *rate = dupes_text_bytes (n_bytes / MAX (seconds, 1e-3));

      append_bar (line, fraction);
      g_string_append_printf (line, "  %s/s", rate);
      if (n_bytes > 0)
        {
          guint left = seconds * (1.0 - fraction) / MAX (fraction, 1e-6);

          g_string_append_printf (line, "  %u:%02u left", left / 60, left % 60);
        }
    }
  draw (self, line->str);
  return G_SOURCE_CONTINUE;
}

DupesProgress *
dupes_progress_new (gboolean visible)
{
  DupesProgress *self = g_new0 (DupesProgress, 1);

  self->visible = visible;
  return self;
}

void
dupes_progress_free (DupesProgress *self)
{
  dupes_progress_end (self);
  g_free (self);
}

/*
 * A new stage begins; title must be a literal.  Nobody may be counting for the last one any more.
 */
void
dupes_progress_begin (DupesProgress *self,
                      const char    *title,
                      guint64        n_bytes)
{
  self->title = title;
  self->started = g_get_monotonic_time ();
  self->n_total = n_bytes;
  atomic_store (&self->n_files, 0);
  atomic_store (&self->n_bytes, 0);
  if (self->visible)
    on_timer (self);
  if (self->visible && self->timer == 0)
    self->timer = g_timeout_add (DRAW_INTERVAL_MS, on_timer, self);
}

void
dupes_progress_end (DupesProgress *self)
{
  g_clear_handle_id (&self->timer, g_source_remove);
  if (self->drawn > 0)
    draw (self, "");
}

/* One line on standard error about something that could not be read, not into the bar. */
void
dupes_progress_error (DupesProgress *self,
                      const char    *path,
                      const char    *message)
{
  g_autofree char *name = dupes_text_name (path);

  if (self->drawn > 0)
    draw (self, "");
  fprintf (stderr, "dupes: %s: %s\n", name, message);
}

void
dupes_progress_found (DupesProgress *self,
                      guint64        n_files,
                      guint64        n_bytes)
{
  atomic_fetch_add_explicit (&self->n_files, n_files, memory_order_relaxed);
  atomic_fetch_add_explicit (&self->n_bytes, n_bytes, memory_order_relaxed);
}

void
dupes_progress_read (DupesProgress *self,
                     guint64        n_bytes)
{
  atomic_fetch_add_explicit (&self->n_bytes, n_bytes, memory_order_relaxed);
}
