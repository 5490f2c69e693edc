"""Any mutation of a good file gives the same verdict, a worse one, or unknown: never a better one.

Three files are mutated: one model that is critical, one that is a warning, and six models of which one is critical and
one a warning. A mutation damages the content (rows, cells, columns, dates, scales) or writes the same content another
way (encoding, delimiter, decimal mark, order, shape). Mutations after which a better verdict would be right are not
among them: a fall whose rows are corrected, or a column that is taken away where no rule names it.
"""

import csv
import datetime as dt
import io
import random
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import currently_in_test_context, given, note, settings
from hypothesis import strategies as st

from tests.cases.foreign_files import days, epoch
from tests.cases.run_modeltop import CRITICAL, OK, UNKNOWN, WARNING, alone, run

COUNT = 60
NOW = days(COUNT)[-1]
FALLS = 12
"""The newest periods in which something is wrong."""
RANK = {OK: 0, WARNING: 1, CRITICAL: 2}


@dataclass(frozen=True)
class Table:
    """A file before it is written."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    title: tuple[str, ...] = ()
    """Lines above the header."""
    between: tuple[tuple[int, str], ...] = ()
    """Lines before a row of that number; the header where the text is `header`."""
    delimiter: str = ","
    comma: bool = False
    """A comma stands for the decimal point."""
    encoding: str = "utf-8"
    line_end: str = "\n"
    quoting: int = csv.QUOTE_MINIMAL
    cut: int = 0
    """Bytes that are missing at the end."""
    least: int | None = None
    """A verdict that is bad enough: WARNING where nobody can know any more what the metric or the model was."""
    words: tuple[str, ...] = field(default=())
    """Further words of the command line."""

    def column(self, name: str) -> int:
        return self.header.index(name)

    def cells(self, name: str, change: Callable[[int, str], str]) -> "Table":
        """Another text in the cells of one column, by the number of the row."""
        place = self.column(name)
        rows = [(*row[:place], change(number, row[place]), *row[place + 1 :]) for number, row in enumerate(self.rows)]
        return replace(self, rows=tuple(rows))

    def written(self) -> bytes:
        """The file."""
        text = io.StringIO()
        text.writelines(f"{line}{self.line_end}" for line in self.title)
        writer = csv.writer(text, delimiter=self.delimiter, lineterminator=self.line_end, quoting=self.quoting)
        writer.writerow(self.header)
        for number, row in enumerate(self.rows):
            for line in (line for place, line in self.between if place == number):
                if line == "header":
                    writer.writerow(self.header)
                else:
                    text.write(f"{line}{self.line_end}")
            writer.writerow([cell.replace(".", ",") if self.comma and is_number(cell) else cell for cell in row])
        data = text.getvalue().encode(self.encoding)
        return data[: len(data) - self.cut]


def is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def wave(number: int, seed: int) -> float:
    """Noise within 0.01 of 0, the same in every run."""
    return random.Random(f"{seed} {number}").uniform(-0.01, 0.01)


def model_rows(seed: int, *, accuracy: float = 0.0, recall: float = 0.0) -> list[tuple[str, ...]]:
    """Date, accuracy, recall, count of each day; the metrics fall by so much in the newest periods."""
    return [
        (
            str(day),
            f"{0.95 + wave(number, seed) - (accuracy if number >= COUNT - FALLS else 0):.4f}",
            f"{0.75 + wave(number, seed + 50) - (recall if number >= COUNT - FALLS else 0):.4f}",
            str(1234 + number),
        )
        for number, day in enumerate(days(COUNT))
    ]


@cache
def base(name: str) -> Table:
    """One of the three good files."""
    header = ("date", "accuracy", "recall", "count")
    if name == "critical":
        return Table(header, tuple(model_rows(1, accuracy=0.15)))
    if name == "warning":
        return Table(header, tuple(model_rows(2, recall=0.03)))
    fleet = {f"m{number}": model_rows(number) for number in range(10, 14)}
    fleet |= {"churn": model_rows(3, accuracy=0.15), "007": model_rows(4, recall=0.03)}
    rows = [(row[0], model, *row[1:]) for model, table in fleet.items() for row in table]
    return Table((header[0], "model", *header[1:]), tuple(sorted(rows)))


def falling(table: Table) -> str:
    """The metric because of which the file is not ok."""
    return "recall" if table == base("warning") else "accuracy"


def worst(table: Table) -> list[int]:
    """The numbers of the rows of the model that is critical or a warning."""
    if "model" not in table.header:
        return list(range(len(table.rows)))
    return [number for number, row in enumerate(table.rows) if row[table.column("model")] == "churn"]


def verdict(table: Table) -> int:
    """The exit code of `check` on the file, as of the same day."""
    with tempfile.TemporaryDirectory() as folder, alone(Path(folder)) as work:
        (work / "churn.csv").write_bytes(table.written())
        outcome = run("check", "churn.csv", "--now", NOW, *table.words)
    if currently_in_test_context():
        note(f"{outcome.out}{outcome.err[:1000]}")
    assert outcome.code in (OK, WARNING, CRITICAL, UNKNOWN)
    assert "an error of its own" not in outcome.err
    return outcome.code


# What is damaged. Each takes a table and `draw`, and gives the damaged table.

Draw = Callable[[st.SearchStrategy], object]
Mutation = Callable[[Table, Draw], Table]


def newest_rows_are_gone(table: Table, draw: Draw) -> Table:
    first = COUNT - draw(st.integers(1, 20))
    gone = {str(day) for day in days(COUNT)[first:]}
    of_all = draw(st.booleans())
    ours = worst(table)
    rows = [row for number, row in enumerate(table.rows) if row[0] not in gone or not (of_all or number in ours)]
    return replace(table, rows=tuple(rows))


def rows_before_the_fall_are_gone(table: Table, draw: Draw) -> Table:
    early = [number for number, row in enumerate(table.rows) if row[0] < str(days(COUNT)[COUNT - FALLS])]
    gone = draw(st.sets(st.sampled_from(early), max_size=10))
    return replace(table, rows=tuple(row for number, row in enumerate(table.rows) if number not in gone))


def chosen(table: Table, draw: Draw, *, most: int) -> set[int]:
    """Some rows of the model that is wrong: here and there, or its newest."""
    ours = worst(table)
    newest = ours[len(ours) - draw(st.integers(1, 20)) :]
    return draw(st.sets(st.sampled_from(ours), min_size=1, max_size=most) | st.just(set(newest)))


def cells_are_blank(table: Table, draw: Draw) -> Table:
    rows = chosen(table, draw, most=4)
    blank = draw(st.sampled_from(["", "NaN", "null", " "]))
    return table.cells(falling(table), lambda number, cell: blank if number in rows else cell)


def cells_are_text(table: Table, draw: Draw) -> Table:
    rows = chosen(table, draw, most=4)
    text = draw(st.sampled_from(["oops", "#REF!", "1.2.3", "0.9O", "inf", "1e400", "1.797e308", "--", "9552"]))
    return table.cells(falling(table), lambda number, cell: text if number in rows else cell)


def dates_are_no_dates(table: Table, draw: Draw) -> Table:
    rows = chosen(table, draw, most=4)
    text = draw(st.sampled_from(["", "yesterday", "2025-02-31", "2025-13-01", "00.00.0000", "#####"]))
    return table.cells("date", lambda number, cell: text if number in rows else cell)


def the_year_of_a_row_is_mistyped(table: Table, draw: Draw) -> Table:
    row = draw(st.sampled_from(worst(table)))
    year = draw(st.sampled_from(["2052", "2205", "2026", "2024", "1925", "205", "20255", "0025"]))
    return table.cells("date", lambda number, cell: year + cell[4:] if number == row else cell)


def rows_of_the_future_are_added(table: Table, draw: Draw) -> Table:
    ahead = draw(st.sampled_from([3, 10, 400, 9_862]))
    ours = [table.rows[number] for number in worst(table)]
    added = [
        (str(NOW + dt.timedelta(days=ahead + number)), *ours[number][1:]) for number in range(draw(st.integers(1, 5)))
    ]
    return replace(table, rows=(*table.rows, *added))


def a_metric_is_in_percent(table: Table, draw: Draw) -> Table:
    sign = draw(st.sampled_from(["", "%", " %"]))
    return table.cells(falling(table), lambda _, cell: f"{float(cell) * 100:.2f}{sign}")


def counts_have_thousands_separators(table: Table, draw: Draw) -> Table:
    mark = draw(st.sampled_from([",", ".", " ", "'"]))
    return table.cells("count", lambda _, cell: f"{int(cell):,}".replace(",", mark))


def the_metric_has_another_name(table: Table, draw: Draw) -> Table:
    known = {
        "accuracy": ["acc", "ACCURACY", "val_accuracy", "accuracy_score", "accuracy_value", "metrics.accuracy"],
        "recall": ["Recall", "test_recall", "recall_score", "recall_value", "eval/recall", "BinaryRecall"],
    }[falling(table)]
    name = draw(st.sampled_from([*known, "zorp"]))
    header = tuple(name if old == falling(table) else old for old in table.header)
    return replace(table, header=header, least=WARNING if name == "zorp" else None)


def the_date_has_another_name(table: Table, draw: Draw) -> Table:
    name = draw(
        st.sampled_from(["Date", "timestamp", "datetime", "run_date", "window_start", "when", "Unnamed: 0", ""])
    )
    return replace(table, header=(name, *table.header[1:]))


def the_model_has_another_name(table: Table, draw: Draw) -> Table:
    name = draw(st.sampled_from(["model_name", "Model", "experiment", "deployment", "team", "country"]))
    header = tuple(name if old == "model" else old for old in table.header)
    return replace(table, header=header, least=WARNING if name in ("team", "country") else None)


def dates_have_another_format(table: Table, draw: Draw) -> Table:
    shapes: list[Callable[[dt.date], str]] = [
        lambda day: f"{day:%d.%m.%Y}",
        lambda day: f"{day:%m/%d/%Y}",
        lambda day: f"{day:%d/%m/%Y}",
        lambda day: f"{day:%Y/%m/%d}",
        lambda day: f"{day:%d %b %Y}",
        lambda day: f"{day:%d.%m.%y}",
        lambda day: f"{day}T00:00:00Z",
        lambda day: f"{day} 00:00",
        lambda day: f"{epoch(day)}.5",
        lambda day: f"{epoch(day)}000",
        lambda day: f"{epoch(day):.6e}",
        lambda day: str((day - dt.date(1899, 12, 30)).days),
    ]
    shape = draw(st.sampled_from(shapes))
    return table.cells("date", lambda _, cell: shape(dt.date.fromisoformat(cell)))


def a_column_is_added(table: Table, draw: Draw) -> Table:
    name, cells = draw(
        st.sampled_from(
            [
                ("comment", [f"run {number} went well" for number in range(len(table.rows))]),
                ("team", ["risk"] * len(table.rows)),
                ("step", [str(number) for number in range(len(table.rows))]),
                ("", [str(number) for number in range(len(table.rows))]),
                ("created_at", ["2025-03-02T10:00:00Z"] * len(table.rows)),
                ("computed_on", [row[0] for row in table.rows]),
                ("zorp", [f"{wave(number, 9) + 5:.3f}" for number in range(len(table.rows))]),
                ("val_precision", [f"{wave(number, 8) + 0.9:.3f}" for number in range(len(table.rows))]),
                ("segment", ["all"] * len(table.rows)),
                ("accuracy", [""] * len(table.rows)),
            ]
        )
    )
    place = draw(st.integers(0, len(table.header)))
    rows = [(*row[:place], cell, *row[place:]) for row, cell in zip(table.rows, cells, strict=True)]
    return replace(table, header=(*table.header[:place], name, *table.header[place:]), rows=tuple(rows))


def the_end_is_cut(table: Table, draw: Draw) -> Table:
    return replace(table, cut=draw(st.integers(1, 40)))


def the_metric_that_a_limit_names_is_gone(table: Table, draw: Draw) -> Table:
    metric = falling(table)
    limit = {"accuracy": "0.9", "recall": "0.735"}[metric]
    table = replace(table, words=("--below", f"{metric}={limit}"))
    if draw(st.booleans()):
        return table.cells(metric, lambda _number, _cell: "")
    place = table.column(metric)
    rows = tuple((*row[:place], *row[place + 1 :]) for row in table.rows)
    return replace(table, header=(*table.header[:place], *table.header[place + 1 :]), rows=rows)


DAMAGES: list[Mutation] = [
    newest_rows_are_gone,
    rows_before_the_fall_are_gone,
    cells_are_blank,
    cells_are_text,
    dates_are_no_dates,
    the_year_of_a_row_is_mistyped,
    rows_of_the_future_are_added,
    a_metric_is_in_percent,
    counts_have_thousands_separators,
    the_metric_has_another_name,
    the_date_has_another_name,
    the_model_has_another_name,
    dates_have_another_format,
    a_column_is_added,
    the_end_is_cut,
    the_metric_that_a_limit_names_is_gone,
]

# The same content, written another way.


def rows_are_in_another_order(table: Table, draw: Draw) -> Table:
    rows = list(table.rows)
    random.Random(draw(st.integers(0, 9))).shuffle(rows)
    return replace(table, rows=draw(st.sampled_from([tuple(rows), tuple(reversed(table.rows))])))


def rows_are_there_twice(table: Table, draw: Draw) -> Table:
    places = draw(st.sets(st.integers(0, len(table.rows) - 1), max_size=20))
    again = tuple(table.rows[place] for place in sorted(places))
    return replace(table, rows=(*table.rows, *draw(st.sampled_from([again, table.rows]))))


def columns_are_in_another_order(table: Table, draw: Draw) -> Table:
    order = draw(st.permutations(range(len(table.header))))
    rows = tuple(tuple(row[place] for place in order) for row in table.rows)
    return replace(table, header=tuple(table.header[place] for place in order), rows=rows)


def the_header_comes_again(table: Table, draw: Draw) -> Table:
    places = draw(st.sets(st.integers(1, len(table.rows) - 1), min_size=1, max_size=3))
    return replace(table, between=tuple((place, "header") for place in sorted(places)))


def there_are_comment_lines(table: Table, draw: Draw) -> Table:
    title = draw(st.sampled_from([("# nightly evaluation",), ("# model 2.3", "# do not edit"), ("",)]))
    place = draw(st.integers(1, len(table.rows) - 1))
    return replace(table, title=title, between=((place, draw(st.sampled_from(["# restarted", ""]))),))


def the_file_is_of_another_program(table: Table, draw: Draw) -> Table:
    delimiter = draw(st.sampled_from([",", ";", "\t", "|"]))
    return replace(
        table,
        delimiter=delimiter,
        comma=delimiter == ";" and draw(st.booleans()),
        encoding=draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "latin-1"])),
        line_end=draw(st.sampled_from(["\n", "\r\n"])),
        quoting=draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])),
    )


def the_shape_is_long(table: Table, draw: Draw) -> Table:
    names = draw(st.sampled_from([("metric", "value"), ("key", "value"), ("metric_name", "metric_value")]))
    metrics = [name for name in table.header if name in ("accuracy", "recall")]
    kept = [place for place, name in enumerate(table.header) if name not in metrics]
    rows = [
        (*(row[place] for place in kept), metric, row[table.column(metric)]) for row in table.rows for metric in metrics
    ]
    return replace(table, header=(*(table.header[place] for place in kept), *names), rows=tuple(rows))


def decimals_are_commas_between_quotes(table: Table, draw: Draw) -> Table:
    return replace(table, comma=True, delimiter=draw(st.sampled_from([",", "\t", "|"])))


SAME: list[Mutation] = [
    rows_are_in_another_order,
    rows_are_there_twice,
    columns_are_in_another_order,
    the_header_comes_again,
    there_are_comment_lines,
    the_file_is_of_another_program,
    the_shape_is_long,
]
"""After these the verdict is the same."""
AMBIGUOUS: list[Mutation] = [decimals_are_commas_between_quotes]
"""Nothing is lost, but it may be refused."""

BASES = {"critical": CRITICAL, "warning": WARNING, "six models": CRITICAL}
OFTEN = settings(max_examples=100, deadline=None)
SOMETIMES = settings(max_examples=30, deadline=None)
FILES = st.sampled_from(list(BASES))


def sentence(mutation: Mutation) -> str:
    return mutation.__name__.replace("_", " ")


def mutated(draw: Draw, name: str, *mutations: Mutation) -> Table:
    """The file after these mutations, as far as it has what is mutated."""
    table = base(name)
    for mutation in mutations:
        if mutation is not the_model_has_another_name or "model" in table.header:
            table = mutation(table, draw)
    note(f"{name}: {', '.join(map(sentence, mutations))}\n{table.written()[:600]!r}")
    return table


def assert_no_better(name: str, table: Table) -> None:
    """The verdict is that of the good file, a worse one, or unknown."""
    after = verdict(table)
    least = RANK[BASES[name]] if table.least is None else min(RANK[BASES[name]], RANK[table.least])
    assert after == UNKNOWN or RANK[after] >= least


@pytest.mark.parametrize("name", BASES)
def test_the_verdicts_of_the_good_files(name):
    assert verdict(base(name)) == BASES[name]


@pytest.mark.parametrize("damage", DAMAGES, ids=sentence)
@SOMETIMES
@given(name=FILES, data=st.data())
def test_no_damage_gives_a_better_verdict(damage, name, data):
    assert_no_better(name, mutated(data.draw, name, damage))


@OFTEN
@given(
    name=FILES,
    damage=st.sampled_from(DAMAGES),
    other=st.sampled_from([*SAME[:1], *SAME[5:6], *AMBIGUOUS]),
    data=st.data(),
)
def test_no_damage_to_a_file_that_is_written_another_way_gives_a_better_verdict(name, damage, other, data):
    assert_no_better(name, mutated(data.draw, name, damage, other))


@pytest.mark.parametrize("other", SAME, ids=sentence)
@SOMETIMES
@given(name=FILES, data=st.data())
def test_the_same_content_written_another_way_has_the_same_verdict(other, name, data):
    assert verdict(mutated(data.draw, name, other)) == BASES[name]


@OFTEN
@given(name=FILES, others=st.permutations(SAME[:-1]), data=st.data())
def test_the_same_content_written_two_other_ways_has_the_same_verdict(name, others, data):
    assert verdict(mutated(data.draw, name, *others[:2])) == BASES[name]


@pytest.mark.parametrize("other", AMBIGUOUS, ids=sentence)
@SOMETIMES
@given(name=FILES, data=st.data())
def test_a_file_that_may_be_refused_is_read_right_or_refused(other, name, data):
    assert verdict(mutated(data.draw, name, other)) in (BASES[name], UNKNOWN)
