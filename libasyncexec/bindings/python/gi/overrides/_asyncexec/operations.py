# SPDX-License-Identifier: LGPL-2.1-or-later
"""Calling operations by name: parameters are packed by the types that the operation declares."""

import os

from gi.repository import GLib

from . import hosting, raw, scopes, variants

_BYTES = GLib.VariantType.new("ay")
_DICTIONARY = GLib.VariantType.new("a{sv}")


def _typed(signature, value):
    """The GVariant of a declared type."""
    if isinstance(value, GLib.Variant):
        return value
    if signature == "ay":
        if isinstance(value, (str, os.PathLike)):
            value = os.fsencode(value)
        elif isinstance(value, GLib.Bytes):
            value = value.get_data()
        return GLib.Variant.new_from_bytes(_BYTES, GLib.Bytes.new(bytes(value)), True)
    return GLib.Variant(signature, value)


def _dictionary(operations, name, params):
    """An a{sv}, each value of the type that its key declares; unknown keys are for C to refuse."""
    keys = raw.module.Operations.dup_keys(operations, name)
    declared = {key: signature for key, (signature, _) in keys.unpack().items()} if keys is not None else {}
    builder = GLib.VariantBuilder.new(_DICTIONARY)
    for key, value in params.items():
        packed = _typed(declared[key], value) if key in declared else variants.pack(value)
        builder.add_value(GLib.Variant.new_dict_entry(GLib.Variant("s", key), GLib.Variant.new_variant(packed)))
    return builder.end()


def pack(executor, name, args, params):
    """The parameters of a call, or None when the operation is unknown: C says so."""
    operations = executor.get_property("operations")
    found, kind, _ = raw.module.Operations.lookup(operations, name)
    if not found:
        return None
    if kind.equal(_DICTIONARY):
        if args:
            raise TypeError(f"{name} takes its parameters by name")
        return _dictionary(operations, name, params)
    if params:
        raise TypeError(f"{name} takes no parameters by name: it is declared with the type {kind.dup_string()}")
    if kind.is_tuple():
        return GLib.Variant(kind.dup_string(), args)
    if len(args) != 1:
        raise TypeError(f"{name} takes one parameter of the type {kind.dup_string()}")
    return _typed(kind.dup_string(), args[0])


def call(executor, name, args, params, options=None):
    """Runs an operation as a job; its result is unpacked when it is read."""
    hosting.ensure_running()
    pending = scopes.inside(raw.Executor.call_full, executor, options, name, pack(executor, name, args, params))
    pending._convert = variants.unpack_any
    return pending
