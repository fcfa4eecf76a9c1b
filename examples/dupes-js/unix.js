// SPDX-License-Identifier: LGPL-2.1-or-later

// What GIO and GLib have for Unix alone: since GLib 2.80 in namespaces of its own, and there by shorter names.

import Gio from 'gi://Gio?version=2.0';
import GLib from 'gi://GLib?version=2.0';

// Not import(): whether that finds something is known only later.
function namespaceOrNull(name) {
    try {
        return imports.gi[name];
    } catch {
        return null;
    }
}

const GioUnix = namespaceOrNull('GioUnix');
const GLibUnix = namespaceOrNull('GLibUnix');

export const OutputStream = GioUnix === null ? Gio.UnixOutputStream : GioUnix.OutputStream;
export const addSignal = GLibUnix === null ? GLib.unix_signal_add
    : GLibUnix.signal_add ?? GLibUnix.signal_add_full;
