"""`ack`, `unack`, `silence`, `note` and `story`, as a person and a script see them."""

import json
import re
import subprocess
import sys
import zlib
from datetime import UTC, datetime, timedelta

import pytest

from modeltop.alerting.event_log.event_log import EventLog
from modeltop.alerting.event_log.location import state_folder
from modeltop.core.event import (
    Acknowledged,
    IncidentChanged,
    IncidentTransition,
    Notification,
    NotificationAction,
    NotificationReason,
    SendFinished,
    SilenceCreated,
)
from modeltop.core.incident import (
    Acknowledgement,
    AlertingState,
    Matchers,
    Member,
    NotificationKey,
    Silence,
    TrackedIncident,
)
from modeltop.core.series import Condition, SeriesKey, Severity

HOUR = timedelta(hours=1)
ESCAPE = "\x1b]0;x\x07[bold]x[/]"


@pytest.fixture
def store(tmp_path, run):
    """Two models with an alert or two each, and one that is well."""
    lines = ["date,model,accuracy,recall"]
    lines += [f"2025-01-0{day},churn,0.95,0.9" for day in range(1, 9)] + ["2025-01-09,churn,0.5,0.1"]
    lines += [f"2025-01-0{day},{ESCAPE},0.95,0.9" for day in range(1, 9)] + [f"2025-01-09,{ESCAPE},0.5,0.9"]
    lines += [f"2025-01-0{day},well,0.95,0.9" for day in range(1, 10)]
    (tmp_path / "modeltop.toml").write_text(
        'stale_after = "9000d"\n[[rules]]\nname = "floor"\nmetric = "*"\nsegment = "*"\ncritical = { below = 0.8 }\n'
        "[defaults]\ndrop = false\n"
    )
    done = run("record", "-", "--store", tmp_path / "store", stdin="\n".join(lines).encode())
    assert done.code == 0, done.err
    return tmp_path / "store"


@pytest.fixture
def on(run, store):
    """Runs a command on the store."""
    return lambda *words: run(*words, "--store", store)


def journal(store):
    return EventLog(state_folder(store))


def test_all_that_is_wrong_with_a_model_is_acknowledged_at_once_shown_and_taken_back(on, store):
    acknowledged = on("ack", "churn/recall", "--why", "rolling back", "--for", "4h")
    assert acknowledged.code == 0
    match = re.fullmatch(
        r"acknowledged until [\w :]+ UTC: ([0-9a-f]{8})  ▲ critical churn accuracy 0.500 < 0.80.*, and 1 more alert\n",
        acknowledged.out,
    )
    (ack,) = journal(store).state().acks
    assert (ack.incident, ack.reason, ack.model) == (match[1], "rolling back", "churn")
    assert (ack.until - ack.at).total_seconds() == 4 * 3600
    assert on("alerts").out.count("acked by") == 2
    expired = on("unack", match[1][:6])
    assert (expired.code, journal(store).state().acks) == (0, ())
    again = on("unack", match[1])
    assert (again.code, "not acknowledged: " in again.err) == (2, True)


@pytest.mark.parametrize("target", ["churn", "churn/accuracy", "incident", "alert"])
def test_a_model_a_metric_an_incident_and_an_alert_name_the_same_incident(on, store, target):
    record = json.loads(on("check", "--json").out)
    incident = next(one for one in record["incidents"] if one["model"] == "churn")
    names = {"incident": incident["id"], "alert": incident["alerts"][-1]}
    assert on("ack", names.get(target, target)).code == 0
    (ack,) = journal(store).state().acks
    assert ack.incident == incident["id"]
    (shown,) = (one for one in json.loads(on("check", "--json").out)["incidents"] if one["model"] == "churn")
    assert shown["acknowledged_by"]["by"] == ack.by


