// SPDX-License-Identifier: LGPL-2.1-or-later

// Services: what runs for a while, says when it has started, and is told when
// to stop.

const {_, alias, checkFunction, checkType, define, defineGetters, isThenable, readOptions, refuse} =
    imports.overrides._asyncexec.support;
const {keepUntilDone} = imports.overrides._asyncexec.callbacks;
const {converted, fromPromise, rejected, resolved} = imports.overrides._asyncexec.pending;
const Executors = imports.overrides._asyncexec.executor;

const raw = {};
let namespace = null;

// What a function returns, or throws, as the pending of the end.
function toEnd(func, self, args) {
    let result;
    try {
        result = func.apply(self, args);
    } catch (error) {
        return rejected(error);
    }
    if (!isThenable(result))
        return resolved(result);
    return result instanceof namespace.Pending ? converted(result) : fromPromise(result);
}

const OPTIONS = {caller: null, name: null};

// (func, {caller, name}), or as a subclass says it, ({caller, name}).
function readParameters(func, options) {
    const given = typeof func === 'function' || func === null ? options : func;
    const {caller, name} = readOptions(given, OPTIONS);
    if (caller !== null)
        checkType(caller, namespace.Caller);
    return {caller: caller ?? namespace.Caller.getCurrent(), name};
}

// Functions are tied to the JavaScript half of the service.
const kept = new WeakSet();

const methods = {
    setFunc(func) {
        checkFunction(func);
        raw.set_func.call(this, service => toEnd(func, undefined, [service]));
    },
    start() {
        const started = raw.start.call(this);
        if (started === raw.get_started.call(this) && !kept.has(this)) {
            kept.add(this);
            keepUntilDone(raw.get_stopped.call(this), this);
        }
        return started;
    },
    // Runs func(service) when it has started, and stops it; gives what func returned when it has ended.
    async use(func, ...args) {
        checkFunction(func);
        raw.enter.call(this);
        let result, thrown = null;
        try {
            await raw.get_started.call(this);
            result = await func(this, ...args);
        } catch (error) {
            thrown = {error};
        }
        await raw.stop.call(this).waitAsync({protect: true, result: thrown === null});
        if (thrown !== null)
            throw thrown.error;
        return result;
    },
};

// vfunc_run() of a subclass may be async, and throw anything.
function wrapRun(klass) {
    const run = Object.hasOwn(klass.prototype, 'vfunc_run') ? klass.prototype.vfunc_run : null;
    if (run === null)
        return;
    klass.prototype.vfunc_run = function () {
        return toEnd(run, this, []);
    };
}

function installClass(Service) {
    const {prototype} = Service;
    const init = prototype._init;
    const classInit = Service._classInit;

    prototype._init = function (func = null, options = {}) {
        const parameters = readParameters(func, options);
        Executors.checkRunsHere(parameters.caller);
        init.call(this, parameters);
        if (typeof func === 'function')
            this.setFunc(func);
    };
    Service._classInit = function (klass) {
        wrapRun(klass);
        return classInit.call(this, klass);
    };
}

function install(AsyncExec) {
    const {Service} = AsyncExec;
    const {prototype} = Service;
    namespace = AsyncExec;

    for (const name of ['set_func', 'start', 'stop', 'enter', 'get_started', 'get_stopping', 'get_stopped', 'get_caller', 'get_name'])
        raw[name] = prototype[name];
    define(prototype, methods);
    alias(prototype, ['stop', 'ready', 'get_started', 'get_stopping', 'get_stopped', 'get_caller', 'get_name']);
    refuse(prototype, ['enter'], () => _('%s() is for languages that have a block for it: use use()'));
    defineGetters(prototype, {
        started: raw.get_started, stopping: raw.get_stopping, stopped: raw.get_stopped, caller: raw.get_caller, name: raw.get_name,
    });
    if (Symbol.asyncDispose)
        prototype[Symbol.asyncDispose] = raw.stop;
    installClass(Service);
    define(Service, {new: (caller = null, name = null, func = null) => new Service(func, {caller, name})});
}
