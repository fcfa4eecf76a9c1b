# SPDX-License-Identifier: LGPL-2.1-or-later
"""Waiting for several pendings, and whatever else can be awaited among them."""

import asyncio
import concurrent.futures
import inspect

from gi.repository import GLib

from . import context as contexts
from . import driver, errors, futures, jobs, raw, waiting

Raw = raw.Pending
_is_done = Raw.is_done

RETURN_WHEN = {
    "FIRST_COMPLETED": raw.ReturnWhen.FIRST_COMPLETED,
    "FIRST_EXCEPTION": raw.ReturnWhen.FIRST_ERROR,
    "ALL_COMPLETED": raw.ReturnWhen.ALL_COMPLETED,
}


async def await_it(awaitable):
    """A coroutine for anything that can be awaited."""
    return await awaitable


def drive(fn, *args):
    """Runs a coroutine function here, in this thread's asyncio loop or by its caller; returns the pending."""
    loop = contexts.running_loop()
    if loop is not None and not contexts.local.stepping:
        return futures.pending_from_future(loop.create_task(fn(*args)))
    if contexts.own_context() is None:
        return driver.drive(fn(*args))     # in a coroutine on a pool
    try:
        caller = raw.Caller.ref_current()
    except GLib.Error as error:
        raise errors.from_error(error) from None
    return jobs.submit(caller, fn, args, {})


def as_pending(item):
    """A pending as it is; a future or another awaitable as a pending."""
    if isinstance(item, Raw):
        return item
    if asyncio.isfuture(item) or isinstance(item, concurrent.futures.Future):
        return futures.pending_from_future(item)
    if inspect.isawaitable(item):
        return drive(await_it, item)
    raise TypeError(f"pendings, or other awaitables, are needed, not {type(item).__name__}")


async def wait(items, timeout=None, return_when="ALL_COMPLETED", shield=False):
    """Waits for several: ``done, pending = await AsyncExec.wait(items)``, two sets.

    items: pendings, or other awaitables, which become pendings here.
    return_when: "FIRST_COMPLETED"; "FIRST_EXCEPTION", where a cancellation
    counts as one; "ALL_COMPLETED".  timeout: seconds; when they are over, what
    is done by then is the answer.  Neither that nor the cancellation of the
    task that waits cancels an item; with shield it goes on waiting first.  No
    item's exception is raised, or counts as seen.
    """
    if return_when not in RETURN_WHEN:
        raise ValueError(f"return_when is one of {', '.join(RETURN_WHEN)}, not {return_when!r}")
    members = list(dict.fromkeys(map(as_pending, items)))
    waited = Raw.wait_set(members, RETURN_WHEN[return_when], raw.microseconds(timeout))
    await waiting.wait(waited, None, False, shield, False, False)
    done = {member for member in members if _is_done(member)}
    return done, set(members) - done
