/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The properties of a pending, for people who look at it. */
#include "pending/aex-pending-private.h"

#include "aex-enum-types.h"
#include "base/aex-i18n-private.h"

enum {
  PROP_NAME = 1,
  PROP_STATE,
  PROP_PROGRESS,
  PROP_PROGRESS_MESSAGE,
  PROP_STATUS_TEXT,
  N_PROPS
};

static GParamSpec *props[N_PROPS];

static void
get_property (GObject *object, guint id, GValue *value, GParamSpec *spec)
{
  AexPending *self = AEX_PENDING (object);

  switch (id)
    {
    case PROP_NAME:
      g_value_take_string (value, aex_pending_dup_name (self));
      break;
    case PROP_STATE:
      g_value_set_enum (value, (int) aex_pending_get_state (self));
      break;
    case PROP_PROGRESS:
      g_value_set_double (value, aex_pending_get_progress (self));
      break;
    case PROP_PROGRESS_MESSAGE:
      g_value_take_string (value, aex_pending_dup_progress_message (self));
      break;
    case PROP_STATUS_TEXT:
      g_value_take_string (value, aex_pending_dup_status_text (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
    }
}

void
aex_pending_install_properties (GObjectClass *object_class)
{
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;

  object_class->get_property = get_property;

  /**
   * AexPending:name: (getter dup_name)
   *
   * The name, for people; %NULL without one.
   *
   * `notify` of this and the other properties is emitted in a dispatch of the
   * main context on which the pending was made (inside a job: that of the
   * job), at most once in 16 milliseconds, with everything that changed
   * meanwhile; the last change always, and before the done callbacks of that
   * context. To read the properties is safe on every thread.
   *
   * Since: 1.0
   */
  props[PROP_NAME] = g_param_spec_string ("name", NULL, NULL, NULL, flags);
  /**
   * AexPending:state: (getter get_state)
   *
   * Where the pending is in its life.
   *
   * Since: 1.0
   */
  props[PROP_STATE] = g_param_spec_enum ("state", NULL, NULL, AEX_TYPE_PENDING_STATE, AEX_PENDING_STATE_QUEUED, flags);
  /**
   * AexPending:progress: (getter get_progress)
   *
   * How much is done, from 0 to 1; negative when unknown.
   *
   * Since: 1.0
   */
  props[PROP_PROGRESS] = g_param_spec_double ("progress", NULL, NULL, -1, 1, -1, flags);
  /**
   * AexPending:progress-message: (getter dup_progress_message)
   *
   * What is being done, for people; %NULL when nobody said.
   *
   * Since: 1.0
   */
  props[PROP_PROGRESS_MESSAGE] = g_param_spec_string ("progress-message", NULL, NULL, NULL, flags);
  /**
   * AexPending:status-text: (getter dup_status_text)
   *
   * One line for people, see [method@Pending.dup_status_text].
   *
   * Since: 1.0
   */
  props[PROP_STATUS_TEXT] = g_param_spec_string ("status-text", NULL, NULL, NULL, flags);
  g_object_class_install_properties (object_class, N_PROPS, props);
}

void
aex_pending_emit_notify (AexPending *self, guint changes)
{
  static const struct {
    guint changes;
    guint property;
  } told[] = {
    { AEX_CHANGE_NAME, PROP_NAME },
    { AEX_CHANGE_PROGRESS, PROP_PROGRESS },
    { AEX_CHANGE_MESSAGE, PROP_PROGRESS_MESSAGE },
    { AEX_CHANGE_STATE, PROP_STATE },
    { AEX_CHANGE_MESSAGE | AEX_CHANGE_STATE, PROP_STATUS_TEXT },
  };

  for (guint i = 0; i < G_N_ELEMENTS (told); i++)
    if (changes & told[i].changes)
      {
        aex_thread_guard (aex_thread_get ());
        g_object_notify_by_pspec (G_OBJECT (self), props[told[i].property]);
      }
}

static const char *
state_word (AexPendingState state)
{
  switch (state)
    {
    case AEX_PENDING_STATE_QUEUED:
      return _("Waiting");
    case AEX_PENDING_STATE_RUNNING:
      return _("Running");
    case AEX_PENDING_STATE_RESOLVED:
      return _("Done");
    case AEX_PENDING_STATE_REJECTED:
      return _("Failed");
    case AEX_PENDING_STATE_CANCELLED:
    default:
      return _("Cancelled");
    }
}

/**
 * aex_pending_dup_status_text:
 * @self: a pending
 *
 * Gets one line about @self for people: the progress message if there is one
 * and @self has not failed, else its state in a translated word, such as
 * "Waiting", "Running" or "Failed".
 *
 * Returns: (transfer full): the line
 *
 * Since: 1.0
 */
char *
aex_pending_dup_status_text (AexPending *self)
{
  AexPendingState state;
  char *message = NULL;

  g_return_val_if_fail (AEX_IS_PENDING (self), NULL);

  state = aex_pending_get_state (self);
  if (state != AEX_PENDING_STATE_REJECTED && state != AEX_PENDING_STATE_CANCELLED)
    message = aex_pending_dup_progress_message (self);
  return message != NULL ? message : g_strdup (state_word (state));
}
