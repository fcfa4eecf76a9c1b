#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What every public function does when descriptors or threads run out, after a fork, and after a shutdown.

usage: limits.py check GIR SOURCE_ROOT      the table agrees with the GIR and with the manual
       limits.py generate GIR SOURCE_ROOT   C text that calls each function, for test-limits
       limits.py update GIR SOURCE_ROOT     gives new functions a line in the table, takes out those that are gone

limits.toml has a line for each function: its class, and the limits that it reports. test-limits sees to it that it
reports these and no others, and for each of its subjects, but for those that are named below the lines as silent, with
the reason. A function is called with arguments that are found by name or type in ARGUMENTS; what needs
more than one call has a CUSTOM in limits-custom.c.
"""

import os
import re
import sys
import tomllib
import xml.etree.ElementTree as ElementTree

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "checks"))
import checklib  # noqa: E402

CORE = "{http://www.gtk.org/introspection/core/1.0}"
C = "{http://www.gtk.org/introspection/c/1.0}"

LIMITS = ("descriptors", "threads", "forked", "shutdown")

# How a function could say that it failed.
CLASSES = {
    "error": "has a GError",
    "pending": "returns a pending, which carries the error",
    "stream": "returns a stream, which carries the error",
    "task": "takes a GAsyncReadyCallback or a GTask; who finishes it gets the error",
    "verb": "returns FALSE or 0 when it did nothing",
    "getter": "returns something and cannot fail",
    "void": "returns nothing and cannot fail",
    "free": "lets go of something",
}
REPORTING = ("error", "pending", "stream", "task")

# The text of an argument: by function and name, by name and type, by type.
ARGUMENTS = {
    "aex_caller_call_direct self": "limits_caller (w)",
    "aex_executor_call operation": '"file-walk"',
    "aex_executor_call_full operation": '"file-walk"',
    "aex_executor_call parameters": "limits_walk_parameters ()",
    "aex_executor_call_full parameters": "limits_walk_parameters ()",
    "aex_executor_run cancellable": "limits_cancellable_for_executor (w)",
    "aex_executor_set_default executor": "limits_executor (w)",
    "aex_operations_add_with_keys keys": "limits_keys ()",
    "aex_pending_follow other": "limits_other_pending (w)",
    "aex_pending_stream_push self": "limits_producer (w)",
    "aex_pending_stream_transfer self": "limits_producer (w)",
    "aex_pending_stream_end self": "limits_producer (w)",
    "aex_pending_stream_complete self": "limits_producer (w)",
    "aex_limiter_new wrapped": "limits_executor (w)",
    "aex_pending_group_add pending": "limits_other_pending (w)",
    "aex_pending_new_tracked tracker_types": "NULL",
    "aex_pending_new_tracked n_types": "0",
    "aex_pending_tracker_add pending": "limits_other_pending (w)",
    "aex_pending_tracker_get_active_id type": "AEX_TYPE_PENDING_MANAGER",
    "aex_pending_tracker_ref_current type": "AEX_TYPE_PENDING_MANAGER",
    "aex_service_set_func self": "w->idle_service",
    "aex_submit_options_set_trackers tracker_types": "NULL",
    "aex_submit_options_set_trackers n_types": "0",
    "aex_scope_add pending": "limits_pending (w)",
    "backend const char*": '"glib"',
    "guest_type GType": "limits_guest_get_type ()",
    "source gpointer": "NULL",
    "object gpointer": "w->object",
    "user_data gpointer": "w",
    "value gpointer": "w",
    "boxed gconstpointer": "w->strings",
    "name const char*": "limits_name (w)",
    "progress double": "0.5",
    "message GVariant*": 'g_variant_new_string ("message")',
    "AexAsyncFunc": "limits_async",
    "AexCallQueue*": "w->queue",
    "AexCaller*": "limits_caller (w)",
    "AexCallerOptions*": "w->caller_options",
    "AexCallerPool*": "limits_caller_pool (w)",
    "AexContext*": "w->context",
    "AexContextFunc": "limits_run",
    "AexContextToken*": "w->token",
    "AexContextVar*": "w->var",
    "AexEachFunc": "limits_each",
    "AexExecutor*": "limits_executor (w)",
    "AexGioFinish": "limits_gio_finish",
    "AexGioStart": "limits_gio_start",
    "AexGuest*": "w->guest",
    "AexJobFunc": "limits_job",
    "AexLazy*": "w->lazy",
    "AexLimiter*": "AEX_LIMITER (w->limiter)",
    "AexMapFlags": "AEX_MAP_FLAGS_NONE",
    "AexMapFunc": "limits_map",
    "AexMessageFunc": "limits_message",
    "AexOperationFunc": "limits_operation",
    "AexOperations*": "w->operations",
    "AexPending*": "limits_pending (w)",
    "AexPending* const*": "w->members",
    "AexPendingFlags": "AEX_PENDING_FLAGS_NONE",
    "AexPendingFunc": "limits_done",
    "AexGroupMode": "AEX_GROUP_MODE_RAISE",
    "AexPendingGroup*": "w->group",
    "AexPendingInfo*": "w->info",
    "AexPendingManager*": "w->manager",
    "AexPendingResult*": "w->result",
    "AexPendingStream*": "limits_stream (w)",
    "AexPendingTracker*": "AEX_PENDING_TRACKER (w->manager)",
    "AexPermit*": "w->permit",
    "AexPostFunc": "limits_post",
    "AexPriority": "AEX_PRIORITY_HIGH",
    "AexReturnWhen": "AEX_RETURN_WHEN_ALL_COMPLETED",
    "AexScope*": "w->scope",
    "AexScopeFlags": "AEX_SCOPE_FLAGS_NONE",
    "AexService*": "w->service",
    "AexServiceFunc": "limits_service",
    "AexShutdownFlags": "AEX_SHUTDOWN_FLAGS_CANCEL_QUEUED",
    "AexStopFlags": "AEX_STOP_FLAGS_NONE",
    "AexSubmitOptions*": "w->options",
    "AexThenFlags": "AEX_THEN_FLAGS_ON_SUCCESS",
    "AexThenFunc": "limits_then",
    "AexThreadMainFunc": "limits_thread_main",
    "AexThreadPool*": "limits_thread_pool (w)",
    "AexTrampoline*": "w->trampoline",
    "AexTrampolineFunc": "limits_bounce",
    "AexUnhandledFunc": "limits_unhandled",
    "AexWaitFlags": "AEX_WAIT_FLAGS_NONE",
    "GCancellable*": "w->cancellable",
    "GDestroyNotify": "limits_give_destroy (w)",
    "GError*": "w->error",
    "GMainContext*": "w->main_context",
    "GMainContextFlags": "G_MAIN_CONTEXT_FLAGS_NONE",
    "GObject*": "w->object",
    "GPollFunc": "g_poll",
    "GType": "G_TYPE_STRV",
    "GValue*": "&w->value",
    "GVariant*": "g_variant_new_int32 (1)",
    "GVariantType*": "G_VARIANT_TYPE_UNIT",
    "char*": '"text"',
    "double": "0.5",
    "gboolean": "TRUE",
    "gint64": "1000",
    "gsize": "2",
    "guint": "1",
    "guint64": "1",
    "gulong": "1",
    "int": "1",
}

# Each of these is called for every one that test-limits has.
SUBJECTS = {
    "limits_executor (w)": "LIMITS_N_EXECUTORS",
    "limits_caller (w)": "LIMITS_N_CALLERS",
    "limits_caller_pool (w)": "1",
    "limits_thread_pool (w)": "LIMITS_N_THREAD_POOLS",
    "limits_pending (w)": "LIMITS_N_PENDINGS",
    "limits_stream (w)": "LIMITS_N_STREAMS",
}

SUBJECT_NAMES = {
    "LIMITS_N_EXECUTORS": ("busy-pool", "fresh-pool", "main-caller", "thread-caller", "caller-pool", "limiter", "scripted"),
    "LIMITS_N_CALLERS": ("main-caller", "thread-caller"),
    "LIMITS_N_THREAD_POOLS": ("busy-pool", "fresh-pool"),
    "LIMITS_N_PENDINGS": ("promise", "running", "queued", "resolved", "rejected", "cancelled", "derived"),
    "LIMITS_N_STREAMS": ("producer", "map", "as-completed"),
    "1": ("only",),
}


def tag_of(element):
    return element.tag.rsplit("}", 1)[-1]


def plain(c_type):
    return c_type.replace("const ", "", 1) if c_type.startswith("const ") else c_type


class Value:
    """A parameter, or what is returned."""

    def __init__(self, element):
        kinds = [c for c in element if tag_of(c) in ("type", "array", "varargs")]
        self.name = element.get("name")
        self.type = kinds[0].get(C + "type") or "..." if kinds else "..."
        self.element = kinds[0].get("name") if kinds else None
        self.full = element.get("transfer-ownership") == "full"
        self.container = element.get("transfer-ownership") == "container"
        self.out = element.get("direction") == "out"
        self.nullable = element.get("nullable") == "1"


class Function:
    def __init__(self, element):
        self.name = element.get(C + "identifier")
        self.throws = element.get("throws") == "1"
        parameters = element.find(CORE + "parameters")
        self.parameters = [Value(p) for p in parameters] if parameters is not None else []
        self.result = Value(element.find(CORE + "return-value"))
        self.constructor = tag_of(element) == "constructor"

    def takes(self, *types):
        return any(p.type in types for p in self.parameters)

    def is_pending(self):
        return self.result.type == "AexPending*" and self.result.full or \
            self.constructor and self.result.type == "AexPending*"

    def signature_classes(self):
        """The classes that the signature allows, the most likely one first."""
        if self.throws:
            return ("error",)
        if self.is_pending():
            return ("pending", "getter") if not self.parameters or self.constructor else ("pending",)
        if self.result.type == "AexPendingStream*" and self.result.full:
            return ("getter", "stream") if self.constructor else ("stream",)
        if self.result.type == "void":
            if self.takes("GAsyncReadyCallback", "GTask*", "GAsyncResult*"):
                return ("task",)
            return ("free", "void") if re.search(r"_(unref|free)$", self.name) else ("void",)
        if self.result.type in ("gboolean", "gulong", "guint64", "int") and \
                not re.search(r"_(get|is|has|peek)_", self.name):
            return ("verb", "getter")
        return ("getter",)


def read_gir(path):
    """({name: Function}, {C type: how to let go of one})"""
    namespace = ElementTree.parse(path).getroot().find(CORE + "namespace")
    functions, release = {}, {}
    for owner in namespace:
        for element in [owner, *owner]:
            if tag_of(element) in ("function", "method", "constructor") and not element.get("moved-to"):
                functions[element.get(C + "identifier")] = Function(element)
        if tag_of(owner) == "class":
            release[owner.get(C + "type") + "*"] = "g_object_unref"
        elif tag_of(owner) == "record":
            for method in owner.findall(CORE + "method"):
                if method.get("name") in ("unref", "free"):
                    release[owner.get(C + "type") + "*"] = method.get(C + "identifier")
    return functions, release


RELEASE = {
    "aex_pending_dup_boxed": "g_strfreev",
    "aex_pending_dup_object": "g_object_unref",
    "GError*": "g_error_free",
    "GPtrArray*": "g_ptr_array_unref",
    "GValue*": "limits_value_free",
    "GVariant*": "g_variant_unref",
    "char*": "g_free",
    "char**": "g_strfreev",
    "guint*": "g_free",
}


# ---- the table and what it has to agree with

def read_table(path):
    """({name: line}, [what is silent])"""
    with open(path, "rb") as file:
        table = tomllib.load(file)
    return {name: line for name, line in table.items() if name != "silent"}, table.get("silent", [])


def silent_problems(table, silent):
    names = {name for group in SUBJECT_NAMES.values() for name in group}
    seen = set()
    for group in silent:
        limit = group.get("limit")
        if not group.get("reason") or not group.get("subjects") or not group.get("functions"):
            yield f"silent about {limit!r}: has to say which subjects of which functions, and the reason"
        for subject in group.get("subjects", ()):
            if subject not in names:
                yield f"silent about {limit!r}: unknown subject {subject!r}"
        for function in group.get("functions", ()):
            if limit not in table.get(function, {}).get("fails", ()):
                yield f"{function}: is silent about {limit!r} for some, and its line does not say that it reports that"
            for subject in group.get("subjects", ()):
                if (function, limit, subject) in seen:
                    yield f"{function}: is twice silent about {limit!r} for {subject!r}"
                seen.add((function, limit, subject))


def table_problems(functions, table):
    for name in sorted(functions.keys() - table.keys()):
        yield f"{name}: has no line in limits.toml; limits.py update writes one"
    for name in sorted(table.keys() - functions.keys()):
        yield f"{name}: has a line in limits.toml and is no public function"
    for name in sorted(functions.keys() & table.keys()):
        line = table[name]
        allowed = functions[name].signature_classes()
        if line.get("class") not in allowed:
            yield f"{name}: is {line.get('class')!r}, its signature says {' or '.join(allowed)}"
        for limit in line.get("fails", ()):
            if limit not in LIMITS:
                yield f"{name}: unknown limit {limit!r}"
            elif line.get("class") not in REPORTING:
                yield f"{name}: can not report {limit!r} as {line.get('class')!r}"


def manual_problems(table, manual):
    """The section "Under limits" names exactly the functions that report a lack of descriptors or threads."""
    section = re.search(r"^## Under limits\n(.*?)(?=^## |\Z)", manual, flags=re.S | re.M)
    lines = re.findall(r"^\| `(aex_\w+)\(\)` \|([^|]*)\|([^|]*)\|", section.group(1) if section else "", flags=re.M)
    written = {name: {limit for limit, text in zip(("descriptors", "threads"), cells) if text.strip()}
               for name, *cells in lines}
    for name, line in sorted(table.items()):
        wanted = set(line.get("fails", ())) & {"descriptors", "threads"}
        if wanted != written.get(name, set()):
            yield f"doc/errors.md: {name} reports a lack of {sorted(wanted)}, the manual says {sorted(written.get(name, ()))}"
    for name in sorted(written.keys() - table.keys()):
        yield f"doc/errors.md: {name} is no public function"


def problems(material):
    functions, (table, silent), manual = material
    return [*table_problems(functions, table), *silent_problems(table, silent), *manual_problems(table, manual)]


def sample(text):
    return Function(ElementTree.fromstring(
        f'<method xmlns="{CORE[1:-1]}" xmlns:c="{C[1:-1]}" c:identifier="aex_f"{text}>'
        '<return-value transfer-ownership="none"><type name="gboolean" c:type="gboolean"/></return-value></method>'))


def check(gir, root):
    with open(os.path.join(root, "doc/errors.md"), encoding="utf-8") as file:
        manual = file.read()
    material = (read_gir(gir)[0], read_table(os.path.join(root, "tests/limits/limits.toml")), manual)
    function = sample(' throws="1"')
    group = {"limit": "threads", "subjects": ["limiter"], "functions": ["aex_f"], "reason": "it needs none"}
    line = {"aex_f": {"class": "error", "fails": ["threads"]}}
    good = (line, [group])
    text = "## Under limits\n\n| `aex_f()` | | yes |\n"
    bad = [({"aex_f": function}, ({}, []), text), ({}, good, text), ({"aex_f": sample("")}, good, text),
           ({"aex_f": function}, good, ""), ({"aex_f": function}, ({"aex_f": {"class": "error"}}, []), text)]
    bad += [({"aex_f": function}, (line, [{**group, **change}]), text) for change in (
        {"limit": "forked"}, {"subjects": ["nobody"]}, {"subjects": []}, {"functions": ["aex_g"]}, {"reason": ""})]
    bad.append(({"aex_f": function}, (line, [group, group]), text))
    return checklib.report([
        ("/checks/limits/X9-X12/table", problems(material)),
        ("/checks/limits/finds-bad-samples", [f"nothing found in {b!r}" for b in bad if not problems(b)]),
        ("/checks/limits/accepts-good-sample", problems(({"aex_f": function}, good, text)))])


def line_of(name, line):
    fails = "".join(f', fails = [{", ".join(f"{chr(34)}{f}{chr(34)}" for f in LIMITS if f in line["fails"])}]'
                    for _ in [0] if line.get("fails"))
    return f'{name} = {{ class = "{line["class"]}"{fails} }}\n'


def update(gir, root):
    path = os.path.join(root, "tests/limits/limits.toml")
    functions, (table, _) = read_gir(gir)[0], read_table(path)
    with open(path, encoding="utf-8") as file:
        lines, mark, silent = file.read().partition("\n# ---- silent")
        head = "".join(f"{line}\n" for line in lines.splitlines() if line.startswith("#") or not line.strip())
    for name, function in functions.items():
        table.setdefault(name, {"class": function.signature_classes()[0]})
    with open(path, "w", encoding="utf-8") as file:
        file.write(head.rstrip("\n") + "\n\n")
        file.writelines(line_of(name, table[name]) for name in sorted(functions))
        file.write(mark + silent)
    return 0


# ---- the calls

class Uncalled(Exception):
    pass


def argument(function, value, release):
    """The text of an argument, or None where there is no saying."""
    for key in (f"{function.name} {value.name}", f"{value.name} {value.type}", value.type, plain(value.type)):
        if key in ARGUMENTS:
            text = ARGUMENTS[key]
            break
    else:
        raise Uncalled(f"no argument for {value.type} {value.name}: name one in limits.py, or write a CUSTOM in limits-custom.c")
    if value.full and value.type == "GError*":
        return "g_error_copy (w->error)"
    if value.full and value.type.startswith("Aex"):
        return f"{re.sub(r'_free$', '_copy', re.sub(r'_unref$', '_ref', release[value.type]))} ({text})"
    return text


def call_text(function, line, release):
    """The lines of a function that calls one, and how many subjects it has."""
    lines, arguments, n_subjects, subject_name = [], [], "1", None
    for value in function.parameters:
        if value.out:
            kind = value.type[:-1]
            lines.append(f"  {kind} {value.name} = {'NULL' if '*' in kind else '0'};")
            arguments.append(f"&{value.name}")
            continue
        text = argument(function, value, release)
        for subject, count in SUBJECTS.items():
            if subject in text:
                if subject_name is None:
                    n_subjects, subject_name = count, value.name
                    lines.append(f"  {value.type} {value.name} = {text};")
                    text = value.name
                    break
                text = text.replace("limits_pending (w)", "limits_other_pending (w)") \
                           .replace("limits_executor (w)", "w->pool").replace("limits_caller (w)", "w->caller")
        arguments.append(text)
    if function.throws:
        lines.append("  GError *error = NULL;")
        arguments.append("&error")
    before = [f"  if ({subject_name} == NULL)", "    return;"] if subject_name is not None else []
    return lines, before, arguments, n_subjects


def result_text(function, line, call, release):
    error = "error" if function.throws else "NULL"
    kind = function.result.type
    allowed = "TRUE" if function.result.nullable else "FALSE"
    if kind == "void":
        return [], [f"  {call};", f"  limits_called (w, {error});"]
    if line["class"] in ("pending", "stream"):
        return [f"  {kind} result = {call};"], [f"  limits_{line['class']}_returned (w, result);"]
    after = []
    if "*" in kind or kind == "gpointer":
        after.append(f"  limits_pointer_returned (w, result, {allowed}, {error});")
        if function.result.full or function.result.container:
            free = release.get(plain(kind)) or RELEASE.get(plain(kind)) or RELEASE.get(function.name)
            if free is None:
                raise Uncalled(f"how is a {kind} released? say so in limits.py, or write a CUSTOM in limits-custom.c")
            after.append(f"  if (result != NULL)\n    {free} (({plain(kind)}) result);")
    elif kind == "gboolean" and line["class"] == "error" and "_get_" not in function.name:
        after.append(f"  limits_boolean_returned (w, result, {error});")
    else:
        after += ["  (void) result;", f"  limits_called (w, {error});"]
    for value in function.parameters:
        if value.out and value.full and "*" in value.type[:-1]:
            free = {"GVariantType**": "g_variant_type_free"}.get(value.type)
            after.append(f"  g_clear_pointer (&{value.name}, {free or 'g_free'});")
    return [f"  {kind} result = {call};"], after


def silent_bits(name, n_subjects, silent):
    """For each limit, the subjects that it does not say."""
    bits = dict.fromkeys(LIMITS, 0)
    for group in silent:
        for subject in group["subjects"] if name in group["functions"] else ():
            bits[group["limit"]] |= 1 << SUBJECT_NAMES[n_subjects].index(subject)
    return ", ".join(f"0x{bits[limit]:x}" for limit in LIMITS)


def row(name, call, n_subjects, flags, silent, tasks):
    of_pendings = "TRUE" if n_subjects == "LIMITS_N_PENDINGS" else "FALSE"
    bits = silent_bits(name, n_subjects, silent)
    return f'  {{ "{name}", {call}, {n_subjects}, {of_pendings}, {flags}, {{ {bits} }}, {tasks}, NULL }},'


def generate(gir, root):
    functions, release = read_gir(gir)
    table, silent = read_table(os.path.join(root, "tests/limits/limits.toml"))
    with open(os.path.join(root, "tests/limits/limits-custom.c"), encoding="utf-8") as file:
        custom = dict(re.findall(r"^CUSTOM \((aex_\w+), (\w+)\)", file.read(), flags=re.M))
    out = ["/* Written by tests/limits/limits.py. */", '#include "limits-test.h"', ""]
    rows = []

    def uncalled(name, why):
        """Builds, and fails when it is run."""
        rows.append(f'  {{ "{name}", NULL, 0, FALSE, 0, {{ 0 }}, FALSE, "{why}" }},')

    for name in sorted(custom.keys() - functions.keys()):
        uncalled(name, "there is a CUSTOM call and no public function of that name")
    for name, function in sorted(functions.items()):
        line = table.get(name)
        if line is None:
            uncalled(name, "it has no line in limits.toml: limits.py update writes one")
            continue
        flags = " | ".join(f"1 << LIMIT_{limit.upper()}" for limit in line.get("fails", ())) or "0"
        tasks = "TRUE" if line["class"] == "task" or re.search(r"_gio|_task|_finish$", name) else "FALSE"
        if name in custom:
            out.insert(2, f"void custom_{name} (LimitsWorld *w);")
            rows.append(row(name, f"custom_{name}", custom[name], flags, silent, tasks))
            continue
        try:
            lines, before, arguments, n_subjects = call_text(function, line, release)
            declaration, after = result_text(function, line, f"{name} ({', '.join(arguments)})", release)
        except Uncalled as problem:
            uncalled(name, problem)
            continue
        if before:
            declaration = [d.split(" = ")[0] + ";" for d in declaration] + before + \
                ["  result = " + d.split(" = ", 1)[1] for d in declaration]
        out += ["static void", f"call_{name} (LimitsWorld *w)", "{", *lines, *declaration, *after, "}", ""]
        rows.append(row(name, f"call_{name}", n_subjects, flags, silent, tasks))
    print("\n".join([*out, "const LimitsFunction limits_functions[] = {", *rows, "};", "",
                     "const guint limits_n_functions = G_N_ELEMENTS (limits_functions);"]))
    return 0


def main():
    return {"check": check, "generate": generate, "update": update}[sys.argv[1]](*sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
