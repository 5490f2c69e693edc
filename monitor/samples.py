"""Where the sample data lies."""

from __future__ import annotations

from pathlib import Path

from monitor.errors import SourceError


def folder() -> Path:
    """The folder of the sample data: `monitor/_samples` in a wheel, `sample_data` in a checkout.

    Raises:
        SourceError: Neither is there.
    """
    home = Path(__file__).resolve().parent
    for candidate in (home / "_samples", home.parent / "sample_data"):
        if candidate.is_dir():
            return candidate
    raise SourceError("the sample data was not installed with this package: reinstall modeltop")
