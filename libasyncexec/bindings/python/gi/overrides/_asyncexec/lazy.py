# SPDX-License-Identifier: LGPL-2.1-or-later
"""Values that are made when somebody asks, and once."""

import contextvars
import functools
import inspect
import types
import weakref

from . import driver, errors, hosting, jobs, raw, scopes, values, waiting

Raw = raw.module.Lazy

_MISSING = object()


def _maker(fn, args, kwargs):
    """The C function of a lazy value, in coroutine form."""
    context = contextvars.copy_context()
    context.run(scopes.stand, None, ())

    def make(job, cancellable, *user_data):
        own = context.copy()
        try:
            value = own.run(fn, *args, **kwargs)
        except BaseException as exception:
            exception.__traceback__ = exception.__traceback__.tb_next
            driver.fail(job, exception)
            return None
        if inspect.iscoroutine(value):
            return driver.Driver(job, own, value).begin()
        values.resolve(job, value)
        return None

    return make


class Lazy(Raw):
    """A value that fn(*args, **kwargs) makes when somebody asks for it: once, however many threads ask.

    ``await lazy``, or ``lazy.get()``, which is a Pending.  It is made by the
    thread that asks first, or by a job on executor; a coroutine function runs
    as a coroutine of ours.  fn sees the contextvars of where the Lazy was
    made.  What it raises is raised to all who asked; the next one tries again.
    """

    __module__ = "gi.overrides.AsyncExec"

    __class_getitem__ = classmethod(types.GenericAlias)

    def __new__(cls, fn, /, *args, executor=None, **kwargs):
        if not callable(fn):
            raise TypeError(f"a callable is needed, not {type(fn).__name__}")
        return Raw.new_async(executor, _maker(fn, args, kwargs))

    def __init__(self, fn, /, *args, executor=None, **kwargs):
        """Makes a lazy value."""

    @staticmethod
    def new(executor, fn, /, *args, **kwargs):
        """Makes a lazy value."""
        return Lazy(fn, *args, executor=executor, **kwargs)

    def get(self):
        """A Pending of the value, for whoever asks: to cancel it takes the value from nobody else."""
        hosting.ensure_running()
        return Raw.get(self)

    def __await__(self):
        return self.get().__await__()

    def peek(self):
        """The value if it is there; raises NotDone."""
        if not Raw.is_made(self):
            raise errors.NotDone(errors.translate(errors.N_("The value was not made yet: ask for it")))
        return values.read(Raw.get(self))

    @property
    def made(self):
        """Whether the value is there."""
        return Raw.is_made(self)

    @property
    def executor(self):
        """Where it is made; None is in the thread that asks first."""
        return Raw.get_executor(self)

    def __bool__(self):
        return True

    def __repr__(self):
        return f"<Lazy {'made' if self.made else 'not made'} at {id(self):#x}>"


class lazy_property:
    """Makes a method an attribute that is computed when it is first read: once, however many threads read.

    Like functools.cached_property, but it can be neither set nor deleted.
    Whoever reads it while another thread computes blocks until that is done.
    Of a coroutine method it is a Pending: ``await obj.attribute``.
    """

    __class_getitem__ = classmethod(types.GenericAlias)

    def __init__(self, fn):
        if not callable(fn):
            raise TypeError(f"a callable is needed, not {type(fn).__name__}")
        self._fn = fn
        self._name = getattr(fn, "__name__", "it")
        self.__doc__ = fn.__doc__
        self._is_async = jobs.is_coroutine_function(fn)

    def __set_name__(self, owner, name):
        self._name = name

    def __get__(self, instance, owner=None):
        if instance is None:
            return self
        known = vars(instance)
        value = known.get(self._name, _MISSING)
        if value is not _MISSING:
            return value
        # It stays: who looked a moment too early is to find it.
        key = f"_lazy_{self._name}"
        lazy = known.get(key) or known.setdefault(key, Lazy(self._function_for(instance)))
        pending = lazy.get()
        if self._is_async:
            return pending
        if not pending.done():
            waiting.block_only(pending)
        value = known[self._name] = values.read(pending)
        return value

    def _function_for(self, instance):
        """C keeps it, where the garbage collector does not see it: whoever asks has the instance."""
        fn = self._fn
        try:
            found = weakref.ref(instance)
        except TypeError:
            return functools.partial(fn, instance)
        if self._is_async:
            async def compute():
                return await fn(found())
        else:
            def compute():
                return fn(found())
        return compute

    def __set__(self, instance, value):
        raise AttributeError(f"{self._name} is computed: it can not be set")

    def __delete__(self, instance):
        raise AttributeError(f"{self._name} is computed: it can not be deleted")
