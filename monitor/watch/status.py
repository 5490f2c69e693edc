"""`watch --status`: how the watcher is, for a person and for a script."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from monitor.text import age, safe
from monitor.watch.health import Report, read_report
from monitor.watch.leader import leading

ALIVE, TROUBLE, SILENT = 0, 1, 3


def status(folder: Path, now: datetime, say: Callable[[str], None], *, as_json: bool) -> int:
    """Say how the watcher of a state folder is.

    Returns:
        0 alive and well, 1 alive and in trouble (its last error, a broken receiver), 3 not running or late.
    """
    report = read_report(folder)
    led = leading(folder)
    code, word = _judged(report, now, led=led)
    if as_json:
        say(json.dumps(_as_json(report, word, led=led)))
        return code
    say(word if report is None else f"{word}: {_sentence(report, now)}")
    if report is not None:
        if report.health.error:
            say(f"  error: {safe(report.health.error, 400)}")
        for name in report.health.broken:
            say(f"  receiver {safe(name, 60)} is broken: change its settings, or mend it and send a test")
    return code


def _judged(report: Report | None, now: datetime, *, led: bool) -> tuple[int, str]:
    if report is None:
        return (TROUBLE, "starting") if led else (SILENT, "no watcher has ever run here")
    health = report.health
    if health.stopped and not led:
        return SILENT, "stopped"
    if not led and not report.once:
        return SILENT, "ended without a word"
    if health.late(now):
        return SILENT, "late"
    if health.error or health.broken:
        return TROUBLE, "in trouble"
    return ALIVE, "alive"


def _sentence(report: Report, now: datetime) -> str:
    health = report.health
    how = "runs from cron" if report.once else f"process {health.pid} on {safe(health.host, 60)}"
    since = f", since {age(now - health.started)}" if not report.once else ""
    return f"{how}{since}, last cycle {age(now - health.at)} ago"


def _as_json(report: Report | None, word: str, *, led: bool) -> dict[str, object]:
    if report is None:
        return {"status": word, "leading": led}
    health = report.health
    return {
        "status": word,
        "leading": led,
        "at": health.at.isoformat(),
        "started": health.started.isoformat(),
        "pid": health.pid,
        "host": health.host,
        "every": health.every,
        "error": health.error,
        "broken": list(health.broken),
        "stopped": health.stopped,
        "once": report.once,
    }
