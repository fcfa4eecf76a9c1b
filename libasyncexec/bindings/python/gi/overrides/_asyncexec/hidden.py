# SPDX-License-Identifier: LGPL-2.1-or-later
"""Names of C that Python has better ones for: they take microseconds, closures or GValues."""


class Hidden:
    """An attribute that is not there; its message says what is."""

    def __init__(self, instead):
        self.instead = instead
        self.name = None

    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, instance, owner):
        raise AttributeError(f"{self.name} is of C: use {self.instead}")


def hide(cls, names):
    """names: what to use instead, by name."""
    for name, instead in names.items():
        attribute = Hidden(instead)
        attribute.__set_name__(cls, name)
        setattr(cls, name, attribute)
