"""A second read takes what is new, and gives what a first read would."""

import itertools
import mmap
import os
import random
import shutil
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeltop.history import tail

HEADER = "date,model,accuracy,count\n"
ROW = "2025-01-01,a,0.9,10\n"


def test_an_unchanged_folder_is_the_very_same_history(history_folder):
    history_folder.write(HEADER + ROW)
    reader = history_folder.reader()
    history = reader.read()
    assert not reader.has_changed()
    assert reader.read() is history


def test_one_more_row_makes_only_its_own_series_anew(history_folder):
    history_folder.write(HEADER + ROW, "other.csv")
    path = history_folder.write(HEADER + ROW + "2025-01-01,b,0.9,10\n", "x.csv")
    reader = history_folder.reader()
    before = reader.read().series
    history_folder.append(path, b"2025-01-02,b,0.8,10\n")
    assert reader.has_changed()
    after = reader.read().series
    assert [key.model for key in after if after[key] is not before[key]] == ["b"]
    assert [len(series) for series in before.values()] == [1, 1]


def test_only_the_new_bytes_of_a_file_are_parsed(history_folder, monkeypatch):
    path = history_folder.write(HEADER + ROW * 100)
    reader = history_folder.reader()
    reader.read()
    fed = []
    feed = tail.CsvParser.feed
    monkeypatch.setattr(tail.CsvParser, "feed", lambda parser, data: fed.append(data) or feed(parser, data))
    history_folder.append(path, b"2025-01-02,a,0.8,10\n")
    assert [series.latest for series in reader.read().series.values()] == [0.8]
    assert fed == [b"2025-01-02,a,0.8,10\n"]


def test_lines_are_counted_on_from_the_first_read(history_folder):
    path = history_folder.write(HEADER + ROW)
    reader = history_folder.reader()
    reader.read()
    history_folder.append(path, b"soon,a,1,1\n")
    assert [problem.line for problem in reader.read().problems] == [3]


def test_a_last_line_without_its_end_waits_until_the_file_is_quiet(history_folder):
    history_folder.write(HEADER + ROW + "2025-01-02,a,0.8,1", age=1)
    reader = history_folder.reader()
    history = reader.read()
    assert [series.latest for series in history.series.values()] == [0.9]
    assert [("no end yet" in p.message, p.line, p.fatal) for p in history.problems] == [(True, 3, False)]
    history_folder.now += 3.9
    assert latest(reader.read()) == [0.9]
    history_folder.now += 0.2
    assert reader.has_changed()
    history = reader.read()
    assert ([series.latest for series in history.series.values()], history.problems) == ([0.8], ())
    assert not reader.has_changed()


def test_a_torn_number_is_never_taken_for_a_complete_one(history_folder):
    path = history_folder.write(HEADER + "2025-01-02,a,0.9", age=3600)
    reader = history_folder.reader()
    assert reader.read().series == {}  # its count is missing: the line is not complete
    history_folder.append(path, b"51,12", age=3600)
    assert [series.latest for series in reader.read().series.values()] == [0.951]
    history_folder.append(path, b"00\n")
    (series,) = reader.read().series.values()
    assert (series.values.tolist(), series.rows.tolist()) == ([0.951], [1200.0])


def test_a_file_dated_in_the_future_is_quiet_by_our_own_clock(history_folder):
    history_folder.write(HEADER + ROW[:-1], age=-1e6)
    reader = history_folder.reader()
    assert reader.read().series == {}
    history_folder.now += 5
    assert reader.has_changed()
    assert len(reader.read().series) == 1


def rewritten(history_folder, path):
    path.write_text(HEADER + "2025-01-01,b,0.5,10\n")


def replaced(history_folder, path):
    other = history_folder.write(HEADER + "2025-01-01,b,0.9,10\n" + ROW.replace(",a,", ",b,") * 3, "new")
    other.rename(path)


def rotated(history_folder, path):
    path.rename(history_folder.folder / "m.csv.1")
    path.write_text(HEADER + "2025-01-01,b,0.5,10\n")


def truncated_and_longer(history_folder, path):
    path.write_text(HEADER + "2025-01-01,b,0.5,10\n" * 9)


def edited_in_place(history_folder, path):
    path.write_text(path.read_text().replace("2025-01-01,a,0.9", "2025-01-01,b,0.5").replace(",a,", ",b,"))


@pytest.mark.parametrize("change", [rewritten, replaced, rotated, truncated_and_longer, edited_in_place])
def test_a_file_that_is_not_what_it_was_is_read_anew(history_folder, change):
    path = history_folder.write(HEADER + ROW + ROW)
    reader = history_folder.reader(path)
    reader.read()
    change(history_folder, path)
    history_folder.touch(path, 100)
    assert reader.has_changed()
    history = reader.read()
    assert list(history.periods) == ["b"]
    assert history.problems == ()


