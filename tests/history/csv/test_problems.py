"""The problems of a file, and how much of it could be read."""

import copy

import pytest

from modeltop.core.series import FaultReason, ReadFault
from modeltop.history.csv.problems import ProblemCollector

GOOD, BAD = "2025-01-{:02d},0.9\n", "soon,0.9\n"


def row_of(day):
    """One row of January; of no day if that is None, of a wrong year if it is a text."""
    if isinstance(day, str):
        return GOOD.format(9).replace("2025", day)
    return BAD if day is None else GOOD.format(day)


@pytest.mark.parametrize(
    ("rows", "counts"),
    [
        pytest.param([1, 2, 3], (3, 0, False), id="all rows are read"),
        pytest.param([1, None, 3], (2, 1, False), id="a row in the middle is lost"),
        pytest.param([1, 2, None], (2, 1, True), id="the last row is lost, which is the newest"),
        pytest.param([3, 2, None], (2, 1, False), id="the last row is lost, and the newest one comes first"),
        pytest.param([None, 3, 2], (2, 1, True), id="the first row is lost, which is the newest"),
        pytest.param([None, None], (0, 2, True), id="no row is read"),
        pytest.param([1, 2, "20255"], (2, 1, False), id="one mistyped year is a row of the future"),
        pytest.param([1, 2, "20255", "20255"], (2, 2, True), id="two are none"),
        pytest.param(["20255"], (0, 1, True), id="nor is the only row"),
    ],
)
def test_a_file_says_how_many_rows_were_lost_and_whether_the_newest_was(history_folder, rows, counts):
    history = history_folder.read("date,accuracy\n" + "".join(map(row_of, rows)))
    (summary,) = history.files
    assert (summary.rows_read, summary.rows_lost, summary.newest_lost) == counts
    assert summary.models == (("m",) if counts[0] else ())


def test_a_fault_of_a_column_is_a_problem_and_part_of_the_summary_once():
    collector = ProblemCollector("m.csv")
    fault = ReadFault(FaultReason.COLUMN_REFUSED, "column `date`: day or month first", "date", 2)
    for _ in range(2):
        collector.fault(fault)
    assert copy.deepcopy(collector).summary(["m"], None, newest_first=False, counts={}).faults == (fault,)
    assert [str(problem) for problem in collector.problems()] == ["m.csv:2: column `date`: day or month first"]
