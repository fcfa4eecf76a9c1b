# SPDX-License-Identifier: LGPL-2.1-or-later
"""The search: walk, compare beginnings, hash contents, one after the other.

Search.run() is a coroutine on the main thread; what it maps over files and folders runs on a pool
of as many threads as files may be open.  To stop, the coroutine is cancelled: what it waits for is
cancelled with it, and workers look at that before each file and each block.
"""

import dataclasses
import errno
import hashlib
import itertools
import os
import stat
import threading
import time

from gi.repository import AsyncExec

from report import Progress

BEGINNING = 4096
BLOCK = 65536

# A bite of work: large enough to make its own cost small, small enough to share out.
FILES_PER_CHUNK = 64
BYTES_PER_CHUNK = 1 << 20

# How much may be under way: it keeps the workers busy while the main loop takes the results.
WINDOW_PER_JOB = 8

# Should a FIFO have taken the place of the file, nobody waits for its writer.
OPEN_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK


class File:
    """A regular file.  While a worker has it nobody else does."""

    __slots__ = ("path", "size", "identity", "mtime", "n_hashed", "hash", "checksum", "problem")

    def __init__(self, path, status):
        self.path = path            # bytes
        self.size = status.st_size
        self.identity = status.st_dev, status.st_ino
        self.mtime = status.st_mtime_ns
        self.n_hashed = 0           # bytes that are in hash
        self.hash = None
        self.checksum = None        # of the whole content
        self.problem = None         # why it could not be read

    @property
    def beginning(self):
        """How much of it is compared first."""
        return min(self.size, BEGINNING)

    def is_unchanged(self, status):
        """Whether it is still as the walk saw it, so that all has been one and the same content."""
        return (self.size, self.identity, self.mtime) == (
            status.st_size, (status.st_dev, status.st_ino), status.st_mtime_ns)


@dataclasses.dataclass
class Listing:
    """What is in a folder."""

    files: list = dataclasses.field(default_factory=list)
    folders: list = dataclasses.field(default_factory=list)
    links: list = dataclasses.field(default_factory=list)         # to folders
    problems: list = dataclasses.field(default_factory=list)      # (path, message)


@dataclasses.dataclass
class Group:
    """Files with the same content."""

    size: int
    checksum: str
    paths: list

    @property
    def wasted(self):
        """The bytes of all but one."""
        return self.size * (len(self.paths) - 1)


@dataclasses.dataclass
class Findings:
    """What the program has found out, and all that the reports need to know."""

    groups: list                # the most wasteful first
    problems: list              # (path, message), sorted
    n_files: int
    n_bytes: int
    interrupted: bool
    seconds: float

    @property
    def n_wasted(self):
        """What all groups waste."""
        return sum(group.wasted for group in self.groups)


def grouped(files, key):
    """The files that are not alone with their key."""
    groups = {}
    for file in files:
        groups.setdefault(key(file), []).append(file)
    return [group for group in groups.values() if len(group) > 1]


def chunks(files, size):
    """The files in bites."""
    chunk, n_bytes = [], 0
    for file in files:
        chunk.append(file)
        n_bytes += size(file)
        if len(chunk) == FILES_PER_CHUNK or n_bytes >= BYTES_PER_CHUNK:
            yield chunk
            chunk, n_bytes = [], 0
    if chunk:
        yield chunk


