"""Ways into history other than CSV: each module makes CSV of one file format or of one service.

A module of a file format offers `to_csv(data: bytes, path: str) -> bytes`, one of a service `to_csv(address: str) ->
bytes`. Both return a table in UTF-8 with a header, which is then read as any CSV file is, and raise SourceError with
the reason and the remedy. A service must time out by itself. A module is imported on first use.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import NamedTuple

POLL_SECONDS = 60.0
"""Interval at which an address is fetched anew."""


class SourceFormat(NamedTuple):
    """A file format that is not CSV."""

    head: re.Pattern[bytes]
    """Matches the start of each such file."""
    suffixes: tuple[str, ...]
    """Of the files of a folder that are read, in lower case."""
    module: str
    """Of this package, or a dotted name."""


_JSON = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:\{\s*(?:[\"}]|\Z)|\[\s*(?:[\[{\"\]]|\Z))"
    rb"|(?:\xff\xfe(?:\s\0)*[{\[]\0)|(?:\xfe\xff(?:\0\s)*\0[{\[])"
)
_GRAFANA = re.compile(rb"(?:\xef\xbb\xbf)?(?:sep=.\r?\n)?\"?time\"?[,;][^\n]*\{[A-Za-z_]\w*=", re.IGNORECASE)
FORMATS = (
    SourceFormat(
        re.compile(rb"\x1f\x8b"),
        (".csv.gz", ".json.gz", ".jsonl.gz", ".ndjson.gz", ".parquet.gz"),
        "gzipped",
    ),
    SourceFormat(re.compile(rb"PAR1"), (".parquet", ".pq"), "parquet"),
    SourceFormat(_GRAFANA, (), "grafana"),
    SourceFormat(re.compile(rb'(?:"[^"\n]+",)+"[^"\n]+ - [^"\n]+__M(?:IN|AX)"'), (), "wandb"),
    SourceFormat(_JSON, (".json", ".jsonl", ".ndjson"), "json_records"),
)
"""The file formats that are read, in the order in which they are tried."""
SERVICES: Mapping[str, str] = {"mlflow": "mlflow", "prometheus": "prometheus"}
"""Scheme of an address → module of the service."""
SUFFIXES = (".csv", *(suffix for each in FORMATS for suffix in each.suffixes))
"""Of the files of a folder that are read, in lower case."""


def file_converter(head: bytes) -> Callable[[bytes, str], bytes] | None:
    """Return the function that makes CSV of a file with this head, given its bytes and its path; None for other files.

    The function raises SourceError.
    """
    module = next((each.module for each in FORMATS if each.head.match(head)), None)
    return None if module is None else _load(module)


def service_fetcher(address: str) -> Callable[[str], bytes] | None:
    """Return the function that fetches an address as CSV; None if it is no address of a service that is read.

    The function raises SourceError.
    """
    module = SERVICES.get(scheme_of(address))
    return None if module is None else _load(module)


def is_service(path: str) -> bool:
    """Return whether a path is an address of a service that is read, such as `mlflow:...`, and no path that exists."""
    return scheme_of(path) in SERVICES and not os.path.lexists(path)


def scheme_of(address: str) -> str:
    """Return the scheme of an address in lower case; empty if there is none.

    >>> scheme_of("mlflow:sqlite:///mlflow.db?experiment=churn")
    'mlflow'
    """
    return address.partition(":")[0].lower() if ":" in address else ""


def stem_of(name: str) -> str:
    """Return the name of a file without the suffix of a format that is read.

    >>> stem_of("churn.eu.csv.gz"), stem_of("churn.parquet.old")
    ('churn.eu', 'churn.parquet.old')
    """
    lower = name.lower()
    length = max((len(suffix) for suffix in SUFFIXES if lower.endswith(suffix) and lower != suffix), default=0)
    return name[: len(name) - length]


def _load(module: str) -> Callable[..., bytes]:
    to_csv: Callable[..., bytes] = import_module(module if "." in module else f"{__name__}.{module}").to_csv
    return to_csv
