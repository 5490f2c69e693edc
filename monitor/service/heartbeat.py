"""Pings of a dead man's switch: a service of the user's that alerts when they stop."""

from __future__ import annotations

import threading

from modeltop.alerting.routing import SecretSource
from modeltop.core.errors import NotifyError

TIMEOUT = 5.0
"""Time limit of one ping in seconds."""


class Heartbeat:
    """Pings in a thread of their own, one at a time; one requested while another runs is skipped."""

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self.error: str | None = None
        """Error of the last ping; None where it succeeded."""

    def ping(self, url: SecretSource | None) -> None:
        """Request the address without waiting for the answer."""
        if url is None:
            self.error = None
        if url is None or (self._thread is not None and self._thread.is_alive()):
            return
        self._thread = threading.Thread(target=self._run, args=(url,), name="modeltop heartbeat", daemon=True)
        self._thread.start()

    def wait(self, seconds: float) -> None:
        """Wait until the ping has ended, at most `seconds`."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _run(self, url: SecretSource) -> None:
        error = _ping_error(url)
        self.error = None if error is None else f"the heartbeat was not heard: {error}"


def _ping_error(url: SecretSource) -> str | None:
    try:
        # Imported here: TLS takes longer to import than all of the rest, and most have no heartbeat.
        from modeltop.alerting.notifiers.http import HttpClient

        client = HttpClient(url.read(), timeout=TIMEOUT)
        response = client.request("GET", None, {})
    except NotifyError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001  its text may quote the address, which is a secret
        return f"an error of modeltop's own, {type(error).__name__}"
    return None if 200 <= response.status < 300 else str(client.response_error(response))
