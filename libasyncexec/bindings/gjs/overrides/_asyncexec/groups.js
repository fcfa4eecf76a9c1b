// SPDX-License-Identifier: LGPL-2.1-or-later

// Trackers, managers and groups.  As with scopes, JavaScript has no context that
// survives an await: what belongs to a group is given to it.

const {_, alias, camelCase, checkFunction, checkType, closeIterator, define, defineGetters, iterateAny, newError, readOptions,
    refuse, toMicroseconds, toSeconds} = imports.overrides._asyncexec.support;
const {whenDone} = imports.overrides._asyncexec.callbacks;
const {toPending} = imports.overrides._asyncexec.pending;
const {matches} = imports.overrides._asyncexec.errors;

const {GLib} = imports.gi;

let namespace = null;
const raw = {};

const GROUP_OPTIONS = {mode: 0, shield: false, timeout: null, cancellationTimeout: 10};

function toProperties(options) {
    const {mode, shield, timeout, cancellationTimeout} = readOptions(options, GROUP_OPTIONS);
    if (!Object.values(namespace.GroupMode).includes(mode))
        throw newError('INVALID_ARGUMENT', _('A mode is one of those of AsyncExec.GroupMode'));
    return {
        mode, shield,
        timeout_us: toMicroseconds(timeout),
        cancellation_timeout_us: toMicroseconds(cancellationTimeout),
    };
}

// So long other work of the thread waits.
const TURN_US = 1000;

function othersRan() {
    return new Promise(resolve => GLib.idle_add(GLib.PRIORITY_DEFAULT_IDLE, () => {
        resolve();
        return GLib.SOURCE_REMOVE;
    }));
}

// What an item says that was cancelled, if the group goes on after that.
function skipped(group, error) {
    const goesOn = [namespace.GroupMode.IGNORE, namespace.GroupMode.RAISE_AT_END].includes(group.mode);
    if (!namespace.isCancelled(error) || !goesOn)
        throw error;
    return {error};
}

// One job for all items.
async function callEach(group, func, iterator) {
    let cancelled = null;
    let end = GLib.get_monotonic_time() + TURN_US;
    for (;;) {
        const {value, done} = await iterator.next();
        if (done)
            break;
        if (raw.is_cancelled.call(group)) {
            closeIterator(iterator);
            return;
        }
        try {
            await func(await value);
        } catch (error) {
            cancelled = skipped(group, error);
        }
        if (GLib.get_monotonic_time() >= end) {
            await othersRan();
            end = GLib.get_monotonic_time() + TURN_US;
        }
    }
    if (cancelled !== null)
        throw cancelled.error;
}

const methods = {
    // A pending, or a promise or a value as one; gives the pending.
    add(value) {
        const pending = toPending(value);
        raw.add.call(this, pending);
        return pending;
    },
    // An executor, for what is to be a member.
    on(executor) {
        checkType(executor, namespace.Executor);
        return executor.options({group: this});
    },
    spawn(func, ...args) {
        return this.on(namespace.Caller.getCurrent()).submit(func, ...args);
    },
    submit(executor, func, ...args) {
        return this.on(executor).submit(func, ...args);
    },
    // func(item) for each, one after the other, as a member; gives nothing back.
    forEach(executor, func, items) {
        checkFunction(func);
        const job = this.submit(executor, callEach, this, func, iterateAny(items));
        if (this.over && job.state === namespace.PendingState.CANCELLED)
            throw job.error;
    },
    cancel(message = null) {
        return raw.cancel.call(this, message);
    },
    // Waits as long as the group is not cancelled.
    wait(value, options = {}) {
        return raw.get_scope.call(this).wait(value, options);
    },
};

// However it ended.
function ended(pending) {
    return new Promise(resolve => whenDone(pending, () => resolve()));
}

// What the block threw, unless that is the cancellation of the group itself.
function ownError(group, thrown) {
    if (thrown === null)
        return null;
    const isEnd = namespace.isCancelled(thrown.error) || namespace.isTimeout(thrown.error);
    return isEnd && raw.is_cancelled.call(group) ? null : thrown;
}

function contains(failed, thrown) {
    return failed.errors.includes(thrown) ||
        (thrown instanceof AggregateError && thrown.errors.every(error => contains(failed, error)));
}

function withOwn(failed, own) {
    if (own === null || contains(failed, own.error))
        return failed;
    const all = new AggregateError([own.error, ...failed.errors], failed.message);
    all.domain = failed.domain;
    all.code = failed.code;
    return all;
}

