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


def finalize(*classes):
    """Classes that C declares final: Python says so before GLib would."""
    for cls in classes:
        def refuse(subclass, name=cls.__name__, **keywords):
            raise TypeError(f"AsyncExec.{name} is final: {subclass.__name__} can not be derived from it")

        cls.__init_subclass__ = classmethod(refuse)


def hide(cls, names):
    """names: what to use instead, by name."""
    for name, instead in names.items():
        attribute = Hidden(instead)
        attribute.__set_name__(cls, name)
        setattr(cls, name, attribute)
