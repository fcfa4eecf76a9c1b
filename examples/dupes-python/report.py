# SPDX-License-Identifier: LGPL-2.1-or-later
"""What dupes shows: the progress bar, and the report for people and for programs."""

import re
import sys
import threading
import time

from gi.repository import GLib

DRAW_INTERVAL_MS = 100
BAR_WIDTH = 24


def amount(n_bytes):
    """"317 B", "1.2 kB", "48.0 MB": always one space, so that columns line up."""
    if n_bytes < 1000:
        return f"{n_bytes:.0f} B"
    for unit in ("kB", "MB", "GB", "TB", "PB", "EB"):
        n_bytes /= 1000
        if n_bytes < 999.95:
            break
    return f"{n_bytes:.1f} {unit}"


def shown(path):
    """A file name as it is shown to a person.

    A name is any bytes but NUL and slash: a newline would break the table, an escape sequence would
    reach the terminal and a lone byte above 127 is not text.  Those are written as \\xHH, and the
    backslash as two, so that nothing is ambiguous.
    """
    def escape(match):
        if match[0] == "\\":
            return "\\\\"
        return "".join(f"\\x{byte:02x}" for byte in match[0].encode("utf-8", "surrogateescape"))

    text = path.decode("utf-8", "surrogateescape")
    return re.sub("[\\\\\0-\x1f\x7f-\x9f\udc80-\udcff]", escape, text)


def quoted(path):
    """A file name in JSON.

    JSON is text and file names are bytes.  A byte that is not part of a valid character becomes a
    lone surrogate, as in Python itself: after json.loads() os.fsencode() gives the bytes back.
    """
    def escape(match):
        character = match[0]
        if character == "\n":
            return "\\n"
        return "\\" + character if character in '"\\' else f"\\u{ord(character):04x}"

    text = path.decode("utf-8", "surrogateescape")
    return '"' + re.sub('["\\\\\0-\x1f\x7f\udc80-\udcff]', escape, text) + '"'


class Progress:
    """The progress bar.  Workers only count; a timer of the main loop draws ten times a second."""

    def __init__(self, visible):
        self.visible = visible
        self.timer = 0
        self.drawn = 0              # columns on the screen now
        self.title = None
        self.started = 0.0
        self.n_total = 0            # bytes; 0: not known
        self.n_files = 0
        self.n_bytes = 0
        self.lock = threading.Lock()    # guards n_bytes

    def begin(self, title, n_total=0):
        """A new stage begins.  Nobody may be counting for the last one any more."""
        self.title, self.n_total = title, n_total
        self.started = time.monotonic()
        self.n_files = self.n_bytes = 0
        if self.visible:
            self.draw()
            if not self.timer:
                self.timer = GLib.timeout_add(DRAW_INTERVAL_MS, self.draw)

    def end(self):
        """The last stage is over."""
        if self.timer:
            GLib.source_remove(self.timer)
            self.timer = 0
        self.erase()

    def count(self, n_bytes, n_files=0):
        """Any thread: so much was found, or read."""
        with self.lock:
            self.n_bytes += n_bytes
            self.n_files += n_files

    def error(self, path, message):
        """One line about something that could not be read, not into the bar."""
        self.erase()
        self.write(f"dupes: {shown(path)}: {message}\n")

    def draw(self):
        """Draws the bar as it is now."""
        seconds = max(time.monotonic() - self.started, 1e-3)
        if self.n_total:
            self.show(f"{self.title:<10} {self.bar(seconds)}")
        else:
            self.show(f"{self.title:<10} {self.n_files} files, {amount(self.n_bytes)}, "
                      f"{self.n_files / seconds:.0f} files/s")
        return GLib.SOURCE_CONTINUE

    def bar(self, seconds):
        """The bar, the rate and the time left."""
        fraction = min(1.0, self.n_bytes / self.n_total)
        line = "#" * int(fraction * BAR_WIDTH)
        line = f"[{line:.<{BAR_WIDTH}}] {fraction * 100:3.0f} %  {amount(self.n_bytes / seconds)}/s"
        if self.n_bytes:
            left = int(seconds * (1 - fraction) / max(fraction, 1e-6))
            line += f"  {left // 60}:{left % 60:02} left"
        return line

    def show(self, text):
        """Puts text in the place of what is on the screen."""
        self.write(f"\r{text:<{self.drawn}}")
        self.drawn = len(text)

    def erase(self):
        """Takes the bar away."""
        if self.drawn:
            self.show("")
            self.write("\r")

    @staticmethod
    def write(text):
        """Writes to standard error."""
        sys.stderr.buffer.write(text.encode())
        sys.stderr.buffer.flush()


def as_table(findings):
    """The report for people."""
    lines = []
    if findings.groups:
        lines.append(f"{'WASTED':>10} {'SIZE':>10} {'COPIES':>7}  PATH")
    for group in findings.groups:
        first, *others = map(shown, group.paths)
        lines.append(f"{amount(group.wasted):>10} {amount(group.size):>10} {len(group.paths):7}  {first}")
        lines += [f"{'':29}  {path}" for path in others]
    if findings.groups:
        lines.append("")
    n_copies = sum(len(group.paths) - 1 for group in findings.groups)
    lines.append(
        ("Interrupted, this is not all.  " if findings.interrupted else "")
        + f"Looked at {findings.n_files} files, {amount(findings.n_bytes)}, in {findings.seconds:.2f} s: "
        f"{n_copies} duplicates in {len(findings.groups)} groups waste {amount(findings.n_wasted)}; "
        f"{len(findings.problems)} could not be read")
    return "\n".join(lines) + "\n"


def as_json(findings):
    """The report for programs."""
    groups = [f'\n  {{"size": {group.size}, "checksum": "{group.checksum}", '
              f'"paths": [{", ".join(map(quoted, group.paths))}]}}' for group in findings.groups]
    problems = [f'\n  {{"path": {quoted(path)}, "error": {quoted(message.encode())}}}'
                for path, message in findings.problems]
    return (f'{{"groups": [{",".join(groups)}],\n "files": {findings.n_files},\n '
            f'"bytes": {findings.n_bytes},\n "wasted": {findings.n_wasted},\n '
            f'"unreadable": [{",".join(problems)}],\n '
            f'"interrupted": {"true" if findings.interrupted else "false"},\n '
            f'"seconds": {findings.seconds:.3f}}}\n')
