// SPDX-License-Identifier: LGPL-2.1-or-later

// Giving work to executors.  A function of JavaScript only runs on JavaScript's
// thread: elsewhere it is refused at once, for C could not refuse it later.

const {GObject} = imports.gi;
const {_, alias, blocks, checkFunction, checkType, define, isThenable, newError, readOptions, refuse, toMicroseconds, toSeconds} =
    imports.overrides._asyncexec.support;
const {fromGError, toGError} = imports.overrides._asyncexec.errors;
const {keepUntilDone, whenDone} = imports.overrides._asyncexec.callbacks;
const {converted, fromPromise, noteSubscribed, toSubscriber} = imports.overrides._asyncexec.pending;
const {nameJob} = imports.overrides._asyncexec.naming;
const {pack} = imports.overrides._asyncexec.variants;

let namespace = null;
let plainOptions = null;
let rawSetTimeout = null;
const raw = {};
const poolRaw = {};

function checkRunsHere(executor) {
    if (raw.runs_here.call(executor))
        return;
    throw newError('NOT_SUPPORTED', _('A JavaScript function can not leave its thread, and this executor runs on ' +
        'others: use Caller.getCurrent(), or a named operation with call()'));
}

// A function as a job in coroutine form: what it returns is the value, or is
// followed when it is a pending or a promise.
function toJob(func, args) {
    return (job, cancellable) => {
        let result;
        try {
            result = func(...args, job, cancellable);
        } catch (error) {
            if (!job.reject(error))
                throw toGError(error);
            return null;
        }
        if (!isThenable(result)) {
            job.resolve(result);
            return null;
        }
        return result instanceof namespace.Pending ? converted(result) : fromPromise(result, cancellable);
    };
}

function submitJob(executor, options, func, args) {
    checkFunction(func);
    checkRunsHere(executor);
    const job = raw.submit_async_full.call(executor, options ?? plainOptions, toJob(func, args));
    return keepUntilDone(nameJob(job, func), executor);
}

// ---- errors that nobody waits for

function printUnhandled(_executor, _pending, error) {
    logError(fromGError(error), 'AsyncExec');
    return true;
}

const printing = new WeakSet();

// After the handlers of the user, so that any of them may handle it.
function printErrors(executor) {
    if (executor !== null && !printing.has(executor)) {
        printing.add(executor);
        raw.connect_after.call(executor, 'unhandled-error', printUnhandled);
    }
    return executor;
}

function reportUnhandled(executor, error) {
    executor.emit('unhandled-error', null, toGError(error));
}

function connectWith(connect) {
    return function (signal, func) {
        if (signal.split('::')[0] !== 'unhandled-error')
            return connect.call(this, signal, func);
        return connect.call(this, signal, (executor, pending, error) => func(executor, pending, fromGError(error)));
    };
}

// Nobody waits for it.
function reportRejection(executor, job) {
    whenDone(job, () => {
        if (job.state === namespace.PendingState.REJECTED)
            reportUnhandled(executor, job.error);
    });
}

// Fire and forget: what fails, now or after an await, is reported.
function toPost(executor, func, args) {
    return () => {
        let result;
        try {
            result = func(...args);
        } catch (error) {
            throw toGError(error);
        }
        if (isThenable(result))
            result.then(undefined, error => reportUnhandled(executor, error));
        return true;
    };
}

// ---- options

const SUBMIT_OPTIONS = {
    name: null, priority: null, timeout: null, cancellable: null, context: null, metadata: null,
    subscriber: null, trackers: undefined, group: undefined,
};

function checkPriority(priority) {
    if (!Object.values(namespace.Priority).includes(priority))
        throw newError('INVALID_ARGUMENT', _('A priority is one of those of AsyncExec.Priority'));
    return priority;
}

// No trackers, or a group of null: it opts out.
function chooseTrackers(options, {trackers, group}) {
    const chosen = trackers ?? (group === null ? [namespace.PendingManager] : null);
    if (chosen !== null)
        options.set_trackers(chosen.map(tracker => tracker.$gtype));
    if (group !== null && group !== undefined) {
        checkType(group, namespace.PendingGroup);
        options.set_group(group);
    }
}

