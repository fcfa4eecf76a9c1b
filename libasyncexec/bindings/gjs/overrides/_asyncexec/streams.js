// SPDX-License-Identifier: LGPL-2.1-or-later

// Streams are async iterators, written by hand: an async generator would await
// the pendings that it yields.

const {_, alias, blocks, define, defineGetters, refuse} = imports.overrides._asyncexec.support;
const {fromGError, toGError} = imports.overrides._asyncexec.errors;
const {whenDone} = imports.overrides._asyncexec.callbacks;
const {box, unbox} = imports.overrides._asyncexec.values;

const UNKNOWN_TOTAL = 0xffffffff;

// C lets go of a request whose pending is dropped: it is kept until answered.
const requests = new Set();
const raw = {};

// Who fills a stream for JavaScript, and wants to know what becomes of it:
// taken (), close () → Pending.
const fillers = new WeakMap();

function newFilledStream(filler) {
    const stream = raw.new(0);
    fillers.set(stream, filler);
    return stream;
}

function pushInto(stream, value) {
    raw.push.call(stream, box(value));
}

function readItem(result) {
    const pending = result.get_pending();
    if (pending !== null)
        return pending;
    try {
        return unbox(result.dup_value());
    } catch (error) {
        throw fromGError(error);
    }
}

function answer(stream, request, resolve, reject) {
    requests.delete(request);
    try {
        const result = request.result();
        if (result === null) {
            resolve({value: undefined, done: true});
            return;
        }
        fillers.get(stream)?.taken();
        resolve({value: readItem(result), done: false});
    } catch (error) {
        reject(error);
    }
}

const methods = {
    next() {
        return new Promise((resolve, reject) => {
            const request = raw.next.call(this);
            requests.add(request);
            whenDone(request, () => answer(this, request, resolve, reject));
        });
    },
    async return(value) {
        await this.close();
        return {value, done: true};
    },
    close() {
        const closed = raw.close.call(this);
        return fillers.get(this)?.close() ?? closed;
    },
    push(value) {
        return raw.push.call(this, box(value));
    },
    transfer(value) {
        return raw.transfer.call(this, box(value));
    },
    end(error = null) {
        raw.end.call(this, error === null ? null : toGError(error));
    },
};

function install(AsyncExec) {
    const {PendingStream} = AsyncExec;
    const {prototype} = PendingStream;

    for (const name of ['next', 'close', 'push', 'transfer', 'end', 'get_n_done', 'get_n_total', 'get_model'])
        raw[name] = prototype[name];
    raw.new = PendingStream.new;
    define(prototype, methods);
    prototype[Symbol.asyncIterator] = function () {
        return this;
    };
    if (Symbol.asyncDispose)
        prototype[Symbol.asyncDispose] = methods.close;
    alias(prototype, ['get_model', 'get_n_done', 'get_n_total']);
    refuse(prototype, ['nextSync'], blocks);
    refuse(prototype, ['setValue'], () => _('%s() is for the function of a map in C: return the value instead'));
    defineGetters(prototype, {
        nDone: raw.get_n_done,
        nTotal() {
            const total = raw.get_n_total.call(this);
            return total === UNKNOWN_TOTAL ? null : total;
        },
        model: raw.get_model,
    });
    define(PendingStream, {new: (maxBuffered = 0) => raw.new(maxBuffered)});
    AsyncExec.Stream = PendingStream;
    installResult(AsyncExec.PendingResult);
}

// One of the results in the model of a stream.
function installResult({prototype}) {
    const {get_index: getIndex, get_success: getSuccess, get_pending: getPending, dup_error: dupError} = prototype;
    const reading = read => function () {
        try {
            return unbox(read.call(this));
        } catch (error) {
            throw fromGError(error);
        }
    };

    define(prototype, {dupValue: reading(prototype.dup_value), peekValue: reading(prototype.peek_value)});
    alias(prototype, ['dup_error', 'get_index', 'get_pending', 'get_success']);
    defineGetters(prototype, {
        index: getIndex,
        success: getSuccess,
        pending: getPending,
        value: prototype.dup_value,
        error() {
            const error = dupError.call(this);
            return error === null ? null : fromGError(error);
        },
    });
}
