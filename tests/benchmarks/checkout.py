"""Layout of a checkout whose code is traced or counted: import names and packages.

The layout of the code differs between checkouts: `monitor/` and `tui/` are imported as `monitor` and `tui`, or, where
the links of `.dev/` exist, as `modeltop` and `modeltop_tui`. All that depends on it is in this module.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.base import ROOT, Result

FOLDERS = ("monitor", "tui")
IMPORTED_AS = {"monitor": "monitor", "modeltop": "monitor", "tui": "tui", "modeltop_tui": "tui"}
"""Folder of each top-level name in an import statement."""
OTHER_VARIABLE = "MODELTOP_OTHER"
"""Name of the environment variable with the path of a second checkout."""


@dataclass(frozen=True, slots=True)
class Checkout:
    """Checkout of this project, of this or of another revision."""

    root: Path
    """Folder with all links resolved."""

    @property
    def links(self) -> Path:
        """Folder of the links under which the code is imported; older checkouts have none."""
        return self.root / ".dev"

    @property
    def program(self) -> str:
        """Module that is run as `modeltop`: by its new name, else by the old one."""
        return "modeltop_tui" if (self.links / "modeltop_tui").exists() else "tui"

    @property
    def python_path(self) -> str:
        """Value of PYTHONPATH that imports this checkout, whatever else is installed."""
        return os.pathsep.join(str(path) for path in (self.links, self.root) if path.exists())

    def files(self) -> list[Path]:
        """Return the modules, in order; sample data is none of them."""
        paths = (path for folder in FOLDERS for path in (self.root / folder).rglob("*.py"))
        return sorted(path for path in paths if "_samples" not in path.parts)


def this_checkout() -> Checkout:
    """Return the checkout that this file belongs to."""
    return Checkout(ROOT.resolve())


def other_checkout() -> Checkout | None:
    """Return the checkout that the environment names for comparison.

    Raises:
        FileNotFoundError: There is no such checkout.
    """
    root = os.environ.get(OTHER_VARIABLE)
    if not root:
        return None
    checkout = Checkout(Path(root).resolve())
    if missing := [folder for folder in FOLDERS if not (checkout.root / folder).is_dir()]:
        raise FileNotFoundError(f"{OTHER_VARIABLE}={root}: no folder {missing[0]} in it")
    return checkout


def package_of(file: str, *, divide_tui: bool = False) -> str:
    """Return the package of a file: the folder directly under monitor/, or the file itself where it lies there.

    Args:
        file: Relative to the checkout, such as `monitor/store/lock.py`.
        divide_tui: Whether tui/ is divided in the same way; otherwise it is one package.

    >>> package_of("monitor/store/lock.py"), package_of("monitor/text.py"), package_of("tui/panes/chart.py")
    ('store', 'text.py', 'tui')
    >>> package_of("tui/panes/chart.py", divide_tui=True), package_of("tui/app.py", divide_tui=True)
    ('tui/panes', 'tui/app.py')
    """
    folder, name = file.split("/")[:2]
    if folder == "monitor":
        return name
    return f"{folder}/{name}" if divide_tui else folder


@dataclass(frozen=True, slots=True)
class Measurement:
    """Measured number of one checkout."""

    name: str
    value: float
    unit: str = ""
    note: str = ""


def compare_checkouts(
    measurements: list[Measurement], other_measurements: list[Measurement] | None
) -> Iterator[Result]:
    """Yield a result for each measurement of this checkout, with that of the other checkout in the note."""
    by_name = {measurement.name: measurement for measurement in other_measurements or ()}
    for measurement in measurements:
        note = measurement.note
        if (counterpart := by_name.get(measurement.name)) is not None:
            formatted_value = Result(measurement.name, counterpart.value, unit=counterpart.unit).formatted_value
            comparison = f"other checkout {formatted_value}" + (f" ({counterpart.note})" if counterpart.note else "")
            note = f"{note}; {comparison}" if note else comparison
        yield Result(measurement.name, measurement.value, unit=measurement.unit, note=note)
