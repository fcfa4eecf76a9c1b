// SPDX-License-Identifier: LGPL-2.1-or-later

// Values that are made when somebody asks, and once.

const {_, checkFunction, checkType, define, defineGetters, newError, readOptions} = imports.overrides._asyncexec.support;
const Executors = imports.overrides._asyncexec.executor;

const raw = {};
let namespace = null;

function create(executor, func) {
    checkFunction(func);
    if (executor !== null) {
        checkType(executor, namespace.Executor);
        Executors.checkRunsHere(executor);
    }
    return raw.new_async(executor, Executors.toJob(func, []));
}

const methods = {
    // The value if it is there.
    peek() {
        if (!raw.is_made.call(this))
            throw newError('NOT_DONE', _('The value was not made yet: ask for it'));
        return raw.get.call(this).result();
    },
};

function install(AsyncExec) {
    const {Lazy} = AsyncExec;
    const {prototype} = Lazy;
    namespace = AsyncExec;

    for (const name of ['get', 'is_made', 'dup_value', 'get_executor'])
        raw[name] = prototype[name];
    raw.new_async = Lazy.new_async;
    // C makes it: only a function of C takes the function.
    prototype._init = function (func, options = {}) {
        return create(readOptions(options, {executor: null}).executor, func);
    };
    define(prototype, {...methods, isMade: raw.is_made, dupValue: methods.peek, getExecutor: raw.get_executor});
    defineGetters(prototype, {made: raw.is_made, executor: raw.get_executor});
    define(Lazy, {new: create, newAsync: create});
}
