"""Detects whether the terminal's background is light, by asking the terminal while the app is being imported."""

from __future__ import annotations

import contextlib
import os
import re
import select
import termios
import time
from collections.abc import Mapping
from typing import Self

TIMEOUT = 0.1

QUERY = b"\x1b]11;?\x1b\\\x1b[c"
"""OSC 11, and DA1, which every terminal answers: one that answers only the second does not know the first."""

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
    """The query for the background color; from `send` to `close` the terminal neither echoes nor waits for a line."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._terminal: int | None = None
        self._saved_mode: list[object] = []
        self._asked_at = 0.0
        self._reply = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Restore the mode of the terminal. May be called again."""
        terminal, self._terminal = self._terminal, None
        if terminal is None:
            return
        with contextlib.suppress(OSError, termios.error):
            if self._saved_mode:
                termios.tcsetattr(terminal, termios.TCSANOW, self._saved_mode)  # type: ignore[arg-type]
        os.close(terminal)

    def send(self) -> None:
        """Send the query, if the terminal is known to understand it and can be opened."""
        # GNU screen calls itself screen and swallows the query; tmux may too, and answers.
        if self._environ.get("TERM", "").startswith(_OSC_TERMINALS) or self._environ.get("TMUX"):
            with contextlib.suppress(OSError, termios.error):
                self._open_and_send()

    def _open_and_send(self) -> None:
        self._terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
        if os.tcgetpgrp(self._terminal) != os.getpgrp():
            return  # in the background: changing the terminal would stop the process
        self._saved_mode = list(termios.tcgetattr(self._terminal))
        mode = termios.tcgetattr(self._terminal)
        mode[3] &= ~(termios.ECHO | termios.ICANON)
        termios.tcsetattr(self._terminal, termios.TCSANOW, mode)
        os.write(self._terminal, QUERY)
        self._asked_at = time.monotonic()

    def is_light(self) -> bool:
        """Return whether the background is light; False if neither the terminal nor the environment reports it."""
        self._read_reply()
        luminance = relative_luminance(self._reply)
        return is_light_by_environment(self._environ) if luminance is None else luminance > 0.5

    @property
    def typed_ahead(self) -> str:
        """The keys typed meanwhile, which were read here but are meant for the app."""
        return _REPLY.sub("", self._reply.decode("utf-8", "ignore"))

    @property
    def reply_pending(self) -> bool:
        """Whether a reply may still arrive, which the app must not interpret as keys."""
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


def relative_luminance(reply: bytes) -> float | None:
    r"""Return the relative luminance, 0 to 1, of the color in a terminal's reply; None without one.

    By the weights of ITU-R BT.709, without gamma.

    >>> relative_luminance(b"\x1b]11;rgb:ffff/ffff/ffff\x1b\\"), relative_luminance(b"\x1b[?62c")
    (1.0, None)
    """
    match = _COLOUR.search(reply)
    if match is None:
        return None
    red, green, blue = (int(channel, 16) / (16.0 ** len(channel) - 1) for channel in match.groups())
    luminance: float = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return round(luminance, 6)


def is_light_by_environment(environ: Mapping[str, str]) -> bool:
    """Return whether COLORFGBG names a light background: its last field is the number of one of 16 colors.

    >>> is_light_by_environment({"COLORFGBG": "0;15"}), is_light_by_environment({"COLORFGBG": "15;default;0"})
    (True, False)
    """
    background = environ.get("COLORFGBG", "").rpartition(";")[2]
    return background in ("7", "9", "10", "11", "12", "13", "14", "15")


class LateReplies:
    """Removes replies that come after the app has started from its input, up to the last one."""

    def __init__(self) -> None:
        self._pending = ""
        self._done = False

    def strip(self, data: str) -> str:
        """Return the keys in `data`; the start of a reply is withheld until its end comes."""
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
