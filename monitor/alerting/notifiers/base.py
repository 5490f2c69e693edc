"""What a notifier is, the table of all that are known, and how secrets are held.

A notifier is a frozen dataclass whose fields are its keys in the configuration (a `Secret` field `url` has the keys
`url_env` and `url_file`); `@notifier("name")` puts it into the table when its file is loaded, which happens when a
configuration names it. Libraries are loaded when the first message is sent.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import timedelta
from enum import Enum
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar, runtime_checkable

from modeltop.alerting.messages.message import Message
from modeltop.alerting.routing import NotificationPolicy
from modeltop.core.errors import NotifyError
from modeltop.core.text import format_exact, sanitize

_FILES: Mapping[str, str] = {
    "slack": "modeltop.alerting.notifiers.slack",
    "pagerduty": "modeltop.alerting.notifiers.pagerduty",
    "email": "modeltop.alerting.notifiers.email",
    "webhook": "modeltop.alerting.notifiers.webhook",
    "command": "modeltop.alerting.notifiers.command",
    "apprise": "modeltop.alerting.notifiers.apprise",
}
"""Where each kind is defined."""
_KNOWN: dict[str, type[Notifier]] = {}
_MAX_BYTES = 65_536
"""Bytes of a secret's file."""
N = TypeVar("N", bound="type[Notifier]")


@runtime_checkable
class Notifier(Protocol):
    """A way to tell people."""

    exempt: ClassVar[bool]
    """Whether it groups and limits by itself: its messages are neither grouped nor capped."""
    acknowledges: ClassVar[bool]
    """Whether it wants to be told that a person took an incident."""

    def send(self, message: Message) -> None:
        """Tell it, within the notifier's own time-out; returns once the other side has accepted.

        Raises:
            NotifyError: It was not told, or that is not known; `permanent` where trying again is useless. The message
                is safe, and free of secrets.
        """


@dataclass(frozen=True, slots=True)
class Receiver:
    """Someone who can be told, under the name that routes use."""

    name: str
    notifier: Notifier
    policy: NotificationPolicy = field(default_factory=NotificationPolicy)


def notifier(name: str) -> Callable[[N], N]:
    """Put a notifier into the table under the `type` that receivers use for it."""

    def enter(kind: N) -> N:
        _KNOWN[name] = kind
        return kind

    return enter


def notifier_types() -> tuple[str, ...]:
    """All known types of receivers."""
    return tuple(_FILES)


def notifier_type(name: str) -> type[Notifier]:
    """The notifier of a type; loads its file. Raises KeyError for an unknown one."""
    if name not in _KNOWN:
        import_module(_FILES[name])
    return _KNOWN[name]


@dataclass(frozen=True, slots=True, repr=False)
class SecretRef:
    """Where a secret is kept; its text is read when it is used, and shown nowhere.

    Args:
        env: Name of an environment variable; or
        file: Path of a file that its owner alone can read.
    """

    env: str | None = None
    file: str | None = None

    def __repr__(self) -> str:
        return "<secret>"

    def __format__(self, spec: str) -> str:
        return "<secret>"

    def read(self) -> str:
        """The text, without white space at its ends.

        Raises:
            NotifyError: Permanent; the message names the variable or the file and what is wrong with it.
        """
        text = (self._from_file() if self.file is not None else os.environ.get(self.env or "", "")).strip()
        if not text:
            empty = f"{sanitize(self.file)} is empty" if self.file is not None else f"{self.env} is not set"
            raise NotifyError(f"{empty}: the secret is missing", permanent=True)
        return text

    def fingerprint(self) -> str:
        """What tells, without the secret, that it may have changed: nothing for a variable, which cannot."""
        if self.file is None:
            return f"env {self.env}"
        try:
            found = Path(self.file).stat()
        except OSError as error:
            return f"file {self.file} {error.errno}"
        return f"file {self.file} {found.st_ino} {found.st_mtime_ns} {found.st_mode}"

    def _from_file(self) -> str:
        shown = sanitize(self.file)
        try:
            # A pipe that nobody writes to must not stop the watcher.
            descriptor = os.open(self.file or "", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            with os.fdopen(descriptor, "rb") as file:
                mode = os.fstat(descriptor).st_mode
                if not stat.S_ISREG(mode):
                    raise NotifyError(f"{shown} is no regular file", permanent=True)
                if mode & 0o077:
                    raise NotifyError(
                        f"{shown} can be read by others (mode {mode & 0o777:o}): chmod 600 it", permanent=True
                    )
                return file.read(_MAX_BYTES).decode("utf-8")
        except OSError as error:
            raise NotifyError(f"{shown} cannot be read: {error.strerror}", permanent=True) from None
        except UnicodeDecodeError:
            raise NotifyError(f"{shown} is not UTF-8", permanent=True) from None
        except ValueError:
            raise NotifyError(f"{shown} cannot be read: it is no path", permanent=True) from None


def validate_timeout(seconds: float) -> None:
    """Refuse a time-out that nobody can mean. Raises ValueError."""
    if not 0.05 <= seconds <= 300:
        raise ValueError(f"timeout: {format_exact(seconds)} is no number of seconds between 0.05 and 300")


def unusable_reason(notifier: Notifier) -> str | None:
    """Why the secrets and files of a notifier cannot be used now; None where they can. For `watch`, before it sends."""
    for name, value in _values(notifier):
        try:
            if isinstance(value, SecretRef):
                value.read()
            elif isinstance(value, Path):
                value.open("rb").close()
        except NotifyError as error:
            return str(error)
        except OSError as error:
            return f"{name} {sanitize(value)} cannot be read: {error.strerror}"
    return None


def fingerprint(notifier: Notifier) -> str:
    """16 hexadecimal digits of its settings, without secrets: when they change, a broken receiver is tried again.

    The variable or the file of a secret counts, and when the file was last written, never what it says.
    """
    said = [type(notifier).__name__]
    said += [f"{name}={_printable(value)}" for name, value in _values(notifier)]
    return sha256("\0".join(said).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _values(notifier: Notifier) -> list[tuple[str, Any]]:
    assert is_dataclass(notifier), "a notifier is a dataclass"
    return [(part.name, getattr(notifier, part.name)) for part in fields(notifier)]


def _printable(value: object) -> str:
    if isinstance(value, SecretRef):
        return value.fingerprint()
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, Path | timedelta):
        return str(value)
    return repr(value)
