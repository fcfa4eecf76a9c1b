/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "pending/aex-pending-private.h"

G_BEGIN_DECLS

/* So many messages may wait for a subscriber before nothing more can be published. */
#define AEX_MAX_UNDELIVERED 1024

/* One who gets the messages of a pending, and of what that follows: listed by all of them. */
typedef struct _AexSubscriber AexSubscriber;

typedef enum {
  AEX_ROOM_RESERVED,
  AEX_ROOM_FULL,
  AEX_ROOM_GONE,         /* he gets nothing any more: to be taken off the list */
} AexRoom;

AexSubscriber *aex_subscriber_new     (AexPending *owner, AexWaiter *closure);   /* takes closure */
AexSubscriber *aex_subscriber_ref     (AexSubscriber *self);
void           aex_subscriber_unref   (AexSubscriber *self);    /* drops nothing of a user */
gulong         aex_subscriber_get_id  (AexSubscriber *self);
gboolean       aex_subscriber_is_of   (AexSubscriber *self, AexPending *owner);

/* A message comes in two steps, so that all subscribers get it or none; a lock of a pending may be held around them. */
AexRoom        aex_subscriber_reserve (AexSubscriber *self);
void           aex_subscriber_free_room (AexSubscriber *self);
gboolean       aex_subscriber_push    (AexSubscriber *self, GVariant *message);   /* TRUE: schedule him */
gboolean       aex_subscriber_push_more (AexSubscriber *self, GVariant *message); /* without a reservation */

/* With no lock held. */
void           aex_subscriber_schedule (AexSubscriber *self);
void           aex_subscriber_drain   (AexSubscriber *self, AexTarget *target);
gboolean       aex_subscriber_close   (AexSubscriber *self);    /* he wants no more; FALSE: said before */
void           aex_subscriber_end     (AexSubscriber *self);    /* nothing more will come */
AexPending    *aex_subscriber_wait_for_room (AexSubscriber *self);   /* resolved when there is; NULL: look again */

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AexSubscriber, aex_subscriber_unref)

G_END_DECLS
