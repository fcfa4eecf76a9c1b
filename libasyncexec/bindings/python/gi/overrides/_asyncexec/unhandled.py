# SPDX-License-Identifier: LGPL-2.1-or-later
"""Errors that nobody saw, and no handler of unhandled-error took care of: the log gets the traceback."""

import atexit

from . import errors, raw


def _report(executor, pending, error, *user_data):
    try:
        exception = errors.outcome_error(pending, error) if pending is not None else errors.from_error(error)
        errors.report(repr(pending) if pending is not None else f"a job of {executor!r}", exception)
    except Exception as failure:
        errors.logger.error("%s", error, exc_info=failure)


def install():
    """From now on, until the interpreter ends."""
    raw.Executor.set_unhandled_func(_report)
    atexit.register(raw.Executor.set_unhandled_func, None)
