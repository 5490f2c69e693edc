"""The entry point of `compute` as a process of its own, out of reach of whatever lies in the working directory.

`python -m` looks in the working directory first, and so does everything that `PYTHONPATH=.` is set for: a file of the
user's called `modeltop.py` would run in our place, with the watcher's environment. So this file is run by its path,
without that directory on the module path, and loads the very package that it is a part of.
"""

from __future__ import annotations

import importlib.util
import os
import runpy
import sys
from pathlib import Path

THIS_FILE = Path(__file__).absolute()
PROGRAM = (sys.executable, "-P", os.fspath(THIS_FILE), (__package__ or "").partition(".")[0])
"""The command line, to which the words of a command are added."""


def isolated_environment() -> dict[str, str]:
    """Return the environment without the variables that put the working directory on the module path.

    Returns:
        `os.environ`, with `PYTHONPATH` reduced to absolute folders that are not the working directory, and with
        `PYTHONSAFEPATH` set, which holds for processes that the new one starts in turn.
    """
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    folders = [name for name in os.environ.get("PYTHONPATH", "").split(os.pathsep) if _is_elsewhere(Path(name))]
    return inherited | {"PYTHONSAFEPATH": "1"} | ({"PYTHONPATH": os.pathsep.join(folders)} if folders else {})


def _is_elsewhere(folder: Path) -> bool:
    # To Python a relative or an empty entry is the working directory, or lies in it.
    try:
        return folder.is_absolute() and not folder.samefile(os.curdir)
    except OSError:
        return False  # nothing is there


def _run_as(package: str) -> None:
    """Load the package around this file under the name `package`, and run it as `python -m` does."""
    home = THIS_FILE.parents[1]
    # Not looked up by name: an editable install gives the package another name than its folder has.
    spec = importlib.util.spec_from_file_location(
        package, home / "__init__.py", submodule_search_locations=[os.fspath(home)]
    )
    assert spec is not None, "an ordinary file"
    assert spec.loader is not None, "an ordinary file"
    sys.modules[package] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[package])
    # Packages installed beside it, as by `pip install --target`; last, so that it shadows nothing.
    sys.path.append(os.fspath(home.parent))
    runpy.run_module(package, run_name="__main__")


if __name__ == "__main__":
    _run_as(sys.argv.pop(1))
