"""The charts of all metrics of a model."""

from dataclasses import replace

import pytest

from modeltop.core.series import SeriesKey
from modeltop_tui.view.multiples import figure_grid, figure_heading, grid_title
from modeltop_tui.view.state import ALL_TIME, Selection
from modeltop_tui.view.styled_text import plain_text


def metrics_of(grid):
    return [" ".join(key.metric for key in figure.keys) for figure in grid.figures]


def test_side_by_side_a_family_shares_a_chart_and_the_border_names_them(make):
    grid = figure_grid(make.state(*make.ten_days()), 78, 6)
    assert metrics_of(grid) == ["accuracy", "precision recall f1_score", "avg_confidence"]
    assert (grid.columns, grid.width, grid.is_row) == (3, 25, True)
    assert [text for text in grid_title(grid).split("─") if text] == [
        "accuracy, 10 days", "1 prec 2 rec 3 F1", "confidence",
    ]  # fmt: skip


def test_where_there_is_room_each_metric_has_a_chart_on_one_time_axis(make):
    state = make.state(*make.ten_days())
    grid = figure_grid(state, 118, 20)
    assert metrics_of(grid) == ["accuracy", "precision", "recall", "f1_score", "avg_confidence"]
    assert len({(figure.chart.start, figure.chart.end) for figure in grid.figures}) == 1
    assert grid_title(grid) == "All metrics, 10 days"
    assert plain_text(figure_heading(grid.figures[0], state, 40)).rstrip() == "accuracy ▲ 0.870    limit 0.90"


def test_the_cursor_reads_every_chart(make):
    state = make.state(*make.ten_days())
    at = replace(state, selection=replace(state.selection, cursor=(make.start + 8 * make.day).timestamp()))
    headings = [plain_text(figure_heading(figure, at, 40)).split()[:4] for figure in figure_grid(at, 118, 20).figures]
    assert headings[0] == ["accuracy", "▲", "0.890", "-0.010"]
    assert headings[3] == ["f1_score", "0.865", "-0.015", "limit"]


def test_the_full_history_is_beside_a_part_of_it(make):
    state = make.state(make.series([0.95] * 176 + [0.8] * 4))
    grid = figure_grid(state, 118, 20)
    assert [figure.chart.title for figure in grid.figures] == ["accuracy, last 28 of 180 days", "accuracy, 180 days"]
    everything = replace(state, selection=replace(state.selection, time_window=ALL_TIME))
    assert figure_grid(everything, 118, 20) is None, "one chart needs no grid"


def test_a_selected_segment_is_beside_the_metrics_of_the_model(make):
    values = [0.95] * 176 + [0.8] * 4
    segment = make.series(values, segment="country=DE")
    state = make.state(make.series(values), segment, selection=Selection("fraud", segment.key))
    titles = [figure.chart.title for figure in figure_grid(state, 118, 20).figures]
    assert titles == [
        "accuracy, last 28 of 180 days",
        "accuracy [country=DE], last 28 of 180 days",
        "accuracy [country=DE], 180 days",
    ]
    title = grid_title(figure_grid(state, 118, 6))
    assert [text for text in title.split("─") if text] == [titles[0], "accuracy [country=DE]", titles[2]]


@pytest.mark.parametrize("metric", ["kpi-0", "kpi-9", "kpi-19"])
def test_of_many_metrics_the_selected_one_is_shown(make, metric):
    lines = [make.series([0.9, 0.8], metric=f"kpi-{number}") for number in range(20)]
    state = make.state(*lines, selection=Selection("fraud", SeriesKey("fraud", metric)))
    grid = figure_grid(state, 78, 14)
    assert len(grid.figures) == 6
    assert metric in metrics_of(grid)


@pytest.mark.parametrize("size", [(40, 20), (78, 5)])
def test_without_room_for_two_there_is_no_grid(make, size):
    assert figure_grid(make.state(*make.ten_days()), *size) is None


@pytest.mark.parametrize("size", [(200, 35), (120, 30), (100, 27)])
def test_the_charts_fill_the_pane(make, size):
    width, height = size
    grid = figure_grid(make.state(*make.ten_days()), width, height)
    rows = list(grid.rows())
    assert sum(row_height for _, _, row_height in rows) == height
    assert all(width - len(figures) < len(figures) * (own + 1) <= width + 1 for figures, own, _ in rows)
    assert [figure for figures, _, _ in rows for figure in figures] == list(grid.figures)


def test_a_title_that_does_not_fit_has_no_extent(make):
    series = [make.series([0.95] * 180, metric=name) for name in ("accuracy", "balanced_accuracy", "kpi")]
    names = grid_title(figure_grid(make.state(*series), 78, 8))
    assert names.startswith("accuracy─")
    assert "…" not in names
