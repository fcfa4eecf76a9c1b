/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "lib/aex-test.h"

G_BEGIN_DECLS

/* Jobs, notes and waits that several programs about executors use. */

/* --- jobs */
static inline gboolean
aex_job_int (AexPending   *job,
             GCancellable *cancellable,
             gpointer      value,
             GError      **error)
{
  aex_pending_resolve_int64 (job, GPOINTER_TO_INT (value));
  return TRUE;
}

static inline gboolean
aex_job_fail (AexPending   *job,
              GCancellable *cancellable,
              gpointer      user_data,
              GError      **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "Test exception");
  return FALSE;
}

static inline gboolean
aex_job_thread (AexPending   *job,
                GCancellable *cancellable,
                gpointer      user_data,
                GError      **error)
{
  aex_pending_resolve_pointer (job, g_thread_self (), NULL);
  return TRUE;
}

/* Waits for its own cancellation; user_data, if any, is a gate to open first. */
static inline gboolean
aex_job_until_cancelled (AexPending   *job,
                         GCancellable *cancellable,
                         gpointer      gate,
                         GError      **error)
{
  g_autoptr (AexPending) never = aex_pending_new ();

  if (gate != NULL)
    aex_gate_open (gate);
  return aex_pending_wait (never, AEX_WAIT_FLAGS_NONE, -1, NULL, error);
}

static inline gboolean
aex_map_nothing (AexPendingStream *stream,
                 guint             index,
                 GCancellable     *cancellable,
                 gpointer          user_data,
                 GError          **error)
{
  return TRUE;
}

static inline AexPending *
aex_then_nothing (AexPending *done,
                  gpointer    user_data,
                  GError    **error)
{
  return NULL;
}

/* --- notes: a job that writes a word into a record */
typedef struct
{
  AexRecord *record;
  char      *text;
} AexNote;

static inline AexNote *
aex_note_new (AexRecord  *record,
              const char *text)
{
  AexNote *self = g_new0 (AexNote, 1);

  self->record = record;
  self->text = g_strdup (text);
  return self;
}

static inline void
aex_note_free (gpointer note)
{
  AexNote *self = note;

  g_free (self->text);
  g_free (self);
}

static inline gboolean
aex_note_job (AexPending   *job,
              GCancellable *cancellable,
              gpointer      note,
              GError      **error)
{
  AexNote *self = note;

  aex_record_add (self->record, self->text);
  return TRUE;
}

static inline gboolean
aex_note_post (gpointer note,
               GError **error)
{
  AexNote *self = note;

  aex_record_add (self->record, self->text);
  return TRUE;
}

static inline void
aex_note_callback (AexPending *pending,
                   gpointer    note)
{
  AexNote *self = note;

  aex_record_add (self->record, self->text);
}

static inline AexPending *
aex_submit_note (AexExecutor *executor,
                 AexRecord   *record,
                 const char  *text)
{
  return aex_executor_submit (executor, aex_note_job, aex_note_new (record, text), aex_note_free);
}

static inline AexPending *
aex_submit_note_with_priority (AexExecutor *executor,
                               AexPriority  priority,
                               AexRecord   *record,
                               const char  *text)
{
  g_autoptr (AexSubmitOptions) options = aex_submit_options_new ();

  aex_submit_options_set_priority (options, priority);
  return aex_executor_submit_full (executor, options, aex_note_job, aex_note_new (record, text), aex_note_free);
}

/* --- messages */
static inline void
aex_publish_range (AexPending *pending,
                   int         first,
                   int         last)
{
  for (int i = first; i <= last; i++)
    g_assert_true (aex_pending_publish (pending, g_variant_new_int32 (i)));
}

/* --- waits that must not fail */
static inline void
aex_test_wait (AexPending *pending)
{
  g_autoptr (GError) error = NULL;
  gboolean done = aex_pending_wait (pending, AEX_WAIT_FLAGS_NO_RESULT, -1, NULL, &error);

  g_assert_no_error (error);
  g_assert_true (done);
  g_assert_true (aex_pending_is_done (pending));
}

static inline void
aex_test_wait_all (GPtrArray *pendings)
{
  for (guint i = 0; i < pendings->len; i++)
    aex_test_wait (g_ptr_array_index (pendings, i));
}

static inline GPtrArray *
aex_test_pendings_new (void)
{
  return g_ptr_array_new_with_free_func (g_object_unref);
}

/* A job of the executor has started and blocks until aex_block_end(). */
static inline AexPending *
aex_block_begin (AexBlock    *block,
                 AexExecutor *executor)
{
  AexPending *job;

  aex_block_init (block);
  job = aex_executor_submit (executor, aex_block_job, block, NULL);
  aex_gate_wait (&block->started);
  return job;
}

static inline void
aex_block_end (AexBlock   *block,
               AexPending *job)
{
  aex_gate_open (&block->release);
  aex_test_wait (job);
  aex_block_clear (block);
  g_object_unref (job);
}

/* --- context variables that hold an int */
static inline AexContextVar *
aex_test_var_new (int default_value)
{
  g_auto (GValue) value = G_VALUE_INIT;

  g_value_init (&value, G_TYPE_INT);
  g_value_set_int (&value, default_value);
  return aex_context_var_new ("test", &value);
}

static inline void
aex_test_var_set (AexContextVar *var,
                  int            n)
{
  g_auto (GValue) value = G_VALUE_INIT;
  g_autoptr (AexContextToken) token = NULL;

  g_value_init (&value, G_TYPE_INT);
  g_value_set_int (&value, n);
  token = aex_context_var_set (var, &value);
}

static inline int
aex_test_var_get (AexContextVar *var)
{
  GValue *value = aex_context_var_dup_value (var);
  int n = g_value_get_int (value);

  g_boxed_free (G_TYPE_VALUE, value);
  return n;
}

/* What a test sets stays with the test. */
static inline void
aex_test_call_in_context (gpointer func)
{
  AexTestFunc test = (AexTestFunc) func;

  test ();
}

static inline void
aex_test_run_in_context (gconstpointer func)
{
  g_autoptr (AexContext) context = aex_context_new ();

  aex_context_run (context, aex_test_call_in_context, (gpointer) func);
}

static inline void
aex_test_add_in_context (const char *path,
                         AexTestFunc func)
{
  aex_test_add_data (path, (gconstpointer) func, aex_test_run_in_context);
}

/* --- no value: what a pending resolves with when nothing was set */
#define aex_assert_resolved_empty(pending) \
  G_STMT_START { \
    g_autoptr (GError) aex_error_ = NULL; \
    const GValue *aex_value_ = aex_pending_get_value (pending, &aex_error_); \
    g_assert_no_error (aex_error_); \
    aex_assert_state (pending, RESOLVED); \
    g_assert_true (aex_value_ == NULL || !G_IS_VALUE (aex_value_)); \
  } G_STMT_END

/* Resolves with what the job sees, then changes it for whoever should not notice. */
static inline gboolean
aex_job_read_and_change_var (AexPending   *job,
                             GCancellable *cancellable,
                             gpointer      var,
                             GError      **error)
{
  aex_pending_resolve_int64 (job, aex_test_var_get (var));
  aex_test_var_set (var, 99);
  return TRUE;
}

G_END_DECLS
