"""The panes' lines: models, metrics, alerts, changes."""

import pytest

from modeltop.core.series import ReadProblem, SeriesKey
from modeltop.core.text import display_width
from modeltop.rules.rule import default_rules
from modeltop_tui.view.alerts import entries
from modeltop_tui.view.changes import change_lines
from modeltop_tui.view.metrics import column_widths, heading, metric_cells, metric_rows
from modeltop_tui.view.models import empty_list_message, model_cells
from modeltop_tui.view.state import ScreenState, Selection, SortOrder, visible_models
from modeltop_tui.view.styled_text import plain_text


def table_lines(state, width):
    widths = column_widths(metric_rows(state), width)
    return [
        plain_text(heading(widths)),
        *(plain_text(metric_cells(row, widths, selected=False)) for row in metric_rows(state)),
    ]


def alert_lines(state, width=30):
    return [plain_text(line).rstrip() for entry in entries(state, width) for line in entry.lines]


def test_each_model_has_a_shape_and_a_word_worst_first(make, fleet):
    state = ScreenState(fleet)
    assert [plain_text(model_cells(state, model)) for model in visible_models(state)] == [
        "▲CRIT fraud",
        "◆WARN churn",
        "●     ranker",
    ]


def test_a_wide_list_says_what_is_wrong_too(fleet):
    lines = [plain_text(model_cells(ScreenState(fleet), model, 60)) for model in visible_models(ScreenState(fleet))]
    assert lines == [
        "▲CRIT fraud  f1_score 0.845 < 0.85 for 1 period, since 2025-01-10",
        "◆WARN churn  accuracy 0.91 < 0.92 for 2 periods, since 2025-01-09",
        "●     ranker",
    ]


@pytest.mark.parametrize(
    ("selection", "models"),
    [
        pytest.param({}, ["fraud", "churn", "ranker"], id="worst first"),
        pytest.param({"filter": "R"}, ["fraud", "churn", "ranker"], id="the filter minds no case"),
        pytest.param({"filter": "ra"}, ["fraud", "ranker"], id="the filter looks anywhere in the name"),
        pytest.param({"problems_only": True}, ["fraud", "churn"], id="problems only"),
        pytest.param({"sort": SortOrder.NAME}, ["churn", "fraud", "ranker"], id="by name"),
    ],
)
def test_which_models_are_listed(fleet, selection, models):
    assert list(visible_models(ScreenState(fleet, Selection(**selection)))) == models


def test_the_oldest_data_can_come_first(make):
    old = make.series([0.95] * 3, model="old")
    state = make.state(*make.ten_days(), old, selection=Selection(sort=SortOrder.STALE))
    assert visible_models(state)[0] == "old"


@pytest.mark.parametrize(
    ("selection", "why"),
    [
        (Selection(filter="zzz"), "no model has zzz in its name: / changes the filter"),
        (Selection(problems_only=True), "no problems: ! shows all models"),
    ],
)
def test_an_empty_list_says_why(make, selection, why):
    assert empty_list_message(make.state(make.healthy("ranker"), selection=selection)) == why


def test_no_rows_at_all_are_said(make):
    assert empty_list_message(make.state()) == "no models: no rows were found"


def test_the_table_of_the_ten_days(make):
    assert [line.rstrip() for line in table_lines(make.state(*make.ten_days()), 60)] == [
        "  metric          latest  Δ prev  Δ first     n  rule",
        "▲ accuracy         0.870  -0.020   -0.090     ?  < 0.90 CRIT",
        "  precision        0.850  -0.020   -0.100     ?",
        "  recall           0.840  -0.020   -0.100     ?",
        "▲ f1_score         0.845  -0.020   -0.100     ?  < 0.85 CRIT",
        "  avg_confidence   0.840  -0.020   -0.100     ?",
    ]


@pytest.mark.parametrize(
    ("series", "rule"),
    [
        pytest.param({"values": [0.95] * 9 + [0.85]}, "< 0.90 CRIT", id="critical"),
        pytest.param({"values": [0.95] * 10}, "not < 0.90", id="healthy"),
        pytest.param({"values": [0.5] * 10}, "left out", id="a default floor that does not fit the model"),
        pytest.param({"values": [0.95] * 10, "provisional": [0] * 9 + [1]}, "provisional", id="not complete yet"),
        pytest.param({"values": [0.5] * 10, "metric": "my-kpi"}, "", id="nobody asks"),
    ],
)
def test_what_the_rules_say_of_the_newest_value(make, series, rule):
    assert metric_rows(make.state(make.series(**series)))[0].rule == rule


@pytest.mark.parametrize(
    ("values", "rule"),
    [([0.95] * 9 + [0.85], "< 0.90 pend"), ([0.95] * 7 + [0.85, 0.85, 0.95], "recovering")],
)
def test_pending_and_recovering_are_said(make, values, rule):
    state = make.state(make.series(values), rules=[make.floor_rule(confirm=(2, 2), recover=2)])
    assert metric_rows(state)[0].rule == rule


@pytest.mark.parametrize(("metric", "last", "rule"), [("recall", 0.8, "fell WARN"), ("log_loss", 1.1, "rose WARN")])
def test_what_is_about_the_past_alone_is_said_without_a_limit(make, metric, last, rule):
    values = [0.95, 0.94, 0.96] * 10 + [last] * 5
    state = make.state(make.series(values, metric=metric), rules=default_rules())
    assert metric_rows(state)[0].rule == rule


