/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "aex-growth.h"

#include <stdio.h>
#include <unistd.h>

/* Less than one forgotten object per item. */
#define MAX_GROWTH_KIB 256

#define LOOK_EVERY 64

long
aex_growth_resident_kib (void)
{
  g_autofree char *text = NULL;
  long size, resident;

  g_assert_true (g_file_get_contents ("/proc/self/statm", &text, NULL, NULL));
  g_assert_cmpint (sscanf (text, "%ld %ld", &size, &resident), ==, 2);
  return resident * (sysconf (_SC_PAGESIZE) / 1024);
}

static double
seconds_of_tier (void)
{
  const char *tier = g_getenv ("AEX_TEST_TIER");
  double seconds = 1;

  if (g_strcmp0 (tier, "nightly") == 0)
    seconds = 60;
  else if (g_strcmp0 (tier, "full") == 0)
    seconds = 10;
  return aex_test_is_sanitized () ? MIN (seconds, 2) : seconds;
}

void
aex_growth_begin (AexGrowth  *self,
                  const char *name)
{
  gint64 length_us = (gint64) (seconds_of_tier () * G_USEC_PER_SEC);

  *self = (AexGrowth) { .name = name, .begin_us = g_get_monotonic_time () };
  self->next_us = self->begin_us;
  self->end_us = self->begin_us + length_us;
}

gboolean
aex_growth_goes_on (AexGrowth *self)
{
  gint64 now;

  if (self->n++ % LOOK_EVERY != 0)
    return TRUE;
  now = g_get_monotonic_time ();
  if (now >= self->next_us && self->n_samples < AEX_GROWTH_SAMPLES)
    {
      self->seconds[self->n_samples] = (double) (now - self->begin_us) / G_USEC_PER_SEC;
      self->kib[self->n_samples++] = (double) aex_growth_resident_kib ();
      self->next_us = now + (self->end_us - self->begin_us) / (AEX_GROWTH_SAMPLES - 1);
    }
  return now < self->end_us;
}

/* KiB per second, by least squares. */
static double
slope (AexGrowth *self,
       guint      first)
{
  double n = self->n_samples - first, mean_x = 0, mean_y = 0, xy = 0, xx = 0;

  for (guint i = first; i < self->n_samples; i++)
    {
      mean_x += self->seconds[i] / n;
      mean_y += self->kib[i] / n;
    }
  for (guint i = first; i < self->n_samples; i++)
    {
      xy += (self->seconds[i] - mean_x) * (self->kib[i] - mean_y);
      xx += (self->seconds[i] - mean_x) * (self->seconds[i] - mean_x);
    }
  return xx > 0 ? xy / xx : 0;
}

void
aex_growth_end (AexGrowth  *self,
                const char *format,
                ...)
{
  guint first = self->n_samples / 4, last = self->n_samples - 1;
  g_autofree char *more = NULL;
  double per_second, growth;
  va_list arguments;

  va_start (arguments, format);
  more = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_assert_cmpuint (self->n_samples, >=, 8);
  per_second = slope (self, first);
  growth = per_second * (self->seconds[last] - self->seconds[first]);
  g_test_message ("figure: bounded-%s seconds=%.1f resident_kib=%.0f growth_kib=%ld %s", self->name,
                  self->seconds[last], self->kib[last], (long) growth, more);
  /* A sanitizer keeps what was freed. */
  if (!aex_test_is_sanitized ())
    g_assert_cmpfloat (growth, <=, MAX_GROWTH_KIB);
}
