// SPDX-License-Identifier: LGPL-2.1-or-later

// Values on their way through C.  What a GValue has a type for goes as itself,
// so that C, Python and Vala can read it; everything else goes in a box, and
// comes out as the same object.

const {GLib, GObject} = imports.gi;

// An object of GObject's: GJS keeps its JavaScript half as long as C holds it,
// and lets any thread drop it.  A GValue of GJS's own type for plain objects
// does neither: in 1.74 the collector takes what is in it.
const Box = GObject.registerClass({GTypeName: 'AexJavaScriptBox'}, class Box extends GObject.Object {
    constructor(value) {
        super();
        this.value = value;
    }
});

const UNDEFINED = new Box(undefined);

// A C string ends at the first NUL and knows no half of a character.
const UNFIT = /\0|\p{Surrogate}/u;

function isNative(value) {
    if (value instanceof GObject.Object || value instanceof GLib.Variant)
        return true;
    // Boxed types of a typelib; GJS gives types to JavaScript's own classes too.
    let constructor;
    try {
        ({constructor} = value);
    } catch {
        return false;
    }
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
