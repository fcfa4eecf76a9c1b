// SPDX-License-Identifier: LGPL-2.1-or-later

// Callers: executors that are one main context.

const {_, alias, checkFunction, define, defineGetters, isThenable, newError, readOptions, refuse, toMicroseconds, toSeconds} =
    imports.overrides._asyncexec.support;
const {toGError} = imports.overrides._asyncexec.errors;
const {whenDone} = imports.overrides._asyncexec.callbacks;
const {nameJob} = imports.overrides._asyncexec.naming;
const {toPending} = imports.overrides._asyncexec.pending;
const Executors = imports.overrides._asyncexec.executor;

const raw = {};

// Functions that were given to a caller are tied to its JavaScript half: that
// of a context is let go of when it has stopped.
const kept = new Set();

function keep(caller) {
    if (!kept.has(caller)) {
        kept.add(caller);
        whenDone(raw.get_stopped.call(caller), () => kept.delete(caller));
    }
    return Executors.printErrors(caller);
}

let namespace = null;

// A delayed job is a plain one: what it returns is followed from inside.
function toDelayedJob(call) {
    return job => {
        const cancellable = job.get_cancellable();
        let result;
        try {
            result = call.func(...call.args, job, cancellable);
        } catch (error) {
            if (!job.reject(error))
                throw toGError(error);
            return true;
        }
        if (isThenable(result))
            job.follow(toPending(result, cancellable));
        else
            job.resolve(result);
        return true;
    };
}

const methods = {
    callSoon(func, ...args) {
        return this.submit(func, ...args);
    },
    callLater(seconds, func, ...args) {
        checkFunction(func);
        Executors.checkRunsHere(this);
        const call = {func, args};
        const job = nameJob(raw.call_later.call(this, Math.max(toMicroseconds(seconds), 0), toDelayedJob(call)), func);
        // C may keep what was cancelled until its time has come.
        whenDone(job, () => {
            call.func = call.args = null;
        });
        return job;
    },
    callDirect(func, ...args) {
        checkFunction(func);
        Executors.checkRunsHere(this);
        raw.call_direct.call(this, Executors.toPost(this, func, args));
    },
    // A function with what can be said of it: {context, metadata, trackers, group}.
    scheduleCall(func, args = [], options = {}) {
        return this.options(readOptions(options, SCHEDULE_OPTIONS)).submit(func, ...args);
    },
    // stop(true), or stop({force: true}).
    stop(options = {}) {
        const {force} = typeof options === 'object' ? readOptions(options, {force: false}) : {force: options};
        return raw.stop.call(this, force ? namespace.StopFlags.FORCE : namespace.StopFlags.NONE);
    },
    child(name = null, options = {}) {
        return Executors.printErrors(raw.ref_child_full.call(this, toThreadOptions(name, options)));
    },
    hold() {
        if (!raw.hold.call(this))
            throw newError('CLOSED', _('The caller is stopping: nobody can hold it any more'));
    },
    // The last one stops it; release({drain: true}) lets it run what it has.
    release(options = {}) {
        const {drain} = readOptions(options, {drain: false});
        const {ShutdownFlags} = namespace;
        return raw.release_full.call(this, drain ? ShutdownFlags.NONE : ShutdownFlags.CANCEL_QUEUED | ShutdownFlags.CANCEL_RUNNING);
    },
    getIdleWorkerTimeout() {
        return toSeconds(raw.get_idle_worker_timeout.call(this));
    },
    setIdleWorkerTimeout(seconds) {
        raw.set_idle_worker_timeout.call(this, toMicroseconds(seconds));
    },
};

const SCHEDULE_OPTIONS = {context: null, metadata: null, trackers: undefined, group: undefined};
const THREAD_OPTIONS = {contextFlags: null, niceness: null};

