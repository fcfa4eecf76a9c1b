// SPDX-License-Identifier: LGPL-2.1-or-later

// Inside Gtk.Application, on a display.  gtk-programs.js has the programs.

const {folder, run, runProgram, same, test} = imports.tap;

const ENVIRONMENT = {
    GDK_BACKEND: 'x11',
    GSK_RENDERER: 'cairo',
    GTK_A11Y: 'none',
    GSETTINGS_BACKEND: 'memory',
    LIBGL_ALWAYS_SOFTWARE: '1',
};

function testProgram(name, program, expected) {
    test(name, async () => {
        const file = folder.get_child('gtk-programs.js').get_path();
        const {status, stdout, stderr} = await runProgram(['gjs', file, program], ENVIRONMENT);
        same(stderr, '');
        same(stdout, `${expected}ended with 0\n`);
        same(status, 0);
    });
}

testProgram('await in an application', 'awaits', 'awaited true\n');
testProgram('R5 a done callback touches a widget', 'doneCallback', 'done five\n');
testProgram('names bindProgress to a bar', 'bindProgress', 'fraction 0.5\n');
testProgram('X16 quit with jobs under way', 'quitUnderWay', '');
testProgram('X16 an interrupted program ends cleanly', 'controlC', 'cancelled true\n');

run();
