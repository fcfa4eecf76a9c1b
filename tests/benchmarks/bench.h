/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <asyncexec.h>

G_BEGIN_DECLS

/* One measured run of one row by one peer.  The function does n operations and
 * says which part of it counts; what it sets up and verifies is outside. */
typedef struct
{
  guint  n;
  guint  variant;

  gint64 wall_start;
  gint64 cpu_start;
  gint64 wall_ns;
  gint64 cpu_ns;
  double bytes;         /* for each object; 0: not measured */
  gboolean failed;
} BenchRun;

typedef void (*BenchFunc) (BenchRun *run);

typedef struct
{
  const char *row;
  const char *peer;     /* "asyncexec" is ours */
  guint       n;
  BenchFunc   func;
  guint       variant;  /* passed on to func */
  const char *fresh;    /* in a process of its own, with this NAME=VALUE in its environment ("": none) */
} BenchCase;

#define BENCH_OURS "asyncexec"

void   bench_start  (BenchRun *run);
void   bench_stop   (BenchRun *run);
void   bench_expect (BenchRun *run, guint64 got, guint64 expected, const char *what);
gint64 bench_rss_kb (void);

/* Blocks until somebody says so. */
typedef struct
{
  GMutex   lock;
  GCond    cond;
  gboolean open;
} BenchGate;

void   bench_gate_init  (BenchGate *gate);
void   bench_gate_clear (BenchGate *gate);
void   bench_gate_open  (BenchGate *gate);
void   bench_gate_wait  (BenchGate *gate);

/* Counts on many threads without a shared line.  Reset and sum only while no
 * other thread counts. */
void    bench_tally_add   (void);
void    bench_tally_reset (void);
guint64 bench_tally_sum   (void);

extern const BenchCase bench_pool_cases[];
extern const BenchCase bench_loop_cases[];
extern const BenchCase bench_size_cases[];

G_END_DECLS
