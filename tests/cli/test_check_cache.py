"""`check` prints what an earlier run has found only while nothing that it depends on has changed."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modeltop.history import files
from modeltop.service import output_cache
from modeltop.service.pipeline import Pipeline

HEADER = "date,accuracy,f1_score\n"
ROWS = HEADER + "".join(f"2025-01-{day:02},0.95,0.9\n" for day in range(1, 21))


@pytest.fixture
def runs(monkeypatch):
    """Cache every output, however small and recent; record each evaluation."""
    monkeypatch.setattr(output_cache, "MIN_VALUES", 0)
    monkeypatch.setattr(output_cache, "SETTLED_SECONDS", -1e12)
    calls, evaluate = [], Pipeline.run

    def counted(self, *args, **options):
        calls.append(1)
        return evaluate(self, *args, **options)

    monkeypatch.setattr(Pipeline, "run", counted)
    return calls


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "fleet"
    path.mkdir()
    for name in ("churn", "fraud"):
        (path / f"{name}.csv").write_text(ROWS)
    return path


def bad_row(folder: Path) -> None:
    with (folder / "churn.csv").open("a") as file:
        file.write("2025-01-21,0.5,0.5\n")


def edit_in_place(folder: Path) -> None:
    path = folder / "churn.csv"
    before = path.stat()
    with path.open("r+") as file:
        file.write(ROWS.replace("20,0.95", "20,0.55"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def replace_file(folder: Path) -> None:
    (folder / "new").write_text(ROWS.replace("20,0.95", "20,0.55"))
    (folder / "new").replace(folder / "churn.csv")


def truncate(folder: Path) -> None:
    (folder / "churn.csv").write_text(HEADER)


def add_file(folder: Path) -> None:
    (folder / "third.csv").write_text(ROWS.replace("20,0.95", "20,0.55"))


def remove_file(folder: Path) -> None:
    (folder / "fraud.csv").unlink(missing_ok=True)


def configure(_: Path) -> None:
    Path("modeltop.toml").write_text('[[rules]]\nname = "x"\nmetric = "*"\ncritical = { below = 0.99 }\n')


def add_distributions(folder: Path) -> None:
    (folder / "evidence").mkdir(exist_ok=True)


EDITS = (bad_row, edit_in_place, replace_file, truncate, add_file, remove_file, configure, add_distributions)


def test_a_file_whose_folder_becomes_a_store_is_evaluated(run, runs, folder):
    run("check", folder / "churn.csv")
    (folder / "state").mkdir()
    run("check", folder / "churn.csv")
    assert len(runs) == 2


@pytest.mark.parametrize("flags", [(), ("--json",), ("--now", "2025-01-15")])
def test_unchanged_data_is_not_evaluated_again(run, runs, folder, flags):
    bad_row(folder)
    first, second = run("check", folder, *flags), run("check", folder, *flags)
    assert first == second
    assert len(runs) == 1


@pytest.mark.parametrize("edit", EDITS)
def test_whatever_changes_is_evaluated(run, runs, folder, edit):
    run("check", folder)
    edit(folder)
    run("check", folder)
    assert len(runs) == 2


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(EDITS), max_size=4))
def test_with_and_without_the_cache_the_output_is_the_same(run, runs, folder, monkeypatch, edits):
    for edit in edits:
        edit(folder)
        cached = run("check", folder), run("check", folder)
        with monkeypatch.context() as patch:
            patch.setattr("modeltop.cli.check.load_output", lambda *_: None)
            assert cached == (run("check", folder),) * 2
    for path in folder.glob("*"):
        path.rmdir() if path.is_dir() else path.unlink()
    for name in ("churn", "fraud"):
        (folder / f"{name}.csv").write_text(ROWS)
    Path("modeltop.toml").unlink(missing_ok=True)


@pytest.mark.parametrize("text", ["", "{}", "[]", "\0", '{"seen": 1, "until": null, "lines": ["OK"], "states": 4}'])
def test_a_damaged_file_is_ignored(run, runs, folder, text):
    expected = run("check", folder)
    (path,) = files.xdg_folder("cache").glob("*.check")
    path.write_text(text)
    assert run("check", folder) == expected
    assert len(runs) == 2


def test_a_file_or_folder_that_others_can_write_is_ignored(run, runs, folder):
    run("check", folder)
    cache = files.xdg_folder("cache")
    (path,) = cache.glob("*.check")
    for each, mode in ((path, 0o622), (cache, 0o777)):
        before = each.stat().st_mode
        each.chmod(mode)
        run("check", folder)
        path.chmod(0o600)
        each.chmod(before)
    assert len(runs) == 3


def test_another_program_or_environment_evaluates_itself(run, runs, folder, monkeypatch, tmp_path):
    library = tmp_path / "library.py"
    library.write_text("")
    monkeypatch.setattr(output_cache, "__file__", str(library))
    run("check", folder)
    library.write_text("changed = True")
    run("check", folder)
    assert len(runs) == 2
    monkeypatch.setenv("ANYTHING", "else")
    run("check", folder)
    assert len(runs) == 3


def test_what_depends_on_the_clock_is_not_saved(run, runs, folder, tmp_path):
    Path("modeltop.toml").write_text('[[mutes]]\nhours = [{ from = "22:00", to = "06:00" }]\n')
    assert run("check", folder).err == ""
    run("check", "--store", folder)
    Path("modeltop.toml").unlink()
    today = datetime.now(UTC)
    (folder / "ahead.csv").write_text(HEADER + f"{today.date()}T23:59:59.9,0.9,0.9\n")
    run("check", folder)
    (folder / "ahead.csv").write_text(HEADER + "soon,0.9,0.9\n")
    run("check", folder)
    assert len(runs) == 4
    assert list(files.xdg_folder("cache").glob("*.check")) == []


def test_what_has_just_been_written_is_not_saved(run, runs, folder, monkeypatch):
    monkeypatch.setattr(output_cache, "SETTLED_SECONDS", 60.0)
    run("check", folder)
    assert list(files.xdg_folder("cache").glob("*.check")) == []
