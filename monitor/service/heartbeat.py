"""Tells a service that the watcher is alive: whoever hears nothing any more is alarmed by that."""

from __future__ import annotations

import threading

from modeltop.alerting.routing import SecretSource
from modeltop.core.errors import NotifyError

TIMEOUT = 5.0
"""Seconds for one ping."""


class Heartbeat:
    """One ping at a time, in a thread of its own; one that is asked for while another is on its way is left out."""

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self.error: str | None = None
        """Why the last ping failed; None: it did not."""

    def ping(self, url: SecretSource | None) -> None:
        """Ask for the address, and do not wait for the answer."""
        if url is None:
            self.error = None
        if url is None or (self._thread is not None and self._thread.is_alive()):
            return
        self._thread = threading.Thread(target=self._run, args=(url,), name="modeltop heartbeat", daemon=True)
        self._thread.start()

    def wait(self, seconds: float) -> None:
        """Until the ping has ended, at most so long."""
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
