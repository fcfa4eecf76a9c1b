// SPDX-License-Identifier: LGPL-2.1-or-later

// What dupes shows: the progress bar, and the report for people and for programs.

import Gio from 'gi://Gio?version=2.0';
import GLib from 'gi://GLib?version=2.0';

import {quoted, shown, toBytes} from './bytes.js';
import {OutputStream} from './unix.js';

const DRAW_INTERVAL_MS = 100;
const BAR_WIDTH = 24;
const UNITS = ['kB', 'MB', 'GB', 'TB', 'PB', 'EB'];

const standardError = OutputStream.new(2, false);
const standardOutput = OutputStream.new(1, false);

// A tie goes to the even digit, as it does everywhere but in toFixed().
function toTenths(number) {
    return number % 1 === 0.25 ? `${Math.floor(number)}.2` : number.toFixed(1);
}

// "317 B", "1.2 kB", "48.0 MB": always one space, so that columns line up.
function amount(nBytes) {
    let number = nBytes / 1000, unit = 0;

    if (nBytes < 1000)
        return `${Math.floor(nBytes)} B`;
    for (; number >= 999.95 && unit + 1 < UNITS.length; unit++)
        number /= 1000;
    return `${toTenths(number)} ${UNITS[unit]}`;
}

// Throws if it can not be written.
export function writeOutput(string) {
    standardOutput.write_all(toBytes(string), null);
}

export function writeError(string) {
    try {
        standardError.write_all(toBytes(string), null);
    } catch {
        // Nobody listens.
    }
}

export class Progress {
    constructor(visible) {
        this._visible = visible;
        this._drawn = 0;            // columns on the screen now
        this._timer = 0;
        this.begin(null);
    }

    // A new stage begins; nTotal bytes will be counted, 0 if nobody knows.  underWay() are not counted
    // yet.
    begin(title, nTotal = 0, underWay = () => 0) {
        this._title = title;
        this._nTotal = nTotal;
        this._underWay = underWay;
        this._started = GLib.get_monotonic_time();
        this._nFiles = this._nBytes = 0;
        if (!this._visible || title === null)
            return;
        this._draw();
        this._timer ||= GLib.timeout_add(GLib.PRIORITY_DEFAULT, DRAW_INTERVAL_MS, () => {
            this._draw();
            return GLib.SOURCE_CONTINUE;
        });
    }

    // The last stage is over.
    end() {
        if (this._timer)
            GLib.source_remove(this._timer);
        this._timer = 0;
        this._erase();
    }

    count(nBytes, nFiles = 0) {
        this._nBytes += nBytes;
        this._nFiles += nFiles;
    }

    // One line about something that could not be read, not into the bar.
    error(path, message) {
        this._erase();
        writeError(`dupes: ${shown(path)}: ${message}\n`);
    }

    _draw() {
        const seconds = Math.max((GLib.get_monotonic_time() - this._started) / 1e6, 1e-3);
        const text = this._nTotal > 0
            ? this._bar(seconds)
            : `${this._nFiles} files, ${amount(this._nBytes)}, ${(this._nFiles / seconds).toFixed()} files/s`;

        this._show(`${this._title.padEnd(10)} ${text}`);
    }

    _bar(seconds) {
        const nBytes = this._nBytes + this._underWay();
        const fraction = Math.min(1, nBytes / this._nTotal);
        const full = '#'.repeat(fraction * BAR_WIDTH).padEnd(BAR_WIDTH, '.');
        const percent = (fraction * 100).toFixed().padStart(3);
        let text = `[${full}] ${percent} %  ${amount(nBytes / seconds)}/s`;

        if (nBytes > 0) {
            const left = Math.floor(seconds * (1 - fraction) / Math.max(fraction, 1e-6));
            text += `  ${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')} left`;
        }
        return text;
    }

    // Puts text in the place of what is on the screen.
    _show(text) {
        writeError(`\r${text.padEnd(this._drawn)}`);
        this._drawn = text.length;
    }

    _erase() {
        if (this._drawn === 0)
            return;
        this._show('');
        writeError('\r');
    }
}

function sum(numbers) {
    return numbers.reduce((total, number) => total + number, 0);
}

function wasted(group) {
    return group.size * (group.paths.length - 1);
}

// The report for people.
export function asTable({groups, problems, nFiles, nBytes, interrupted, seconds}) {
    const nCopies = sum(groups.map(group => group.paths.length - 1));
    const row = (...cells) => `${cells[0].padStart(10)} ${cells[1].padStart(10)} ${cells[2].padStart(7)}  ${cells[3]}\n`;
    let table = groups.length > 0 ? row('WASTED', 'SIZE', 'COPIES', 'PATH') : '';

    for (const group of groups) {
        const [first, ...others] = group.paths.map(shown);

        table += row(amount(wasted(group)), amount(group.size), String(group.paths.length), first);
        table += others.map(path => `${' '.repeat(29)}  ${path}\n`).join('');
    }
    if (groups.length > 0)
        table += '\n';
    return `${table}${interrupted ? 'Interrupted, this is not all.  ' : ''}` +
        `Looked at ${nFiles} files, ${amount(nBytes)}, in ${seconds.toFixed(2)} s: ` +
        `${nCopies} duplicates in ${groups.length} groups waste ${amount(sum(groups.map(wasted)))}; ` +
        `${problems.length} could not be read\n`;
}

// The report for programs.
export function asJson({groups, problems, nFiles, nBytes, interrupted, seconds}) {
    const groupTexts = groups.map(({size, checksum, paths}) =>
        `\n  {"size": ${size}, "checksum": "${checksum}", "paths": [${paths.map(quoted).join(', ')}]}`);
    const problemTexts = problems.map(([path, message]) =>
        `\n  {"path": ${quoted(path)}, "error": ${quoted(message)}}`);

    return `{"groups": [${groupTexts}],\n "files": ${nFiles},\n "bytes": ${nBytes},\n ` +
        `"wasted": ${sum(groups.map(wasted))},\n "unreadable": [${problemTexts}],\n ` +
        `"interrupted": ${interrupted},\n "seconds": ${seconds.toFixed(3)}}\n`;
}