function toThreadOptions(name, options) {
    const {contextFlags, niceness} = readOptions(options, THREAD_OPTIONS);
    const made = namespace.CallerOptions.new();
    made.set_name(name);
    if (contextFlags !== null)
        made.set_context_flags(contextFlags);
    if (niceness !== null)
        made.set_niceness(niceness);
    return made;
}

function defineAccessor(prototype, name, get, set) {
    for (const spelling of [name, name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)])
        Object.defineProperty(prototype, spelling, {get, set, configurable: true, enumerable: true});
}

function installFamily(Caller, prototype) {
    alias(prototype, ['describe', 'get_protected', 'set_protected', 'get_max_idle_workers', 'set_max_idle_workers',
        'get_max_workers', 'set_max_workers', 'list_children', 'dup_options']);
    defineGetters(prototype, {
        parent() {
            return raw.ref_parent.call(this);
        },
        children() {
            return raw.list_children.call(this);
        },
        workers() {
            return raw.ref_workers.call(this);
        },
        contextFlags() {
            return raw.dup_options.call(this).get_context_flags();
        },
        niceness() {
            return raw.dup_options.call(this).get_niceness();
        },
    });
    defineAccessor(prototype, 'idleWorkerTimeout', methods.getIdleWorkerTimeout, methods.setIdleWorkerTimeout);
    refuse(prototype, ['toThread'], () => _('%s() would take a JavaScript function to another thread: use workers.call() ' +
        'for a named operation'));
    for (const name of ['ref_child', 'ref_child_full', 'ref_parent', 'ref_workers', 'release_full'])
        prototype[name] = undefined;
    const lookup = (id = null) => {
        const found = id === null ? raw.lookup_current() : raw.lookup(id);
        return Executors.printErrors(found);
    };
    define(Caller, {
        lookup, lookupCurrent: () => lookup(), list: (runningOnly = true) => raw.list(runningOnly),
        newForContext: (context = null, name = null) => keep(raw.new_for_context(context, name)),
    });
    Caller.ref_for_context_named = undefined;
    Caller.new_thread_full = undefined;
}

function install(AsyncExec) {
    const {Caller} = AsyncExec;
    const {prototype} = Caller;
    namespace = AsyncExec;

    for (const name of ['call_later', 'call_direct', 'stop', 'get_context', 'get_started', 'get_stopping', 'get_stopped',
        'ref_child_full', 'ref_parent', 'list_children', 'ref_workers', 'dup_options', 'hold', 'release_full',
        'get_idle_worker_timeout', 'set_idle_worker_timeout'])
        raw[name] = prototype[name];
    for (const name of ['ref_current', 'ref_main', 'ref_for_context', 'ref_for_context_named', 'new_for_context', 'new_thread_full',
        'lookup', 'lookup_current', 'list'])
        raw[name] = Caller[name];
    define(prototype, methods);
    alias(prototype, ['get_context', 'get_id', 'get_started', 'get_stopping', 'get_stopped']);
    defineGetters(prototype, {
        context: raw.get_context, started: raw.get_started, stopping: raw.get_stopping, stopped: raw.get_stopped,
    });
    refuse(prototype, ['setWakeFunc', 'dispatch', 'getReadyTime'],
        () => _('%s() hosts a caller in a foreign loop, and JavaScript runs in that of GLib'));

    const getCurrent = () => keep(raw.ref_current());
    const getMain = () => keep(raw.ref_main());
    const forContext = (context = null, name = null) =>
        keep(name === null ? raw.ref_for_context(context) : raw.ref_for_context_named(context, name));
    define(Caller, {
        getCurrent, refCurrent: getCurrent, getMain, refMain: getMain, forContext, refForContext: forContext,
        newThread: (name = null, options = {}) => Executors.printErrors(raw.new_thread_full(toThreadOptions(name, options))),
    });
    installFamily(Caller, prototype);
    alias(AsyncExec.CallerOptions.prototype, ['get_name', 'get_context_flags', 'get_niceness', 'set_name', 'set_context_flags',
        'set_niceness']);
}
