/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A hierarchical timing wheel after G. Varghese and T. Lauck, "Hashed and Hierarchical Timing
 * Wheels: Data Structures for the Efficient Implementation of a Timer Facility", SOSP 1987.
 *
 * Ten levels of 64 slots.  A slot of level L spans 64^L ticks, so the ten reach past the end of
 * gint64 and no delay is a special case.  A slot is a chain of blocks that hold entries by value:
 * adding is one store into a warm block, where a linked list would miss the cache for every timer.
 *
 * Where an entry is put depends on the distance of its tick from the current one alone:
 *
 *   level 0        0 <= distance < 64
 *   level L >= 1   64^L <= distance < 64^(L+1)
 *
 * An exact lap of a level thus belongs to the next one.  Counted in slots of its level the distance
 * is 0..63 on level 0 but 1..64 above: seen from the middle of a slot, less than a lap can end in
 * the slot with the index of the current one.  That is no clash: what was in the current slot was
 * spread over the levels below when the wheel entered it.
 *
 * The wheel stops at the first tick of every occupied slot.  All lower digits (base 64) of the
 * current tick are 0 there, so that spreading only looks at the digits of the entries.
 *
 * Order: distances shrink, so of two entries of one tick the older is on the same level as the
 * younger or on a higher one.  What comes down goes in front of what it meets, nearest level first;
 * a chain of blocks does that with two pointers, without a sequence number in every entry. */

#include "base/aex-timers-private.h"

#define TICK_SHIFT   8
#define TICK_MASK    (AEX_TIMERS_TICK_US - 1)
#define DIGIT_BITS   6
#define N_SLOTS      (1 << DIGIT_BITS)
#define SLOT_MASK    (N_SLOTS - 1)
#define N_LEVELS     10

#define BIT(index)   (G_GUINT64_CONSTANT (1) << (index))

/* Blocks double along a chain: little memory for a lone timer, few allocations for a crowd. */
#define MIN_BLOCK    4
#define MAX_BLOCK    256

/* Below this, clearing and summing up 256 counters costs more than it saves. */
#define MIN_COUNTING 8

#define MIN_COMPACT  64

G_STATIC_ASSERT ((1 << TICK_SHIFT) == AEX_TIMERS_TICK_US);
G_STATIC_ASSERT (N_LEVELS * DIGIT_BITS + TICK_SHIFT >= 63);

typedef struct _Block Block;

struct _Block
{
  Block         *next;
  guint          n;
  guint          size;
  AexTimerEntry  entries[];
};

/* No block of a chain is empty, but any may be partly filled. */
typedef struct
{
  Block  *head;
  Block  *tail;
  gint64  min_us;               /* earliest deadline, exactly */
} Slot;

/* The content of a slot is valid only while its bit is set. */
typedef struct
{
  guint64 occupied;
  Slot    slots[N_SLOTS];
} Level;

struct _AexTimers
{
  guint64 tick;                 /* where the wheel stands; never goes back */
  guint64 refresh_tick;         /* aex_timers_add() looks after tick when now is beyond this */
  gint64  next_us;              /* earliest deadline; G_MAXINT64 when empty */
  gsize   length;
  gsize   n_dead;               /* noted since the last compaction, or since it was empty */
  guint   levels_used;          /* bit L: levels[L].occupied is not 0 */
  Level   levels[N_LEVELS];
};

static inline guint64
tick_of (gint64 time_us)
{
  return time_us > 0 ? (guint64) time_us >> TICK_SHIFT : 0;
}

static inline guint
digit_of (guint64 tick, guint level)
{
  return (tick >> (level * DIGIT_BITS)) & SLOT_MASK;
}

static Block *
block_new (guint size)
{
  Block *block = g_malloc (sizeof (Block) + size * sizeof (AexTimerEntry));

  *block = (Block) { .size = size };

  return block;
}

static void
chain_free (Block *block)
{
  while (block != NULL)
    {
      Block *done = block;

      block = block->next;
      g_free (done);
    }
}

static G_GNUC_NO_INLINE void
slot_grow (Slot *slot)
{
  Block *block = block_new (MIN (slot->tail->size * 2, MAX_BLOCK));

  slot->tail->next = block;
  slot->tail = block;
}