def test_a_silence_of_a_model_silences_all_of_it(on, store):
    created = on("silence", "churn", "--why", "a release")
    assert (created.code, created.err.splitlines()[0]) == (
        0,
        "modeltop: matches 2 of 3 active alerts, of 1 model: churn",
    )
    assert journal(store).state().silences[0].matchers == Matchers(model="churn")
    (shown,) = (one for one in json.loads(on("check", "--json").out)["incidents"] if one["model"] == "churn")
    assert shown["suppressed_by"]["kind"] == "silenced"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["ack", "well"], "no active alerts of well: `modeltop alerts` lists the active ones"),
        (["ack", "nobody"], "no incident or alert is called nobody"),
        (["ack", "churn/recall", "--for", "soon"], "invalid duration 'soon'"),
        (["ack", "churn/recall", "--for", "31d"], "at most 30 days"),
        (["ack", "churn/recall", "--why", "x" * 501], "500 are enough"),
        (["silence", "add", "--why", "x"], "would match everything"),
        (["silence", "add", "--model", "churn"], "reason required"),
        (["silence", "add", "--model", "churn", "--why", "x", "--for", "31d"], "30 days at most"),
        (["silence", "add", "--model", "churn", "--why", "x", "--start", "2020-01-01"], "which is in the past"),
        (["silence", "list", "--model", "churn"], "leave them out"),
        (["silence", "expire"], "name one"),
        (["silence", "expire", "zz"], "no silence is called zz"),
        (["silence", "chrun", "--why", "x"], "no model is called chrun: did you mean churn?"),
        (["silence", "churn", "--model", "x"], "does not accept --model"),
        (["note", "churn"], "a note needs a model and a text"),
        (["note", "churn", " "], "needs a model and a text"),
    ],
)
def test_what_cannot_be_done_is_one_line_with_the_remedy_and_keeps_nothing(on, store, words, expected):
    outcome = on(*words)
    assert (outcome.code, outcome.out, len(outcome.err.splitlines())) == (2, "", 1)
    assert expected in outcome.err
    assert journal(store).state() == AlertingState()


def test_a_silence_says_what_it_matches_before_it_is_saved(on, store):
    created = on("silence", "add", "--model", "churn", "--metric", "rec*", "--why", "a release", "--for", "2h")
    assert (created.code, created.err) == (0, "modeltop: matches 1 of 3 active alerts, of 1 model: churn\n")
    name = re.fullmatch(r"([0-9a-f]{8}) silences model churn, metric rec\* until .* UTC\n", created.out)[1]
    assert f"{name}  model churn, metric rec*: until" in on("silence", "list").out
    assert "silenced by" in on("alerts").out
    assert on("silence", "expire", name[:4]).out == f"silence {name} expired: notifications of its alerts resume\n"
    assert ": ended " in on("silence", "list").out
    assert (on("silence", "expire", name).code, "silenced by" in on("alerts").out) == (2, False)


def test_a_silence_of_more_than_half_is_made_with_a_warning(on, store):
    created = on("silence", "add", "--rule", "floor", "--why", "a migration")
    assert created.code == 0
    assert "that is 3 of 3 active alerts, more than half" in created.err
    assert len(journal(store).state().silences) == 1


def test_a_silence_may_begin_later(on, store):
    assert (
        "from 1 Jan 2300 00:00 UTC until"
        in on("silence", "add", "--model", "churn", "--why", "x", "--start", "2300-01-01").out
    )
    assert "silenced" not in on("alerts").out


def test_a_note_is_written_listed_and_about_the_moment_that_is_named(on, store):
    noted = on("note", "churn", "v2 is out", "--at", "2025-01-08T10:00+01:00")
    assert (noted.code, noted.out) == (0, "note added to churn at 8 Jan 2025 09:00 UTC: v2 is out\n")
    on("note", "*", "prices changed", "--at", "2025-01-02")
    on("note", "other", "never mind", "--at", "2025-01-03")
    lines = on("note", "--list").out.splitlines()
    assert [line.rsplit(": ")[-1] for line in lines] == ["prices changed", "never mind", "v2 is out"]
    assert "never mind" not in on("note", "--list", "churn").out


def test_a_note_marks_a_release(on, store):
    assert on("note", "churn", "autumn line", "--release").code == on("note", "churn", "release 2.3").code == 0
    notes = EventLog(state_folder(store)).state().notes
    assert [(note.text, note.is_release) for note in notes] == [("autumn line", True), ("release 2.3", False)]


def test_a_note_of_a_store_is_the_same_however_the_store_is_named(run, on, store):
    assert run("note", "churn", "release 2", store).code == 0
    assert "release 2" in on("note", "--list").out
    assert "release 2" in run("note", "--list", "churn", store).out


