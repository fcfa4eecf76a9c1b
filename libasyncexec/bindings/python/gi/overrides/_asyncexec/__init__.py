# SPDX-License-Identifier: LGPL-2.1-or-later
"""The parts of the override of AsyncExec, one theme per file.

Nothing here is public by its place: what users see is named in
``gi.repository.AsyncExec``.
"""
