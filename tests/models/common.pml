/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the models share.  How they are to be read:
 *
 * - "atomic { ... }" is one step.  A critical section is one where everything it touches is guarded by its lock, or where
 *   only one of its accesses is not; else the lock is a variable.
 * - A loop around a compare-and-swap is one step too: it decides by the state that it replaces.
 * - "timeout" is true when no thread can do anything: there the models look at what must have come about, and only then
 *   does their clock move.
 * - What is not the library's but the model's, to be able to say what must hold, is marked "ghost".
 */
#define LOCK(mutex)    atomic { !mutex -> mutex = true }
#define UNLOCK(mutex)  mutex = false

#define MIN(a, b)      ((a) < (b) -> (a) : (b))
#define MAX(a, b)      ((a) > (b) -> (a) : (b))