function toSubmitOptions(values) {
    const options = namespace.SubmitOptions.new();
    options.set_release_on_owner(true);
    if (values.name !== null)
        options.set_name(values.name);
    if (values.priority !== null)
        options.set_priority(checkPriority(values.priority));
    rawSetTimeout.call(options, toMicroseconds(values.timeout));
    if (values.cancellable !== null)
        options.set_cancellable(values.cancellable);
    if (values.context !== null)
        options.set_context(values.context);
    for (const [key, value] of Object.entries(values.metadata ?? {}))
        options.set_metadata(key, value);
    if (values.subscriber !== null)
        options.set_subscriber(values.subscriber);
    chooseTrackers(options, values);
    return options;
}

function withTimeLimit(options, seconds) {
    const limited = (options ?? plainOptions).copy();
    rawSetTimeout.call(limited, toMicroseconds(seconds));
    return limited;
}

// An executor with options for what is given to it.
class OptionsView {
    constructor(executor, options) {
        this.executor = executor;
        const values = readOptions(options, SUBMIT_OPTIONS);
        this._options = toSubmitOptions(values);
        this._subscribed = values.subscriber !== null;
    }

    // Whoever awaits it gets its messages first.
    _noted(job) {
        if (this._subscribed)
            noteSubscribed(job);
        return job;
    }

    submit(func, ...args) {
        return this._noted(submitJob(this.executor, this._options, func, args));
    }

    post(func, ...args) {
        const job = this.submit(func, ...args);
        reportRejection(this.executor, job);
    }

    call(name, parameters = null) {
        return this._noted(imports.overrides._asyncexec.operations.call(this.executor, this._options, name, parameters));
    }

    map(func, items, options = {}) {
        return imports.overrides._asyncexec.map.map(this.executor, this._options, func, items, options);
    }

    runMultiple(tasks, options = {}) {
        return imports.overrides._asyncexec.map.runMultiple(this.executor, this._options, tasks, options);
    }
}
OptionsView.prototype.run_multiple = OptionsView.prototype.runMultiple;

// ---- Executor

const SHUTDOWN_OPTIONS = {cancelPending: false, cancelRunning: false};

// Flags as in C, or {cancelPending, cancelRunning}.
function toShutdownFlags(options) {
    if (typeof options === 'number')
        return options;
    const {ShutdownFlags} = namespace;
    const {cancelPending, cancelRunning} = readOptions(options, SHUTDOWN_OPTIONS);
    return (cancelPending ? ShutdownFlags.CANCEL_QUEUED : 0) | (cancelRunning ? ShutdownFlags.CANCEL_RUNNING : 0);
}

const methods = {
    submit(func, ...args) {
        return submitJob(this, null, func, args);
    },
    submitFull(options, func, ...args) {
        return submitJob(this, options, func, args);
    },
    post(func, ...args) {
        checkFunction(func);
        checkRunsHere(this);
        // A caller is kept for ever, another executor until its job is done.
        if (this instanceof namespace.Caller)
            raw.post.call(this, toPost(this, func, args));
        else
            reportRejection(this, submitJob(this, null, () => func(...args), []));
    },
    options(options) {
        return new OptionsView(this, options);
    },
    shutdown(options = {}) {
        return raw.shutdown.call(this, toShutdownFlags(options));
    },
    shutdownNowait(options = {}) {
        this.shutdown(options);
    },
};

function readParameters(parameters = {}) {
    const {idleTimeout, idle_timeout: snakeTimeout = idleTimeout, ...others} = parameters;
    for (const name of Object.keys(others)) {
        if (/^idle[-_]?timeout[-_]?us$/i.test(name))
            throw newError('INVALID_ARGUMENT', _('Give idleTimeout, in seconds'));
        if (/^dispatch[-_]?anywhere$/i.test(name) && others[name])
            throw newError('NOT_SUPPORTED', _('JavaScript can not dispatch on any thread: leave dispatchAnywhere out'));
    }
    if (snakeTimeout !== undefined)
        others.idle_timeout_us = toMicroseconds(snakeTimeout);
    return others;
}

// vfunc_dispatch() of a subclass may throw anything.
function wrapDispatch(klass) {
    const dispatch = Object.hasOwn(klass.prototype, 'vfunc_dispatch') ? klass.prototype.vfunc_dispatch : null;
    if (dispatch === null)
        return;
    klass.prototype.vfunc_dispatch = function (job) {
        try {
            dispatch.call(this, job);
        } catch (error) {
            throw toGError(error);
        }
    };
}

