// SPDX-License-Identifier: LGPL-2.1-or-later

// A small harness: each file is a process of its own that says what happened in
// TAP.  A file is a list of test (name, function), the function may be async,
// and ends with run ().  Names begin with the id of the row they prove.  At the
// end threads and file descriptors are counted: what was not there at the start
// is a failure.  AEX_TEST_SEED gives the random numbers of an earlier run.

const {Gio, GLib} = imports.gi;
const System = imports.system;

// Where the tests are.
var folder = Gio.File.new_for_path(System.programPath ?? System.programInvocationName).get_parent();

const tests = [];
const seed = Number(GLib.getenv('AEX_TEST_SEED') ?? GLib.random_int());
let state = seed >>> 0;

// How long one test may take before it counts as hanging.
const LIMIT_SECONDS = 60;

// How long something may be on its way out.  Reaching the limit is a failure,
// so that its length costs nothing.
const SETTLE_SECONDS = 5;

function test(name, func) {
    tests.push({name, func});
}

// A number of [0, 1), from the seed.
function random() {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
}

// 1 in a push, more where there is time.
function scale(push, full = push * 10, nightly = full * 10) {
    return {full, nightly}[GLib.getenv('AEX_TEST_TIER')] ?? push;
}

// ---- assertions

function fail(message) {
    throw new Error(message);
}

function show(value) {
    if (typeof value === 'string')
        return JSON.stringify(value);
    return Array.isArray(value) ? `[${value.map(show).join(', ')}]` : String(value);
}

function isTrue(value, message = 'is not true') {
    if (value !== true)
        fail(`${show(value)}: ${message}`);
}

function same(value, expected) {
    if (!Object.is(value, expected))
        fail(`${show(value)} is not ${show(expected)}`);
}

function sameItems(value, expected) {
    if (show(value) !== show(expected))
        fail(`${show(value)} is not ${show(expected)}`);
}

// What func throws, now or as a promise.
async function thrownBy(func) {
    try {
        await func();
    } catch (error) {
        return {error};
    }
    return fail('nothing was thrown');
}

async function throwsSame(func, expected) {
    same((await thrownBy(func)).error, expected);
}

async function throwsCode(func, domain, code) {
    const {error} = await thrownBy(func);
    const {AsyncExec} = imports.gi;
    if (!AsyncExec.matches(error, domain, code))
        fail(`${error} is not ${domain.name ?? domain} ${code}`);
    return error;
}

// ---- tools

// Lets everything happen that is ready in the main context.
function drain() {
    const context = GLib.MainContext.default();
    while (context.iteration(false))
        ;
}

// One turn of the main loop.
function turn() {
    return new Promise(resolve => {
        GLib.idle_add(GLib.PRIORITY_LOW, () => {
            resolve();
            return GLib.SOURCE_REMOVE;
        });
    });
}

// Runs a program, and gives {status, stdout, stderr}; one that hangs fails.
function runProgram(argv, environment = {}) {
    return new Promise((resolve, reject) => {
        const launcher = Gio.SubprocessLauncher.new(Gio.SubprocessFlags.STDOUT_PIPE | Gio.SubprocessFlags.STDERR_PIPE);
        for (const [name, value] of Object.entries(environment)) {
            if (value === null)
                launcher.unsetenv(name);
            else
                launcher.setenv(name, value, true);
        }
        const process = launcher.spawnv(argv);
        const limit = GLib.timeout_add_seconds(GLib.PRIORITY_DEFAULT, LIMIT_SECONDS / 2, () => {
            process.force_exit();
            return GLib.SOURCE_CONTINUE;
        });
        process.communicate_utf8_async(null, null, (_process, result) => {
            GLib.source_remove(limit);
            try {
                const [, stdout, stderr] = process.communicate_utf8_finish(result);
                resolve({status: process.get_if_exited() ? process.get_exit_status() : -process.get_term_sig(), stdout, stderr});
            } catch (error) {
                reject(error);
            }
        });
    });
}

// What is collected in JavaScript lets go of the objects of C that it held, and
// those can be watched.  (GJS 1.74 never calls a FinalizationRegistry.)
const N_TOKENS = 20;
const MAX_KEPT = 4;