static inline void
level_append (Level *level, guint index, const AexTimerEntry *entry)
{
  Slot *slot = &level->slots[index];

  if (G_UNLIKELY ((level->occupied & BIT (index)) == 0))
    {
      level->occupied |= BIT (index);
      slot->head = slot->tail = block_new (MIN_BLOCK);
      slot->min_us = entry->deadline_us;
    }
  else if (G_UNLIKELY (slot->tail->n == slot->tail->size))
    slot_grow (slot);

  slot->tail->entries[slot->tail->n++] = *entry;
  slot->min_us = MIN (slot->min_us, entry->deadline_us);
}

static void
level_prepend (Level *level, guint index, const Slot *older)
{
  Slot *slot = &level->slots[index];

  if ((level->occupied & BIT (index)) == 0)
    {
      level->occupied |= BIT (index);
      *slot = *older;
      return;
    }

  older->tail->next = slot->head;
  slot->head = older->head;
  slot->min_us = MIN (slot->min_us, older->min_us);
}

/* Takes the chain of a slot out and leaves the slot empty. */
static Block *
steal_slot (AexTimers *self, guint level, guint index)
{
  self->levels[level].occupied &= ~BIT (index);
  if (self->levels[level].occupied == 0)
    self->levels_used &= ~BIT (level);

  return self->levels[level].slots[index].head;
}

/* The first occupied slot of a level, seen from the current tick, and where it begins. */
static guint
first_slot (AexTimers *self, guint level, guint64 *begin)
{
  guint64 position = self->tick >> (level * DIGIT_BITS);
  guint64 occupied = self->levels[level].occupied;
  guint first = level == 0 ? 0 : 1;
  guint turn = (position + first) & SLOT_MASK;
  guint64 turned = turn == 0 ? occupied : occupied >> turn | occupied << (N_SLOTS - turn);

  position += first + (guint) __builtin_ctzll (turned);
  *begin = position << (level * DIGIT_BITS);

  return position & SLOT_MASK;
}

static guint64
first_begin (AexTimers *self)
{
  guint64 earliest = G_MAXUINT64;

  for (guint used = self->levels_used; used != 0; used &= used - 1)
    {
      guint64 begin;

      first_slot (self, __builtin_ctz (used), &begin);
      earliest = MIN (earliest, begin);
    }

  return earliest;
}

/* The levels overlap in time, but within one the first occupied slot holds the earliest entry. */
static void
update_next (AexTimers *self)
{
  gint64 next = G_MAXINT64;

  for (guint used = self->levels_used; used != 0; used &= used - 1)
    {
      guint level = __builtin_ctz (used);
      guint64 begin;
      guint index = first_slot (self, level, &begin);

      next = MIN (next, self->levels[level].slots[index].min_us);
    }

  self->next_us = next;
}

static inline void
place (AexTimers *self, const AexTimerEntry *entry)
{
  guint64 when = tick_of (entry->deadline_us);
  guint64 distance;
  guint level;

  /* What is late joins the current tick; the sort at collection puts it in front. */
  when = MAX (when, self->tick);
  distance = when - self->tick;
  level = distance < N_SLOTS ? 0 : (63 - (guint) __builtin_clzll (distance)) / DIGIT_BITS;

  level_append (&self->levels[level], digit_of (when, level), entry);
  self->levels_used |= BIT (level);
}

/* Spreads a slot of the given level, entered at its first tick, over all levels below. */
static void
spread (AexTimers *self, guint level, Block *chain)
{
  while (chain != NULL)
    {
      Level parts;

      level--;
      parts.occupied = 0;

      while (chain != NULL)
        {
          Block *next = chain->next;

          for (guint i = 0; i < chain->n; i++)
            {
              const AexTimerEntry *entry = &chain->entries[i];

              level_append (&parts, digit_of (tick_of (entry->deadline_us), level), entry);
            }

          g_free (chain);
          chain = next;
        }

      /* Digit 0 is the slot that the wheel is in, which has to be empty above level 0. */
      if (level > 0 && (parts.occupied & BIT (0)) != 0)
        {
          chain = parts.slots[0].head;
          parts.occupied &= ~BIT (0);
        }

      for (guint64 left = parts.occupied; left != 0; left &= left - 1)
        {
          guint index = __builtin_ctzll (left);

          level_prepend (&self->levels[level], index, &parts.slots[index]);
          self->levels_used |= BIT (level);
        }
    }
}

