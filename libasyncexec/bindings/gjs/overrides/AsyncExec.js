// SPDX-License-Identifier: LGPL-2.1-or-later

// What JavaScript sees of the library.  GJS runs _init() when the namespace is
// loaded, with the namespace as "this"; each part changes its own classes.

const Parts = imports.overrides._asyncexec;

// From this version on, as imports.system.version says it, GJS calls back at any time; see protectCallbacks().
const CALLS_BACK_WHILE_SWEEPING = 18190;

// Older versions lose callbacks that come while they collect garbage.
function protectCallbacks(AsyncExec) {
    if (imports.system.version < CALLS_BACK_WHILE_SWEEPING && !AsyncExec.gjs_protect_callbacks())
        printerr('AsyncExec: this JavaScript engine may lose callbacks while it collects garbage');
}

function _init() {
    protectCallbacks(this);
    for (const part of ['support', 'naming', 'errors', 'callbacks', 'pending', 'combine', 'messages', 'streams', 'executor',
        'operations', 'caller', 'queues', 'limiter', 'map', 'context', 'scope', 'groups', 'services', 'lazy'])
        Parts[part].install(this);
    // What Python needs to call back from threads.
    this.Trampoline = undefined;
    this.python_protect_references = undefined;
    this.gjs_protect_callbacks = undefined;
    this.gjsGetNFinished = this.gjs_get_n_finished;
}