def test_the_support_is_shown_where_it_is_known(make):
    state = make.state(
        make.series([0.95, 0.95], support=[10, 1200]), make.series([0.9], metric="f1_score", rows=[1200])
    )
    assert [row.numbers[3] for row in metric_rows(state)] == ["1200", "?"]


@pytest.mark.parametrize("width", [20, 38, 60, 74, 92, 120, 298])
def test_no_number_of_the_table_is_ever_clipped(make, width):
    lines = [make.series([123456.789, 0.0004], metric="my-kpi"), *make.ten_days()]
    shown = table_lines(make.state(*lines), width)
    assert all(display_width(line) <= width for line in shown)
    assert not any("…" in line[2 + 8 :] and "…" not in line[: line.index("…") + 1] for line in shown)
    assert all(text.split()[0] for text in shown)


def test_sparks_are_there_where_there_is_room(make):
    state = make.state(*make.ten_days())
    assert "history" not in table_lines(state, 60)[0]
    assert "history" in table_lines(state, 92)[0]
    assert "█" in table_lines(state, 92)[1]


def test_a_segment_stands_beside_its_metric(make):
    state = make.state(make.series([0.9, 0.8], segment="country=DE"))
    assert metric_rows(state)[0].name == "accuracy [country=DE]"


def test_alerts_are_followed_by_the_rules_that_hold_and_the_other_models(make, fleet):
    state = ScreenState(fleet, Selection(model="churn", key=SeriesKey("churn", "accuracy")))
    assert alert_lines(state, 60) == [
        "◆ accuracy 0.91 < 0.92",
        "  2 periods, since Jan 9",
        "▲ fraud: f1_score 0.845 < 0.85",
        "  1 period, since Jan 10",
        "▲ fraud: accuracy 0.87 < 0.90",
        "  4 periods, since Jan 7",
    ]


def test_a_rule_that_holds_is_said_too(make):
    assert alert_lines(make.state(make.healthy("ranker")), 60) == ["● accuracy 0.95: healthy, not below 0.90"]


def test_a_rule_that_was_left_out_is_said_with_the_reason(make):
    text = " ".join(alert_lines(make.state(make.series([0.5] * 10))))
    assert "accuracy 0.50: left out" in text


def test_pending_is_told_apart_from_an_alert(make):
    state = make.state(make.series([0.95] * 9 + [0.85]), rules=[make.floor_rule(confirm=(2, 2))])
    assert alert_lines(state, 60) == ["  accuracy 0.85 < 0.90", "  pending: 1 period, since Jan 10"]


def test_a_silent_model_and_a_source_that_cannot_be_read_are_alerts(make):
    broken = ReadProblem("gone.csv", "no such file; check the path", fatal=True)
    state = make.state(make.series([0.95] * 5), now=make.clock, problems=[broken])
    text = " ".join(alert_lines(state, 90))
    assert "○ fraud: no rows for 5d" in text
    assert text.count("no such file; check the path") == 1


def test_the_year_is_said_where_it_is_not_this_one(make):
    state = make.state(*make.ten_days(), clock=make.clock + 400 * make.day)
    assert "  2 periods, since 2025-01-09" in alert_lines(state)


def test_a_bad_row_is_listed_with_its_line_and_reason(make):
    state = make.state(make.healthy("a"), problems=[ReadProblem("a.csv", "'x' is no number", line=17)])
    assert "a.csv:17: 'x' is no number" in alert_lines(state, 60)


def test_what_an_estimate_takes_for_granted_stands_beside_it(make):
    for metric, shown in (("estimated_accuracy", True), ("accuracy", False)):
        lines = change_lines(make.state(make.series([0.95, 0.94], metric=metric)), 60)
        assert ("concept drift" in " ".join(map(plain_text, lines))) is shown


def test_changes_tell_what_may_be_chance_from_what_may_not(make):
    series = make.series([0.9] * 9 + [0.6], support=[1000] * 9 + [10])
    lines = [plain_text(line).rstrip() for line in change_lines(make.state(series), 60)]
    assert lines[0] == "accuracy 0.60 < 0.90 for 1 period, since 2025-01-10"
    assert "prev  0.900→0.600 -0.300 [-0.588, -0.067]" in lines
    few = make.series([0.9] * 9 + [0.8], support=[1000] * 9 + [10])
    assert any("chance?" in plain_text(line) for line in change_lines(make.state(few), 60))


def test_the_ten_days_fell_by_nine_points_without_dust(make):
    state = make.state(*make.ten_days(), selection=Selection(model="fraud", key=SeriesKey("fraud", "accuracy")))
    lines = [plain_text(line).rstrip() for line in change_lines(state, 30)]
    assert "first 0.960→0.870 -0.090" in lines
    assert "7 d   0.950→0.870 -0.080" in lines


@pytest.mark.parametrize("width", [10, 30, 46, 80])
def test_no_line_of_a_pane_is_too_wide(make, width):
    state = make.state(make.series([0.9] * 9 + [0.6], support=[1000] * 10, model="a-model-with-a-long-name"))
    lines = [line for entry in entries(state, width) for line in entry.lines]
    assert all(display_width(plain_text(line)) <= max(width, 14) for line in lines)
