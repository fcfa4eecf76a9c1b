/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The timer store against an oracle that shares nothing with it: a binary heap of (deadline, serial
 * number).  Time is a number here; nothing sleeps. */

#include "base/aex-timers-private.h"

#define TICK     AEX_TIMERS_TICK_US
#define SECOND   G_TIME_SPAN_SECOND
#define YEAR     (365 * G_TIME_SPAN_DAY)

/* Not a multiple of anything inside the wheel. */
#define START    (G_GINT64_CONSTANT (987654321) * 1000 + 77)

enum { ENTRY_LIVE, ENTRY_DEAD, ENTRY_GONE };

typedef struct {
  gint64 deadline_us;
  gsize  serial;
} OracleItem;

typedef struct {
  AexTimers  *timers;
  gint64      now_us;
  GArray     *heap;             /* OracleItem; what is gone stays until it comes to the top */
  GByteArray *states;           /* ENTRY_... by serial number */
  gsize       n_stored, n_dead;
  GArray     *out;
} Model;

#define TOP(model)     g_array_index ((model)->heap, OracleItem, 0)
#define OUT(model, i)  g_array_index ((model)->out, AexTimerEntry, i)

static gboolean
oracle_less (const OracleItem *a, const OracleItem *b)
{
  return a->deadline_us != b->deadline_us ? a->deadline_us < b->deadline_us : a->serial < b->serial;
}

static void
oracle_push (GArray *heap, OracleItem item)
{
  OracleItem *items;
  guint i = heap->len;

  g_array_append_val (heap, item);
  items = (OracleItem *) (gpointer) heap->data;

  for (; i > 0 && oracle_less (&item, &items[(i - 1) / 2]); i = (i - 1) / 2)
    items[i] = items[(i - 1) / 2];
  items[i] = item;
}

static OracleItem
oracle_pop (GArray *heap)
{
  OracleItem *items = (OracleItem *) (gpointer) heap->data;
  OracleItem top, last;
  guint i = 0;

  g_assert_cmpuint (heap->len, >, 0);
  top = items[0];
  last = items[heap->len - 1];
  g_array_set_size (heap, heap->len - 1);
  if (heap->len == 0)
    return top;

  for (guint child; (child = 2 * i + 1) < heap->len; i = child)
    {
      if (child + 1 < heap->len && oracle_less (&items[child + 1], &items[child]))
        child++;
      if (!oracle_less (&items[child], &last))
        break;
      items[i] = items[child];
    }
  items[i] = last;
  return top;
}

static Model
model_at (gint64 now_us)
{
  return (Model) {
    .timers = aex_timers_new (now_us),
    .now_us = now_us,
    .heap = g_array_new (FALSE, FALSE, sizeof (OracleItem)),
    .states = g_byte_array_new (),
    .out = g_array_new (FALSE, FALSE, sizeof (AexTimerEntry)),
  };
}

static void
model_clear (Model *model)
{
  aex_timers_free (model->timers, NULL, NULL);
  g_array_unref (model->heap);
  g_byte_array_unref (model->states);
  g_array_unref (model->out);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Model, model_clear)

/* The words of the owner must come back as they went in. */
static void
model_add (Model *model, gint64 deadline_us)
{
  gsize serial = model->states->len;
  AexTimerEntry entry = { deadline_us, model, (gpointer) serial, (gpointer) ~serial };

  g_byte_array_append (model->states, &(guint8) { ENTRY_LIVE }, 1);
  oracle_push (model->heap, (OracleItem) { deadline_us, serial });
  aex_timers_add (model->timers, &entry, model->now_us);
  model->n_stored++;
}

static void
model_entry_gone (Model *model, const AexTimerEntry *entry)
{
  gsize serial = GPOINTER_TO_SIZE (entry->data);

  g_assert_true (entry->func == model);
  g_assert_true (entry->extra == (gpointer) ~serial);
  g_assert_cmpuint (serial, <, model->states->len);
  g_assert_cmpint (model->states->data[serial], !=, ENTRY_GONE);

  if (model->states->data[serial] == ENTRY_DEAD)
    model->n_dead--;
  model->states->data[serial] = ENTRY_GONE;
  model->n_stored--;
}