def test_a_note_on_a_name_that_is_not_there_is_written_and_reported(on, store):
    outcome = on("note", "chrun", "v2")
    assert (outcome.code, outcome.err) == (0, "modeltop: no model is called chrun yet: did you mean churn?\n")


@pytest.fixture
def incident_log(store):
    """The event log of a daemon with an incident of `churn`."""
    at, key = datetime(2025, 1, 9, 12, tzinfo=UTC), SeriesKey("churn", "accuracy")
    member = Member("feedbeef", "floor", key, Condition.THRESHOLD, Severity.CRITICAL, at, at)
    levels = {"level": Severity.CRITICAL, "peak_severity": Severity.CRITICAL}
    incident = TrackedIncident("1a2b3c4d", "churn", (member,), "feedbeef", at, 86_400, opened_at=at, **levels)
    about = "1a2b3c4d", Severity.CRITICAL, NotificationKey("slack", "churn"), (key,), "key"
    delivery = Notification("slack", NotificationAction.TRIGGER, NotificationReason.FIRST, *about)
    journal(store).append(
        IncidentChanged(at, IncidentTransition.FIRED, incident, "0.500 < 0.80"), SendFinished(at, (delivery,))
    )


def test_a_story_lists_all_that_happened_to_an_incident(on, incident_log):
    on("ack", "1a2b", "--why", "rolling back")
    on("note", "churn", "v2 is out")
    lines = on("story", "churn").lines
    assert lines[0] == "1a2b3c4d  ▲ critical churn: accuracy; since 9 Jan 2025 12:00, open"
    assert lines[1] == "  9 Jan 2025 12:00 UTC  fired: 0.500 < 0.80"
    assert lines[2] == "  9 Jan 2025 12:00 UTC  notified slack (critical)"
    assert [line.split("UTC  ")[1].split(" by ")[0] for line in lines[3:]] == ["acknowledged", "note"]


def test_a_story_as_json_says_all_of_it(on, incident_log):
    on("ack", "1a2b", "--why", ESCAPE)
    text = on("story", "churn", "--json").out
    assert text.isascii()
    (incident,) = json.loads(text)["incidents"]
    assert (incident["id"], incident["status"], incident["resolved"]) == ("1a2b3c4d", "open", None)
    assert [event["event"] for event in incident["events"]] == ["fired", "notified", "acknowledged"]
    assert incident["events"][2]["text"] == ESCAPE


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("chrun", "no model is called chrun: did you mean churn?"),
        ("well", "no events of well yet: `modeltop watch` records them; `modeltop alerts --history` lists past alerts"),
    ],
)
def test_a_story_of_nothing_names_the_next_step(on, model, expected):
    outcome = on("story", model)
    assert (outcome.code, outcome.out, outcome.err) == (0, "", f"modeltop: {expected}\n")


@pytest.mark.parametrize(
    "words", [["note", "--list"], ["silence", "list"], ["story", "zzz"], ["silence", "zzz", "--why", "x"]]
)
def test_what_is_empty_or_not_found_names_the_next_command(on, words):
    assert "`modeltop " in on(*words).err


def test_a_story_without_a_watcher_has_the_open_incident_and_what_was_done(on):
    assert on("silence", "churn", "--for", "2h", "--why", "backfill").code == 0
    title, *entries = on("story", "churn").lines
    assert title.endswith("open")
    assert [entry.split("UTC  ")[1].split()[0].rstrip(":") for entry in entries] == ["fired", "silenced"]


def test_a_story_of_a_model_without_an_incident_has_its_silences(on):
    assert on("silence", "well", "--for", "2h", "--why", "backfill").code == 0
    outcome = on("story", "well")
    assert (len(outcome.lines), outcome.err) == (1, "")
    assert re.search(r"silenced by \S+: until \d+ \w{3} \d\d:\d\d UTC: backfill$", outcome.out.strip())
    assert [entry["event"] for entry in json.loads(on("story", "well", "--json").out)["silences"]] == ["silenced"]


def test_a_story_shows_until_when_its_alerts_were_silenced(on, incident_log):
    assert on("silence", "churn", "--for", "2h", "--why", "backfill").code == 0
    (line,) = (line for line in on("story", "churn").lines if "silenced by" in line)
    assert re.search(r"silenced by \S+: until \d+ \w{3} \d\d:\d\d UTC: backfill$", line)


