#!/usr/bin/env -S gjs -m
// SPDX-License-Identifier: LGPL-2.1-or-later

// dupes: finds files with the same content.
//
// A program with much to read and to compute: the work runs on a pool of threads, results and errors
// come back to JavaScript's only thread as they happen, a progress bar is drawn meanwhile, and Ctrl-C
// stops at once and keeps what is there.  Start reading in search.js.

import GLib from 'gi://GLib?version=2.0';
import System from 'system';

import {fromText} from './bytes.js';
import {commandLine, parseOptions, UsageError} from './options.js';
import {asJson, asTable, writeError, writeOutput} from './report.js';
import {Search} from './search.js';
import {addSignal} from './unix.js';

const Status = {
    OK: 0,
    UNREADABLE: 1,      // something could not be read, or the report not be written
    USAGE: 2,
    INTERRUPTED: 130,
};

const SIGINT = 2;
const SIGTERM = 15;

function complain(message) {
    writeError(`dupes: ${message}\n`);
}

// The first signal stops the search; the second one finds the default action, and kills.
function installInterrupt(search) {
    for (const signal of [SIGINT, SIGTERM]) {
        addSignal(GLib.PRIORITY_HIGH, signal, () => {
            search.stop();
            return GLib.SOURCE_REMOVE;
        });
    }
}

function report(options, findings) {
    try {
        writeOutput(options.json ? asJson(findings) : asTable(findings));
    } catch (error) {
        complain(`cannot write the report: ${fromText(error.message.split(': ').pop())}`);
        return Status.UNREADABLE;
    }
    if (findings.interrupted)
        return Status.INTERRUPTED;
    return findings.problems.length > 0 ? Status.UNREADABLE : Status.OK;
}

async function main(words) {
    const options = parseOptions(words);

    if (options.help !== null) {
        writeOutput(fromText(options.help));
        return Status.OK;
    }

    const search = new Search(options);

    installInterrupt(search);
    await search.run();
    return report(options, search.summarize());
}

async function run() {
    try {
        return await main(commandLine('dupes.js'));
    } catch (error) {
        complain(fromText(error.message) + (error instanceof UsageError ? "\nTry 'dupes -h'." : ''));
        return error instanceof UsageError ? Status.USAGE : 1;
    }
}

// Not "await run()": at the top level gjs 1.74 keeps a CPU busy until that is over.
const loop = new GLib.MainLoop(null, false);
let status = Status.UNREADABLE;

run().then(result => {
    status = result;
    loop.quit();
});
loop.run();
System.exit(status);
