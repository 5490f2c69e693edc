"""From paths to files."""

import os
import random
import socket

import pytest

from modeltop.history.discovery import discover, model_names, natural_key

ROW = "date,accuracy\n2025-01-01,0.9\n"


def test_parts_count_in_natural_order_and_computed_ones_first():
    order = ["a.csv", "a.2.csv", "a.10.csv", "b-1.computed.csv", "b-1.csv", "b-1.2.csv", "b-02.csv", "b-10.csv"]
    shuffled = random.Random(1).sample(order, len(order))
    assert sorted(shuffled, key=natural_key) == order


def test_a_folder_is_its_own_files_and_no_others(history_folder):
    for name in ("a.csv", "B.CSV", ".hidden.csv", "a.csv.bak", "a.csv.lock", "notes.txt"):
        history_folder.write(ROW, name)
    for name in ("state", "evidence", "deeper"):
        (history_folder.folder / name).mkdir()
        history_folder.write(ROW, f"{name}/x.csv")
    assert list(history_folder.reader().read().periods) == ["B", "a"]


def test_paths_count_in_the_order_given(history_folder):
    first = history_folder.write("date,model,accuracy\n2025-01-01,m,0.1\n", "1.csv")
    second = history_folder.write("date,model,accuracy\n2025-01-01,m,0.2\n", "2.csv")
    latest = [
        next(iter(history_folder.reader(*paths).read().series.values())).latest
        for paths in ((first, second), (second, first))
    ]
    assert latest == [0.2, 0.1]


def test_a_later_part_of_a_store_wins_over_an_earlier_one_and_all_over_what_was_computed(history_folder):
    for name, value in (("x.10.csv", 0.3), ("x.computed.csv", 0.9), ("x.csv", 0.1), ("x.2.csv", 0.2)):
        history_folder.write(f"date,model,accuracy\n2025-01-01,m,{value}\n", name)
    (series,) = history_folder.reader().read().series.values()
    assert series.latest == 0.3


def test_a_file_named_twice_is_read_once(history_folder):
    path = history_folder.write(ROW)
    assert [file.path for file in discover([str(path), str(history_folder.folder), str(path)]).files] == [str(path)]


def test_equal_stems_are_told_apart_by_their_folders():
    names = model_names(["/x/eu/m.csv", "/x/us/m.csv", "/y/us/m.csv", "/z/n.csv", "/z/n.2.csv"])
    assert list(names.values()) == ["eu/m", "x/us/m", "y/us/m", "n", "n.2"]


def test_a_table_without_dates_is_left_alone_in_a_folder_and_an_error_by_itself(history_folder):
    other = history_folder.write("id,score\n1,0.5\n", "other.csv")
    history_folder.write(ROW)
    history = history_folder.reader().read()
    assert list(history.periods) == ["m"]
    assert [problem.fatal for problem in history.problems] == [False]
    assert [problem.fatal for problem in history_folder.reader(other).read().problems] == [True]


def test_an_empty_folder_is_reported(history_folder):
    (problem,) = history_folder.reader().read().problems
    assert problem.message.startswith("an empty folder: ")
    assert problem.fatal


def make_socket(path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        pytest.param(lambda _: None, "no such file", id="missing"),
        pytest.param(lambda path: path.mkdir(), "this is a folder", id="folder named like a file"),
        pytest.param(os.mkfifo, "this is a FIFO", id="fifo"),
        pytest.param(lambda path: path.symlink_to("nowhere"), "no such file", id="dangling link"),
        pytest.param(lambda path: path.symlink_to(path), "symbolic links", id="link to itself"),
        pytest.param(lambda path: path.symlink_to("/dev/zero"), "this is a device", id="device"),
        pytest.param(make_socket, "cannot be read", id="socket"),
    ],
)
def test_what_is_no_file_is_refused_and_never_waited_for(history_folder, make, reason, monkeypatch):
    history_folder.write(ROW, "good.csv")
    monkeypatch.chdir(history_folder.folder)
    path = history_folder.folder / "x.csv"
    make(path)
    history = history_folder.reader(
        "good.csv", *(["x.csv"] if reason == "no such file" else [history_folder.folder])
    ).read()
    assert "good" in history.periods
    assert [(reason in problem.message, problem.fatal) for problem in history.problems] == [(True, True)]


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_a_file_that_may_not_be_read_is_reported(history_folder):
    history_folder.write(ROW).chmod(0)
    (problem,) = history_folder.reader().read().problems
    assert "permission denied" in problem.message


@pytest.mark.parametrize("path", ["", "a\0b", "x" * 5000, "https://example.test/x.csv", "\udcff.csv"])
def test_impossible_paths_are_reported(history_folder, path):
    (problem,) = history_folder.reader(path).read().problems
    assert problem.fatal
    assert problem.source == path


@pytest.mark.parametrize(
    "name", ["[bold]x", "\x1b[2J", "-rf", "a..", "=cmd", "é\udcff", "a\nb", "{value}%s", "宽" * 60, "con", "x\\"]
)
def test_a_strange_file_name_is_the_model_as_it_is(history_folder, name):
    history_folder.write(ROW, name + ".csv")
    history = history_folder.reader().read()
    assert list(history.periods) == [name]
