"""What a run keeps of the periods stored before: tables of days with their rows, and whole logs under hypothesis."""

import csv
import io
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from modeltop.core.metrics.registry import MetricRegistry
from modeltop.history.store.computed import is_equivalent, read_computed
from modeltop.history.store.computed_format import ComputedHistory
from modeltop.history.store.windowing import Windowing, decode_windowing
from modeltop.predictions.job import compute, windowing_of
from modeltop.predictions.overlap import BESIDE, CHANGED, KEPT, NARROWED, REMOVED, overlap
from modeltop.predictions.spec import LogSettings, LogSpec

DAILY = Windowing("D", "UTC", "", "a.csv")
TENS = Windowing("10rows", "", "", "a.csv")
WEEK = tuple(np.array(["2025-01-01", "2025-01-08"], dtype="datetime64[us]"))


def history(rows, labelled=None):
    """Return the history of days of January 2025: {day: rows}, and as many labels unless they are given."""
    count = np.array(list(rows.values()), dtype=np.float64)
    coverage = np.array([(labelled or rows)[day] for day in rows]) / count
    flags = np.zeros(len(rows), dtype=np.bool_)
    times = np.array([f"2025-01-{day:02d}" for day in rows], dtype="datetime64[us]")
    columns = {"label_coverage": coverage, "mean_score": count / 100}
    return ComputedHistory("m", times, np.full(len(rows), "all", dtype=object), count, flags, flags, columns)


def days(times):
    return [int(str(time)[8:10]) for time in times]


def result(stored, new, windowing=DAILY, *, old=DAILY, **options):
    """Return the days of the base and of the new periods that count, and the days of each note."""
    found = overlap(stored, old, new, windowing, **options)
    return days(found.base.times), days(found.new.times), {note: days(times) for note, times in found.notes}


@pytest.mark.parametrize(
    ("stored", "new", "expected"),
    [
        pytest.param({1: 9, 2: 9}, {2: 9, 3: 9}, ([1, 2], [2, 3], {}), id="as many rows"),
        pytest.param({1: 9, 2: 9}, {1: 9, 2: 10}, ([1, 2], [1, 2], {}), id="a day that has grown"),
        pytest.param({1: 9, 2: 9}, {1: 9, 2: 4}, ([1, 2], [1], {KEPT: [2]}), id="a log cut in the middle of a day"),
        pytest.param({1: 9, 2: 9, 3: 9}, {1: 9, 3: 9}, ([1, 2, 3], [1, 3], {KEPT: [2]}), id="a hole"),
        pytest.param({1: 9, 5: 9}, {2: 9, 3: 9}, ([1, 5], [2, 3], {}), id="days beside the span are nobody's loss"),
        pytest.param({1: 9, 2: 4}, {2: 5, 3: 9}, ([1, 2], [2, 3], {CHANGED: [2]}), id="a log that lost its first rows"),
    ],
)
def test_no_day_gets_fewer_rows_unless_told_so(stored, new, expected):
    assert result(history(stored), history(new)) == expected


def test_a_first_day_that_has_grown_is_doubtful_only_if_the_log_begins_there():
    stored, new = history({1: 9, 2: 4}), history({2: 5, 3: 9})
    assert result(stored, new, log_span=WEEK) == ([1, 2], [2, 3], {})


def test_a_reference_that_has_lost_rows_is_said():
    old, new = (Windowing("D", "UTC", "use=old", "a.csv", rows) for rows in (600, 300))
    assert result(history({1: 9, 2: 9}), history({2: 9}), new, old=old) == ([1, 2], [2], {NARROWED: [1]})
    assert decode_windowing(b"header\n" + old.encode()) == old


def test_a_day_with_fewer_labels_stays_as_stored():
    assert result(history({1: 9}), history({1: 9}, {1: 5})) == ([1], [], {KEPT: [1]})


def test_what_is_told_to_be_replaced_is_replaced_and_a_hole_becomes_one():
    stored, new = history({1: 9, 2: 9, 3: 9, 4: 9}), history({1: 4, 3: 9})
    assert result(stored, new, overwrites=True) == ([1, 3, 4], [1, 3], {REMOVED: [2]})


def test_other_rows_of_the_same_day_from_another_log_are_said():
    other = Windowing("D", "UTC", "", "b.csv")
    assert result(history({1: 9, 2: 9}), history({1: 9, 2: 12}), other) == ([1, 2], [1, 2], {CHANGED: [2]})


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (DAILY, Windowing("D", "Europe/Berlin", "", "a.csv")),
        (DAILY, Windowing("W", "UTC", "", "a.csv")),
        (Windowing("D", "UTC", "use=old"), Windowing("D", "UTC", "use=new")),
        (TENS, Windowing("10rows", "", "use=new")),
    ],
)
def test_periods_of_another_kind_are_replaced_all_of_them(old, new):
    base, written, notes = result(history({1: 9, 2: 9, 5: 9}), history({1: 9}), new, old=old)
    assert (base, written, list(notes.values())) == ([], [1], [[1, 2, 5]])
    [(verb, reason)] = notes
    assert (verb, "restores them" in reason) == ("replaced", True)


@pytest.mark.parametrize("old", [None, Windowing("D", "UTC", "use=old", "a.csv")])
def test_periods_of_an_unknown_kind_or_of_a_reference_that_is_not_given_stay(old):
    found = overlap(history({1: 9, 2: 9}), old, history({2: 9}), DAILY)
    assert (len(found.base), found.notes) == (2, ())
    assert found.windowing.reference == ("" if old is None else "use=old")


