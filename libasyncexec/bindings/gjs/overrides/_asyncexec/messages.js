// SPDX-License-Identifier: LGPL-2.1-or-later

// What a job says while it runs: how far it is, and messages.

const {GObject} = imports.gi;
const {alias, blocks, define, refuse} = imports.overrides._asyncexec.support;
const {keepUntilDone} = imports.overrides._asyncexec.callbacks;
const {noteSubscribed, toSubscriber} = imports.overrides._asyncexec.pending;
const {pack} = imports.overrides._asyncexec.variants;

const raw = {};

const methods = {
    setProgress(fraction, message = null) {
        raw.set_progress.call(this, fraction, message);
    },
    publish(message) {
        return raw.publish.call(this, pack(message));
    },
    subscribe(func) {
        const subscriber = toSubscriber(func);
        noteSubscribed(this);
        const id = raw.subscribe.call(this, subscriber);
        keepUntilDone(this);
        return id;
    },
    // A progress bar, or anything with that property, shows how far this is.
    bindProgress(target, property = 'fraction') {
        return this.bind_property('progress', target, property, GObject.BindingFlags.SYNC_CREATE);
    },
};

function install(AsyncExec) {
    const {prototype} = AsyncExec.Pending;
    for (const name of ['set_progress', 'publish', 'subscribe'])
        raw[name] = prototype[name];
    define(prototype, methods);
    alias(prototype, ['unsubscribe', 'get_progress', 'dup_progress_message', 'get_n_lost_messages']);
    refuse(prototype, ['publishWait'], blocks);
}
