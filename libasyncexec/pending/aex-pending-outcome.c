/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How the outcome is kept and let go, and what error it stands for. */
#include "pending/aex-pending-private.h"

#include "base/aex-i18n-private.h"
#include "pending/aex-value-private.h"

void
aex_word_clear (AexTag tag, AexWord value, AexTarget *owner)
{
  switch (tag)
    {
    case AEX_TAG_STRING:
      g_free (value.v_string);
      break;
    case AEX_TAG_OBJECT:
      if (value.v_pointer != NULL)
        aex_object_release (value.v_pointer, owner);
      break;
    case AEX_TAG_VARIANT:
      g_variant_unref (value.v_pointer);
      break;
    case AEX_TAG_VALUE:
      aex_value_release (value.v_value, owner);
      g_free (value.v_value);
      break;
    case AEX_TAG_POINTER:
      {
        AexPointer *pointer = value.v_pointer;

        if (pointer->destroy != NULL)
          pointer->destroy (pointer->pointer);
        g_free (pointer);
      }
      break;
    case AEX_TAG_ERROR:
      g_error_free (value.v_error);
      break;
    case AEX_TAG_FAILURE:
      {
        AexFailure *failure = value.v_pointer;

        g_error_free (failure->error);
        aex_value_release (&failure->payload, owner);
        g_free (failure);
      }
      break;
    case AEX_TAG_FOLLOW:
    case AEX_TAG_FORWARD:
      g_object_unref (value.v_pending);
      break;
    case AEX_TAG_NONE:
    case AEX_TAG_BOOLEAN:
    case AEX_TAG_INT64:
    case AEX_TAG_DOUBLE:
    default:
      break;
    }
}

/* ---- the outcome of an operation */

void
aex_pending_expect_type (AexPending *self, const char *operation, const GVariantType *type)
{
  AexPendingExtra *extra = aex_pending_ensure_extra (self);

  extra->operation = operation;
  extra->result_type = type;
  self->flags |= AEX_FLAG_TYPED;
}

static GError *
wrong_type (const AexPendingExtra *extra, AexTag tag, AexWord value)
{
  g_autofree char *expected = g_variant_type_dup_string (extra->result_type);

  if (tag == AEX_TAG_VARIANT)
    return g_error_new (AEX_ERROR, AEX_ERROR_MISMATCH,
                        _("The operation “%s” declares a result of type %s, and gave one of type %s"),
                        extra->operation, expected, g_variant_get_type_string (value.v_pointer));
  return g_error_new (AEX_ERROR, AEX_ERROR_MISMATCH,
                      _("The operation “%s” declares a result of type %s, and gave something that is no GVariant"),
                      extra->operation, expected);
}

/* By who owns the record, before the outcome is written. */
void
aex_outcome_check (AexPending *self, AexTag *tag, AexWord *value)
{
  const AexPendingExtra *extra = atomic_load (&self->extra);
  gboolean shared = *tag == AEX_TAG_FORWARD;
  AexTag given = shared ? (AexTag) value->v_pending->tag : *tag;
  AexWord word = shared ? value->v_pending->value : *value;
  AexWord checked = { 0 };
  gboolean is_empty = given == AEX_TAG_NONE && g_variant_type_equal (extra->result_type, G_VARIANT_TYPE_UNIT);

  if (given == AEX_TAG_ERROR || given == AEX_TAG_FAILURE || given == AEX_TAG_FOLLOW)
    return;
  if (shared && AEX_PHASE (aex_pending_load (value->v_pending)) != AEX_PHASE_RESOLVED)
    return;
  if (given == AEX_TAG_VARIANT && g_variant_is_of_type (word.v_pointer, extra->result_type))
    return;
  if (is_empty)
    checked.v_pointer = g_variant_ref_sink (g_variant_new_tuple (NULL, 0));
  else
    checked.v_error = wrong_type (extra, given, word);
  aex_word_clear (*tag, *value, self->environment != NULL ? self->environment->delivery : NULL);
  *tag = is_empty ? AEX_TAG_VARIANT : AEX_TAG_ERROR;
  *value = checked;
}

