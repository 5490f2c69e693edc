"""`modeltop watch` as a person or cron calls it."""

import json
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from modeltop.alerting.event_log.event_log import EventLog
from modeltop.core.incident import WatcherHealth
from modeltop.service import health
from modeltop.service.leader import LeaderLock, LockHolder


def tree(folder):
    return {path: path.stat().st_mtime_ns for path in sorted(folder.rglob("*"))}


def sent(folder):
    path = folder / "told"
    return path.read_text() if path.exists() else ""


def test_a_run_from_cron_sends_once_and_is_silent_when_nothing_is_due(configured, tmp_path, run):
    code, out, err = run("watch", "--once")
    assert (code, out) == (0, "")
    assert "notified ops: critical churn: accuracy 0.700 < 0.90" in err
    assert sent(tmp_path).count("critical churn") == 1
    assert run("watch", "--once") == (0, "", "")
    assert sent(tmp_path).count("critical churn") == 1


def test_a_run_from_cron_leaves_retries_to_the_next_and_exits_with_1(configured, tmp_path, run, monkeypatch):
    monkeypatch.setattr("random.random", lambda: 0.0)
    configured.configure(command="exit 75")
    code, _, err = run("watch", "--once")
    assert code == 1
    assert "ops was not notified" in err
    assert err.count("left to the next run") == 1
    assert sent(tmp_path) == ""
    configured.configure()
    assert run("watch", "--once")[0] == 0
    assert "critical churn" in sent(tmp_path)


def append(world, *rows):
    """Append days from 2025-03-10 on, each a line of values."""
    with (world.store / "churn.csv").open("a") as file:
        file.write("".join(f"2025-03-{day:02},churn,{row}\n" for day, row in enumerate(rows, 10)))


def test_an_end_names_the_alerts_that_the_receiver_was_notified_of(configured, tmp_path, run):
    configured.configure('[[routes]]\nreceivers = ["ops"]\nmetric = "f1_score"\n')
    days = "".join(f"2025-03-{day:02},churn,0.95,0.95\n" for day in range(1, 10))
    (configured.store / "churn.csv").write_text(f"date,model,accuracy,f1_score\n{days}")
    append(configured, "0.5,0.5")
    run("watch", "--once")
    append(configured, "0.5,0.5", "0.5,0.95", "0.5,0.95", "0.5,0.95")
    run("watch", "--once")
    titles = [line for line in sent(tmp_path).splitlines() if line.startswith(("critical", "resolved"))]
    assert titles == ["critical churn: f1_score 0.500 < 0.85", "resolved churn: f1_score, lasted 1 day"]
    assert "CRITICAL: churn accuracy 0.500 < 0.90" in run("check")[1]


def test_what_opens_again_after_an_end_that_may_have_arrived_is_sent_again(configured, tmp_path, run, monkeypatch):
    monkeypatch.setattr("random.random", lambda: 0.0)
    configured.configure(command="cat >> told; echo >> told; test ! -e lost || exit 75")
    run("watch", "--once")
    (tmp_path / "lost").touch()
    append(configured, "0.95")
    assert run("watch", "--once")[0] == 1
    (tmp_path / "lost").unlink()
    append(configured, "0.95", "0.6")
    assert [run("watch", "--once")[0] for _ in range(2)] == [0, 0]
    titles = [line for line in sent(tmp_path).splitlines() if line.startswith(("critical", "resolved"))]
    assert [title.split(":")[0] for title in titles] == ["critical churn", "resolved churn", "critical churn"]
    acks = {line.split()[-1] for line in sent(tmp_path).splitlines() if "modeltop ack" in line}
    assert len(acks) == 1


@pytest.fixture
def pager(tmp_path, monkeypatch):
    """PagerDuty on loopback: its address, and the events that it was sent."""
    received = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(202)
            self.end_headers()
            self.wfile.write(b'{"status": "success"}')

        def log_message(self, *_):
            pass

    monkeypatch.setenv("PD_KEY", "key")
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/", received
        server.shutdown()


