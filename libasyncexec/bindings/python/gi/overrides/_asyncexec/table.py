# SPDX-License-Identifier: LGPL-2.1-or-later
"""What C knows of Python only by a number: jobs, callbacks and values.

A closure that C can call, or a GValue, costs more than the rest of a job.
"""

import itertools

from . import raw

Trampoline = raw.module.Trampoline
_add_done_callback = Trampoline.add_done_callback
_resolve = Trampoline.resolve
_peek = Trampoline.peek

entries = {}    # by token; single operations on a dict need no lock
next_token = itertools.count(int(raw.module.TrampolineOutcome.TOKEN)).__next__

NOT_DONE = int(raw.module.TrampolineOutcome.NONE)
FAILED = int(raw.module.TrampolineOutcome.FAILED)
VALUE = int(raw.module.TrampolineOutcome.VALUE)


def _call(pending, token, *user_data):
    """A done callback: called, or released where it would have been, which the object of a method may hear."""
    fn = entries.pop(token)
    if pending is not None:
        fn(pending)
    else:
        dropped = getattr(getattr(fn, "__self__", None), "dropped", None)
        if dropped is not None:
            dropped()
    return True


def _release(pending, token, *user_data, pop=entries.pop):
    """A value that nobody has any more; also while the interpreter ends."""
    pop(token, None)
    return True


_callbacks = Trampoline.new(_call)
values_trampoline = Trampoline.new(_release)


def add_done_callback(pending, fn, at_once=False):
    """Has fn(pending) called when pending is done; at_once: on the thread that completes it.  fn raises nothing."""
    token = next_token()
    entries[token] = fn
    return _add_done_callback(_callbacks, pending, at_once, token)


def resolve(pending, value):
    """Sets the outcome: success with any object, which C need not understand."""
    token = next_token()
    entries[token] = value
    return _resolve(values_trampoline, pending, token)


def peek(pending):
    """NOT_DONE, FAILED, VALUE (C has it), or the token of the value."""
    return _peek(values_trampoline, pending)
