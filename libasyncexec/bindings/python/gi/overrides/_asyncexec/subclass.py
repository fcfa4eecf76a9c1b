# SPDX-License-Identifier: LGPL-2.1-or-later
"""Executors written in Python: what their methods raise reaches the job."""

import functools

from . import errors


def _wrap(method):
    @functools.wraps(method)
    def call(self, *args):
        try:
            return method(self, *args)
        except BaseException as exception:
            if args and hasattr(args[0], "_dispatch_exception"):
                args[0]._dispatch_exception = exception
            raise errors.to_error(exception) from exception

    call.wrapped_by_asyncexec = True
    return call


def wrap_with(cls, name, wrapper):
    """Wraps a virtual method if a class defines it."""
    method = cls.__dict__.get(name)
    if callable(method) and not hasattr(method, "wrapped_by_asyncexec"):
        setattr(cls, name, wrapper(method))


def wrap(cls):
    """Wraps the virtual methods that a class defines."""
    for name in ("do_dispatch", "do_shutdown"):
        wrap_with(cls, name, _wrap)
