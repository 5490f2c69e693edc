"""The form for a silence: what it begins with, what it would do, why it is refused."""

from dataclasses import replace
from datetime import timedelta
from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltop.core.incident import AlertingState, Matchers, Silence
from modeltop.core.series import SeriesKey
from modeltop.core.text import display_width
from modeltop_tui.view.silence_form import (
    DURATION,
    FIELDS,
    REASON,
    SilenceForm,
    effect_lines,
    exact_glob,
    field_lines,
    form_error,
    matching_alert_lines,
    move_cursor,
    prefilled,
    preview_form,
    selected_silence,
    set_text,
    silence_duration,
    silence_lines,
)
from modeltop_tui.view.state import ScreenState, Selection
from modeltop_tui.view.styled_text import plain_text


@pytest.fixture
def state(fleet):
    return ScreenState(fleet, Selection("fraud", SeriesKey("fraud", "f1_score")))


@pytest.fixture
def form(state, fleet):
    return prefilled(state, fleet.alerts[0])


def filled(form, **texts):
    """The form with other texts in some fields; `length` is that of the silence."""
    names = {"length": "for"}
    for name, text in texts.items():
        form = set_text(replace(form, cursor=FIELDS.index(names.get(name, name))), text)
    return form


@given(st.text(), st.text())
def test_the_glob_of_a_name_matches_that_name_and_no_other(name, other):
    assert fnmatchcase(name, exact_glob(name))
    assert fnmatchcase(other, exact_glob(name)) == (name == other)


def test_the_form_begins_with_the_model_of_the_alert_and_asks_for_the_reason(form):
    assert form.texts == ("fraud", "*", "*", "*", "*", "1h", "")
    assert FIELDS[form.cursor] == "why"


def test_without_an_alert_the_form_begins_with_the_selected_series(make, state):
    assert prefilled(state, None).texts[:5] == ("fraud", "f1_score", "all", "*", "*")
    assert prefilled(make.state(), None).texts[:5] == ("*",) * 5


def test_a_name_with_signs_of_globs_is_silenced_as_it_is(make):
    silent = make.state(make.healthy("[eu] search"), now=make.clock + 20 * make.day)
    form = prefilled(silent, silent.snapshot.alerts[0])
    assert form.texts[:4] == ("[[]eu] search", "*", "*", "*")
    assert len(preview_form(form, silent).matching) == 1


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("30m", timedelta(minutes=30)),
        (" 1.5 h ", timedelta(minutes=90)),
        ("2d", timedelta(days=2)),
        ("1w", timedelta(days=7)),
        ("999999w", timedelta(days=3650)),
        ("", None),
        ("soon", None),
        ("-1h", None),
        ("0h", None),
        ("1h30", None),
    ],
)
def test_how_long_is_a_number_and_a_unit(form, text, length):
    assert silence_duration(filled(form, length=text)) == length


@pytest.mark.parametrize(
    ("texts", "error"),
    [
        pytest.param({}, "reason required", id="no reason"),
        pytest.param({"why": "  "}, "reason required", id="a blank reason"),
        pytest.param({"why": "x", "length": "soon"}, "invalid duration 'soon'", id="no length"),
        pytest.param({"why": "x", "length": "31d"}, "a silence lasts 30 days at most", id="too long"),
        pytest.param(
            {"why": "x", "model": "*", "metric": "", "segment": "*", "rule": "**"}, "match everything", id="everything"
        ),
        pytest.param({"why": "x", "length": "30d"}, None, id="the longest"),
        pytest.param(
            {"why": "x", "model": "*", "metric": "*", "rule": "*", "severity": "critical"}, None, id="all of a severity"
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_saved_says_why(state, form, make, texts, error):
    message = form_error(filled(form, **texts), state, make.clock)
    assert (message is None) == (error is None)
    assert error is None or error in message


def shown(lines):
    return [plain_text(line).strip() for line in lines]


def test_how_many_alerts_it_would_silence_is_shown_while_it_is_typed(state, form, make):
    form = filled(form, why="release", metric="f1_score", rule="f1-floor")
    assert shown(effect_lines(form, state, make.clock, 78)) == ["silences 1 of 3 active alerts until 01:03 UTC"]
    assert shown(matching_alert_lines(form, state, 78, 9)) == ["▲ fraud: f1_score 0.845 < 0.85"]
    wider = filled(form, metric="*", rule="*")
    assert shown(effect_lines(wider, state, make.clock, 78)) == [
        "silences 2 of 3 active alerts until 01:03 UTC",
        "that is 2 of 3 active alerts, more than half",
    ]


def test_a_long_list_of_alerts_ends_in_their_number(state, form):
    width = filled(form, model="*", metric="*", segment="*", rule="*")
    assert shown(matching_alert_lines(width, state, 78, 2))[1:] == ["and 2 more"]


@pytest.fixture
def silenced(state, fleet):
    """A state in which one silence is active, one pending, and one expired."""

    def silence(name, start, end):
        start_time = fleet.clock + timedelta(hours=start)
        end = fleet.clock + timedelta(hours=end)
        return Silence(name, Matchers(model=name), start_time, end, "ana", "release", min(start_time, fleet.clock))

    silences = (
        silence("long over", -130, -121), silence("over", -3, -2), silence("holds", -1, 5), silence("comes", 8, 9)
    )  # fmt: skip
    return replace(state, snapshot=replace(fleet, alerting_state=AlertingState(silences=silences)))


def test_silences_are_listed_with_who_why_and_until_when_the_past_ones_last(silenced, form):
    assert [shown(lines) for lines in silence_lines(form, silenced, 78)] == [
        ["model holds: until 05:03, ana: release"],
        ["model comes: from 08:03 until 09:03, ana: release"],
        ["model over: ended 9 Jan 22:03, ana: release"],
    ]


def test_the_keys_go_through_the_fields_and_on_to_the_silences(silenced, form):
    below = move_cursor(form, 1, 3)
    assert selected_silence(form, silenced) is None
    assert selected_silence(below, silenced).id == "holds"
    assert selected_silence(move_cursor(below, 2, 3), silenced).id == "over"
    assert move_cursor(below, 3, 3).cursor == 0
    assert move_cursor(replace(form, cursor=0), -1, 0).cursor == REASON


@pytest.mark.parametrize("width", [58, 78, 118])
def test_no_text_is_wider_than_the_form(make, state, width):
    for text in make.hostile:
        form = SilenceForm((text, text, text, text, text, text, text), cursor=DURATION)
        lines = [*field_lines(form, width), *effect_lines(form, state, make.clock, width)]
        assert all(plain_text(line).isprintable() for line in lines)
        assert all(display_width(plain_text(line).rstrip()) <= width for line in lines)
