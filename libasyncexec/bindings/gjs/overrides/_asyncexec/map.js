// SPDX-License-Identifier: LGPL-2.1-or-later

// One function over many items.  C's map knows only functions that return at
// once; here each item is a job, which may be an async function.

const {_, checkCount, checkFunction, closeIterator, define, iterateAny, newError, pull, readOptions} = imports.overrides._asyncexec.support;
const Executors = imports.overrides._asyncexec.executor;
const {newFilledStream, pushInto} = imports.overrides._asyncexec.streams;

let namespace = null;

const MAP_OPTIONS = {ordered: true, maxConcurrent: null, timeout: null, returnExceptions: false};
const MULTIPLE_OPTIONS = {maxWorkers: 10, timeout: 10};

// JavaScript's executors run one function at a time; twice that is its window.
const WINDOW_OF_ITERATORS = 2;

function isSized(items) {
    return Array.isArray(items) || typeof items === 'string' || typeof items?.size === 'number' ||
        typeof items?.length === 'number';
}

class Mapping {
    // start (item) → Pending; toItem (value, error) → what the stream gives.
    constructor(items, how) {
        this._iterator = iterateAny(items);
        this._how = how;
        this._slots = new Map();
        this._running = new Set();
        this._started = 0;
        this._given = 0;
        this._taken = 0;
        this.pulling = false;
        this._over = false;
        this._closed = null;
        this.stream = newFilledStream(this);
        this._fill();
    }

    hasRoom() {
        return !this._over && (this._how.window === 0 || this._started - this._taken < this._how.window);
    }

    pulled() {
        // A stream serves itself.
    }

    _fill() {
        pull(this, this._iterator);
    }

    take({value, done}) {
        if (this._over)
            return;
        if (done) {
            this._over = true;
            this._endWhenIdle();
            return;
        }
        const index = this._started++;
        const job = this._how.start(value);
        this._running.add(job);
        job.addDoneCallback(() => this._finished(index, job));
    }

    _finished(index, job) {
        this._running.delete(job);
        if (!this._closed) {
            this._slots.set(index, job);
            this._give();
        }
        this._endWhenIdle();
    }

    _give() {
        const {ordered} = this._how;
        for (;;) {
            const index = ordered ? this._given : this._slots.keys().next().value;
            const job = this._slots.get(index);
            if (job === undefined)
                return;
            this._slots.delete(index);
            this._given++;
            this._giveOutcome(job);
        }
    }

    _giveOutcome(job) {
        const failed = job.state !== namespace.PendingState.RESOLVED;
        if (failed && this._how.stopsOnError)
            this.fail(job.error);
        else
            pushInto(this.stream, this._how.toItem(failed ? null : job.result(), failed ? job.error : null));
    }

    // The first error in order ends the stream and cancels the rest.
    fail(error) {
        if (this._closed)
            return;
        this.stream.end(error);
        this.close();
    }

    _endWhenIdle() {
        if (this._running.size > 0)
            return;
        if (this._closed)
            this._closed.resolve(null);
        else if (this._over)
            this.stream.end();
    }

    // ---- what the stream says

    taken() {
        this._taken++;
        this._fill();
    }

    close() {
        if (this._closed)
            return this._closed;
        const iterated = this._over;
        this._over = true;
        this._closed = new namespace.Pending();
        this._slots.clear();
        for (const job of this._running)
            job.cancel();
        if (!iterated)
            closeIterator(this._iterator);
        this._endWhenIdle();
        return this._closed;
    }
}

// The time of an item counts from its start, and its place is free when its
// function has ended.
function starter(executor, options, timeout, func) {
    const itemOptions = timeout === null ? options : Executors.withTimeLimit(options, timeout);
    return item => Executors.submitJob(executor, itemOptions, func, [item]);
}

function map(executor, options, func, items, mapOptions) {
    const {ordered, maxConcurrent, timeout, returnExceptions} = readOptions(mapOptions, MAP_OPTIONS);
    checkFunction(func);
    Executors.checkRunsHere(executor);
    return new Mapping(items, {
        ordered,
        window: checkCount(maxConcurrent ?? (isSized(items) ? 0 : WINDOW_OF_ITERATORS)),
        start: starter(executor, options, timeout, func),
        stopsOnError: !returnExceptions,
        toItem: (value, error) => error ?? value,
    }).stream;
}

function runTask(task, job, cancellable) {
    return typeof task === 'function' ? task(job, cancellable) : task;
}

function runMultiple(executor, options, tasks, multipleOptions) {
    const {maxWorkers, timeout} = readOptions(multipleOptions, MULTIPLE_OPTIONS);
    Executors.checkRunsHere(executor);
    const window = checkCount(maxWorkers ?? Infinity);
    if (window === 0)
        throw newError('INVALID_ARGUMENT', _('maxWorkers must be greater than 0: give null for no limit'));
    return new Mapping(tasks, {
        ordered: false,
        window,
        start: starter(executor, options, timeout, runTask),
        stopsOnError: false,
        toItem: (value, error) => [value, error],
    }).stream;
}

function install(AsyncExec) {
    namespace = AsyncExec;
    define(AsyncExec.Executor.prototype, {
        map(func, items, options = {}) {
            return map(this, null, func, items, options);
        },
        runMultiple(tasks, options = {}) {
            return runMultiple(this, null, tasks, options);
        },
    });
}
