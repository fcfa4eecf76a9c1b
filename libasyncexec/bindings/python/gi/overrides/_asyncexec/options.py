# SPDX-License-Identifier: LGPL-2.1-or-later
"""Options of a submission."""

from . import jobs, messages, naming, operations, raw, scopes, streams
from .variants import pack


def _priority(value):
    if not isinstance(value, int):
        raise TypeError(f"a priority is one of AsyncExec.Priority, not {type(value).__name__}")
    if value not in (raw.Priority.BACKGROUND, raw.Priority.DEFAULT, raw.Priority.HIGH):
        raise ValueError(f"a priority is one of AsyncExec.Priority, which {value} is not")
    return value


UNSET = object()


class View:
    """An executor with options: what is submitted through it gets them."""

    def __init__(self, executor, name, priority, timeout, cancellable, context, metadata, subscriber=None,
                 trackers=UNSET, group=UNSET):
        self._executor = executor
        self._options = made = raw.SubmitOptions.new()
        self._is_named = name is not None
        if name is not None:
            made.set_name(name)
        if priority is not None:
            made.set_priority(_priority(priority))
        if timeout is not None:
            made.set_timeout(raw.microseconds(timeout))
        if cancellable is not None:
            made.set_cancellable(cancellable)
        if context is not None:
            made.set_context(context)
        for key, value in dict(metadata or {}).items():
            made.set_metadata(key, pack(value))
        if subscriber is not None:
            made.set_subscriber(messages.receiver(subscriber))
        self._choose(trackers, group)

    def _choose(self, trackers, group):
        """Which trackers get to know the jobs, and in which group they are members."""
        from . import groups

        self._trackers = self._group = None
        if trackers is not UNSET:
            self._trackers = tuple(trackers)
        elif group is None:
            self._trackers = (groups.PendingManager,)
        if self._trackers is not None:
            self._options.set_trackers(groups.types_of(self._trackers))
        if group is not UNSET and group is not None:
            if not isinstance(group, raw.module.PendingGroup):
                raise TypeError(f"a PendingGroup is needed, not {type(group).__name__}")
            self._group = group
            group._use()
            self._options.set_group(group)

    def _options_for(self, fn):
        """The options of a job that runs fn."""
        return self._options if self._is_named else naming.options(fn, self._options)

    def _stand(self):
        """Where a job stands that is submitted now, for its contextvars; None: where its submission does."""
        from . import groups

        if self._trackers is None and self._group is None:
            return None
        scope, active = groups.chosen(self._trackers) if self._trackers is not None else (None, scopes.managers.get())
        return (self._group._scope if self._group is not None else scope), active

    def submit(self, fn, /, *args, **kwargs):
        """Executor.submit() with the options."""
        return jobs.submit(self._executor, fn, args, kwargs, self._options_for(fn), self._stand())

    def call(self, operation, /, *args, **params):
        """Executor.call() with the options."""
        return operations.call(self._executor, operation, args, params, self._options)

    def post(self, fn, /, *args, **kwargs):
        """Executor.submit() with the options, without a pending to look at: exceptions go to unhandled-error."""
        jobs.submit(self._executor, fn, args, kwargs, self._options_for(fn), self._stand())

    def run(self, fn, /, *args, **kwargs):
        """Executor.run() with the options."""
        pending = self.submit(fn, *args, **kwargs)
        try:
            return pending.result()
        finally:
            if not pending.done():
                pending.cancel()

    def map(self, fn, /, *iterables, ordered=True, max_concurrent=None, timeout=None, return_exceptions=False):
        """Executor.map() with the options: every item is a job that gets them."""
        return streams.map_jobs(self.submit, fn, iterables, ordered, max_concurrent, timeout, return_exceptions)
