/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "lib/aex-jobs.h"

G_BEGIN_DECLS

/* What several programs about groups use. */

static inline AexPendingGroup *
aex_group_entered (AexGroupMode mode)
{
  AexPendingGroup *group = aex_pending_group_new (mode);
  g_autoptr (GError) error = NULL;

  g_assert_true (aex_pending_group_enter (group, &error));
  g_assert_no_error (error);
  return group;
}

static inline guint
aex_group_n_members (AexPendingGroup *group)
{
  return aex_pending_tracker_get_n_pendings (AEX_PENDING_TRACKER (group));
}

/* Ends with one error for each of messages. */
static inline void
aex_assert_group_error (AexPending         *end,
                        const char * const *messages)
{
  g_autoptr (GError) error = aex_pending_dup_error (end);
  g_autoptr (GPtrArray) members = NULL;
  guint n = g_strv_length ((char **) messages);

  g_assert_error (error, AEX_ERROR, AEX_ERROR_GROUP);
  members = aex_error_get_members (error);
  g_assert_cmpuint (members->len, ==, n);
  for (guint i = 0; i < n; i++)
    g_assert_cmpstr (((GError *) members->pdata[i])->message, ==, messages[i]);
}

static inline void
aex_test_reject (AexPending *pending,
                 const char *message)
{
  aex_pending_reject (pending, g_error_new_literal (G_IO_ERROR, G_IO_ERROR_INVALID_DATA, message));
}

G_END_DECLS
