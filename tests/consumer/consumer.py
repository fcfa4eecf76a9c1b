# SPDX-License-Identifier: LGPL-2.1-or-later
"""Uses the installed library.  usage: consumer.py FOLDER_OF_MODULES"""

import sys

import asyncexec
from gi.repository import AsyncExec

assert asyncexec.__file__.startswith(sys.argv[1]), asyncexec.__file__
assert asyncexec.Pending is AsyncExec.Pending
assert asyncexec.Pending.sleep(0).get_state() == asyncexec.PendingState.RESOLVED
