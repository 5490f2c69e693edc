"""Whom to trust: the system's certificates, or those of one file."""

from __future__ import annotations

import ssl
from pathlib import Path

from monitor.errors import NotifyError
from monitor.notify.redact import redacted
from monitor.text import safe


def trusting(ca_file: Path | None) -> ssl.SSLContext:
    """Checks certificates and names of hosts.

    Args:
        ca_file: What is trusted, instead of the system's certificates; None: those.

    Raises:
        NotifyError: Permanent; the file cannot be used.
    """
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ValueError) as error:
        why = safe(getattr(error, "strerror", None) or error)
        raise NotifyError(f"ca_file {safe(ca_file)} cannot be used: {why}", permanent=True) from None


def distrust(error: ssl.SSLError, secrets: tuple[str, ...] = ()) -> NotifyError:
    """What a failed agreement on encryption is called.

    It may pass, an expired certificate too: nothing on this side has to change for the other side to renew it, and
    what was meant for this receiver is still owed to it then.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        return NotifyError(f"its certificate is not accepted: {redacted(error.verify_message, secrets)}")
    return NotifyError(f"no encrypted connection: {safe(error.reason or 'it ended')}")
