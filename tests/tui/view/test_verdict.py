"""What, why and what to do, above the panes."""

from dataclasses import replace

import pytest

from modeltop.core.diagnosis import Diagnosis, Verdict
from modeltop.core.series import Severity
from modeltop_tui.view.state import ScreenState
from modeltop_tui.view.styled_text import plain_text
from modeltop_tui.view.verdict import HEIGHT, summary_lines, verdict_lines

WHAT = "Accuracy dropped overnight on 26 Jun, 0.951→0.816; 0.846 now."


@pytest.fixture
def diagnosed(make):
    """The state of one model, or of two, with a verdict."""

    def state(*others, what=WHAT, why="Cause unclear.", do="Check what shipped."):
        before = make.state(*make.ten_days(), *others)
        verdict = Verdict(what, why, do)
        return replace(before, diagnosis=Diagnosis("fraud", Severity.CRITICAL, None, verdict, None, (), ()))

    return state


def texts(state, width=80):
    return [plain_text(line).rstrip() for line in verdict_lines(state, width)]


def test_each_sentence_has_a_line(diagnosed):
    assert texts(diagnosed()) == [f"▲ What {WHAT}", "  Why  Cause unclear.", "  Do   Check what shipped."]


def test_in_a_fleet_the_model_is_named(diagnosed, make):
    assert texts(diagnosed(make.healthy("ranker")))[0] == f"▲ What fraud: a{WHAT[1:]}"


@pytest.mark.parametrize("metric", ["RMSE", "Trefferquote"])
def test_in_a_fleet_the_name_of_a_metric_is_written_as_it_is(diagnosed, make, metric):
    state = diagnosed(make.healthy("ranker", metric="Trefferquote"), what=f"{metric} jumped overnight.")
    assert texts(state)[0] == f"▲ What fraud: {metric} jumped overnight."


def test_only_what_happened_is_bold(diagnosed):
    roles = [[role for _, role in line] for line in verdict_lines(diagnosed(), 80)]
    assert roles == [["critical", "dim", "worst"], ["", "dim", ""], ["", "dim", ""]]


def test_a_first_sentence_that_is_too_long_by_its_last_clause_is_shown_without_it(diagnosed, make):
    sentence = "Accuracy has slid since late April, 0.957→0.857; below 0.90 for 41 days, and more."
    assert texts(diagnosed(make.healthy("ranker"), what=sentence)) == [
        "▲ What fraud: accuracy has slid since late April, 0.957→0.857.",
        "  Why  Cause unclear.",
        "  Do   Check what shipped.",
    ]


@pytest.mark.parametrize(
    ("why", "shown"),
    [
        ("Possible concept drift: confidence fell half as much, 0.95→0.90.", "  Why  Possible concept drif"),
        ("", ""),
    ],
)
def test_what_to_do_is_whole_where_the_reason_has_to_share_its_line(diagnosed, make, why, shown):
    what = "Recall has slid since April, 0.718→0.472, while precision rose 0.712→0.832."
    *_, last = texts(diagnosed(make.healthy("ranker"), what=what, why=why, do="Check labels and inputs by hand."))
    assert last.startswith(shown)
    assert last.endswith("Do   Check labels and inputs by hand.")
    assert len(last) <= 80


def test_a_long_first_sentence_takes_a_line_from_the_others_which_share_one(diagnosed, make):
    sentence = "Recall has slid since April, 0.718→0.472, while precision rose 0.712→0.832."
    assert texts(diagnosed(make.healthy("ranker"), what=sentence)) == [
        "▲ What fraud: recall has slid since April, 0.718→0.472, while precision rose",
        "       0.712→0.832.",
        "  Why  Cause unclear.  Do   Check what shipped.",
    ]


def test_a_healthy_model_is_ok(diagnosed, make):
    ok = "ok: all 5 metrics within limits and baseline."
    shown = texts(diagnosed(make.healthy("ranker"), what=ok, why="", do=""))
    assert shown == ["▲ What fraud is ok: all 5 metrics within limits and baseline.", "", ""]


@pytest.mark.parametrize(
    ("max_lines", "shown"),
    [
        pytest.param(4, ["▲ It fell", "overnight.", "Why  Unclear.", "Do   Check it."], id="all of it"),
        pytest.param(3, ["▲ It fell", "overnight.", "Do   Check it."], id="without the reason"),
        pytest.param(2, ["▲ It fell", "overnight."], id="what happened"),
        pytest.param(1, [], id="not half a sentence"),
        pytest.param(-2, [], id="no room"),
    ],
)
def test_where_room_is_short_whole_sentences_are_left_out(diagnosed, max_lines, shown):
    state = diagnosed(what="It fell overnight.", why="Unclear.", do="Check it.")
    assert [plain_text(line) for line in summary_lines(state, 15, max_lines)] == shown


def test_where_a_line_each_does_not_fit_the_sentences_are_one_text_with_their_names(diagnosed):
    state = diagnosed(what="It fell overnight.", why="Unclear.", do="Check it.")
    assert [plain_text(line) for line in summary_lines(state, 32, 2)] == [
        "▲ It fell overnight. Why",
        "Unclear. Do Check it.",
    ]
    assert not summary_lines(state, 32, 1, only_whole=True)
    assert [plain_text(line) for line in summary_lines(state, 32, 1)] == ["▲ It fell overnight."]


def test_until_there_is_a_diagnosis_the_status_is_shown(make):
    assert texts(make.state(*make.ten_days()))[:2] == [
        "▲ What f1_score 0.845 < 0.85 for 1 day, since 10 Jan",
        "  Why  analyzing...",
    ]
    assert texts(ScreenState()) == [""] * HEIGHT
