# SPDX-License-Identifier: LGPL-2.1-or-later
"""Provokes errors in Python, and prints what they say: see messages.c."""

import asyncio
import locale
import os

import asyncexec
from gi.repository import GLib


def say(name, wanted, function, *args, **kwargs):
    try:
        function(*args, **kwargs)
    except wanted as error:
        message = error.message if isinstance(error, GLib.Error) else str(error)
        print(f"{name}\t{message}")
    else:
        raise AssertionError(f"{name}: no error")


def rejected(message):
    pending = asyncexec.Pending()
    pending.reject(GLib.Error(message))
    return pending


async def wait_in_loop():
    asyncexec.Pending().result()


async def ask_for_caller():
    return asyncexec.Caller.current()


def wait_for_itself():
    for _ in asyncexec.as_completed([asyncexec.current_pending()]):
        pass


class OtherManager(asyncexec.PendingManager):
    """A class of its own."""


def say_tokens():
    manager, other = asyncexec.PendingManager(), OtherManager()
    token = manager.activate()
    say("other-manager", GLib.Error, other.deactivate, token)
    manager.deactivate(token)
    say("used-token", GLib.Error, manager.deactivate, token)


def say_waits(pool):
    say("blocks", asyncexec.WouldDeadlock, asyncio.run, wait_in_loop())
    say("runs-nothing", GLib.Error, pool.submit(lambda: asyncexec.Pending().run_until_done()).result)
    say("on-a-pool", GLib.Error, pool.submit(ask_for_caller).result)
    say("own-item", asyncexec.WouldDeadlock, pool.submit(wait_for_itself).result)
    [(_, message)] = pool.run_multiple([lambda: asyncexec.Pending().result()], timeout=0.001)
    print(f"task-time\t{message}")


def main():
    locale.setlocale(locale.LC_ALL, "")
    # With its first message, which need not be one of C, the library says where catalogues are.
    first = asyncexec.Pending()
    str(asyncexec.Timeout())
    locale.bindtextdomain("asyncexec-1", os.environ["AEX_TEST_LOCALEDIR"])

    print(f"status-running\t{first.status_text}")
    say("not-done", asyncexec.NotDone, first.peek)
    say("not-in-time", asyncexec.Timeout, first.result, timeout=0.001)
    say("over", asyncexec.Timeout, first.with_timeout(0.001).result)
    first.cancel()
    print(f"status-cancelled\t{first.status_text}")
    say("cancelled", asyncexec.Cancelled, first.result)
    say("group-1", asyncexec.GroupError, asyncexec.Pending.any([rejected("a")]).result)
    say("group-2", asyncexec.GroupError, asyncexec.Pending.any([rejected("a"), rejected("b")]).result)
    with asyncexec.ThreadPool(1) as pool:
        say("no-operation", Exception, pool.call("fly").result)
        say_waits(pool)
    say_tokens()
    for name, kind in (("no-worker", asyncexec.WorkerDied), ("no-end", asyncexec.WouldDeadlock),
                       ("too-many", asyncexec.Busy), ("not-done-alone", asyncexec.NotDone),
                       ("closed-alone", asyncexec.Closed)):
        print(f"{name}\t{kind()}")
    say("closed", asyncexec.Closed, pool.submit(abs, -1).result)


main()
