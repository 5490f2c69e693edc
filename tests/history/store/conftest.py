"""What the tests of the store share: names of the worst kind, records, and the files as other programs see them."""

import csv
from datetime import UTC, datetime, timedelta

import pytest

from modeltop.core.metrics.registry import MetricRegistry
from modeltop.history.reader import Reader
from modeltop.history.store.row_format import PeriodRow
from modeltop.history.store.writer import Store

HOSTILE = [
    "\x1b]52;c;ZWNobyBwd25lZA==\x07",
    "\x1b[2J\x1b[H",
    "\x1b]0;",
    "\u009b31m",
    "\x05\x0e\x00\x7f\x08",
    "over\r written",
    "lone\rcr",
    "two\nlines",
    "m\r\nBcc: evil@x.test",
    "\u202egpj.exe",
    "\u200b\ufeffx",
    "e" + 100 * "\u0301",
    10_000 * "W",
    200 * "宽",
    "👩‍👩‍👧‍👦",
    "[bold]x[/bold]",
    "[@click=app.quit]x[/]",
    "x\\",
    "{value} %s",
    "../../etc/passwd",
    "..",
    ".",
    "C:\\x",
    "con",
    "nul.csv",
    "-rf",
    "--help",
    "a\0b",
    "=cmd|'/C calc'!A0",
    "+1+1",
    "<!channel>",
    "NA",
    "null",
    "None",
    "nan",
    "inf",
    "`",
    "007",
    "1e5",
    "true",
    "|perf'=1",
    'say "hi"',
    '"',
    '",',
    "a;b;c;d;e;f;g",
    "tab\there",
    "churn",
    "Churn",
]


@pytest.fixture(params=HOSTILE, ids=lambda text: ascii(text)[:24])
def hostile(request):
    """One of the strings that break things."""
    return request.param


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


@pytest.fixture
def record():
    """Make a row of the n-th day of 2025."""

    def make(model="churn", *, n=0, date=None, **fields):
        values = fields.pop("values", {"accuracy": 0.9})
        return PeriodRow(model, date or datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=n), values, **fields)

    return make


@pytest.fixture
def rows_of():
    """Return the rows of a CSV file as the csv module reads them."""

    def read(path):
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file, strict=True))

    return read


@pytest.fixture
def files():
    """Every file under a folder and its bytes, the lock's aside."""

    def read(folder):
        paths = [path for path in folder.rglob("*") if path.is_file() and path.name != ".lock"]
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}

    return read


@pytest.fixture
def history_of():
    """Return the history that the reader makes of a folder, with its problems."""

    def read(folder):
        return Reader([str(folder)], catalog=MetricRegistry()).read()

    return read
