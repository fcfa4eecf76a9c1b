// SPDX-License-Identifier: LGPL-2.1-or-later
// Uses the installed library: the override is found below the prefix.

const {AsyncExec, GLib} = imports.gi;

const loop = new GLib.MainLoop(null, false);
let failure = null;

async function main() {
    const folder = GLib.dir_make_tmp(null);
    const path = GLib.build_filenamev([folder, 'data']);
    try {
        GLib.file_set_contents(path, 'forty-two');
        const pool = new AsyncExec.ThreadPool();
        const sum = await pool.call('file-checksum', {path});
        if (sum !== GLib.compute_checksum_for_string(GLib.ChecksumType.SHA256, 'forty-two', -1))
            throw new Error(`another sum: ${sum}`);
        await pool.shutdown();
    } finally {
        GLib.unlink(path);
        GLib.rmdir(folder);
    }
}

main().catch(e => (failure = e)).finally(() => loop.quit());
loop.run();
if (failure)
    throw failure;
print('ok');
