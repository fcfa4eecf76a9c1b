// SPDX-License-Identifier: LGPL-2.1-or-later

// What every part needs: names, seconds, options, refusals.

const {GLib} = imports.gi;

let namespace = null;

const FINAL_CLASSES = ['CallQueue', 'Caller', 'CallerPool', 'ContextVar', 'Lazy', 'Limiter', 'Operations', 'Pending', 'PendingGroup',
    'PendingResult', 'PendingStream', 'ThreadPool'];

function install(AsyncExec) {
    namespace = AsyncExec;
    for (const name of FINAL_CLASSES)
        refuseSubclasses(AsyncExec[name]);
}

let bound = false;

function _(text) {
    // With its first message the library says where its catalogues are.
    if (!bound)
        bound = namespace.Pending.new_resolved(null).dup_status_text() !== '';
    return GLib.dgettext('asyncexec-1', text);
}

// Puts "%s" after "%s" into a translated text.
function format(text, ...values) {
    return values.reduce((result, value) => result.replace('%s', () => String(value)), text);
}

function newError(code, message) {
    return new GLib.Error(namespace.Error, namespace.Error[code], message);
}

function snakeCase(name) {
    return name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`);
}

function camelCase(name) {
    return name.replace(/_(\w)/g, (_match, letter) => letter.toUpperCase());
}

// Functions under their camelCase and their snake_case names.  A method of the
// typelib is replaced by assignment.
function define(target, functions) {
    for (const [name, func] of Object.entries(functions)) {
        target[name] = func;
        target[snakeCase(name)] = func;
    }
}

// Methods of the typelib that are right as they are get a camelCase name.
function alias(target, names) {
    for (const name of names)
        target[camelCase(name)] = target[name];
}

function defineGetters(target, getters) {
    for (const [name, get] of Object.entries(getters)) {
        for (const spelling of new Set([name, snakeCase(name)]))
            Object.defineProperty(target, spelling, {get, configurable: true, enumerable: true});
    }
}

// Methods that would block the only thread JavaScript has, or run it on another.
function refuse(target, names, message) {
    const functions = {};
    for (const name of names) {
        functions[name] = () => {
            throw newError('NOT_SUPPORTED', format(message(), name));
        };
    }
    define(target, functions);
}

function blocks() {
    return _('%s() would block the only thread that JavaScript has: await the pending instead');
}

// Seconds, or null or undefined for no limit, in the microseconds of C.
function toMicroseconds(seconds) {
    if (seconds === null || seconds === undefined || seconds === Infinity)
        return -1;
    if (typeof seconds !== 'number' || !(seconds >= 0))
        throw newError('INVALID_ARGUMENT', _('A time is given in seconds that are not negative, or null for no limit'));
    return Math.min(Math.ceil(seconds * 1e6), Number.MAX_SAFE_INTEGER);
}

function toSeconds(microseconds) {
    return microseconds < 0 ? null : microseconds / 1e6;
}

// Options by their camelCase or snake_case names.  What is not in the defaults
// is a mistake, and said so.
function readOptions(options, defaults) {
    const values = {...defaults};
    for (const [name, value] of Object.entries(options ?? {})) {
        const key = camelCase(name);
        if (!Object.hasOwn(defaults, key)) {
            throw newError('INVALID_ARGUMENT',
                format(_('There is no option “%s”, but: %s'), name, Object.keys(defaults).join(', ')));
        }
        if (value !== undefined)
            values[key] = value;
    }
    return values;
}

// How many may be under way, 0 for any number: a number that is never reached
// would be waited for without end.
function checkCount(count) {
    if (typeof count !== 'number' || !(count >= 0))
        throw newError('INVALID_ARGUMENT', _('A number of jobs is 0, for no limit, or more'));
    return count;
}

function checkType(value, type) {
    if (!(value instanceof type)) {
        throw newError('INVALID_ARGUMENT',
            format(_('An object of type %s is needed here, not “%s”'), type.$gtype.name, typeof value));
    }
}

function iterate(items) {
    if (typeof items?.[Symbol.iterator] !== 'function')
        throw newError('INVALID_ARGUMENT', _('The items are an array or something else to iterate over'));
    return items[Symbol.iterator]();
}

function iterateAny(items) {
    return typeof items?.[Symbol.asyncIterator] === 'function' ? items[Symbol.asyncIterator]() : iterate(items);
}

// Whoever leaves early does not wait for the source, nor for what it throws.
function closeIterator(iterator) {
    try {
        const closed = iterator.return?.();
        if (typeof closed?.then === 'function')
            closed.then(undefined, error => logError(error, 'AsyncExec'));
    } catch (error) {
        logError(error, 'AsyncExec');
    }
}

// GJS aborts the program when a final class is derived from.
function refuseSubclasses(klass) {
    klass._classInit = () => {
        throw newError('NOT_SUPPORTED', format(_('%s can not be derived from: keep one in an object of yours'), klass.$gtype.name));
    };
}

function checkFunction(func) {
    if (typeof func !== 'function')
        throw newError('INVALID_ARGUMENT', format(_('A function is needed here, not “%s”'), typeof func));
}

function isThenable(value) {
    return value !== null && (typeof value === 'object' || typeof value === 'function') &&
        typeof value.then === 'function';
}

// Pulls from an iterator while puller.hasRoom(), for puller.take (step) or puller.fail (error): a plain one at once, an
// asynchronous one item by item, and puller.pulled() is told when that is through.
function pull(puller, iterator) {
    while (!puller.pulling && puller.hasRoom()) {
        let step;
        try {
            step = iterator.next();
        } catch (error) {
            puller.fail(error);
            return;
        }
        if (typeof step?.then !== 'function') {
            puller.take(step);
            continue;
        }
        puller.pulling = true;
        step.then(result => {
            puller.pulling = false;
            puller.take(result);
            pull(puller, iterator);
            puller.pulled();
        }, error => {
            puller.pulling = false;
            puller.fail(error);
            puller.pulled();
        });
    }
}
