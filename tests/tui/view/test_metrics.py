"""The table of metrics."""

import pytest

from modeltop.core.text import display_width
from modeltop.rules.defaults import default_rules
from modeltop_tui.view.metrics import heading, metric_cells, metric_rows, table_layout
from modeltop_tui.view.styled_text import plain_text


def table_lines(state, width):
    layout = table_layout(metric_rows(state), width)
    return [
        plain_text(heading(layout)),
        *(plain_text(metric_cells(row, layout)) for row in metric_rows(state)),
    ]


def limit_of(state):
    return metric_rows(state)[0].texts["limit"]


def test_the_table_of_the_ten_days(make):
    assert [line.rstrip() for line in table_lines(make.state(*make.ten_days()), 66)] == [
        "                now  limit   vs 9 Jan  vs 3 Jan  vs 1 Jan",
        "▲ accuracy    0.870  < 0.90    -0.020    -0.080    -0.090",
        "  precision   0.850            -0.020    -0.090    -0.100",
        "  recall      0.840            -0.020    -0.090    -0.100",
        "▲ f1_score    0.845  < 0.85    -0.020    -0.090    -0.100",
        "  confidence  0.840            -0.020    -0.090    -0.100",
    ]


def test_in_a_narrow_table_limit_baseline_and_first_period_come_first(make):
    state = make.state(make.series([0.95] * 40 + [0.8] * 4), make.series([0.9] * 40 + [0.7] * 4, metric="recall"))
    assert [line.rstrip() for line in table_lines(state, 46)] == [
        "              now  limit   vs base  vs 1 Jan",
        "▲ accuracy  0.800  < 0.90   -0.150    -0.150",
        "  recall    0.700           -0.200    -0.200",
    ]


def test_the_baseline_of_all_metrics_is_that_before_the_incident(make):
    slid = make.state(make.series([0.95] * 40 + [0.8] * 70), make.series([0.9] * 40 + [0.7] * 70, metric="recall"))
    assert [row.texts.get("reference", "") for row in metric_rows(slid)] == ["-0.150", "-0.200"]
    healthy = make.state(make.series([0.95] * 40 + [0.94]))
    assert [row.texts.get("reference", "") for row in metric_rows(healthy)] == ["-0.010"]


@pytest.mark.parametrize(
    ("series", "limit"),
    [
        pytest.param({"values": [0.95] * 9 + [0.85]}, "< 0.90", id="critical"),
        pytest.param({"values": [0.95] * 10}, "0.90", id="healthy"),
        pytest.param({"values": [0.95] * 10, "provisional": [0] * 9 + [1]}, "provisional", id="not complete yet"),
        pytest.param({"values": [0.5] * 10, "metric": "my-kpi"}, "", id="no rule"),
    ],
)
def test_the_limit_of_the_newest_value(make, series, limit):
    assert limit_of(make.state(make.series(**series))) == limit


@pytest.mark.parametrize(
    ("values", "limit"),
    [([0.95] * 9 + [0.85], "< 0.90 pending"), ([0.95] * 7 + [0.85, 0.85, 0.95], "recovering")],
)
def test_pending_and_recovering_are_shown(make, values, limit):
    assert limit_of(make.state(make.series(values), rules=[make.floor_rule(confirm=(2, 2), recover=2)])) == limit


@pytest.mark.parametrize(("metric", "last", "change"), [("recall", 0.8, "-0.150"), ("log_loss", 1.1, "+0.150")])
def test_an_alert_about_the_past_alone_has_no_limit_but_a_change(make, metric, last, change):
    values = [0.95, 0.94, 0.96] * 10 + [last] * 5
    (row,) = metric_rows(make.state(make.series(values, metric=metric), rules=default_rules()))
    assert (row.severity > 0, row.texts["limit"], row.texts.get("reference", "")) == (True, "", change)


def test_the_support_is_shown_where_it_is_known(make):
    state = make.state(
        make.series([0.95, 0.95], support=[10, 1200]), make.series([0.9], metric="f1_score", rows=[1200])
    )
    assert [row.texts["cases"] for row in metric_rows(state)] == ["1200", "?"]


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


def test_a_first_period_is_not_compared_with_under_two_names(make):
    (row,) = metric_rows(make.state(make.series([0.9, 0.8])))
    assert [name for name in row.headings if row.texts.get(name)] == ["previous"]
