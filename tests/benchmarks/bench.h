/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What a row may say beside its time. */
typedef enum
{
  BENCH_BYTES,          /* for each object */
  BENCH_LATE_P99_MS,    /* how late the 99th of 100 timers was */
  BENCH_FIRED_MS,       /* until the last timer had fired */
  BENCH_FRAMES,         /* that were drawn in the time */
  BENCH_CANCEL_NS,      /* to cancel all, for each */
  BENCH_N_EXTRAS
} BenchExtra;

/* One measured run of one row by one peer.  The function does n operations and
 * says which part of it counts; what it sets up and verifies is outside. */
typedef struct
{
  guint    n;
  guint    variant;

  gint64   wall_start;
  gint64   cpu_start;
  gint64   wall_ns;
  gint64   cpu_ns;
  double   extras[BENCH_N_EXTRAS];    /* 0: not measured */
  gboolean failed;
} BenchRun;

typedef void (*BenchFunc) (BenchRun *run);

typedef struct
{
  const char *row;
  const char *peer;
  guint       n;
  BenchFunc   func;
  guint       variant;  /* passed on to func */
  const char *fresh;    /* in a process of its own, with this NAME=VALUE in its environment ("": none) */
} BenchCase;

#define BENCH_OURS    "asyncexec"
#define BENCH_WORKERS 2

void    bench_start    (BenchRun *run);
void    bench_stop     (BenchRun *run);
void    bench_stop_cpu (BenchRun *run);     /* processor time goes on after bench_stop(), until this */
void    bench_expect   (BenchRun *run, guint64 got, guint64 expected, const char *what);
gint64  bench_rss_kb   (void);
gint64  bench_now_ns   (void);

/* Blocks until somebody says so. */
typedef struct
{
  GMutex   lock;
  GCond    cond;
  gboolean open;
} BenchGate;

void    bench_gate_init  (BenchGate *gate);
void    bench_gate_clear (BenchGate *gate);
void    bench_gate_open  (BenchGate *gate);
void    bench_gate_wait  (BenchGate *gate);

/* Counts on many threads without a shared line.  Reset and sum only while no
 * other thread counts. */
void    bench_tally_add   (void);
void    bench_tally_reset (void);
guint64 bench_tally_sum   (void);

/* ---- bench-map.c: the function of B13 */
guint64 bench_item        (guint index);                          /* about a microsecond of work */
void    bench_check_items (BenchRun *run, const guint64 *results);
#define BENCH_CHUNK 1000

/* ---- what was measured, of all repetitions */
typedef struct
{
  char    *row;
  char    *peer;
  guint    n;
  guint    reps;
  double   median_ns;       /* for one operation */
  double   min_ns;
  double   max_ns;
  double   cpu_ns;          /* median */
  gint64   rss_kb;          /* the highest */
  double   extras[BENCH_N_EXTRAS];    /* medians */
} BenchResult;

extern const char * const bench_extra_names[BENCH_N_EXTRAS];

void     bench_result_free    (BenchResult *self);

/* ---- bench-bars.c: prints how the rows of asyncexec compare with what is demanded; FALSE: a bar is missed.  json:
 * one object a line, and what is for people goes to stderr. */
gboolean bench_bars_print     (GPtrArray *results, gboolean json);

/* ---- bench-script.c: rows that Python measures, added to results; FALSE: something failed */
typedef gboolean (*BenchFilter) (const char *row, const char *peer);
typedef void     (*BenchAdd)    (BenchResult *result);
gboolean bench_script_run     (BenchFilter wanted, guint reps, gboolean quick, BenchAdd add);

extern const BenchCase bench_pool_cases[];
extern const BenchCase bench_loop_cases[];
extern const BenchCase bench_timer_cases[];
extern const BenchCase bench_group_cases[];
extern const BenchCase bench_map_cases[];
extern const BenchCase bench_frame_cases[];
extern const BenchCase bench_size_cases[];
extern const BenchCase bench_openmp_cases[];    /* #ifdef BENCH_OPENMP */
extern const BenchCase bench_tbb_cases[];       /* #ifdef BENCH_TBB */
extern const BenchCase bench_uv_cases[];        /* #ifdef BENCH_UV */

G_END_DECLS
