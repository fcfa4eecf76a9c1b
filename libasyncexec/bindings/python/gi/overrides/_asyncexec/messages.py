# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a job says while it runs: how far it is, and messages."""

import contextvars

from gi.repository import GObject

from . import errors, hosting, jobs, raw, variants

Raw = raw.Pending


def report_progress(fraction, message=None):
    """Says how far the job that runs here is.

    fraction: from 0 to 1; None when it is not known.  message: what is being
    done, for people.  As often as you like: who looks is told once per frame.
    Outside of a job it does nothing.
    """
    job = jobs.current_pending()
    if job is not None:
        job.set_progress(fraction, message)


def publish(obj):
    """Gives a message to those who subscribed to the job that runs here.

    obj: None, bool, int, float, str, bytes, list, dict, GLib.Variant.  Returns
    whether they get it: False when one has a thousand to work off, and outside
    of a job.
    """
    message = variants.pack(obj)
    job = jobs.current_pending()
    return job is not None and Raw.publish(job, message)


def pending_set_progress(self, fraction, message=None):
    """Says how far the work is, for whoever completes a promise; see report_progress()."""
    Raw.set_progress(self, -1 if fraction is None else fraction, message)


def pending_publish(self, obj):
    """Gives a message to those who subscribed; see publish()."""
    return Raw.publish(self, variants.pack(obj))


def pending_subscribe(self, fn, *args):
    """Calls fn(message, *args) for each message, in this thread's loop, before the done callbacks.

    The last 256 of before the first subscription come too.  Returns an
    identifier for unsubscribe().
    """
    return Raw.subscribe(self, receiver(fn, args))


def receiver(fn, args=()):
    """The C function that gives fn a message, unpacked; for a subscription of this thread."""
    if not callable(fn):
        raise TypeError(f"a callable is needed, not {type(fn).__name__}")
    hosting.ensure_running()
    context = contextvars.copy_context()

    def call(pending, message, *user_data):
        try:
            context.run(fn, variants.unpack(message), *args)
        except BaseException as exception:
            errors.report_callback(fn, exception)

    return call


def pending_progress(self):
    """How far the work is, from 0 to 1; None when it is not known."""
    fraction = Raw.get_progress(self)
    return None if fraction < 0 else fraction


def pending_progress_message(self):
    """What is being done, for people, or None."""
    return Raw.dup_progress_message(self)


def pending_status_text(self):
    """One line for people: the progress message, or the state."""
    return Raw.dup_status_text(self)


def pending_bind_progress(self, target, property_name="fraction"):
    """Shows the progress in a property of another object, such as a Gtk.ProgressBar.  Returns the GObject.Binding."""
    return self.bind_property("progress", target, property_name, GObject.BindingFlags.SYNC_CREATE)


def install(pending_class):
    """Makes them methods and properties."""
    for name, function in (("set_progress", pending_set_progress), ("publish", pending_publish),
                           ("subscribe", pending_subscribe), ("bind_progress", pending_bind_progress)):
        function.__name__ = name
        function.__qualname__ = f"Pending.{name}"
        setattr(pending_class, name, function)
    for name, function in (("progress", pending_progress), ("progress_message", pending_progress_message),
                           ("status_text", pending_status_text)):
        setattr(pending_class, name, property(function))
