"""Alertmanager: alerts as its API v2 has them, with a real one on loopback, which is asked what it knows."""

import json
import shutil
import socket
import subprocess
import time
import urllib.request
from datetime import UTC, datetime, timedelta

import pytest

from modeltop.alerting.messages.compose import build_test_message
from modeltop.alerting.notifiers.alertmanager import Alertmanager, alerts
from modeltop.alerting.notifiers.base import SecretRef
from modeltop.cli import main
from modeltop.config.load import from_tables
from modeltop.core.errors import ConfigError, NotifyError
from modeltop.core.event import NotificationAction, NotificationReason
from modeltop.core.series import Severity
from modeltop.core.text import sanitize

HOUR = timedelta(hours=1)
NOW = datetime(2030, 1, 1, tzinfo=UTC)
BEFORE = time.time() - 3700
"""An hour, and a little, before the tests."""
PROGRAM = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
SETTINGS = "route: {receiver: none, group_by: [incident]}\nreceivers: [{name: none}]\n"


def by_severity(message):
    return {one["labels"]["severity"]: one for one in alerts(message, NOW, HOUR)}


def ends(message):
    return {level: datetime.fromisoformat(one["endsAt"]) - NOW for level, one in by_severity(message).items()}


def test_a_firing_alert_ends_by_itself_and_its_other_severities_end_now(message):
    found = ends(message(severity=Severity.CRITICAL, peak_severity=Severity.CRITICAL))
    assert found == {"critical": HOUR, "unknown": timedelta(0), "warning": timedelta(0)}
    assert list(ends(message(severity=Severity.WARNING, peak_severity=Severity.WARNING))) == ["warning"]


@pytest.mark.parametrize("reason", [NotificationReason.RESOLVED, NotificationReason.WITHDRAWN])
def test_the_end_ends_every_severity(message, reason):
    over = {"action": NotificationAction.RESOLVE, "reason": reason, "severity": Severity.OK}
    found = ends(message(**over, peak_severity=Severity.CRITICAL))
    assert set(found.values()) == {timedelta(0)}
    assert "critical" in found


def test_an_acknowledged_alert_stays_for_a_day(message):
    acknowledged = {"action": NotificationAction.ACKNOWLEDGE, "reason": NotificationReason.ACKNOWLEDGED}
    assert ends(message(**acknowledged))["critical"] == timedelta(hours=24)


def test_labels_are_those_of_the_incident_alone(message):
    one, other = (by_severity(message(metric=metric))["critical"] for metric in ("accuracy", "recall"))
    assert one["labels"] == other["labels"]
    assert set(one["labels"]) == {"alertname", "model", "incident", "severity"}
    assert (one["annotations"]["metric"], other["annotations"]["metric"]) == ("accuracy", "recall")


def test_foreign_text_is_sanitized(message, hostile):
    for one in alerts(message(model=hostile, metric=hostile), NOW, HOUR):
        assert one["labels"]["model"] == (sanitize(hostile) or "?")
        assert one["annotations"].get("metric", "") == sanitize(hostile)


