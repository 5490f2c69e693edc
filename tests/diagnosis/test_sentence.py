"""One sentence: what, since when, how much, why, what now; never too long, never anything that does not print."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.diagnosis.words import LONGEST
from monitor.facts import Note
from monitor.findings import Cause, Pattern
from monitor.records import Condition, Severity
from monitor.text import width

HOSTILE = st.one_of(
    st.text(max_size=80),
    st.sampled_from(["\x1b]52;c;Zg==\x07", "[@click=app.quit]x[/]", "\u202egpj.exe", "W" * 900, "宽" * 200, "a=b=c"]),
)


def test_a_whole_sentence(model, features, ask):
    series = model(accuracy=(0.957, 0.846)) + features(unit=(0.03, 0.34), age=(0.03, 0.001))
    assert ask(series).sentence == (
        "accuracy fell suddenly from 0.957 to 0.846 on 2025-03-02: "
        "something broke upstream (unit missing 0.1 % -> 34 %); fix the pipeline first"
    )


@given(name=HOSTILE, metric=HOSTILE, note=HOSTILE)
def test_foreign_names_are_made_safe_and_the_sentence_stays_short(stepped, ask, alert, changed, name, metric, note):
    named = f"x{metric}"  # no other name of a metric that is known
    series = [
        stepped(named, 0.95, 0.7, spread=0.004),
        stepped("missing_rate", 0.0, 0.4, spread=0.001, segment=f"feature={name}"),
        stepped(named, 0.95, 0.6, spread=0.004, segment=f"city={name}", support=500.0),
    ]
    found = ask(series, episodes=[alert(named)], notes=[Note("*", note, "ann", changed)])
    clauses = [text for one in found.findings for text in (*one.because, *one.against)]
    assert all(text.isprintable() for text in (found.sentence, found.advice, *clauses))
    assert width(found.sentence) <= LONGEST
    assert found.cause is Cause.UPSTREAM


def test_a_calm_model_says_what_its_standing_says(model, ask):
    found = ask(model(accuracy=(0.95, 0.95), avg_confidence=(0.95, 0.95)), standing="accuracy 0.95: healthy")
    assert (found.sentence, found.findings, found.key) == ("accuracy 0.95: healthy", (), None)
    assert found.advice == "nothing to do"


def test_a_spike_that_is_past_asks_for_nothing(line, ask):
    values = 0.95 + np.random.default_rng(1).normal(0, 0.004, 80)
    values[60] = 0.6
    found = ask([line("f1_score", values)])
    assert found.course.pattern is Pattern.SPIKE
    assert found.sentence == "f1_score fell to 0.60 for a short time on 2025-03-02, which is over; nothing to do"


def test_a_season_asks_for_nothing(line, ask):
    days = np.arange(120)
    values = np.where(days % 7 >= 5, 0.42, 0.48) + np.random.default_rng(1).normal(0, 0.004, 120)
    found = ask([line("click_through_rate", values)])
    assert (found.cause, found.sentence) == (
        Cause.SEASON,
        "click_through_rate goes up and down with the week; nothing to do",
    )


@pytest.mark.parametrize("severity", list(Severity))
def test_a_diagnosis_never_changes_how_bad_it_is(model, ask, severity):
    assert ask(model(accuracy=(0.95, 0.5)), severity=severity).severity is severity


def test_a_source_that_cannot_be_read_is_said(model, ask, alert):
    broken = alert("*", condition=Condition.ERROR, message="x.csv: no such file")
    sentence = ask(model(accuracy=(0.95, 0.95)), episodes=[broken]).sentence
    assert sentence == "a source cannot be read: data outage (x.csv: no such file); fix the pipeline first"


def test_the_evidence_begins_with_what_it_is_about_then_what_moved_surest(model, ask):
    found = ask(model(accuracy=(0.95, 0.85), avg_confidence=(0.95, 0.95), recall=(0.9, 0.5)))
    rows = [one.key.metric for one in found.evidence]
    assert rows[0] == found.key.metric
    assert rows[-2:] == ["avg_confidence", "rows"]
    accuracy = next(one for one in found.evidence if one.key.metric == "accuracy")
    assert (accuracy.word, round(accuracy.delta, 3)) == ("fell", -0.1)
    assert accuracy.low < -0.1 < accuracy.high
    assert [(pair.expected.word, pair.realised.word) for pair in found.pairs] == [("as before", "fell")]
