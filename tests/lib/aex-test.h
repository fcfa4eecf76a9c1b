/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "asyncexec.h"

#include "base/aex-clock-private.h"
#include "base/aex-debug-private.h"
#include "base/aex-timer-service-private.h"

G_BEGIN_DECLS

/* --- a test program
 *
 * int
 * main (int argc, char **argv)
 * {
 *   aex_test_init (&argc, &argv);
 *   aex_test_add ("/pending/K47/set-already", test_set_already);
 *   return aex_test_run ();
 * }
 *
 * Each test added here runs under a watchdog and must leave as many library
 * objects behind as it found; the program as many threads and fds as well. */
typedef void (*AexTestFunc) (void);

void     aex_test_init            (int *argc, char ***argv);
void     aex_test_add             (const char *path, AexTestFunc func);
void     aex_test_add_data        (const char *path, gconstpointer data, GTestDataFunc func);
int      aex_test_run             (void);

/* The full count n, reduced for quick runs and sanitizers: AEX_TEST_SCALE, a
 * factor, decides when set, else AEX_TEST_TIER and the kind of build.
 * whole: not reduced for sanitizers, for a promised number.  size: more than
 * others, for what grows or is deep, in more of which a detector finds no more. */
guint    aex_test_scale           (guint n);
guint    aex_test_scale_whole     (guint n);
guint    aex_test_scale_size      (guint n);
double   aex_test_time_factor     (void);
/* Built with a sanitizer, which aborts where malloc() would give NULL. */
gboolean aex_test_is_sanitized    (void);
/* Seconds on a quick machine until a test that hangs aborts; 60 unless told. */
void     aex_test_set_watchdog    (guint seconds);

/* --- census (aex-test-census.c) */
typedef struct _AexCensus AexCensus;

AexCensus *aex_census_take        (void);
void       aex_census_free        (AexCensus *self);
/* Waits for what is on its way out, then compares.  Prints what is left. */
gboolean   aex_census_settle      (const AexCensus *before, gboolean with_process, const char *where);
void       aex_test_wait_threads  (void);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AexCensus, aex_census_free)

/* --- gates: one thread waits for another, without sleeping */
typedef struct
{
  GMutex lock;
  GCond  cond;
  guint  n_opened;      /* lock */
} AexGate;

void     aex_gate_init            (AexGate *self);
void     aex_gate_clear           (AexGate *self);
void     aex_gate_open            (AexGate *self);
void     aex_gate_wait            (AexGate *self);
void     aex_gate_wait_n          (AexGate *self, guint n);
gboolean aex_gate_is_open         (AexGate *self);

/* --- a job that runs until told: user_data is the block */
typedef struct
{
  AexGate started;
  AexGate release;
  int     n_runs;       /* atomic */
} AexBlock;

void     aex_block_init           (AexBlock *self);
void     aex_block_clear          (AexBlock *self);
gboolean aex_block_job            (AexPending *job, GCancellable *cancellable, gpointer block, GError **error);

/* A job, of a caller after a delay, that somebody cancels when it is known to those around it, and not to the executor yet;
 * counts when its closure is released. */
AexPending *aex_submit_cancelled  (AexExecutor *executor, gint64 delay_us, int *n_released);

/* --- poison: a closure that knows where it may be called and released */
typedef struct
{
  GThread      *thread;       /* the only thread, or NULL */
  AexExecutor  *executor;     /* the only executor, or NULL; no reference */
  gboolean      in_dispatch;  /* released inside a dispatch of a main context */
  GMainContext *context;      /* woken whenever something happened, besides the default one */
  int           n_called;     /* atomic */
  int           n_released;   /* atomic */
} AexPoison;

void     aex_poison_init          (AexPoison *self);      /* owner: the calling thread */
void     aex_poison_init_executor (AexPoison *self, AexExecutor *executor);
void     aex_poison_touch         (AexPoison *self);      /* called: checks, counts */
void     aex_poison_release       (gpointer poison);      /* GDestroyNotify: checks, counts */
void     aex_poison_callback      (AexPending *pending, gpointer poison);
gboolean aex_poison_job           (AexPending *job, GCancellable *cancellable, gpointer poison, GError **error);
AexPending *aex_poison_then       (AexPending *done, gpointer poison, GError **error);
int      aex_poison_get_called    (AexPoison *self);
int      aex_poison_get_released  (AexPoison *self);
gboolean aex_poison_is_released   (gpointer poison);