def test_the_id_of_an_incident_is_where_its_alerts_are(on):
    (incident,) = (one for one in json.loads(on("check", "--json").out)["incidents"] if one["model"] == "churn")
    assert [line.endswith(f"; incident {incident['id']}") for line in on("alerts").lines if " churn " in line] == [
        True
    ] * 2
    assert f"incident {incident['id']}" in on("check", "churn", "--explain").out
    assert incident["steps"][0] in " ".join(on("check").out.split())


def test_a_note_about_a_model_whose_name_looks_like_a_glob_is_about_that_model(run, tmp_path):
    name = "[bold red]x[/]"
    (tmp_path / "x.csv").write_text(f"date,model,accuracy\n2025-01-01,{name},0.95\n2025-01-02,b,0.95\n")
    assert run("note", name, "v2 is out", tmp_path / "x.csv").err == ""
    for model, expected in ((name, True), ("b", False)):
        assert ("v2 is out" in run("story", model, tmp_path / "x.csv").out) == expected


def test_no_foreign_text_reaches_the_terminal_as_it_is(on, store):
    outcomes = [
        on("ack", ESCAPE, "--why", ESCAPE),
        on("silence", "add", "--model", ESCAPE, "--why", ESCAPE),
        on("note", ESCAPE, ESCAPE),
        *(on(*words) for words in (["silence", "list"], ["note", "--list"], ["story", ESCAPE], ["unack", ESCAPE])),
        on("ack", f"{ESCAPE}2"),
        on("silence", "expire", ESCAPE),
    ]
    assert [outcome.code for outcome in outcomes] == [0] * 7 + [2] * 2
    expected = "".join(outcome.out + outcome.err for outcome in outcomes)
    assert all(char.isprintable() or char == "\n" for char in expected)
    assert "[bold]x[/]" in expected


def test_a_journal_that_another_wrote_by_hand_puts_nothing_on_the_terminal(on, store):
    at, fired = datetime.now(UTC), datetime(2025, 1, 9, tzinfo=UTC)
    facts = ("churn", Severity.CRITICAL, ESCAPE, ESCAPE, at, at + HOUR, fired, fired)
    silence = Silence(ESCAPE, Matchers(model=ESCAPE), at, at + HOUR, ESCAPE, ESCAPE, at)
    journal(store).append(Acknowledged(at, Acknowledgement(ESCAPE, *facts)), SilenceCreated(at, silence))
    outcomes = [on(*words) for words in (["story", "churn"], ["silence", "list"], ["ack", "churn/recall"])]
    outcomes += [on("silence", "expire", ESCAPE[:2]), on("unack", "churn/recall")]
    assert [outcome.code for outcome in outcomes] == [0, 0, 2, 0, 0]
    expected = "".join(outcome.out + outcome.err for outcome in outcomes)
    assert expected.count("[bold]x[/]") >= 7
    assert all(char.isprintable() or char == "\n" for char in expected)


def test_plain_files_have_a_journal_of_their_own(run, store, tmp_path):
    path = tmp_path / "churn.csv"
    path.write_bytes(next(store.glob("churn-*.csv")).read_bytes())
    assert run("ack", "churn/recall", path).code == 0
    (folder,) = (tmp_path / "home" / "modeltop").glob("churn-*/")
    assert len(EventLog(folder).state().acks) == 1
    assert "acked by" in run("alerts", path).out
    assert "acked by" not in run("alerts", "--store", store).out
    assert run("note", "churn", "v2 is out", path).code == 0
    assert "v2 is out" in run("note", "--list", "churn", path).out
    assert run("note", "--list", "--store", store).out == ""


def test_a_newer_journal_is_read_and_never_written(on, store, incident_log):
    path = next((store / "state").glob("*.jsonl"))
    rest = b'"v":99,"kind":"noted"}'
    path.write_bytes(path.read_bytes() + b'{"crc":"%08x",%s\n' % (zlib.crc32(rest), rest))
    before = path.read_bytes()
    for words in (
        ["ack", "churn/recall"],
        ["note", "churn", "x"],
        ["silence", "add", "--model", "churn", "--why", "x"],
    ):
        outcome = on(*words)
        assert (outcome.code, "upgrade modeltop" in outcome.err) == (2, True)
    assert path.read_bytes() == before
    assert "1a2b3c4d" in on("story", "churn").out


