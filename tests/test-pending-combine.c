/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"

/* all, all_settled, any, first, shield, with_timeout, sleep. */

typedef AexPending *(*Combine) (AexPending *const *pendings, gsize n_pendings);

#define N_MEMBERS 3

typedef struct
{
  AexPending *members[N_MEMBERS];
  AexPending *whole;
} Fixture;

static void
fixture_init (Fixture *self,
              Combine  combine)
{
  for (guint i = 0; i < N_MEMBERS; i++)
    self->members[i] = aex_pending_new ();
  self->whole = combine (self->members, N_MEMBERS);
  aex_assert_state (self->whole, RUNNING);
}

static void
fixture_clear (Fixture *self)
{
  for (guint i = 0; i < N_MEMBERS; i++)
    g_clear_object (&self->members[i]);
  g_clear_object (&self->whole);
}

static void
reject (AexPending *pending,
        const char *text)
{
  g_assert_true (aex_pending_reject_new (pending, G_IO_ERROR, G_IO_ERROR_FAILED, "%s", text));
}

/* The list that a combinator resolves with. */
static GListModel *
dup_list (AexPending *whole,
          guint       expected_length)
{
  g_autoptr (GError) error = NULL;
  GListModel *list = aex_pending_dup_object (whole, &error);

  g_assert_no_error (error);
  g_assert_true (G_IS_LIST_MODEL (list));
  g_assert_true (g_type_is_a (g_list_model_get_item_type (list), AEX_TYPE_PENDING));
  g_assert_cmpuint (g_list_model_get_n_items (list), ==, expected_length);
  return list;
}

static void
assert_member (GListModel *list,
               guint       index,
               AexPending *expected)
{
  g_autoptr (AexPending) member = g_list_model_get_item (list, index);

  g_assert_true (member == expected);
  g_assert_true (aex_pending_is_done (member));
}

/* --- all */

static void
test_all (void)
{
  Fixture self;
  g_autoptr (GListModel) list = NULL;

  fixture_init (&self, aex_pending_allv);
  for (guint i = N_MEMBERS; i > 0; i--)
    {
      g_assert_false (aex_pending_is_done (self.whole));
      g_assert_true (aex_pending_resolve_int64 (self.members[i - 1], i));
    }
  /* No user code, no context: at once, on this thread. */
  aex_assert_state (self.whole, RESOLVED);
  list = dup_list (self.whole, N_MEMBERS);
  for (guint i = 0; i < N_MEMBERS; i++)
    assert_member (list, i, self.members[i]);
  fixture_clear (&self);
}