static void
model_check (Model *model)
{
  while (model->heap->len > 0 && model->states->data[TOP (model).serial] == ENTRY_GONE)
    oracle_pop (model->heap);

  g_assert_cmpint (aex_timers_get_next (model->timers), ==,
                   model->heap->len > 0 ? MAX (TOP (model).deadline_us, 0) : -1);
  g_assert_cmpuint (aex_timers_get_length (model->timers), ==, model->n_stored);
}

/* Takes, and compares each entry and the end of the batch with the oracle. */
static gsize
model_take (Model *model, gint64 now_us)
{
  gsize n;

  model->now_us = now_us;
  g_array_set_size (model->out, 0);
  n = aex_timers_take_due (model->timers, now_us, model->out);
  g_assert_cmpuint (n, ==, model->out->len);

  for (guint i = 0; i < model->out->len; i++)
    {
      const AexTimerEntry *entry = &OUT (model, i);
      OracleItem item;

      do
        item = oracle_pop (model->heap);
      while (model->states->data[item.serial] == ENTRY_GONE);

      g_assert_cmpint (entry->deadline_us, <=, now_us);
      g_assert_cmpuint (GPOINTER_TO_SIZE (entry->data), ==, item.serial);
      g_assert_cmpint (entry->deadline_us, ==, item.deadline_us);
      model_entry_gone (model, entry);
    }

  model_check (model);
  if (model->heap->len > 0)
    g_assert_cmpint (TOP (model).deadline_us, >, now_us);
  return n;
}

static void
model_cancel (Model *model, gsize serial)
{
  if (model->states->data[serial] == ENTRY_LIVE)
    {
      model->states->data[serial] = ENTRY_DEAD;
      model->n_dead++;
      aex_timers_note_dead (model->timers);
    }
}

static gboolean
entry_is_dead (const AexTimerEntry *entry, gpointer user_data)
{
  Model *model = user_data;

  return model->states->data[GPOINTER_TO_SIZE (entry->data)] == ENTRY_DEAD;
}

static gboolean
model_compact (Model *model)
{
  gboolean compacted;

  g_array_set_size (model->out, 0);
  compacted = aex_timers_compact_if_needed (model->timers, entry_is_dead, model, model->out);

  for (guint i = 0; i < model->out->len; i++)
    {
      g_assert_true (entry_is_dead (&OUT (model, i), model));
      model_entry_gone (model, &OUT (model, i));
    }

  g_assert_cmpuint (compacted ? model->n_dead : model->out->len, ==, 0);
  model_check (model);
  return compacted;
}

static gint64
random_bits (guint bits)
{
  guint64 value = (guint64) g_test_rand_int () << 32 | (guint32) g_test_rand_int ();

  return bits == 0 ? 0 : (gint64) (value >> (64 - bits));
}

static void
test_order (void)
{
  g_auto (Model) model = model_at (START);

  model_check (&model);
  g_assert_cmpuint (model_take (&model, START + YEAR), ==, 0);

  /* Sparse and crowded slots are sorted in different ways. */
  for (guint n = 1; n <= 4096; n *= 4)
    {
      gint64 from = model.now_us;

      for (guint i = 0; i < n; i++)
        model_add (&model, from + random_bits (10));
      g_assert_cmpuint (model_take (&model, from + 1024), ==, n);
    }
}

/* Equal deadlines that were added from every distance lie on every level before they meet. */
static void
test_stable (void)
{
  gint64 deadline = START + 20 * YEAR;
  g_auto (Model) model = model_at (START);

  for (gint64 distance = 20 * YEAR; distance > 0; distance -= distance / 5 + 1)
    {
      g_assert_cmpuint (model_take (&model, deadline - distance), ==, 0);
      for (guint i = 0; i < 3; i++)
        model_add (&model, deadline + (i == 1 ? 1 : 0));
    }

  g_assert_cmpuint (model_take (&model, deadline), >, 100);
  g_assert_cmpuint (model_take (&model, deadline + 1), >, 50);
  g_assert_cmpuint (model.n_stored, ==, 0);
}

