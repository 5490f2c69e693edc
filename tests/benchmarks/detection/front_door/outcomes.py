"""What `compute` and `check` say about one log, day by day, and whether that is right."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from modeltop.cli.main import main
from tests.benchmarks.detection.baselines import SIGMAS, WINDOW
from tests.benchmarks.detection.front_door.answers import ANSWERS, Answer, Step, step_of
from tests.benchmarks.detection.front_door.kinds import HARMFUL, KINDS, Kind
from tests.benchmarks.detection.front_door.logs import FAULT_AT, HISTORY, REFERENCE, Log, simulate_log
from tests.benchmarks.detection.front_door.worlds import SPECS, WorldSpec, world

RIVAL_DAYS = 7
"""Days before the fault of healthy logs on which the slow rivals are asked too."""


@dataclass(frozen=True, slots=True)
class Run:
    """One log to simulate and evaluate."""

    kind: str
    world: str
    rows: int
    seed: int
    days: tuple[int, ...]

    @property
    def name(self) -> str:
        """Name of its files."""
        return f"{self.kind}-{self.world}-{self.rows}-{self.seed}".replace(" ", "_")

    @property
    def spec(self) -> WorldSpec:
        """The world before its model is trained."""
        return SPECS[self.world]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was said as of one day."""

    run: Run
    day: int
    status: str
    found: bool
    """Whether an alert has fired since the fault began, by this day."""
    causes: tuple[tuple[str, str, float], ...] = ()
    """Name, certainty and weight of each, the likeliest first; none without an alert."""
    steps: tuple[str, ...] = ()
    verdict: tuple[str, str, str] = ("", "", "")

    @property
    def kind(self) -> Kind:
        """What happens to the log."""
        return KINDS[self.run.kind]

    @property
    def answer(self) -> Answer | None:
        """The first cause in the words of this benchmark; None where it has none for it."""
        return ANSWERS.get(self.causes[0][0]) if self.causes else None

    @property
    def certainty(self) -> str:
        """How certain the first cause is."""
        return self.causes[0][1] if self.causes else "unclear"

    @property
    def is_first_right(self) -> bool:
        """Whether the first cause is a right one, however certain."""
        return self.answer in self.kind.right

    @property
    def is_right(self) -> bool:
        """Whether a right cause is named: an unclear one is not, and is right where nothing can be known."""
        if self.certainty == "unclear":
            return Answer.UNCLEAR in self.kind.right
        return self.is_first_right

    @property
    def names_both(self) -> bool:
        """Whether each of two faults is among the causes that are certain or likely."""
        return self.kind.right <= {ANSWERS.get(name) for name in self._likely}

    @property
    def names_two(self) -> bool:
        """Whether the verdict names a second cause."""
        return len(self._likely) > 1

    @property
    def _likely(self) -> list[str]:
        return [name for name, certainty, _ in self.causes if certainty in ("certain", "likely")]

    @property
    def advised(self) -> tuple[Step, ...]:
        """The steps in the words of this benchmark."""
        return tuple(step for step in map(step_of, self.steps) if step is not None)

    @property
    def advises_retraining(self) -> bool:
        """Whether retraining is a step, or the sentence orders it."""
        return Step.RETRAIN in (*self.advised, step_of(self.verdict[2]))

    @property
    def is_step_right(self) -> bool:
        """Whether the first step is right, and none that follows does harm."""
        advised = self.advised
        harms = (self.advises_retraining and Step.RETRAIN not in self.kind.steps) or any(
            step in HARMFUL - self.kind.steps for step in advised
        )
        return bool(advised) and advised[0] in self.kind.steps and not harms

    def as_record(self) -> dict[str, Any]:
        """Return what was said, and whether it is right."""
        return {
            "day": self.day,
            "status": self.status,
            "found": self.found,
            "answer": None if self.answer is None else self.answer.value,
            "right": self.is_right,
            "step_right": self.is_step_right,
            "causes": self.causes,
            "steps": self.steps,
            "verdict": " ".join(filter(None, self.verdict)),
        }


@dataclass(frozen=True, slots=True)
class RunResult:
    """The outcomes of one log, and when alerts fired on it."""

    run: Run
    outcomes: tuple[Outcome, ...]
    alert_days: dict[str, list[int]]
    """By tool, days relative to the fault on which alerts started, the first `REFERENCE` days left out."""

    def as_record(self) -> dict[str, Any]:
        """Return everything as it is written as JSON."""
        return {
            "kind": self.run.kind,
            "world": self.run.world,
            "task": self.run.spec.task.value,
            "split": self.run.spec.split.value,
            "rows": self.run.rows,
            "seed": self.run.seed,
            "verdicts": [outcome.as_record() for outcome in self.outcomes],
            "alert_days": self.alert_days,
        }

    @property
    def healthy_days(self) -> int:
        """Days on which an alert would have been counted."""
        return HISTORY - REFERENCE + self.run.days[-1]


