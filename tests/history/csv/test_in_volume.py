"""In volume a text is read as it is line by line, or refused."""

import random
import sys
from datetime import date

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from modeltop.history import reader, tail
from modeltop.history.csv import dialect, in_volume, parser, problems

UNUSUAL_NUMBERS = [
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
    "95",
    "95%",
    "1.234",
    "1'234",
]
UNUSUAL_DATES = ["2025-01-01", "1735689600", "now", "2025-01", "01/31/2025", "31/01/2025", "1735689600.5"]
NAMES = ["a", "7", "007", "NA", "null", "", " a", "é", "nan", "true", "1e5"]
number = st.one_of(
    st.floats(0, 1).map(repr),
    st.floats().map(repr),
    st.decimals(0, 2, places=3).map(str),
    st.sampled_from(UNUSUAL_NUMBERS),
)
day = st.one_of(st.dates(min_value=date(1990, 1, 1)).map(str), st.sampled_from(UNUSUAL_DATES))
name = st.one_of(st.sampled_from(NAMES), st.text("ab,\"'\n\r\0\t", max_size=3))
flag = st.sampled_from(["", "true", "0", "no", "maybe"])
metric = st.sampled_from(["acc", "accuracy", "kpi", "NA", ""])
wide = st.lists(st.tuples(day, name, name, number, number, number, flag).map(",".join), max_size=8)
long = st.lists(st.tuples(day, name, metric, number, number).map(",".join), max_size=8)
few_days = st.sampled_from([f"2025-01-{number:02}" for number in range(1, 8)])
sections = st.sampled_from(
    ["date,model,version,accuracy", "accuracy,date,model,version", "# comment", "total,,,0.5", ""]
)
part = st.tuples(few_days, st.sampled_from("ab"), st.sampled_from("12"), st.floats(0, 1).map(repr)).map(",".join)
parts = st.lists(st.one_of(part, part, part, sections), min_size=8, max_size=60)
WIDE = "date,model,segment,count,accuracy,kpi,provisional"
LONG = "date,model,metric,value,count"
PARTS = "date,model,version,accuracy"


NEVER, ALWAYS = 2**40, 0
"""Bytes from which on pandas splits a text."""


def set_limits(patch, min_bytes, block_bytes):
    for module in (in_volume, reader):
        patch.setattr(module, "MIN_BYTES", min_bytes)
    patch.setattr(reader, "BLOCK_BYTES", block_bytes)


files = st.lists(
    st.one_of(
        st.tuples(st.sampled_from([WIDE, WIDE.replace("date", "created")]), wide),
        st.tuples(st.sampled_from([LONG, LONG.replace("date", "created")]), long),
    ),
    min_size=1,
    max_size=4,
)


@pytest.fixture(scope="session")
def assert_read_alike(as_plain_data):
    """Compare what is read of a folder line by line and in volume, however much is converted at once."""

    def check(history_folder, max_reported=problems.MAX_REPORTED):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(problems, "MAX_REPORTED", max_reported)
            by_line = as_plain_data(history_folder.reader().read())
            for block_bytes in (2**20, 40):
                set_limits(patch, ALWAYS, block_bytes)
                assert as_plain_data(history_folder.reader().read()) == by_line

    return check


@settings(max_examples=120, deadline=None)
@given(files, st.sampled_from(["\n", "\r\n"]))
@example([("date,model,accuracy", []), ("date,model,accuracy", ["2025-01-01,a,0.9"])], "\n")
def test_any_files_are_read_alike(make_history_folder, assert_read_alike, files, end):
    history_folder = make_history_folder()
    for index, (header, rows) in enumerate(files):
        history_folder.write(end.join([header, *rows, ""]), f"{index}.csv")
    assert_read_alike(history_folder)


