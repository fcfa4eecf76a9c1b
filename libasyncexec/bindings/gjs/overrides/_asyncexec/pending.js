// SPDX-License-Identifier: LGPL-2.1-or-later

// A pending is thenable: "await pending" is its value, or throws its error.

const {GLib} = imports.gi;
const {_, alias, blocks, checkFunction, define, defineGetters, isThenable, newError, readOptions, refuse, toMicroseconds} =
    imports.overrides._asyncexec.support;
const {keepUntilDone, whenDone} = imports.overrides._asyncexec.callbacks;
const {fromGError, toGError} = imports.overrides._asyncexec.errors;
const {box, boxThrown, isBox, unbox} = imports.overrides._asyncexec.values;
const {pack, unpack} = imports.overrides._asyncexec.variants;

let namespace = null;
var raw = {};

// The error that a reader of the pending is thrown.
function thrownBy(pending, error) {
    const thrown = fromGError(error);
    if (thrown !== error)
        return thrown;
    const payload = raw.dup_payload.call(pending);
    return isBox(payload) ? unbox(payload) : error;
}

function readWith(getter) {
    return function () {
        try {
            return unbox(getter.call(this));
        } catch (error) {
            throw thrownBy(this, error);
        }
    };
}

// How JavaScript wants to see the value of a pending that C resolves.  What is
// derived from such a pending here shows the same, see converted() for the rest.
const CONVERT = Symbol('convert');

const SUBSCRIBED = Symbol('subscribed');

function noteSubscribed(pending) {
    pending[SUBSCRIBED] = true;
}

// A function for messages as C calls it.
function toSubscriber(func) {
    checkFunction(func);
    return (pending, message) => {
        try {
            func(unpack(message), pending);
        } catch (error) {
            logError(error, 'AsyncExec');
        }
    };
}

function convertWith(pending, convert) {
    if (convert !== undefined)
        pending[CONVERT] = convert;
    return pending;
}

function converterOf(pending) {
    return pending[CONVERT];
}

function result() {
    const value = readValue.call(this);
    const convert = this[CONVERT];
    return convert === undefined ? value : convert(value);
}

let readValue = null;

// Functions of their own, for a closure inside of toPromise() would keep the
// pending alive, and nobody would ever hear that it was abandoned.
function settleWith(resolve, reject, convert) {
    return done => {
        try {
            resolve(convertWith(done, convert).result());
        } catch (error) {
            reject(error);
        }
    };
}

function rejectAbandoned(reject) {
    return () => reject(newError('ABANDONED', _('The pending was dropped before anybody completed it')));
}

// Settles later than now in every case, as promises do, and after everything
// that the pending published.
function toPromise(pending) {
    return new Promise((resolve, reject) => {
        const settle = settleWith(resolve, reject, converterOf(pending));
        // Messages that are on their way come first.
        if (raw.is_done.call(pending) && pending[SUBSCRIBED] === undefined)
            settle(pending);
        else
            whenDone(pending, settle, rejectAbandoned(reject));
    });
}

function resolved(value) {
    const pending = new namespace.Pending();
    pending.resolve(value);
    return pending;
}

function rejected(thrown) {
    const pending = new namespace.Pending();
    pending.reject(thrown);
    return pending;
}

// Cancelling the pending cancels the cancellable; the pending is done when the
// promise is.
function fromPromise(promise, cancellable = null) {
    const pending = new namespace.Pending();
    if (cancellable !== null)
        raw.set_canceller.call(pending, () => cancellable.cancel());
    Promise.resolve(promise).then(value => pending.resolve(value)).catch(error => pending.reject(error));
    return pending;
}

// A pending, a promise or a plain value as a pending.
function toPending(value, cancellable = null) {
    if (value instanceof namespace.Pending)
        return value;
    return isThenable(value) ? fromPromise(value, cancellable) : resolved(value);
}

// A callback whose exceptions nobody waits for.
function guarded(func) {
    checkFunction(func);
    return pending => {
        try {
            func(pending);
        } catch (error) {
            logError(error, 'AsyncExec');
        }
    };
}

// The same outcome with the value as JavaScript wants it, for C to hand on.
function converted(pending) {
    if (converterOf(pending) === undefined)
        return pending;
    const derived = raw.add_continuation.call(pending, namespace.ThenFlags.ON_SUCCESS, () => resolved(pending.result()));
    keepUntilDone(pending);
    return derived;
}

const WAIT_OPTIONS = {
    timeout: null, cancellable: null, protect: false, shield: false, result: true, queuedOnly: false,
};

function waitFlags(options) {
    const {WaitFlags} = namespace;
    let flags = options.protect ? WaitFlags.NONE : WaitFlags.CANCEL_ON_ABANDON;
    if (options.shield)
        flags |= WaitFlags.SHIELD;
    if (!options.result)
        flags |= WaitFlags.NO_RESULT;
    if (options.queuedOnly)
        flags = (flags & ~WaitFlags.CANCEL_ON_ABANDON) | WaitFlags.CANCEL_QUEUED_ONLY;
    return flags;
}

async function waitAsync(options = {}) {
    const read = readOptions(options, WAIT_OPTIONS);
    await new Promise((resolve, reject) => {
        raw.wait_async.call(this, waitFlags(read), toMicroseconds(read.timeout), read.cancellable, (pending, result) => {
            try {
                resolve(raw.wait_finish.call(pending, result));
            } catch (error) {
                reject(thrownBy(pending, error));
            }
        });
    });
    return read.result ? this.result() : undefined;
}

const promiseMethods = {
    then(onResolved, onRejected) {
        return toPromise(this).then(onResolved, onRejected);
    },
    catch(onRejected) {
        return toPromise(this).catch(onRejected);
    },
    finally(onDone) {
        return toPromise(this).finally(onDone);
    },
};

