// SPDX-License-Identifier: LGPL-2.1-or-later

// Context variables, and what one can know about a pending.

const {alias, checkFunction, define, defineGetters, toMicroseconds, toSeconds} = imports.overrides._asyncexec.support;
const {runThrough} = imports.overrides._asyncexec.callbacks;
const {box, unbox} = imports.overrides._asyncexec.values;

function installContext(AsyncExec) {
    const {Context} = AsyncExec;
    const current = Context.ref_current;

    define(Context.prototype, {
        // What func returns or throws; C knows neither.
        run(func, ...args) {
            checkFunction(func);
            return runThrough((trampoline, token) => trampoline.run_in_context(this, token), func, args);
        },
    });
    define(Context, {getCurrent: current, refCurrent: current});
}

function installVariable({prototype}, ContextVar) {
    const {set, dup_value: dupValue} = prototype;
    const create = ContextVar.new;
    const setValue = function (value) {
        return set.call(this, box(value));
    };
    const getValue = function () {
        return unbox(dupValue.call(this));
    };

    define(prototype, {setValue, getValue, set: setValue, dupValue: getValue});
    alias(prototype, ['get_name']);
    Object.defineProperty(prototype, 'value', {get: getValue, configurable: true, enumerable: true});
    define(ContextVar, {new: (name, value = null) => create(name, box(value))});
}

function installInfo({prototype}) {
    const {get_submitted_us: submitted, get_started_us: started, get_done_us: done} = prototype;

    alias(prototype, ['get_name', 'get_state', 'get_executor_name', 'get_thread_id', 'get_submitted_us',
        'get_started_us', 'get_done_us']);
    defineGetters(prototype, {
        name: prototype.get_name,
        state: prototype.get_state,
        executorName: prototype.get_executor_name,
        threadId: prototype.get_thread_id,
        submitted() {
            return toSeconds(submitted.call(this));
        },
        started() {
            return toSeconds(started.call(this));
        },
        finished() {
            return toSeconds(done.call(this));
        },
    });
}

// Virtual time, for tests of programs.
function installTesting(AsyncExec) {
    const {testing_advance: advance, testing_get_next: getNext, testing_set_virtual_time: setVirtualTime} = AsyncExec;
    const testing = {
        setVirtualTime,
        advance(seconds) {
            advance(toMicroseconds(seconds));
        },
        getNext() {
            return toSeconds(getNext());
        },
    };

    AsyncExec.testing = {};
    define(AsyncExec.testing, testing);
    for (const name of ['set_virtual_time', 'advance', 'get_next'])
        AsyncExec[`testing_${name}`] = AsyncExec.testing[name];
}

function install(AsyncExec) {
    installTesting(AsyncExec);
    installContext(AsyncExec);
    installVariable(AsyncExec.ContextVar, AsyncExec.ContextVar);
    installInfo(AsyncExec.PendingInfo);
    define(AsyncExec, {
        checkCancelled: AsyncExec.check_cancelled,
        blockingBegin: AsyncExec.blocking_begin,
        blockingEnd: AsyncExec.blocking_end,
    });
}
