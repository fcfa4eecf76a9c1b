// SPDX-License-Identifier: LGPL-2.1-or-later
// A program without a main loop of its own: hashes the files that it is given, all at the same
// time, and prints each when it is done.
// usage: gjs -m main.js FILE...

import AsyncExec from 'gi://AsyncExec?version=1';
import System from 'system';

const pool = AsyncExec.Executor.getDefault();
const paths = new Map(ARGV.map(path => [pool.call('file-checksum', {path}), path]));
let status = 0;

// Each is there as soon as it is done; they run on threads.
for await (const job of AsyncExec.asCompleted(paths.keys())) {
    try {
        print(`${job.result()}  ${paths.get(job)}`);
    } catch (error) {
        printerr(error.message);
        status = 1;
    }
}
System.exit(status);
