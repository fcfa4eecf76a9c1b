# SPDX-License-Identifier: LGPL-2.1-or-later
"""Functions that a caller runs one after the other."""

import types
import weakref

from . import jobs, raw


class CallQueue(raw.CallQueue):
    """Functions that a caller runs strictly one after the other, whatever each of them awaits.

    ``caller.queue(key)`` gives it.  An exception goes to unhandled-error and
    does not end it; close() does, cancelling ``pending``, and the end of the
    caller.
    """

    __module__ = "gi.overrides.AsyncExec"

    _context = None      # the contextvars of the first push

    def push(self, fn, /, *args, **kwargs):
        """Has fn(*args, **kwargs) run when everything pushed before is over; False when the queue is closed.

        A coroutine function is over when its coroutine is.  All see the
        contextvars of the first push.
        """
        return jobs.push(self, fn, args, kwargs)

    def close(self):
        """Drops what waits, cancels what runs, and takes no more."""
        raw.CallQueue.close(self)

    @property
    def pending(self):
        """The pending in which it runs: cancelled when it has ended, and cancelling it closes the queue."""
        return raw.CallQueue.get_pending(self)

    @property
    def key(self):
        """Its name."""
        return raw.CallQueue.get_key(self)

    @property
    def caller(self):
        """The caller that runs it."""
        return raw.CallQueue.ref_caller(self)

    @property
    def n_items(self):
        """How many functions are not over yet."""
        return raw.CallQueue.get_n_items(self)


def _identify(fn):
    """The key of a function, and what it lives as long as; a method is a new object each time."""
    if isinstance(fn, types.MethodType):
        return f"python:{id(fn.__self__)}.{id(fn.__func__)}", fn.__self__
    owner = getattr(fn, "__self__", None)
    if isinstance(fn, types.BuiltinMethodType) and owner is not None and not isinstance(owner, types.ModuleType):
        return f"python:{id(owner)}.{fn.__name__}", owner
    return f"python:{id(fn)}", fn


def _close_weak(weak):
    queue = weak()
    if queue is not None:
        raw.CallQueue.close(queue)


def of_function(caller, fn):
    """The queue of a function, made if need be: it ends with the function, or the object whose method that is."""
    if not callable(fn):
        raise TypeError(f"a callable is needed, not {type(fn).__name__}")
    key, owner = _identify(fn)
    found = raw.Caller.lookup_queue(caller, None, key)
    if found is not None:
        return found
    queue = raw.Caller.ensure_queue(caller, None, key)
    try:
        weakref.finalize(owner, _close_weak, weakref.ref(queue)).atexit = False
    except TypeError:
        pass      # what has no weak references keeps its queue until that is closed
    return queue


def find(caller, fn):
    """The queue of a function, or None."""
    return raw.Caller.lookup_queue(caller, None, _identify(fn)[0])
