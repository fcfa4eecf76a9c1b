// SPDX-License-Identifier: LGPL-2.1-or-later

// Jobs by the thousand: values, exceptions, cancellations, dropped references,
// work on threads, with the collector forced in between.  No crash, no lost
// exception, and every closure is let go of on JavaScript's thread: GJS aborts,
// or reports a critical, when one is not.

imports.gi.versions.AsyncExec = '1';
const {AsyncExec, Gio, GLib, GObject} = imports.gi;
const System = imports.system;
const {isTrue, random, run, same, sameItems, scale, test, turn, watchCollection} = imports.tap;
const {Caller, Executor, Pending, PendingStream, ThreadPool} = AsyncExec;

const caller = Caller.getCurrent();
const N_JOBS = scale(4000, 100000, 400000);
const BATCH = 500;

const Later = GObject.registerClass(class Later extends Executor {
    vfunc_dispatch(job) {
        GLib.idle_add(GLib.PRIORITY_DEFAULT, () => (job.run(), GLib.SOURCE_REMOVE));
    }
});

// What each kind of job must end with: told (outcome) by whoever sees it.
const kinds = [
    // A value.
    (executor, id, tell) => executor.submit(() => ({id})).then(value => tell(value.id === id), () => tell(false)),
    // An exception, which comes back as itself.
    (executor, id, tell) => {
        const thrown = new RangeError(String(id));
        executor.submit(() => {
            throw thrown;
        }).then(() => tell(false), error => tell(error === thrown));
    },
    // The same from an async function, through a derived pending.
    (executor, id, tell) => {
        const thrown = {id};
        executor.submit(async () => {
            await null;
            throw thrown;
        }).shield().then(() => tell(false), error => tell(error === thrown));
    },
    // Cancelled before its turn: never runs.
    (executor, id, tell) => {
        const job = executor.submit(() => tell(false));
        job.cancel();
        job.catch(error => tell(AsyncExec.isCancelled(error)));
    },
    // Cancelled while it waits for a timer of another thread.
    (executor, id, tell) => {
        const job = executor.submit((running, cancellable) => AsyncExec.sleep(1000, cancellable));
        job.catch(error => tell(AsyncExec.isCancelled(error)));
        GLib.idle_add(GLib.PRIORITY_DEFAULT, () => (job.cancel(), GLib.SOURCE_REMOVE));
    },
    // Timed out by another thread, which holds values of JavaScript meanwhile.
    (executor, id, tell) => {
        Pending.all([Pending.resolved([id]), AsyncExec.sleep(1000)]).withTimeout(random() / 1000)
            .catch(error => tell(AsyncExec.isTimeout(error)));
    },
    // Completed by another thread: the last reference may be dropped there.
    (executor, id, tell) => {
        Pending.all([Pending.resolved([id]), AsyncExec.sleep(random() / 1000)])
            .then(([first]) => tell(first[0] === id), () => tell(false));
    },
    // Nobody looks at it, and it is let go of at once.
    (executor, id, tell) => {
        executor.post(() => tell(true));
        executor.submit(() => [id]);
    },
    // Abandoned.
    (executor, id, tell) => {
        new Pending().catch(error => tell(AsyncExec.matches(error, AsyncExec.Error, AsyncExec.Error.ABANDONED)));
    },
];

// Calls start (tell) for many ids, and waits until all have told.
async function storm(n, start) {
    let told = 0, wrong = 0;
    for (let id = 0; id < n; id++) {
        let once = false;
        start(id, fine => {
            told++;
            if (!fine || once)
                wrong++;
            once = true;
        });
        if (id % BATCH !== BATCH - 1)
            continue;
        System.gc();
        while (told < id + 1 - 4 * BATCH)
            await turn();
    }
    // The abandoned ones are told by the collector.
    for (let i = 0; told < n; i++) {
        await turn();
        if (i % 100 === 99)
            System.gc();
    }
    same(wrong, 0);
    same(told, n);
    print(`# figure: javascript-storm jobs=${n} lost=${n - told + wrong}`);
}

test('X16 storm of jobs', async () => {
    const executors = [caller, new Later(), caller.options({name: 'named', timeout: 1000})];
    await storm(N_JOBS, (id, tell) => {
        const kind = kinds[Math.floor(random() * kinds.length)];
        kind(executors[Math.floor(random() * executors.length)], id, tell);
    });
});

test('X16 storm of operations', async () => {
    const pool = new ThreadPool({maxWorkers: 2});
    const parameters = {path: '/proc/self/cmdline', length: 0};
    await storm(N_JOBS / 10, (id, tell) => {
        const call = pool.call(id % 7 === 0 ? 'no-such' : 'file-checksum', parameters);
        if (id % 3 === 0)
            call.cancel();
        Pending.allSettled([call, Pending.resolved([id])])
            .then(([done, value]) => tell(done === call && value.result()[0] === id), () => tell(false));
        call.subscribe(() => null);
    });
    await pool.shutdown();
});

test('X16 storm of streams', async () => {
    await storm(N_JOBS / 20, (id, tell) => {
        const thrown = {id};
        const stream = caller.map(async x => {
            await null;
            if (x === 2)
                throw thrown;
            return {x};
        }, [0, 1, 2, 3], {maxConcurrent: id % 4});
        const read = async () => {
            for await (const item of stream)
                await item.x;
        };
        read().then(() => tell(false), error => tell(error === thrown));
    });
});

test('R7 values of JavaScript that threads let go of', async () => {
    // The timer's thread completes the combination, which holds the values; the
    // stream holds them too when it is dropped.
    const n = N_JOBS / 20;
    let settled = 0, over = 0, wrong = 0;
    for (let i = 0; i < n; i++) {
        const values = [Pending.resolved({i}), Pending.rejected({i}).shield(), AsyncExec.sleep(random() / 2000)];
        Pending.allSettled(values).then(members => {
            settled += members[0].result().i === i && members[1].error.i === i && members[2].done;
        });
        const limited = Pending.resolved([i]).shield().withTimeout(random() / 2000);
        limited.cancelOn(new Gio.Cancellable());
        limited.catch(error => {
            wrong += !AsyncExec.isTimeout(error);
        }).finally(() => over++);
        PendingStream.new().push({i});
        if (i % 50 === 0) {
            System.gc();
            await turn();
        }
        values[1].catch(() => null);
    }
    while (settled < n || over < n)
        await turn();
    System.gc();
    sameItems([settled, over, wrong], [n, n, 0]);
});

test('R6 closures of a storm are let go of', async () => {
    let due = 0, told = 0;
    const watched = watchCollection(token => {
        for (let i = 0; i < 20; i++) {
            for (const kind of kinds) {
                due++;
                kind(caller, i, () => (told++, token));
            }
        }
    });
    // The abandoned ones are told by the collector.
    while (told < due) {
        System.gc();
        await turn();
    }
    await watched.gone();
});

run();