// Until func gives control back.  Without a callback of C: in GJS 1.74 those of this kind do not nest.
function callEntered(group, func) {
    try {
        return func(group);
    } finally {
        raw.leave.call(group);
    }
}

const statics = {
    // Calls func with a group, and waits for what it returns and for all members.  A plain await in func is not ended
    // when the group is cancelled: wait() of the group is.
    async run(options, func) {
        checkFunction(func);
        const group = options instanceof namespace.PendingGroup ? options : new namespace.PendingGroup(options ?? {});
        let value, thrown = null;
        raw.enter.call(group);
        try {
            value = await callEntered(group, func);
        } catch (error) {
            thrown = {error};
        }
        const own = ownError(group, thrown);
        if (thrown !== null)
            raw.cancel.call(group, null);
        const end = raw.end.call(group);
        await ended(end);
        const {error} = end;
        if (matches(error, namespace.Error, namespace.Error.GROUP))
            throw withOwn(error, own);
        if (own !== null)
            throw own.error;
        if (error !== null)
            throw error;
        return value;
    },
};

function installTracker(PendingTracker) {
    const {prototype} = PendingTracker;

    alias(prototype, ['add', 'get_id', 'get_n_pendings', 'dup_pendings', 'get_model']);
    defineGetters(prototype, {
        id: prototype.get_id,
        nPendings: prototype.get_n_pendings,
        pendings: prototype.dup_pendings,
        model: prototype.get_model,
    });
    define(PendingTracker, {
        getCurrent: PendingTracker.ref_current,
        refCurrent: PendingTracker.ref_current,
        getActiveId: PendingTracker.get_active_id,
    });
}

function installManager(PendingManager) {
    const {prototype} = PendingManager;

    alias(prototype, ['push', 'pop', 'remove']);
    define(prototype, {
        // Until func gives control back.
        run(func, ...args) {
            checkFunction(func);
            const token = prototype.push.call(this);
            try {
                return func(...args);
            } finally {
                prototype.pop.call(this, token);
            }
        },
    });
    define(PendingManager, {new: () => new PendingManager()});
}

function installSeconds(prototype, name) {
    const {[`get_${name}`]: get, [`set_${name}`]: set} = prototype;
    const camel = camelCase(name);
    const accessors = {
        get() {
            return toSeconds(get.call(this));
        },
        set(seconds) {
            set.call(this, toMicroseconds(seconds));
        },
    };

    define(prototype, {[camelCase(`get_${name}`)]: accessors.get, [camelCase(`set_${name}`)]: accessors.set});
    // The property of C, in microseconds, is not to be met by chance.
    for (const spelling of new Set([camel, name, `${camel}Us`, `${name}_us`, `${name.replace('_', '-')}-us`]))
        Object.defineProperty(prototype, spelling, {...accessors, configurable: true, enumerable: spelling === camel});
}

function installGroup(PendingGroup) {
    const {prototype} = PendingGroup;
    const init = prototype._init;

    prototype._init = function (options) {
        init.call(this, toProperties(options));
    };
    for (const name of ['cancel', 'end', 'enter', 'get_scope', 'is_cancelled', 'leave'])
        raw[name] = prototype[name];
    raw.add = prototype.add;
    for (const name of ['timeout', 'cancellation_timeout'])
        installSeconds(prototype, name);
    define(prototype, methods);
    alias(prototype, ['begin', 'end', 'get_cancellable', 'get_mode', 'get_scope', 'get_shield', 'is_cancelled', 'is_over',
        'join', 'set_shield']);
    defineGetters(prototype, {
        cancellable: prototype.get_cancellable,
        cancelled: prototype.is_cancelled,
        over: prototype.is_over,
        scope: prototype.get_scope,
    });
    refuse(prototype, ['enter', 'leave'],
        () => _('%s(): JavaScript can not stay inside a group over an await: use AsyncExec.PendingGroup.run()'));
    define(PendingGroup, {
        ...statics,
        new: (mode = namespace.GroupMode.IGNORE) => new PendingGroup({mode}),
        getCurrent: PendingGroup.ref_current,
        refCurrent: PendingGroup.ref_current,
    });
}

function install(AsyncExec) {
    namespace = AsyncExec;
    installTracker(AsyncExec.PendingTracker);
    installManager(AsyncExec.PendingManager);
    installGroup(AsyncExec.PendingGroup);
    define(AsyncExec.Pending, {newTracked: AsyncExec.Pending.new_tracked});
    AsyncExec.Group = AsyncExec.PendingGroup;
}
