"""Notifier for the hundred services of the optional library Apprise, an address for each."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from typing import Any

from modeltop.alerting.messages.message import Message
from modeltop.alerting.notifiers.base import Notifier, SecretRef, notifier, validate_timeout
from modeltop.alerting.notifiers.secrets import redact
from modeltop.core.errors import NotifyError
from modeltop.core.series import Severity
from modeltop.core.text import to_encoding

TYPES = {
    Severity.CRITICAL: "failure",
    Severity.UNKNOWN: "warning",
    Severity.WARNING: "warning",
    Severity.OK: "success",
}
_MARKUP = re.compile(r"([@<])(?=\S)|(\])(?=\()")
"""Text that a service could interpret as a mention or a link."""


@notifier("apprise")
@dataclass(frozen=True, slots=True, kw_only=True)
class Apprise(Notifier):
    """Sends the text to each of the addresses."""

    urls: SecretRef
    timeout: float = 10.0
    ascii: bool = False

    def __post_init__(self) -> None:
        validate_timeout(self.timeout)

    def send(self, message: Message) -> None:
        """Send it to every service; after a failure all get it again.

        Raises:
            NotifyError: A service did not accept it.
        """
        library = _library()
        addresses = self.urls.read().split()
        with _LogRedaction(addresses):
            try:
                is_accepted = self._services(library, addresses).notify(
                    title=self._text(message.title),
                    body=self._text(message.text),
                    notify_type=TYPES[message.severity],
                    body_format="text",
                    interpret_escapes=False,
                )
            except NotifyError:
                raise
            except Exception as error:  # noqa: BLE001  a service's own failure, whose text may quote the address
                raise NotifyError(f"Apprise failed: {type(error).__name__}") from None
        if not is_accepted:
            raise NotifyError("not every service accepted it; see the Apprise log")

    def _services(self, library: Any, addresses: list[str]) -> Any:
        asset = library.AppriseAsset(async_mode=False, secure_logging=True, app_id="modeltop", app_desc="modeltop")
        services = library.Apprise(asset=asset)
        for number, address in enumerate(addresses, 1):
            separator = "&" if "?" in address else "?"
            if not services.add(f"{address}{separator}cto={self.timeout}&rto={self.timeout}"):
                raise NotifyError(f"address {number} is not known to Apprise", permanent=True)
        return services

    def _text(self, text: str) -> str:
        r"""Return the text with markup made ineffective.

        >>> Apprise(urls=SecretRef(env="X"))._text("@everyone <!channel> 0.87 < 0.9")
        '@\u200beveryone <\u200b!channel> 0.87 < 0.9'
        """
        plain = to_encoding(text) if self.ascii else text
        return _MARKUP.sub("\\g<0>\u200b" if not self.ascii else "\\g<0> ", plain)


def _library() -> Any:
    try:
        import apprise
    except ImportError:
        raise NotifyError("Apprise is not installed: pip install 'modeltop[apprise]'", permanent=True) from None
    return apprise


class _LogRedaction(logging.Filter):
    """Keeps addresses out of Apprise's log while entered, and from then on debug lines, which contain the message."""

    def __init__(self, addresses: list[str]) -> None:
        super().__init__()
        self._addresses = addresses
        self._logger = logging.getLogger("apprise")

    def __enter__(self) -> None:
        self._logger.setLevel(max(logging.WARNING, self._logger.level))
        self._logger.addFilter(self)

    def __exit__(self, *_: object) -> None:
        self._logger.removeFilter(self)

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redact(record.getMessage(), self._addresses, 300), None
        return True
