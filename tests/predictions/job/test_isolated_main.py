"""A scheduled log is computed by this package, not by what bears its name where the watcher was started."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import modeltop
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import SeriesKey
from modeltop.history.reader import Reader
from modeltop.predictions import isolated_main

CONFIGURED = '[store]\npath = "s"\n[logs.churn]\nsource = "churn.csv"\nevery = "1h"\n'
ROWS = "".join(f"2025-01-{day:02d}T10:00,0.{case},{case % 2}\n" for day in range(1, 11) for case in range(1, 10))
TAKES_OVER = "import pathlib\npathlib.Path({mark!r}).open('a').write(__file__ + '\\n')\n"
OURS = {"modeltop", "monitor", "tui", "modeltop_tui"}
THEIRS = {"numpy", "duckdb", "json", "encodings", "sitecustomize", "usercustomize"}


@pytest.fixture
def taken(tmp_path):
    """A working directory with a log, and with modules of the names that are imported; what of them was run."""
    mark = tmp_path / "taken"
    for name in OURS | THEIRS:
        (tmp_path / name).mkdir()
        for path in (f"{name}.py", f"{name}/__init__.py", f"{name}/__main__.py"):
            (tmp_path / path).write_text(TAKES_OVER.format(mark=str(mark)))
    (tmp_path / "modeltop.toml").write_text(CONFIGURED)
    (tmp_path / "churn.csv").write_text(f"timestamp,score,label\n{ROWS}")
    return lambda: mark.read_text() if mark.exists() else ""


@pytest.mark.parametrize("path", [None, ".", "", f".{os.pathsep}", f"/nowhere{os.pathsep}", "here"])
def test_nothing_in_the_working_directory_takes_the_place_of_the_program(taken, run, monkeypatch, tmp_path, path):
    if path is None:
        monkeypatch.delenv("PYTHONPATH", raising=False)
    else:
        monkeypatch.setenv("PYTHONPATH", str(tmp_path) if path == "here" else path)
    outcome = run("watch", "--once")
    assert taken() == ""
    assert outcome.code == 0, outcome.err
    found = Reader([tmp_path / "s"], catalog=MetricRegistry()).read().series
    assert len(found[SeriesKey("churn", "positive_rate")]) == 10


def test_the_program_is_the_package_around_it_by_whatever_name_it_is_imported(tmp_path):
    home = tmp_path / "src"
    (home / "predictions").mkdir(parents=True)
    shutil.copy(isolated_main.__file__, home / "predictions")
    (home / "__init__.py").touch()
    (home / "__main__.py").write_text("import renamed, sys\nprint(__name__, renamed.__file__, *sys.argv[1:])")
    argv = [sys.executable, "-P", str(home / "predictions" / "isolated_main.py"), "renamed", "compute", "churn"]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout == f"__main__ {home / '__init__.py'} compute churn\n"
    assert isolated_main.PROGRAM[-1] == modeltop.__name__
    assert Path(isolated_main.PROGRAM[-2]).parents[1] == Path(modeltop.__file__).parent


def test_what_is_named_in_full_is_still_found(monkeypatch, tmp_path):
    (tmp_path / "libraries").mkdir()
    folders = [str(tmp_path / "libraries"), "", ".", "libraries", str(tmp_path)]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(folders))
    assert isolated_main.isolated_environment()["PYTHONPATH"] == folders[0]
    monkeypatch.setenv("PYTHONPATH", ".")
    assert "PYTHONPATH" not in isolated_main.isolated_environment()
    assert isolated_main.isolated_environment()["PYTHONSAFEPATH"] == "1"
