"""Runs `modeltop` in this process as a user would; keeps what it printed, returned, and what a library warned of."""

import contextlib
import csv
import datetime as dt
import io
import json
import os
import re
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from modeltop.cli.main import main

OK, WARNING, CRITICAL, UNKNOWN = 0, 1, 2, 3
STATUS = {OK: "ok", WARNING: "warning", CRITICAL: "critical", UNKNOWN: "unknown"}
SEVERITY = {OK: 0, WARNING: 1, UNKNOWN: 2, CRITICAL: 3}
"""How bad an exit code of `check` is, as design.md orders them."""
HIDDEN = (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning)
"""Warnings that Python itself does not show a user."""


@dataclass(frozen=True)
class Outcome:
    """One run of one command line."""

    code: int
    out: str
    err: str
    warned: tuple[str, ...]

    @property
    def text(self) -> str:
        """Everything that a terminal shows."""
        return self.out + self.err

    @property
    def first_line(self) -> str:
        return self.text.partition("\n")[0]

    @property
    def words(self) -> str:
        """The text without its line breaks, so that a sentence is found however it was wrapped."""
        return " ".join(self.text.split())


@dataclass(frozen=True)
class Newest:
    """The newest value of a series."""

    date: dt.datetime
    value: float | None
    count: float | None


@dataclass(frozen=True)
class Checked:
    """`check` as text and as JSON."""

    shown: Outcome
    record: dict[str, Any]

    @property
    def code(self) -> int:
        return self.shown.code

    @property
    def text(self) -> str:
        """What a terminal shows, in one line, and the messages of the JSON."""
        messages = [str(alert["message"]) for alert in (*self.alerts, *self.record["errors"])]
        return " ".join([self.shown.words, *messages])

    @property
    def alerts(self) -> list[dict[str, Any]]:
        return self.record["alerts"]

    @property
    def models(self) -> dict[str, str]:
        """The status of each model."""
        return {model["model"]: model["status"] for model in self.record["models"]}

    @cached_property
    def latest(self) -> dict[tuple[str, str, str], Newest]:
        """The newest value by model, segment and metric."""
        return {
            (model["model"], latest["segment"], latest["metric"]): Newest(
                moment(latest["date"]), latest["value"], latest["count"]
            )
            for model in self.record["models"]
            for latest in model["latest"]
        }

    @property
    def metrics(self) -> set[str]:
        return {metric for _, _, metric in self.latest}

    def newest(self, metric: str, segment: str = "all", model: str | None = None) -> Newest:
        """The newest value of a series; of the only model where none is named."""
        matching = [
            newest
            for key, newest in self.latest.items()
            if key[1:] == (segment, metric) and (model is None or key[0] == model)
        ]
        assert len(matching) == 1, f"{metric} of segment {segment}: {len(matching)} series among {sorted(self.latest)}"
        return matching[0]

    def active(self, metric: str, segment: str = "all") -> list[dict[str, Any]]:
        """The alerts of a series."""
        return [alert for alert in self.alerts if (alert["metric"], alert["segment"]) == (metric, segment)]

    def mentions(self, *patterns: str) -> bool:
        """Whether each pattern is in the text; case does not count."""
        return all(re.search(pattern, self.text, re.IGNORECASE) for pattern in patterns)


def run(*words: object, stdin: bytes = b"") -> Outcome:
    """Run one command line."""
    streams = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2)]
    with warnings.catch_warnings(record=True) as caught, pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("always")
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with contextlib.redirect_stdout(streams[0]), contextlib.redirect_stderr(streams[1]):
            code = main([str(word) for word in words])
    out, err = (stream.buffer.getvalue().decode() for stream in streams)
    return Outcome(code, out, err, tuple(str(each.message) for each in caught if not issubclass(each.category, HIDDEN)))


def check(*words: object) -> Checked:
    """Run `check` as text and as JSON, which must agree, and must be clean."""
    shown, exact = run("check", *words), run("check", *words, "--json")
    assert shown.out, f"`check` printed nothing but {shown.err}"
    checked = Checked(shown, json.loads(exact.out))
    assert (exact.code, checked.record["status"]) == (shown.code, STATUS[shown.code])
    assert shown.first_line.startswith(STATUS[shown.code].upper())
    assert_clean(shown)
    return checked


def assert_clean(outcome: Outcome, *, lines: int = 6) -> None:
    """No crash, no warning of a library, one line for a fault rather than one for each row."""
    assert outcome.warned == ()
    assert "Warning:" not in outcome.err
    assert "Traceback" not in outcome.err
    assert "an error of its own" not in outcome.err
    assert len(outcome.err.splitlines()) <= lines, outcome.err


def export(*words: object) -> list[dict[str, str]]:
    """The rows of `export --csv -`."""
    outcome = run("export", *words, "--csv", "-")
    assert outcome.code == 0, outcome.text
    return list(csv.DictReader(io.StringIO(outcome.out)))


def assert_refused(checked: Checked, *patterns: str, conditions: tuple[str, ...] = ("unreadable",)) -> None:
    """UNKNOWN and exit 3, as an alert that names what is wrong; nothing is called ok or a data outage."""
    assert checked.code == UNKNOWN, checked.shown.text
    unknown = [alert for alert in checked.alerts if alert["severity"] == "unknown"]
    assert any(alert["condition"] in conditions for alert in unknown), checked.alerts
    for pattern in patterns:
        assert checked.mentions(pattern), f"{pattern!r} not in {checked.text}"
    assert not checked.mentions("data outage")
    assert not checked.mentions("fix the pipeline")


def assert_critical(
    checked: Checked, value: float = 0.7998, *, metric: str = "accuracy", segment: str = "all", model: str | None = None
) -> None:
    """The series is read, and it is why the exit code is 2."""
    assert checked.code == CRITICAL, checked.shown.text
    assert checked.newest(metric, segment, model).value == pytest.approx(value, abs=6e-4)
    assert any(alert["severity"] == "critical" for alert in checked.active(metric, segment)), checked.alerts


def moment(text: str) -> dt.datetime:
    """An ISO date of the JSON or of an export; in UTC."""
    parsed = dt.datetime.fromisoformat(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=dt.UTC)


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[Path]:
    """In a folder where no configuration, store or cache of the machine's owner is found."""
    home = folder / "home of nobody"
    home.mkdir(exist_ok=True)
    work = folder / "work"
    work.mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "HOME"):
            patch.setenv(name, os.fspath(home))
        patch.chdir(work)
        yield work
