/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "lib/aex-test.h"

G_BEGIN_DECLS

/* Does memory grow with the count?  Something is done for so many seconds, longer in the larger tiers, and the process is
 * looked at now and then.  The first quarter is the warm-up; a line through the rest says how it grows.
 *
 * while (aex_growth_goes_on (&growth))
 *   ... one more ...
 * aex_growth_end (&growth); */

#define AEX_GROWTH_SAMPLES 256

typedef struct
{
  const char *name;
  gint64      begin_us, next_us, end_us;
  guint64     n;                /* how often it was asked */
  guint       n_samples;
  double      seconds[AEX_GROWTH_SAMPLES];
  double      kib[AEX_GROWTH_SAMPLES];
} AexGrowth;

void     aex_growth_begin  (AexGrowth *self, const char *name);
gboolean aex_growth_goes_on (AexGrowth *self);
/* Asserts, and prints the figure with what else there is to say. */
void     aex_growth_end    (AexGrowth *self, const char *format, ...) G_GNUC_PRINTF (2, 3);
long     aex_growth_resident_kib (void);

G_END_DECLS
