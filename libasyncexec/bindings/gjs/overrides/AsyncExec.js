// SPDX-License-Identifier: LGPL-2.1-or-later

// What JavaScript sees of the library.  GJS runs _init() when the namespace is
// loaded, with the namespace as "this"; each part changes its own classes.

const Parts = imports.overrides._asyncexec;

function _init() {
    for (const part of ['support', 'errors', 'callbacks', 'pending', 'combine', 'messages', 'streams', 'executor',
        'operations', 'caller', 'map', 'context'])
        Parts[part].install(this);
    // What Python needs to call back from threads.
    this.Trampoline = undefined;
}
