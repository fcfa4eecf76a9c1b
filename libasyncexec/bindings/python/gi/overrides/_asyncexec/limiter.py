# SPDX-License-Identifier: LGPL-2.1-or-later
"""Executors that are built on others: a bound on how many jobs run, and several callers as one."""

from gi.repository import GLib

from . import errors, exit as exits
from . import hosting, raw, streams
from .executor import Executor


def at_least_one(count, what):
    """A number of slots, or of threads."""
    if not isinstance(count, int):
        raise TypeError(f"{what} is an int, not {type(count).__name__}")
    if count < 1:
        raise ValueError(f"{what} is at least 1, which {count} is not")
    return count


class Permit(raw.Permit):
    """A slot of a limiter, in your hands until release(), or until nobody has it any more."""

    __module__ = "gi.overrides.AsyncExec"

    def release(self):
        """Gives the slot back; once, whoever asks again."""
        raw.Permit.release(self)

    def __enter__(self):
        return self

    def __exit__(self, kind, exception, traceback):
        self.release()


class Limiter(raw.Limiter, Executor):
    """Runs at most so many jobs at once on another executor; with one, one after the other."""

    __module__ = "gi.overrides.AsyncExec"

    def __init__(self, wrapped, max_concurrent=1, *, name=None, **properties):
        """Makes a limiter of max_concurrent slots on the executor wrapped."""
        if not isinstance(wrapped, raw.Executor):
            raise TypeError(f"an executor is needed, not {type(wrapped).__name__}")
        super().__init__(wrapped=wrapped, max_concurrent=at_least_one(max_concurrent, "max_concurrent"), name=name,
                         **properties)
        exits.register(self)

    @staticmethod
    def new(wrapped, max_concurrent=1):
        """Makes a limiter."""
        return Limiter(wrapped, max_concurrent)

    def acquire(self):
        """Asks for a slot: a Pending of a Permit.

        ``async with limiter.acquire():`` waits for it and gives it back at
        the end; ``with await limiter.acquire():`` does the same.
        """
        hosting.ensure_running()
        return raw.Limiter.acquire(self)

    @property
    def wrapped(self):
        """The executor that runs the jobs."""
        return raw.Limiter.get_wrapped(self)

    @property
    def max_concurrent(self):
        """How many slots there are."""
        return raw.Limiter.get_max_concurrent(self)

    @max_concurrent.setter
    def max_concurrent(self, max_concurrent):
        self.set_max_concurrent(max_concurrent)

    def set_max_concurrent(self, max_concurrent):
        """Sets how many slots there are; fewer come into force as slots come back."""
        raw.Limiter.set_max_concurrent(self, at_least_one(max_concurrent, "max_concurrent"))

    @property
    def max_workers(self):
        """How many jobs can run at once, for those who start no more than can be used."""
        return min(self.max_concurrent, streams.width(self.wrapped, self.max_concurrent))


class CallerPool(raw.CallerPool, Executor):
    """Several callers, each a thread with a main context: a job goes to the one with the least to do, and stays there."""

    __module__ = "gi.overrides.AsyncExec"

    def __init__(self, n_callers=1, *, name=None, **properties):
        """Starts n_callers threads."""
        super().__init__(n_callers=at_least_one(n_callers, "n_callers"), name=name, **properties)
        exits.register(self)

    @staticmethod
    def new(n_callers=1):
        """Starts a pool; raises when a thread cannot be started."""
        try:
            pool = raw.CallerPool.new(at_least_one(n_callers, "n_callers"))
        except GLib.Error as error:
            raise errors.from_error(error) from None
        exits.register(pool)
        return pool

    @property
    def n_callers(self):
        """How many callers there are."""
        return raw.CallerPool.get_n_callers(self)

    @property
    def callers(self):
        """The callers, as a list."""
        return raw.CallerPool.list_callers(self)

    @property
    def loads(self):
        """How many jobs each caller was given and has not done yet, as a list."""
        return raw.CallerPool.dup_loads(self)

    @property
    def max_workers(self):
        """How many jobs can run at once."""
        return self.n_callers
