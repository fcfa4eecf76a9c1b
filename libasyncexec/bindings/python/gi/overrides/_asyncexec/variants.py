# SPDX-License-Identifier: LGPL-2.1-or-later
"""Python values as GVariants."""

from gi.repository import GLib


def pack(value):
    """The GVariant of a plain value: bool, int, float, str, bytes, list, tuple, dict, GLib.Variant, None."""
    if isinstance(value, GLib.Variant):
        return value
    if value is None:
        return GLib.Variant("mv", None)
    if isinstance(value, bool):
        return GLib.Variant("b", value)
    if isinstance(value, int):
        return GLib.Variant("x" if -2**63 <= value < 2**63 else "t", value)
    if isinstance(value, float):
        return GLib.Variant("d", value)
    if isinstance(value, str):
        return GLib.Variant("s", value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return GLib.Variant("ay", bytes(value))
    if isinstance(value, (list, tuple)):
        return GLib.Variant("av", [pack(item) for item in value])
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return GLib.Variant("a{sv}", {key: pack(item) for key, item in value.items()})
    raise TypeError(f"{type(value).__name__} does not pack into a GLib.Variant: "
                    "use None, bool, int, float, str, bytes, list, dict with str keys, or a GLib.Variant")


def unpack(variant):
    """What pack() was given."""
    if variant.is_of_type(GLib.VariantType.new("ay")):
        return bytes(variant.get_data_as_bytes().get_data() or b"")
    if variant.is_of_type(GLib.VariantType.new("mv")):
        return unpack(variant.get_child_value(0)) if variant.n_children() else None
    if variant.is_of_type(GLib.VariantType.new("v")):
        return unpack(variant.get_variant())
    if variant.is_of_type(GLib.VariantType.new("a{sv}")):
        pairs = (variant.get_child_value(i) for i in range(variant.n_children()))
        return {pair.get_child_value(0).get_string(): unpack(pair.get_child_value(1)) for pair in pairs}
    if variant.is_of_type(GLib.VariantType.new("av")):
        return [unpack(variant.get_child_value(i)) for i in range(variant.n_children())]
    return variant.unpack()


def unpack_any(value):
    """A GVariant unpacked; anything else as it is."""
    return unpack(value) if isinstance(value, GLib.Variant) else value
