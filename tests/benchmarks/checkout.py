"""A checkout whose code is traced or counted: how its folders are imported, and what a package is.

The layout of the code differs between checkouts: `monitor/` and `tui/` are imported as `monitor` and `tui`, or, where
the links of `.dev/` exist, as `modeltop` and `modeltop_tui`. All that depends on it stands here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.base import ROOT, Finding

FOLDERS = ("monitor", "tui")
IMPORTED_AS = {"monitor": "monitor", "modeltop": "monitor", "tui": "tui", "modeltop_tui": "tui"}
"""From a name in an import statement to the folder that it means."""
OTHER = "MODELTOP_OTHER"
"""Names the environment variable that holds the path of a second checkout."""


@dataclass(frozen=True, slots=True)
class Tree:
    """A checkout.

    Args:
        root: Its folder, all links resolved.
    """

    root: Path

    @property
    def links(self) -> Path:
        """The folder of the links under which the code is imported; older checkouts have none."""
        return self.root / ".dev"

    @property
    def program(self) -> str:
        """The module that is run as `modeltop`: by its new name, else by the old one."""
        return "modeltop_tui" if (self.links / "modeltop_tui").exists() else "tui"

    @property
    def python_path(self) -> str:
        """PYTHONPATH with which this checkout is imported, whatever else is installed."""
        return os.pathsep.join(str(path) for path in (self.links, self.root) if path.exists())

    def files(self) -> list[Path]:
        """Return the modules, in order; sample data is none of them."""
        found = (path for folder in FOLDERS for path in (self.root / folder).rglob("*.py"))
        return sorted(path for path in found if "_samples" not in path.parts)


def here() -> Tree:
    """Return the checkout that this file belongs to."""
    return Tree(ROOT.resolve())


def other() -> Tree | None:
    """Return the checkout that the environment names for comparison.

    Raises:
        FileNotFoundError: There is no such checkout.
    """
    named = os.environ.get(OTHER)
    if not named:
        return None
    tree = Tree(Path(named).resolve())
    if missing := [folder for folder in FOLDERS if not (tree.root / folder).is_dir()]:
        raise FileNotFoundError(f"{OTHER}={named}: no folder {missing[0]} in it")
    return tree


def package(file: str, *, divide_tui: bool = False) -> str:
    """Return the package of a file: the folder directly under monitor/, or the file itself where it lies there.

    Args:
        file: Relative to the checkout, such as `monitor/store/lock.py`.
        divide_tui: Whether tui/ is divided in the same way; otherwise it is one package.

    >>> package("monitor/store/lock.py"), package("monitor/text.py"), package("tui/panes/chart.py")
    ('store', 'text.py', 'tui')
    >>> package("tui/panes/chart.py", divide_tui=True), package("tui/app.py", divide_tui=True)
    ('tui/panes', 'tui/app.py')
    """
    folder, name = file.split("/")[:2]
    if folder == "monitor":
        return name
    return f"{folder}/{name}" if divide_tui else folder


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of one checkout, before it stands in the table."""

    what: str
    value: float
    unit: str = ""
    note: str = ""


def side_by_side(these: list[Figure], others: list[Figure] | None) -> Iterator[Finding]:
    """Yield a line for each figure of this checkout; the other checkout's figure stands in the note."""
    by_name = {one.what: one for one in others or ()}
    for one in these:
        note = one.note
        if (compared := by_name.get(one.what)) is not None:
            shown = Finding(one.what, compared.value, unit=compared.unit).shown
            beside = f"other checkout {shown}" + (f" ({compared.note})" if compared.note else "")
            note = f"{note}; {beside}" if note else beside
        yield Finding(one.what, one.value, unit=one.unit, note=note)
