// SPDX-License-Identifier: LGPL-2.1-or-later

// Done callbacks, all through one function of C.  GJS ties a callback to the
// JavaScript half of the object whose method took it, and lets go of both while
// C still wants to call; this one is tied to nothing.

let trampoline = null;
let lastToken = 0;

// Token → {call (pending), release ()}; C gives each token back once.
const waiting = new Map();

function answer(pending, token) {
    const entry = waiting.get(token);
    waiting.delete(token);
    if (pending === null)
        entry.release?.();
    else
        entry.call(pending);
    return true;
}

function wait(entry) {
    lastToken++;
    waiting.set(lastToken, entry);
    return lastToken;
}

// call (pending) when it is done, or release () when that will never be.
function whenDone(pending, call, release = null) {
    return trampoline.add_done_callback(pending, false, wait({call, release}));
}

// The JavaScript halves of these objects are there until the pending is done:
// callbacks are tied to them.  Nobody depends on the pending for that.
function keepUntilDone(pending, ...objects) {
    const kept = [pending, ...objects];
    trampoline.watch(pending, wait({
        call() {
            kept.length = 0;
        },
        release: null,
    }));
    return pending;
}

// start (trampoline, token) is a function of C that calls back at once; gives
// what func returns, or throws what it throws.  GJS 1.82 frees the closures of a
// function of C that is called again before it has returned: it is given none.
function runThrough(start, func, args) {
    let result, thrown = null;
    const token = wait({
        release() {
            try {
                result = func(...args);
            } catch (error) {
                thrown = {error};
            }
        },
    });
    start(trampoline, token);
    if (thrown !== null)
        throw thrown.error;
    return result;
}

function install(AsyncExec) {
    lastToken = AsyncExec.TrampolineOutcome.TOKEN;
    trampoline = AsyncExec.Trampoline.new(answer);
}