void
aex_outcome_clear (AexPending *self)
{
  AexTag tag = self->tag;

  self->tag = AEX_TAG_NONE;
  if (tag > AEX_TAG_DOUBLE)
    aex_word_clear (tag, self->value, self->environment != NULL ? self->environment->delivery : NULL);
}

/* Where the outcome of a done pending is.  One that was cancelled or timed out while it followed another has its own. */
AexPending *
aex_pending_get_root (AexPending *self)
{
  if (self->tag != AEX_TAG_FORWARD || aex_pending_load (self) & (AEX_BIT_CANCEL | AEX_BIT_TIMED_OUT))
    return self;
  return self->value.v_pending;
}

static GError *
cancellation_error (AexPending *self, guint state)
{
  AexPendingExtra *extra = atomic_load_explicit (&self->extra, memory_order_acquire);
  g_autofree char *message = NULL;

  if (state & AEX_BIT_CLOSED)
    return g_error_new_literal (AEX_ERROR, AEX_ERROR_CLOSED,
                                _("The executor is closed or was stopped before this could run: submit work before it is shut down"));
  if (extra != NULL)
    {
      aex_pending_lock (self);
      message = g_strdup (extra->cancel_message);
      aex_pending_unlock (self);
    }
  return g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED, message != NULL ? message : _("The operation was cancelled"));
}

static GError *
timeout_error (AexPending *self)
{
  AexPendingExtra *extra = atomic_load_explicit (&self->extra, memory_order_acquire);
  GError *untimed = NULL;

  if (extra != NULL)
    {
      aex_pending_lock (self);
      untimed = extra->untimed != NULL ? g_error_copy (extra->untimed) : NULL;
      aex_pending_unlock (self);
    }
  if (untimed != NULL)
    return untimed;
  return g_error_new_literal (G_IO_ERROR, G_IO_ERROR_TIMED_OUT, _("The time allowed for the operation is over"));
}

/* Of a pending that is cancelled, timed out or rejected, done or not; NULL for others. */
GError *
aex_pending_make_error (AexPending *self)
{
  guint state = aex_pending_load (self);
  AexPending *root = self;

  if (AEX_IS_DONE (state) && !(state & (AEX_BIT_CANCEL | AEX_BIT_TIMED_OUT | AEX_BIT_CLOSED)))
    {
      root = aex_pending_get_root (self);
      state = aex_pending_load (root);
    }
  if (AEX_PHASE (state) == AEX_PHASE_RESOLVED)
    return NULL;
  if (AEX_PHASE (state) == AEX_PHASE_CANCELLED || (state & AEX_BIT_CANCEL && AEX_PHASE (state) != AEX_PHASE_REJECTED))
    return cancellation_error (root, state);
  if (state & AEX_BIT_TIMED_OUT)
    return timeout_error (root);
  if (AEX_PHASE (state) == AEX_PHASE_REJECTED && root->tag != AEX_TAG_NONE)
    return g_error_copy (root->tag == AEX_TAG_FAILURE ? ((AexFailure *) root->value.v_pointer)->error : root->value.v_error);
  return NULL;
}

/* TRUE: resolved, and *root has the value.  Reading observes. */
gboolean
aex_pending_peek_resolved (AexPending *self, AexPending **root, GError **error)
{
  guint state = aex_pending_load (self);

  if (G_LIKELY (AEX_PHASE (state) == AEX_PHASE_RESOLVED))
    {
      *root = aex_pending_get_root (self);
      return TRUE;
    }
  if (!AEX_IS_DONE (state) && !(state & (AEX_BIT_CANCEL | AEX_BIT_TIMED_OUT)))
    {
      g_set_error_literal (error, AEX_ERROR, AEX_ERROR_NOT_DONE,
                           _("The pending is not done yet: wait for it, or attach a callback"));
      return FALSE;
    }
  aex_pending_note_observed (self);
  if (error != NULL)
    g_propagate_error (error, aex_pending_make_error (self));
  return FALSE;
}
