"""`baseline`: what follows a retraining or a release is accepted, and its alerts end as that."""

import json

import pytest

from modeltop.alerting.event_log.event_log import EventLog
from modeltop.alerting.event_log.location import state_folder


@pytest.fixture
def store(tmp_path, run):
    """A model that fell by a tenth on 9 February, a month after its first period, and stays there."""
    levels = [0.90, 0.91] * 20 + [0.80, 0.81] * 10
    rows = [f"2025-{1 + day // 31:02}-{1 + day % 31:02},churn,500,{level}" for day, level in enumerate(levels[:59])]
    (tmp_path / "modeltop.toml").write_text('stale_after = "9000d"\n[defaults]\n')
    done = run(
        "record", "-", "--store", tmp_path / "store", stdin="\n".join(["date,model,count,recall", *rows]).encode()
    )
    assert done.code == 0, done.err
    return tmp_path / "store"


def open_incidents(run, store):
    record = json.loads(run("check", "--json", "--store", store).out)
    return [incident for incident in record["incidents"] if incident["status"] == "open"]


def test_a_new_baseline_ends_the_incident_and_is_part_of_the_story(run, store):
    (incident,) = open_incidents(run, store)
    assert incident["started_at"] == "2025-02-10T00:00:00Z"
    accepted = run("baseline", "churn", "--from", "2025-02-10", "--store", store)
    assert accepted.code == 0
    assert accepted.out.startswith("new baseline of churn from 10 Feb 2025 on: 19 periods so far; 1 alert ended")
    assert open_incidents(run, store) == []
    assert "new baseline accepted from 10 Feb 2025 on" in run("story", "churn", "--store", store).out


def test_a_baseline_from_before_the_fall_ends_nothing_and_shows_nothing_twice(run, store):
    (incident,) = open_incidents(run, store)
    accepted = run("baseline", "churn", "--from", "2025-01-20", "--store", store)
    assert accepted.out.endswith("40 periods so far; 1 alert still active\n")
    assert [one["started_at"] for one in open_incidents(run, store)] == [incident["started_at"]]
    assert len(run("alerts", "--history", "--store", store).lines) == 1


def test_a_fall_below_the_new_baseline_is_an_incident_again(run, store):
    run("baseline", "churn", "--from", "2025-02-10", "--store", store)
    for day in range(1, 8):
        run("record", "churn", "recall=0.6", "--count", "500", "--date", f"2025-03-{day:02}", "--store", store)
    (incident,) = open_incidents(run, store)
    assert incident["before"] == pytest.approx(0.80, abs=0.011)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["chrun", "--from", "2025-02-10"], "no model is called chrun: did you mean churn?"),
        (["churn", "--from", "2025-06-01"], "churn has no period from 2025-06-01 on"),
        (["churn", "--from", "2020-01-01"], "churn has no period before 2020-01-01: give a DATE after 2025-01-01"),
        (["churn"], "required: --from"),
    ],
)
def test_what_cannot_be_accepted_is_one_line_and_keeps_nothing(run, store, words, expected):
    outcome = run("baseline", *words, "--store", store)
    assert (outcome.code, outcome.out) == (2, "")
    assert expected in outcome.err
    assert EventLog(state_folder(store)).state().baselines == {}
