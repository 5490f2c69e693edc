"""A program under a pseudo-terminal of 80x24, watched by the clock: what it wrote, and when each piece came."""

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

COLUMNS, ROWS = 80, 24
ANSWERS = {
    b"\x1b[?2026$p": b"\x1b[?2026;2$y",
    b"\x1b[?2027$p": b"\x1b[?2027;0$y",
    b"\x1b]11;?": b"\x1b]11;rgb:0000/0000/0000\x1b\\",
    b"\x1b[c": b"\x1b[?62;22c",
    b"\x1b[6n": b"\x1b[1;1R",
}
"""What a common terminal says when it is asked for its modes, its background, its kind and its cursor."""
_UNKNOWN_TO_PYTE = re.compile(rb"\x1b\[(?:[<>=][\d;]*[a-zA-Z]|\?[\d;]*\$p|\?[\d;]*u)|\x1b[P_^][^\x1b]*\x1b\\")
_LONGEST = max(map(len, ANSWERS))
_HZ = os.sysconf("SC_CLK_TCK")


class Shown(NamedTuple):
    """When something stood on the screen, and how many bytes had come by then."""

    seconds: float
    size: int


class Terminal:
    """Runs a program; pieces of output are stamped as they arrive and drawn only when nothing else waits.

    Args:
        argv: The program.
        env: All of its environment.
        cwd: Where it runs.
        rate: Bytes a second that the line takes; None: as fast as they come.
    """

    def __init__(
        self, argv: Sequence[str], *, env: Mapping[str, str], cwd: Path | None = None, rate: int | None = None
    ) -> None:
        self._master, slave = os.openpty()
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self._rate, self._asked, self._drawn = rate, b"", 0
        self._waiting: deque[tuple[float, bytes]] = deque()
        self.size = 0
        self.questions: set[bytes] = set()
        self.frames = 0
        """Updates that the program has ended so far."""
        self.arrivals: list[tuple[float, int]] = []
        """When each piece came, and its bytes."""
        self._screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self._screen)
        self.began = self._newest = time.perf_counter()
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
        """Take one piece, if one comes within that time."""
        if not select.select([self._master], [], [], seconds)[0]:
            return False
        if self._rate:
            time.sleep(0.02)
        try:
            data = os.read(self._master, 65536 if self._rate is None else self._rate // 50)
        except OSError:  # the program has gone
            time.sleep(min(seconds, 0.005))
            return False
        stamp = time.perf_counter()
        self.size += len(data)
        self.frames += data.count(b"\x1b[?2026l")
        self.arrivals.append((stamp, len(data)))
        self._waiting.append((stamp, data))
        self._answer(data)
        return True

    def _answer(self, data: bytes) -> None:
        known, text = len(self._asked), self._asked + data
        for question, answer in ANSWERS.items():
            at = text.rfind(question)
            if at >= 0 and at + len(question) > known:
                self.type(answer)
                self.questions.add(question)
        self._asked = text[-_LONGEST:]

    def type(self, keys: bytes) -> float:
        """Press keys; the moment."""
        moment = time.perf_counter()
        os.write(self._master, keys)
        return moment

    @property
    def text(self) -> str:
        """The screen as lines, drawn up to the last piece."""
        while self._waiting:
            self._draw()
        return "\n".join(self._screen.display)

    def _draw(self) -> None:
        self._newest, data = self._waiting.popleft()
        self._drawn += len(data)
        self._stream.feed(_UNKNOWN_TO_PYTE.sub(b"", data))

    def until(self, words: Sequence[str], seconds: float = 30.0, *, since: float | None = None) -> Shown:
        """Until all of the words stand on the screen.

        Raises:
            TimeoutError: They do not; the message is the screen.
        """
        since = self.began if since is None else since
        end = time.perf_counter() + seconds
        while not all(word in "\n".join(self._screen.display) for word in words):
            self._catch_up()
            if time.perf_counter() > end:
                raise TimeoutError(f"{words} not on the screen:\n{self.text}")
        return Shown(max(0.0, self._newest - since), self._drawn)

    def _catch_up(self) -> None:
        """Draw the next piece, once all that has come is taken."""
        while self.read(0.0 if self._waiting else 0.005) and self._rate is None:
            pass
        if self._waiting:
            self._draw()

    def live(self, quiet: float, seconds: float = 20.0) -> None:
        """Until the app itself has begun to talk, not only what is shown before it, and then has nothing to add."""
        end = time.perf_counter() + seconds
        while b"\x1b[?2026$p" not in self.questions and time.perf_counter() < end:
            self.read(0.05)
        self.settle(quiet, seconds)

    def settle(self, quiet: float = 0.5, seconds: float = 20.0) -> None:
        """Until nothing came for that long."""
        end = time.perf_counter() + seconds
        while self.read(quiet):
            if time.perf_counter() > end:
                raise TimeoutError(f"it does not stop writing:\n{self.text}")

    def exited(self, seconds: float = 20.0) -> float:
        """Read on until the process has ended; the moment."""
        end = time.perf_counter() + seconds
        while self.process.poll() is None:
            if time.perf_counter() > end:
                raise TimeoutError(f"it does not end:\n{self.text}")
            self.read(0.002)
        return time.perf_counter()

    def cpu(self) -> float:
        """Seconds of processor that the process has used, in steps of the kernel's tick."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _HZ

    def peak(self) -> int:
        """The sum of the greatest resident sizes of the process and its children, in bytes."""
        return sum(_peak(pid) for pid in _family(self.process.pid))


def _family(pid: int) -> list[int]:
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += _family(int(child))
    return found


def _peak(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0
