"""A scheduled log is computed by this package, not by a module of its name in the working directory."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import modeltop
from modeltop.cli.main import main
from modeltop.core.series import SeriesKey
from modeltop.predictions import isolated_main

CONFIGURED = '[store]\npath = "s"\n[logs.churn]\nsource = "churn.csv"\nevery = "1h"\n'
ROWS = "".join(f"2025-01-{day:02d}T10:00,0.{case},{case % 2}\n" for day in range(1, 11) for case in range(1, 10))
LOG_IMPORT = "import pathlib\npathlib.Path({log!r}).open('a').write(__file__ + '\\n')\n"
OWN_PACKAGES = {"modeltop", "monitor", "tui", "modeltop_tui"}
OTHER_MODULES = {"numpy", "duckdb", "json", "encodings", "sitecustomize", "usercustomize"}


@pytest.fixture
def imported_instead(isolated_home, tmp_path):
    """A working directory with a log and modules of the names that are imported; the paths of those that were."""
    imported = tmp_path / "imported"
    for name in OWN_PACKAGES | OTHER_MODULES:
        (tmp_path / name).mkdir()
        for path in (f"{name}.py", f"{name}/__init__.py", f"{name}/__main__.py"):
            (tmp_path / path).write_text(LOG_IMPORT.format(log=str(imported)))
    (tmp_path / "modeltop.toml").write_text(CONFIGURED)
    (tmp_path / "churn.csv").write_text(f"timestamp,score,label\n{ROWS}")
    return lambda: imported.read_text() if imported.exists() else ""


@pytest.mark.parametrize("path", [None, ".", "", f".{os.pathsep}", f"/nowhere{os.pathsep}", "here"])
def test_no_module_in_the_working_directory_replaces_the_program(
    imported_instead, history_of, monkeypatch, tmp_path, path
):
    if path is None:
        monkeypatch.delenv("PYTHONPATH", raising=False)
    else:
        monkeypatch.setenv("PYTHONPATH", str(tmp_path) if path == "here" else path)
    code = main(["watch", "--once"])
    assert imported_instead() == ""
    assert code == 0
    assert len(history_of(tmp_path / "s").series[SeriesKey("churn", "positive_rate")]) == 10


def test_the_program_is_the_package_around_it_by_any_import_name(tmp_path):
    home = tmp_path / "src"
    (home / "predictions").mkdir(parents=True)
    shutil.copy(isolated_main.__file__, home / "predictions")
    (home / "__init__.py").touch()
    (home / "__main__.py").write_text("import renamed, sys\nprint(__name__, renamed.__file__, *sys.argv[1:])")
    argv = [sys.executable, "-P", str(home / "predictions" / "isolated_main.py"), "renamed", "compute", "churn"]
    process = subprocess.run(argv, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert process.stdout == f"__main__ {home / '__init__.py'} compute churn\n"
    assert isolated_main.PROGRAM[-1] == modeltop.__name__
    assert Path(isolated_main.PROGRAM[-2]).parents[1] == Path(modeltop.__file__).parent


def test_absolute_paths_of_the_python_path_stay(isolated_home, monkeypatch, tmp_path):
    (tmp_path / "libraries").mkdir()
    folders = [str(tmp_path / "libraries"), "", ".", "libraries", str(tmp_path)]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(folders))
    assert isolated_main.isolated_environment()["PYTHONPATH"] == folders[0]
    monkeypatch.setenv("PYTHONPATH", ".")
    assert "PYTHONPATH" not in isolated_main.isolated_environment()
    assert isolated_main.isolated_environment()["PYTHONSAFEPATH"] == "1"
