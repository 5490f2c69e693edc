"""The contract of notifiers, their registry, and references to secrets.

A notifier is a frozen dataclass whose fields are its keys in the configuration (a `SecretRef` field `url` has the keys
`url_env` and `url_file`); `@notifier("name")` registers it when its file is imported, which happens when a
configuration names it. Libraries are imported when the first message is sent. To add one, write its file here and name
it in `NOTIFIER_TYPES`.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
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

NOTIFIER_TYPES = ("slack", "pagerduty", "email", "webhook", "command", "apprise", "alertmanager")
"""Types of receivers, each defined in the module of this package that has its name."""
_REGISTRY: dict[str, type[Notifier]] = {}
_AT_END: list[Callable[[], None]] = []
_MAX_SECRET_BYTES = 65_536
LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "::1")
"""Hosts to which secrets may be sent in clear."""
N = TypeVar("N", bound="type[Notifier]")


@runtime_checkable
class Notifier(Protocol):
    """A way to notify people; its constructor raises ValueError, naming the key, for settings that make no sense."""

    exempt: ClassVar[bool] = False
    """Whether its messages are neither grouped nor capped, because the service does so itself."""
    acknowledges: ClassVar[bool] = False
    """Whether it is notified that a person acknowledged an incident."""

    @property
    def repeat(self) -> timedelta | None:
        """Time after which an alert that still fires is sent again, if the service needs another than usual."""
        return None

    def send(self, message: Message) -> None:
        """Send a message, within the notifier's own time-out; return once the other side has accepted it.

        Raises:
            NotifyError: It was not accepted, or the outcome is unknown; `permanent` if a retry is useless. Its text is
                sanitized and free of secrets.
        """


@dataclass(frozen=True, slots=True)
class Receiver:
    """A notifier under the name that routes use."""

    name: str
    notifier: Notifier
    policy: NotificationPolicy = field(default_factory=NotificationPolicy)


def notifier(name: str) -> Callable[[N], N]:
    """Register the decorated class under the `type` that receivers use for it."""

    def register(cls: N) -> N:
        _REGISTRY[name] = cls
        return cls

    return register


def at_end(function: Callable[[], None]) -> Callable[[], None]:
    """Register the decorated function to be called when the watcher ends."""
    _AT_END.append(function)
    return function


def end_notifiers() -> None:
    """End what messages still on their way have started."""
    for function in _AT_END:
        function()


def notifier_type(name: str) -> type[Notifier]:
    """Return the class of a type, whose module is imported; raise KeyError if there is no such type."""
    if name in NOTIFIER_TYPES:
        import_module(f"modeltop.alerting.notifiers.{name}")
    return _REGISTRY[name]


@dataclass(frozen=True, slots=True, repr=False)
class SecretRef:
    """A reference to a secret, whose text is read when it is used, and shown nowhere."""

    env: str | None = None
    file: str | None = None
    """Path of a file that only its owner can read, instead of an environment variable."""

    def __repr__(self) -> str:
        return "<secret>"

    def __format__(self, spec: str) -> str:
        return "<secret>"

    def read(self) -> str:
        """Return the text, without surrounding white space; raise NotifyError, permanent, if there is none."""
        text = (self._from_file() if self.file is not None else os.environ.get(self.env or "", "")).strip()
        if not text:
            empty = f"{sanitize(self.file)} is empty" if self.file is not None else f"{self.env} is not set"
            raise NotifyError(f"{empty}: the secret is missing", permanent=True)
        return text

    def fingerprint(self) -> str:
        """Return text that differs once the secret may have changed, without it; a variable cannot change."""
        if self.file is None:
            return f"env {self.env}"
        try:
            stat_result = Path(self.file).stat()
        except OSError as error:
            return f"file {self.file} {error.errno}"
        return f"file {self.file} {stat_result.st_ino} {stat_result.st_mtime_ns} {stat_result.st_mode}"

    def _from_file(self) -> str:
        path = sanitize(self.file)
        try:
            # Non-blocking, because a pipe without a writer must not stop the watcher.
            descriptor = os.open(self.file or "", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            with os.fdopen(descriptor, "rb") as file:
                mode = os.fstat(descriptor).st_mode
                if not stat.S_ISREG(mode):
                    raise NotifyError(f"{path} is not a regular file", permanent=True)
                if mode & 0o077:
                    raise NotifyError(
                        f"{path} can be read by others (mode {mode & 0o777:o}): chmod 600 it", permanent=True
                    )
                return file.read(_MAX_SECRET_BYTES).decode("utf-8")
        except OSError as error:
            raise NotifyError(f"{path} cannot be read: {error.strerror}", permanent=True) from None
        except UnicodeDecodeError:
            raise NotifyError(f"{path} is not UTF-8", permanent=True) from None
        except ValueError:
            raise NotifyError(f"{path} cannot be read: invalid path", permanent=True) from None


def validate_timeout(seconds: float) -> None:
    """Check that a time-out makes sense.

    Raises:
        ValueError: It is not between 0.05 and 300 seconds.
    """
    if not 0.05 <= seconds <= 300:
        raise ValueError(f"timeout: {format_exact(seconds)} is not a number of seconds from 0.05 to 300")


def unusable_reason(notifier: Notifier) -> str | None:
    """Return why the secrets or files of a notifier cannot be used now; None if they can."""
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
    """Return 16 hexadecimal digits that change with the settings, so that a disabled receiver is tried again.

    The variable or the file of a secret counts, and when the file was last written, never the secret.
    """
    settings = [type(notifier).__name__]
    settings += [f"{name}={_printable(value)}" for name, value in _values(notifier)]
    return sha256("\0".join(settings).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _values(notifier: Notifier) -> list[tuple[str, Any]]:
    assert is_dataclass(notifier), "a notifier is a dataclass"
    return [(field.name, getattr(notifier, field.name)) for field in fields(notifier)]


def _printable(value: object) -> str:
    if isinstance(value, SecretRef):
        return value.fingerprint()
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, Path | timedelta):
        return str(value)
    return repr(value)