def test_what_gets_worse_after_an_acknowledgement_pages_again(configured, run, pager):
    url, received = pager
    configured.configure(f'[receivers.pager]\ntype = "pagerduty"\nrouting_key_env = "PD_KEY"\nurl = "{url}"\n')
    append(configured, *["0.7"] * 2)
    run("watch", "--once")
    run("ack", "churn")
    run("watch", "--once")
    late = [f"2025-03-{day:02},churn,0.95\n" for day in range(1, 14)] + ["2025-03-14,churn,0.1\n"]
    (configured.store / "late.csv").write_text("".join(["date,model,f1_score\n", *late]))
    append(configured, *["0.7"] * 5)
    run("watch", "--once")
    run("ack", "churn")
    run("watch", "--once")
    (configured.store / "late.csv").write_text("".join(["date,model,f1_score\n", *late, "2025-03-15,churn,0.95\n"]))
    append(configured, *["0.7"] * 5, "0.95")
    run("watch", "--once")
    keys = list(dict.fromkeys(event["dedup_key"] for event in received))
    assert keys[1] == f"{keys[0]}:2"
    assert [(event["event_action"], keys.index(event["dedup_key"]) + 1) for event in received] == [
        ("trigger", 1),
        ("acknowledge", 1),
        ("trigger", 2),
        ("acknowledge", 2),
        ("resolve", 1),
        ("resolve", 2),
    ]
    assert received[2]["payload"]["summary"].startswith("critical (new alert) churn: f1_score 0.100 < 0.85 and 1 more")
    assert received[2]["payload"]["custom_details"]["new"] == "New alerts: f1_score 0.100 < 0.85."


def test_a_failure_with_nothing_left_to_deliver_is_no_problem(configured, tmp_path, run):
    configured.configure(command="exit 75")
    assert run("watch", "--once")[0] == 1
    path = configured.store / "churn.csv"
    path.write_text(path.read_text().replace(",0.7\n", ",0.95\n"))
    code, _, err = run("watch", "--once")
    assert (code, "withdrawn: churn" in err) == (0, True)


def test_a_run_from_cron_beside_a_leader_has_nothing_to_do(configured, run):
    configured.state.mkdir()
    with LeaderLock(configured.state, LockHolder(77, "beta")) as leader:
        leader.acquire()
        code, _, err = run("watch", "--once")
    assert (code, "process 77 on beta leads" in err) == (0, True)


def test_an_unreadable_source_is_an_alert_after_three_evaluations_of_one_run(configured, tmp_path, run, monkeypatch):
    monkeypatch.setattr("modeltop.service.daemon.RETRY_SECONDS", 0)
    (configured.store / "broken.csv").mkdir()
    assert run("watch", "--once")[0] == 0
    assert "broken.csv" in sent(tmp_path)


def test_without_a_lock_it_refuses_to_start(configured, run):
    (configured.state / "watch.lock").mkdir(parents=True)
    code, _, err = run("watch", "--once")
    assert code == 2
    assert "watch.lock" in err


def test_a_dry_run_prints_what_would_go_out_and_writes_and_sends_nothing(configured, tmp_path, run):
    before = tree(tmp_path)
    code, out, err = run("watch", "--dry-run")
    assert code == 0
    assert "to ops: critical churn: accuracy 0.700 < 0.90" in out
    assert "1 message for 1 receiver; nothing was sent" in err
    assert tree(tmp_path) == before


def test_a_dry_run_after_the_message_prints_nothing_more(configured, run):
    run("watch", "--once")
    code, out, err = run("watch", "--dry-run", "--json")
    assert (code, json.loads(out), err) == (0, [], "")


def test_where_data_stopped_a_dry_run_announces_what_is_sent_and_its_verdict_is_about_the_same(
    configured, tmp_path, run
):
    text = (tmp_path / "modeltop.toml").read_text()
    (tmp_path / "modeltop.toml").write_text(text.replace('on_no_data = "ok"\n', ""))
    _, out, err = run("watch", "--dry-run")
    assert "1 no-data alert would be sent after 1 minute without new rows" in err
    run("watch", "--once")
    message = sent(tmp_path)
    assert message.startswith("critical churn: accuracy 0.700 < 0.90\n\nAccuracy ")
    assert "no data" not in message.casefold()
    announced = [line.removeprefix("  ") for line in out.removeprefix("to ops: ").splitlines()]
    assert [line for line in announced if line] == [line for line in message.splitlines() if line]


def test_a_dry_run_in_json_has_keys_and_reasons(configured, run):
    [message] = json.loads(run("watch", "--dry-run", "--json")[1])
    [incident] = message["incidents"]
    assert (incident["kind"], incident["reason"], message["receiver"]) == ("trigger", "first", "ops")


