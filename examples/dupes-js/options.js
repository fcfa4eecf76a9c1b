// SPDX-License-Identifier: LGPL-2.1-or-later

// The command line.

import GLib from 'gi://GLib?version=2.0';

import {fromBytes, toText} from './bytes.js';

const ALGORITHMS = ['md5', 'sha1', 'sha256', 'sha384', 'sha512'];

const HELP = `Usage:
  dupes [OPTION…] PATH...

Finds files with the same content.

Help Options:
  -h, --help           Show help options

Application Options:
  -j, --jobs=N         Files to read at the same time (default: one per CPU)
  --min-size=BYTES     Ignore smaller files (default: 1)
  --algorithm=NAME     Checksum: md5, sha1, sha256 (default), sha384, sha512
  --json               Write one JSON object instead of a table
  --progress           Show a progress bar (default: when standard error is a terminal)
  --no-progress        Show no progress bar
  --follow             Follow symbolic links

Exit status: 0; 1 if something could not be read; 2 if the command line is wrong;
130 if interrupted (what was found until then is printed).
`;

export class UsageError extends Error {}

// The words after the name of the program.  Not System.programArgs: that crashes (gjs 1.74) where a
// word is not UTF-8, and file names are bytes.
export function commandLine(program) {
    const [, bytes] = GLib.file_get_contents('/proc/self/cmdline');
    const words = fromBytes(bytes).split('\0').slice(0, -1);

    return words.slice(words.findIndex(word => word.split('/').pop() === program) + 1);
}

// What makes no sense is refused here and not deep inside the program.
function parseNumber(name, text, min, max) {
    if (!/^[0-9]+$/.test(text))
        throw new UsageError(`${name}: “${text}” is not an unsigned number`);
    if (BigInt(text) < min || BigInt(text) > max)
        throw new UsageError(`${name}: Number “${text}” is out of bounds [${min}, ${max}]`);
    return Number(text);
}

function parseAlgorithm(name, text) {
    if (!ALGORITHMS.includes(text))
        throw new UsageError(`${name}: unknown algorithm '${text}'; there are ${ALGORITHMS.join(', ')}`);
    return text;
}

const FLAGS = {
    '--json': {json: true},
    '--progress': {progress: true},
    '--no-progress': {progress: false},
    '--follow': {follow: true},
    '--help': {help: HELP},
    '-h': {help: HELP},
};

const VALUES = {
    '--jobs': (name, text) => ({jobs: parseNumber(name, text, 1n, 512n)}),
    '-j': (name, text) => ({jobs: parseNumber(name, text, 1n, 512n)}),
    '--min-size': (name, text) => ({minSize: parseNumber(name, text, 0n, 2n ** 63n - 1n)}),
    '--algorithm': (name, text) => ({algorithm: parseAlgorithm(name, text)}),
};

function parseOption(word, words) {
    const [, name, value] = /^(--[^=]*|-.)=?([^]*)$/.exec(toText(word));

    if (name in FLAGS && value === '')
        return FLAGS[name];
    if (!(name in VALUES))
        throw new UsageError(`Unknown option ${toText(word)}`);
    if (word === name && words.length === 0)
        throw new UsageError(`Missing argument for ${name}`);
    return VALUES[name](name, word === name ? toText(words.shift()) : value);
}

export function parseOptions(words) {
    const options = {
        jobs: 0,                    // as many as the process may use CPUs
        minSize: 1,
        algorithm: 'sha256',
        json: false,
        progress: GLib.log_writer_supports_color(2),    // it is a terminal
        follow: false,
        help: null,
        roots: [],
    };

    while (words.length > 0) {
        const word = words.shift();

        if (word === '--')
            options.roots.push(...words.splice(0));
        else if (word.length > 1 && word.startsWith('-'))
            Object.assign(options, parseOption(word, words));
        else
            options.roots.push(word);
    }
    if (options.roots.length === 0 && options.help === null)
        throw new UsageError('no file or folder was given');
    options.roots = options.roots.map(root => root.replace(/(?<=[^])\/+$/, ''));
    return options;
}
