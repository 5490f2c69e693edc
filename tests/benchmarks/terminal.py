"""A program in a pseudo-terminal: its screen, and the time of each read of its output."""

import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import pyte

SMALL, LARGE = (80, 24), (120, 36)
"""Sizes in columns and rows."""
TERMINAL_REPLIES = {
    b"\x1b[?2026$p": b"\x1b[?2026;2$y",
    b"\x1b[?2027$p": b"\x1b[?2027;0$y",
    b"\x1b]11;?": b"\x1b]11;rgb:0000/0000/0000\x1b\\",
    b"\x1b[c": b"\x1b[?62;22c",
    b"\x1b[6n": b"\x1b[1;1R",
}
"""Replies of a common terminal to queries of its modes, background, attributes and cursor position."""
_UNKNOWN_TO_PYTE = re.compile(rb"\x1b\[(?:[<>=][\d;]*[a-zA-Z]|\?[\d;]*\$p|\?[\d;]*u)|\x1b[P_^][^\x1b]*\x1b\\")
_LONGEST_QUERY = max(map(len, TERMINAL_REPLIES))
_HZ = os.sysconf("SC_CLK_TCK")


class ScreenMatch(NamedTuple):
    """Time until the screen matched, and the bytes drawn by then."""

    seconds: float
    size: int


class Terminal:
    """Pseudo-terminal with a program; output is timed as it is read, and drawn only when no more is waiting.

    Args:
        argv: Command line of the program.
        env: All of its environment variables.
        cwd: Its working directory.
        rate: Bytes per second that the terminal accepts; None for no limit.
        size: Columns and rows.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path | None = None,
        rate: int | None = None,
        size: tuple[int, int] = SMALL,
    ) -> None:
        self._master, slave = os.openpty()
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", *size[::-1], 0, 0))
        self._rate, self._query_tail, self._drawn_bytes = rate, b"", 0
        self._pending: deque[tuple[float, bytes]] = deque()
        self.size = 0
        self.queries: set[bytes] = set()
        self.frames = 0
        """Number of synchronized updates so far."""
        self.reads: list[tuple[float, int]] = []
        """Time and number of bytes of each read."""
        self._screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self._screen)
        self.started_at = self._last_drawn_at = time.perf_counter()
        self.process = subprocess.Popen(
            argv,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=env,
            cwd=cwd,
            start_new_session=True,
            # A terminal of its own, as under a shell; no thread runs here yet.
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509
        )
        os.close(slave)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self._master)

    def read(self, seconds: float) -> bool:
        """Read once, if there is output within that time; return whether there was."""
        if not select.select([self._master], [], [], seconds)[0]:
            return False
        if self._rate:
            time.sleep(0.02)
        try:
            data = os.read(self._master, 65536 if self._rate is None else self._rate // 50)
        except OSError:  # the program has exited
            time.sleep(min(seconds, 0.005))
            return False
        read_at = time.perf_counter()
        self.size += len(data)
        self.frames += data.count(b"\x1b[?2026l")
        self.reads.append((read_at, len(data)))
        self._pending.append((read_at, data))
        self._reply_to_queries(data)
        return True

    def _reply_to_queries(self, data: bytes) -> None:
        previous_length, text = len(self._query_tail), self._query_tail + data
        for query, reply in TERMINAL_REPLIES.items():
            position = text.rfind(query)
            if position >= 0 and position + len(query) > previous_length:
                self.send_keys(reply)
                self.queries.add(query)
        self._query_tail = text[-_LONGEST_QUERY:]

    def send_keys(self, keys: bytes) -> float:
        """Send keys, and return the time."""
        sent_at = time.perf_counter()
        os.write(self._master, keys)
        return sent_at

    @property
    def text(self) -> str:
        """Screen as lines, with all output drawn."""
        while self._pending:
            self._draw()
        return "\n".join(self._screen.display)

    def _draw(self) -> None:
        self._last_drawn_at, data = self._pending.popleft()
        self._drawn_bytes += len(data)
        self._stream.feed(_UNKNOWN_TO_PYTE.sub(b"", data))

    def wait_for(self, texts: Sequence[str], timeout: float = 30.0, *, since: float | None = None) -> ScreenMatch:
        """Wait until the screen shows all texts.

        Args:
            texts: Texts in any order.
            timeout: In seconds.
            since: Start of the measured time; None for the start of the program.

        Raises:
            TimeoutError: The screen does not show them; the message holds the screen.
        """
        since = self.started_at if since is None else since
        deadline = time.perf_counter() + timeout
        while not all(text in "\n".join(self._screen.display) for text in texts):
            self._draw_next()
            if time.perf_counter() > deadline:
                raise TimeoutError(f"{texts} not on the screen:\n{self.text}")
        return ScreenMatch(max(0.0, self._last_drawn_at - since), self._drawn_bytes)

    def _draw_next(self) -> None:
        """Read all waiting output, and draw the oldest that is not drawn."""
        while self.read(0.0 if self._pending else 0.005) and self._rate is None:
            pass
        if self._pending:
            self._draw()

    def wait_until_live(self, quiet_seconds: float, timeout: float = 20.0) -> None:
        """Wait until the app itself writes, not only the splash before it, and then writes no more."""
        deadline = time.perf_counter() + timeout
        while b"\x1b[?2026$p" not in self.queries and time.perf_counter() < deadline:
            self.read(0.05)
        self.wait_until_quiet(quiet_seconds, timeout)

    def wait_until_quiet(self, quiet_seconds: float = 0.5, timeout: float = 20.0) -> None:
        """Wait until there is no output for that long."""
        deadline = time.perf_counter() + timeout
        while self.read(quiet_seconds):
            if time.perf_counter() > deadline:
                raise TimeoutError(f"it does not stop writing:\n{self.text}")

    def wait_for_exit(self, timeout: float = 20.0) -> float:
        """Read on until the process exits, and return the time."""
        deadline = time.perf_counter() + timeout
        while self.process.poll() is None:
            if time.perf_counter() > deadline:
                raise TimeoutError(f"it does not end:\n{self.text}")
            self.read(0.002)
        return time.perf_counter()

    def peak_memory(self) -> int:
        """Return the sum of the peak resident sizes of the process and its children, in bytes."""
        return sum(_peak_memory(pid) for pid in _process_tree(self.process.pid))


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has used, in steps of the kernel's tick."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _HZ


def _process_tree(pid: int) -> list[int]:
    pids = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            pids += _process_tree(int(child))
    return pids


def _peak_memory(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0