/* One timer, looked at a microsecond before its deadline and at it, with or without a stop. */
static void
check_exact (gint64 now_us, gint64 delay_us, gboolean stop)
{
  g_auto (Model) model = model_at (now_us);

  model_add (&model, now_us + delay_us);
  model_check (&model);
  if (delay_us > 0 && stop)
    g_assert_cmpuint (model_take (&model, now_us + delay_us / 3), ==, 0);
  if (delay_us > 0)
    g_assert_cmpuint (model_take (&model, now_us + delay_us - 1), ==, 0);
  g_assert_cmpuint (model_take (&model, now_us + delay_us), ==, 1);
}

/* Each alone, from several places of a lap, and all in one store, to meet on the way down. */
static void
test_lap_boundaries (void)
{
  const gint64 nudges[] = { -TICK - 1, -TICK, -TICK + 1, -1, 0, 1, TICK - 1, TICK, TICK + 1 };
  const guint laps[] = { 1, 62, 63, 64, 65 };
  g_auto (Model) together = model_at (START);
  gint64 lap = TICK;

  /* 65 times 256 us times 64^8 is the last that fits into 63 bits. */
  for (guint level = 0; level <= 8; level++, lap *= 64)
    for (guint l = 0; l < G_N_ELEMENTS (laps); l++)
      for (guint n = 0; n < G_N_ELEMENTS (nudges); n++)
        {
          const gint64 phases[] = { 0, 1, TICK - 1, lap / 2, lap / 64 * 63, lap - TICK, lap - 1 };
          gint64 delay = lap * laps[l] + nudges[n];

          model_add (&together, START + delay);
          for (guint p = 0; p < 2 * G_N_ELEMENTS (phases); p++)
            check_exact (lap + phases[p / 2], delay, p % 2 != 0);
        }

  while (together.n_stored > 0)
    g_assert_cmpuint (model_take (&together, aex_timers_get_next (together.timers)), >, 0);
}

static void
test_past (void)
{
  const gint64 pasts[] = { -1, 0, -TICK, -SECOND, -START, -START - 1, -2 * START, G_MININT64 / 2 };
  g_auto (Model) model = model_at (START);

  for (guint round = 0; round < 3; round++)
    {
      for (guint i = 0; i < G_N_ELEMENTS (pasts); i++)
        model_add (&model, START + pasts[i]);
      model_add (&model, model.now_us + 1);
      model_check (&model);
      g_assert_cmpuint (model_take (&model, model.now_us), ==, G_N_ELEMENTS (pasts));
      g_assert_cmpuint (model_take (&model, model.now_us + 1), ==, 1);
    }

  /* A crowd that is late by anything, mixed with what is due in the current tick. */
  for (guint i = 0; i < 2000; i++)
    model_add (&model, model.now_us + TICK - random_bits (i % 40));
  g_assert_cmpuint (model_take (&model, model.now_us), <, 2000);
  model_take (&model, model.now_us + TICK);
  g_assert_cmpuint (model.n_stored, ==, 0);
}

static void
test_huge_delays (void)
{
  const gint64 ends[] = { G_MAXINT64, G_MAXINT64 - 1, G_MAXINT64 - TICK, G_MAXINT64 / 2 };
  g_auto (Model) model = model_at (START);

  for (gint64 years = 1; years <= 100000; years *= 10)
    check_exact (START, years * YEAR, TRUE);

  for (guint i = 0; i < G_N_ELEMENTS (ends); i++)
    model_add (&model, ends[i]);
  model_add (&model, START + 10 * YEAR);

  g_assert_cmpuint (model_take (&model, START + 10 * YEAR - 1), ==, 0);
  g_assert_cmpuint (model_take (&model, START + 10 * YEAR), ==, 1);
  g_assert_cmpuint (model_take (&model, G_MAXINT64 - 1), ==, 3);
  g_assert_cmpuint (model_take (&model, G_MAXINT64), ==, 1);
}

static void
test_clock_backwards (void)
{
  g_auto (Model) model = model_at (START);

  for (gint64 back = 2; back < SECOND; back *= 3)
    {
      gint64 now = model.now_us + SECOND;

      model_add (&model, now - back);
      model_add (&model, now);
      g_assert_cmpuint (model_take (&model, now - 1), ==, 1);

      /* Behind the wheel by now, but not due on the clock that went back. */
      model.now_us = now - 1 - back;
      model_add (&model, now - back);
      model_add (&model, now - 1);
      g_assert_cmpuint (model_take (&model, now - 1 - back), ==, 0);
      g_assert_cmpuint (model_take (&model, now - back), ==, 1);
      g_assert_cmpuint (model_take (&model, now), ==, 2);
    }
}

