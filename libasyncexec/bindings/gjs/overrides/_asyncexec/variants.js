// SPDX-License-Identifier: LGPL-2.1-or-later

// Plain values as GLib.Variants: freely, for messages and metadata, or by the
// type that somebody declared.

const {Gio, GLib} = imports.gi;
const {_, format, newError} = imports.overrides._asyncexec.support;

const BYTES = new GLib.VariantType('ay');
const VARIANT = new GLib.VariantType('v');
const ENTRY = new GLib.VariantType('{sv}');

const INTEGERS = {
    y: 'new_byte', n: 'new_int16', q: 'new_uint16', i: 'new_int32', u: 'new_uint32', x: 'new_int64', t: 'new_uint64',
    h: 'new_handle',
};
const STRINGS = {s: 'new_string', o: 'new_object_path', g: 'new_signature'};
const RANGES = {
    y: [0, 2 ** 8 - 1], n: [-(2 ** 15), 2 ** 15 - 1], q: [0, 2 ** 16 - 1], i: [-(2 ** 31), 2 ** 31 - 1],
    u: [0, 2 ** 32 - 1], x: [-(2 ** 63), 2 ** 63 - 1], t: [0, 2 ** 64 - 1], h: [-(2 ** 31), 2 ** 31 - 1],
};

function unfit(value, type) {
    const shown = typeof value === 'object' ? Object.prototype.toString.call(value) : String(value);
    return newError('INVALID_ARGUMENT', format(_('%s does not go into a value of type “%s”'), shown, type));
}

function packBytes(value) {
    if (value instanceof Uint8Array)
        return GLib.Variant.new_from_bytes(BYTES, new GLib.Bytes(value), true);
    return GLib.Variant.new_from_bytes(BYTES, value, true);
}

// ---- freely

function pack(value) {
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
        throw unfit(value, 'v');
    }
}

function packObject(value) {
    if (value instanceof GLib.Variant)
        return value;
    if (value === null)
        return GLib.Variant.new_maybe(VARIANT, null);
    if (value instanceof Uint8Array || value instanceof GLib.Bytes)
        return packBytes(value);
    if (Array.isArray(value))
        return GLib.Variant.new_array(VARIANT, value.map(item => GLib.Variant.new_variant(pack(item))));
    const prototype = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null)
        throw unfit(value, 'v');
    return packDictionary(ENTRY, value, (item, _type) => GLib.Variant.new_variant(pack(item)));
}

function packDictionary(entryType, value, packValue) {
    const keyType = entryType.key(), valueType = entryType.value();
    const entries = value instanceof Map ? [...value] : Object.entries(value);
    return GLib.Variant.new_array(entryType, entries.filter(([, item]) => item !== undefined)
        .map(([key, item]) => GLib.Variant.new_dict_entry(packAs(keyType, key), packValue(item, valueType))));
}

// ---- by a type

function packNumber(type, value) {
    // The keys of an object are strings.
    const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
    if (type === 'd' && typeof number === 'number' && (typeof value === 'number' || !Number.isNaN(number)))
        return GLib.Variant.new_double(number);
    const [least, most] = RANGES[type] ?? [];
    if (typeof number !== 'bigint' && !Number.isInteger(number) || !(number >= least && number <= most))
        throw unfit(value, type);
    return GLib.Variant[INTEGERS[type]](number);
}

function packBasic(type, value) {
    if (type === 'b' && typeof value === 'boolean')
        return GLib.Variant.new_boolean(value);
    if (type === 's' && typeof value === 'string')
        return GLib.Variant.new_string(value);
    if (type === 'o' && typeof value === 'string' && GLib.Variant.is_object_path(value) ||
        type === 'g' && typeof value === 'string' && GLib.Variant.is_signature(value))
        return GLib.Variant[STRINGS[type]](value);
    if (type === 'd' || type in INTEGERS)
        return packNumber(type, value);
    throw unfit(value, type);
}