/* --- records: events in order, with their threads */
typedef struct
{
  GMutex     lock;
  GPtrArray *items;     /* lock */
} AexRecord;

void     aex_record_init          (AexRecord *self);
void     aex_record_clear         (AexRecord *self);
void     aex_record_add           (AexRecord *self, const char *what);
guint    aex_record_get_length    (AexRecord *self);
char    *aex_record_dup_text      (AexRecord *self);      /* joined by blanks */
GThread *aex_record_get_thread    (AexRecord *self, guint index);

#define aex_assert_record(record, expected) \
  G_STMT_START { \
    g_autofree char *aex_text_ = aex_record_dup_text (record); \
    g_assert_cmpstr (aex_text_, ==, (expected)); \
  } G_STMT_END

/* --- loops.  On the thread-default context, else the default one. */
typedef gboolean (*AexTestDone) (gpointer data);

void     aex_test_iterate_until   (AexTestDone done, gpointer data);
void     aex_test_run_until_done  (AexPending *pending);
void     aex_test_drain           (void);       /* what is ready, without waiting */
gboolean aex_test_is_set          (gpointer int_pointer);   /* an atomic int is not 0 */

/* A thread that runs a main context of its own, pushed as thread-default. */
typedef struct _AexLoopThread AexLoopThread;

AexLoopThread *aex_loop_thread_new         (void);
void           aex_loop_thread_free        (AexLoopThread *self);
void           aex_loop_thread_call        (AexLoopThread *self, GFunc func, gpointer first, gpointer second);
GMainContext  *aex_loop_thread_get_context (AexLoopThread *self);
GThread       *aex_loop_thread_get_thread  (AexLoopThread *self);

/* Runs a function to its end in a thread that has nothing of its own. */
void     aex_test_in_thread       (GThreadFunc func, gpointer data);
/* The same with a stack of 256 KiB. */
void     aex_test_in_small_stack  (GThreadFunc func, gpointer data);

/* --- virtual time.  Switched off again at the end of each test. */
typedef struct _AexTicker AexTicker;

void       aex_test_virtual_time  (void);
/* For a thread that blocks with a timeout: moves the virtual clock in steps until stopped. */
AexTicker *aex_ticker_start       (gint64 step_us);
void       aex_ticker_stop        (AexTicker *self);

/* --- log.  What our library logs between begin and end is kept and not printed. */
typedef struct
{
  GLogLevelFlags level;
  GHashTable    *fields;      /* name -> text */
} AexLogEntry;

void        aex_test_log_begin      (void);
GPtrArray  *aex_test_log_end        (void);     /* full */
const char *aex_log_entry_get       (GPtrArray *log, guint index, const char *field);

/* --- executors and pendings */
AexExecutor *aex_test_pool          (guint max_workers);
gboolean     aex_test_is_on         (AexExecutor *executor);   /* the calling thread is one of its own */
void         aex_test_shutdown      (AexExecutor *executor);   /* drains, waits, drops the reference */
/* A GObject whose "disposed" flag can be read after its death. */
GObject     *aex_test_object_new    (int *disposed);
/* Takes the reference and asserts that it was the last. */
void         aex_assert_last_unref  (gpointer object);

#define aex_assert_state(pending, STATE) \
  g_assert_cmpint (aex_pending_get_state (pending), ==, AEX_PENDING_STATE_##STATE)

#define aex_assert_failed_with(pending, domain, code) \
  G_STMT_START { \
    g_autoptr (GError) aex_error_ = aex_pending_dup_error (pending); \
    g_assert_error (aex_error_, domain, (int) (code)); \
  } G_STMT_END

#define aex_assert_cancelled(pending) \
  G_STMT_START { \
    aex_assert_state (pending, CANCELLED); \
    aex_assert_failed_with (pending, G_IO_ERROR, G_IO_ERROR_CANCELLED); \
  } G_STMT_END

#define aex_assert_resolved_int64(pending, expected) \
  G_STMT_START { \
    g_autoptr (GError) aex_error_ = NULL; \
    gint64 aex_value_ = aex_pending_get_int64 (pending, &aex_error_); \
    g_assert_no_error (aex_error_); \
    g_assert_cmpint (aex_value_, ==, (expected)); \
  } G_STMT_END

G_END_DECLS