def test_late_rows_leave_no_run_of_rows_that_starts_nowhere():
    stored = history({1: 10, 4: 10, 7: 3})
    expected = [1], [1, 3, 6], {REMOVED: [4, 7]}
    assert result(stored, history({1: 10, 3: 10, 6: 5}), TENS, old=TENS, log_span=WEEK) == expected


def test_runs_of_rows_stay_together_where_there_are_more_of_them_than_in_the_log():
    stored = history({1: 10, 4: 10, 7: 3})
    assert result(stored, history({1: 10, 6: 4}), TENS, old=TENS, log_span=WEEK) == (
        [1, 4, 7],
        [],
        {KEPT: [1, 4, 7]},
    )


def test_runs_of_rows_beside_those_of_a_log_that_begins_later_are_said():
    assert result(history({1: 10, 4: 3}), history({6: 10}), TENS, old=TENS) == ([1, 4], [6], {BESIDE: [1, 4]})


def test_one_spelling_of_a_period_and_no_password():
    spec = LogSpec(sources=("postgres://ann:s3cret@db/x::t",), period="1d", reference="use=old")
    assert windowing_of(spec) == Windowing("D", "UTC", "use=old", "postgres://***@db/x::t")
    assert windowing_of(LogSpec(sources=("a",), period="10 ROWS", start="2025-01-01", every="D")).counts_rows


SAID = ("kept", "replaced", "removed")
HEADER = ("id", "timestamp", "score", "label", "plan")
ROWS = [
    (number, f"2025-01-0{1 + number // 6}T{number % 6 * 4:02d}:00", (number * 37 % 100) / 100, number * 7 % 3 % 2, plan)
    for number, plan in enumerate("aabbab" * 5)
]
"""Five days of six rows."""


def run(folder, store, rows, **options):
    """Compute a log of these rows, and return the messages."""
    path = Path(folder, f"{len(list(Path(folder).iterdir()))}.csv")
    text = io.StringIO()
    csv.writer(text).writerows([HEADER, *rows])
    path.write_text(text.getvalue())
    spec = LogSpec(
        sources=(str(path),), model="m", timestamp="timestamp", scores=("score",), label="label", segments=("plan",),
        **options,
    )  # fmt: skip
    now = datetime(2025, 1, 20, tzinfo=UTC)
    return compute([LogSettings(spec=spec)], store, catalog=MetricRegistry(), now=now).messages


def stored_rows(store):
    stored = read_computed(store, "m")
    return dict(
        zip(stored.times[stored.segments == "all"].tolist(), stored.rows[stored.segments == "all"], strict=True)
    )


def evidence(store):
    [path] = store.glob("evidence/*.csv")
    return sorted(line for line in path.read_text().splitlines() if not line.startswith("windowing"))


def parts_of(numbers, pending=()):
    return [(*ROWS[number][:3], "" if number in pending else ROWS[number][3], ROWS[number][4]) for number in numbers]


@pytest.mark.parametrize("period", ["D", "5rows"])
def test_a_log_that_grows_ends_in_the_store_of_one_run_and_nothing_is_said(tmp_path, period):
    for end in (8, 17, 30):
        (tmp_path / "log").mkdir(exist_ok=True)
        messages = run(tmp_path / "log", tmp_path / "grown", parts_of(range(end)), period=period)
        (tmp_path / "log" / "0.csv").unlink()
        assert not [line for line in messages if line.startswith(SAID)]
    (tmp_path / "once").mkdir()
    run(tmp_path / "once", tmp_path / "whole", parts_of(range(30)), period=period)
    assert is_equivalent(read_computed(tmp_path / "grown", "m"), read_computed(tmp_path / "whole", "m"))


whole_days = st.sets(st.integers(0, 4), min_size=1).map(
    lambda days: {n for day in days for n in range(day * 6, day * 6 + 6)}
)
any_rows = st.sets(st.integers(0, 29), min_size=4)


@pytest.mark.slow
@settings(max_examples=20)
@given(st.lists(whole_days, min_size=1, max_size=3), st.booleans())
@example(parts=[{*range(12, 18)}, {*range(18, 24)}], pending=True)
def test_whole_days_in_any_order_end_in_the_store_of_one_run_over_all_of_them(parts, pending):
    late = {12, 13, 14, 15, 28, 29} if pending else ()
    with TemporaryDirectory() as folder:
        parted, whole = Path(folder, "parted"), Path(folder, "whole")
        for part in parts:
            run(folder, parted, parts_of(sorted(part), late))
        run(folder, whole, parts_of(sorted(set().union(*parts)), late))
        assert is_equivalent(read_computed(parted, "m"), read_computed(whole, "m"))
        assert evidence(parted) == evidence(whole)


@pytest.mark.slow
@settings(max_examples=25)
@given(st.lists(any_rows, min_size=1, max_size=3), st.sampled_from(["D", "5rows"]))
@example([{0, 1, 2, 3}, {8, 9, 10, 11, 12, 13}], "5rows")
def test_any_rows_in_any_order_end_in_the_store_of_one_run_over_all_of_them_or_it_is_said(parts, period):
    with TemporaryDirectory() as folder:
        parted, whole = Path(folder, "parted"), Path(folder, "whole")
        messages, rows = [], {}
        for part in parts:
            messages += run(folder, parted, parts_of(sorted(part)), period=period)
            before, rows = rows, stored_rows(parted)
            assert sum(rows.values()) >= sum(before.values())
            assert period != "D" or all(rows[day] >= count for day, count in before.items())
        run(folder, whole, parts_of(sorted(set().union(*parts))), period=period)
        is_said = any(line.startswith(SAID) for line in messages)
        assert is_said or is_equivalent(read_computed(parted, "m"), read_computed(whole, "m"))