def evaluate_run(run: Run, rival_folder: Path | None = None) -> RunResult:
    """Simulate a log, compute and check it as of each day, in a store of its own.

    Args:
        run: The log.
        rival_folder: Where the complete log is left for the rivals; None: nowhere.
    """
    log = simulate_log(world(run.world), KINDS[run.kind], run.rows, run.seed)
    outcomes: list[Outcome] = []
    incidents: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="modeltop-front-door-") as folder:
        for day in run.days:
            record = check_as_of(log, day, Path(folder))
            incidents |= {incident["id"]: incident["started_at"] for incident in record["incidents"]}
            found_before = bool(outcomes) and outcomes[-1].found
            outcomes.append(_outcome(run, day, record, found_before=found_before))
    if rival_folder is not None:
        _write_for_rivals(log, run, rival_folder)
    starts = sorted(_day_of(moment) for moment in incidents.values())
    ours = [day for day in starts if day >= REFERENCE - HISTORY]
    return RunResult(run, tuple(outcomes), {"modeltop": ours, "mean ± 3σ": three_sigma_days(log, run.days[-1])})


def check_as_of(log: Log, day: int, folder: Path) -> dict[str, Any]:
    """Return what `check --json` says once `compute` has read the log as of a day.

    Raises:
        RuntimeError: `compute` could not read the log.
    """
    now = (FAULT_AT + timedelta(days=day, hours=1)).isoformat()
    path, store = folder / "log.parquet", folder / "store"
    options = log.write(path, day)
    code, _, errors = _command("compute", path, "--store", store, "--now", now, *options)
    if code:
        raise RuntimeError(f"compute ended with {code} on {log.kind.name}, {log.world.spec.name}: {errors}")
    if log.kind.note and not (folder / "noted").exists():
        model = log.world.spec.name.replace(" ", "-")
        _command("note", model, log.kind.note, "--release", "--store", store, "--at", FAULT_AT.isoformat())
        (folder / "noted").touch()
    config = folder / "modeltop.toml"
    config.write_text(f'[[calendar]]\nname = "holiday"\ndates = ["{log.kind.calendar}"]\n' if log.kind.calendar else "")
    _, text, _ = _command("check", "--store", store, "--now", now, "--json", "--config", config)
    record: dict[str, Any] = json.loads(text)
    return record


def _command(*words: object) -> tuple[int, str, str]:
    """Run one command line of modeltop in this process, which saves its start."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([str(word) for word in words])
    return code, out.getvalue(), err.getvalue()


def _outcome(run: Run, day: int, record: dict[str, Any], *, found_before: bool) -> Outcome:
    (model,) = record["models"]
    verdict = model["verdict"]
    sentences = (verdict["what"], verdict["why"], verdict["do"])
    fired = [alert["fired"] for alert in record["alerts"] if alert["fired"]]
    started = [incident["started_at"] for incident in record["incidents"]]
    found = found_before or any(_day_of(moment) >= 0 for moment in (*fired, *started))
    incident = next((each for each in record["incidents"] if each["id"] == model["incident"]), None)
    if incident is None:
        return Outcome(run, day, model["status"], found, verdict=sentences)
    causes = tuple((cause["cause"], cause["certainty"], cause["weight"]) for cause in model["causes"])
    return Outcome(run, day, model["status"], found, causes, tuple(incident["steps"]), sentences)


def _day_of(moment: str) -> int:
    """Return the days from the start of the fault to a moment, which are negative before it."""
    passed = datetime.fromisoformat(moment) - FAULT_AT.replace(tzinfo=UTC)
    return int(np.floor(passed / timedelta(days=1)))


def three_sigma_days(log: Log, last_day: int) -> list[int]:
    """Return the days on which accuracy, or the mean absolute error, is outside mean ± 3σ of the 30 days before."""
    frame = log.as_of(last_day)
    frame = frame[frame["label"].notna()]
    if log.world.is_regression:
        values = (frame["prediction"].astype(float) - frame["label"].astype(float)).abs()
    else:
        values = (frame["prediction"].astype(str) == frame["label"].astype(str)).astype(float)
    days = (frame["timestamp"] - FAULT_AT).dt.days
    daily = values.groupby(days).mean()
    level, spread = daily.rolling(WINDOW).mean().shift(), daily.rolling(WINDOW).std().shift()
    beyond = ((daily - level).abs() > SIGMAS * spread).to_numpy()
    delay = log.world.spec.label_delay
    return [int(day) + delay for day in daily.index[beyond & ~np.append(False, beyond[:-1])]]


def _write_for_rivals(log: Log, run: Run, folder: Path) -> None:
    """Leave the log with what is needed to read it, as Parquet and JSON."""
    frame = log.as_of(run.days[-1])
    frame = frame.assign(day=(frame["timestamp"] - FAULT_AT).dt.days)
    frame.to_parquet(folder / f"{run.name}.parquet", index=False)
    settings = {
        "task": run.spec.task.value,
        "features": list(log.world.features) if log.kind.with_inputs else [],
        "categorical": log.world.categorical if log.kind.with_inputs else [],
        "scores": log.score_columns,
        "positive": str(log.world.classes[-1]) if log.world.classes else None,
        "reference_days": REFERENCE,
        "label_delay": run.spec.label_delay,
        "days": [*range(-RIVAL_DAYS, run.days[-1])] if log.kind.is_healthy else [day - 1 for day in run.days],
    }
    (folder / f"{run.name}.json").write_text(json.dumps(settings), encoding="utf-8")
