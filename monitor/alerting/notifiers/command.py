"""Notifier for a program of your own: text on standard input, facts in the environment, never a shell."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import subprocess
import threading
import uuid
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, ClassVar

from modeltop.alerting.messages.message import Message
from modeltop.alerting.notifiers.base import Notifier, at_end, notifier, validate_timeout
from modeltop.alerting.notifiers.secrets import redact
from modeltop.core.errors import NotifyError
from modeltop.core.text import format_exact, sanitize, to_encoding

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
"""Variables that the program inherits besides those in `keep`: secrets of other receivers may be in the rest."""
PERMANENT_EXIT_CODES = (64, 78)
"""Exit codes after which another attempt is useless: EX_USAGE and EX_CONFIG (sysexits.h)."""
_TAIL_BYTES = 4096


_RUN = "MODELTOP_RUN"
"""Variable by which the descendants of a program are found, in whatever process group or session they are."""
_RUNNING: dict[subprocess.Popen[bytes], str] = {}
"""Programs and their values of `_RUN`."""


@notifier("command")
@dataclass(frozen=True, slots=True, kw_only=True)
class Command(Notifier):
    """Runs a program for each message; exit code 0 is success, 64 and 78 are permanent failures."""

    command: tuple[str, ...]
    """The program and its arguments as they are: nothing is expanded, and the message is not among them."""
    keep: tuple[str, ...] = ()
    timeout: float = 10.0
    """Seconds after which it is killed with its children."""
    ascii: bool = False

    acknowledges: ClassVar[bool] = True

    def __post_init__(self) -> None:
        validate_timeout(self.timeout)
        if not self.command or not self.command[0]:
            raise ValueError('command: write the program and its arguments, such as ["/usr/local/bin/page", "--loud"]')
        if any("\0" in word for word in self.command):
            raise ValueError("command: there is a NUL in it")

    def send(self, message: Message) -> None:
        """Run the program and wait for its end; raise NotifyError unless that comes in time and with exit code 0."""
        text = f"{message.title}\n\n{message.text}\n"
        text = to_encoding(text) if self.ascii else text
        inherited = {name: os.environ[name] for name in (*INHERITED_VARIABLES, *self.keep) if name in os.environ}
        run = uuid.uuid4().hex
        secrets = tuple(inherited[name] for name in self.keep if name in inherited)
        try:
            process = subprocess.Popen(  # noqa: S603  no shell, and the words are the configuration's
                self.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env=inherited | environment(message) | {_RUN: run},
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            reason = sanitize(getattr(error, "strerror", None) or "not a program").lower()
            # Out of processes, memory or descriptors is the machine, not the program.
            busy = (errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.ETXTBSY)
            text = f"{sanitize(self.command[0], 80)} cannot be run: {reason}"
            raise NotifyError(text, permanent=getattr(error, "errno", None) not in busy) from None
        _RUNNING[process] = run
        try:
            self._wait(process, text.encode("utf-8", "replace"), secrets)
        finally:
            _RUNNING.pop(process, None)

    def _wait(self, process: subprocess.Popen[bytes], text: bytes, secrets: tuple[str, ...]) -> None:
        assert process.stdin is not None, "asked for above"
        assert process.stderr is not None, "asked for above"
        name = sanitize(os.path.basename(self.command[0]), 80)  # noqa: PTH119  a word, not a path that has to be there
        # Each stream is closed only by the thread that uses it: not by `with process`, which would flush the rest of a
        # text that the program did not read, and report its broken pipe as a failure of the program.
        try:
            tail = _Tail(process.stderr)
            threading.Thread(target=_feed, args=(process.stdin, text), daemon=True).start()
            code = process.wait(self.timeout)
        except subprocess.TimeoutExpired:
            raise NotifyError(f"{name} did not end within {format_exact(self.timeout)} s and was killed") from None
        finally:
            if process.returncode is None:
                _kill(process, _RUNNING.get(process, ""))
        complaint = tail.last_line(secrets)
        if code:
            outcome = f"was ended by signal {-code}" if code < 0 else f"ended with {code}"
            raise NotifyError(
                f"{name} {outcome}{complaint and ': '}{complaint}", permanent=code in PERMANENT_EXIT_CODES
            )


def environment(message: Message) -> dict[str, str]:
    """Return the variables that describe a message by its worst section; safe even for a careless `echo`."""
    section = message.worst_section
    variables = {
        "KIND": section.action.value,
        "REASON": section.reason.value,
        "SEVERITY": message.severity.name.lower(),
        "INCIDENT": section.incident,
        "DEDUP_KEY": section.dedup_key,
        "KEY": message.key,
        "TITLE": message.title,
        "VERDICT": section.verdict,
        "MODEL": section.model,
        "METRIC": section.metric,
        "SEGMENT": section.segment,
        "RULE": section.rule,
        "RUNBOOK": section.runbook,
        "ALERTS": str(len(message.sections)),
        "TEST": "1" if message.is_test else "",
    }
    return {f"MODELTOP_{name}": sanitize(text, 1000) for name, text in variables.items()}


class _Tail:
    """Reads a stream to its end in the background, keeps the last of it and closes it: no chatter is held up."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._chunks: deque[bytes] = deque(maxlen=2)
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    def _read(self, stream: IO[bytes]) -> None:
        with contextlib.suppress(OSError), stream:
            while chunk := os.read(stream.fileno(), _TAIL_BYTES):
                self._chunks.append(chunk)

    def last_line(self, secrets: tuple[str, ...]) -> str:
        self._thread.join(0.2)
        text = b"".join(tuple(self._chunks)).decode("utf-8", "replace")
        lines = [line for line in text.splitlines() if line.strip()]
        return redact(lines[-1], secrets) if lines else ""


def _feed(stream: IO[bytes], text: bytes) -> None:
    """Write a text and close; a program that exits without reading it has not failed: its exit code decides."""
    with contextlib.suppress(OSError), stream:
        stream.write(text)


@at_end
def _kill_running() -> None:
    """Kill what still runs when the watcher ends, whose threads do not wait for it."""
    for process, run in tuple(_RUNNING.items()):
        _kill(process, run)


def _kill(process: subprocess.Popen[bytes], run: str) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    killed: set[int] = set()
    # Until none is new: one that forks meanwhile leaves a child.
    while run and (found := {pid for pid in _with_variable(f"{_RUN}={run}") if pid not in killed}):
        killed |= found
        for pid in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)


def _with_variable(assignment: str) -> Iterator[int]:
    """Yield the processes of this user that were started with a variable; none where the system has no /proc."""
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if assignment.encode() in path.read_bytes().split(b"\0"):
                yield int(path.parent.name)
