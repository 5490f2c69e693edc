"""`modeltop demo`: the sample fleet as if it were today, with a live feed in which an incident unfolds in a minute."""

from __future__ import annotations

import argparse
import contextlib
import itertools
import math
import random
import tempfile
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from modeltop.cli import open as open_command
from modeltop.cli.context import Context
from modeltop.core.errors import SourceError


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `demo` to its parser."""
    open_command.add_app_options(parser)
    parser.set_defaults(below=[], above=[], now=None, guide=GUIDE)


def run(args: argparse.Namespace, context: Context) -> int:
    """Open the app on a copy of the sample fleet, which is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="modeltop-demo-") as name:
        folder = Path(name)
        set_up(folder, context.clock())
        # As a store, so that a person's actions in it are deleted with it.
        args.paths, args.store, args.config = [], name, str(folder / "modeltop.toml")
        with live_feed(folder):
            return open_command.run(args, context)


def samples_folder() -> Path:
    """Return the folder of the sample data: `modeltop/_samples` in a wheel, `sample_data` in a checkout.

    Raises:
        SourceError: Neither is there.
    """
    package = Path(__file__).resolve().parents[1]
    for candidate in (package / "_samples", package.parent / "sample_data"):
        if candidate.is_dir():
            return candidate
    raise SourceError("the sample data was not installed with this package: reinstall modeltop")


LIVE_MODEL = "checkout-fraud"
GUIDE = (
    ("down,j,up,k", "Demo 1/9  Models, worst first. Press ↓ for the next one."),
    ("left,h,right,l", "Demo 2/9  Press → for the next metric, and its chart."),
    ("enter,d", "Demo 3/9  Why is it critical? Press Enter for the evidence."),
    ("q,escape", "Demo 4/9  ↓ and Enter open a cause or a metric. Press q to go back."),
    ("home,g", f"Demo 5/9  Within a minute {LIVE_MODEL} fails and goes on top: press g then."),
    ("a", "Demo 6/9  Press a to acknowledge it: type a reason, then Enter."),
    ("v", "Demo 7/9  Press v for its periods: / filters, Enter opens one, q goes back."),
    ("S", "Demo 8/9  Press S to silence alerts during a migration; Esc leaves the form."),
    ("?", "Demo 9/9  Press ? for all keys. Next: modeltop FILE.csv with your metrics."),
)
STEP = timedelta(seconds=2)
PAST_ROWS = 240
HEALTHY_ROWS = 8
"""Rows of the feed before the incident starts: time to read the screen first."""
FALLING_ROWS = 16
"""Rows over which accuracy falls from its level to its lowest."""
HEADER = "date,count,accuracy,precision,precision_count,recall,recall_count,f1_score,avg_confidence\n"

CONFIG = """\
# The rules of the demo; `modeltop help rules` has all keys.
[[rules]]
name = "accuracy-floor"
metric = "accuracy"
model = "checkout-fraud"
warn = { below = 0.92 }
critical = { below = 0.90 }
margin = 0.005
confirm = 2
recover = 2

[[rules]]
name = "accuracy-fraud-and-triage"
metric = "accuracy"
model = "[ft]*"
critical = { below = 0.90 }

[[rules]]
name = "sustained-drop"
metric = "*"
check = "shift"
min_count = 30

[[rules]]
name = "confidence-of-churn"
metric = "avg_confidence"
model = "churn"
warn = { below = 0.77 }
confirm = 2
"""


def set_up(folder: Path, now: datetime) -> None:
    """Copy the fleet into a folder, its newest day moved to that of `now`, and add the live model and the rules.

    Args:
        folder: An empty folder.
        now: End of the live model's past, aware.
    """
    files = {path: path.read_text(encoding="utf-8") for path in sorted((samples_folder() / "fleet").glob("*.csv"))}
    newest = max(row[:10] for text in files.values() for row in text.splitlines()[1:])
    shift = now.astimezone(UTC).date() - date.fromisoformat(newest)
    for path, text in files.items():
        (folder / path.name).write_text(shift_dates(text, shift), encoding="utf-8")
    (folder / "modeltop.toml").write_text(CONFIG, encoding="utf-8")
    generator = random.Random(7)  # noqa: S311  the demo is the same every time
    rows = [live_row(now - STEP * back, 0.0, generator) for back in range(PAST_ROWS, 0, -1)]
    live_file(folder).write_text(HEADER + "".join(rows), encoding="utf-8")


def live_file(folder: Path) -> Path:
    """Return the file to which the feed appends."""
    return folder / f"{LIVE_MODEL}.csv"


def shift_dates(text: str, shift: timedelta) -> str:
    r"""Return a CSV whose first column is an ISO date with each date moved by `shift`.

    >>> shift_dates("date,x\n2025-01-01,1\n", timedelta(days=31))
    'date,x\n2025-02-01,1\n'
    """
    header, *rows = text.splitlines()
    shifted = [f"{date.fromisoformat(row[:10]) + shift}{row[10:]}" for row in rows]
    return "\n".join([header, *shifted]) + "\n"


def incident_progress(row: int) -> float:
    """Return the severity of the incident at a row of the feed: 0 before it starts, 1 at its worst.

    >>> incident_progress(0), incident_progress(HEALTHY_ROWS + FALLING_ROWS)
    (0.0, 1.0)
    """
    return min(1.0, max(0.0, (row - HEALTHY_ROWS) / FALLING_ROWS))


def live_row(start: datetime, progress: float, generator: random.Random) -> str:
    """Return one period of the live model as a CSV row; its rates come from one simulated confusion matrix.

    Args:
        start: Start of the period, aware.
        progress: Of the incident: 0 healthy, 1 at its worst, with recall down by a third.
        generator: Source of the random numbers.
    """
    count = generator.randint(900, 1100)
    positives = round(count * 0.3)
    true_positives = _binomial(positives, 0.93 - 0.30 * progress, generator)
    false_positives = _binomial(count - positives, 0.02 + 0.02 * progress, generator)
    predicted = true_positives + false_positives
    accuracy = (true_positives + count - positives - false_positives) / count
    precision, recall = true_positives / predicted, true_positives / positives
    f1 = 2 * true_positives / (positives + predicted)
    confidence = 0.95 - 0.06 * progress + generator.gauss(0, 0.003)
    stamp = start.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    rates = f"{accuracy:.4f},{precision:.4f},{predicted},{recall:.4f},{positives},{f1:.4f},{confidence:.4f}"
    return f"{stamp},{count},{rates}\n"


def _binomial(count: int, probability: float, generator: random.Random) -> int:
    """Return a binomial draw by its normal approximation, which is good enough for a demonstration."""
    spread = math.sqrt(count * probability * (1 - probability))
    return min(count, max(0, round(generator.gauss(count * probability, spread))))


@contextlib.contextmanager
def live_feed(folder: Path) -> Iterator[None]:
    """Append a row to the live model every two seconds, in a thread, until the context is left."""
    stop = threading.Event()
    thread = threading.Thread(target=_append_rows, args=(live_file(folder), stop), name="demo-feed", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=5)


def _append_rows(path: Path, stop: threading.Event) -> None:
    generator = random.Random(11)  # noqa: S311  the demo is the same every time
    for row in itertools.count():
        if stop.wait(STEP.total_seconds()):
            return
        try:
            with path.open("ab", buffering=0) as file:
                file.write(live_row(datetime.now(UTC), incident_progress(row), generator).encode("ascii"))
        except OSError:
            return  # the folder is removed: the demo is over
