"""`baseline` beside a watcher: receivers are notified that the incident ended, and of a fall below the new baseline."""

import json
from datetime import UTC, datetime, timedelta

import pytest

FELL_ON = "2025-02-10"
LEVELS = [0.90, 0.91] * 20 + [0.80, 0.81] * 10


@pytest.fixture
def fallen(configured, tmp_path):
    """A model whose recall fell by a tenth after 40 days and stays there."""
    text = (tmp_path / "modeltop.toml").read_text().replace('on_no_data = "ok"\n', 'stale_after = "9000d"\n')
    (tmp_path / "modeltop.toml").write_text(text.replace("drop = false\n", ""))
    (configured.store / "churn.csv").unlink()
    report(configured, 0, LEVELS)
    return configured


def report(world, first_day, levels):
    """Append a row a day of 500 cases each."""
    path = world.store / "churn.csv"
    if not path.exists():
        path.write_text("date,model,count,recall\n")
    dates = (datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=first_day + number) for number in range(len(levels)))
    lines = [f"{date:%Y-%m-%d},churn,500,{level}\n" for date, level in zip(dates, levels, strict=True)]
    with path.open("a") as file:
        file.write("".join(lines))


def titles(folder):
    """Return the first line of each message that the receiver was sent."""
    path = folder / "told"
    text = path.read_text() if path.exists() else ""
    return [line for line in text.splitlines() if line.startswith(("critical", "warning", "resolved", "withdrawn"))]


def incidents(run):
    return {one["id"]: one for one in json.loads(run("check", "--json")[1])["incidents"]}


@pytest.mark.parametrize("start", [FELL_ON, "2025-02-15"], ids=["from the fall on", "from later on"])
def test_a_run_from_cron_resolves_once_and_the_incident_stays_in_the_past(fallen, tmp_path, run, start):
    run("watch", "--once")
    (opened,) = incidents(run)
    run("baseline", "churn", "--from", start)
    assert (run("watch", "--once")[0], run("watch", "--once")[0]) == (0, 0)
    assert [title.split(":")[0] for title in titles(tmp_path)] == [
        "critical churn",
        "resolved (new baseline accepted) churn",
    ]
    assert {name: one["status"] for name, one in incidents(run).items()} == {opened: "resolved"}
    assert "recall" in run("alerts", "--history")[1]
    story = run("story", "churn")[1]
    assert (
        story.index("new baseline accepted by ")
        < story.index(f": from {int(start[-2:])} Feb 2025 on")
        < story.index("resolved: new")
    )


def test_a_dry_run_announces_the_end(fallen, run):
    run("watch", "--once")
    run("baseline", "churn", "--from", FELL_ON)
    assert "to ops: resolved (new baseline accepted) churn: recall" in run("watch", "--dry-run")[1]


@pytest.mark.parametrize("notices_first", [True, False], ids=["a cycle between", "both in one cycle"])
def test_a_collapse_the_day_after_is_another_incident_and_is_notified(fallen, tmp_path, run, notices_first):
    run("watch", "--once")
    (opened,) = incidents(run)
    run("baseline", "churn", "--from", FELL_ON)
    if notices_first:
        run("watch", "--once")
    report(fallen, len(LEVELS), [0.4, 0.4])
    run("watch", "--once")
    found = incidents(run)
    assert [one["status"] for one in found.values()] == ["open", "resolved"]
    assert list(found)[1] == opened
    assert next(iter(found.values()))["before"] == pytest.approx(0.805, abs=0.006)
    assert [title.split()[0] for title in titles(tmp_path)] == ["critical", "resolved", "critical"]


def test_each_of_two_new_baselines_ends_an_incident_of_its_own(fallen, tmp_path, run):
    run("watch", "--once")
    run("baseline", "churn", "--from", FELL_ON)
    report(fallen, len(LEVELS), [0.60, 0.61] * 6)
    run("watch", "--once")
    first, second = reversed(incidents(run))
    run("baseline", "churn", "--from", "2025-03-02")
    assert run("watch", "--once")[0] == 0
    assert {name: one["status"] for name, one in incidents(run).items()} == {second: "resolved", first: "resolved"}
    assert [title.split(" churn")[0] for title in titles(tmp_path)] == [
        "critical",
        "resolved (new baseline accepted)",
        "critical",
        "resolved (new baseline accepted)",
    ]


def test_a_running_watcher_resolves_at_once(fallen, tmp_path, run, watch, wait_until):
    watch("--store", fallen.store)
    wait_until(lambda: len(titles(tmp_path)) == 1)
    run("baseline", "churn", "--from", FELL_ON)
    wait_until(lambda: len(titles(tmp_path)) == 2, 10)
    assert titles(tmp_path)[1].startswith("resolved (new baseline accepted) churn: recall")