static void
test_all_rejects_at_first (void)
{
  Fixture self;

  fixture_init (&self, aex_pending_allv);
  g_assert_true (aex_pending_resolve (self.members[0], NULL));
  reject (self.members[2], "third");
  aex_assert_state (self.whole, REJECTED);
  aex_assert_failed_with (self.whole, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_false (aex_pending_is_cancelled (self.members[1]));
  g_assert_true (aex_pending_resolve (self.members[1], NULL));
  aex_assert_state (self.whole, REJECTED);
  fixture_clear (&self);
}

static void
test_all_member_cancelled (void)
{
  Fixture self;

  fixture_init (&self, aex_pending_allv);
  g_assert_true (aex_pending_cancel (self.members[1], NULL));
  g_assert_true (aex_pending_is_done (self.whole));
  aex_assert_failed_with (self.whole, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  fixture_clear (&self);
}

static void
test_all_done_before (void)
{
  g_autoptr (AexPending) first = aex_pending_new_resolved (NULL);
  g_autoptr (AexPending) second = aex_pending_new_resolved (NULL);
  g_autoptr (AexPending) whole = aex_pending_all (first, second, NULL);
  g_autoptr (GListModel) list = NULL;

  aex_assert_state (whole, RESOLVED);
  list = dup_list (whole, 2);
  assert_member (list, 0, first);
  assert_member (list, 1, second);
}

static void
test_empty (void)
{
  g_autoptr (AexPending) all = aex_pending_allv (NULL, 0);
  g_autoptr (AexPending) none = aex_pending_all (NULL, NULL);
  g_autoptr (AexPending) settled = aex_pending_all_settledv (NULL, 0);
  g_autoptr (AexPending) any = aex_pending_anyv (NULL, 0);
  g_autoptr (AexPending) first = aex_pending_firstv (NULL, 0);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) members = NULL;

  g_object_unref (dup_list (all, 0));
  g_object_unref (dup_list (none, 0));
  g_object_unref (dup_list (settled, 0));
  aex_assert_state (any, REJECTED);
  error = aex_pending_dup_error (any);
  g_assert_error (error, AEX_ERROR, AEX_ERROR_GROUP);
  members = aex_error_get_members (error);
  g_assert_true (members == NULL || members->len == 0);
  aex_assert_state (first, REJECTED);
  aex_assert_failed_with (first, AEX_ERROR, AEX_ERROR_INVALID_ARGUMENT);
}

static void
test_duplicates (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  AexPending *twice[] = { pending, pending };
  g_autoptr (AexPending) all = aex_pending_allv (twice, 2);
  g_autoptr (AexPending) settled = aex_pending_all_settledv (twice, 2);
  g_autoptr (AexPending) any = aex_pending_anyv (twice, 2);
  g_autoptr (AexPending) first = aex_pending_firstv (twice, 2);
  g_autoptr (GListModel) list = NULL;

  g_assert_true (aex_pending_resolve_int64 (pending, 5));
  list = dup_list (all, 2);
  assert_member (list, 0, pending);
  assert_member (list, 1, pending);
  g_object_unref (dup_list (settled, 2));
  g_assert_true (aex_pending_is_done (any));
  g_assert_true (aex_pending_is_done (first));
  aex_assert_resolved_int64 (any, 5);
  aex_assert_resolved_int64 (first, 5);
}

static void
test_any_duplicates_fail (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  AexPending *twice[] = { pending, pending };
  g_autoptr (AexPending) any = aex_pending_anyv (twice, 2);

  reject (pending, "both");
  aex_assert_failed_with (any, AEX_ERROR, AEX_ERROR_GROUP);
}

/* --- all_settled */

static void
test_settled (void)
{
  Fixture self;
  g_autoptr (GListModel) list = NULL;

  fixture_init (&self, aex_pending_all_settledv);
  reject (self.members[0], "seen in the list");
  g_assert_true (aex_pending_cancel (self.members[1], NULL));
  g_assert_false (aex_pending_is_done (self.whole));
  g_assert_true (aex_pending_resolve_int64 (self.members[2], 1));
  aex_assert_state (self.whole, RESOLVED);
  list = dup_list (self.whole, N_MEMBERS);
  for (guint i = 0; i < N_MEMBERS; i++)
    assert_member (list, i, self.members[i]);
  aex_assert_state (self.members[0], REJECTED);
  aex_assert_state (self.members[1], CANCELLED);
  fixture_clear (&self);
}

static void
test_settled_abandoned (void)
{
  Fixture self;
  g_autoptr (GListModel) list = NULL;
  g_autoptr (AexPending) lost = NULL;

  fixture_init (&self, aex_pending_all_settledv);
  g_clear_object (&self.members[1]);
  g_assert_true (aex_pending_resolve (self.members[0], NULL));
  g_assert_true (aex_pending_resolve (self.members[2], NULL));
  aex_assert_state (self.whole, RESOLVED);
  list = dup_list (self.whole, N_MEMBERS);
  assert_member (list, 0, self.members[0]);
  assert_member (list, 2, self.members[2]);
  lost = g_list_model_get_item (list, 1);
  aex_assert_state (lost, REJECTED);
  aex_assert_failed_with (lost, AEX_ERROR, AEX_ERROR_ABANDONED);
  fixture_clear (&self);
}

/* --- any, first */

static void
test_any (void)
{
  Fixture self;

  fixture_init (&self, aex_pending_anyv);
  reject (self.members[0], "not enough to fail");
  g_assert_false (aex_pending_is_done (self.whole));
  g_assert_true (aex_pending_resolve_int64 (self.members[2], 33));
  aex_assert_resolved_int64 (self.whole, 33);
  g_assert_true (aex_pending_resolve_int64 (self.members[1], 22));
  aex_assert_resolved_int64 (self.whole, 33);
  fixture_clear (&self);
}

static void
test_any_all_fail (void)
{
  Fixture self;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) errors = NULL;

  fixture_init (&self, aex_pending_anyv);
  reject (self.members[2], "third");
  g_clear_object (&self.members[1]);
  g_assert_false (aex_pending_is_done (self.whole));
  reject (self.members[0], "first");
  aex_assert_state (self.whole, REJECTED);
  error = aex_pending_dup_error (self.whole);
  g_assert_error (error, AEX_ERROR, AEX_ERROR_GROUP);
  errors = aex_error_get_members (error);
  g_assert_nonnull (errors);
  g_assert_cmpuint (errors->len, ==, N_MEMBERS);
  g_assert_cmpstr (((GError *) errors->pdata[0])->message, ==, "first");
  g_assert_error ((GError *) errors->pdata[1], AEX_ERROR, AEX_ERROR_ABANDONED);
  g_assert_cmpstr (((GError *) errors->pdata[2])->message, ==, "third");
  fixture_clear (&self);
}

