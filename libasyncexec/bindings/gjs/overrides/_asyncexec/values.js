// SPDX-License-Identifier: LGPL-2.1-or-later

// Values on their way through C.  What a GValue has a type for goes as itself,
// so that C, Python and Vala can read it; everything else goes in a box, and
// comes out as the same object.

const {GLib, GObject} = imports.gi;

// GJS puts an object whose class has this type into the GValue as it is.
class Box {
    constructor(value) {
        this.value = value;
    }
}
Box.$gtype = GObject.TYPE_JSOBJECT;

const UNDEFINED = new Box(undefined);

// A C string ends at the first NUL and knows no half of a character.
const UNFIT = /\0|\p{Surrogate}/u;

function isNative(value) {
    if (value instanceof GObject.Object || value instanceof GLib.Variant)
        return true;
    // Boxed types of a typelib; GJS gives types to JavaScript's own classes too.
    const {constructor} = value;
    return typeof constructor === 'function' && Object.hasOwn(constructor, '$gtype') &&
        constructor.$gtype !== GObject.TYPE_JSOBJECT && !Array.isArray(value);
}

function box(value) {
    switch (typeof value) {
    case 'boolean':
    case 'number':
        return value;
    case 'string':
        return UNFIT.test(value) ? new Box(value) : value;
    case 'undefined':
        return UNDEFINED;
    case 'object':
        if (value === null)
            return null;
        if (value instanceof Uint8Array)
            return new GLib.Bytes(value);
        return isNative(value) ? value : new Box(value);
    default:
        return new Box(value);
    }
}

function unbox(value) {
    return value instanceof Box ? value.value : value;
}

// What was thrown, so that it is told from any other value.
function boxThrown(thrown) {
    return new Box(thrown);
}

function isBox(value) {
    return value instanceof Box;
}

// A variant of what has an obvious type; others are given as a GLib.Variant.
function pack(value) {
    if (value instanceof GLib.Variant)
        return value;
    switch (typeof value) {
    case 'boolean':
        return GLib.Variant.new_boolean(value);
    case 'number':
        return Number.isSafeInteger(value) ? GLib.Variant.new_int64(value) : GLib.Variant.new_double(value);
    case 'string':
        return GLib.Variant.new_string(value);
    case 'object':
        return packObject(value);
    default:
        throw new TypeError(`A value of type ${typeof value} does not go into a GLib.Variant`);
    }
}

function packObject(value) {
    if (value === null)
        return GLib.Variant.new_maybe(new GLib.VariantType('v'), null);
    if (value instanceof Uint8Array)
        return GLib.Variant.new_from_bytes(new GLib.VariantType('ay'), new GLib.Bytes(value), true);
    if (value instanceof GLib.Bytes)
        return GLib.Variant.new_from_bytes(new GLib.VariantType('ay'), value, true);
    if (Array.isArray(value)) {
        return GLib.Variant.new_array(new GLib.VariantType('v'),
            value.map(item => GLib.Variant.new_variant(pack(item))));
    }
    const entries = Object.entries(value).map(([key, item]) => GLib.Variant.new_dict_entry(
        GLib.Variant.new_string(key), GLib.Variant.new_variant(pack(item))));
    return GLib.Variant.new_array(new GLib.VariantType('{sv}'), entries);
}

function unpack(variant) {
    if (variant === null)
        return null;
    return variant.get_type_string() === 'ay' ? variant.get_data_as_bytes() : variant.recursiveUnpack();
}
