"""The fast reader says what the tolerant one says, of broken rows too, or gives the text back."""

import random
import sys
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeltop.history import reader, tail
from modeltop.history import reader as bulk
from modeltop.history.csv import dialect, problems, repair, vectorized

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
        for module in (bulk, vectorized, tail, reader):
            for limit in ("MIN_BYTES", "BLOCK_BYTES"):
                if hasattr(module, limit):
                    patch.setattr(module, limit, size)

    return limits


files = st.lists(st.one_of(st.tuples(st.just(WIDE), wide), st.tuples(st.just(LONG), long)), min_size=1, max_size=4)


@pytest.fixture(scope="session")
def agree(everything, forced):
    """Whether all readers say the same of what lies on a desk, whatever they are handed at once."""

    def check(desk, kept=problems.MAX_REPORTED):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(problems, "MAX_REPORTED", kept)
            tolerant = everything(desk.reader().read())
            for block, few in ((2**20, 1_000), (40, 1_000), (2**20, 2)):
                forced(patch, 0)
                patch.setattr(repair, "MAX_FREE_REPAIRS", few)
                for module in (bulk, tail):
                    patch.setattr(module, "BLOCK_BYTES", block)
                assert everything(desk.reader().read()) == tolerant

    return check


@settings(max_examples=120, deadline=None)
@given(files, st.sampled_from(["\n", "\r\n"]))
def test_both_readers_agree_on_any_files(make_desk, agree, files, end):
    desk = make_desk()
    for index, (header, rows) in enumerate(files):
        desk.write(end.join([header, *rows, ""]), f"{index}.csv")
    agree(desk)


@st.composite
def sound_rows(draw, *, long):
    """Rows in which nothing is wrong, some of them quoted in full."""
    names = [f"2025-01-{draw(st.integers(1, 28)):02d}", draw(st.sampled_from(["a", "b", "ünï"]))]
    value, count = draw(st.decimals(0, 1, places=3)), draw(st.integers(0, 99))
    rest = [draw(st.sampled_from(["acc", "kpi"])), value, count] if long else ["", count, value, value, "no"]
    quoted = draw(st.sampled_from([False, False, True]))
    return ",".join(f'"{cell}"' if quoted else f"{cell}" for cell in [*names, *rest])


SLIPS = ['"', '"a\nb"', '"', "\r", "", ",", "9", "-", "x", " ", "\0", '"a,b"', '""', "é".encode("latin-1")]


@st.composite
def damaged(draw, header):
    """A sound file, into some rows of which something slipped."""
    rows = draw(st.lists(sound_rows(long=header == LONG), min_size=5, max_size=60))
    rows = [row.encode() for row in rows]
    for _ in range(draw(st.integers(0, 6))):
        place, slip = draw(st.integers(0, len(rows) - 1)), draw(st.sampled_from(SLIPS))
        start, end = sorted((draw(st.integers(0, len(rows[place]))), draw(st.integers(0, len(rows[place])))))
        inside = slip if isinstance(slip, bytes) else slip.encode()
        rows[place] = rows[place][:start] + inside + rows[place][end if draw(st.booleans()) else start :]
    return draw(st.sampled_from([b"\n", b"\r\n"])).join([header.encode(), *rows, b""])


@settings(max_examples=80, deadline=None)
@given(st.sampled_from([WIDE, LONG]).flatmap(damaged))
def test_rows_that_are_broken_cost_themselves_alone_in_volume_too(make_desk, agree, data):
    desk = make_desk()
    desk.write(data)
    agree(desk, kept=3)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param("date,kpi\n2025-02-30,1\nsoon,1\n", id="told by line, however they were found"),
        pytest.param("date,kpi,kpi_count\n2025-01-01,1,-5\n2025-01-02,1,-6\n", id="wrong numbers are no text"),
        pytest.param('date,model,kpi\n2025-01-01,"""a",1\n2025-01-01,b,x\n', id="a name that begins with a quote"),
        pytest.param('date,model,kpi\n2025-01-01,a"b,1\n2025-01-02,"' + "c" * 20 + '\nd",1\n', id="an even cut inside"),
    ],
)
def test_what_a_wrong_row_says_is_the_same_in_volume(desk, agree, data):
    desk.write(data)
    agree(desk, kept=1)


def test_a_quote_that_a_later_line_may_close_is_read_again_with_it(desk, everything, forced, monkeypatch):
    forced(monkeypatch, 0)
    path = desk.write('date,model,accuracy\n2025-01-01,a,0.5\n2025-01-02,"b\n')
    one = desk.reader()
    one.read()
    desk.append(path, b'c",0.5\n')
    assert list(one.read().periods) == ["a", "b\nc"]


@pytest.mark.parametrize("quote", ["", '"'])
def test_in_volume_the_tolerant_reader_is_given_no_more_than_the_header(desk, everything, forced, monkeypatch, quote):
    rows = [f"2025-01-01T00:{n // 60 % 60:02d}:{n % 60:02d},{quote}m{n // 3600}{quote},0.5\n" for n in range(90_000)]
    broken = ["soon,a,1", "2025-02-30,a,1", "2025-01-01,a", '2025-01-01,"a,b",95', '2025-01-01,"a,1']
    rows[300::1000] = [f"{row}\n" for row in broken * 18]
    desk.write("date,model,accuracy\n" + "".join(rows))
    fed = []
    feed = tail.TolerantParser.feed
    monkeypatch.setattr(tail.TolerantParser, "feed", lambda parser, data: fed.append(len(data)) or feed(parser, data))
    fast = everything(desk.reader().read())
    assert sum(fed) == len("date,model,accuracy\n")
    forced(monkeypatch, 2**40)
    assert fast == everything(desk.reader().read())


def test_a_large_file_quoted_in_full_is_read_as_if_it_were_not(desk, everything, monkeypatch):
    lines = [f"2025-01-01T{n // 3600 % 24:02d}:{n // 60 % 60:02d}:{n % 60:02d},7,0.5" for n in range(86_400)]
    plain = everything(desk.read("\n".join(["date,count,accuracy", *lines, ""])))
    desk.write("".join('"' + line.replace(",", '","') + '"\n' for line in ["date,count,accuracy", *lines]))
    split = []
    split_cells = dialect.split_cells
    monkeypatch.setattr(dialect, "split_cells", lambda *args: split.append(1) or split_cells(*args))
    assert everything(desk.reader().read()) == plain
    assert len(split) < 10


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
    feed = tail.TolerantParser.feed
    monkeypatch.setattr(
        tail.TolerantParser, "feed", lambda parser, data: fed.append(parser.model) or feed(parser, data)
    )
    fast = everything(desk.reader().read())
    assert sum(file.stat().st_size for file in desk.folder.iterdir()) > vectorized.MIN_BYTES
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
    monkeypatch.setattr(tail, "CHUNK_BYTES", 50)
    names = [f"line\n{n}" for n in range(40)]
    history = desk.read("date,model,accuracy\n" + "".join(f'2025-01-01,"{name}",0.5\n' for name in names))
    assert list(history.periods) == names
    assert history.problems == ()


def test_a_file_of_open_quotes_is_told_in_time_that_grows_with_its_size(desk, monkeypatch):
    split = []
    split_cells = dialect.split_cells
    monkeypatch.setattr(dialect, "split_cells", lambda *args: split.append(1) or split_cells(*args))
    history = desk.read("date,accuracy\n" + '"\n' * 2_000 + "2025-01-01,0.5\n")
    assert len(history.series) == 1
    assert len(split) < 3 * 2_000
