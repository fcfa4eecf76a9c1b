#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""po/POTFILES.in names every file with a translated message, and no other; and
no error of the library is made with a message that is not translated.

usage: potfiles.py SOURCE_ROOT
"""

import ast
import re
import sys

import checklib

POTFILES = "po/POTFILES.in"
TRANSLATED = re.compile(r'(?<!\w)(?:_|N_|C_|NC_|Q_|g_dngettext|ngettext|aex_ngettext)\s*\(\s*(?:GETTEXT_PACKAGE,\s*)?["\']')

# What makes an error that a user may see.  TypeError and the like, of Python and JavaScript, tell a programmer.
MAKERS = {
    ".c": r"(?:g_set_error|g_error_new|g_task_return_new_error|g_prefix_error|g_propagate_prefixed_error)(?:_literal)?",
    ".js": r"(?:newError|GLib\.Error|IOErrorEnum|Error\.new_literal|refuse)",
}
# A function in C with a message to give on.
GIVES_ON = re.compile(r"^(\w+) \([^()]*\bconst char \*(?:message|format)\b", re.M)
TRANSLATES = re.compile(r"(?<!\w)(?:_|N_|aex_ngettext)\s*\(")
LITERAL = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|`(?:\\.|[^`\\])*`', re.S)
# What is no text: a directive, a value of a template, and the name of a code.
NO_TEXT = re.compile(r"%[-+ #0]*\d*(?:ll|l|z|h)?[a-zA-Z]|\$\{[^}]*\}|^[A-Z_]+$")
PYTHON_MAKERS = {"Error", "new_literal", "GroupError"}
PYTHON_TRANSLATES = {"translate", "N_"}
# Messages that are not translated: (path, text), and why.
EXCEPTIONS = {}


def call_end(text, start):
    """Where the bracket that is open before start is closed; brackets in literals do not count."""
    depth = 1
    while depth > 0 and start < len(text):
        literal = LITERAL.match(text, start)
        depth += {"(": 1, ")": -1}.get(text[start], 0)
        start = literal.end() if literal else start + 1
    return start


def without_translated(text):
    """The arguments without what is given to _()."""
    while found := TRANSLATES.search(text):
        text = text[:found.start()] + text[call_end(text, found.end()):]
    return text


def is_text(literal):
    return re.search(r"[^\W\d_]", NO_TEXT.sub("", literal)) is not None


def bare_in_source(text, makers):
    """Literals that C or JavaScript makes an error with: the line, and the text."""
    for found in re.finditer(rf"\b({makers})\s*\(", text):
        arguments = without_translated(text[found.end():call_end(text, found.end())])
        line = text.count("\n", 0, found.start()) + 1
        # refuse() is given names of functions as well.
        yield from ((line, literal[1:-1]) for literal in LITERAL.findall(arguments)
                    if is_text(literal[1:-1]) and (found[1] != "refuse" or " " in literal))


def called(node):
    """The last part of the name of what is called."""
    return getattr(node.func, "attr", getattr(node.func, "id", None))


def bare_literals(node, values):
    """Literals below a node that nothing translates; values: what is assigned to each name."""
    if isinstance(node, ast.Call) and called(node) in PYTHON_TRANSLATES:
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.lineno, node.value
    for one in values.get(node.id, ()) if isinstance(node, ast.Name) else ():
        yield from bare_literals(one, {})
    # What a function gives, what is asked of an object and what is put into the text is not the message.
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        below = [node.left]
    else:
        parts = (ast.BinOp, ast.JoinedStr, ast.IfExp, ast.BoolOp, ast.Tuple)
        below = ast.iter_child_nodes(node) if isinstance(node, parts) else ()
    for child in below:
        yield from bare_literals(child, values)


def python_makers(trees):
    """Names of exceptions, and of functions that make an error of a message they are given."""
    makers = set(PYTHON_MAKERS)
    nodes = [node for tree in trees for node in ast.walk(tree)]
    makers |= {node.name for node in nodes if isinstance(node, ast.ClassDef)
               and any(getattr(base, "id", None) == "_FromError" for base in node.bases)}
    functions = [node for node in nodes if isinstance(node, ast.FunctionDef)]
    known = None
    while known != len(makers):
        known = len(makers)
        for function in functions:
            own = {argument.arg for argument in function.args.args}
            if "message" in own and any(isinstance(node, ast.Call) and called(node) in makers
                                        and any(getattr(argument, "id", None) == "message" for argument in node.args)
                                        for node in ast.walk(function)):
                makers.add(function.name)
    return makers - {"__init__", "__new__"}


def bare_in_python(tree, makers):
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.name in makers:
            # Its message for when there is no other.
            for own in node.body:
                if isinstance(own, ast.Assign) and own.targets[0].id == "default":
                    yield from bare_literals(own.value, {})
    scopes = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    for scope in (tree, *scopes):
        values = {}
        for node in ast.walk(scope) if scope is not tree else ():
            for target in node.targets if isinstance(node, ast.Assign) else ():
                if isinstance(target, ast.Name):
                    values.setdefault(target.id, []).append(node.value)
        for node in ast.walk(scope):
            if isinstance(node, ast.Call) and called(node) in makers:
                for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
                    yield from ((line, text) for line, text in bare_literals(argument, values) if is_text(text))


def bare_messages(files):
    """Messages of the library's errors that no translator ever sees."""
    library = {path: text for path, text in files.items() if path.startswith("libasyncexec/")}
    trees = {path: ast.parse(text) for path, text in library.items() if path.endswith(".py")}
    makers = python_makers(trees.values())
    found = {(path, *bare) for path, tree in trees.items() for bare in bare_in_python(tree, makers)}
    giving = {name for path, text in library.items() if path.endswith(".c") for name in GIVES_ON.findall(text)}
    patterns = {**MAKERS, ".c": "|".join((MAKERS[".c"], *sorted(giving)))}
    for path, text in library.items():
        suffix = path[path.rindex("."):]
        if suffix in patterns:
            found |= {(path, *bare) for bare in bare_in_source(checklib.without_comments(text), patterns[suffix])}
    unused = set(EXCEPTIONS) - {(path, text) for path, _, text in found}
    return ([f"{path}:{line}: an error whose message is not translated: {text!r}" for path, line, text in sorted(found)
             if (path, text) not in EXCEPTIONS]
            + [f"an exception that nothing needs: {one}" for one in sorted(unused)])


