# SPDX-License-Identifier: LGPL-2.1-or-later
"""Python values as outcomes, and back."""

from gi.repository import GLib, GObject

from . import errors, raw, table

_resolve = raw.Pending.resolve
_peek_value = raw.Pending.peek_value
_resolve_int64 = raw.Pending.resolve_int64
_resolve_double = raw.Pending.resolve_double
_resolve_boolean = raw.Pending.resolve_boolean
_resolve_string = raw.Pending.resolve_string
_peek = table.Trampoline.peek
_values = table.values_trampoline
_entries = table.entries

INT64_MIN, INT64_MAX = -2**63, 2**63 - 1


def box(value):
    """A GValue that holds any Python object as it is: identity is kept."""
    return GObject.Value(GObject.TYPE_PYOBJECT, value)


def resolve(pending, value=None):
    """Sets the outcome: success with value.  What C has a type for is given to C, the rest is kept as the object it is."""
    kind = type(value)
    if value is None:
        return _resolve(pending, None)
    if kind is int and INT64_MIN <= value <= INT64_MAX:
        return _resolve_int64(pending, value)
    if kind is str and is_text(value):
        return _resolve_string(pending, value)
    if kind is float:
        return _resolve_double(pending, value)
    if kind is bool:
        return _resolve_boolean(pending, value)
    if isinstance(value, (GObject.Object, GLib.Variant)):
        return _resolve(pending, value)
    return table.resolve(pending, value)


def to_gvalue(value):
    """For functions that take a GValue: text as C knows it, the rest as the objects they are."""
    if type(value) is str and is_text(value):
        return GObject.Value(GObject.TYPE_STRING, value)
    return box(value)


def is_text(value):
    """Whether a string fits into a C string."""
    return "\0" not in value and (value.isascii() or not any("\ud800" <= c <= "\udfff" for c in value))


def read(pending):
    """The value of a pending that is done; raises what it failed with: the very object, with its traceback."""
    found = _peek(_values, pending)
    if found > table.VALUE:
        return _entries[found]
    try:
        value = _peek_value(pending)
    except GLib.Error as error:
        failure = error
    else:
        # PyGObject borrows it from the pending, which may not live as long.
        if isinstance(value, raw.Permit):
            value = raw.Permit.ref(value)
        convert = pending._convert
        return value if convert is None else convert(value)
    try:
        raise errors.outcome_error(pending, failure)
    finally:
        del failure     # no cycle of the exception, its traceback and this frame


def values_of(model):
    """What all() resolves with: the values of the members."""
    return [read(member) for member in model]


def members_of(model):
    """What all_settled() resolves with: the members."""
    return list(model)
