# SPDX-License-Identifier: LGPL-2.1-or-later
"""An asyncio service: tells the SHA-256 of the file whose path a client sends.  Files are read on
threads, each within five seconds; Ctrl-C ends it.

usage: main.py SOCKET          try it: echo /etc/hostname | nc -U SOCKET
"""

import asyncio
import hashlib
import sys

import asyncexec

pool = asyncexec.ThreadPool(4)


def hash_file(path):
    """On a thread."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            asyncexec.check_cancelled()
            digest.update(block)
    return digest.hexdigest()


async def answer(path):
    try:
        return await pool.options(timeout=5).submit(hash_file, path)
    except asyncexec.Timeout:
        return "error: this takes too long"
    except (asyncexec.Cancelled, asyncexec.Closed):
        return "error: the service ends"
    except OSError as error:
        return f"error: {error.strerror}"


async def serve(reader, writer):
    """One client."""
    try:
        while line := await reader.readline():
            writer.write((await answer(line.decode().rstrip("\n")) + "\n").encode())
            await writer.drain()
    finally:
        writer.close()


async def main(path):
    async with pool:                # in the end, what still runs is cancelled and waited for
        server = await asyncio.start_unix_server(serve, path)
        print("ready", flush=True)
        try:
            await asyncio.Event().wait()
        finally:
            server.close()          # not wait_closed(): that waits for clients, which run() cancels


try:
    asyncio.run(main(sys.argv[1]))
except KeyboardInterrupt:
    sys.exit(130)
