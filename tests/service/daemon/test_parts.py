"""The small parts: what cannot be saved, what is logged, what the next run knows, the second look, the heartbeat."""

import http.server
import io
import json
import threading
from datetime import UTC, datetime, timedelta

import pytest

from modeltop.alerting.event_log.event_log import EventLog
from modeltop.alerting.notifiers.base import SecretRef
from modeltop.core.errors import StoreError
from modeltop.core.event import NoteAdded
from modeltop.core.incident import Note
from modeltop.core.series import Alert, Condition, SeriesKey, Severity, State
from modeltop.service import evaluate
from modeltop.service.evaluate import FILE_NAME, LastEvaluation, NoDataGrace
from modeltop.service.event_buffer import BufferedEventLog
from modeltop.service.health import DaemonIdentity, HealthReporter, Heartbeat
from modeltop.service.leader import LockHolder
from modeltop.service.log import DaemonLog

NOW = datetime(2025, 3, 1, tzinfo=UTC)


def noted(number):
    return NoteAdded(NOW + timedelta(seconds=number), Note("m", str(number), "ann", NOW))


def texts(facts):
    return [note.text for note in facts.notes]


class Disk:
    """A journal whose disk is full from time to time."""

    def __init__(self, folder):
        self.journal, self.full = EventLog(folder), False

    def state(self):
        return self.journal.state()

    def append(self, *events):
        if self.full:
            raise StoreError("full")
        self.journal.append(*events)


@pytest.fixture
def full(tmp_path):
    return Disk(tmp_path)


def test_what_cannot_be_saved_is_known_all_the_same_and_saved_in_order_later(full):
    ledger = BufferedEventLog(full)
    ledger.append(noted(0))
    full.full = True
    for number in (1, 2):
        ledger.append(noted(number))
    assert (texts(ledger.state()), ledger.error) == (["0", "1", "2"], "full")
    assert texts(full.state()) == ["0"]
    full.full = False
    ledger.append(noted(3))
    assert (texts(full.state()), ledger.error) == (["0", "1", "2", "3"], None)


def test_what_others_write_meanwhile_is_seen(full, tmp_path):
    ledger = BufferedEventLog(full)
    full.full = True
    ledger.append(noted(1))
    EventLog(tmp_path).append(noted(2))
    assert sorted(texts(ledger.state())) == ["1", "2"]
    full.full = False
    assert ledger.save()
    assert sorted(texts(EventLog(tmp_path).state())) == ["1", "2"]


@pytest.mark.parametrize("as_json", [False, True])
def test_foreign_text_in_the_log_is_made_safe_and_stays_one_line(as_json):
    stream = io.StringIO()
    DaemonLog(stream, as_json=as_json, clock=lambda: NOW).warning("x", "m\x1b[2J\nBcc: \u202e", model="a\x07b\r\nc")
    [line] = stream.getvalue().splitlines()
    assert not set(line) & set("\x1b\x07\r\u202e")
    assert "2025-03-01T00:00:00Z" in line
    if as_json:
        said = json.loads(line)
        assert (said["level"], said["event"], said["model"]) == ("warning", "x", "a\\x07b\\r\\nc")


def test_a_log_that_nobody_reads_and_one_of_few_characters_stop_nothing():
    closed = io.StringIO()
    closed.close()
    DaemonLog(closed).info("x", "y")
    narrow = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    DaemonLog(narrow, clock=lambda: NOW).error("x", "宽")
    assert narrow.buffer.getvalue().endswith(b"\\u5bbd\n")


def test_a_lasting_problem_is_logged_when_it_starts_changes_and_ends(tmp_path):
    stream = io.StringIO()
    log = DaemonLog(stream, clock=lambda: NOW)
    reporter = HealthReporter(DaemonIdentity(tmp_path, LockHolder(1, "here")), log, NOW)
    for error in (None, "a", "a", "b", "b", None, None):
        reporter.set_error("disk", error)
    assert [line.split()[-1] for line in stream.getvalue().splitlines()] == ["a", "b", "again"]