@settings(max_examples=80, deadline=None)
@given(parts)
def test_rows_that_collide_and_headers_among_them_are_read_alike(make_history_folder, assert_read_alike, rows):
    history_folder = make_history_folder()
    history_folder.write("\n".join([PARTS, *rows, ""]))
    assert_read_alike(history_folder)


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
    """Draw a sound file, into some rows of which something slipped."""
    rows = draw(st.lists(sound_rows(long=header == LONG), min_size=5, max_size=60))
    rows = [row.encode() for row in rows]
    for _ in range(draw(st.integers(0, 6))):
        index, slip = draw(st.integers(0, len(rows) - 1)), draw(st.sampled_from(SLIPS))
        start, end = sorted((draw(st.integers(0, len(rows[index]))), draw(st.integers(0, len(rows[index])))))
        inside = slip if isinstance(slip, bytes) else slip.encode()
        rows[index] = rows[index][:start] + inside + rows[index][end if draw(st.booleans()) else start :]
    return draw(st.sampled_from([b"\n", b"\r\n"])).join([header.encode(), *rows, b""])


@settings(max_examples=80, deadline=None)
@given(st.sampled_from([WIDE, LONG]).flatmap(damaged))
def test_rows_that_are_broken_cost_themselves_alone_in_volume_too(make_history_folder, assert_read_alike, data):
    history_folder = make_history_folder()
    history_folder.write(data)
    assert_read_alike(history_folder, max_reported=3)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param("date,kpi\n2025-02-30,1\nsoon,1\n", id="by line, however they were met"),
        pytest.param("date,kpi,kpi_count\n2025-01-01,1,-5\n2025-01-02,1,-6\n", id="wrong numbers are no text"),
        pytest.param('date,model,kpi\n2025-01-01,"""a",1\n2025-01-01,b,x\n', id="a name that begins with a quote"),
        pytest.param('date,model,kpi\n2025-01-01,a"b,1\n2025-01-02,"' + "c" * 20 + '\nd",1\n', id="an even cut inside"),
    ],
)
def test_the_problem_of_a_wrong_row_is_the_same_in_volume(history_folder, assert_read_alike, data):
    history_folder.write(data)
    assert_read_alike(history_folder, max_reported=1)


def test_a_quote_that_a_later_line_may_close_is_read_again_with_it(history_folder, monkeypatch):
    set_limits(monkeypatch, ALWAYS, 0)
    path = history_folder.write('date,model,accuracy\n2025-01-01,a,0.5\n2025-01-02,"b\n')
    followed = history_folder.reader()
    followed.read()
    history_folder.append(path, b'c",0.5\n')
    assert list(followed.read().periods) == ["a", "b\nc"]


@pytest.fixture
def read_by_line(monkeypatch):
    """Record what is read line by line: model and bytes of each call."""
    calls, split = [], parser.CsvParser.split

    def recording_split(parser, data):
        calls.append((parser.model, data))
        return split(parser, data)

    monkeypatch.setattr(parser.CsvParser, "split", recording_split)
    return calls


def seconds_of_a_day(count):
    return [f"2025-01-01T{n // 3600:02d}:{n // 60 % 60:02d}:{n % 60:02d},7,0.5\n" for n in range(count)]


def test_a_sound_file_is_nowhere_read_by_line(history_folder, read_by_line):
    history_folder.write("date,count,accuracy\n" + "".join(seconds_of_a_day(86_400)))
    history_folder.reader().read()
    assert read_by_line == []


def test_plain_decimals_are_the_nearest_floats_without_pandas(history_folder, monkeypatch):
    set_limits(monkeypatch, ALWAYS, 2**20)
    monkeypatch.setattr(in_volume, "_read_frame", None)
    rng = random.Random(3)
    cells = ["", "0", "00000000", "99999999", "0.000001", "999999.9", "00.10", "7"]
    cells += [f"{rng.random() * 10 ** rng.randint(0, 3):.{rng.randint(1, 4)}f}" for _ in range(2_000)]
    rows = [f"{date.fromordinal(730_000 + n)},{cell}\n" for n, cell in enumerate(cells)]
    (series,) = history_folder.read("date,kpi\n" + "".join(rows)).series.values()
    assert series.values.tolist() == [float(cell) for cell in cells if cell]


@pytest.mark.parametrize("cell", [".5", "1.", "1..2", "1.2.3", "-1", "+1", "1e5", "123456789", "0.1234567", "7:", "/7"])
def test_what_is_no_short_decimal_is_read_as_by_line(history_folder, assert_read_alike, cell):
    history_folder.write(f"date,kpi\n2025-01-01,1\n2025-01-02,{cell}\n2025-01-03,\n")
    assert_read_alike(history_folder)


