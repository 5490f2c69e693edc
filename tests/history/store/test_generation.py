"""Killed before any call to the file system, a run or an undo leaves the old generation or the new one, never a mix."""

import subprocess
import sys

import pytest

from modeltop.core.metrics.registry import MetricRegistry
from modeltop.history.reader import Reader
from modeltop.history.store import generation
from modeltop.history.store.computed import staged_run
from modeltop.history.store.generation import undo
from modeltop.history.store.paths import COMPUTE_POINTER

CATALOG = MetricRegistry()

STORM = """
import os, shutil, sys
from pathlib import Path
import numpy as np
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.history.reader import Reader
from modeltop.history.store.computed import staged_run
from modeltop.history.store.computed_format import ComputedHistory
from modeltop.history.store.distributions import DistributionStore
from modeltop.history.store.generation import undo

CATALOG, FOLDER = MetricRegistry(), Path(sys.argv[1])

def compute(folder, models, value):
    with staged_run(folder, CATALOG, lambda name: True) as run:
        for model in models:
            flags, rows = np.zeros(1, np.bool_), np.array([100.0])
            time, all_ = np.array(["2025-01-01"], "datetime64[us]"), np.array(["all"], object)
            run.stage(ComputedHistory(model, time, all_, rows, flags, flags, {"accuracy": np.array([value])}), ("all",))
            line = f"segment,all,2025-01-01,,,,{value},,"
            run.stage_distributions(model, f"kind,name,period,slot,low,high,rows,score,rate\\n{line}\\n".encode())
        run.commit()

def visible(folder):
    series = Reader([folder], catalog=CATALOG).read().series
    values = {key.model: float(each.values[0]) for key, each in series.items()}
    distributions = DistributionStore([folder])
    counts = {}
    for model in "abc":
        try:
            [[rows]] = [each.values() for each in distributions[model].segments.values()]
            counts[model] = rows
        except KeyError:
            pass
    assert values == counts, (values, counts)
    return values

def killed(action, number):
    "Run an action in a process that is gone before that call; return whether it came to its end."
    if not (child := os.fork()):
        left = number
        def count(event, _):
            nonlocal left
            if event.startswith("os.") or event == "open":
                left -= 1
                if left < 0:
                    os._exit(9)
        sys.addaudithook(count)
        action()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

OLD, NEW = {"a": 0.2, "b": 0.2}, {"a": 0.3, "b": 0.3, "c": 0.3}
def storm(prepare, action, before, after, check):
    seen, number, done = set(), 0, False
    while not done:
        shutil.rmtree(FOLDER, ignore_errors=True)
        prepare(FOLDER)
        done = killed(lambda: action(FOLDER), number)
        found = visible(FOLDER)
        assert found in (before, after), (number, found)
        seen.add(found == after)
        check(FOLDER, found)
        number += 1
    assert seen == {False, True}
    return number

def two_runs(folder):
    compute(folder, "ab", 0.1)
    compute(folder, "ab", 0.2)

def three_runs(folder):
    two_runs(folder)
    compute(folder, "abc", 0.3)

def check_run(folder, found):
    undone = undo(folder)
    if found == NEW:
        assert (visible(folder), undone.files, undone.interrupted_at) == (OLD, 6, None), undone
    elif undone.interrupted_at:
        assert (visible(folder), undone.files) == (OLD, 0)
        undo(folder)
        assert visible(folder) == {"a": 0.1, "b": 0.1}
    else:  # it had not begun
        assert visible(folder) == {"a": 0.1, "b": 0.1}
    compute(folder, "abc", 0.3)
    assert visible(folder) == NEW
    assert not list(folder.rglob("*.staged"))

def check_undo(folder, found):
    compute(folder, "abc", 0.4)
    undo(folder)
    assert visible(folder) == found

print(storm(two_runs, lambda folder: compute(folder, "abc", 0.3), OLD, NEW, check_run))
print(storm(three_runs, undo, NEW, OLD, check_undo))
"""


@pytest.mark.slow
def test_a_run_and_an_undo_that_are_killed_leave_the_old_or_the_new_generation(tmp_path):
    command = [sys.executable, "-c", STORM, str(tmp_path / "store")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [int(number) > 20 for number in done.stdout.split()] == [True, True]


@pytest.fixture
def commit(tmp_path, computed_history):
    def run(value):
        with staged_run(tmp_path, CATALOG, lambda _: True) as staged:
            staged.stage(computed_history([1], accuracy=[value]), ("all",))
            staged.commit()

    return run


def read(folder):
    return [series.values.tolist() for series in Reader([folder], catalog=CATALOG).read().series.values()]


def test_a_commit_that_was_cut_short_is_what_is_read_and_the_next_run_finishes_it(tmp_path, commit, monkeypatch):
    commit(0.1)
    with monkeypatch.context() as patch:
        patch.setattr(generation, "recover", lambda _: None)  # as if killed behind the pointer
        commit(0.2)
    [path] = tmp_path.glob("*.computed.csv")
    assert ("0.1" in path.read_text(), read(tmp_path)) == (True, [[0.2]])
    with staged_run(tmp_path, CATALOG, lambda _: True):
        pass
    assert ("0.2" in path.read_text(), read(tmp_path)) == (True, [[0.2]])


def test_a_run_that_was_killed_before_it_committed_is_all_that_is_undone(tmp_path, commit):
    commit(0.1)
    commit(0.2)
    (tmp_path / COMPUTE_POINTER).touch()
    undone = undo(tmp_path)
    assert (undone.files, undone.interrupted_at is None, read(tmp_path)) == (0, False, [[0.2]])
    assert (undo(tmp_path).files, read(tmp_path)) == (1, [[0.1]])


@pytest.mark.parametrize("name", ["../evil-12345678.csv", "/etc/evil-12345678.csv", "mine.csv", "evidence/../x"])
def test_a_pointer_that_names_other_files_is_none(tmp_path, commit, name):
    commit(0.1)
    (tmp_path / "mine.csv.staged").write_text("theirs")
    [path] = tmp_path.glob("*.computed.csv")
    (tmp_path / f"{path.name}.staged").write_text("theirs")
    (tmp_path / COMPUTE_POINTER).write_text(f".staged\n{path.name}\n{name}")
    assert read(tmp_path) == [[0.1]]