@pytest.mark.parametrize(
    ("put", "reason"),
    [
        pytest.param(lambda _: None, "the file is gone", id="deleted"),
        pytest.param(os.mkfifo, "this is a FIFO", id="a fifo"),
        pytest.param(lambda path: path.symlink_to("nowhere"), "the file is gone", id="a dangling link"),
    ],
)
def test_the_last_good_data_stay_when_a_file_goes_and_new_ones_come(history_folder, put, reason):
    path = history_folder.write(HEADER + ROW)
    reader = history_folder.reader(path)
    reader.read()
    path.unlink()
    put(path)
    assert reader.has_changed()
    history = reader.read()
    (problem,) = history.problems
    assert (reason in problem.message, "what was read before is shown" in problem.message, problem.fatal) == (True,) * 3
    assert [s.latest for s in history.series.values()] == [0.9]
    path.unlink(missing_ok=True)
    history_folder.write(HEADER + ROW.replace("0.9", "0.7"))
    assert [s.latest for s in reader.read().series.values()] == [0.7]


def test_a_file_that_became_a_folder_is_read_as_one(history_folder):
    path = history_folder.write(HEADER + ROW)
    reader = history_folder.reader(path)
    reader.read()
    path.unlink()
    path.mkdir()
    history_folder.write(HEADER + ROW.replace(",a,", ",b,"), "m.csv/x.csv")
    assert list(reader.read().periods) == ["b"]


def test_consecutive_failures_of_a_source_are_counted(history_folder):
    path = history_folder.write(HEADER + ROW)
    reader = history_folder.reader(path)
    reader.read()
    path.unlink()
    counts = []
    for _ in range(3):
        reader.read()
        counts.append(reader.failures.get(str(path), 0))
    history_folder.write(HEADER + ROW)
    reader.read()
    assert (counts, reader.failures) == ([1, 2, 3], {})


def test_the_last_good_data_stay_when_the_permission_is_lost(history_folder, monkeypatch):
    path = history_folder.write(HEADER + ROW)
    reader = history_folder.reader()
    reader.read()
    history_folder.append(path, b"2025-01-02,a,0.8,10\n")
    with monkeypatch.context() as patch:
        patch.setattr(os, "open", lambda *_: (_ for _ in ()).throw(PermissionError(13, "Permission denied")))
        history = reader.read()
    assert [s.latest for s in history.series.values()] == [0.9]
    assert "permission denied" in history.problems[0].message
    assert [s.latest for s in reader.read().series.values()] == [0.8]


def test_files_come_and_go_in_a_watched_folder(history_folder):
    history_folder.write(HEADER + ROW, "a.csv")
    reader = history_folder.reader()
    seen = [list(reader.read().periods)]
    history_folder.write(HEADER + ROW.replace(",a,", ",b,"), "b.csv")
    assert reader.has_changed()
    seen.append(list(reader.read().periods))
    (history_folder.folder / "a.csv").unlink()
    assert reader.has_changed()
    seen.append(list(reader.read().periods))
    assert seen == [["a"], ["a", "b"], ["b"]]


def test_a_second_file_of_the_same_stem_renames_the_model_of_the_first(history_folder):
    (history_folder.folder / "eu").mkdir()
    (history_folder.folder / "us").mkdir()
    history_folder.write("date,accuracy\n2025-01-01,0.9\n", "eu/m.csv")
    reader = history_folder.reader(history_folder.folder / "eu", history_folder.folder / "us")
    assert list(reader.read().periods) == ["m"]
    path = history_folder.write("date,accuracy\n2025-01-01,0.8\n", "us/m.csv")
    assert list(reader.read().periods) == ["eu/m", "us/m"]
    path.unlink()
    assert list(reader.read().periods) == ["m"]


def test_file_stats_are_those_of_the_last_read(history_folder):
    path = history_folder.write(HEADER + ROW)
    reader = history_folder.reader()
    reader.read()
    first = reader.file_stats()
    assert {history_folder.folder, path} == {Path(name) for name in first}
    reader.read()
    assert reader.file_stats() == first
    history_folder.append(path, b"2025-01-02,a,0.8,10\n")
    assert reader.file_stats() == first
    reader.read()
    assert reader.file_stats()[str(path)] != first[str(path)]


def test_progress_counts_the_files(history_folder):
    for name in "abc":
        history_folder.write(HEADER + ROW, f"{name}.csv")
    steps = []
    history_folder.reader().read(lambda done, total: steps.append((done, total)))
    assert steps == [(1, 3), (2, 3), (3, 3)]


line = st.one_of(
    st.builds(
        "2025-01-{:02d},{},0.{},{}\n".format,
        st.integers(1, 28),
        st.sampled_from("abc"),
        st.integers(0, 9),
        st.integers(0, 9),
    ),
    st.sampled_from(
        [
            "soon,a,1,1\n",
            '2025-01-05,"a,1,1\n',
            '2025-01-06,"a\nb",1,1\n',
            "\n",
            "2025-01-07,a,9,1\r\n",
            "é,é\n",
            "\r",
            '"',
        ]
    ),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(line, max_size=12).map("".join), st.integers(0, 2**32), st.integers(1, 5))
