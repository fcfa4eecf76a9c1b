// SPDX-License-Identifier: LGPL-2.1-or-later

// Whole programs: the kinds that people write.

imports.gi.versions.AsyncExec = '1';
const {GLib} = imports.gi;
const {folder, run, runProgram, same, test} = imports.tap;

const program = name => folder.resolve_relative_path(`programs/${name}`).get_path();

async function runs(argv, expected, environment = {}) {
    const {status, stdout, stderr} = await runProgram(argv, environment);
    if (status !== 0 || stdout.trim() !== expected)
        throw new Error(`${argv.join(' ')}: ${status}\n${stdout}\n${stderr}`);
    same(stdout.trim(), expected);
}

test('an ES module with await at its top level', () => runs(['gjs', '-m', program('module.js')], '1 2 2 4 RangeError'));

test('an extension that only shuts its pool down', () => runs(['gjs', program('extension.js')], 'off true\noff true\noff true'));

test('names Symbol.asyncDispose where it exists', () => runs(['gjs', program('dispose.js')], 'true true'));

test('names of functions with AEX_DEBUG', () => runs(['gjs', program('debug.js')],
    'work at debug.js:12\nfunction at debug.js:13\ngiven\nwork at debug.js:15\nwork at debug.js:16', {AEX_DEBUG: 'names'}));

test('the overrides where they are installed', async () => {
    // gjs looks in the gjs-1.0 of each data folder.
    const data = GLib.dir_make_tmp('asyncexec-XXXXXX');
    GLib.spawn_command_line_sync(`ln -s ${GLib.shell_quote(GLib.getenv('GJS_PATH'))} ${data}/gjs-1.0`);
    await runs(['gjs', '-m', program('module.js')], '1 2 2 4 RangeError',
        {GJS_PATH: null, XDG_DATA_DIRS: `${data}:/usr/share`});
    GLib.unlink(`${data}/gjs-1.0`);
    GLib.rmdir(data);
});

if (GLib.find_program_in_path('xvfb-run') !== null) {
    test('a GTK application', () => runs(['xvfb-run', '-a', 'gjs', program('application.js')], 'fraction 0.5',
        {G_DEBUG: null, GSK_RENDERER: 'cairo'}));
}

run();
