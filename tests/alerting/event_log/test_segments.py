"""Where a journal lies: in its store, else in the XDG state folder, one for each set of paths."""

from pathlib import Path

import pytest

from modeltop.alerting.event_log.event_log import author
from modeltop.alerting.event_log.segments import state_folder
from modeltop.core.errors import StoreError


def test_the_journal_of_a_store_lies_within_it():
    assert state_folder(Path("/srv/metrics"), [Path("a.csv")]) == Path("/srv/metrics/state")


@pytest.mark.parametrize(
    ("variable", "base"),
    [("/state", "/state"), ("", "/home/ann/.local/state"), ("relative", "/home/ann/.local/state")],
)
def test_without_a_store_it_lies_in_the_xdg_state_folder(monkeypatch, variable, base):
    monkeypatch.setenv("HOME", "/home/ann")
    monkeypatch.setenv("XDG_STATE_HOME", variable)
    folder = state_folder(None, [Path("/data/Churn (EU).csv")])
    assert folder.parent == Path(base) / "modeltop"
    assert folder.name == "churn-eu-4bfd93bd"


def test_a_set_of_paths_has_one_journal_however_it_is_written(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    monkeypatch.chdir(tmp_path)
    paths = [tmp_path / "a.csv", tmp_path / "b.csv"]
    folder = state_folder(None, paths)
    assert folder == state_folder(None, paths[::-1]) == state_folder(None, [Path("a.csv"), Path("x/../b.csv"), *paths])
    others = [paths[:1], [tmp_path / "c.csv"], [*paths, tmp_path], []]
    assert len({folder, *(state_folder(None, other) for other in others)}) == 5


def test_a_store_that_is_named_as_a_path_has_the_same_journal(tmp_path):
    (tmp_path / "churn.csv").touch()
    assert state_folder(None, [tmp_path]).parent != tmp_path
    (tmp_path / "churn-88b2072e.computed.csv").touch()
    assert state_folder(None, [tmp_path]) == state_folder(tmp_path)
    assert state_folder(None, [tmp_path, tmp_path / "churn.csv"]) != state_folder(tmp_path)


@pytest.mark.parametrize("name", ["\udcff", "..", "x" * 5000, "\x1b[2J", "宽"])
def test_no_name_of_a_path_leads_elsewhere(monkeypatch, name):
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    folder = state_folder(None, [Path("/data") / name])
    assert folder.parent == Path("/state/modeltop")
    assert folder.name.isascii()
    assert len(folder.name) < 60


def test_a_user_without_a_home_is_asked_to_name_a_folder(monkeypatch):
    def nowhere():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", nowhere)
    with pytest.raises(StoreError, match="set XDG_STATE_HOME"):
        state_folder(None, [Path("a.csv")])


def test_who_acts_is_the_user_of_the_system_whatever_the_variables_say(monkeypatch):
    monkeypatch.setattr("os.getuid", lambda: 0)
    for name in ("USER", "LOGNAME", "USERNAME"):
        monkeypatch.setenv(name, "eve")
    assert author({"USER": "eve"}) == "root"
    assert author({"SUDO_USER": "ann"}) == "root (sudo by ann)"
    assert author({"SUDO_USER": "root"}) == "root"


def test_a_user_without_a_name_is_a_number(monkeypatch):
    monkeypatch.setattr("os.getuid", lambda: 3_999_999_999)
    assert author({}) == "uid 3999999999"