def test_a_broken_chunk_is_read_by_line_and_the_rest_in_volume(
    history_folder, as_plain_data, monkeypatch, read_by_line
):
    rows = seconds_of_a_day(86_400)
    rows[300] = "soon,7,0.5\n"
    history_folder.write("date,count,accuracy\n" + "".join(rows))
    monkeypatch.setattr(tail, "CHUNK_BYTES", 2**18)
    set_limits(monkeypatch, 2**18, 2**18)
    read = as_plain_data(history_folder.reader().read())
    assert 2**17 < sum(len(data) for _, data in read_by_line) < 2 * 2**18
    set_limits(monkeypatch, NEVER, 2**18)
    assert read == as_plain_data(history_folder.reader().read())


def test_a_large_file_quoted_in_full_is_read_as_if_it_were_not(history_folder, as_plain_data):
    lines = ["date,count,accuracy\n", *seconds_of_a_day(86_400)]
    plain = as_plain_data(history_folder.read("".join(lines)))
    history_folder.write("".join('"' + line[:-1].replace(",", '","') + '"\n' for line in lines))
    assert as_plain_data(history_folder.reader().read()) == plain


def fleet(history_folder, files, years):
    """Files of 336 days a year."""
    rng = random.Random(7)
    days = [f"{1975 + y}-{m:02d}-{d:02d}" for y in range(years) for m in range(1, 13) for d in range(1, 29)]
    for index in range(files):
        lines = [f"{day},{rng.randint(1, 999)},{rng.random()!r},{rng.random():.4f}" for day in days]
        history_folder.write("\n".join(["date,count,accuracy,kpi", *lines, ""]), f"m{index}.csv")


def test_in_volume_a_fleet_is_the_same_and_a_broken_file_costs_itself_alone(
    history_folder, as_plain_data, monkeypatch, read_by_line
):
    fleet(history_folder, 30, 6)
    path = history_folder.folder / "m7.csv"
    path.write_text(path.read_text().replace("1980-03-04,", "soon,"))
    history_folder.touch(path, 100)
    read = as_plain_data(history_folder.reader().read())
    assert sum(file.stat().st_size for file in history_folder.folder.iterdir()) > in_volume.MIN_BYTES
    assert {model for model, _ in read_by_line} == {"m7"}
    set_limits(monkeypatch, NEVER, 0)
    assert read == as_plain_data(history_folder.reader().read())


def test_a_small_folder_is_read_without_pandas(history_folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    fleet(history_folder, 2, 1)
    assert len(history_folder.reader().read().series) == 4


def test_a_thousand_rows_appended_to_a_large_file_are_read_on(history_folder, as_plain_data):
    fleet(history_folder, 1, 200)
    path = history_folder.folder / "m0.csv"
    followed = history_folder.reader()
    followed.read()
    history_folder.append(path, b"".join(b"21%02d-01-01,5,0.5,1\n" % year for year in range(100)) * 10)
    assert as_plain_data(followed.read()) == as_plain_data(history_folder.reader().read())


def test_a_large_file_with_quotes_is_read_in_chunks_that_end_with_a_row(history_folder, monkeypatch):
    monkeypatch.setattr(tail, "CHUNK_BYTES", 50)
    names = [f"line\n{n}" for n in range(40)]
    history = history_folder.read("date,model,accuracy\n" + "".join(f'2025-01-01,"{name}",0.5\n' for name in names))
    assert list(history.periods) == names
    assert history.problems == ()


def test_a_file_of_open_quotes_is_read_in_time_that_grows_with_its_size(history_folder, monkeypatch):
    calls, split_cells = [], dialect.split_cells
    monkeypatch.setattr(dialect, "split_cells", lambda *args: calls.append(1) or split_cells(*args))
    history = history_folder.read("date,accuracy\n" + '"\n' * 2_000 + "2025-01-01,0.5\n")
    assert len(history.series) == 1
    assert len(calls) < 3 * 2_000
