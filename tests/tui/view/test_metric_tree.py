"""Metrics and their segments as a tree."""

from dataclasses import replace

import pytest

from modeltop.core.diagnosis import Diagnosis, SegmentShare, Verdict
from modeltop.core.series import SeriesKey, Severity
from modeltop_tui.view.metric_tree import has_deep_tree, has_few_rows
from modeltop_tui.view.metrics import metric_cells, metric_rows, table_layout
from modeltop_tui.view.navigation import clamp_selection, move_metric, select_series, unfold_segments
from modeltop_tui.view.state import ScreenState, Selection, snapshot_index
from modeltop_tui.view.styled_text import plain_text

METRICS = ("accuracy", "precision", "recall")


@pytest.fixture
def segmented(make):
    """A state of a model with some segments, the first of which, DE, fell; a rule evaluates each series."""

    def state(count, metrics=METRICS, **selection):
        names = ["all", "DE", *(f"S{number:03}" for number in range(1, count))]
        fell = {"all": 0.93, "DE": 0.5}
        lines = [
            make.series([0.95] * 9 + [fell.get(name, 0.95)], metric=metric, segment=name)
            for metric in metrics
            for name in reversed(names)
        ]
        snapshot = make.snapshot(*lines, rules=[make.floor_rule(metric="*", segment="*")])
        state = ScreenState(snapshot, Selection("fraud", **selection))
        return replace(state, selection=clamp_selection(state))

    return state


def at(state, metric, segment="all"):
    return replace(state, selection=select_series(state, "fraud", SeriesKey("fraud", metric, segment)))


def names(state):
    return [row.name for row in metric_rows(state)]


def moved(state, steps):
    return replace(state, selection=move_metric(state, steps))


def table(state, width=46):
    rows = metric_rows(state)
    return [plain_text(metric_cells(row, table_layout(rows, width))).rstrip() for row in rows]


@pytest.mark.parametrize("count", [20, 200])
def test_all_metrics_are_shown_however_many_segments_there_are(segmented, count):
    state = segmented(count)
    assert state.selection.key.segment == "DE"
    assert names(state) == [
        "accuracy ▾", "└DE", f"└{count - 1} more segments: ok", "precision ▸", "recall ▸",
    ]  # fmt: skip


def test_a_closed_metric_has_the_severity_of_its_worst_segment_and_an_open_one_its_own(segmented):
    rows = {row.name: row.severity for row in metric_rows(segmented(20))}
    assert rows == {
        "accuracy ▾": Severity.OK, "└DE": Severity.CRITICAL, "└19 more segments: ok": Severity.OK,
        "precision ▸": Severity.CRITICAL, "recall ▸": Severity.CRITICAL,
    }  # fmt: skip


def test_few_segments_are_all_shown_worst_first(segmented):
    assert names(at(segmented(3), "recall")) == ["accuracy ▸", "precision ▸", "recall ▾", "└DE", "└S002", "└S001"]


def test_a_model_without_segments_has_a_plain_table(make):
    assert names(make.state(*make.ten_days())) == ["accuracy", "precision", "recall", "f1_score", "confidence"]


def test_the_keys_move_over_the_visible_rows(segmented):
    state, seen = at(segmented(20), "accuracy"), []
    for _ in range(5):
        selection = state.selection
        seen.append((selection.key.metric, selection.key.segment, selection.on_hidden))
        state = moved(state, 1)
    assert seen == [
        ("accuracy", "all", False), ("accuracy", "DE", False), ("accuracy", "all", True),
        ("precision", "all", False), ("precision", "DE", False),
    ]  # fmt: skip
    assert moved(at(segmented(20), "precision"), -1).selection.key == SeriesKey("fraud", "accuracy")


def test_hidden_segments_are_listed_from_the_first_of_them_until_another_model_is_selected(segmented):
    state = moved(at(segmented(20), "accuracy"), 2)
    state = replace(state, selection=unfold_segments(state))
    assert (state.selection.key.segment, state.selection.on_hidden) == ("S019", False)
    assert len(names(state)) == 3 + 20
    assert names(at(state, "recall")) == ["accuracy ▸", "precision ▸", "recall ▾", "└DE", "└19 more segments: ok"]
    assert len(names(at(state, "accuracy"))) == 3 + 20
    other = replace(state, selection=replace(state.selection, model="other"))
    assert clamp_selection(other).unfolded == ""


def test_a_hidden_segment_that_was_jumped_to_is_shown(segmented):
    assert names(at(segmented(20), "accuracy", "S007"))[:4] == [
        "accuracy ▾", "└DE", "└S007", "└18 more segments: ok",
    ]  # fmt: skip


