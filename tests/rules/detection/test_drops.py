"""Falls beside the oracle: which are judged, which can be, and what counts as late."""

import pytest

from tests.benchmarks.detection.detectors import LASTING, ORACLE
from tests.benchmarks.detection.drops import FAIR, KNOWN, UNKNOWN, Cell, cells, falls, timely
from tests.benchmarks.detection.sampling import INDEPENDENT
from tests.benchmarks.detection.scoring import Score
from tests.benchmarks.detection.simulation import Frame

SUDDEN, _, RECALL = KNOWN


@pytest.mark.parametrize(
    ("scenario", "rows", "judged"),
    [
        pytest.param(SUDDEN, 50, True, id="accuracy rests on all rows"),
        pytest.param(RECALL, 200, False, id="recall on the yes alone, which are sixteen"),
        pytest.param(RECALL, 1000, True, id="which are eighty"),
        pytest.param(UNKNOWN[1], 50, True, id="where the cases are not known, the rows count"),
    ],
)
def test_falls_of_fewer_cases_than_are_judged_are_counted_apart(scenario, rows, judged):
    assert Cell(scenario, Frame(rows=rows)).judged == judged


def test_falls_that_cannot_be_are_left_out():
    found = {(cell.frame.rows, cell.frame.size) for cell in cells(INDEPENDENT, KNOWN[1:2])}
    assert KNOWN[1].classifier == FAIR
    assert (50, 3.0) in found
    assert (50, 8.0) not in found


def test_late_is_what_needs_more_than_three_periods_over_the_median_of_the_oracle():
    found = {
        ORACLE: Score((2, 2, 9), 0, 1.0),
        LASTING: Score((5, 6, None, 1), 0, 1.0),
    }
    assert timely(found, LASTING) == 0.5
    assert timely(found, ORACLE) == pytest.approx(2 / 3)


def test_a_large_fall_is_found_by_both_and_the_histories_are_seeded():
    cell = Cell(SUDDEN, Frame(before=60, after=20, rows=1000, size=8.0))
    once, again = falls(cell, 6), falls(cell, 6)
    assert once[LASTING].delays == again[LASTING].delays
    assert timely(once, LASTING) == timely(once, ORACLE) == 1.0
    assert once[ORACLE].median <= once[LASTING].median
