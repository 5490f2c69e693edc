"""Addresses of services: `SERVICE:URL?PARAMETER=VALUE&...`."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from urllib.parse import unquote

from modeltop.core.errors import SourceError
from modeltop.core.text import sanitize


def split_address(address: str, names: Sequence[str]) -> tuple[str, Mapping[str, list[str]]]:
    """Return the URL in an address, and the values of its parameters.

    A value ends where the next parameter begins, so that it may hold `+`, `=` and `&` as they are; `%20` is decoded.

    >>> url, parameters = split_address("prometheus:http://prom:9090?query=a + b&step=1h", ("query", "step"))
    >>> url, parameters["query"], parameters["step"]
    ('http://prom:9090', ['a + b'], ['1h'])

    Raises:
        SourceError: It has another parameter.
    """
    url, _, text = address.partition(":")[2].partition("?")
    unknown, *parts = re.split(rf"(?:^|&)({'|'.join(names)})=", text)
    if unknown:
        known = " and ".join(f"{name}=" for name in names)
        raise SourceError(f"unknown parameter `{sanitize(unknown.partition('=')[0], 60)}`: use {known}")
    values = defaultdict[str, list[str]](list)
    for name, value in zip(parts[::2], parts[1::2], strict=True):
        values[name].append(unquote(value).strip())
    return url, values


def single(parameters: Mapping[str, Sequence[str]], name: str) -> str:
    """Return the value of a parameter that can be given once; empty if it is not given.

    Raises:
        SourceError: It is given twice.
    """
    values = parameters.get(name, ())
    if len(values) > 1:
        raise SourceError(f"{name}= is given {len(values)} times: use one address for each")
    return values[0] if values else ""
