// SPDX-License-Identifier: LGPL-2.1-or-later

// The search: walk, compare beginnings, hash contents, one after the other.
//
// JavaScript has one thread, so it decides and the library works: named operations walk folders and
// read files on a pool of as many threads as files may be open, and their results come back here.
// To stop, the pool is shut down: what is queued is dropped, and what runs looks at that before each
// folder and each block.

import AsyncExec from 'gi://AsyncExec?version=1';
import Gio from 'gi://Gio?version=2.0';
import GLib from 'gi://GLib?version=2.0';

import {fromBytes, fromText, toBytes} from './bytes.js';
import {Progress} from './report.js';

const BEGINNING = 4096;

// How much may be under way: it keeps the threads busy while results wait for their turn here.
const WINDOW_PER_JOB = 8;

// Of the errors that an operation fails with, those that say that a file is not what it was.
const CHANGED = [Gio.IOErrorEnum.WRONG_ETAG, Gio.IOErrorEnum.NOT_REGULAR_FILE];

// C ends a path with a zero byte.
function toPath(bytes) {
    return fromBytes(bytes.toArray()).replace(/\0$/, '');
}

// "/some/file: Permission denied": the path is shown in a way of our own.
function reason(error) {
    if (CHANGED.some(code => AsyncExec.matches(error, Gio.IOErrorEnum, code)))
        return 'Changed while it was being read';
    return fromText(error.message.slice(error.message.lastIndexOf(': ') + 1).trimStart());
}

function compare(left, right) {
    return left < right ? -1 : Number(left > right);
}

function sum(files, size) {
    return files.reduce((total, file) => total + size(file), 0);
}

// The files that are not alone with their key.
function grouped(files, key) {
    const groups = new Map();

    for (const file of files) {
        const group = groups.get(key(file));

        if (group)
            group.push(file);
        else
            groups.set(key(file), [file]);
    }
    return [...groups.values()].filter(group => group.length > 1);
}

export class Search {
    constructor(options) {
        this._options = options;
        this._progress = new Progress(options.progress);
        this._pool = new AsyncExec.ThreadPool({maxWorkers: options.jobs});
        this._started = GLib.get_monotonic_time();
        this._files = [];
        this._problems = new Map();     // messages by path
        this._stopped = null;           // the pool, when it is to stop
    }

    // All of it, or until stop() was called and nothing runs any more.
    async run() {
        try {
            await this._walk();
            // The first sieve: who has a size of his own is out.
            const twins = await this._compare(grouped(this._files, file => file.size).flat());
            await this._hash(twins);
        } catch (error) {
            if (!this._stopped)
                throw error;
        } finally {
            await (this._stopped ?? this._pool.shutdown());
            this._progress.end();
        }
    }

    stop() {
        this._stopped = this._pool.shutdown({cancelPending: true, cancelRunning: true});
    }

    // ---- the walk

    async _walk() {
        this._progress.begin('Walking');
        try {
            for (const root of this._options.roots)
                await this._walkRoot(root);
        } finally {
            for (const [path, message] of [...this._problems].sort())
                this._progress.error(path, message);
            this._keepDistinctFiles();
        }
    }

    async _walkRoot(root) {
        const {follow, minSize} = this._options;
        const walk = this._pool.options({subscriber: message => this._takeBatch(message)})
            .call('file-walk', {path: toBytes(root), follow, minSize});

        try {
            await walk;
        } catch (error) {
            if (this._stopped)
                throw error;
            // A pipe or a device has been named: there is nothing to find.
            if (!AsyncExec.matches(error, Gio.IOErrorEnum, Gio.IOErrorEnum.NOT_REGULAR_FILE))
                this._problems.set(root, reason(error));
        }
    }

    // Some files, and some things that could not be read.
    _takeBatch([files, errors]) {
        for (const [path, size, device, inode, mtime] of files)
            this._files.push({path: toPath(path), size, mtime, identity: `${device}:${inode}`});
        for (const [path, , message] of errors)
            this._problems.set(toPath(path), fromText(message));
        this._progress.count(files.reduce((total, file) => total + file[1], 0), files.length);
    }

    // Hard links, and files that were reached on two ways, are one file, known by its first path.  The
    // largest come first.
    _keepDistinctFiles() {
        const first = new Map();

        for (const file of this._files) {
            const other = first.get(file.identity);

            if (!other || file.path < other.path)
                first.set(file.identity, file);
        }
        this._files = [...first.values()].sort((left, right) => right.size - left.size);
    }

    // ---- reading

    // The second sieve: who begins like no other file of the same size is out.  A file of up to 4 KiB
    // is known whole by then; of the others a hash of 32 bits will do, for the checksum decides.
    async _compare(files) {
        const beginning = file => Math.min(file.size, BEGINNING);

        await this._read('Comparing', files, beginning, file => file.size <= BEGINNING
            ? this._checksum(file) : this._call('file-load', file, {length: BEGINNING}), (file, result) => {
            if (file.size <= BEGINNING)
                file.checksum = result;
            else
                file.key = result.hash();
        });
        const longer = files.filter(file => file.key !== undefined);
        return grouped(longer, file => `${file.size}:${file.key}`).flat();
    }

    // The third sieve: the checksum of the whole content decides.
    async _hash(files) {
        await this._read('Hashing', files, file => file.size, file => this._checksum(file), (file, result) => {
            file.checksum = result;
        });
    }

    // Makes call (file) for each of the files, a few at a time, and gives what it results in to
    // take (file, result), in the order in which they end.
    async _read(title, files, nBytes, call, take) {
        const calls = new Map();
        const maxConcurrent = this._pool.maxWorkers * WINDOW_PER_JOB;
        const start = function* () {
            for (const file of files) {
                const pending = call(file);

                calls.set(pending, file);
                yield pending;
            }
        };

        this._progress.begin(title, sum(files, nBytes),
            () => sum([...calls], ([pending, file]) => Math.max(pending.progress, 0) * nBytes(file)));
        for await (const pending of AsyncExec.asCompleted(start(), {maxConcurrent})) {
            const file = calls.get(pending);

            calls.delete(pending);
            this._progress.count(nBytes(file));
            try {
                take(file, pending.result());
            } catch (error) {
                this._addProblem(file, error);
            }
        }
    }

    _addProblem({path}, error) {
        if (this._stopped)
            throw error;
        this._problems.set(path, reason(error));
        this._progress.error(path, reason(error));
    }

    _checksum(file) {
        return this._call('file-checksum', file, {algorithm: this._options.algorithm});
    }

    // The file must be as the walk saw it.
    _call(operation, {path, size, mtime}, parameters) {
        return this._pool.call(operation, {path: toBytes(path), size, mtime, ...parameters});
    }

    // ---- the end

    // Draws the conclusion: files of one size and checksum are a group.  With a broken algorithm (md5,
    // sha1) somebody may have made different files that look equal.
    summarize() {
        const hashed = this._files.filter(file => file.checksum);
        const groups = grouped(hashed, file => `${file.size}:${file.checksum}`).map(files => ({
            size: files[0].size,
            checksum: files[0].checksum,
            paths: files.map(file => file.path).sort(compare),
        }));
        const wasted = group => group.size * (group.paths.length - 1);

        groups.sort((left, right) => wasted(right) - wasted(left) || compare(left.paths[0], right.paths[0]));
        return {
            groups,
            problems: [...this._problems].sort((left, right) => compare(left[0], right[0])),
            nFiles: this._files.length,
            nBytes: sum(this._files, file => file.size),
            interrupted: this._stopped !== null,
            seconds: (GLib.get_monotonic_time() - this._started) / 1e6,
        };
    }
}