/* What the owner says about the time while adding is a hint: stale, none, or after a long sleep. */
static void
test_idle_store (void)
{
  const gint64 hints[] = { 0, START, START + YEAR - SECOND, START + YEAR };

  for (guint h = 0; h < G_N_ELEMENTS (hints); h++)
    for (guint company = 0; company < 3; company++)
      {
        g_auto (Model) model = model_at (START);

        if (company > 0)
          model_add (&model, START + (company == 1 ? 1 : 3 * YEAR));

        model.now_us = hints[h];
        for (guint i = 0; i < 500; i++)
          model_add (&model, START + YEAR + random_bits (20));
        model_check (&model);

        for (gint64 now = START + YEAR; now <= START + YEAR + 2 * SECOND; now += 1000)
          model_take (&model, now);
        g_assert_cmpuint (model.n_stored, ==, company == 2 ? 1 : 0);
      }
}

/* An owner that sleeps until next wakes once per deadline, at the deadline. */
static void
test_sleeping_owner (void)
{
  guint wakeups = 0, n_distinct = 0;
  g_auto (Model) model = model_at (START);

  for (gint64 delay = 1; delay < YEAR; delay += 1 + random_bits (5 + n_distinct / 32))
    {
      n_distinct++;
      for (guint same = 0; same <= n_distinct % 3; same++)
        model_add (&model, START + delay);
    }

  while (model.n_stored > 0)
    {
      gint64 next = aex_timers_get_next (model.timers);

      g_assert_cmpint (next, >, model.now_us);
      g_assert_cmpuint (model_take (&model, next), >, 0);
      g_assert_cmpint (OUT (&model, 0).deadline_us, ==, next);
      wakeups++;
    }

  g_assert_cmpuint (wakeups, ==, n_distinct);
}

/* An owner that rounds its sleep up to a tick: it wakes once per tick and is no later than one. */
static void
test_million (void)
{
  guint wakeups = 0;
  g_auto (Model) model = model_at (START);

  for (guint i = 0; i < 1000000; i++)
    model_add (&model, START + g_test_rand_int_range (0, SECOND));

  while (model.n_stored > 0)
    {
      model_take (&model, (aex_timers_get_next (model.timers) / TICK + 1) * TICK);
      g_assert_cmpint (OUT (&model, 0).deadline_us, >=, model.now_us - TICK);
      wakeups++;
    }

  g_assert_cmpuint (wakeups, <=, SECOND / TICK + 1);
}

static gint64
random_deadline (Model *model)
{
  const gint64 lap = (gint64) TICK << 6 * g_test_rand_int_range (0, 5);

  switch (g_test_rand_int_range (0, 8))
    {
    case 0:
      return model->now_us - random_bits (g_test_rand_int_range (0, 30));
    case 1:
      return model->now_us + lap * g_test_rand_int_range (1, 66) + g_test_rand_int_range (-1, 2);
    case 2:
      return (model->now_us / lap + g_test_rand_int_range (1, 66)) * lap - random_bits (1);
    case 3:
    case 4:
      /* One that is there already: equal deadlines must stay in order. */
      if (model->heap->len > 0)
        return (&TOP (model))[random_bits (31) % model->heap->len].deadline_us;
      return model->now_us;
    default:
      return model->now_us + random_bits (g_test_rand_int_range (0, 46));
    }
}

static gint64
random_now (Model *model)
{
  gint what = g_test_rand_int_range (0, 8);

  if (what == 0)
    return model->now_us - random_bits (g_test_rand_int_range (0, 14));
  if (what <= 2)
    return MAX (model->now_us, aex_timers_get_next (model->timers));
  return model->now_us + random_bits (g_test_rand_int_range (0, what == 3 ? 37 : 16));
}

