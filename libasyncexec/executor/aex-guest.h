/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "aex-caller.h"

G_BEGIN_DECLS

#define AEX_TYPE_GUEST (aex_guest_get_type ())
AEX_AVAILABLE_IN_1_0
G_DECLARE_DERIVABLE_TYPE (AexGuest, aex_guest, AEX, GUEST, GObject)

/**
 * AexGuestClass::dispatch:
 * @self: the guest
 * @job: a job for its loop
 * @error: return location for an error
 *
 * Arranges that [method@Pending.run] is called for @job, once, on this thread,
 * inside of the loop of the guest: at once or later. Every subclass must
 * implement it, and makes its loop when this is called first. An error rejects
 * @job.
 *
 * Called in a dispatch of the caller.
 *
 * Since: 1.0
 */
/**
 * AexGuestClass::iterate:
 * @self: the guest
 *
 * Runs what is ready in the loop of the guest, without waiting: one turn of it.
 * Says with [method@Guest.set_ready_time] when to come again.
 *
 * Called in a dispatch of the context of the caller, and never inside of
 * itself: when the file descriptor of [method@Guest.set_fd] is readable, or
 * the time has come.
 *
 * Since: 1.0
 */
/**
 * AexGuestClass::end:
 * @self: the guest
 *
 * Ends the loop of the guest: its caller stops, and no job of @self is left.
 * What else runs in the loop is to be cancelled. @self is iterated until the
 * returned pending is done, and the caller has not stopped before.
 *
 * Called once, in a dispatch of the caller.
 *
 * Returns: (transfer full) (nullable): a pending that is done when nothing of
 *   the loop is left; %NULL when that is now
 *
 * Since: 1.0
 */
struct _AexGuestClass
{
  GObjectClass parent_class;
  /*< public >*/
  void        (*dispatch) (AexGuest *self, AexPending *job, GError **error);   /* mandatory; an error rejects the job */
  void        (*iterate)  (AexGuest *self);
  AexPending *(*end)      (AexGuest *self);                                    /* full, nullable */
  /*< private >*/
  gpointer _reserved[13];
};

AEX_AVAILABLE_IN_1_0 AexCaller  *aex_guest_ref_caller     (AexGuest *self);
AEX_AVAILABLE_IN_1_0 void        aex_guest_set_fd         (AexGuest *self, int fd);
AEX_AVAILABLE_IN_1_0 void        aex_guest_set_ready_time (AexGuest *self, gint64 ready_time_us);

G_END_DECLS
