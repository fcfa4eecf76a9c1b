// SPDX-License-Identifier: LGPL-2.1-or-later

// Functions that a caller runs one after the other.

const {alias, checkFunction, define, defineGetters} = imports.overrides._asyncexec.support;
const {whenDone} = imports.overrides._asyncexec.callbacks;
const Executors = imports.overrides._asyncexec.executor;

const raw = {};

// What was pushed is tied to the JavaScript half of its queue, which is there
// until what was dropped has been let go of: the caller does so in its order.
const kept = new Set();

function keep(queue) {
    const caller = raw.ref_caller.call(queue);
    // Nothing of JavaScript is pushed to another thread.
    if (kept.has(queue) || !caller.runs_here())
        return queue;
    kept.add(queue);
    whenDone(raw.get_pending.call(queue), () => {
        whenDone(Executors.submitJob(caller, null, () => null, []), () => kept.delete(queue));
    });
    return queue;
}

// Functions have no name of their own: each gets a number when it is first seen.
const numbers = new WeakMap();
let lastNumber = 0;

function keyOf(func) {
    checkFunction(func);
    if (!numbers.has(func))
        numbers.set(func, ++lastNumber);
    return `javascript:${numbers.get(func)}`;
}

const methods = {
    // False when it is closed.
    push(func, ...args) {
        checkFunction(func);
        const caller = raw.ref_caller.call(this);
        Executors.checkRunsHere(caller);
        return raw.push_async.call(this, Executors.toJob(func, args));
    },
};

const callerMethods = {
    // The queue of that name, found or made; with an owner it ends with that.
    queue(key, owner = null) {
        return keep(raw.ensure_queue.call(this, owner, key));
    },
    queueCall(func, ...args) {
        Executors.checkRunsHere(this);
        keep(raw.ensure_queue.call(this, null, keyOf(func))).push(func, ...args);
    },
    queueGet(func) {
        return raw.lookup_queue.call(this, null, keyOf(func))?.pending ?? null;
    },
    queueClose(func) {
        raw.close_queue.call(this, null, keyOf(func));
    },
};

function install(AsyncExec) {
    const {CallQueue, Caller} = AsyncExec;

    for (const name of ['push_async', 'get_pending', 'get_key', 'get_n_items', 'ref_caller'])
        raw[name] = CallQueue.prototype[name];
    for (const name of ['ensure_queue', 'lookup_queue', 'close_queue'])
        raw[name] = Caller.prototype[name];
    define(CallQueue.prototype, {...methods, pushAsync: methods.push});
    alias(CallQueue.prototype, ['close', 'get_pending', 'get_key', 'get_n_items']);
    CallQueue.prototype.ref_caller = undefined;
    defineGetters(CallQueue.prototype, {
        pending: raw.get_pending, key: raw.get_key, nItems: raw.get_n_items, caller: raw.ref_caller,
    });
    define(Caller.prototype, callerMethods);
    for (const name of ['ensure_queue', 'lookup_queue', 'close_queue'])
        Caller.prototype[name] = undefined;
}
