"""The table of metrics."""

import pytest

from modeltop.core.text import display_width
from modeltop.rules.defaults import default_rules
from modeltop_tui.view.metrics import column_widths, heading, metric_cells, metric_rows
from modeltop_tui.view.styled_text import plain_text


def table_lines(state, width):
    widths = column_widths(metric_rows(state), width)
    return [
        plain_text(heading(widths)),
        *(plain_text(metric_cells(row, widths, selected=False)) for row in metric_rows(state)),
    ]


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
def test_pending_and_recovering_are_shown(make, values, rule):
    state = make.state(make.series(values), rules=[make.floor_rule(confirm=(2, 2), recover=2)])
    assert metric_rows(state)[0].rule == rule


@pytest.mark.parametrize(("metric", "last", "rule"), [("recall", 0.8, "fell WARN"), ("log_loss", 1.1, "rose WARN")])
def test_what_is_about_the_past_alone_is_shown_without_a_limit(make, metric, last, rule):
    values = [0.95, 0.94, 0.96] * 10 + [last] * 5
    state = make.state(make.series(values, metric=metric), rules=default_rules())
    assert metric_rows(state)[0].rule == rule


def test_a_default_limit_that_does_not_fit_the_model_is_named(make):
    assert metric_rows(make.state(make.series([0.5] * 10), rules=default_rules()))[0].rule == "no default limit"


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
