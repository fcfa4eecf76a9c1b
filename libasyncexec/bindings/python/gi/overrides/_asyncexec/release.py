# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a job was given is let go of by the thread that gave it, not by the worker."""

import threading

from gi.repository import GLib

from . import context as contexts
from . import raw
from .table import entries

_get_thread_default = GLib.MainContext.get_thread_default


class Graveyard:
    """Tokens of jobs that have run, until their owner comes by: told once, however many there are."""

    __slots__ = ("executor", "tokens", "told")

    def __init__(self, executor):
        self.executor = executor
        self.tokens = []
        self.told = False

    def bury(self, token):
        """From any thread; the caller holds nothing of the entry any more."""
        self.tokens.append(token)
        if not self.told:
            self.told = True
            raw.Executor.post(self.executor, _Visit(self))

    def clear(self):
        """On the owner's thread."""
        tokens = self.tokens
        while tokens:
            try:
                token = tokens.pop()
            except IndexError:      # another thread of the same pool
                return
            entries.pop(token, None)


class _Visit:
    """What is posted to an owner: it happens there, or, when the owner is gone, where C lets go of it."""

    __slots__ = ("graveyard",)

    def __init__(self, graveyard):
        self.graveyard = graveyard

    def __call__(self, *user_data):
        graveyard, self.graveyard = self.graveyard, None
        graveyard.told = False
        graveyard.clear()
        return True

    def __del__(self):
        if self.graveyard is not None:
            self()


class _Local(threading.local):
    context = None      # whose graveyard it is, a GLib.MainContext
    graveyard = None
    pool = None         # of a thread of a pool: that pool, and its graveyard
    pool_graveyard = None


_local = _Local()
_lock = threading.Lock()
_main = None            # guarded by _lock: of the default context


def enter_pool(pool):
    """This thread is one of a pool's."""
    _local.pool = pool


def leave_pool():
    """And no more."""
    _local.pool = _local.pool_graveyard = None


def _of_default_context():
    global _main
    with _lock:
        if _main is None:
            _main = Graveyard(raw.Caller.ref_main())
        return _main


def current():
    """Where what this thread gives away is to be released: in its context, its pool, or the default context."""
    context = _get_thread_default()
    local = _local
    if context is None:
        if local.pool is not None:
            if local.pool_graveyard is None:
                local.pool_graveyard = Graveyard(local.pool)
            return local.pool_graveyard
        return _main or _of_default_context()
    if local.context is None or local.context != context:
        local.graveyard = Graveyard(raw.Caller.ref_for_context(context))
        local.context = context
    return local.graveyard


def collect():
    """Releases what is due to this thread."""
    if _main is not None and _main.tokens and contexts.is_main_thread():
        _main.clear()
    graveyard = _local.graveyard
    if graveyard is not None and graveyard.tokens:
        graveyard.clear()
