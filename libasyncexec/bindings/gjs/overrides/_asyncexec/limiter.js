// SPDX-License-Identifier: LGPL-2.1-or-later

// Executors that are built on others: limiters, with their permits, and pools
// of callers.

const {_, alias, checkType, define} = imports.overrides._asyncexec.support;
const Support = imports.overrides._asyncexec.support;
const Executors = imports.overrides._asyncexec.executor;

const raw = {};
const callerPoolRaw = {};

function checkSlots(count) {
    if (!Number.isInteger(count) || count < 1)
        throw Support.newError('INVALID_ARGUMENT', _('A number of slots or of threads is 1 or more'));
    return count;
}

function installLimiter(Limiter, Executor) {
    const {prototype} = Limiter;
    const init = prototype._init;

    prototype._init = function (parameters = {}) {
        const {maxConcurrent = 1, max_concurrent: slots = maxConcurrent, ...others} = parameters;
        if (others.wrapped !== undefined)
            checkType(others.wrapped, Executor);
        init.call(this, {...others, max_concurrent: checkSlots(slots)});
    };
    raw.set_max_concurrent = prototype.set_max_concurrent;
    define(prototype, {
        setMaxConcurrent(maxConcurrent) {
            raw.set_max_concurrent.call(this, checkSlots(maxConcurrent));
        },
    });
    alias(prototype, ['acquire', 'get_wrapped', 'get_max_concurrent']);
    define(Limiter, {new: (wrapped, maxConcurrent = 1) => {
        checkType(wrapped, Executor);
        return new Limiter({wrapped, maxConcurrent});
    }});
}

function installPermit({prototype}) {
    alias(prototype, ['release', 'ref', 'unref']);
    if (Symbol.dispose)
        prototype[Symbol.dispose] = prototype.release;
    if (Symbol.asyncDispose) {
        prototype[Symbol.asyncDispose] = async function () {
            this.release();
        };
    }
}

function installCallerPool(CallerPool) {
    const {prototype} = CallerPool;
    const init = prototype._init;

    prototype._init = function (parameters = {}) {
        const {nCallers = 1, n_callers: threads = nCallers, ...others} = parameters;
        init.call(this, {...others, n_callers: checkSlots(threads)});
    };
    callerPoolRaw.new = CallerPool.new;
    alias(prototype, ['get_n_callers', 'list_callers', 'dup_loads', 'pick']);
    define(CallerPool, {new: (nCallers = 1) => Executors.printErrors(callerPoolRaw.new(checkSlots(nCallers)))});
}

function install(AsyncExec) {
    installLimiter(AsyncExec.Limiter, AsyncExec.Executor);
    installPermit(AsyncExec.Permit);
    installCallerPool(AsyncExec.CallerPool);
}
