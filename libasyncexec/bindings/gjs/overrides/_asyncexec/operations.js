// SPDX-License-Identifier: LGPL-2.1-or-later

// Operations: work that is known by its name, and may run on any thread.  Their
// parameters are packed by the types that they declare, never guessed.

const {GLib} = imports.gi;
const {_, alias, define, format, newError, refuse, snakeCase} = imports.overrides._asyncexec.support;
const {toGError} = imports.overrides._asyncexec.errors;
const {convertWith} = imports.overrides._asyncexec.pending;
const {packAs, unpack} = imports.overrides._asyncexec.variants;

const raw = {};

// "minSize" is "min-size" where that is declared.
function declaredName(name, declared) {
    if (Object.hasOwn(declared, name))
        return name;
    const dashed = snakeCase(name).replaceAll('_', '-');
    if (Object.hasOwn(declared, dashed))
        return dashed;
    throw newError('INVALID_ARGUMENT',
        format(_('The operation has no parameter “%s”, but: %s'), name, Object.keys(declared).join(', ')));
}

// What was declared last under a name: to unpack it takes longer than the call.
const declarations = new Map();

// The types of the keys.
function unpackKeys(name, keys) {
    let known = declarations.get(name);
    if (known === undefined || !known.keys.equal(keys)) {
        const types = Object.entries(unpack(keys)).map(([key, [type]]) => [key, new GLib.VariantType(type)]);
        known = {keys, declared: Object.fromEntries(types)};
        declarations.set(name, known);
    }
    return known.declared;
}

function packByKeys(declared, parameters) {
    const dictionary = new GLib.VariantDict(null);
    for (const [name, value] of Object.entries(parameters)) {
        if (value === undefined)
            continue;
        const key = declaredName(name, declared);
        dictionary.insert_value(key, packAs(declared[key], value));
    }
    return dictionary.end();
}

function packParameters(operations, name, parameters) {
    if (parameters instanceof GLib.Variant)
        return parameters;
    const keys = raw.dup_keys.call(operations, name);
    if (keys !== null)
        return packByKeys(unpackKeys(name, keys), parameters ?? {});
    const [found, type] = raw.lookup.call(operations, name);
    if (!found)
        return null;
    if (type.dup_string() === '()')
        return GLib.Variant.new_tuple([]);
    return packAs(type, parameters);
}

// The empty tuple is what an operation without a result gives.
function unpackResult(value) {
    if (!(value instanceof GLib.Variant))
        return value;
    return value.get_type_string() === '()' ? undefined : unpack(value);
}

function call(executor, options, name, parameters = null) {
    let packed;
    try {
        packed = packParameters(executor.operations, name, parameters);
    } catch (error) {
        throw newError('INVALID_ARGUMENT', `${name}: ${error.message}`);
    }
    return convertWith(raw.call_full.call(executor, options, name, packed), unpackResult);
}

function install(AsyncExec) {
    const {Executor, Operations} = AsyncExec;
    const {prototype} = Operations;
    for (const name of ['lookup', 'dup_keys', 'load_module'])
        raw[name] = prototype[name];
    raw.call_full = Executor.prototype.call_full;

    define(Executor.prototype, {
        call(name, parameters = null) {
            return call(this, null, name, parameters);
        },
        callFull(options, name, parameters = null) {
            return call(this, options, name, parameters);
        },
    });
    alias(Executor.prototype, ['get_operations']);
    // Operations run on any thread.
    refuse(prototype, ['add', 'addWithKeys'],
        () => _('%s() takes a function that any thread may call: write operations in C or Vala'));
    alias(prototype, ['remove', 'lookup', 'dup_keys', 'list', 'load_module']);
    define(Operations, {getDefault: Operations.get_default});
    define(prototype, {
        loadModule(path) {
            try {
                return raw.load_module.call(this, path);
            } catch (error) {
                throw toGError(error);
            }
        },
    });
}