def test_segments_that_alert_are_counted_where_there_are_too_many_to_show(make):
    lines = [make.series([0.95] * 9 + [0.5], segment=f"s={number}") for number in range(6)]
    state = make.state(make.healthy("fraud"), *lines, rules=[make.floor_rule(segment="*")])
    assert names(state)[1:] == ["└s=0", "└s=1", "└s=2", "└3 more segments: 3 critical"]


def test_nothing_is_called_ok_that_no_rule_evaluates(make):
    lines = [make.series([0.95, 0.9], segment=f"s={number}") for number in range(6)]
    assert names(make.state(make.healthy("fraud"), *lines))[-1] == "└6 segments"


def test_a_metric_of_features_alone_is_one_row_with_its_worst_feature(make):
    lines = [make.series([0.1] * 9 + [value], metric="psi", segment=f"feature=f{value}") for value in (0.1, 0.2, 0.3)]
    lines += [make.series([0.1], metric="psi", segment=f"feature=g{number}") for number in range(4)]
    state = make.state(*lines, make.healthy("fraud"))
    assert names(at(state, "accuracy")) == ["accuracy", "psi [feature=f0.3] ▸"]
    assert names(at(state, "psi", "feature=f0.3"))[1:] == ["psi [feature=f0.3] ▾", "└6 more features"]


def diagnosed(state, share, metric="accuracy"):
    key = SeriesKey("fraud", metric)
    verdict = Verdict("Accuracy dropped.")
    return replace(
        state, diagnosis=Diagnosis("fraud", Severity.CRITICAL, key, verdict, None, (), (), dominant_segment=share)
    )


def test_the_guilty_segment_is_marked_with_its_part_of_the_drop_where_the_diagnosis_says_so(segmented):
    state = segmented(20)
    assert "%" not in "".join(table(state))
    marked = table(diagnosed(state, SegmentShare("DE", 1.0, -0.02)))
    assert [line for line in marked if "%" in line] == ["▲ └DE          0.500  100 % of drop   -0.450"]
    assert "%" not in "".join(table(diagnosed(state, None)))
    assert "%" not in "".join(table(diagnosed(state, SegmentShare("DE", 1.0, -0.02), "recall")))


def test_a_rise_is_no_drop_and_a_healthy_guilty_segment_is_shown(segmented):
    state = diagnosed(segmented(20), SegmentShare("S005", 0.874, 0.3))
    assert names(state)[:3] == ["accuracy ▾", "└DE", "└S005"]
    assert "87 % of rise" in table(state)[2]


def test_a_table_that_needs_more_than_five_rows_gets_more(segmented, make):
    assert not has_deep_tree(snapshot_index(segmented(20).snapshot))
    assert has_deep_tree(snapshot_index(segmented(20, (*METRICS, "f1_score")).snapshot))
    assert not has_deep_tree(snapshot_index(make.snapshot(*make.ten_days())))


def test_few_metrics_leave_their_lines_to_the_charts(make):
    assert has_few_rows(snapshot_index(make.snapshot(*make.ten_days()[:3])))
    assert not has_few_rows(snapshot_index(make.snapshot(*make.ten_days()[:4])))
    both = [make.series([0.9] * 10, model="pay", segment=name) for name in ("all", "country=DE")]
    assert has_few_rows(snapshot_index(make.snapshot(*both)))
    assert not has_few_rows(snapshot_index(make.snapshot(*both, *make.ten_days())))


@pytest.mark.parametrize("metrics", [METRICS, (*METRICS, "f1_score", "avg_confidence")])
@pytest.mark.parametrize("others", [0, 3])
async def test_at_80x24_all_metrics_and_the_guilty_segment_are_on_the_first_screen(
    segmented, make, run, metrics, others
):
    healthy = [make.healthy(f"m{number}") for number in range(others)]
    state = segmented(200, metrics)
    lines = [*state.snapshot.history.series.values(), *healthy]
    async with run(make.snapshot(*lines, rules=[make.floor_rule(metric="*", segment="*")])) as screen:
        for name in (*(metric.removeprefix("avg_") for metric in metrics), "└DE", "└199 more segments: ok"):
            assert f" {name} " in screen.text


async def test_enter_lists_the_hidden_segments_and_escape_hides_them(segmented, run):
    async with run(segmented(20).snapshot, size=(120, 50)) as screen:
        await screen.press("right")
        assert screen.status_line == "Enter lists all of them"
        await screen.press("enter")
        assert "└S016" in screen.text
        assert screen.selection.key.segment == "S019"
        await screen.press("escape")
        assert "└18 more segments: ok" in screen.text


async def test_a_click_on_the_hidden_segments_puts_the_cursor_there(segmented, run):
    async with run(segmented(20).snapshot) as screen:
        await screen.pilot.click("#metrics", offset=(5, 4))
        assert screen.selection.on_hidden