def test_the_next_run_knows_what_the_last_one_saw(tmp_path):
    seen = LastEvaluation({"churn\x1b eu": NOW}, {"abcd0123": NOW + timedelta(seconds=1)})
    evaluate.save_last_evaluation(tmp_path, seen)
    assert evaluate.load_last_evaluation(tmp_path) == seen


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"newest": [], "waiting": {}}', '{"newest": {"a": "2025-01-01"}, "waiting": {}}']
)
def test_of_a_file_that_is_not_ours_nothing_is_known(tmp_path, text):
    assert evaluate.load_last_evaluation(tmp_path) == LastEvaluation()
    (tmp_path / FILE_NAME).write_text(text)
    assert evaluate.load_last_evaluation(tmp_path) == LastEvaluation()


def silent(number, condition=Condition.NO_DATA):
    key = SeriesKey(f"m{number}", "*")
    return Alert(f"id{number}", "no-data", key, condition, State.FIRING, Severity.UNKNOWN, NOW, NOW)


@pytest.mark.parametrize(
    ("seconds", "condition", "known", "counts"),
    [
        pytest.param((0,), Condition.NO_DATA, False, [False], id="the first look does not count"),
        pytest.param((0, 59, 60), Condition.NO_DATA, False, [False, False, True], id="a minute later it counts"),
        pytest.param((0,), Condition.THRESHOLD, False, [True], id="values do not wait"),
        pytest.param((0,), Condition.ERROR, False, [True], id="errors have waited already"),
        pytest.param((0,), Condition.NO_DATA, True, [True], id="what people know goes on"),
        pytest.param((0, -999_999, -999_939), Condition.NO_DATA, False, [False, False, True], id="a clock set back"),
    ],
)
def test_of_no_data_the_second_look_counts(seconds, condition, known, counts):
    second = NoDataGrace(timedelta(minutes=1))
    found = [
        second.settled_alerts([silent(1, condition)], NOW + timedelta(seconds=at), lambda _: known) for at in seconds
    ]
    assert [bool(one) for one in found] == counts


def test_a_silence_that_ended_waits_anew():
    second = NoDataGrace(timedelta(minutes=1))
    second.settled_alerts([silent(1), silent(2)], NOW, lambda _: False)
    assert second.next_due() == NOW + timedelta(minutes=1)
    second.settled_alerts([silent(2)], NOW + timedelta(seconds=30), lambda _: False)
    found = second.settled_alerts([silent(1), silent(2)], NOW + timedelta(seconds=60), lambda _: False)
    assert [one.id for one in found] == ["id2"]


@pytest.fixture
def pinged(monkeypatch):
    """A server that counts pings; its address stands in HEART."""
    paths, answers = [], [200]

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            paths.append(self.path)
            self.send_response(answers[0])
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        monkeypatch.setenv("HEART", f"http://127.0.0.1:{server.server_port}/ping/token-4711")
        yield paths, answers
        server.shutdown()
        thread.join()


def test_the_heartbeat_is_heard_and_one_that_is_not_is_said_without_its_address(pinged):
    paths, answers = pinged
    heartbeat = Heartbeat()
    heartbeat.ping(SecretRef(env="HEART"))
    heartbeat.wait(10)
    assert (paths, heartbeat.error) == (["/ping/token-4711"], None)
    answers[0] = 500
    heartbeat.ping(SecretRef(env="HEART"))
    heartbeat.wait(10)
    assert "answered 500" in heartbeat.error
    assert "4711" not in heartbeat.error
    heartbeat.ping(None)
    assert heartbeat.error is None


def test_each_completed_cycle_pings_and_one_that_failed_does_not(world, pinged):
    world.receivers("ops", heartbeat=SecretRef(env="HEART"))
    world.rows("churn", 0.95, 0.95)
    for expected in (1, 2):
        world.cycle()
        world.rounds._heartbeat.wait(10)
        assert len(pinged[0]) == expected
    world.rounds.settings.pipeline.run = lambda _: 1 / 0
    world.cycle()
    world.rounds._heartbeat.wait(10)
    assert len(pinged[0]) == 2


def test_a_heartbeat_without_its_secret_is_said():
    heartbeat = Heartbeat()
    heartbeat.ping(SecretRef(env="MODELTOP_NO_SUCH_VARIABLE"))
    heartbeat.wait(10)
    assert "MODELTOP_NO_SUCH_VARIABLE is not set" in heartbeat.error