/* Moves the wheel on, at most to the beginning of the first occupied slot. */
static void
enter (AexTimers *self, guint64 tick)
{
  guint64 changed = self->tick ^ tick;

  self->tick = tick;

  /* From the lowest level up: what a higher one spreads is older and must end up in front. */
  for (guint level = 1; level < N_LEVELS && changed >> (level * DIGIT_BITS) != 0; level++)
    {
      guint index = digit_of (tick, level);

      if ((self->levels[level].occupied & BIT (index)) != 0)
        spread (self, level, steal_slot (self, level, index));
    }
}

/* Brings the wheel to the present as far as nothing is in the way.  Entries are placed by their
 * distance from it: after a quiet hour all timers of the next second would share one slot of a high
 * level, to be spread in one go. */
static G_GNUC_NO_INLINE void
advance (AexTimers *self, guint64 tick)
{
  guint64 target = MIN (tick, tick_of (self->next_us));

  while (self->tick < target)
    enter (self, MIN (first_begin (self), target));

  self->refresh_tick = tick + N_SLOTS;
}

/* Entries of one tick differ in the low byte of their deadlines only. */
static void
sort_one_tick (AexTimerEntry *entries, gsize n)
{
  g_autofree AexTimerEntry *unsorted = g_memdup2 (entries, n * sizeof (AexTimerEntry));
  gsize starts[AEX_TIMERS_TICK_US] = { 0, };
  gsize sum = 0;

  for (gsize i = 0; i < n; i++)
    starts[entries[i].deadline_us & TICK_MASK]++;

  for (guint i = 0; i < G_N_ELEMENTS (starts); i++)
    {
      gsize count = starts[i];

      starts[i] = sum;
      sum += count;
    }

  for (gsize i = 0; i < n; i++)
    entries[starts[unsorted[i].deadline_us & TICK_MASK]++] = unsorted[i];
}

static int
compare_deadlines (gconstpointer a, gconstpointer b, gpointer user_data G_GNUC_UNUSED)
{
  gint64 first = ((const AexTimerEntry *) a)->deadline_us;
  gint64 second = ((const AexTimerEntry *) b)->deadline_us;

  return (first > second) - (first < second);
}

static void
sort_stable (AexTimerEntry *entries, gsize n)
{
  guint64 differ = 0;
  gboolean sorted = TRUE;

  for (gsize i = 1; i < n; i++)
    {
      differ |= (guint64) entries[i].deadline_us ^ (guint64) entries[0].deadline_us;
      sorted &= entries[i - 1].deadline_us <= entries[i].deadline_us;
    }

  /* Equal delays, the common case, were added in their order. */
  if (sorted)
    return;

  if (n >= MIN_COUNTING && differ <= TICK_MASK)
    sort_one_tick (entries, n);
  else
    g_qsort_with_data (entries, (int) n, sizeof (AexTimerEntry), compare_deadlines, NULL);
}

/* Moves the entries that match to out and packs the others; returns how many were moved. */
static gsize
filter_slot (AexTimers           *self,
             guint                level,
             guint                index,
             AexTimersIsDeadFunc  match,
             gpointer             user_data,
             GArray              *out)
{
  Slot *slot = &self->levels[level].slots[index];
  Block *write = slot->head;
  guint kept = 0;
  gsize moved = 0;
  gint64 min_us = G_MAXINT64;

  for (Block *read = slot->head; read != NULL; read = read->next)
    for (guint i = 0, n = read->n; i < n; i++)
      {
        const AexTimerEntry *entry = &read->entries[i];

        if (match (entry, user_data))
          {
            g_array_append_vals (out, entry, 1);
            moved++;
            continue;
          }

        /* The blocks written are full to their size and thus never ahead of the one being read. */
        if (kept == write->size)
          {
            write->n = kept;
            write = write->next;
            kept = 0;
          }
        min_us = MIN (min_us, entry->deadline_us);
        write->entries[kept++] = *entry;
      }

  if (kept == 0)
    {
      /* Nothing at all: a block is left only for an entry that needs the next. */
      chain_free (steal_slot (self, level, index));
      return moved;
    }

  write->n = kept;
  chain_free (g_steal_pointer (&write->next));
  slot->tail = write;
  slot->min_us = min_us;

  return moved;
}

