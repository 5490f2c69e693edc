"""What is kept from one run to the next."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from modeltop_tui.terminal import saved_view
from modeltop_tui.view.news import changed_models
from modeltop_tui.view.state import ALL_TIME, ScreenState, Selection, SortOrder, TimeWindow, snapshot_index


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path / "modeltop"


@pytest.fixture
def critical(make):
    return make.snapshot(*make.ten_days())


@pytest.mark.parametrize(
    "selection",
    [
        pytest.param(Selection(), id="defaults"),
        pytest.param(Selection(sort=SortOrder.STALE, problems_only=True), id="sort and problems only"),
        pytest.param(Selection(time_window=TimeWindow(86400.0)), id="a range"),
    ],
)
def test_sort_range_and_problems_only_are_kept_for_each_source(folder, selection):
    saved_view.save_state("one", ScreenState(selection=selection))
    assert saved_view.load_state("one").selection == selection
    assert saved_view.load_state("other").selection == Selection()
    assert (folder / "view.json").exists() == (selection != Selection())


@pytest.mark.parametrize("window", [ALL_TIME, TimeWindow(9.0, 1e9)], ids=["full history", "in the past"])
def test_a_range_in_which_an_incident_is_hard_to_see_and_a_selected_model_are_not_kept(folder, window):
    saved_view.save_state("one", ScreenState(selection=Selection(model="m", time_window=window)))
    assert saved_view.load_state("one").selection == Selection()


def test_the_incidents_of_the_last_look_are_seen_also_if_there_were_none(folder, make, critical):
    assert saved_view.load_state("one").seen is None
    saved_view.save_state("one", ScreenState(make.snapshot(make.healthy("a"))))
    assert saved_view.load_state("one").seen == {}
    saved_view.save_state("one", ScreenState(critical))
    assert saved_view.load_state("one").seen == snapshot_index(critical).incident_states
    assert (folder / "seen.json").stat().st_mode & 0o077 == 0


def test_an_incident_stays_new_until_its_model_was_selected(folder, make):
    fleet = make.snapshot(*make.ten_days(), make.series([0.95] * 9 + [0.5], model="churn"))
    state = ScreenState(fleet, Selection(model="ranker"), seen={"fraud": "warning 0", "gone": "critical 1"})
    saved_view.save_state("one", state)
    again = replace(saved_view.load_state("one"), snapshot=fleet)
    assert sorted(changed_models(again)) == ["churn", "fraud"]
    saved_view.save_state("one", replace(again, selection=Selection(model="fraud")))
    assert changed_models(replace(saved_view.load_state("one"), snapshot=fleet)) == ["churn"]
    assert "gone" not in saved_view.load_state("one").seen


def test_the_lines_typed_are_kept_and_the_first_frame_stays_valid(folder, make):
    saved_view.save_state("one", ScreenState(typed=tuple(f"line {number}" for number in range(30))))
    assert saved_view.load_state("one").typed == tuple(f"line {number}" for number in range(10, 30))
    assert saved_view.load_state("other").typed == ()
    assert not (folder / "view.json").exists()
    saved_view.save_state("one", ScreenState(typed=tuple(make.hostile[:20])))
    assert all(line.isprintable() and len(line) <= 500 for line in saved_view.load_state("one").typed)


def test_what_did_not_change_is_not_written_again(folder, critical):
    state = ScreenState(critical, Selection(problems_only=True))
    saved_view.save_state("one", state)
    before = {path: path.stat().st_ino for path in folder.iterdir()}
    saved_view.save_state("one", state)
    assert {path: path.stat().st_ino for path in folder.iterdir()} == before


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"\xff", b'{"one": 3}', b'{"one": {"sort": [], "range": "x", "problems_only": 1}}',
     b'{"one": {"range": -1}}', b'{"one": {"range": 1%s}}' % (b"0" * 400), b"[" * 100_000],
)  # fmt: skip
def test_a_damaged_file_is_an_empty_one(folder, content):
    folder.mkdir()
    (folder / "view.json").write_bytes(content)
    (folder / "seen.json").write_bytes(b"[" * 100_000)
    (folder / "typed.json").write_bytes(content.replace(b"range", b"lines") or b'{"one": {"lines": [1, "", null]}}')
    assert saved_view.load_state("one") == ScreenState()
    saved_view.save_state("one", ScreenState(selection=Selection(problems_only=True)))
    assert saved_view.load_state("one").selection.problems_only


@pytest.mark.parametrize("name", ["view.json", "seen.json", "typed.json"])
@pytest.mark.parametrize("make_file", [os.mkfifo, lambda path: path.symlink_to("/dev/zero"), Path.mkdir,
                                       lambda path: path.write_text(" " * 5_000_000 + "{}")])  # fmt: skip
def test_what_is_no_regular_file_of_usual_size_is_not_read(folder, name, make_file):
    folder.mkdir()
    make_file(folder / name)
    assert saved_view.load_entries(name) == {}


def test_a_state_of_the_wrong_type_was_not_seen(folder, critical):
    folder.mkdir()
    (folder / "seen.json").write_text('{"one": {"a": ["x"], "b": null, "c": "critical 1", "d": {}}}')
    state = saved_view.load_state("one")
    assert state.seen == {"c": "critical 1"}
    assert changed_models(replace(state, snapshot=critical)) == ["fraud"]


def test_a_folder_that_cannot_be_written_is_no_error(folder, critical):
    folder.write_text("a file")
    saved_view.save_state("one", ScreenState(critical, Selection(problems_only=True)))
    assert saved_view.load_state("one") == ScreenState()


def test_the_oldest_sources_are_forgotten_and_the_theme_is_not(folder):
    saved_view.save_theme("textual-dark", "nord")
    for number in range(saved_view.MAX_SOURCES + 3):
        saved_view.save_state(str(number), ScreenState(selection=Selection(problems_only=True)))
    entries = json.loads((folder / "view.json").read_bytes())
    assert len(entries) == saved_view.MAX_SOURCES + 1
    assert "2" not in entries
    assert "3" in entries
    assert saved_view.load_theme("textual-dark") == "nord"


def test_a_theme_is_kept_for_terminals_with_the_same_default(folder):
    saved_view.save_theme("textual-dark", "nord")
    saved_view.save_theme("ansi-dark", "ansi-light")
    assert saved_view.load_theme("textual-dark") == "nord"
    assert saved_view.load_theme("textual-light") == "textual-light"


def test_the_view_is_left_and_found_again_and_a_new_incident_is_marked(spawn, environment, tmp_path):
    path = tmp_path / "m.csv"
    rows = "".join(f"2025-01-{day:02},{model},0.95\n" for day in range(1, 29) for model in ("one", "two"))
    path.write_text(f"date,model,accuracy\n{rows}")

    def look(*keys):
        session = spawn(path).wait_for("q quit").settle()
        for key in keys:
            session.type(key).settle()
        text = session.text
        assert session.type("q").exit_code() == 0
        return text

    assert "new" not in look("s", "t", "t")
    kept = json.loads((tmp_path / "home" / "state" / "modeltop" / "view.json").read_bytes())
    assert kept[""] == {"modeltop-dark": "ansi-dark"}
    with path.open("a") as file:
        file.write("2025-01-29,two,0.5\n")
    again = look()
    assert "Metrics of two" in again, "it starts at the worst model in every order"
    assert "by name" in again
    assert "new" in next(line for line in again.splitlines() if "▲" in line and "two" in line)
    assert "new" not in look()
