/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How far a pending is.  Who follows a pending shows its progress: it is copied on, down chains of any length. */
#include "pending/aex-pending-private.h"

#include "base/aex-fork-private.h"

/* Held while progress is copied on, so that the last copy is of the last value.  A pending's lock may be taken under it,
 * no reference is dropped. */
static GMutex relay_lock;

/* FALSE: self is done, or nothing changed.  followers: who has to get it too; may be NULL. */
static gboolean
store (AexPending *self, double fraction, const char *message, GPtrArray **followers, gboolean *gather)
{
  AexPendingExtra *extra = aex_pending_ensure_extra (self);
  g_autofree char *old = NULL;
  guint changes = 0;

  *gather = FALSE;
  aex_pending_lock (self);
  if (aex_pending_is_open (self))
    {
      if (extra->progress < fraction || extra->progress > fraction)
        changes |= AEX_CHANGE_PROGRESS;
      extra->progress = fraction;
      if (g_strcmp0 (extra->progress_message, message) != 0)
        {
          changes |= AEX_CHANGE_MESSAGE;
          old = extra->progress_message;
          extra->progress_message = g_strdup (message);
        }
    }
  if (changes != 0 && aex_pending_has_handlers (self))
    *gather = aex_pending_note_change (self, changes);
  if (changes != 0 && followers != NULL)
    *followers = aex_pending_dup_followers_locked (self);
  aex_pending_unlock (self);
  return changes != 0;
}

/* message may be NULL. */
static double
read_progress (AexPending *self, char **message)
{
  AexPendingExtra *extra = atomic_load (&self->extra);
  double fraction;

  if (extra == NULL)
    return -1;
  /* In a forked child the lock may be held for ever; nobody writes there. */
  if (!aex_is_forked ())
    aex_pending_lock (self);
  fraction = extra->progress;
  if (message != NULL)
    *message = g_strdup (extra->progress_message);
  if (!aex_is_forked ())
    aex_pending_unlock (self);
  return fraction;
}

/* Copies the progress of the pending at index to those that follow it, and puts those at the end. */
static void
relay_one (GPtrArray *open, guint index, GPtrArray *told)
{
  AexPending *source = open->pdata[index];
  g_autoptr (GPtrArray) followers = aex_pending_dup_followers (source);
  g_autofree char *message = NULL;
  double fraction;

  if (followers == NULL)
    return;
  fraction = read_progress (source, &message);
  g_ptr_array_set_free_func (followers, NULL);
  for (guint i = 0; i < followers->len; i++)
    {
      AexPending *follower = followers->pdata[i];
      gboolean gather;

      /* One in which nothing changes is kept in told, too: its reference is dropped after the lock. */
      g_ptr_array_add (told, follower);
      if (!store (follower, fraction, message, NULL, &gather))
        continue;
      g_ptr_array_add (open, follower);
      if (gather)
        g_ptr_array_add (told, NULL);
    }
}

static void
relay (AexPending *self)
{
  g_autoptr (GPtrArray) open = g_ptr_array_new ();
  g_autoptr (GPtrArray) told = g_ptr_array_new ();   /* element AexPending, with a NULL behind who has to gather */

  g_ptr_array_add (open, self);
  g_mutex_lock (&relay_lock);
  for (guint i = 0; i < open->len; i++)
    relay_one (open, i, told);
  g_mutex_unlock (&relay_lock);
  for (guint i = 0; i < told->len; i++)
    {
      AexPending *follower = told->pdata[i];

      if (i + 1 < told->len && told->pdata[i + 1] == NULL)
        {
          aex_pending_gather (follower);
          i++;
        }
      g_object_unref (follower);
    }
}

void
aex_pending_pass_progress (AexPending *self)
{
  AexPendingExtra *extra = atomic_load (&self->extra);
  gboolean known;

  if (G_LIKELY (extra == NULL))
    return;
  aex_pending_lock (self);
  known = extra->progress >= 0 || extra->progress_message != NULL;
  aex_pending_unlock (self);
  if (known)
    relay (self);
}

/**
 * aex_pending_set_progress:
 * @self: a pending
 * @fraction: how much is done, from 0 to 1; negative when unknown
 * @message: (nullable): what is being done, for people; %NULL for nothing
 *
 * Says how far the work behind @self is. For the producer of @self only: the
 * function of a job, or whoever completes a promise. Any thread; cheap, so say
 * it as often as you like: who looks at it is told at most once in 16
 * milliseconds (see [property@Pending:progress]), and of the last in any case.
 *
 * Pendings that follow @self show the same (see [method@Pending.follow],
 * [method@Pending.shield], [method@Pending.with_timeout] and jobs in coroutine
 * form). Nothing happens when @self is done.
 *
 * Since: 1.0
 */
void
aex_pending_set_progress (AexPending *self, double fraction, const char *message)
{
  g_autoptr (GPtrArray) followers = NULL;
  gboolean gather;

  g_return_if_fail (AEX_IS_PENDING (self));

  if (aex_is_forked ())
    return;
  /* Also what is not a number. */
  if (!(fraction >= 0))
    fraction = -1;
  store (self, MIN (fraction, 1), message, &followers, &gather);
  if (gather)
    aex_pending_gather (self);
  if (followers != NULL)
    relay (self);
}

/**
 * aex_pending_get_progress:
 * @self: a pending
 *
 * Gets how much of the work is done, as its producer said last. Any thread.
 *
 * Returns: from 0 to 1, negative when unknown
 *
 * Since: 1.0
 */
double
aex_pending_get_progress (AexPending *self)
{
  g_return_val_if_fail (AEX_IS_PENDING (self), -1);

  return read_progress (self, NULL);
}

/**
 * aex_pending_dup_progress_message:
 * @self: a pending
 *
 * Gets what is being done, as its producer said last. Any thread.
 *
 * Returns: (transfer full) (nullable): a line for people, %NULL when nobody said
 *
 * Since: 1.0
 */
char *
aex_pending_dup_progress_message (AexPending *self)
{
  char *message = NULL;

  g_return_val_if_fail (AEX_IS_PENDING (self), NULL);

  read_progress (self, &message);
  return message;
}
