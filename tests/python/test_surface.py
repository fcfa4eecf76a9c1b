# SPDX-License-Identifier: LGPL-2.1-or-later
"""The same names in each language.

The table is written down from what is promised, not from what is there.  That the
stub and Python's override agree is shown by test_typing.py, that asyncexec-1.d.ts
and JavaScript's override do by test-names.js.
"""

import ast
import os
import re
import unittest

import asyncexec
from gi.repository import AsyncExec

MODULES = os.path.dirname(os.path.dirname(asyncexec.__file__))
STUBS = [os.path.join(MODULES, "gi-stubs", "repository", name) for name in ("AsyncExec.pyi", "_AsyncExecServices.pyi")]
DECLARATIONS = [os.path.join(os.path.dirname(MODULES), "gjs", name) for name in ("asyncexec-1.d.ts", "asyncexec-1-groups.d.ts")]

# Class, then "what Python says: what JavaScript says": one name where the second is the
# first in camelCase, "-" where a language has nothing of the kind.
TABLE = {
    "Pending": """
        resolve reject follow cancel done cancelled state peek:result exception:error
        result:- wait:waitAsync run_until_done:- add_done_callback remove_done_callback then catch finally_:finally
        all all_settled any first first:race with_timeout set_progress publish subscribe unsubscribe bind_progress
        progress progress_message status_text resolved rejected sleep shield cancel_on cancel_with cancel_queued
        from_gio:- -:fromPromise from_future:- as_future:- as_concurrent:- as_coroutine:- set_priority set_canceller
        was_cancel_requested
        """,
    "Executor": """
        submit options post call run:- map shutdown run_multiple get_default set_default runs_here
        n_pending n_running state name run_multiple_async:- wrap_async_iterable:- as_concurrent:-
        """,
    "ThreadPool": "submit options post call map shutdown get_idle_timeout set_idle_timeout",
    "Caller": """
        current:getCurrent get_current get_main call_soon call_later call_direct stop started stopping stopped
        id context for_context new_for_context new_thread lookup list child hold release describe protected parent children
        schedule_call to_thread:- workers queue queue_call queue_get queue_close context_flags niceness
        backend call_using_backend register_backend:-
        max_idle_workers max_workers idle_worker_timeout get_idle_worker_timeout set_idle_worker_timeout wait:-
        """,
    "Guest": "caller:- set_fd:- set_ready_time:-",
    "CallQueue": "push close pending key caller n_items",
    "Limiter": "new acquire wrapped max_concurrent set_max_concurrent submit map shutdown",
    "Permit": "release",
    "CallerPool": "new n_callers callers:listCallers loads:dupLoads pick submit map shutdown",
    "Service": "new set_func start stop ready started stopping stopped caller name -:use",
    "Lazy": "new get peek made executor",
    "PendingStream": "n_done n_total model push transfer end close __anext__:next next_sync:-",
    # Functions of the namespace.
    "": """
        sleep as_completed wait run:- run_hosted:- spawn:- handler:- current_pending:- check_cancelled report_progress:- publish:-
        fail_after:- move_on_after:-
        -:isCancelled -:isTimeout -:matches
        """,
}

# What C offers and no language but C and Vala may: it would block JavaScript.  There to say so.
REFUSED = ["wait", "runUntilDone", "run", "nextSync", "getCurrent"]

# Classes of Python: the other languages tell these by domain and code.
EXCEPTIONS = ["Cancelled", "Timeout", "GroupError", "NotDone", "WouldDeadlock", "Closed", "Busy", "WorkerDied",
              "StoppedEarly"]


def camel_case(name):
    return re.sub(r"_(\w)", lambda match: match[1].upper(), name)


def pairs():
    for kind, words in TABLE.items():
        for word in words.split():
            python, _, js = word.partition(":")
            yield kind, python, js or camel_case(python)


def read_stub():
    """{class or "": names}, with those that are inherited"""
    body = []
    for path in STUBS:
        with open(path, encoding="utf-8") as file:
            body += ast.parse(file.read()).body
    found, bases = {"": set()}, {}
    for node in body:
        if isinstance(node, ast.ClassDef):
            bases[node.name] = [base.id for base in node.bases if isinstance(base, ast.Name)]
            found[node.name] = {member.target.id if isinstance(member, ast.AnnAssign) else member.name
                                for member in node.body
                                if isinstance(member, (ast.FunctionDef, ast.AsyncFunctionDef, ast.AnnAssign))}
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            found[""].add(node.name)
    return inherit(found, bases)


def read_declarations():
    """The same of asyncexec-1.d.ts, without what it declares as never returning"""
    text = ""
    for path in DECLARATIONS:
        with open(path, encoding="utf-8") as file:
            text += re.sub(r"/\*.*?\*/", "", file.read(), flags=re.DOTALL)
    found, bases = {"": set(re.findall(r"export function (\w+)", text))}, {}
    for name, base, body in re.findall(r"export (?:abstract )?class (\w+)(?:<[^{]*?>)?(?: extends (\w+))?[^{]*\{\n(.*?)\n    \}",
                                       text, flags=re.DOTALL):
        bases[name] = [base]
        members = re.findall(r"^ {8}(?:static )?(?:readonly )?(\w+)[(<:?]([^\n]*)", body, flags=re.MULTILINE)
        found[name] = {member for member, rest in members if not rest.endswith(": never;")}
        found[name + " refused"] = {member for member, rest in members if rest.endswith(": never;")}
    return inherit(found, bases)


def inherit(found, bases):
    for name in bases:
        for base in bases[name]:
            found[name] = found[name] | found.get(base, set())
    return found


class Surface(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stub, cls.declared = read_stub(), read_declarations()

    def missing(self, offered, column):
        return [f"{kind}.{names[column]}" for kind, *names in pairs()
                if names[column] != "-" and names[column] not in offered[kind]]

    def test_names_of_the_stub(self):
        self.assertEqual(self.missing(self.stub, 0), [])

    def test_names_of_the_override(self):
        owners = {kind: getattr(AsyncExec, kind) if kind else AsyncExec for kind in TABLE}
        absent = [f"{kind}.{name}" for kind, name, _ in pairs() if name != "-" and not hasattr(owners[kind], name)]
        self.assertEqual(absent, [])

    def test_names_of_the_declarations(self):
        self.assertEqual(self.missing(self.declared, 1), [])

    def test_names_that_python_alone_has(self):
        """Where the table says "-" for JavaScript, the declarations have nothing, or what only refuses."""
        alone = [(kind, camel_case(python)) for kind, python, js in pairs() if js == "-"]
        alone.remove(("Pending", "result"))      # what never blocks has this name there
        self.assertEqual([pair for pair in alone if pair[1] in self.declared.get(pair[0], ())], [])

    def test_names_that_javascript_alone_has(self):
        alone = [(kind, js) for kind, python, js in pairs() if python == "-"]
        snake = [(kind, re.sub(r"([A-Z])", lambda match: "_" + match[1].lower(), name)) for kind, name in alone]
        self.assertEqual([pair for pair in alone + snake if pair[1] in self.stub[pair[0]]], [])

    def test_R14_R16_what_blocks_is_declared_as_refused(self):
        refused = {name for kind in ("Pending", "Executor", "PendingStream") for name in self.declared[kind + " refused"]}
        self.assertLessEqual(set(REFUSED), refused)

    def test_exceptions_are_named(self):
        self.assertEqual([name for name in EXCEPTIONS if name not in self.stub or not hasattr(AsyncExec, name)], [])


if __name__ == "__main__":
    unittest.main()