def test_a_dry_run_reports_receivers_that_do_not_work(configured, run):
    configured.configure('[receivers.hook]\ntype = "webhook"\nurl_env = "NO_SUCH_URL"\n')
    code, _, err = run("watch", "--dry-run")
    assert code == 1
    assert "receiver hook fails: NO_SUCH_URL is not set" in err


def test_a_test_message_is_marked_and_reported(configured, tmp_path, run):
    code, out, _ = run("watch", "--test", "ops")
    assert (code, "test message sent to ops" in out) == (0, True)
    assert sent(tmp_path).startswith("TEST ")
    assert not configured.state.exists()


def test_a_test_that_fails_reports_the_reason(configured, run):
    configured.configure(command="exit 3")
    code, out, err = run("watch", "--test", "ops")
    assert (code, out) == (1, "")
    assert "the test of ops failed" in err


def test_a_successful_test_enables_a_disabled_receiver(configured, tmp_path, run):
    configured.configure(command="test -e mended || exit 78; cat >> told")
    assert run("watch", "--once")[0] == 1
    assert run("watch", "--status")[0] == 1
    (tmp_path / "mended").touch()
    assert run("watch", "--once")[0] == 1
    assert "ops recovered: it works again" in run("watch", "--test", "ops")[1]
    assert EventLog(configured.state).state().receivers["ops"].disabled_reason is None
    assert run("watch", "--once")[0] == 0
    assert "critical churn" in sent(tmp_path)


def test_a_test_of_an_unknown_receiver_lists_the_configured(configured, run):
    code, _, err = run("watch", "--test", "opps")
    assert (code, "there is no receiver 'opps'; configured: ops" in err) == (2, True)


def test_paths_have_a_state_of_their_own(tmp_path, world, run):
    world.rows("churn", *(0.95,) * 8, 0.7)
    assert run("watch", "--once", world.store / "churn.csv")[0] == 0
    assert not world.state.exists()
    [folder] = (tmp_path / "home" / "modeltop").glob("churn-*")
    assert (folder / "watch.json").exists()
    assert run("watch", "--status", world.store / "churn.csv")[0] == 0


@pytest.mark.parametrize("arguments", [("--once", "--status"), ("--dry-run", "--test", "ops"), ("--every", "5")])
def test_conflicting_options_are_refused(configured, run, arguments):
    assert run("watch", *arguments)[0] == 2


NOW = datetime.now(UTC)
"""When this file was read: long ago, by the time its tests run among all others."""
WELL = WatcherHealth(at=NOW, started_at=NOW, pid=1, host="a\x1b[2J", interval_seconds=60.0)


@pytest.mark.parametrize(
    ("state", "once", "has_leader", "code", "word"),
    [
        (None, False, False, 3, "not running (never started)"),
        (None, False, True, 1, "starting"),
        (WELL, False, True, 0, "alive"),
        (WELL, True, False, 0, "alive"),
        (WELL, False, False, 3, "ended unexpectedly"),
        (replace(WELL, stopped=True), False, False, 3, "stopped"),
        (replace(WELL, at=NOW - timedelta(hours=1)), False, True, 3, "late"),
        (replace(WELL, at=NOW - timedelta(hours=1)), True, False, 3, "late"),
        (replace(WELL, error="the disk is full"), False, True, 1, "degraded"),
        (replace(WELL, disabled_receivers={"ops": "answered 404"}), False, True, 1, "degraded"),
    ],
)
def test_the_status_is_printed_with_its_exit_code(configured, run, state, once, has_leader, code, word):
    configured.state.mkdir()
    if state is not None:
        passed = datetime.now(UTC) - NOW
        health.HealthFile(configured.state).write(replace(state, at=state.at + passed, one_shot=once))
    with LeaderLock(configured.state, LockHolder(7, "b")) as leader:
        if has_leader:
            leader.acquire()
        exit_code, out, _ = run("watch", "--status")
        as_json = json.loads(run("watch", "--status", "--json")[1])
    assert (exit_code, out.splitlines()[0].removeprefix("watcher ").split(":")[0], as_json["status"]) == (
        code,
        word,
        word,
    )
    assert "\x1b" not in out
