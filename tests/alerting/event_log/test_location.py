"""Where a journal lies: in its store, else in the XDG state folder, one for each set of paths."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from modeltop.alerting.event_log.event_log import EventLog, author
from modeltop.alerting.event_log.location import state_folder
from modeltop.core.errors import StoreError
from modeltop.core.event import NoteAdded, ReceiverTested
from modeltop.core.incident import Note
from modeltop.history.files import xdg_folder
from modeltop.history.store.lock import locked
from modeltop.history.store.paths import LEADER_LOCK
from modeltop.service.leader import LeaderLock, LockHolder


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
    assert state_folder(None, [tmp_path, tmp_path / "churn.csv"]) == state_folder(tmp_path)
    assert state_folder(None, [tmp_path, tmp_path.parent / "churn.csv"]) != state_folder(tmp_path)


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


@pytest.fixture
def linked(tmp_path):
    """A folder of plain files, and a link to it."""
    (tmp_path / "metrics").mkdir()
    (tmp_path / "link").symlink_to("metrics")
    return tmp_path / "metrics", tmp_path / "link"


def add_note(folder, text):
    at = datetime(2025, 1, 1, tzinfo=UTC)
    EventLog(folder).append(NoteAdded(at, Note("m", text, "ann", at)), ReceiverTested(at, "ops"))


def notes(folder):
    return [note.text for note in EventLog(folder).state().notes]


def earlier_folder(path):
    """Where versions that went by the spelling of a path had the event log."""
    digest = hashlib.sha256(str(path).encode()).hexdigest()[:8]
    return xdg_folder("state") / f"{path.stem}-{digest}"


@pytest.mark.parametrize("spelling", ["metrics/", "./link", "link/.", "link/../metrics", "metrics/*.csv"])
def test_a_folder_has_one_journal_however_it_is_spelled(linked, monkeypatch, spelling):
    folder, _ = linked
    monkeypatch.chdir(folder.parent)
    expected = state_folder(None, ["metrics"])
    assert (state_folder(None, [spelling]) == expected) is (not spelling.endswith(".csv"))
    add_note(folder / "state", "now it is a store")
    assert state_folder(None, [spelling]).samefile(state_folder(folder))


@pytest.mark.parametrize("is_store", [False, True])
def test_a_journal_of_an_earlier_version_is_moved_with_all_that_is_in_it(linked, is_store):
    folder, link = linked
    former = earlier_folder(folder if is_store else link)
    add_note(former, "v2 is out")
    for _ in range(2):
        found = state_folder(folder) if is_store else state_folder(None, [link])
        assert found != former
        assert notes(found) == ["v2 is out"]
    assert [path.name for path in former.glob("*.jsonl*")] == ["journal.000001.jsonl.old"]


def test_what_people_did_in_one_of_two_journals_is_added_to_the_other(linked):
    folder, link = linked
    add_note(state_folder(None, [folder]), "here")
    add_note(earlier_folder(link), "there")
    found = state_folder(None, [link])
    assert found == state_folder(None, [folder])
    assert notes(found) == ["here", "there"]
    assert len(list(EventLog(found).events())) == 3, "a receiver that was tested there was not tested here"


def test_while_a_watcher_of_an_earlier_version_runs_its_journal_is_used(linked):
    _, link = linked
    former = earlier_folder(link)
    add_note(former, "v2 is out")
    with LeaderLock(former, LockHolder(1, "here")) as leader:
        assert leader.acquire()
        assert state_folder(None, [link]) == former
    assert state_folder(None, [link]) != former


def test_a_journal_that_cannot_be_moved_is_used_where_it_is(linked, monkeypatch):
    monkeypatch.setattr("modeltop.alerting.event_log.location.MOVE_TIMEOUT", 0.0)
    _, link = linked
    former = earlier_folder(link)
    add_note(former, "v2 is out")
    with locked(former):
        assert state_folder(None, [link]) == former
    assert notes(state_folder(None, [link])) == ["v2 is out"]


def test_the_locks_of_a_store_called_state_make_its_folder_no_store(tmp_path):
    (tmp_path / "state" / "state").mkdir(parents=True)
    (tmp_path / "state" / "state" / LEADER_LOCK).touch()
    with locked(tmp_path / "state"):
        pass
    assert state_folder(None, [tmp_path / "state"]) == tmp_path / "state" / "state"
    assert state_folder(None, [tmp_path]).parent != tmp_path
