# SPDX-License-Identifier: LGPL-2.1-or-later
"""Structured concurrency for GObject, under the name of a Python module.

``import asyncexec`` is ``from gi.repository import AsyncExec`` in its version 1:
every public name of that namespace is a name of this module.
"""

import gi

gi.require_version("AsyncExec", "1")

from gi.repository import AsyncExec  # noqa: E402: the version comes first


def __getattr__(name):
    """Names of the namespace that were not asked for before."""
    if name.startswith("__"):
        raise AttributeError(name)
    value = getattr(AsyncExec, name)
    globals()[name] = value
    return value


def __dir__():
    return sorted({*globals(), *dir(AsyncExec)})
