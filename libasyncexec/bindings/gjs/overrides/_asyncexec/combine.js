// SPDX-License-Identifier: LGPL-2.1-or-later

// Several pendings into one, and one after the other as they complete.

const {Gio} = imports.gi;
const {_, checkCount, closeIterator, define, iterate, iterateAny, pull, readOptions, toMicroseconds} =
    imports.overrides._asyncexec.support;
const {keepUntilDone, whenDone} = imports.overrides._asyncexec.callbacks;
const {converted, raw, resolved, toPending} = imports.overrides._asyncexec.pending;

let namespace = null;
const combine = {};

// C resolves with a list model of the members; JavaScript wants an array.
function mapMembers(combined, read) {
    const derived = raw.add_continuation.call(combined, namespace.ThenFlags.ON_SUCCESS, done => {
        const model = raw.dup_value.call(done);
        return resolved(Array.from({length: model.get_n_items()}, (_none, index) => read(model.get_item(index))));
    });
    keepUntilDone(combined);
    return derived;
}

function toPendings(items) {
    return Array.from({[Symbol.iterator]: () => iterate(items)}, item => toPending(item));
}

const statics = {
    all(items) {
        return mapMembers(combine.all(toPendings(items)), member => member.result());
    },
    allSettled(items) {
        return mapMembers(combine.all_settled(toPendings(items)), member => member);
    },
    any(items) {
        return combine.any(toPendings(items).map(converted));
    },
    first(items) {
        return combine.first(toPendings(items).map(converted));
    },
};

// An async iterator by hand: an async generator would await the pendings that
// it yields.
class Completed {
    constructor(items, options) {
        this._items = iterateAny(items);
        this.pulling = false;
        this._closing = null;
        this._options = options;
        this._done = [];
        this._requests = [];
        this._unfinished = new Set();
        this._ended = false;
        this._error = null;
        this._timer = null;
        if (options.timeout !== null) {
            this._timer = raw.sleep(toMicroseconds(options.timeout));
            whenDone(this._timer, timer => this._timedOut(timer));
        }
        this._pull();
    }

    hasRoom() {
        const {maxConcurrent} = this._options;
        return !this._ended && (maxConcurrent === 0 || this._unfinished.size + this._done.length < maxConcurrent);
    }

    pulled() {
        this._serve();
    }

    _pull() {
        pull(this, this._items);
    }

    take({value, done}) {
        if (this._ended)
            return;
        if (done || value === null || value === undefined) {
            this._ended = true;
            return;
        }
        const pending = toPending(value);
        this._unfinished.add(pending);
        whenDone(pending, () => this._completed(pending));
    }

    // A source that throws is at its end, and what it threw comes last.
    fail(error) {
        if (this._ended)
            return;
        this._error = {thrown: error};
        this._ended = true;
        this._stop();
    }

    _completed(pending) {
        if (!this._unfinished.delete(pending))
            return;
        this._done.push(pending);
        this._serve();
    }

    _serve() {
        while (this._requests.length > 0) {
            const {resolve, reject} = this._requests[0];
            if (this._done.length > 0) {
                resolve({value: this._done.shift(), done: false});
                this._pull();
            } else if (this._error !== null) {
                reject(this._error.thrown);
                this._error = null;
            } else if (this._ended && this._unfinished.size === 0) {
                resolve({value: undefined, done: true});
                this._stop();
            } else {
                return;
            }
            this._requests.shift();
        }
    }

    _timedOut(timer) {
        if (timer.cancelled)
            return;
        this._error = {
            thrown: new Gio.IOErrorEnum({
                code: Gio.IOErrorEnum.TIMED_OUT, message: _('The time allowed for all of them is over'),
            }),
        };
        this._stop();
        this._serve();
    }

    _stop() {
        const unfinished = [...this._unfinished];
        if (!this._ended)
            closeIterator(this._items);
        this._ended = true;
        this._unfinished.clear();
        this._timer?.cancel();
        // What is done and was not told of yet is not lost.
        this._done.push(...unfinished.filter(pending => raw.is_done.call(pending)));
        if (this._options.cancelUnfinished)
            unfinished.forEach(pending => pending.cancel());
        return unfinished;
    }

    next() {
        return new Promise((resolve, reject) => {
            this._requests.push({resolve, reject});
            this._serve();
        });
    }

    return(value) {
        this.close();
        return Promise.resolve({value, done: true});
    }

    // Leaves early, as return() does; the pending resolves when what was not
    // done is.
    close() {
        if (this._closing === null) {
            const unfinished = this._stop();
            this._done = [];
            this._serve();
            this._closing = statics.allSettled(unfinished);
        }
        return this._closing;
    }

    [Symbol.asyncIterator]() {
        return this;
    }
}

const COMPLETED_OPTIONS = {maxConcurrent: 0, timeout: null, cancelUnfinished: true};

function asCompleted(items, options = {}) {
    const read = readOptions(options, COMPLETED_OPTIONS);
    return new Completed(items, {...read, maxConcurrent: checkCount(read.maxConcurrent ?? 0)});
}

const WAIT_OPTIONS = {returnWhen: null, timeout: null, cancellable: null};

// Which are done and which are not; that the time is over is an answer too.
async function wait(items, options = {}) {
    const {returnWhen, timeout, cancellable} = readOptions(options, WAIT_OPTIONS);
    const pendings = [...new Set(toPendings(items))];
    const waited = combine.wait_set(pendings, returnWhen ?? namespace.ReturnWhen.ALL_COMPLETED, toMicroseconds(timeout));
    if (cancellable !== null)
        raw.cancel_on.call(waited, cancellable);
    await new Promise(resolve => whenDone(waited, resolve));
    if (raw.is_cancelled.call(waited))
        throw raw.dup_error.call(waited);
    const done = pendings.filter(pending => raw.is_done.call(pending));
    return [done, pendings.filter(pending => !done.includes(pending))];
}

function install(AsyncExec) {
    const {Pending} = AsyncExec;
    namespace = AsyncExec;
    for (const name of ['all', 'all_settled', 'any', 'first', 'wait_set'])
        combine[name] = Pending[name];
    define(Pending, {...statics, race: statics.first, asCompleted, waitSet: wait});
    define(AsyncExec, {asCompleted, wait});
}
