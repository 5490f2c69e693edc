"""The fast reader says what the tolerant one says, or gives the file back."""

import random
import sys
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.sources import bulk, dialect, fast_csv, follow, reader

ODD_NUMBERS = [
    "",
    "1",
    "0",
    "TRUE",
    "false",
    "1_0",
    "0x1",
    " 0.5",
    "1e400",
    "-0",
    "+.5",
    "1.",
    "NA",
    "-",
    "inf",
    "9" * 40,
]
ODD_DATES = ["2025-01-01", "1735689600", "now", "2025-01"]
NAMES = ["a", "7", "007", "NA", "null", "", " a", "é", "nan", "true", "1e5"]
number = st.one_of(
    st.floats(0, 1).map(repr), st.floats().map(repr), st.decimals(0, 2, places=3).map(str), st.sampled_from(ODD_NUMBERS)
)
day = st.one_of(st.dates(min_value=date(1990, 1, 1)).map(str), st.sampled_from(ODD_DATES))
name = st.one_of(st.sampled_from(NAMES), st.text("ab,\"'\n\r\0\t", max_size=3))
flag = st.sampled_from(["", "true", "0", "no", "maybe"])
metric = st.sampled_from(["acc", "accuracy", "kpi", "NA", ""])
wide = st.lists(st.tuples(day, name, name, number, number, number, flag).map(",".join), max_size=8)
long = st.lists(st.tuples(day, name, metric, number, number).map(",".join), max_size=8)
WIDE = "date,model,segment,count,accuracy,kpi,provisional"
LONG = "date,model,metric,value,count"


@pytest.fixture(scope="session")
def forced():
    """Makes every file worth the fast reader, or none."""

    def limits(patch, size):
        for module in (bulk, fast_csv, follow, reader):
            for limit in ("WORTH_BYTES", "BLOCK_BYTES"):
                if hasattr(module, limit):
                    patch.setattr(module, limit, size)

    return limits


files = st.lists(st.one_of(st.tuples(st.just(WIDE), wide), st.tuples(st.just(LONG), long)), min_size=1, max_size=4)


@settings(max_examples=120, deadline=None)
@given(files, st.sampled_from(["\n", "\r\n"]))
def test_both_readers_agree_on_any_files(make_desk, everything, forced, files, end):
    desk = make_desk()
    for index, (header, rows) in enumerate(files):
        desk.write(end.join([header, *rows, ""]), f"{index}.csv")
    tolerant = everything(desk.reader().read())
    for worth, block in ((0, 2**20), (0, 40)):
        with pytest.MonkeyPatch.context() as patch:
            forced(patch, worth)
            for module in (bulk, follow):
                patch.setattr(module, "BLOCK_BYTES", block)
            assert everything(desk.reader().read()) == tolerant


def fleet(desk, files, years):
    """Files of 336 days a year."""
    rng = random.Random(7)
    days = [f"{1975 + y}-{m:02d}-{d:02d}" for y in range(years) for m in range(1, 13) for d in range(1, 29)]
    for index in range(files):
        lines = [f"{one},{rng.randint(1, 999)},{rng.random()!r},{rng.random():.4f}" for one in days]
        desk.write("\n".join(["date,count,accuracy,kpi", *lines, ""]), f"m{index}.csv")


def test_in_volume_a_fleet_is_the_same_and_a_broken_file_costs_itself_alone(desk, everything, monkeypatch, forced):
    fleet(desk, 30, 6)
    path = desk.folder / "m7.csv"
    path.write_text(path.read_text().replace("1980-03-04,", "soon,"))
    desk.touch(path, 100)
    fed = []
    feed = follow.Parser.feed
    monkeypatch.setattr(follow.Parser, "feed", lambda parser, data: fed.append(parser.model) or feed(parser, data))
    fast = everything(desk.reader().read())
    assert sum(file.stat().st_size for file in desk.folder.iterdir()) > fast_csv.WORTH_BYTES
    assert set(fed) == {"m7"}
    forced(monkeypatch, 2**40)
    assert fast == everything(desk.reader().read())


def test_a_small_folder_is_read_without_pandas(desk, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    fleet(desk, 2, 1)
    assert len(desk.reader().read().series) == 4


def test_a_thousand_rows_appended_to_a_large_file_are_read_on(desk, everything):
    fleet(desk, 1, 200)
    path = desk.folder / "m0.csv"
    one = desk.reader()
    one.read()
    desk.append(path, b"".join(b"21%02d-01-01,5,0.5,1\n" % year for year in range(100)) * 10)
    assert everything(one.read()) == everything(desk.reader().read())


def test_a_large_file_with_quotes_is_read_in_pieces_that_end_with_a_row(desk, monkeypatch):
    monkeypatch.setattr(follow, "PIECE_BYTES", 50)
    names = [f"line\n{n}" for n in range(40)]
    history = desk.read("date,model,accuracy\n" + "".join(f'2025-01-01,"{name}",0.5\n' for name in names))
    assert list(history.periods) == names
    assert history.problems == ()


def test_a_file_of_open_quotes_is_told_in_time_that_grows_with_its_size(desk, monkeypatch):
    split = []
    cells_of = dialect.cells_of
    monkeypatch.setattr(dialect, "cells_of", lambda *args: split.append(1) or cells_of(*args))
    history = desk.read("date,accuracy\n" + '"\n' * 2_000 + "2025-01-01,0.5\n")
    assert len(history.series) == 1
    assert len(split) < 3 * 2_000