static void
test_random (void)
{
  g_auto (Model) model = model_at (START);

  for (guint op = 0; op < 100000; op++)
    {
      /* Phases of growing and of shrinking. */
      gboolean growing = op / 5000 % 2 == 0;
      gint what = g_test_rand_int_range (0, 10);

      if (what < (growing ? 7 : 3))
        model_add (&model, random_deadline (&model));
      else if (what < 8 && model.states->len > 0)
        {
          for (guint i = 0; i < 3; i++)
            model_cancel (&model, g_test_rand_int_range (0, model.states->len));
          model_compact (&model);
        }
      else
        model_take (&model, random_now (&model));
      model_check (&model);
    }

  model_take (&model, G_MAXINT64);
  g_assert_cmpuint (model.n_stored + model.n_dead, ==, 0);
}

static void
test_compact_threshold (void)
{
  g_auto (Model) model = model_at (START);

  for (guint i = 0; i < 63; i++)
    model_add (&model, START + SECOND + i);
  for (guint i = 0; i < 63; i++)
    model_cancel (&model, i);
  g_assert_false (model_compact (&model));

  /* 63 of 128 and 64 of 128 are not more than half, 65 are. */
  for (guint i = 63; i < 128; i++)
    model_add (&model, START + SECOND + i);
  g_assert_false (model_compact (&model));
  model_cancel (&model, 63);
  g_assert_false (model_compact (&model));
  model_cancel (&model, 64);
  g_assert_true (model_compact (&model));
  g_assert_cmpuint (model.out->len, ==, 65);
  g_assert_cmpint (aex_timers_get_next (model.timers), ==, START + SECOND + 65);

  /* Counted afresh. */
  g_assert_false (model_compact (&model));
  g_assert_cmpuint (model_take (&model, START + 2 * SECOND), ==, 63);
}

/* On all levels; packed slots go on growing in order, and nothing at all may be left. */
static void
test_compact_keeps_order (void)
{
  g_auto (Model) model = model_at (START);

  for (guint round = 0; round < 4; round++)
    {
      for (guint i = 0; i < 20000; i++)
        model_add (&model, START + 1 + random_bits (i % 50) / 7 * 7);
      for (guint i = 0; i < model.states->len; i++)
        if (i % 5 != round)
          model_cancel (&model, i);
      g_assert_true (model_compact (&model));
    }

  while (model.n_stored > 20)
    model_take (&model, aex_timers_get_next (model.timers) + random_bits (20));

  for (guint i = 0; i < 100; i++)
    model_add (&model, START + YEAR);
  for (guint i = 0; i < model.states->len; i++)
    model_cancel (&model, i);
  g_assert_true (model_compact (&model));
  g_assert_cmpuint (model.n_stored, ==, 0);
}

static void
drop_entry (const AexTimerEntry *entry, gpointer user_data)
{
  model_entry_gone (user_data, entry);
}

static void
test_free_drops_all (void)
{
  g_auto (Model) model = model_at (START);

  for (guint i = 0; i < 10000; i++)
    model_add (&model, START + random_bits (i % 62));
  for (guint i = 0; i < 100; i++)
    model_cancel (&model, i * 7);
  model_take (&model, START + random_bits (40));
  g_assert_cmpuint (model.n_stored, >, 0);

  aex_timers_free (model.timers, drop_entry, &model);
  model.timers = aex_timers_new (START);
  g_assert_cmpuint (model.n_stored + model.n_dead, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/base/timers/order", test_order);
  g_test_add_func ("/base/timers/stable", test_stable);
  g_test_add_func ("/base/timers/lap-boundaries", test_lap_boundaries);
  g_test_add_func ("/base/timers/past", test_past);
  g_test_add_func ("/base/timers/huge-delays", test_huge_delays);
  g_test_add_func ("/base/timers/clock-backwards", test_clock_backwards);
  g_test_add_func ("/base/timers/idle-store", test_idle_store);
  g_test_add_func ("/base/timers/sleeping-owner", test_sleeping_owner);
  g_test_add_func ("/base/timers/million", test_million);
  g_test_add_func ("/base/timers/random", test_random);
  g_test_add_func ("/base/timers/compact-threshold", test_compact_threshold);
  g_test_add_func ("/base/timers/compact-keeps-order", test_compact_keeps_order);
  g_test_add_func ("/base/timers/free-drops-all", test_free_drops_all);

  return g_test_run ();
}
