# SPDX-License-Identifier: LGPL-2.1-or-later
"""Errors that nobody saw: the log gets the traceback."""

from gi.repository import GObject

from . import errors, raw


def _hook(executor, pending, error):
    try:
        exception = errors.outcome_error(pending, error) if pending is not None else errors.from_error(error)
        errors.report(repr(pending) if pending is not None else f"a job of {executor!r}", exception)
    except Exception as failure:
        errors.logger.error("%s", error, exc_info=failure)
    return True


_installed = False


def install():
    """Has every unhandled-error logged, with its traceback; once there is an executor, for then there is the signal."""
    global _installed
    if not _installed:
        _installed = True
        GObject.add_emission_hook(raw.Executor, "unhandled-error", _hook)
