"""The app in a pseudo-terminal of 100x30, as a person sees it."""

import contextlib
import fcntl
import os
import re
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import Self

import pyte

APP = (sys.executable, "-P", "-m", "modeltop_tui")
COLUMNS, ROWS = 100, 30
UNKNOWN_TO_PYTE = re.compile(rb"\x1b\[(?:[<>=][\d;]*[a-zA-Z]|\?[\d;]*\$p)|\x1b[PX^_][^\x1b]*\x1b\\")
SYNCHRONIZED = b"\x1b[?2026$p"
"""The question whether the terminal paints each frame at once."""


class App:
    """The app on some paths; it ends with the `with` block. `piped` comes in by standard input, in place of keys."""

    def __init__(self, *paths: Path | str, home: Path, piped: bytes | None = None) -> None:
        self._piped = piped
        self._argv = [*APP, *(os.fspath(path) for path in paths)]
        names = ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME")
        homes = dict.fromkeys(names, os.fspath(home))
        self._env = os.environ | homes | {"TERM": "xterm-256color", "LANG": "C.UTF-8"}
        self._screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self._screen)

    def __enter__(self) -> Self:
        self._terminal, inside = os.openpty()
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self._process = subprocess.Popen(
            self._argv,
            stdin=inside if self._piped is None else subprocess.PIPE,
            stdout=inside,
            stderr=inside,
            env=self._env,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(1, termios.TIOCSCTTY, 0),  # noqa: PLW1509  it is what /dev/tty means
        )
        os.close(inside)
        if self._process.stdin is not None:
            self._process.stdin.write(self._piped or b"")
            self._process.stdin.close()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._terminal)

    @property
    def text(self) -> str:
        return "\n".join(self._screen.display)

    def type(self, keys: str) -> None:
        os.write(self._terminal, keys.encode())

    def wait_for(self, pattern: str, *, seconds: float = 20.0, gone: bool = False) -> None:
        """Until the screen shows the pattern (or no longer does)."""
        end = time.monotonic() + seconds
        while (re.search(pattern, self.text) is not None) is gone:
            assert time.monotonic() < end, f"{pattern!r} {'still' if gone else 'not'} on the screen:\n{self.text}"
            assert self._process.poll() is None, f"the app ended:\n{self.text}"
            self._read()

    def wait_for_end(self) -> None:
        """Until the app has left by itself."""
        end = time.monotonic() + 20.0
        while self._process.poll() is None:
            assert time.monotonic() < end, f"the app did not end:\n{self.text}"
            with contextlib.suppress(OSError):  # the terminal is closed
                self._read()
        assert self._process.returncode == 0

    def _read(self) -> None:
        if not select.select([self._terminal], [], [], 0.1)[0]:
            return
        data = os.read(self._terminal, 65536)
        if SYNCHRONIZED in data:
            os.write(self._terminal, b"\x1b[?2026;2$y")
        self._stream.feed(UNKNOWN_TO_PYTE.sub(b"", data))
