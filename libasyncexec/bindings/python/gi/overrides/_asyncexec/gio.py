# SPDX-License-Identifier: LGPL-2.1-or-later
"""The pairs of functions ``foo_async`` and ``foo_finish`` of GIO, as one pending."""

import importlib

from gi.repository import Gio

from . import context as contexts
from . import errors, hosting, raw, values

CANCELLABLE = ("Gio", "Cancellable")
READY = ("Gio", "AsyncReadyCallback")
# What GLib 2.82 and later introspects of functions with a second callback.
READY_CLOSURE = "ready_callback_closure"
IN = 0   # the direction of an argument


# Two that start what one ends.
FINISH_NAMES = {"replace_contents_bytes_async": "replace_contents_finish"}


def finish_name(name):
    """``foo_async`` and ``foo_begin`` are ended by ``foo_finish``, ``foo`` too."""
    if name in FINISH_NAMES:
        return FINISH_NAMES[name]
    for ending in ("_async", "_begin"):
        if name.endswith(ending):
            return name[:-len(ending)] + "_finish"
    return name + "_finish"


def _kind(argument):
    if argument.get_name() == READY_CLOSURE:
        return READY
    interface = argument.get_type().get_interface()
    return None if interface is None else (interface.get_namespace(), interface.get_name())


class _Start:
    """A function that starts something, taken apart."""

    def __init__(self, function):
        if not all(hasattr(function, name) for name in ("get_arguments", "get_container", "get_namespace")):
            raise TypeError(f"an introspected function is needed, such as file.load_contents_async, not {function!r}")
        self.function = function
        self.finish = finish_name(function.__name__)
        arguments = function.get_arguments()
        hidden = {index for argument in arguments for index in _belonging(argument)}
        self.arguments = [argument for index, argument in enumerate(arguments)
                          if argument.get_direction() == IN and index not in hidden]
        self.kinds = [_kind(argument) for argument in self.arguments]
        if READY not in self.kinds:
            raise TypeError(f"{function.__name__}() takes no Gio.AsyncReadyCallback: it is not the start of a pair")

    def call(self, args, keywords, cancellable, ready):
        """Calls it: the caller's arguments in their order, ours where they belong."""
        left = list(args)
        given = {}
        for argument, kind in zip(self.arguments, self.kinds):
            name = argument.get_name()
            if kind == READY:
                given[name] = ready
            elif kind == CANCELLABLE:
                given[name] = cancellable
            elif name in keywords:
                given[name] = keywords.pop(name)
            elif left:
                given[name] = left.pop(0)
            elif argument.may_be_null():
                given[name] = None
            else:
                raise TypeError(f"{self.function.__name__}() needs its argument {name}")
        if left or keywords:
            raise TypeError(f"{self.function.__name__}() got arguments it does not take: "
                            f"{', '.join([*map(repr, left), *keywords])}")
        self.function(**given)

    def find_finish(self, source):
        """The other half: of the object, else of the class or namespace where the function is."""
        owner = source if hasattr(source, self.finish) else None
        if owner is None:
            owner = importlib.import_module(f"gi.repository.{self.function.get_namespace()}")
            container = self.function.get_container()
            if container is not None:
                owner = getattr(owner, container.get_name())
        try:
            return getattr(owner, self.finish)
        except AttributeError:
            raise TypeError(f"{self.function.__name__}() has no {self.finish}() beside it") from None


def _belonging(argument):
    """The indexes of the arguments that come with it: the length of an array, the data of a callback."""
    if argument.get_type().get_tag_as_string() == "void":
        return ()   # data, which names its callback
    return argument.get_closure(), argument.get_destroy(), argument.get_type().get_array_length()


def _check_context():
    """GIO answers on the main context of this thread: without anybody who runs it, it never would."""
    loop = contexts.running_loop()
    if loop is not None and not hosting.iterates(loop, contexts.own_context()):
        raise RuntimeError("from_gio() needs a main context that is iterated, which asyncio does not do: call it in a "
                           "job of a Caller that has one, or use an asyncio loop on top of GLib")


def from_gio(function, /, *args, cancellable=None, **keywords):
    """A pending for a pair of GIO: ``Pending.from_gio(file.load_contents_async)``.

    function: a method, static function or function of a namespace that takes a
    Gio.AsyncReadyCallback; what ends it is found beside it.  args, keywords:
    its arguments in their order, without the cancellable and the callback;
    optional ones may be left out.  cancellable: one of yours that cancels the
    pending.

    Cancelling the pending cancels the operation.  The value is what the finish
    function returns: one value, or a tuple.  Errors keep their domain.
    """
    start = _Start(function)
    _check_context()
    own = Gio.Cancellable()
    pending = raw.Pending.new()

    def ready(source, result, *user_data):
        try:
            value = start.find_finish(source)(result)
        except BaseException as exception:
            _fail(pending, exception)
        else:
            values.resolve(pending, value)

    pending.set_canceller(lambda pending: own.cancel())
    if cancellable is not None:
        raw.Pending.cancel_on(pending, cancellable)
    start.call(args, dict(keywords), own, ready)
    return pending


def _fail(pending, exception):
    if isinstance(exception, errors.GLib.Error) and exception.matches(Gio.io_error_quark(), Gio.IOErrorEnum.CANCELLED):
        # The producer completes it: the outcome is the cancellation.
        raw.Pending.cancel(pending, None)
        values.resolve(pending, None)
        return
    # The frame of our callback knows the pending, which is about to own the exception.
    exception.__traceback__ = exception.__traceback__.tb_next
    errors.reject(pending, errors.as_exception(exception))
