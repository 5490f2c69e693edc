"""Taking secrets out of what others say: a reply may echo the address it was asked at. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from urllib.parse import quote, unquote

from modeltop.core.text import sanitize

_SHORTEST = 6
"""Characters of a part of a secret that is worth hiding: shorter ones are words such as `hooks`."""
HIDDEN = "<secret>"


def redact(text: str, secrets: Iterable[str], limit: int = 160) -> str:
    """The text with every secret, and every part of a secret address, replaced; safe for people, one line.

    >>> redact("no hook at /T0AAAA/B0BBBB", ["https://hooks.example/T0AAAA/B0BBBB"])
    'no hook at /<secret>'
    """
    forms = {form for secret in secrets for part in _parts(secret) for form in _forms(part)}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, HIDDEN)
    return sanitize(" ".join(text.split()), limit)


def _parts(secret: str) -> Iterable[str]:
    """The secret itself; of addresses in it also their pieces."""
    yield secret
    for line in secret.split():
        address = line.partition("://")[2]
        yield from (piece for piece in _pieces(address) if len(piece) >= _SHORTEST)


def _pieces(address: str) -> Iterable[str]:
    """Of `user:password@host:port/path?query` what a server, or a library, may say of it."""
    target = address.partition("/")[2]
    netloc = address.partition("/")[0]
    path, _, query = target.partition("?")
    return (address, target, netloc, *re.split("[@:]", netloc), path, *path.split("/"), query, *re.split("[&=]", query))


def _forms(part: str) -> Iterable[str]:
    return {part, unquote(part), quote(part, safe=""), quote(part), escape(part)} - {""}