// Text and files as the bytes of a path.
function packAsBytes(value) {
    if (value instanceof Uint8Array || value instanceof GLib.Bytes)
        return packBytes(value);
    if (typeof value === 'string')
        return packBytes(new TextEncoder().encode(value));
    if (value instanceof Gio.File && value.get_path() !== null)
        return packBytes(new TextEncoder().encode(value.get_path()));
    throw unfit(value, 'ay');
}

function packArray(type, value) {
    const element = type.element();
    if (element.is_dict_entry()) {
        if (value === null || typeof value !== 'object')
            throw unfit(value, type.dup_string());
        return packDictionary(element, value, (item, valueType) => packAs(valueType, item));
    }
    if (typeof value?.[Symbol.iterator] !== 'function' || typeof value === 'string')
        throw unfit(value, type.dup_string());
    return GLib.Variant.new_array(element, Array.from(value, item => packAs(element, item)));
}

// GJS copies a type that it hands out, without those that come after it: the
// types of a tuple are cut from its text.
function splitTypes(text) {
    const types = [];
    let start = 0, depth = 0;
    for (let end = 0; end < text.length; end++) {
        if ('({'.includes(text[end]))
            depth++;
        else if (')}'.includes(text[end]))
            depth--;
        if (depth > 0 || 'am'.includes(text[end]))
            continue;
        types.push(new GLib.VariantType(text.slice(start, end + 1)));
        start = end + 1;
    }
    return types;
}

function packTuple(type, value) {
    const name = type.dup_string();
    const types = splitTypes(name.slice(1, -1));
    const values = Array.from(value ?? []);
    if (types.length !== values.length)
        throw unfit(value, name);
    return GLib.Variant.new_tuple(types.map((each, index) => packAs(each, values[index])));
}

function packAs(type, value) {
    const name = type.dup_string();
    if (value instanceof GLib.Variant && name !== 'v') {
        if (!value.is_of_type(type))
            throw unfit(value.print(true), name);
        return value;
    }
    if (name === 'v')
        return GLib.Variant.new_variant(pack(value));
    if (name === 'ay' && !Array.isArray(value))
        return packAsBytes(value);
    if (type.is_basic())
        return packBasic(name, value);
    if (type.is_array())
        return packArray(type, value);
    if (type.is_maybe()) {
        return GLib.Variant.new_maybe(type.element(),
            value === null || value === undefined ? null : packAs(type.element(), value));
    }
    return packTuple(type, value);
}

// ---- out

function unpackChildren(variant) {
    return Array.from({length: variant.n_children()}, (_none, index) => unpack(variant.get_child_value(index)));
}

const LEAST_SAFE = GLib.Variant.new_int64(Number.MIN_SAFE_INTEGER);
const MOST_SAFE = {
    x: GLib.Variant.new_int64(Number.MAX_SAFE_INTEGER), t: GLib.Variant.new_uint64(Number.MAX_SAFE_INTEGER),
};

// A BigInt where a number would be another one: the inode of a file can be that large.
function unpackInteger(variant, type) {
    if (variant.compare(MOST_SAFE[type]) > 0 || type === 'x' && variant.compare(LEAST_SAFE) < 0)
        return BigInt(variant.print(false));
    return variant.unpack();
}

// Bytes are GLib.Bytes, a dictionary is an object, the rest as one expects.
function unpack(variant) {
    const type = variant.get_type_string();
    if (type === 'ay')
        return variant.get_data_as_bytes();
    if (type === 'v')
        return unpack(variant.get_variant());
    if (type.startsWith('a{'))
        return Object.fromEntries(unpackChildren(variant));
    if (type.startsWith('m'))
        return variant.n_children() === 0 ? null : unpack(variant.get_child_value(0));
    if (type in MOST_SAFE)
        return unpackInteger(variant, type);
    return variant.is_container() ? unpackChildren(variant) : variant.unpack();
}
