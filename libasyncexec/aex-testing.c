/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "aex-testing.h"

#include "base/aex-clock-private.h"
#include "base/aex-timer-service-private.h"

/**
 * aex_testing_set_virtual_time:
 * @virtual_time: whether time stands still
 *
 * For tests of programs that use the library: stops its clock, or lets it go
 * again.
 *
 * Timeouts, deadlines, sleeps and [method@Caller.call_later] then wait for
 * [func@testing_advance], so that a test of an hour takes no time. The clocks
 * of GLib and of the system are not touched. The switch is one for the whole
 * process; turn it before something waits, and back when nothing does any more.
 * It may be called on any thread.
 *
 * Since: 1.0
 */
void
aex_testing_set_virtual_time (gboolean virtual_time)
{
  aex_clock_set_virtual (virtual_time);
}

/**
 * aex_testing_advance:
 * @by_us: microseconds, not negative
 *
 * Moves virtual time on, and wakes who waited for what has passed then.
 *
 * What happens then happens where it always does, and may not have happened
 * when this returns: on the main contexts that are iterated, and on threads of
 * the library. It may be called on any thread, in virtual time only.
 *
 * Since: 1.0
 */
void
aex_testing_advance (gint64 by_us)
{
  g_return_if_fail (by_us >= 0);

  aex_clock_advance (by_us);
}

/**
 * aex_testing_get_next:
 *
 * Tells for how long nothing will happen by itself: to advance by that much is
 * to skip the wait.
 *
 * The deadlines of pendings and jobs, sleeps and what was given to
 * [method@Caller.call_later] count; the time-out of a thread that blocks does
 * not. It may be called on any thread.
 *
 * Returns: microseconds until the next deadline, 0 when one has passed, or -1
 *   when there is none
 *
 * Since: 1.0
 */
gint64
aex_testing_get_next (void)
{
  gint64 alarm = aex_timer_service_get_next ();
  gint64 timer = aex_clock_get_next ();
  gint64 next = alarm < 0 || (timer >= 0 && timer < alarm) ? timer : alarm;

  return next < 0 ? -1 : MAX (0, next - aex_clock_now ());
}
