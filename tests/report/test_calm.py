"""Models without an alert, as `check` tells them."""

import pytest

from modeltop.core.series import ModelStatus, Severity
from modeltop.report.index import build_index
from modeltop.report.text_report import DETAILED, MAX_SHOWN, healthy_section, text_summary
from modeltop.rules.label_coverage import LabelCoverage, LabelState

FINE = "accuracy 0.95: healthy, not below 0.90"
YOUNG = "accuracy 0.95: too little history, 3 earlier periods of 10"
LATE = "accuracy 0.5 on 4 cases: not judged, fewer than 30; before it 0.95: healthy, not below 0.90"
UNJUDGED = "accuracy 0.5 on 4 cases: not judged, fewer than 30"


def told(look, models, **changes):
    """What is said of models, each given with the sentences of its rules."""
    quiet = [
        (model, "fall" if said is YOUNG else "floor", "accuracy", said)
        for model, some in models.items()
        for said in some
    ]
    snapshot = look(quiet=quiet, models=tuple(models), **changes)
    return list(healthy_section(snapshot.verdicts, build_index(snapshot)))


@pytest.mark.parametrize(
    ("sentences", "line"),
    [
        pytest.param([FINE, FINE], "● ok    a, b: healthy, 4 rules hold", id="healthy"),
        pytest.param([FINE, YOUNG], "● ok    a, b: healthy, 2 rules hold", id="some rules have too little history"),
        pytest.param([YOUNG], "●       a, b: too little history to judge", id="all of them have"),
        pytest.param([], "●       a, b: no rule judges them", id="no rule"),
    ],
)
def test_models_of_a_kind_share_a_line(look, sentences, line):
    assert told(look, {"a": sentences, "b": sentences}) == [line]


def test_where_the_newest_period_is_not_judged_it_is_said(look):
    said = " ".join(" ".join(told(look, {"a": [LATE], "b": [LATE]})).split())
    assert said == "● ok a, b: healthy before the newest period, which is not judged, 2 rules hold"


def test_a_model_of_a_kind_of_its_own_has_a_line_of_its_own(look):
    assert told(look, {"a": [FINE], "b": [UNJUDGED], "c": [YOUNG]}) == [
        "● ok    b stands so",
        "● ok    a stands so",
        "● ok    c stands so",
    ]


def test_what_labels_are_missing_is_never_lost_in_a_crowd(look):
    news = LabelCoverage(LabelState.PENDING, None, "LABELS PENDING since 2025-01-09")
    lines = told(look, {"a": [FINE], "b": [FINE], "c": [FINE]}, labels={"b": news})
    assert lines == ["● ok    b stands so", "● ok    a, c: healthy, 2 rules hold"]


def test_of_a_thousand_models_only_so_many_are_told_one_by_one(look):
    many = {f"m{number}": [UNJUDGED] for number in range(1000)}
    lines = told(look, many)
    assert len(lines) == MAX_SHOWN + 1
    assert lines[-1] == f"        and {1000 - MAX_SHOWN} more models without an alert"
    (line,) = told(look, {model: [] for model in many})
    assert "m7 and 992 more models: no rule judges them" in line


def test_the_alerts_of_very_many_models_are_told_by_their_verdicts(look, alert):
    models = tuple(f"m{number:03}" for number in range(DETAILED + 10))
    snapshot = look(*(alert("floor", "accuracy", 30, model=model) for model in models), models=models)
    lines = list(text_summary(snapshot))
    assert sum(line.startswith("▲ CRIT") for line in lines) == len(models)
    assert sum(line.startswith("        ▲ CRIT") for line in lines) == DETAILED


def test_names_are_made_visible(look):
    (line,) = told(look, {"a\x1b[2J": [FINE], "\u202eb": [FINE]})
    assert line.startswith(r"● ok    a\x1b[2J, \u202eb: healthy")


def test_a_model_whose_labels_do_not_suffice_is_not_said_to_be_ok(look):
    verdict = ModelStatus("a", Severity.UNKNOWN, "NOT ENOUGH LABELS since 2025-01-01")
    assert list(healthy_section([verdict], build_index(look(models=("a",))))) == [
        "○ n/d   a NOT ENOUGH LABELS since 2025-01-01"
    ]
