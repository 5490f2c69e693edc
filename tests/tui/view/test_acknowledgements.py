"""Acknowledgements, silences and notes on every pane, and the state of the watcher."""

from dataclasses import replace
from datetime import timedelta

import pytest

from modeltop.core.incident import WatcherHealth
from modeltop.core.series import SeriesKey
from modeltop.core.text import display_width
from modeltop_tui.view.acknowledgements import selected_alert
from modeltop_tui.view.alerts import entries
from modeltop_tui.view.clipboard import model_text
from modeltop_tui.view.header import header_line, watcher_status
from modeltop_tui.view.metrics import metric_cells, metric_rows, table_layout
from modeltop_tui.view.models import model_cells
from modeltop_tui.view.navigation import MOVES, clamp_selection
from modeltop_tui.view.state import ScreenState, Selection, visible_models
from modeltop_tui.view.styled_text import plain_text, to_ascii

F1, ACCURACY, CHURN = 0, 1, 2
"""Indices among the active alerts of the fleet."""


@pytest.fixture
def state_after(make, fleet):
    """The state of the fleet after people did something."""

    def state(selection=None, **handling):
        before = ScreenState(make.handled(fleet, **handling), selection or Selection())
        return replace(before, selection=clamp_selection(before))

    return state


def alert_lines(state, width=60):
    return [plain_text(line).rstrip() for entry in entries(state, width) for line in entry.lines]


def test_who_has_an_alert_since_when_until_when_and_why_stands_below_it(state_after):
    lines = alert_lines(state_after(acknowledged=[F1]))
    assert [line[:12] for line in lines] == ["▲ accuracy 0", "▲✓f1_score 0", "✓ acked by a"]
    assert lines[2] == "✓ acked by ana at 00:03 for 1 day: looking into it"
    both = alert_lines(state_after(acknowledged=[F1, ACCURACY]))
    assert sum("acked" in line for line in both) == 1, "once for an incident"


def test_where_there_is_no_room_for_all_who_has_it_and_why_comes_right_below_the_worst(state_after):
    state = state_after(acknowledged=[F1, ACCURACY])
    lines = [plain_text(line).rstrip() for entry in entries(state, 30, folded=True) for line in entry.lines]
    assert lines[1] == "✓ by ana: looking into it"


def test_why_nobody_is_told_stands_below_the_alert_which_stays_visible(state_after):
    lines = alert_lines(state_after(Selection("churn"), suppressed=[CHURN]), 80)
    assert lines[0].startswith("◆×accuracy 0.910 < 0.92")
    assert lines[1] == "× silenced by ana until 11 Jan 00:03 UTC: looking into it"


@pytest.mark.parametrize(
    ("handling", "shown"),
    [
        pytest.param({}, "▲ fraud", id="nobody did anything"),
        pytest.param({"acknowledged": [F1]}, "▲ fraud", id="one of two is still to be taken"),
        pytest.param({"acknowledged": [F1, ACCURACY]}, "▲✓fraud", id="both are taken"),
        pytest.param({"suppressed": [F1, ACCURACY]}, "▲×fraud", id="nobody is told of either"),
        pytest.param(
            {"acknowledged": [F1, ACCURACY], "suppressed": [F1, ACCURACY]}, "▲×fraud", id="both are taken and silenced"
        ),
        pytest.param({"acknowledged": [F1], "suppressed": [ACCURACY]}, "▲×fraud", id="one of each"),
        pytest.param(
            {"acknowledged": [F1, ACCURACY], "suppressed": [F1]}, "▲✓fraud", id="taken says more than silenced"
        ),
    ],
)
def test_a_model_is_marked_once_each_of_its_alerts_is_taken_care_of(state_after, handling, shown):
    state = state_after(**handling)
    assert plain_text(model_cells(state, "fraud", 31)).split("  ")[0] == shown
    assert plain_text(model_cells(state, "ranker", 31)).split("  ")[0] == "● ranker"


def test_a_metric_is_marked_by_its_own_alerts(state_after):
    table = metric_rows(state_after(acknowledged=[F1], suppressed=[ACCURACY]))
    marks = [plain_text(metric_cells(row, table_layout(table, 60)))[:10].rstrip() for row in table]
    assert marks == ["▲×accuracy", "  precisio", "  recall", "▲✓f1_score", "  confiden"]


def test_in_ascii_the_marks_are_other_signs_of_one_cell():
    assert to_ascii("✓×") == "+x"


@pytest.mark.parametrize(
    ("key", "acknowledged", "expected"),
    [
        pytest.param("f1_score", [], "f1_score", id="the alert of the selected series"),
        pytest.param("accuracy", [], "accuracy", id="whichever that is"),
        pytest.param("recall", [], "f1_score", id="a series without one: the worst of the model"),
        pytest.param("recall", [F1], "accuracy", id="that nobody has"),
        pytest.param("f1_score", [F1], "f1_score", id="its own although it is taken: a gives it back"),
    ],
)
def test_the_key_is_about_the_alert_that_a_person_would_expect(state_after, key, acknowledged, expected):
    state = state_after(Selection("fraud", SeriesKey("fraud", key)), acknowledged=acknowledged)
    assert selected_alert(state).key.metric == expected


