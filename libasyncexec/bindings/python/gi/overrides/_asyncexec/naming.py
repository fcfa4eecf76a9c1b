# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a job is called that nobody named, where ``AEX_DEBUG=names`` asks for it."""

import os
import sys

from . import raw, table

wanted = table.Trampoline.wants_names()


def _place():
    """Where in the user's code this is."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("gi.overrides."):
        frame = frame.f_back
    return f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno}"


def name(fn):
    """The name of fn, and where it is being submitted."""
    inner = getattr(fn, "func", fn)
    return f"{getattr(inner, '__qualname__', type(inner).__qualname__)} at {_place()}"


def options(fn, given=None):
    """The options for a submission of fn that has no name."""
    if not wanted:
        return given
    made = raw.SubmitOptions.new() if given is None else given.copy()
    made.set_name(name(fn))
    return made