def problems(files):
    listed = [line for line in files[POTFILES].splitlines() if line and not line.startswith("#")]
    using = {path for path, text in files.items()
             if path != POTFILES and TRANSLATED.search(checklib.without_comments(text))}
    found = [f"{POTFILES} does not name {path}" for path in sorted(using - set(listed))]
    found += [f"{POTFILES} names {path}, which translates nothing"
              for path in sorted(set(listed) - using)]
    if listed != sorted(listed):
        found.append(f"{POTFILES} is not sorted")
    return found + bare_messages(files)


def wanted(name):
    return name == POTFILES or (name.endswith((".c", ".js", ".py")) and name.startswith(("libasyncexec/", "examples/")))


# Each is a problem.
BARE = {
    ".c": ('g_set_error (error, AEX_ERROR, 0, "%s is full", name);\n',
           'g_set_error_literal (error, AEX_ERROR, 0,\n  "Full");\n',
           'return g_error_new (AEX_ERROR, CODE (0), full ? "Full" : _("Empty (not)"));\n',
           'g_error_new_literal (AEX_ERROR, 0, "Full");\n',
           'static int\ninvalid (GError **error, const char *message)\n{\n}\n'
           'void\nf (void)\n{\n  invalid (error, "Full");\n}\n'),
    ".js": ("throw newError('FULL', 'It is full');\n", "newError('FULL', `${name}: full`);\n",
            "x = new Gio.IOErrorEnum({code: 1, message: 'full'});\n", "newError('FULL', format('%s is full', name));\n",
            "refuse(prototype, ['wait'], () => '%s() is of C');\n"),
    ".py": ('raise Closed("It is closed")\n', 'raise errors.Closed(f"{name} is closed")\n',
            'def f():\n    message = "Full"\n    raise _full(message)\n'
            'def _full(message):\n    return GLib.Error.new_literal(1, message)\n',
            'raise Closed("%s is closed" % name)\n', 'raise Closed(message="It is closed")\n',
            'class Busy(_FromError):\n    default = (DOMAIN, int(BUSY), "Too many")\n'),
}
CLASS = "class Closed(_FromError):\n    pass\n"
# No problem.
TRANSLATED_SAMPLES = {
    "libasyncexec/a.c": 'g_set_error (error, AEX_ERROR, 0, _("Full: %s (%s)"), name (")"), x);\n'
                        'g_set_error (error, AEX_ERROR, 0, "%s: %s", a, b);\ng_warning ("Full");\n',
    "libasyncexec/a.js": "throw newError('FULL', format(_('It is full: %s'), name));\nnewError('FULL', `${a}: ${b}`);\n"
                         "refuse(prototype, ['wait'], () => _('%s() is of C'));\n",
    "libasyncexec/a.py": CLASS + 'raise Closed(translate(N_("It is closed: %s")) % name)\n'
                                 'raise TypeError("a name is needed")\n'
                                 'def f():\n    message = translate(N_("Full"))\n    raise Closed(message)\n',
}


def main():
    call = 'x = g_error_new (AEX_ERROR, 0, _("Full"));\n'
    assert problems({POTFILES: "gone.c\n"})
    for suffix, samples in BARE.items():
        for sample in samples:
            assert bare_messages({"libasyncexec/a" + suffix: sample, "libasyncexec/b.py": CLASS}), sample
    return checklib.run("potfiles", problems, checklib.read_files(sys.argv[1], wanted),
                        {POTFILES: "", "a.c": call},
                        {POTFILES: "# names\na.c\n" + "".join(f"{path}\n" for path in TRANSLATED_SAMPLES), "a.c": call,
                         "b.c": 'my_ ("x");\n', **TRANSLATED_SAMPLES})


if __name__ == "__main__":
    sys.exit(main())
