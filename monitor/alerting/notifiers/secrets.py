"""Redaction of secrets in foreign text: a response may echo the address that was requested. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from urllib.parse import quote, unquote

from modeltop.core.text import sanitize

_MIN_LENGTH = 6
"""Fewest characters of a part of an address that is redacted: shorter ones are words such as `hooks`."""
PLACEHOLDER = "<secret>"


def redact(text: str, secrets: Iterable[str], limit: int = 160) -> str:
    """Return one sanitized line of `limit` cells in which each secret, and each part of a secret address, is replaced.

    >>> redact("no hook at /T0AAAA/B0BBBB", ["https://hooks.example/T0AAAA/B0BBBB"])
    'no hook at /<secret>'
    """
    forms = {form for secret in secrets for part in _parts(secret) for form in _encodings(part)}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, PLACEHOLDER)
    return sanitize(" ".join(text.split()), limit)


def _parts(secret: str) -> Iterable[str]:
    yield secret
    for line in secret.split():
        address = line.partition("://")[2]
        yield from (part for part in _address_parts(address) if len(part) >= _MIN_LENGTH)


def _address_parts(address: str) -> Iterable[str]:
    """Split `user:password@host:port/path?query` in the ways that a server, or a library, may quote it."""
    netloc, _, target = address.partition("/")
    path, _, query = target.partition("?")
    return (address, target, netloc, *re.split("[@:]", netloc), path, *path.split("/"), query, *re.split("[&=]", query))


def _encodings(part: str) -> Iterable[str]:
    return {part, unquote(part), quote(part, safe=""), quote(part), escape(part)} - {""}
