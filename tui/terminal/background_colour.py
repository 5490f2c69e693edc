"""Is the terminal's background light? Asked of the terminal itself while the app is still being imported."""

from __future__ import annotations

import contextlib
import os
import re
import select
import termios
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self

TIMEOUT = 0.1
"""Seconds from the question to the last moment at which an answer counts."""

QUESTION = b"\x1b]11;?\x1b\\\x1b[c"
"""OSC 11, and DA1, which every terminal answers: whoever answers the second alone does not know the first."""

_COLOUR = re.compile(rb"\x1b\]11;rgba?:([0-9a-fA-F]{1,4})/([0-9a-fA-F]{1,4})/([0-9a-fA-F]{1,4})")
_END = re.compile(rb"\x1b\[\?[\d;]*c")
_REPLY = re.compile(r"\x1b\]11;[^\x07\x1b]{0,40}(?:\x07|\x1b\\)|\x1b\[\?[\d;]{0,40}c")
_UNFINISHED = re.compile(r"(?:\x1b\](?:1(?:1(?:;[^\x07\x1b]{0,40}\x1b?)?)?)?|\x1b\[(?:\?[\d;]{0,40})?)\Z")
_OSC_TERMINALS = (
    "xterm",
    "tmux",
    "rxvt",
    "alacritty",
    "foot",
    "wezterm",
    "contour",
    "konsole",
    "vte",
    "st-",
    "iterm",
    "mintty",
)


class TerminalQuery:
    """From `ask` until it is left, the terminal neither echoes nor waits for a whole line."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._terminal: int | None = None
        self._saved_mode: list[object] = []
        self._asked_at = 0.0
        self._reply = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Leave the terminal as it was found. May be called again."""
        terminal, self._terminal = self._terminal, None
        if terminal is None:
            return
        with contextlib.suppress(OSError, termios.error):
            if self._saved_mode:
                termios.tcsetattr(terminal, termios.TCSANOW, self._saved_mode)  # type: ignore[arg-type]
        os.close(terminal)

    def send(self) -> None:
        """Ask, where the terminal is known to understand; nothing happens where it cannot be asked."""
        # GNU screen calls itself screen and swallows the question; tmux may too, and answers.
        if self._environ.get("TERM", "").startswith(_OSC_TERMINALS) or self._environ.get("TMUX"):
            with contextlib.suppress(OSError, termios.error):
                self._ask()

    def _ask(self) -> None:
        self._terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
        if os.tcgetpgrp(self._terminal) != os.getpgrp():
            return  # in the background: changing the terminal would stop the process
        self._saved_mode = list(termios.tcgetattr(self._terminal))
        mode = termios.tcgetattr(self._terminal)
        mode[3] &= ~(termios.ECHO | termios.ICANON)
        termios.tcsetattr(self._terminal, termios.TCSANOW, mode)
        os.write(self._terminal, QUESTION)
        self._asked_at = time.monotonic()

    def is_light(self) -> bool:
        """Whether the background is light; False where nobody says."""
        self._read_reply()
        match = brightness(self._reply)
        if match is None:
            return is_light_by_environment(self._environ)
        return match > 0.5

    @property
    def typed_ahead(self) -> str:
        """What a person typed meanwhile: heard here, but meant for the app."""
        return _REPLY.sub("", self._reply.decode("utf-8", "ignore"))

    @property
    def reply_pending(self) -> bool:
        """True if an answer may still come, which the app must not take for keys."""
        return bool(self._asked_at) and not _END.search(self._reply)

    def _read_reply(self) -> None:
        while self._terminal is not None and self.reply_pending:
            remaining = self._asked_at + TIMEOUT - time.monotonic()
            if not select.select([self._terminal], [], [], max(0.0, remaining))[0]:
                return
            data = os.read(self._terminal, 1024)
            if not data:
                return
            self._reply += data


def brightness(reply: bytes) -> float | None:
    r"""The relative luminance, 0 to 1, of the colour in a terminal's reply; None if there is none.

    >>> brightness(b"\x1b]11;rgb:ffff/ffff/ffff\x1b\\"), brightness(b"\x1b[?62c")
    (1.0, None)
    """
    match = _COLOUR.search(reply)
    if match is None:
        return None
    red, green, blue = (int(part, 16) / (16.0 ** len(part) - 1) for part in match.groups())
    luminance: float = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return round(luminance, 6)


def is_light_by_environment(environ: Mapping[str, str]) -> bool:
    """What COLORFGBG says: its last field is the background's number among the 16 colours.

    >>> is_light_by_environment({"COLORFGBG": "0;15"}), is_light_by_environment({"COLORFGBG": "15;default;0"})
    (True, False)
    """
    background = environ.get("COLORFGBG", "").rpartition(";")[2]
    return background in ("7", "9", "10", "11", "12", "13", "14", "15")


class LateReplies:
    """Takes answers that come after the app has started out of what it reads, until the last one has come."""

    def __init__(self) -> None:
        self._pending = ""
        self._done = False

    def strip(self, data: str) -> str:
        """The keys in `data`; the beginning of an answer is held back until its end comes."""
        if self._done:
            return data
        data, self._pending = self._pending + data, ""
        self._done = any(reply.endswith("c") for reply in _REPLY.findall(data))
        data = _REPLY.sub("", data)
        unfinished = _UNFINISHED.search(data)
        if unfinished and not self._done:
            self._pending = unfinished.group()
            data = data[: unfinished.start()]
        return data
