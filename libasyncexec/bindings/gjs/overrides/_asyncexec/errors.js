// SPDX-License-Identifier: LGPL-2.1-or-later

// What is thrown in JavaScript comes back as itself; what C reports is a
// GLib.Error, and a group of errors an AggregateError.

const {Gio, GLib} = imports.gi;
const {define} = imports.overrides._asyncexec.support;
const {boxThrown, isBox, unbox} = imports.overrides._asyncexec.values;

let namespace = null;

function describe(thrown) {
    try {
        return thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
    } catch {
        // An object without toString().
        return typeof thrown;
    }
}

// What C is given for something that was thrown.
function toGError(thrown) {
    return thrown instanceof GLib.Error ? thrown : namespace.Error.new_exception(describe(thrown), boxThrown(thrown));
}

function toAggregate(error) {
    const aggregate = new AggregateError(namespace.Error.get_members(error).map(fromGError), error.message);
    aggregate.domain = error.domain;
    aggregate.code = error.code;
    return aggregate;
}

// What JavaScript is thrown for an error of C.
function fromGError(error) {
    if (!(error instanceof GLib.Error))
        return error;
    const payload = namespace.Error.dup_payload(error);
    if (isBox(payload))
        return unbox(payload);
    return error.matches(namespace.Error, namespace.Error.GROUP) ? toAggregate(error) : error;
}

function toQuark(domain) {
    return typeof domain === 'number' ? domain : domain && new GLib.Error(domain, 0, '').domain;
}

function matches(thrown, domain, code) {
    if (thrown instanceof GLib.Error)
        return thrown.matches(domain, code);
    return thrown instanceof AggregateError && thrown.domain === toQuark(domain) && thrown.code === code;
}

function install(AsyncExec) {
    namespace = AsyncExec;
    define(AsyncExec, {
        matches,
        isCancelled(thrown) {
            return matches(thrown, Gio.IOErrorEnum, Gio.IOErrorEnum.CANCELLED);
        },
        isTimeout(thrown) {
            return matches(thrown, Gio.IOErrorEnum, Gio.IOErrorEnum.TIMED_OUT);
        },
    });
}
