"""The rows of periods."""

from dataclasses import replace

import numpy as np
import pytest

from modeltop.core.series import SeriesKey, Severity
from modeltop.core.text import display_width
from modeltop_tui.view.periods import PeriodRows, period_rows
from modeltop_tui.view.state import Selection, snapshot_index
from modeltop_tui.view.styled_text import plain_text


@pytest.fixture
def periods(make):
    """The rows of the selected series."""

    def rows(*series, words="", metric=None, **options):
        selection = Selection(series[0].key.model, series[0].key._replace(metric=metric or series[0].key.metric))
        return period_rows(make.state(*series, selection=selection, **options), words)

    return rows


def lines(rows):
    return [[(text := plain_text(row.line))[:6].strip(), *text[6:].split()] for row in rows]


def dates(rows):
    return [int(line[0].split()[0]) for line in lines(rows)]


def test_periods_come_newest_first_with_count_change_and_interval(periods, make):
    series = make.series([0.95, 0.85], support=[100, 200], low=[0.9, 0.8], high=[0.97, 0.9])
    assert lines(periods(series)) == [
        ["2 Jan", "▲0.850", "200", "-0.100", "0.800", "to", "0.900"],
        ["1 Jan", "0.950", "100", "0.900", "to", "0.970"],
    ]


def test_the_selected_metric_comes_first_and_the_others_follow(periods, make):
    rows = periods(*make.ten_days(), metric="recall")
    assert plain_text(rows.heading(99)).split()[:4] == ["period", "recall", "change", "accuracy"]
    assert lines(rows)[0][:2] == ["10 Jan", "0.840"]
    assert lines(rows)[0][-4:] == ["▲0.870", "0.850", "▲0.845", "0.840"]


def test_a_period_is_marked_by_the_alerts_of_rules_without_limits(make):
    """A drop below a baseline crosses no fixed limit: only its alert tells when it was."""
    state = make.state(*make.ten_days())
    alert = next(alert for alert in state.snapshot.alerts if alert.key.metric == "accuracy")
    older = replace(alert, rule="shift", since=make.start + 2 * make.day, resolved=make.start + 4 * make.day)
    newer = replace(alert, rule="shift", since=make.start + 6 * make.day, severity=Severity.WARNING)
    rows = PeriodRows(snapshot_index(replace(state.snapshot, alerts=(older, newer))), alert.key)
    assert "".join(line[1][0] for line in lines(rows)) == "▲▲◆◆00▲▲00"


def test_a_warning_is_no_critical_period_though_the_alert_became_critical(make):
    state = make.state(*make.ten_days(), rules=[make.floor_rule(warn=0.92)])
    rows = PeriodRows(snapshot_index(state.snapshot), SeriesKey("fraud", "accuracy"))
    assert "".join(line[1][0] for line in lines(rows)) == "▲▲◆◆000000"


def test_a_column_that_no_period_fills_is_left_out(periods, make):
    """A mean of known support has no known interval."""
    rows = periods(make.series([0.9, 0.8], metric="avg_confidence", support=[9, 9]))
    assert plain_text(rows.heading(99)).split() == ["period", "confidence", "n", "change"]


def test_a_period_that_a_metric_does_not_have_is_a_dash(periods, make):
    rows = periods(make.healthy("a"), make.series([0.1], model="a", metric="psi", days=[3]))
    assert lines(rows)[0] == ["10 Jan", "0.950", "0.000", "-"]
    assert lines(rows)[7] == ["3 Jan", "0.950", "0.000", "0.100"]


def test_columns_are_as_wide_as_their_headings(periods, make):
    rows = periods(*make.ten_days(), make.series([1.0], metric="宽" * 40))
    assert len({display_width(plain_text(cells).rstrip()) for cells in (rows[0].line, rows[9].line)}) == 1
    assert plain_text(rows.heading(300)).rstrip().endswith("…")


@pytest.mark.parametrize(
    ("words", "days"),
    [
        ("", list(range(10, 0, -1))),
        ("crit", [10, 9]),
        ("status:crit", [10, 9]),
        ("! !status:crit >0.95", [2, 1]),
        ("!critical", [8, 7, 6, 5, 4, 3, 2, 1]),
        ("<0.9", [10, 9]),
        ("acc>0.95", [2, 1]),
        ("recall<0.85", [10]),
        ("nothing<1", []),
        ("2025-01-0 !<0.95", [3, 2, 1]),
        ("CRIT <.88", [10]),
        ("jan <.88", [10]),
        ("zz", []),
    ],
)
def test_a_filter_has_words_for_dates_severities_and_values(periods, make, words, days):
    assert dates(periods(*make.ten_days(), words=words)) == days


def test_a_period_opens_to_its_other_metrics_and_to_its_segments_worst_first(periods, make):
    segments = [
        make.series([0.9, value], segment=f"country={name}", support=[9, 5])
        for name, value in (("FR", 0.9), ("DE", 0.5))
    ]
    rows = periods(make.series([0.9, 0.8], support=[20, 10]), make.series([0.7, 0.6], metric="recall"), *segments)
    assert [plain_text(line).split()[:5] for line in rows[0].unfold()[1:]] == [
        ["also", "value", "n", "change", "95"],
        ["recall", "0.600", "?", "-0.100"],
        ["accuracy", "[country=DE]", "0.500", "5", "-0.400"],
        ["accuracy", "[country=FR]", "0.900", "5", "0.000"],
    ]


def test_of_many_segments_the_worst_are_shown_and_the_rest_is_counted(periods, make):
    segments = [make.series([n / 100], segment=f"s={n}") for n in range(30)]
    shown = [plain_text(line) for line in periods(make.series([0.9]), *segments)[0].unfold()]
    assert "[s=0]" in shown[2]
    assert shown[-1].strip() == "and 18 more segments"


def test_a_row_of_many_periods_is_made_only_when_it_is_shown(make):
    """A hundred thousand periods cost an array each, not a line each."""
    series = make.series(np.full(100_000, 0.95))
    rows = period_rows(make.state(series, selection=Selection("fraud", SeriesKey("fraud", "accuracy"))))
    assert len(rows) == 100_000
    assert "_lines" not in vars(rows)
    assert plain_text(rows[99_999].line).startswith("1 Jan 2025")


def test_periods_of_one_minute_are_told_apart_and_those_of_today_have_no_date(periods, make):
    def at(seconds):
        times = np.datetime64("2025-01-02", "us") + np.asarray(seconds) * np.timedelta64(1, "s")
        return periods(replace(make.series([0.95] * len(seconds)), times=times.astype("datetime64[us]")))

    rows = at([-40, -20, 0, 20, 40, 60])
    assert [plain_text(row.line).split("0.950")[0].strip() for row in rows] == [
        "00:01:00", "00:00:40", "00:00:20", "00:00:00", "1 Jan 23:59:40", "1 Jan 23:59:20",
    ]  # fmt: skip
    hours = at([-3600, 0, 3600])
    assert [plain_text(row.line).split("0.950")[0].strip() for row in hours] == ["01:00", "00:00", "1 Jan 23:00"]