const producerMethods = {
    resolve(value) {
        return raw.resolve.call(this, box(value));
    },
    reject(thrown) {
        if (thrown instanceof GLib.Error)
            return raw.reject_with_payload.call(this, thrown, boxThrown(thrown));
        return raw.reject.call(this, toGError(thrown));
    },
    rejectWithPayload(error, payload = null) {
        return raw.reject_with_payload.call(this, error, box(payload));
    },
    setCanceller(func) {
        return raw.set_canceller.call(this, guarded(func));
    },
    setMetadata(key, value) {
        raw.set_metadata.call(this, key, value === null || value === undefined ? null : pack(value));
    },
    getMetadata(key) {
        const value = raw.dup_metadata.call(this, key);
        return value === null ? null : unpack(value);
    },
};

const consumerMethods = {
    cancel(message = null) {
        return raw.cancel.call(this, message);
    },
    cancelOn(cancellable = null) {
        if (cancellable !== null)
            raw.cancel_on.call(this, cancellable);
    },
    waitAsync,
    withTimeout(seconds) {
        return convertWith(raw.with_timeout.call(this, toMicroseconds(seconds)), converterOf(this));
    },
    shield() {
        return convertWith(raw.shield.call(this), converterOf(this));
    },
    follow(other) {
        return raw.follow.call(this, converted(other));
    },
    addDoneCallback(func) {
        return whenDone(this, guarded(func));
    },
    addDoneCallbackObject(target, func) {
        return raw.add_done_callback_object.call(this, target, guarded(func));
    },
    addContinuation(flags, func) {
        checkFunction(func);
        if (!(flags > 0))
            throw newError('INVALID_ARGUMENT', _('A continuation needs a flag that tells what it follows'));
        const derived = raw.add_continuation.call(this, flags, done => {
            let next;
            try {
                next = func(done);
            } catch (error) {
                throw toGError(error);
            }
            return next === null || next === undefined ? null : converted(toPending(next));
        });
        keepUntilDone(this);
        return derived;
    },
};

const getters = {
    done() {
        return raw.is_done.call(this);
    },
    cancelled() {
        return raw.is_cancelled.call(this);
    },
    state() {
        return raw.get_state.call(this);
    },
    error() {
        const error = raw.dup_error.call(this);
        return error === null ? null : thrownBy(this, error);
    },
    info() {
        return raw.dup_info.call(this);
    },
    context() {
        return raw.dup_context.call(this);
    },
};

const statics = {
    resolved,
    rejected,
    fromPromise,
    newResolved: resolved,
    newRejected: rejected,
    sleep(seconds, cancellable = null) {
        const pending = raw.sleep(toMicroseconds(seconds));
        if (cancellable !== null)
            raw.cancel_on.call(pending, cancellable);
        return pending;
    },
};

function keepRaw(Pending) {
    for (const name of ['resolve', 'reject', 'reject_with_payload', 'set_canceller', 'set_metadata', 'dup_metadata', 'cancel',
        'cancel_on', 'wait_async', 'wait_finish', 'with_timeout', 'add_done_callback_object',
        'add_continuation', 'is_done', 'is_cancelled', 'get_state', 'dup_error', 'dup_payload', 'dup_value', 'dup_info',
        'dup_context', 'dup_name', 'set_name', 'shield', 'follow'])
        raw[name] = Pending.prototype[name];
    raw.sleep = Pending.sleep;
    raw.new_full = Pending.new_full;
}

function install(AsyncExec) {
    const {Pending} = AsyncExec;
    const {prototype} = Pending;
    namespace = AsyncExec;
    keepRaw(Pending);
    readValue = readWith(raw.dup_value);

    define(prototype, {...promiseMethods, ...producerMethods, ...consumerMethods, result});
    for (const name of ['dup_value', 'peek_value', 'dup_object', 'dup_string', 'dup_variant', 'get_boolean', 'get_double', 'get_int64'])
        prototype[name] = readWith(prototype[name]);
    for (const name of ['dup_payload', 'peek_payload']) {
        const read = prototype[name];
        prototype[name] = function () {
            return unbox(read.call(this));
        };
    }
    alias(prototype, ['add_done_callback', 'cancel_queued', 'cancel_with', 'dup_context', 'dup_error', 'dup_info',
        'dup_name', 'dup_object', 'dup_payload', 'dup_result', 'dup_status_text', 'dup_string', 'dup_value', 'dup_variant', 'get_boolean',
        'get_cancellable', 'get_double', 'get_int64', 'get_state', 'is_cancelled', 'is_done', 'peek_payload', 'peek_value',
        'remove_done_callback',
        'resolve_boolean', 'resolve_double', 'resolve_int64', 'resolve_object', 'resolve_string', 'resolve_variant',
        'set_name', 'set_priority', 'wait_finish', 'was_cancel_requested']);
    prototype.dup_metadata = prototype.dupMetadata = prototype.getMetadata;
    refuse(prototype, ['wait', 'runUntilDone'], blocks);
    refuse(prototype, ['addDoneCallbackInline'], () => _('%s() calls back on any thread: use addDoneCallback()'));
    defineGetters(prototype, getters);
    Object.defineProperty(prototype, 'name', {
        get: raw.dup_name, set: raw.set_name, configurable: true, enumerable: true,
    });

    define(Pending, {...statics, newFull: (flags = 0, context = null) => raw.new_full(flags, context)});
    refuse(Pending, ['getCurrent'],
        () => _('%s() would be wrong after an await: the job is the argument of its function'));
    define(AsyncExec, {sleep: statics.sleep});
}