def test_a_healthy_model_has_no_alert_to_take(state_after):
    assert selected_alert(state_after(Selection("ranker", SeriesKey("ranker", "accuracy")))) is None
    assert selected_alert(ScreenState()) is None


def test_an_alert_about_the_whole_model_is_about_each_of_its_series(make):
    silent = make.state(make.healthy("search"), now=make.clock + 20 * make.day)
    assert selected_alert(silent).rule == "no-data"


@pytest.mark.parametrize(
    ("acknowledged", "start", "expected"),
    [
        pytest.param([F1], ("churn", "accuracy"), ("fraud", "accuracy"), id="the worst of a model that is not"),
        pytest.param([CHURN], ("churn", "accuracy"), ("fraud", "f1_score"), id="from one that is to the first"),
        pytest.param([CHURN], ("fraud", "f1_score"), ("fraud", "accuracy"), id="of one model alone, to its next"),
        pytest.param([F1, ACCURACY, CHURN], ("fraud", "f1_score"), ("churn", "accuracy"), id="if all are, to the next"),
    ],
)
def test_the_next_problem_is_one_that_nobody_has(state_after, acknowledged, start, expected):
    state = state_after(Selection(start[0], SeriesKey(*start)), acknowledged=acknowledged)
    assert MOVES["problem"](state, 1).key == SeriesKey(*expected)


def test_notes_about_the_model_stand_among_its_alerts_the_newest_first(state_after):
    lines = alert_lines(state_after(notes=[("fraud", "release 2.3"), ("chu*", "not here"), ("*", "prices changed")]))
    assert sorted(line for line in lines if "note" in line) == [
        "  note 00:03 ana: prices changed",
        "  note 00:03 ana: release 2.3",
    ]
    lines = alert_lines(state_after(notes=[("fraud", f"number {at}") for at in range(8)]))
    assert "  and 3 older notes" in lines


def test_what_is_copied_says_who_has_it(state_after, make):
    text = model_text(state_after(acknowledged=[F1]), make.clock)
    assert "  acked by ana at 00:03 for 1 day: looking into it" in text.splitlines()


@pytest.fixture
def watched(make, fleet):
    """The fleet as seen by an app beside a watcher."""

    def snapshot(ago=0, **options):
        at = fleet.clock - timedelta(seconds=ago)
        return replace(fleet, watcher_health=WatcherHealth(at, at, 7, "host", 60.0, **options))

    return snapshot


@pytest.mark.parametrize(
    ("options", "width", "narrow"),
    [
        pytest.param({}, "watch ok", "watch ok", id="all is well"),
        pytest.param({"ago": 150}, "watch ok", "watch ok", id="two cycles late may be a slow disk"),
        pytest.param({"ago": 720}, "watch silent 12m", "watch silent 12m", id="it says nothing any more"),
        pytest.param({"stopped": True, "ago": 9000}, "watch stopped", "watch stopped", id="somebody stopped it"),
        pytest.param({"disabled_receivers": {"pager": ""}}, "pager failing", "pager failing", id="a receiver fails"),
        pytest.param({"disabled_receivers": {"pager": "", "mail": ""}}, "2 failing", "2 failing", id="several do"),
        pytest.param({"error": "state not saved"}, "watch: state not saved", "watch error", id="it cannot remember"),
    ],
)
def test_how_the_watcher_is_stands_in_few_words(watched, options, width, narrow):
    status = watcher_status(watched(**options), 40)
    assert status == (width, "dim" if width == "watch ok" else "critical")
    assert watcher_status(watched(**options), 12)[0] == narrow


def test_where_no_watcher_ever_ran_nothing_is_shown(fleet):
    assert watcher_status(fleet, 40) is None


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_watcher_in_trouble_is_in_the_header_at_every_size_and_one_that_is_well_where_there_is_room(
    watched, make, width
):
    broken, healthy = (ScreenState(watched(**options)) for options in ({"disabled_receivers": {"pager": ""}}, {}))
    lines = [
        header_line(replace(each, selection=clamp_selection(each)), make.clock, width) for each in (broken, healthy)
    ]
    assert "pager failing" in plain_text(lines[0])
    assert ("watch ok" in plain_text(lines[1])) == (width > 60)
    assert all(display_width(plain_text(line)) == width for line in lines)


def test_the_order_of_models_is_that_of_the_snapshot(state_after, fleet):
    assert visible_models(state_after(acknowledged=[F1])) == tuple(verdict.model for verdict in fleet.model_statuses)