@pytest.fixture
def alertmanager(tmp_path):
    """Starts Alertmanagers, and returns their addresses; each ends with the test."""
    if PROGRAM is None:
        pytest.skip("Alertmanager is not installed")
    (tmp_path / "am.yml").write_text(SETTINGS)
    started = []

    def start():
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        argv = [PROGRAM, f"--config.file={tmp_path / 'am.yml'}", f"--storage.path={tmp_path / str(port)}"]
        argv += [f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="]
        started.append(subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        for _ in range(200):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=1):
                    return f"http://127.0.0.1:{port}"
            except OSError:
                time.sleep(0.05)
        raise AssertionError("Alertmanager did not start")

    yield start
    for process in started:
        process.kill()
        process.wait()


def active(url):
    """Return the severities of the alerts that an Alertmanager holds as firing, by incident."""
    with urllib.request.urlopen(f"{url}/api/v2/alerts?active=true", timeout=5) as answer:
        return sorted((one["labels"]["incident"], one["labels"]["severity"]) for one in json.load(answer))


def test_a_real_one_follows_an_incident_from_first_to_last(alertmanager, message):
    url = alertmanager()
    receiver = Alertmanager(urls=(url,))
    receiver.send(message(severity=Severity.WARNING, peak_severity=Severity.WARNING))
    assert active(url) == [("1a2b3c4d", "warning")]
    worse = {"severity": Severity.CRITICAL, "peak_severity": Severity.CRITICAL}
    for reason in (NotificationReason.ESCALATED, NotificationReason.REPEAT):
        receiver.send(message(**worse, reason=reason))
        assert active(url) == [("1a2b3c4d", "critical")]
    over = {"action": NotificationAction.RESOLVE, "reason": NotificationReason.RESOLVED}
    receiver.send(message(**over, severity=Severity.OK, peak_severity=Severity.CRITICAL))
    assert active(url) == []


def test_a_watcher_that_is_dead_leaves_no_alert_for_ever(alertmanager, message, monkeypatch):
    url = alertmanager()
    monkeypatch.setattr("modeltop.alerting.notifiers.alertmanager.time.time", lambda: BEFORE)
    Alertmanager(urls=(url,)).send(message())
    assert active(url) == [], "it was sent an hour ago, and never again"


def test_two_hosts_both_know_and_one_that_is_down_is_a_warning(alertmanager, message, caplog):
    first, second = alertmanager(), alertmanager()
    with socket.create_server(("127.0.0.1", 0)) as closed:
        down = f"http://127.0.0.1:{closed.getsockname()[1]}"
    Alertmanager(urls=(first, down, second), timeout=2).send(message())
    assert active(first) == active(second) == [("1a2b3c4d", "critical")]
    assert [record.getMessage().partition(", another")[0] for record in caplog.records] == [
        f"Alertmanager {down} was not notified"
    ]
    with pytest.raises(NotifyError, match="cannot be reached"):
        Alertmanager(urls=(down, down), timeout=2).send(message())


def test_a_watcher_that_is_started_again_goes_on_with_the_same_alert(alertmanager, tmp_path, isolated_home):
    url = alertmanager()
    settings = f'[receivers.am]\ntype = "alertmanager"\nurls = ["{url}"]\n'
    (tmp_path / "modeltop.toml").write_text(settings)
    metrics = tmp_path / "metrics.csv"

    def watched(newest):
        days = [datetime.now(UTC).date() - timedelta(days=back) for back in range(20, -1, -1)]
        rows = [f"{day},fraud,{0.95 if day < days[-1] else newest},1000" for day in days]
        metrics.write_text("\n".join(["date,model,accuracy,count", *rows, ""]))
        assert main.main(["watch", "--once", "--config", str(tmp_path / "modeltop.toml"), str(metrics)]) == 0
        with urllib.request.urlopen(f"{url}/api/v2/alerts", timeout=5) as answer:
            return [(one["labels"], one["startsAt"], one["updatedAt"]) for one in json.load(answer)]

    first = watched(0.6)
    assert [(labels["model"], labels["severity"]) for labels, _, _ in first] == [("fraud", "critical")]
    assert watched(0.6) == first, "it is not sent again before it is due"
    assert watched(0.95) == []


def test_a_token_that_no_header_may_have_is_named(message, monkeypatch):
    monkeypatch.setenv("AM_TOKEN", "two\nlines")
    with pytest.raises(NotifyError, match="its token has characters") as caught:
        Alertmanager(urls=("http://127.0.0.1:9",), token=SecretRef(env="AM_TOKEN")).send(message())
    assert caught.value.permanent


def test_the_test_message_is_accepted(alertmanager):
    url = alertmanager()
    Alertmanager(urls=(url,)).send(build_test_message("ops", datetime.now(UTC)))
    assert len(active(url)) == 1


@pytest.mark.parametrize(
    ("settings", "mistake"),
    [
        ({"urls": []}, "urls: write addresses"),
        ({"urls": ["ftp://x"]}, "urls: write addresses"),
        ({"urls": ["http://u:p@x"]}, "without a user"),
        ({"urls": ["http://x"], "resolve_timeout": "1m"}, "3m or more"),
        ({"urls": ["http://x"], "repeat": "never"}, "a third of resolve_timeout"),
        ({"urls": ["http://x"], "repeat": "4h"}, "a third of resolve_timeout"),
    ],
)
def test_settings_that_make_no_sense_are_refused(tmp_path, settings, mistake):
    with pytest.raises(ConfigError, match=mistake):
        from_tables({"receivers": {"am": {"type": "alertmanager"} | settings}}, tmp_path / "modeltop.toml")


def test_without_a_repeat_of_its_own_an_alert_is_sent_three_times_within_its_time(tmp_path):
    tables = {"receivers": {"am": {"type": "alertmanager", "urls": ["http://x"], "resolve_timeout": "30m"}}}
    receiver = from_tables(tables, tmp_path / "modeltop.toml").receivers["am"]
    assert receiver.policy.repeat == timedelta(minutes=10)
