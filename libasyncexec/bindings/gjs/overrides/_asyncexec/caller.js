// SPDX-License-Identifier: LGPL-2.1-or-later

// Callers: executors that are one main context.

const {_, alias, checkFunction, define, defineGetters, isThenable, readOptions, refuse, toMicroseconds} =
    imports.overrides._asyncexec.support;
const {toGError} = imports.overrides._asyncexec.errors;
const {whenDone} = imports.overrides._asyncexec.callbacks;
const {toPending} = imports.overrides._asyncexec.pending;
const Executors = imports.overrides._asyncexec.executor;

const raw = {};

// Functions that were given to a caller are tied to its JavaScript half: that
// of a context is never let go of.
const kept = new Set();

function keep(caller) {
    kept.add(caller);
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
        const job = raw.call_later.call(this, Math.max(toMicroseconds(seconds), 0), toDelayedJob(call));
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
    // stop(true), or stop({force: true}).
    stop(options = {}) {
        const {force} = typeof options === 'object' ? readOptions(options, {force: false}) : {force: options};
        return raw.stop.call(this, force ? namespace.StopFlags.FORCE : namespace.StopFlags.NONE);
    },
};

function install(AsyncExec) {
    const {Caller} = AsyncExec;
    const {prototype} = Caller;
    namespace = AsyncExec;

    for (const name of ['call_later', 'call_direct', 'stop', 'get_context', 'get_started', 'get_stopping', 'get_stopped'])
        raw[name] = prototype[name];
    for (const name of ['ref_current', 'ref_main', 'ref_for_context', 'new_thread'])
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
    const forContext = (context = null) => keep(raw.ref_for_context(context));
    define(Caller, {
        getCurrent, refCurrent: getCurrent, getMain, refMain: getMain, forContext, refForContext: forContext,
        newThread: (name = null) => Executors.printErrors(raw.new_thread(name)),
    });
}
