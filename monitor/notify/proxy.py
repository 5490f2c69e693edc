"""The proxy that leads out of this network, as `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` say."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from monitor.errors import NotifyError


@dataclass(frozen=True, slots=True)
class Proxy:
    """Where a connection goes first."""

    host: str
    port: int
    encrypted: bool
    credentials: dict[str, str] = field(default_factory=dict, repr=False)
    """The header for a user and a password in its address."""


def proxy_for(scheme: str, host: str, port: int | None) -> Proxy | None:
    """The proxy for an address; None where it is reached directly.

    Args:
        scheme: `http` or `https`.
        host: Of the address; this machine itself is always reached directly.
        port: None for the usual one.

    Raises:
        NotifyError: The variable holds no address of a proxy; it may pass, as the variable is not the receiver's.
    """
    said = getproxies().get(scheme) or getproxies().get("all")
    if (
        not said
        or host in ("localhost", "127.0.0.1", "::1")
        or proxy_bypass(host if port is None else f"{host}:{port}")
    ):
        return None
    try:
        parts = urlsplit(said if "://" in said else f"http://{said}")
        number = parts.port
    except ValueError:
        parts, number = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise NotifyError(f"the proxy in {scheme.upper()}_PROXY is no address such as http://proxy:3128")
    user = f"{unquote(parts.username)}:{unquote(parts.password or '')}" if parts.username else ""
    secret = {"Proxy-Authorization": f"Basic {b64encode(user.encode()).decode('ascii')}"} if user else {}
    encrypted = parts.scheme == "https"
    return Proxy(parts.hostname, number or (443 if encrypted else 80), encrypted, secret)