class Search:
    """The whole search and all that it knows."""

    def __init__(self, options):
        self.options = options
        self.progress = Progress(options.progress)
        self.started = time.monotonic()
        self.files = []
        self.problems = {}              # path: message
        self.seen = set()               # folders; with --follow only
        self.seen_lock = threading.Lock()

    async def run(self):
        """All of it.  Cancelled, it ends when no worker runs any more."""
        try:
            async with AsyncExec.ThreadPool(self.options.jobs) as pool:
                await self.walk(pool)
                # The first sieve: who has a size of his own is out.
                candidates = itertools.chain(*grouped(self.files, lambda file: file.size))
                candidates = await self.compare(pool, list(candidates))
                await self.hash(pool, candidates)
        finally:
            self.progress.end()

    # The walk

    async def walk(self, pool):
        """Finds the files.

        Links to folders are kept for later rounds: first everything that can be reached without
        them, then one link after the other in the order of their names.  So a file has the same path
        in every run although the folders are listed in any order, and a folder that was seen is not
        walked again, which ends every loop of links.
        """
        self.progress.begin("Walking")
        try:
            links = await self.walk_folders(pool, self.add_roots(), False)
            while links:
                found = []
                for link in sorted(links):
                    found += await self.walk_folders(pool, [link], True)
                links = found
        finally:
            for path in sorted(self.problems):
                self.progress.error(path, self.problems[path])
            self.keep_distinct_files()

    def add_roots(self):
        """The folders to begin with.  A root may be a link: who names one means where it leads."""
        roots = [os.fsencode(root) for root in self.options.roots]
        listing = Listing()
        for root in roots:
            root = root.rstrip(b"/") or b"/"
            try:
                status = os.stat(root)
            except OSError as error:
                listing.problems.append((root, error.strerror))
            else:
                if stat.S_ISDIR(status.st_mode):
                    listing.folders.append(root)
                elif stat.S_ISREG(status.st_mode):
                    self.add_file(listing, root, status)
        self.take_listing(listing)
        return listing.folders

    async def walk_folders(self, pool, folders, following):
        """Walks folders and all below, level by level; returns the links to folders in them."""
        links = []
        while folders:
            below = []
            async for listing in pool.map(self.list_folder, folders, itertools.repeat(following),
                                          ordered=False):
                self.take_listing(listing)
                below += listing.folders
                links += listing.links
            folders = below
        return links

    def take_listing(self, listing):
        """What a folder had in it."""
        self.files += listing.files
        for path, message in listing.problems:
            self.problems.setdefault(path, message)
        self.progress.count(sum(file.size for file in listing.files), len(listing.files))

    def list_folder(self, path, following):
        """The job of the walk.  What cannot be read is told, and the walk goes on."""
        listing = Listing()
        try:
            if not self.was_seen(path, following):
                with os.scandir(path) as entries:
                    for entry in entries:
                        AsyncExec.check_cancelled()
                        self.add_entry(listing, entry)
        except OSError as error:
            listing.problems.append((path, error.strerror))
        return listing

    def was_seen(self, path, following):
        """Whether this folder must not be walked (again)."""
        if not self.options.follow:
            return False
        status = os.stat(path)
        identity = status.st_dev, status.st_ino
        with self.seen_lock:
            is_new = identity not in self.seen
            self.seen.add(identity)
        return following and not is_new

    def add_entry(self, listing, entry):
        """Something in a folder."""
        try:
            if entry.is_dir(follow_symlinks=False):
                listing.folders.append(entry.path)
            elif entry.is_file(follow_symlinks=False):
                self.add_file(listing, entry.path, entry.stat(follow_symlinks=False))
            elif self.options.follow and entry.is_symlink():
                self.add_link(listing, entry.path)
        except OSError as error:
            listing.problems.append((entry.path, error.strerror))

    def add_link(self, listing, path):
        """A symbolic link.  One that leads nowhere, or in a circle, is not an unreadable file."""
        try:
            status = os.stat(path)
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            if error.errno != errno.ELOOP:
                raise
            return
        if stat.S_ISDIR(status.st_mode):
            listing.links.append(path)
        elif stat.S_ISREG(status.st_mode):
            self.add_file(listing, path, status)

    def add_file(self, listing, path, status):
        """A regular file."""
        if status.st_size >= self.options.min_size:
            listing.files.append(File(path, status))

    def keep_distinct_files(self):
        """Hard links, and files that were reached on two ways, are one file, known by its first path.

        The largest come first.
        """
        first = {}
        for file in sorted(self.files, key=lambda file: file.path):
            first.setdefault(file.identity, file)
        self.files = sorted(first.values(), key=lambda file: (-file.size, file.identity))

    # Reading

    async def compare(self, pool, files):
        """The second sieve: who begins like no other file of the same size is out.

        Returns those that are longer than that and have a twin.  They keep the state of their hash,
        so that nothing is read or hashed twice.
        """
        self.progress.begin("Comparing", sum(file.beginning for file in files))
        await self.read(pool, files, lambda file: file.beginning)
        longer = [file for file in files if file.hash is not None]
        twins = list(itertools.chain(*grouped(longer, lambda file: (file.size, file.hash.digest()))))
        for file in set(longer) - set(twins):
            file.hash = None
        return twins

    async def hash(self, pool, files):
        """The third sieve: the checksum of the whole content decides."""
        self.progress.begin("Hashing", sum(file.size - file.n_hashed for file in files))
        await self.read(pool, files, lambda file: file.size)

    async def read(self, pool, files, end):
        """Hashes all files up to end (file)."""
        def read_chunk(chunk):
            for file in chunk:
                self.read_file(file, end(file))
            return chunk

        work = list(chunks(files, end))
        try:
            with pool.map(read_chunk, work, ordered=False,
                          max_concurrent=pool.max_workers * WINDOW_PER_JOB) as stream:
                async for chunk in stream:
                    self.take_problems(chunk)
        finally:
            self.take_problems(files)

    def take_problems(self, files):
        """Tells what could not be read; each file once."""
        for file in files:
            if file.problem is not None and file.path not in self.problems:
                self.problems[file.path] = file.problem
                self.progress.error(file.path, file.problem)

    def read_file(self, file, end):
        """The job: hashes a file on, from where that ended before."""
        AsyncExec.check_cancelled()
        try:
            fd = os.open(file.path, OPEN_FLAGS)
            try:
                self.hash_blocks(file, fd, end)
                if not file.is_unchanged(os.fstat(fd)):
                    raise OSError(0, "Changed while it was being read")
            finally:
                os.close(fd)
        except OSError as error:
            file.problem = error.strerror
            file.hash = None
        else:
            if end == file.size:
                file.checksum = file.hash.hexdigest()
                file.hash = None

    def hash_blocks(self, file, fd, end):
        """Block by block, in constant memory."""
        if file.hash is None:
            file.hash = hashlib.new(self.options.algorithm)
        while file.n_hashed < end:
            AsyncExec.check_cancelled()
            block = os.pread(fd, min(end - file.n_hashed, BLOCK), file.n_hashed)
            if not block:
                raise OSError(0, "Changed while it was being read")
            file.hash.update(block)
            file.n_hashed += len(block)
            self.progress.count(len(block))

    # The end

    def summarize(self, interrupted):
        """Draws the conclusion: files of one size and checksum are a group.

        With a broken algorithm (md5, sha1) somebody may have made different files that look equal.
        """
        hashed = (file for file in self.files if file.checksum is not None)
        groups = [Group(files[0].size, files[0].checksum, sorted(file.path for file in files))
                  for files in grouped(hashed, lambda file: (file.size, file.checksum))]
        groups.sort(key=lambda group: (-group.wasted, group.paths[0]))
        return Findings(groups, sorted(self.problems.items()), len(self.files),
                        sum(file.size for file in self.files), interrupted,
                        time.monotonic() - self.started)
