// SPDX-License-Identifier: LGPL-2.1-or-later
// GNOME Shell for one extension: enables it, shows what it tells, disables it.
// usage: gjs extension.js FOLDER_OF_EXTENSION FOLDER [MOMENT]
//   MOMENT  when it is disabled: "end" when it has told the total, "at-once", or "told" when it told something

const {GLib} = imports.gi;
const [place, folder, moment = 'end'] = ARGV;
imports.searchPath.unshift(place);
const {extension} = imports;

const loop = new GLib.MainLoop(null, false);
let enabled = false;

function disable() {
    enabled = false;
    extension_.disable();
    print('disabled');
    // What comes too late comes in the next turns of the loop: the pool ends meanwhile.
    pool.shutdown().addDoneCallback(() => loop.quit());
}

const extension_ = extension.init(folder, text => {
    if (!enabled)
        throw new Error(`told after it was disabled: ${text}`);
    print(text);
    if (moment === 'told' || !text.endsWith('so far'))
        disable();
});
enabled = true;
extension_.enable();
const pool = extension_._pool;
if (moment === 'at-once')
    disable();
loop.run();
