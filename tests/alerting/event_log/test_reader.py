"""Whatever state the files are in, the facts are those of all whole lines, read now or bit by bit."""

import os
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeltop.alerting.event_log import event_log as event_log_module
from modeltop.alerting.event_log.codec import SCHEMA, encode_event
from modeltop.alerting.event_log.event_log import EventLog
from modeltop.alerting.state import apply_events, without_expired
from modeltop.core.errors import StoreError
from modeltop.core.event import ClockAccepted, LeaderChanged
from modeltop.core.incident import AlertingState

FIRST = "journal.000001.jsonl"


@pytest.fixture
def write(tmp_path):
    """Bytes as the first file of a journal."""

    def put(data, name=FIRST):
        (tmp_path / "state").mkdir(exist_ok=True)
        (tmp_path / "state" / name).write_bytes(data)

    return put


def texts(journal):
    return [note.text for note in journal.state().notes]


def names(journal):
    return sorted(path.name for path in journal.folder.glob("*.jsonl"))


def test_a_journal_that_is_not_there_says_nothing_and_makes_nothing(journal):
    assert (journal.state(), list(journal.events()), journal.changed()) == (AlertingState(), [], False)
    assert not journal.folder.exists()


def test_what_is_appended_is_there_for_everyone(journal, noted):
    other = EventLog(journal.folder)
    assert other.state() == AlertingState()
    journal.append(noted(1), noted(2))
    assert other.changed()
    assert texts(other) == texts(journal) == ["released 1", "released 2"]
    assert not other.changed()
    assert list(other.events()) == [noted(1), noted(2)]


def test_a_file_cut_at_any_byte_loses_at_most_its_last_line(journal, write, noted):
    lines = [encode_event(noted(n)) for n in range(3)]
    data = b"".join(lines)
    for length in range(len(data) + 1):
        write(data[:length])
        cut = EventLog(journal.folder)
        count = data[:length].count(b"\n")
        assert texts(cut) == [f"released {n}" for n in range(count)]
        cut.append(noted(9))
        # The last line is whole but for its newline: sealed, it counts.
        count += data[:length].rpartition(b"\n")[2] + b"\n" in lines
        assert texts(EventLog(journal.folder)) == texts(cut) == [*(f"released {n}" for n in range(count)), "released 9"]


def test_a_line_without_its_end_waits(journal, write, noted):
    line = encode_event(noted(1))
    write(line[:-20])
    assert (texts(journal), journal.changed(), journal.state().damaged_lines) == ([], False, 0)
    write(line)
    assert journal.changed()
    assert (texts(journal), journal.state().damaged_lines) == (["released 1"], 0)


@pytest.mark.parametrize("junk", [b"\0" * 4096, b"{}", b'{"crc":"00000000","v":1}', b"\xff\r\x85", b"[" * 100_000])
def test_a_damaged_line_in_the_middle_is_skipped_and_counted(journal, write, noted, junk):
    write(encode_event(noted(1)) + junk + b"\n\n" + encode_event(noted(2)))
    assert (texts(journal), journal.state().damaged_lines) == (["released 1", "released 2"], 1)
    journal.append(noted(3))
    assert (texts(journal), journal.state().damaged_lines) == (["released 1", "released 2", "released 3"], 1)


@settings(max_examples=30)
@given(data=st.data())
def test_reading_bit_by_bit_is_reading_at_once_wherever_files_are_rotated(alike_events, data):
    events = data.draw(alike_events)
    with TemporaryDirectory() as folder:
        writer, reader = EventLog(Path(folder) / "a", limit=10_000), EventLog(Path(folder) / "a")
        for event in events:
            writer._limit = data.draw(st.sampled_from([-1, 10_000]))
            writer.append(event)
            if data.draw(st.booleans()):
                reader.state()
        assert writer.state() == reader.state() == EventLog(Path(folder) / "a").state()
        if not any(isinstance(event, ClockAccepted) for event in events):  # a checkpoint leaves out what is old by then
            expected = apply_events(AlertingState(), events)
            assert without_expired(writer.state()) == without_expired(expected)
        assert list(reader.events()) == events


def test_a_new_file_starts_with_a_checkpoint_and_the_old_one_need_not_be_read(journal, noted):
    journal._limit = -1
    journal.append(noted(1))
    journal.append(noted(2))
    assert names(journal) == [FIRST, "journal.000002.jsonl"]
    (journal.folder / FIRST).unlink()
    (journal.folder / FIRST).mkdir()  # what is opened there would fail
    assert texts(EventLog(journal.folder)) == ["released 1", "released 2"]
    assert EventLog(journal.folder).state().read_only_reason is None


def test_a_checkpoint_that_fills_a_file_by_itself_does_not_start_another_with_every_line(tmp_path, noted):
    journal = EventLog(tmp_path / "state", limit=1000)
    for n in range(60):
        journal.append(noted(n))
    assert (journal.folder / names(journal)[-1]).stat().st_size > 5000, "the facts alone are beyond the limit"
    assert 5 < len(names(journal)) < 15


def test_a_damaged_first_line_is_made_up_for_by_the_file_before(journal, noted):
    journal._limit = -1
    for n in range(3):
        journal.append(noted(n))
    path = journal.folder / "journal.000003.jsonl"
    path.write_bytes(b"x" + path.read_bytes()[1:])
    again = EventLog(journal.folder)
    assert (texts(again), again.state().damaged_lines) == (["released 0", "released 1", "released 2"], 1)


def test_a_torn_tail_before_a_rotation_is_lost_for_every_reader_alike(journal, noted):
    journal.append(noted(1))
    reader = EventLog(journal.folder)
    reader.state()
    with (journal.folder / FIRST).open("ab") as file:
        file.write(encode_event(noted(2))[:30])
    journal._limit = -1
    journal.append(noted(3))
    assert reader.state() == journal.state() == EventLog(journal.folder).state()
    assert texts(reader) == ["released 1", "released 3"]


