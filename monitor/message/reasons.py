"""Why a model alerts, asked so that no answer stops nobody: what tells people goes out also without the why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from monitor.findings import Diagnosis
from monitor.snapshot import Snapshot
from monitor.text import safe

LONGEST = 400
"""Cells of a verdict."""
Ask = Callable[[Snapshot, str], Diagnosis]


@dataclass(frozen=True, slots=True)
class Reason:
    """The answer."""

    found: Diagnosis | None = None
    failed: str = ""
    """Why there is none, a clause made safe; empty where there is one."""


def reason(snapshot: Snapshot, model: str, ask: Ask | None = None) -> Reason:
    """The diagnosis of a model, or why there is none.

    Args:
        snapshot: What is looked at.
        model: Any of its models.
        ask: Makes the diagnosis; None: `monitor.inquiry`.
    """
    try:
        return Reason((ask or _ask)(snapshot, model))
    except Exception as error:  # noqa: BLE001  that a model is bad is said, whatever becomes of the why
        return Reason(failed=f"could not be explained: {safe(model, 60)} ({type(error).__name__})")


def verdict(snapshot: Snapshot, model: str, found: Diagnosis | None) -> str:
    """The first thing to read of a model, without its name; empty where nothing is known of it.

    Args:
        snapshot: What is looked at.
        model: Any.
        found: Its diagnosis; None: how its worst rule stands is said instead.

    Returns:
        One line, made safe; what is missing of its labels is said last.
    """
    if found is None:
        return safe(next((one.sentence for one in snapshot.verdicts if one.model == model), ""), LONGEST)
    news = snapshot.labels.get(model)
    return safe(found.sentence if news is None else f"{found.sentence}; {news.sentence}", LONGEST)


def _ask(snapshot: Snapshot, model: str) -> Diagnosis:
    from monitor.inquiry import diagnosis_of  # late: loaded where there is something to explain

    return diagnosis_of(snapshot, model)
