#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Rules for what language bindings see, checked on the built GIR.

usage: introspection.py GIR
"""

import sys
import xml.etree.ElementTree as ElementTree

import checklib

CORE = "{http://www.gtk.org/introspection/core/1.0}"
C = "{http://www.gtk.org/introspection/c/1.0}"
GLIB = "{http://www.gtk.org/introspection/glib/1.0}"

CALLABLES = ("function", "method", "constructor", "virtual-method", "callback", "function-macro")
TYPES = ("class", "interface", "record", "union", "enumeration", "bitfield", "constant", "alias")
FORBIDDEN = ("then", "async", "await")
FOREIGN_CALLBACKS = ("Gio.AsyncReadyCallback", "GLib.DestroyNotify", "GObject.Callback",
                     "GLib.SourceFunc", "GLib.Func", "GObject.Closure")

READY_TYPE = "Gio.AsyncReadyCallback"
DERIVABLE = ("Executor", "Guest", "PendingManager", "PendingTracker", "Service")


def tag_of(element):
    return element.tag.rsplit("}", 1)[-1]


def visible(element):
    return element.get("introspectable", "1") != "0"


def named(element, owner=None):
    name = element.get(C + "identifier") or element.get(C + "type") or element.get("name")
    return f"{owner.get('name')}.{name}" if owner is not None and "." not in name else name


def parameters(callable_element):
    return callable_element.findall(f"{CORE}parameters/{CORE}parameter")


def type_name(element):
    kind = element.find(CORE + "type") if element is not None else None
    return kind.get("name") if kind is not None else None


def walk(namespace):
    """(element, owner) of everything that has a name of its own, once."""
    for element in namespace:
        if not element.get("moved-to"):
            yield element, None
        for child in element:
            yield child, element


def callbacks_in_vfuncs(namespace):
    callbacks = {c.get("name") for c in namespace.findall(CORE + "callback")}
    callbacks |= set(FOREIGN_CALLBACKS)
    for element, owner in walk(namespace):
        if tag_of(element) != "virtual-method":
            continue
        for parameter in parameters(element):
            kind = parameter.find(CORE + "type")
            name = kind.get("name") if kind is not None else None
            if name in callbacks or any(parameter.get(a) for a in ("scope", "closure", "destroy")):
                yield f"{named(element, owner)}: argument {parameter.get('name')} is a callback"


def values_beside_errors(namespace):
    for element, owner in walk(namespace):
        if tag_of(element) not in CALLABLES or element.get("throws") != "1":
            continue
        for parameter in parameters(element):
            kind = parameter.find(CORE + "type")
            if visible(element) and parameter.get("caller-allocates") == "1" and \
                    kind is not None and kind.get("name") == "GObject.Value":
                yield f"{named(element, owner)}: a caller-allocated GValue beside a GError"


def unfinished_async(namespace):
    for owner in [namespace, *namespace]:
        names = {e.get("name") for e in owner if tag_of(e) in ("function", "method", "constructor")}
        for name in sorted(n for n in names if n):
            # submit_async takes a coroutine function, not a GAsyncReadyCallback.
            element = next(e for e in owner if e.get("name") == name)
            takes_ready = any(p.find(CORE + "type") is not None and
                              p.find(CORE + "type").get("name") == "Gio.AsyncReadyCallback"
                              for p in parameters(element))
            base = name[:-len("_async")] if name.endswith("_async") else name
            if takes_ready and base + "_finish" not in names:
                yield f"{named(element, owner)} has no {base}_finish beside it"


def other_job_functions(namespace):
    """Work gets a pending to set its outcome on, and says whether it succeeded."""
    work = [c for c in namespace.findall(CORE + "callback")
            if [type_name(p) for p in parameters(c)[:2]] == ["Pending", "Gio.Cancellable"]]
    jobs = [c for c in work if type_name(c.find(CORE + "return-value")) == "gboolean"]
    if len(jobs) != 1:
        yield f"{len(jobs)} types of job functions: {[c.get('name') for c in jobs]}"
    for callback in work:
        if callback.get("throws") != "1":
            yield f"{named(callback)} has no error"
        if callback not in jobs and type_name(callback.find(CORE + "return-value")) != "Pending":
            yield f"{named(callback)} returns neither success nor a pending"


def wrong_starts(namespace):
    """A start returns nothing, and has one cancellable and one callback."""
    for element, owner in walk(namespace):
        if tag_of(element) not in ("function", "method", "constructor"):
            continue
        kinds = [type_name(p) for p in parameters(element)]
        if READY_TYPE not in kinds:
            continue
        if type_name(element.find(CORE + "return-value")) != "none":
            yield f"{named(element, owner)} returns something"
        for kind in (READY_TYPE, "Gio.Cancellable"):
            if kinds.count(kind) != 1:
                yield f"{named(element, owner)} has {kinds.count(kind)} of {kind}"
        if any(p.get("direction", "in") != "in" for p in parameters(element)):
            yield f"{named(element, owner)} gives something back"


def wrongly_final(namespace):
    """Executors are for scripts to derive; the rest is not."""
    for element in namespace.findall(CORE + "class"):
        derivable = element.get("name") in DERIVABLE
        if derivable == (element.get("final") == "1"):
            yield f"{named(element)} is {'' if derivable else 'not '}final"


def fundamental_types(namespace):
    parents = {c.get("name"): c.get("parent") for c in namespace.findall(CORE + "class")}
    for element in namespace.findall(CORE + "class"):
        top = element.get("name")
        while top in parents:
            top = parents[top]
        if top != "GObject.Object" or element.get(GLIB + "fundamental") == "1":
            yield f"{named(element)} is no GObject, but {top}"


def vanishing(namespace):
    """A callback that returns an object without saying whose it is: the scanner drops each method that takes it."""
    classes = {c.get("name") for c in namespace.findall(CORE + "class")}
    taken = {type_name(p) for element, _ in walk(namespace) if visible(element) for p in parameters(element)}
    for callback in namespace.findall(CORE + "callback"):
        value = callback.find(CORE + "return-value")
        if type_name(value) not in classes:
            continue
        if value.get("transfer-ownership") != "full" or not visible(callback):
            yield f"{named(callback)} does not give away what it returns"
        if callback.get("name") not in taken:
            yield f"{named(callback)} is taken by nothing that bindings see"


def forbidden_names(namespace):
    for element, owner in walk(namespace):
        if visible(element) and tag_of(element) in CALLABLES and element.get("name") in FORBIDDEN:
            yield f"{named(element, owner)} is introspected as {element.get('name')}"
        if visible(element) and element.get("shadows") in FORBIDDEN:
            yield f"{named(element, owner)} is introspected as {element.get('shadows')}"


def is_documented(element):
    doc = element.find(CORE + "doc")
    return doc is not None and (doc.text or "").strip() != ""


def needs_words(element, owner):
    tag = tag_of(element)
    if tag == "record" and (element.get(GLIB + "is-gtype-struct-for") or element.get("disguised") == "1"
                            and not element.get(GLIB + "type-name")):
        return False
    if owner is not None and tag == "callback":
        return False  # a slot of a class structure: its virtual method is documented
    return tag in CALLABLES + TYPES + ("member", "property", "signal")


def undocumented(namespace):
    for element, owner in walk(namespace):
        if owner is not None and owner.get(GLIB + "is-gtype-struct-for"):
            continue
        if not needs_words(element, owner):
            continue
        tag = tag_of(element)
        if not is_documented(element):
            yield f"{tag} {named(element, owner)} is not documented"
        elif tag != "member" and not element.get("version"):
            yield f"{tag} {named(element, owner)} does not say Since:"
        for parameter in parameters(element):
            if not is_documented(parameter):
                yield f"{named(element, owner)}: argument {parameter.get('name')} is not documented"
        value = element.find(CORE + "return-value")
        kind = value.find(CORE + "type") if value is not None else None
        if value is not None and not is_documented(value) and \
                (kind is None or kind.get("name") != "none"):
            yield f"{named(element, owner)}: what it returns is not documented"


RULES = {
    "R1/one-job-function": other_job_functions,
    "R4/no-value-beside-error": values_beside_errors,
    "R11/no-callback-in-virtual-method": callbacks_in_vfuncs,
    "R12/derivable-or-final": wrongly_final,
    "R13/no-fundamental-type": fundamental_types,
    "R15/async-has-finish": unfinished_async,
    "R15/async-start": wrong_starts,
    "fact2/no-vanishing-method": vanishing,
    "no-then-async-await": forbidden_names,
    "documented": undocumented,
}

FRAME = """<repository xmlns="http://www.gtk.org/introspection/core/1.0"
 xmlns:c="http://www.gtk.org/introspection/c/1.0"
 xmlns:glib="http://www.gtk.org/introspection/glib/1.0"><namespace name="T">%s</namespace></repository>"""

READY = '<parameter name="cb"><doc>x</doc><type name="Gio.AsyncReadyCallback"/></parameter>'

BAD = {
    "R1/one-job-function":
        '<callback name="F" throws="1"><return-value><type name="GObject.Value"/></return-value><parameters>'
        '<parameter name="p"><type name="Pending"/></parameter>'
        '<parameter name="c"><type name="Gio.Cancellable"/></parameter></parameters></callback>',
    "R11/no-callback-in-virtual-method":
        f'<class name="A"><virtual-method name="v"><parameters>{READY}</parameters></virtual-method></class>',
    "R12/derivable-or-final": '<class name="A"/>',
    "R13/no-fundamental-type": '<class name="A" parent="B"/><class name="B" glib:fundamental="1"/>',
    "R4/no-value-beside-error":
        '<function name="f" throws="1"><parameters><parameter name="v" caller-allocates="1">'
        '<type name="GObject.Value"/></parameter></parameters></function>',
    "R15/async-start":
        f'<class name="A"><method name="f_async"><return-value><type name="gint"/></return-value>'
        f'<parameters>{READY}</parameters></method></class>',
    "R15/async-has-finish":
        f'<class name="A"><method name="f_async"><parameters>{READY}</parameters></method></class>'
        '<class name="B"><method name="f_finish"/></class>',
    "fact2/no-vanishing-method":
        '<class name="A"/><callback name="F"><return-value transfer-ownership="none"><type name="A"/></return-value>'
        '</callback>',
    "no-then-async-await": '<class name="A"><method name="then"/></class>',
    "documented": '<class name="A" version="1.0"><doc>x</doc><property name="p"/></class>',
}

CANCELLABLE = '<parameter name="c"><doc>x</doc><type name="Gio.Cancellable"/></parameter>'

GOOD = ('<callback name="F" throws="1" version="1.0"><doc>x</doc><return-value><doc>x</doc><type name="gboolean"/>'
        '</return-value><parameters><parameter name="p"><doc>x</doc><type name="Pending"/></parameter>'
        f'{CANCELLABLE}</parameters></callback>'
        '<class name="A" version="1.0" parent="GObject.Object" final="1"><doc>x</doc>'
        '<method name="f_async" version="1.0"><doc>x</doc>'
        f'<return-value><type name="none"/></return-value><parameters>{CANCELLABLE}{READY}</parameters></method>'
        '<method name="f_finish" version="1.0"><doc>x</doc></method>'
        '<method name="then" introspectable="0" version="1.0"><doc>x</doc></method></class>')


def namespace_of(tree):
    return tree.find(CORE + "namespace")


def main():
    real = namespace_of(ElementTree.parse(sys.argv[1]).getroot())
    outcomes = []
    for name, rule in RULES.items():
        bad = namespace_of(ElementTree.fromstring(FRAME % BAD[name]))
        good = namespace_of(ElementTree.fromstring(FRAME % GOOD))
        outcomes += [
            (f"/checks/introspection/{name}", list(rule(real))),
            (f"/checks/introspection/{name}/finds-bad-sample",
             [] if list(rule(bad)) else ["nothing found in the bad sample"]),
            (f"/checks/introspection/{name}/accepts-good-sample", list(rule(good))),
        ]
    return checklib.report(outcomes)


if __name__ == "__main__":
    sys.exit(main())
