"""Two people act at once: the first wins, the second is told who, and since when."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from modeltop.alerting import actions
from modeltop.alerting.state import apply_events
from modeltop.core.errors import UsageError
from modeltop.core.incident import AlertingState, Matchers
from modeltop.core.series import Alert, Condition, SeriesKey, Severity, State

NOON = datetime(2025, 1, 10, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def alert(name="1a2b3c4d", model="churn", metric="accuracy", **changes):
    key = SeriesKey(model, metric)
    made = Alert(name, "floor", key, Condition.THRESHOLD, State.FIRING, Severity.WARNING, NOON - DAY, NOON - DAY)
    return replace(made, **changes)


def take(facts, episode, by="ann", why="", **changes):
    return apply_events(
        facts, actions.acknowledge(facts, episode, by=by, reason=why, **({"now": NOON, "duration": DAY} | changes))
    )


ALERTS = [
    alert("1a2b3c4d", "churn", "accuracy"),
    alert("1a2b9999", "churn", "recall"),
    alert("beef0001", "teams/churn", "accuracy"),
    alert("beef0002", "beef", "accuracy"),
    alert("0000cafe", "gone", "accuracy", state=State.RESOLVED, resolved=NOON),
    alert(None, "young", "accuracy", state=State.PENDING),
]


@pytest.mark.parametrize(
    ("target", "meant"),
    [
        ("1a2b3", ["1a2b3c4d"]),
        ("1A2B3", ["1a2b3c4d"]),
        ("1a2b", ["1a2b3c4d", "1a2b9999"]),
        ("churn", ["1a2b3c4d", "1a2b9999"]),
        ("churn/recall", ["1a2b9999"]),
        ("teams/churn", ["beef0001"]),
        ("teams/churn/accuracy", ["beef0001"]),
        ("beef", ["beef0002"]),
        ("beef0001", ["beef0001"]),
        ("gone", []),
        ("0000", []),
        ("young", []),
        ("chur", []),
        ("", []),
        ("*", []),
    ],
)
def test_an_alert_is_named_by_its_model_its_metric_or_the_begin_of_its_id(target, meant):
    assert [one.id for one in actions.resolve_target(target, ALERTS, AlertingState())] == meant


def test_an_alert_answers_to_the_id_of_its_incident_and_to_its_own(followed):
    facts = apply_events(AlertingState(), [followed(name="feed0000")])
    moved = alert(since=NOON - 2 * DAY)
    assert actions.resolve_target("feed", [moved], facts) == actions.resolve_target("1a2b", [moved], facts) == [moved]
    assert take(facts, moved).acks[0].incident == "feed0000"


def test_the_second_is_told_who_has_it_and_since_when():
    facts = take(AlertingState(), alert(), why="rolling back")
    with pytest.raises(UsageError, match="ann has had it since 2025-01-10 12:00 UTC: rolling back"):
        take(facts, alert(), by="bob", now=NOON + HOUR)


def test_the_same_person_may_take_it_for_longer_and_keeps_the_reason():
    facts = take(take(AlertingState(), alert(), why="rolling back"), alert(), now=NOON + HOUR, duration=2 * DAY)
    (ack,) = facts.acks
    assert (ack.reason, ack.at, ack.until) == ("rolling back", NOON + HOUR, NOON + HOUR + 2 * DAY)


@pytest.mark.parametrize(
    ("episode", "now"),
    [
        pytest.param(alert(severity=Severity.CRITICAL), NOON + HOUR, id="it got worse"),
        pytest.param(alert(), NOON + DAY, id="the time has come"),
        pytest.param(alert(metric="recall"), NOON, id="it is another"),
    ],
)
def test_another_may_take_what_nobody_has_any_more(episode, now):
    facts = take(take(AlertingState(), alert()), episode, by="bob", now=now)
    assert actions.current_acknowledgement(facts, episode, now).by == "bob"


@pytest.mark.parametrize("lasting", [timedelta(0), -HOUR, 31 * DAY])
def test_an_impossible_length_is_refused(lasting):
    with pytest.raises(UsageError, match="at most 30 days"):
        take(AlertingState(), alert(), duration=lasting)


def test_what_was_given_back_meanwhile_cannot_be_given_back_again():
    facts = take(AlertingState(), alert())
    (ack,) = facts.acks
    after = apply_events(facts, actions.unacknowledge(facts, ack, by="bob", now=NOON))
    assert actions.current_acknowledgement(after, alert(), NOON) is None
    with pytest.raises(UsageError, match="ann has not got it any more"):
        actions.unacknowledge(after, ack, by="eve", now=NOON)


def hush(matchers=None, *, start=NOON, lasting=HOUR, why="a release", now=NOON):
    matchers = matchers or Matchers(model="churn")
    return actions.create_silence(matchers, ALERTS, start=start, end=start + lasting, by="ann", reason=why, now=now)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"matchers": Matchers(rule="*")}, "would match everything"),
        ({"why": " "}, "needs a reason"),
        ({"why": "x" * 501}, "500 are enough"),
        ({"lasting": 31 * DAY}, "30 days at most"),
        ({"lasting": -HOUR}, "end before it begins"),
        ({"start": NOON - DAY}, "it would end 2025-01-09 13:00 UTC, which is over"),
    ],
)
def test_a_silence_is_refused_with_the_reason(changes, said):
    with pytest.raises(UsageError, match=said):
        hush(**changes)


def test_silences_have_names_of_their_own():
    names = {hush(Matchers(**{name: "x"}))[0].silence.id for name in Matchers.__slots__}
    names |= {
        hush(start=NOON + HOUR)[0].silence.id,
        hush(why="b")[0].silence.id,
        hush(now=NOON + HOUR / 2)[0].silence.id,
    }
    assert len(names) == 8
    assert hush() == hush()


def test_a_silence_is_ended_once_and_by_a_name_that_is_one_silences():
    both = [*hush(), *hush(why="another")]
    facts, (first, second) = apply_events(AlertingState(), both), [event.silence.id for event in both]
    with pytest.raises(UsageError, match="say which"):
        actions.expire_silence(facts, "", by="bob", now=NOON)
    with pytest.raises(UsageError, match="no silence is called zzz"):
        actions.expire_silence(facts, "zzz", by="bob", now=NOON)
    facts = apply_events(facts, actions.expire_silence(facts, first[:7], by="bob", now=NOON + HOUR / 2))
    assert {one.id for one in facts.silences if one.active(NOON + HOUR / 2)} == {second}
    with pytest.raises(UsageError, match=f"silence {first} ended 2025-01-10 12:30 UTC"):
        actions.expire_silence(facts, first, by="eve", now=NOON + HOUR / 2)
    assert actions.expire_silence(facts, "", by="eve", now=NOON + HOUR / 2)[0].silence == second, (
        "the only one that holds"
    )


@pytest.mark.parametrize(("model", "text"), [("churn", " "), ("", "x"), ("churn", "x" * 501)])
def test_an_empty_or_endless_note_is_refused(model, text):
    with pytest.raises(UsageError):
        actions.add_note(model, text, by="ann", now=NOON)
