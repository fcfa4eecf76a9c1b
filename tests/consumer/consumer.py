# SPDX-License-Identifier: LGPL-2.1-or-later
"""Uses the installed library.  usage: consumer.py FOLDER_OF_MODULES"""

import importlib
import sys

import asyncexec
import asyncexec.testing
import gi.overrides.AsyncExec as override

for module in (asyncexec, asyncexec.testing, override):
    assert module.__file__.startswith(sys.argv[1]), module.__file__

pool = asyncexec.ThreadPool(max_workers=2)
assert pool.submit(pow, 2, 10).result() == 1024
assert asyncexec.Pending is importlib.import_module("gi.repository.AsyncExec").Pending
pool.shutdown().result()
print("ok")