def test_reading_on_is_reading_in_full(make_history_folder, as_plain_data, text, seed, steps):
    history_folder, data = make_history_folder(), (HEADER + text).encode()
    path = history_folder.write(b"")
    followed = history_folder.reader(path)
    cuts = random.Random(seed).sample(range(len(data) + 1), min(steps, len(data)))
    for start, end in itertools.pairwise([0, *sorted(cuts), len(data)]):
        history_folder.append(path, data[start:end])
        assert as_plain_data(followed.read()) == as_plain_data(history_folder.reader(path).read())


def latest(history):
    return [series.latest for series in history.series.values()]


@pytest.mark.parametrize("small", [False, True], ids=["compared in full", "compared at its ends"])
def test_a_value_that_was_written_over_is_read_though_size_and_time_are_as_before(
    history_folder, write_over, monkeypatch, small
):
    if small:
        monkeypatch.setattr(tail, "FINGERPRINT_BYTES", 30)
    path = history_folder.write(HEADER + ROW + "2025-01-02,a,0.8,10\n" + ROW * 9)
    reader = history_folder.reader()
    assert latest(reader.read()) == [0.8]
    write_over(path, b"0.8", b"0.7")
    assert reader.has_changed()
    assert latest(reader.read()) == [0.7]
    assert not reader.has_changed()


def copied_over(path):
    """As `cp -p` and `cat new > old; touch -r` do: same inode, and the time of the new file."""
    new = path.with_suffix(".new")
    new.write_bytes(path.read_bytes().replace(b"0.8", b"0.7"))
    shutil.copystat(path, new)
    shutil.copyfile(new, path)
    shutil.copystat(new, path)


def written_through_memory(path):
    state = path.stat()
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
        start = memory.find(b"0.8")
        memory[start : start + 3] = b"0.7"
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


@pytest.mark.parametrize("write", [copied_over, written_through_memory])
def test_so_is_one_that_another_program_wrote(history_folder, write):
    path = history_folder.write(HEADER + ROW + "2025-01-02,a,0.8,10\n")
    reader = history_folder.reader(path)
    assert latest(reader.read()) == [0.8]
    before = path.stat()
    write(path)
    after = path.stat()
    assert (after.st_ino, after.st_size, after.st_mtime_ns) == (before.st_ino, before.st_size, before.st_mtime_ns)
    assert reader.has_changed()
    assert latest(reader.read()) == [0.7]


def test_a_file_that_was_only_touched_makes_no_new_history(history_folder):
    path = history_folder.write(HEADER + ROW)
    reader = history_folder.reader()
    history = reader.read()
    path.chmod(0o600)
    assert reader.has_changed()
    assert reader.read() is history


def test_a_correction_far_from_both_ends_is_found_when_a_row_is_appended(history_folder, write_over):
    rows = [f"2025-01-{day:02},a,0.9,10\n" for day in range(1, 29)]
    filler = "".join(f"{2000 + number // 365:04}-01-01,b,0.9,{number:010}\n" for number in range(100_000))
    path = history_folder.write(HEADER + filler + "".join(rows) + filler)
    reader = history_folder.reader()
    reader.read()
    write_over(path, rows[-1].encode(), rows[-1].replace("0.9", "0.4").encode())
    history_folder.append(path, b"2025-01-01,c,0.8,10\n")
    assert {key.model: series.latest for key, series in reader.read().series.items()}["a"] == 0.4


@pytest.mark.parametrize("seconds", tail.CHECKED_AFTER)
def test_a_change_that_no_time_shows_is_found_when_the_file_is_compared_again(history_folder, monkeypatch, seconds):
    path = history_folder.write(HEADER + ROW)
    frozen = tail.file_stat(path)
    for module in ("tail", "reader"):
        monkeypatch.setattr(f"modeltop.history.{module}.file_stat", lambda _: frozen)
    reader = history_folder.reader(path)
    history = reader.read()
    history_folder.now += seconds - 1
    reader.read()
    path.write_text(HEADER + ROW.replace("0.9", "0.4"))
    history_folder.now += 1
    assert reader.has_changed()
    assert (latest(history), latest(reader.read())) == ([0.9], [0.4])


def test_files_that_have_been_quiet_for_long_are_not_compared_again(history_folder):
    history_folder.now = time.time() + 1000
    history_folder.write(HEADER + ROW)
    reader = history_folder.reader()
    reader.read()
    history_folder.now += 1000
    assert not reader.has_changed()


def test_a_reader_that_is_asked_to_reads_all_again_whatever_the_file_system_says(history_folder, monkeypatch):
    path = history_folder.write(HEADER + ROW)
    frozen = tail.file_stat(path)
    for module in ("tail", "reader"):
        monkeypatch.setattr(f"modeltop.history.{module}.file_stat", lambda _: frozen)
    monkeypatch.setattr(tail, "CHECKED_AFTER", ())
    reader = history_folder.reader(path)
    reader.read()
    path.write_text(HEADER + ROW.replace("0.9", "0.4"))
    assert latest(reader.read()) == [0.9]
    reader.mark_stale()
    assert latest(reader.read()) == [0.4]