def test_old_files_beyond_the_limit_are_deleted(journal, noted, monkeypatch):
    monkeypatch.setattr(event_log_module, "MAX_SEGMENTS", 3)
    journal._limit = -1
    for n in range(6):
        journal.append(noted(n))
    assert names(journal) == [f"journal.00000{n}.jsonl" for n in (4, 5, 6)]
    assert len(texts(EventLog(journal.folder))) == 6
    assert [event.note.text for event in journal.events()] == ["released 3", "released 4", "released 5"]


@pytest.mark.parametrize("how", ["deleted", "replaced", "shorter", "other lines"])
def test_a_journal_that_was_changed_behind_our_back_is_read_anew(journal, write, noted, how):
    journal.append(noted(1), noted(2))
    assert len(texts(journal)) == 2
    path, new = journal.folder / FIRST, encode_event(noted(7))
    if how in ("deleted", "replaced"):
        path.unlink()
    if how != "deleted":
        write(new if how != "other lines" else 3 * encode_event(noted(8, "a longer story")) + new)
    assert journal.changed()
    expected = {"deleted": [], "other lines": ["a longer story 8", "released 7"]}.get(how, ["released 7"])
    assert texts(journal) == expected
    journal.append(noted(5))
    assert texts(EventLog(journal.folder)) == [*expected, "released 5"]


def of_schema(number, kind="noted"):
    return {"v": number, "kind": kind, "data": {}}


def test_a_newer_schema_makes_the_journal_read_only_and_says_so(journal, write, noted, signed):
    write(encode_event(noted(1)) + signed(of_schema(SCHEMA + 1)) + encode_event(noted(3)))
    before = (journal.folder / FIRST).read_bytes()
    assert texts(journal) == ["released 1", "released 3"]
    assert journal.state().read_only_reason.endswith("is of a newer modeltop (schema 4, not 3): upgrade modeltop")
    with pytest.raises(StoreError, match="upgrade modeltop"):
        journal.append(noted(4))
    assert (journal.folder / FIRST).read_bytes() == before


def test_a_newer_schema_in_a_later_file_is_seen_too(journal, write, noted, signed):
    journal.append(noted(1))
    write(signed(of_schema(SCHEMA + 1, "facts")), "journal.000002.jsonl")
    assert (texts(journal), "upgrade" in journal.state().read_only_reason) == (["released 1"], True)


def test_a_journal_of_an_older_schema_is_moved_aside_at_the_first_write_in_one_line(
    journal, write, noted, signed, caplog
):
    older = signed(of_schema(1, "facts")) + signed(of_schema(1))
    for name in (FIRST, "journal.000002.jsonl"):
        write(older, name)
    assert (journal.state(), list(journal.events())) == (AlertingState(), [])
    assert names(journal) == [FIRST, "journal.000002.jsonl"], "reading changes nothing"
    reader = EventLog(journal.folder)
    reader.state()
    journal.append(noted(1))
    assert texts(journal) == texts(reader) == texts(EventLog(journal.folder)) == ["released 1"]
    assert names(journal) == [FIRST]
    assert [path.read_bytes() for path in sorted(journal.folder.glob("*.old"))] == [older] * 2
    (line,) = [record.getMessage() for record in caplog.records]
    assert "is of an older modeltop (before schema 3): moved aside, to *.jsonl.old; its silences, acknowledge" in line
    journal.append(noted(2))
    assert (texts(journal), len(caplog.records)) == (["released 1", "released 2"], 1)


def test_a_journal_that_cannot_be_moved_aside_is_not_written_to(journal, write, noted, signed, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    write(signed(of_schema(1)))
    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(StoreError, match="permission denied"):
        journal.append(noted(1))
    assert (journal.folder / FIRST).read_bytes() == signed(of_schema(1))


def test_an_unknown_kind_is_no_damage_and_is_not_forgotten_by_a_rotation(journal, write, noted, signed):
    write(signed(of_schema(SCHEMA, "poem")) + encode_event(noted(1)))
    journal._limit = -1
    journal.append(noted(2))
    assert (texts(journal), journal.state().damaged_lines) == (["released 1", "released 2"], 0)
    assert names(journal) == [FIRST], "all facts in a new file would lack what only a later version knows"


@pytest.mark.parametrize("what", ["folder", "fifo", "link"])
def test_what_is_no_regular_file_is_reported_and_never_waited_for(journal, what, noted):
    journal.folder.mkdir()
    path = journal.folder / FIRST
    {"folder": path.mkdir, "fifo": lambda: os.mkfifo(path), "link": lambda: path.symlink_to("/etc/passwd")}[what]()
    assert "cannot be read" in journal.state().read_only_reason
    with pytest.raises(StoreError):
        journal.append(noted())


def test_where_the_files_cannot_be_read_any_more_the_last_state_stays(journal, noted, monkeypatch):
    journal.append(noted(1))
    before = journal.state()

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    (journal.folder / FIRST).touch()
    monkeypatch.setattr("modeltop.alerting.event_log.reader.open_file", refuse)
    assert replace(journal.state(), read_only_reason=None) == before
    assert "Permission denied" in journal.state().read_only_reason
    monkeypatch.undo()
    assert journal.state() == before


def test_time_never_runs_behind_the_newest_line_of_the_watcher(journal, noted):
    journal.append(LeaderChanged(noted(60).at, 1, "host", is_leader=True), noted(90))
    assert journal.now() == noted(60).at
    journal._clock = lambda: noted(61).at
    assert journal.now() == noted(61).at