def test_a_state_folder_that_cannot_be_made_refuses_with_the_reason_and_alerts_are_shown(on, store):
    (store / "state").write_text("in the way")
    outcome = on("ack", "churn/recall")
    assert (outcome.code, outcome.out) == (2, "")
    assert "cannot write" in outcome.err
    assert "churn recall" in on("alerts").out


RUN_AS = """
import os, sys, traceback
from modeltop.cli.main import main

# The other user may not be able to read this interpreter's library: what is needed is imported before.
user, words = int(sys.argv[1]), sys.argv[2:]
streams = sys.stdout, sys.stderr
sys.stdout = sys.stderr = open(os.devnull, "w")
for command in (["ack", "-"], ["unack", "-"], ["alerts"]):
    main([*command, *words[-4:]])
sys.stdout, sys.stderr = streams
import modeltop.report.phrases
os.setgroups([55555]); os.setgid(user); os.setuid(user); os.umask(0o077)
sys.exit(main(words))
"""


@pytest.fixture
def two_users(store, shared_store, tmp_path):
    """Run a command as one of two users of the system who share the group of the store."""
    for path in store.glob("*.csv"):
        (shared_store / path.name).write_bytes(path.read_bytes())
        (shared_store / path.name).chmod(0o644)
    folder = shared_store.parent
    config = folder / "modeltop.toml"
    config.write_bytes((tmp_path / "modeltop.toml").read_bytes())

    def run(user, *words):
        command = [sys.executable, "-c", RUN_AS, str(user), *words, "--store", shared_store, "--config", config]
        return subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)

    return run


def test_of_two_users_of_the_system_the_first_has_it_and_the_second_is_refused(two_users):
    first, second = two_users(44441, "ack", "churn/recall", "--why", "mine"), two_users(44442, "ack", "churn/recall")
    assert (first.returncode, first.stderr) == (0, "")
    assert second.returncode == 2
    assert re.fullmatch(r"modeltop: acknowledged by uid 44441 at \d+ \w{3} \d\d:\d\d UTC: mine\n", second.stderr)
    assert "acked by uid 44441" in two_users(44442, "alerts").stdout
    assert two_users(44442, "unack", "churn/recall").returncode == 0
    assert two_users(44442, "ack", "churn/recall").returncode == 0


def test_a_story_without_a_watcher_says_when_each_alert_fired(run, fleet):
    _, *entries = run("story", "churn", fleet).lines
    assert [entry.split()[0] for entry in entries] == ["15", "21", "22"]
    assert [("confidence" in entry, "accuracy" in entry) for entry in entries[:2]] == [(True, False), (False, True)]


@pytest.mark.parametrize(
    "words", [("ack", "old-churn"), ("ack", "old-churn/recall"), ("silence", "old-churn"), ("story", "old-churn")]
)
def test_an_earlier_name_of_a_model_is_as_good(run, store, tmp_path, words):
    with (tmp_path / "modeltop.toml").open("a") as file:
        file.write('\n[models.churn]\naliases = ["old-churn"]\n')
    outcome = run(*words, *(("--why", "x") if words[0] != "story" else ()), "--store", store)
    assert (outcome.code, "is called" in outcome.err) == (0, False)


@pytest.mark.parametrize("metric", ["", "/recall"])
def test_what_was_acknowledged_before_a_model_was_renamed_stays_so(run, store, tmp_path, metric):
    assert run("ack", f"churn{metric}", "--why", "rolling back", "--store", store).code == 0
    assert run("silence", "churn", "--why", "backfill", "--store", store).code == 0
    before = run("alerts", "--store", store).lines
    with (tmp_path / "modeltop.toml").open("a") as file:
        file.write('\n[models.renamed]\naliases = ["churn"]\n')
    after = run("alerts", "--store", store).lines
    assert [" renamed " in line for line in after] == [" churn " in line for line in before]
    assert [line.partition("acked")[2] for line in after] == [line.partition("acked")[2] for line in before]
    assert sum("acked" in line for line in after) == 2