/* Bindings copy errors without their members: these are beside it. */
static void
test_any_members_beside (void)
{
  Fixture self;
  g_autoptr (GListModel) members = NULL;
  GValue *payload;

  fixture_init (&self, aex_pending_anyv);
  for (guint i = 0; i < N_MEMBERS; i++)
    reject (self.members[i], "failed");
  payload = aex_pending_dup_payload (self.whole);
  g_assert_nonnull (payload);
  members = g_value_dup_object (payload);
  g_value_unset (payload);
  g_free (payload);
  g_assert_cmpuint (g_list_model_get_n_items (members), ==, N_MEMBERS);
  for (guint i = 0; i < N_MEMBERS; i++)
    {
      g_autoptr (AexPending) member = g_list_model_get_item (members, i);

      g_assert_true (member == self.members[i]);
    }
  g_clear_object (&members);
  fixture_clear (&self);
}

static void
test_first (void)
{
  Fixture self;

  fixture_init (&self, aex_pending_firstv);
  reject (self.members[1], "the first outcome");
  aex_assert_state (self.whole, REJECTED);
  aex_assert_failed_with (self.whole, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_true (aex_pending_resolve (self.members[0], NULL));
  aex_assert_state (self.whole, REJECTED);
  fixture_clear (&self);
}

static void
test_first_of_done (void)
{
  g_autoptr (AexPending) open = aex_pending_new ();
  g_autoptr (AexPending) done = aex_pending_new ();
  AexPending *two[] = { open, done };
  g_autoptr (AexPending) first = NULL;

  g_assert_true (aex_pending_resolve_int64 (done, 7));
  first = aex_pending_firstv (two, 2);
  aex_assert_resolved_int64 (first, 7);
}

/* --- members are held weakly until they are done, strongly after */

static void
test_members_abandoned (void)
{
  static const Combine combines[] = { aex_pending_allv, aex_pending_firstv };

  for (guint i = 0; i < G_N_ELEMENTS (combines); i++)
    {
      Fixture self;

      fixture_init (&self, combines[i]);
      g_assert_true (G_OBJECT (self.members[1])->ref_count == 1);
      g_clear_object (&self.members[1]);
      aex_assert_state (self.whole, REJECTED);
      aex_assert_failed_with (self.whole, AEX_ERROR, AEX_ERROR_ABANDONED);
      fixture_clear (&self);
    }
}

static void
test_members_kept_when_done (void)
{
  Fixture self;
  gpointer weak;
  g_autoptr (GListModel) list = NULL;

  fixture_init (&self, aex_pending_allv);
  weak = self.members[0];
  g_object_add_weak_pointer (G_OBJECT (self.members[0]), &weak);
  g_assert_true (aex_pending_resolve_int64 (self.members[0], 1));
  g_clear_object (&self.members[0]);
  g_assert_nonnull (weak);
  g_assert_true (aex_pending_resolve_int64 (self.members[1], 2));
  g_assert_true (aex_pending_resolve_int64 (self.members[2], 3));
  list = dup_list (self.whole, N_MEMBERS);
  {
    g_autoptr (AexPending) member = g_list_model_get_item (list, 0);

    aex_assert_resolved_int64 (member, 1);
  }
  g_clear_object (&list);
  fixture_clear (&self);
  g_assert_null (weak);
}

/* Nobody holds the whole any more: members go on, and what became of it is
 * reported like any other error that nobody observed. */
static void
test_whole_dropped (void)
{
  g_autoptr (GPtrArray) log = NULL;

  static const Combine combines[] = { aex_pending_allv, aex_pending_all_settledv, aex_pending_anyv,
                                      aex_pending_firstv };

  aex_test_log_begin ();
  for (guint i = 0; i < G_N_ELEMENTS (combines); i++)
    {
      Fixture self;

      fixture_init (&self, combines[i]);
      g_clear_object (&self.whole);
      g_assert_true (aex_pending_resolve (self.members[0], NULL));
      g_clear_object (&self.members[1]);
      g_assert_false (aex_pending_is_cancelled (self.members[2]));
      g_assert_true (aex_pending_resolve (self.members[2], NULL));
      fixture_clear (&self);
    }
  log = aex_test_log_end ();
  g_assert_cmpuint (log->len, ==, 1);
}

static gpointer
resolve_in_thread (gpointer pending)
{
  g_assert_true (aex_pending_resolve (pending, NULL));
  return NULL;
}

/* Completed by the completing thread, without any context. */
static void
test_needs_no_context (void)
{
  g_autoptr (AexPending) source = aex_pending_new ();
  g_autoptr (AexPending) shield = aex_pending_shield (source);
  g_autoptr (AexPending) all = aex_pending_all (shield, NULL);
  g_autoptr (AexPending) first = aex_pending_firstv (&all, 1);
  g_autoptr (AexPending) timeout = aex_pending_with_timeout (first, -1);

  aex_test_in_thread (resolve_in_thread, source);
  aex_assert_state (timeout, RESOLVED);
}

/* --- shield */

static void
test_shield (void)
{
  g_autoptr (AexPending) source = aex_pending_new ();
  g_autoptr (AexPending) shield = aex_pending_shield (source);
  g_autoptr (AexPending) cancelled = aex_pending_shield (source);

  g_assert_true (shield != source);
  g_assert_true (aex_pending_cancel (cancelled, NULL));
  aex_assert_cancelled (cancelled);
  aex_assert_state (source, RUNNING);
  g_assert_true (aex_pending_resolve_int64 (source, 4));
  aex_assert_resolved_int64 (shield, 4);
  aex_assert_cancelled (cancelled);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/pending/combine/all", test_all);
  aex_test_add ("/pending/combine/all-rejects-at-first", test_all_rejects_at_first);
  aex_test_add ("/pending/combine/all-member-cancelled", test_all_member_cancelled);
  aex_test_add ("/pending/combine/all-done-before", test_all_done_before);
  aex_test_add ("/pending/combine/empty", test_empty);
  aex_test_add ("/pending/combine/duplicates", test_duplicates);
  aex_test_add ("/pending/combine/any-duplicates-fail", test_any_duplicates_fail);
  aex_test_add ("/pending/combine/settled", test_settled);
  aex_test_add ("/pending/edge/settled-abandoned", test_settled_abandoned);
  aex_test_add ("/pending/combine/any", test_any);
  aex_test_add ("/pending/combine/any-all-fail", test_any_all_fail);
  aex_test_add ("/pending/combine/any-members-beside", test_any_members_beside);
  aex_test_add ("/pending/combine/first", test_first);
  aex_test_add ("/pending/combine/first-of-done", test_first_of_done);
  aex_test_add ("/pending/edge/members-abandoned", test_members_abandoned);
  aex_test_add ("/pending/edge/members-kept-when-done", test_members_kept_when_done);
  aex_test_add ("/pending/combine/whole-dropped", test_whole_dropped);
  aex_test_add ("/pending/combine/needs-no-context", test_needs_no_context);
  aex_test_add ("/pending/K54/shield", test_shield);
  return aex_test_run ();
}