static gboolean
is_due (const AexTimerEntry *entry, gpointer user_data)
{
  return entry->deadline_us <= *(gint64 *) user_data;
}

static void
collect_current (AexTimers *self, gint64 now_us, GArray *out)
{
  guint index = digit_of (self->tick, 0);
  const Slot *slot = &self->levels[0].slots[index];
  guint before = out->len;

  if ((self->levels[0].occupied & BIT (index)) == 0 || slot->min_us > now_us)
    return;

  if (tick_of (now_us) > self->tick)
    {
      Block *chain = steal_slot (self, 0, index);

      for (Block *block = chain; block != NULL; block = block->next)
        g_array_append_vals (out, block->entries, block->n);
      chain_free (chain);
    }
  else
    filter_slot (self, 0, index, is_due, &now_us, out);

  sort_stable (&g_array_index (out, AexTimerEntry, before), out->len - before);
}

AexTimers *
aex_timers_new (gint64 now_us)
{
  AexTimers *self = g_new0 (AexTimers, 1);

  self->tick = tick_of (now_us);
  self->refresh_tick = self->tick + N_SLOTS;
  self->next_us = G_MAXINT64;

  return self;
}

void
aex_timers_free (AexTimers *self, AexTimersDropFunc drop, gpointer user_data)
{
  g_return_if_fail (self != NULL);

  for (guint level = 0; level < N_LEVELS; level++)
    for (guint64 left = self->levels[level].occupied; left != 0; left &= left - 1)
      {
        Block *chain = self->levels[level].slots[__builtin_ctzll (left)].head;

        for (Block *block = chain; block != NULL && drop != NULL; block = block->next)
          for (guint i = 0; i < block->n; i++)
            drop (&block->entries[i], user_data);
        chain_free (chain);
      }

  g_free (self);
}

void
aex_timers_add (AexTimers *self, const AexTimerEntry *entry, gint64 now_us)
{
  guint64 tick = tick_of (now_us);

  /* Now and then is enough while there are entries; an empty store is moved for nothing. */
  if (G_UNLIKELY (tick >= self->refresh_tick || (self->length == 0 && tick > self->tick)))
    advance (self, tick);

  place (self, entry);
  self->length++;
  self->next_us = MIN (self->next_us, entry->deadline_us);
}

gsize
aex_timers_get_length (AexTimers *self)
{
  return self->length;
}

gint64
aex_timers_get_next (AexTimers *self)
{
  return self->length == 0 ? -1 : MAX (self->next_us, 0);
}

gsize
aex_timers_take_due (AexTimers *self, gint64 now_us, GArray *out)
{
  guint before = out->len;
  guint64 tick = tick_of (now_us);

  g_return_val_if_fail (g_array_get_element_size (out) == sizeof (AexTimerEntry), 0);

  if (self->length == 0 || now_us < self->next_us)
    {
      /* A crowded slot is better spread on its edge than when its first timer is due. */
      if (tick > self->tick)
        advance (self, tick);
      return 0;
    }

  collect_current (self, now_us, out);
  while (self->tick < tick)
    {
      enter (self, MIN (first_begin (self), tick));
      collect_current (self, now_us, out);
    }

  self->length -= out->len - before;
  self->refresh_tick = self->tick + N_SLOTS;
  if (self->length == 0)
    self->n_dead = 0;
  update_next (self);

  return out->len - before;
}

void
aex_timers_note_dead (AexTimers *self)
{
  self->n_dead++;
}

/* A dead entry that was taken stays counted.  That can cause a compaction too many, but each goes
 * through fewer than two entries for every call of note_dead() since the last. */
gboolean
aex_timers_compact_if_needed (AexTimers           *self,
                              AexTimersIsDeadFunc  is_dead,
                              gpointer             user_data,
                              GArray              *dead)
{
  g_return_val_if_fail (g_array_get_element_size (dead) == sizeof (AexTimerEntry), FALSE);

  if (self->length < MIN_COMPACT || self->n_dead <= self->length / 2)
    return FALSE;

  for (guint level = 0; level < N_LEVELS; level++)
    for (guint64 left = self->levels[level].occupied; left != 0; left &= left - 1)
      self->length -= filter_slot (self, level, __builtin_ctzll (left), is_dead, user_data, dead);

  self->n_dead = 0;
  update_next (self);

  return TRUE;
}

