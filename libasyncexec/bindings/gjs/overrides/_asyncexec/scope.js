// SPDX-License-Identifier: LGPL-2.1-or-later

// Scopes.  JavaScript has no context that survives an await, so that a scope is
// an object: what stands in it is said.

const {_, alias, checkFunction, checkType, define, defineGetters, newError, readOptions, refuse, toMicroseconds, toSeconds} =
    imports.overrides._asyncexec.support;
const {runThrough} = imports.overrides._asyncexec.callbacks;
const {toPending} = imports.overrides._asyncexec.pending;

const SCOPE_OPTIONS = {timeout: null, shield: false, cancellable: null};

let namespace = null;
let raw = {};

const LEFT = Symbol('left');
const TIED = Symbol('tied');

// A cancellable of the user may be cancelled by any thread: C hears of it.
function tie(scope, cancellable) {
    const tied = new namespace.Pending();
    tied.addDoneCallback(() => {
        if (tied.cancelled)
            scope.cancel();
    });
    tied.cancelOn(cancellable);
    scope[TIED] = tied;
}

// GJS calls it for "new AsyncExec.Scope(options)" as well.
function create(options = {}) {
    const {timeout, shield, cancellable} = readOptions(options, SCOPE_OPTIONS);
    const {ScopeFlags} = namespace;
    const scope = raw.new(toMicroseconds(timeout), shield ? ScopeFlags.SHIELD : ScopeFlags.NONE);
    if (cancellable !== null)
        tie(scope, cancellable);
    return scope;
}

const methods = {
    // Until func gives control back: what it awaits goes on outside.
    run(func, ...args) {
        checkFunction(func);
        return runThrough((trampoline, token) => trampoline.run_in_scope(this, token), func, args);
    },
    wait(value, options = {}) {
        const pending = toPending(value);
        return this.run(() => pending.waitAsync(options));
    },
    add(pending) {
        checkType(pending, namespace.Pending);
        raw.add.call(this, pending);
        return pending;
    },
    // As often as one likes: the first time counts.
    leave() {
        if (this[LEFT] === undefined) {
            this[LEFT] = raw.leave.call(this);
            this[TIED]?.resolve(null);
        }
        return this[LEFT];
    },
    isCancelled() {
        return this[LEFT] ?? raw.is_cancelled.call(this);
    },
};

const statics = {
    new: create,
    // Calls func with a scope, inside, and waits inside for what it returns.
    async run(options, func) {
        const scope = create(options);
        try {
            return await scope.wait(scope.run(func, scope));
        } finally {
            scope.leave();
        }
    },
    enter() {
        throw newError('NOT_SUPPORTED',
            _('JavaScript can not stay inside a scope over an await: use run() and wait() of a new AsyncExec.Scope()'));
    },
};

// Others wait for a pending of theirs.
function installWait(prototype) {
    const {wait} = methods;
    for (const name of ['waitAsync', 'wait_async'])
        prototype[name] = wait;
    refuse(prototype, ['waitFinish'], () => _('%s() is of C: use wait()'));
}

function install(AsyncExec) {
    const {Scope} = AsyncExec;
    const {prototype} = Scope;

    namespace = AsyncExec;
    for (const name of ['add', 'leave', 'is_cancelled', 'get_deadline_us'])
        raw[name] = prototype[name];
    raw.new = Scope.new;
    define(prototype, methods);
    alias(prototype, ['check', 'get_cancellable', 'get_deadline_us', 'ref', 'unref']);
    installWait(prototype);
    const getDeadline = function () {
        return toSeconds(raw.get_deadline_us.call(this));
    };
    defineGetters(prototype, {
        cancelled: methods.isCancelled,
        deadline: getDeadline,
        cancellable: prototype.get_cancellable,
    });
    if (Symbol.dispose !== undefined)
        prototype[Symbol.dispose] = methods.leave;
    define(Scope, statics);
    AsyncExec.scope_enter = undefined;
}
