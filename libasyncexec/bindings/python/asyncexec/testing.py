# SPDX-License-Identifier: LGPL-2.1-or-later
"""For tests of programs that use the library: virtual time."""

from gi.overrides._asyncexec.testing import advance, run

__all__ = ["advance", "run"]
