// SPDX-License-Identifier: LGPL-2.1-or-later

// Every function of the typelib has its two names, none takes microseconds or a
// callback as C has it, and asyncexec-1.d.ts says what is there.

imports.gi.versions.AsyncExec = '1';
const {AsyncExec, Gio, GIRepository} = imports.gi;
const {folder, isTrue, run, sameItems, test} = imports.tap;
const {InfoType} = GIRepository;

const declarations = ['asyncexec-1.d.ts', 'asyncexec-1-groups.d.ts'].map(name => new TextDecoder().decode(
    folder.resolve_relative_path(`../../libasyncexec/bindings/gjs/${name}`).load_contents(null)[1])).join('');

const camelCase = name => name.replace(/_(\w)/g, (_match, letter) => letter.toUpperCase());
const isRaw = func => String(func).includes('wrapper for native symbol');

function infosOf(kinds) {
    const repository = GIRepository.Repository.get_default();
    return Array.from({length: repository.get_n_infos('AsyncExec')}, (_none, i) => repository.get_info('AsyncExec', i))
        .filter(info => kinds.includes(info.get_type()) && AsyncExec[info.get_name()] !== undefined);
}

function methodsOf(info) {
    const [count, get] = info.get_type() === InfoType.OBJECT
        ? [GIRepository.object_info_get_n_methods, GIRepository.object_info_get_method]
        : [GIRepository.struct_info_get_n_methods, GIRepository.struct_info_get_method];
    return Array.from({length: count(info)}, (_none, i) => get(info, i));
}

const classes = infosOf([InfoType.OBJECT, InfoType.STRUCT]).filter(info => !info.get_name().endsWith('Class'));

function takes(method, wanted) {
    return Array.from({length: GIRepository.callable_info_get_n_args(method)},
        (_none, i) => GIRepository.callable_info_get_arg(method, i)).some(wanted);
}

function homeOf(info, method) {
    const isMethod = GIRepository.function_info_get_flags(method) & GIRepository.FunctionInfoFlags.IS_METHOD;
    return isMethod ? AsyncExec[info.get_name()].prototype : AsyncExec[info.get_name()];
}

function namesOf(wrong) {
    return classes.flatMap(info => methodsOf(info).filter(method => wrong(homeOf(info, method), method.get_name(), method))
        .map(method => `${info.get_name()}.${method.get_name()}`));
}

test('names camelCase and snake_case are the same function', () => {
    isTrue(classes.length > 8);
    sameItems(namesOf((home, name) => home[name] !== home[camelCase(name)]), []);
});

test('fact12 no raw function takes microseconds', () => {
    sameItems(namesOf((home, name, method) => isRaw(home[name]) && takes(method, arg => arg.get_name().endsWith('_us'))), []);
    sameItems(infosOf([InfoType.FUNCTION]).filter(info => isRaw(AsyncExec[info.get_name()]) &&
        takes(info, arg => arg.get_name().endsWith('_us'))).map(info => info.get_name()), []);
});

test('R3 no raw function takes a callback', () => {
    sameItems(namesOf((home, name, method) => isRaw(home[name]) &&
        takes(method, arg => GIRepository.arg_info_get_closure(arg) >= 0)), []);
});

// ---- the declarations

// {class: {static: [names], own: [names]}}
function readDeclarations() {
    const found = {};
    const text = declarations.replace(/\/\*[\s\S]*?\*\//g, '');
    for (const [, name, body] of text.matchAll(/export (?:abstract )?class (\w+)[^{]*\{\n([\s\S]*?)\n {4}\}/g)) {
        const members = [...body.matchAll(/^ {8}(static )?(?:readonly )?(\w+)[(<:?]/gm)];
        found[name] = {
            static: members.filter(([, isStatic]) => isStatic).map(([,, member]) => member),
            own: members.filter(([, isStatic]) => !isStatic).map(([,, member]) => member),
        };
    }
    return found;
}

const declared = readDeclarations();
const IGNORED = ['constructor', 'prototype', 'length', 'name', 'toString', 'dispatchAnywhere', 'idleTimeoutUs',
    'idleWorkerTimeoutUs', 'timeoutUs', 'cancellationTimeoutUs'];

function isOurs(name) {
    return /^[a-z][A-Za-z0-9]*$/.test(name) && !IGNORED.includes(name);
}

test('names what asyncexec-1.d.ts declares is there', () => {
    const missing = [];
    for (const [name, {static: statics, own}] of Object.entries(declared)) {
        missing.push(...statics.filter(member => !(member in AsyncExec[name])).map(member => `${name}.${member}`));
        if (name !== 'Error') {
            missing.push(...own.filter(member => !member.startsWith('vfunc_') && member !== 'constructor' &&
                !(member in AsyncExec[name].prototype)).map(member => `${name}#${member}`));
        }
    }
    const functions = [...declarations.matchAll(/export (?:function|const|enum) (\w+)/g)].map(([, name]) => name);
    missing.push(...functions.filter(name => AsyncExec[name] === undefined));
    isTrue(functions.length > 15);
    sameItems(missing, []);
});

test('names what is there is declared in asyncexec-1.d.ts', () => {
    const undeclared = [];
    for (const name of classes.map(info => info.get_name())) {
        const {static: statics, own} = declared[name] ?? {static: [], own: []};
        const {prototype} = AsyncExec[name];
        undeclared.push(...Object.getOwnPropertyNames(AsyncExec[name]).filter(isOurs)
            .filter(member => !statics.includes(member)).map(member => `${name}.${member}`));
        undeclared.push(...Object.getOwnPropertyNames(prototype).filter(isOurs)
            .filter(member => !own.includes(member)).map(member => `${name}#${member}`));
    }
    const functions = Object.getOwnPropertyNames(AsyncExec).filter(isOurs).filter(name => typeof AsyncExec[name] === 'function');
    undeclared.push(...functions.filter(name => !new RegExp(`export function ${name}\\b`).test(declarations)));
    sameItems(undeclared, []);
});

test('names properties of the typelib are declared', () => {
    const missing = infosOf([InfoType.OBJECT]).flatMap(info => {
        const name = info.get_name();
        return Array.from({length: GIRepository.object_info_get_n_properties(info)},
            (_none, i) => camelCase(GIRepository.object_info_get_property(info, i).get_name().replaceAll('-', '_')))
            .filter(property => isOurs(property) || property === 'name')
            .filter(property => !declared[name].own.includes(property)).map(property => `${name}#${property}`);
    });
    sameItems(missing, []);
});

test('names the declarations parse as text of their kind', () => {
    // Balanced, and every public member documented by name or comment.
    for (const [open, close] of ['{}', '()', '[]'])
        isTrue(declarations.split(open).length === declarations.split(close).length, `${open}${close}`);
    isTrue(declarations.includes("declare module 'gi://AsyncExec?version=1'"));
    isTrue(Gio !== undefined);
});

run();