// Calls hold (token) some times, each with an object for closures to hold on
// to; gone () fails when they are still held after collection.  The engine keeps
// one or two of many for no reason of ours; a leak of ours is one of all.
function watchCollection(hold) {
    const {AsyncExec} = imports.gi;
    const witnesses = [];
    const left = () => witnesses.filter(witness => !witness.cancelled).length;
    const holdOne = () => {
        const token = new Gio.Cancellable();
        const witness = new AsyncExec.Pending();
        witness.cancelWith(token);
        witnesses.push(witness);
        return hold(token);
    };
    const held = Array.from({length: N_TOKENS}, holdOne);
    return {
        held,
        async gone() {
            for (let i = 0; i < 20 && left() > 0; i++) {
                System.gc();
                await turn();
            }
            isTrue(left() <= MAX_KEPT, `${left()} of ${N_TOKENS} are still held`);
        },
    };
}

// ---- the census

function listFolder(path) {
    const names = [];
    const children = Gio.File.new_for_path(path).enumerate_children('standard::name', 0, null);
    for (let info = children.next_file(null); info !== null; info = children.next_file(null))
        names.push(info.get_name());
    children.close(null);
    return names;
}

function takeCensus() {
    return {threads: listFolder('/proc/self/task').length, fds: listFolder('/proc/self/fd').length};
}

function surplus(before) {
    const now = takeCensus();
    return Object.keys(before).filter(kind => now[kind] > before[kind])
        .map(kind => `${before[kind]} ${kind}, now ${now[kind]}`);
}

// The only place that looks again and again: the exit of a thread tells nobody.
// Nothing is synchronised by it.
async function settle(before) {
    const deadline = GLib.get_monotonic_time() + SETTLE_SECONDS * 1e6;
    while (GLib.get_monotonic_time() < deadline) {
        System.gc();
        await turn();
        if (surplus(before).length === 0)
            return;
    }
    fail(`left behind: ${surplus(before).join('; ')}`);
}

// What GJS, GIO and the library make once and keep.
async function warmUp() {
    const {AsyncExec} = imports.gi;
    GLib.ThreadPool.set_max_unused_threads(0);
    AsyncExec.Executor.getDefault();
    await AsyncExec.Caller.getCurrent().submit(() => null);
    await new Promise(resolve => {
        Gio.File.new_for_path('/proc').query_info_async('standard::name', 0, 0, null, () => resolve());
    });
    await AsyncExec.sleep(0);
}

// ---- running

function limited(func) {
    let limit = 0;
    const hang = new Promise((_resolve, reject) => {
        limit = GLib.timeout_add_seconds(GLib.PRIORITY_HIGH, LIMIT_SECONDS, () => {
            limit = 0;
            reject(new Error(`hangs: more than ${LIMIT_SECONDS} seconds`));
            return GLib.SOURCE_REMOVE;
        });
    });
    const call = async () => func();
    return Promise.race([call(), hang]).finally(() => {
        if (limit !== 0)
            GLib.source_remove(limit);
    });
}

async function runOne(number, prefix, {name, func}) {
    try {
        await limited(func);
        print(`ok ${number} ${prefix}/${name}`);
        return true;
    } catch (error) {
        for (const line of `${error}\n${error?.stack ?? ''}`.trim().split('\n'))
            print(`# ${line}`);
        print(`not ok ${number} ${prefix}/${name}`);
        return false;
    }
}

async function runAll(prefix) {
    let fine = true;
    await warmUp();
    const before = takeCensus();
    tests.push({name: 'census', func: () => settle(before)});
    print(`1..${tests.length}`);
    print(`# random seed: ${seed}`);
    for (const [index, each] of tests.entries())
        fine = await runOne(index + 1, prefix, each) && fine;
    return fine;
}

function run() {
    const loop = new GLib.MainLoop(null, false);
    const prefix = `/js/${GLib.path_get_basename(System.programInvocationName).replace(/^test-|\.js$/g, '')}`;
    let fine = false;
    runAll(prefix).then(result => {
        fine = result;
    }).catch(logError).finally(() => loop.quit());
    loop.run();
    System.exit(fine ? 0 : 1);
}
