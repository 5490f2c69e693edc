"""The changes of the selected series."""

from modeltop.core.series import SeriesKey
from modeltop_tui.view.changes import change_lines, changes_title
from modeltop_tui.view.state import Selection
from modeltop_tui.view.styled_text import plain_text


def test_the_assumption_of_an_estimate_stands_beside_it(make):
    for metric, shown in (("estimated_accuracy", True), ("accuracy", False)):
        lines = change_lines(make.state(make.series([0.95, 0.94], metric=metric)), 60)
        assert ("concept drift" in " ".join(map(plain_text, lines))) is shown


def test_changes_that_are_not_significant_are_marked(make):
    series = make.series([0.9] * 9 + [0.6], support=[1000] * 9 + [10])
    lines = [plain_text(line).rstrip() for line in change_lines(make.state(series), 60)]
    assert "9 Jan    0.900→0.600    -0.300 [-0.588, -0.067]" in lines
    few = make.series([0.9] * 9 + [0.8], support=[1000] * 9 + [10])
    assert any("(not significant)" in plain_text(line) for line in change_lines(make.state(few), 70))
    assert any(("  -0.100", "dim") in line for line in change_lines(make.state(few), 30)), "dim where it is narrow"


def test_the_ten_days_fell_by_nine_points_without_dust(make):
    state = make.state(*make.ten_days(), selection=Selection(model="fraud", key=SeriesKey("fraud", "accuracy")))
    lines = [plain_text(line).rstrip() for line in change_lines(state, 30)]
    assert "1 Jan    0.960→0.870    -0.090" in lines
    assert "7 days   0.950→0.870    -0.080" in lines
    assert changes_title(state) == "Changes of accuracy"


def test_the_baseline_of_an_incident_is_that_of_every_other_surface(make):
    state = make.state(make.series([0.95] * 40 + [0.85] * 30))
    (incident,) = state.snapshot.incidents
    assert any(plain_text(line).startswith("baseline 0.950→0.850") for line in change_lines(state, 30))
    assert incident.before == 0.95


def test_no_number_is_clipped_and_one_earlier_period_is_one_change(make):
    months = [31 * month for month in range(14)]
    state = make.state(make.series([0.58] * 13 + [0.733], days=months))
    for width, values in ((30, "0.580→0.733"), (28, "")):
        lines = [plain_text(line).rstrip() for line in change_lines(state, width)]
        changed = [line for line in lines if line.endswith("+0.153")]
        assert len(changed) == 2, "not those of 7 and of 30 days ago, which are the previous period"
        assert all(len(line) <= width and values in line for line in changed)
