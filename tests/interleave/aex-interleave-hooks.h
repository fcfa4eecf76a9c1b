/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Put by the compiler in front of every source of the library that the interleaving tests link: each atomic operation asks
 * the scheduler first, which may let another thread go on before it.  Functions (locks, conditions, references,
 * descriptors) are caught by the linker, see aex-interleave-hooks.c.  For GCC only, whose builtins take any type. */
#pragma once

#include <stdatomic.h>

void aex_hook_read    (const volatile void *address);
void aex_hook_write   (const volatile void *address);
void aex_hook_add     (const volatile void *address);   /* commutes with others of its kind */
void aex_hook_written (const volatile void *address);   /* what is not atomic may follow: others may come before it */

/* A name is not expanded inside its own expansion: the last one is the builtin.  The operands may ask the scheduler
 * themselves, so they come first.  GLib's macros use these names too. */
#define __atomic_load(p, r, o)    (aex_hook_read (p), __atomic_load (p, r, o))
#define __atomic_load_n(p, o)     (aex_hook_read (p), __atomic_load_n (p, o))
#define __atomic_store(p, v, o)   (aex_hook_write (p), __atomic_store (p, v, o), aex_hook_written (p))
#define __atomic_store_n(p, v, o) \
  ({ __auto_type aex_store_ = (v); aex_hook_write (p); __atomic_store_n (p, aex_store_, o); aex_hook_written (p); })
#define AEX_HOOK_CHANGE(call, name, p, v) \
  ({ __auto_type name = (v); aex_hook_write (p); __auto_type name##old_ = call; aex_hook_written (p); name##old_; })
#define __atomic_exchange_n(p, v, o) AEX_HOOK_CHANGE (__atomic_exchange_n (p, aex_swap_, o), aex_swap_, p, v)
#define __atomic_fetch_sub(p, v, o)  AEX_HOOK_CHANGE (__atomic_fetch_sub (p, aex_sub_, o), aex_sub_, p, v)
#define __atomic_fetch_or(p, v, o)   AEX_HOOK_CHANGE (__atomic_fetch_or (p, aex_or_, o), aex_or_, p, v)
#define __atomic_fetch_and(p, v, o)  AEX_HOOK_CHANGE (__atomic_fetch_and (p, aex_and_, o), aex_and_, p, v)
#define __atomic_compare_exchange_n(p, e, v, w, s, f) \
  AEX_HOOK_CHANGE (__atomic_compare_exchange_n (p, e, aex_new_, w, s, f), aex_new_, p, v)
/* A relaxed addition takes a reference or a number: nobody decides by the order of two of them. */
#define __atomic_fetch_add(p, v, o) \
  ({ __auto_type aex_sum_ = (v); (o) == __ATOMIC_RELAXED ? aex_hook_add (p) : aex_hook_write (p); \
     __atomic_fetch_add (p, aex_sum_, o); })

#undef atomic_load_explicit
#undef atomic_store_explicit
#undef atomic_exchange_explicit
#undef atomic_compare_exchange_strong_explicit
#undef atomic_compare_exchange_weak_explicit
#undef atomic_fetch_add_explicit
#undef atomic_fetch_sub_explicit
#undef atomic_fetch_or_explicit
#undef atomic_fetch_and_explicit
#define atomic_load_explicit(p, o)         __atomic_load_n (p, o)
#define atomic_store_explicit(p, v, o)     __atomic_store_n (p, v, o)
#define atomic_exchange_explicit(p, v, o)  __atomic_exchange_n (p, v, o)
#define atomic_compare_exchange_strong_explicit(p, e, v, s, f)  __atomic_compare_exchange_n (p, e, v, 0, s, f)
#define atomic_compare_exchange_weak_explicit(p, e, v, s, f)    __atomic_compare_exchange_n (p, e, v, 1, s, f)
#define atomic_fetch_add_explicit(p, v, o) __atomic_fetch_add (p, v, o)
#define atomic_fetch_sub_explicit(p, v, o) __atomic_fetch_sub (p, v, o)
#define atomic_fetch_or_explicit(p, v, o)  __atomic_fetch_or (p, v, o)
#define atomic_fetch_and_explicit(p, v, o) __atomic_fetch_and (p, v, o)

/* Nobody else knows it yet. */
#undef atomic_init
#define atomic_init(p, v) (*(p) = (v))

#undef atomic_load
#undef atomic_store
#undef atomic_exchange
#undef atomic_compare_exchange_strong
#undef atomic_compare_exchange_weak
#undef atomic_fetch_add
#undef atomic_fetch_sub
#undef atomic_fetch_or
#undef atomic_fetch_and
#define atomic_load(p)         __atomic_load_n (p, __ATOMIC_SEQ_CST)
#define atomic_store(p, v)     __atomic_store_n (p, v, __ATOMIC_SEQ_CST)
#define atomic_exchange(p, v)  __atomic_exchange_n (p, v, __ATOMIC_SEQ_CST)
#define atomic_compare_exchange_strong(p, e, v) \
  __atomic_compare_exchange_n (p, e, v, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
#define atomic_compare_exchange_weak(p, e, v) \
  __atomic_compare_exchange_n (p, e, v, 1, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
#define atomic_fetch_add(p, v) __atomic_fetch_add (p, v, __ATOMIC_SEQ_CST)
#define atomic_fetch_sub(p, v) __atomic_fetch_sub (p, v, __ATOMIC_SEQ_CST)
#define atomic_fetch_or(p, v)  __atomic_fetch_or (p, v, __ATOMIC_SEQ_CST)
#define atomic_fetch_and(p, v) __atomic_fetch_and (p, v, __ATOMIC_SEQ_CST)