function installClass(Executor) {
    const {prototype} = Executor;
    const init = prototype._init;
    const classInit = Executor._classInit;

    prototype._init = function (parameters) {
        init.call(this, readParameters(parameters));
        printErrors(this);
    };
    Executor._classInit = function (klass) {
        wrapDispatch(klass);
        return classInit.call(this, klass);
    };
}

function install(AsyncExec) {
    const {Executor, SubmitOptions} = AsyncExec;
    const {prototype} = Executor;
    namespace = AsyncExec;
    rawSetTimeout = SubmitOptions.prototype.set_timeout;
    plainOptions = SubmitOptions.new();
    plainOptions.set_release_on_owner(true);

    for (const name of ['submit_async_full', 'post', 'shutdown', 'runs_here', 'set_default'])
        raw[name] = prototype[name];
    raw.connect_after = GObject.Object.prototype.connect_after;
    raw.ref_default = Executor.ref_default;
    // Each executor prints what nobody handles: see printErrors().
    Executor.set_unhandled_func = undefined;
    define(prototype, {...methods, submitAsync: methods.submit, submitAsyncFull: methods.submitFull});
    prototype.connect = connectWith(GObject.Object.prototype.connect);
    prototype.connect_after = connectWith(raw.connect_after);
    alias(prototype, ['runs_here', 'get_max_pending', 'get_n_pending', 'get_n_running', 'get_name', 'get_state',
        'set_max_pending']);
    refuse(prototype, ['run'], blocks);
    if (Symbol.asyncDispose)
        prototype[Symbol.asyncDispose] = methods.shutdown;
    installClass(Executor);
    installDefault(Executor, prototype);
    installOptions(SubmitOptions.prototype);
    installPool(AsyncExec.ThreadPool);
}

function installDefault(Executor, prototype) {
    const getDefault = () => printErrors(raw.ref_default());
    define(Executor, {
        getDefault,
        refDefault: getDefault,
        setDefault(executor) {
            checkType(executor, Executor);
            raw.set_default.call(executor);
        },
    });
    delete prototype.set_default;
    define(prototype, {
        setDefault() {
            raw.set_default.call(this);
        },
    });
}

function installOptions(prototype) {
    const {set_metadata: setMetadata, set_subscriber: setSubscriber} = prototype;
    define(prototype, {
        setMetadata(key, value) {
            setMetadata.call(this, key, value === null || value === undefined ? null : pack(value));
        },
        setSubscriber(func) {
            setSubscriber.call(this, toSubscriber(func));
        },
        setTimeout(seconds) {
            rawSetTimeout.call(this, toMicroseconds(seconds));
        },
    });
    alias(prototype, ['set_name', 'set_priority', 'set_cancellable', 'set_context', 'set_group', 'set_release_on_owner',
        'set_trackers']);
}

function installPool(ThreadPool) {
    const {prototype} = ThreadPool;

    for (const name of ['get_idle_timeout', 'set_idle_timeout'])
        poolRaw[name] = prototype[name];
    define(prototype, {
        getIdleTimeout() {
            return toSeconds(poolRaw.get_idle_timeout.call(this));
        },
        setIdleTimeout(seconds) {
            poolRaw.set_idle_timeout.call(this, toMicroseconds(seconds));
        },
    });
    const idleTimeout = {get: prototype.getIdleTimeout, set: prototype.setIdleTimeout, configurable: true};
    // The property of C, in microseconds, is not to be met by chance.
    for (const name of ['idleTimeout', 'idle_timeout', 'idleTimeoutUs', 'idle_timeout_us', 'idle-timeout-us'])
        Object.defineProperty(prototype, name, {...idleTimeout, enumerable: name === 'idleTimeout'});
    alias(prototype, ['get_help_waiting', 'set_help_waiting', 'get_max_workers', 'set_max_workers', 'get_n_workers']);
    refuse(prototype, ['setThreadMain', 'runWorker'],
        () => _('%s() is for languages that run on many threads, and JavaScript has one'));
    define(ThreadPool, {new: (maxWorkers = 0) => new ThreadPool({maxWorkers})});
}
