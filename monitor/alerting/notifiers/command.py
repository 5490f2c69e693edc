"""A program of your own: the text on its standard input, facts in its environment, never a shell."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections import deque
from dataclasses import dataclass
from typing import IO, ClassVar

from modeltop.alerting.messages.message import Message
from modeltop.alerting.messages.sparkline import as_ascii
from modeltop.alerting.notifiers.base import notifier, validate_timeout
from modeltop.alerting.notifiers.secrets import redact
from modeltop.core.errors import NotifyError
from modeltop.core.text import format_exact, sanitize

INHERITED_VARIABLES = (
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "TMPDIR",
    "XDG_RUNTIME_DIR",
)
"""Of our environment the program gets these, and what `keep` names: secrets of other receivers may be in the rest."""
PERMANENT_EXIT_CODES = (64, 78)
"""Exit codes after which another attempt is useless: wrong usage, wrong configuration (sysexits.h)."""
_TAIL = 4096
"""Bytes of its standard error that are kept, to quote the last line."""


@notifier("command")
@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """Runs a program for each message; 0 is success, 64 and 78 are failures that will not pass."""

    command: tuple[str, ...]
    """The program and its arguments, as they are: nothing is expanded, nothing of the message is put in."""
    keep: tuple[str, ...] = ()
    """Names of environment variables that it gets as well."""
    timeout: float = 10.0
    """Seconds, after which it is killed with all that it started."""
    ascii: bool = False
    """Whether the text is to have no other characters."""

    exempt: ClassVar[bool] = False
    acknowledges: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Raises ValueError."""
        validate_timeout(self.timeout)
        if not self.command or not self.command[0]:
            raise ValueError('command: write the program and its arguments, such as ["/usr/local/bin/page", "--loud"]')
        if any("\0" in word for word in self.command):
            raise ValueError("command: there is a NUL in it")

    def send(self, message: Message) -> None:
        """Run it and wait for its end. Raises NotifyError."""
        text = f"{message.title}\n\n{message.text}\n"
        text = as_ascii(text) if self.ascii else text
        kept = {name: os.environ[name] for name in (*INHERITED_VARIABLES, *self.keep) if name in os.environ}
        secrets = tuple(kept[name] for name in self.keep if name in kept)
        try:
            process = subprocess.Popen(  # noqa: S603  no shell, and the words are the configuration's
                self.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env=kept | environment(message),
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            why = sanitize(getattr(error, "strerror", None) or "not a program").lower()
            raise NotifyError(
                f"{sanitize(self.command[0], 80)} cannot be run: {why}", permanent=not _busy(error)
            ) from None
        with process:
            self._finish(process, text.encode("utf-8", "replace"), secrets)

    def _finish(self, process: subprocess.Popen[bytes], text: bytes, secrets: tuple[str, ...]) -> None:
        assert process.stdin is not None, "asked for above"
        assert process.stderr is not None, "asked for above"
        tail = _Tail(process.stderr)
        threading.Thread(target=_feed, args=(process.stdin, text), daemon=True).start()
        try:
            code = process.wait(self.timeout)
        except subprocess.TimeoutExpired:
            raise NotifyError(
                f"{self._name} did not end within {format_exact(self.timeout)} s and was killed"
            ) from None
        finally:
            if process.returncode is None:
                _kill(process)
            said = tail.last_line(secrets)
        if code:
            how = f"was ended by signal {-code}" if code < 0 else f"ended with {code}"
            raise NotifyError(f"{self._name} {how}{said and ': '}{said}", permanent=code in PERMANENT_EXIT_CODES)

    @property
    def _name(self) -> str:
        return sanitize(os.path.basename(self.command[0]), 80)  # noqa: PTH119  a word, not a path that has to be there


def environment(message: Message) -> dict[str, str]:
    """What the program is told by its environment: of the worst part, and safe, so that a careless `echo` is."""
    part = message.worst_section
    said = {
        "KIND": part.action.value,
        "REASON": part.reason.value,
        "SEVERITY": message.severity.name.lower(),
        "INCIDENT": part.incident,
        "DEDUP_KEY": part.dedup_key,
        "KEY": message.key,
        "TITLE": message.title,
        "VERDICT": part.verdict,
        "MODEL": part.model,
        "METRIC": part.metric,
        "SEGMENT": part.segment,
        "RULE": part.rule,
        "RUNBOOK": part.runbook,
        "ALERTS": str(len(message.sections)),
        "TEST": "1" if message.is_test else "",
    }
    return {f"MODELTOP_{name}": sanitize(text, 1000) for name, text in said.items()}


class _Tail:
    """Reads a stream to its end in the background and keeps the last of it: a program that talks is not held up."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._pieces: deque[bytes] = deque(maxlen=2)
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    def _read(self, stream: IO[bytes]) -> None:
        with contextlib.suppress(OSError, ValueError):
            while piece := os.read(stream.fileno(), _TAIL):
                self._pieces.append(piece)

    def last_line(self, secrets: tuple[str, ...]) -> str:
        """The last line of it that says anything; a child that still holds the stream is not waited for."""
        self._thread.join(0.2)
        text = b"".join(tuple(self._pieces)).decode("utf-8", "replace")
        lines = [line for line in text.splitlines() if line.strip()]
        return redact(lines[-1], secrets) if lines else ""


def _feed(stream: IO[bytes], text: bytes) -> None:
    with contextlib.suppress(OSError, ValueError), stream:
        stream.write(text)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """The program and all of its group, which it leads."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _busy(error: Exception) -> bool:
    """Whether the machine, not the program, was the reason: out of processes, memory or descriptors."""
    import errno

    return getattr(error, "errno", None) in (errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.ETXTBSY)
