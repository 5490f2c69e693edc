"""Finds out about models and series in a thread of its own, so that neither the first frame nor a key waits for it.

What is asked for last comes first, and only once nothing else has been asked for a moment: who runs through the list
with a key held down is not slowed down by what was passed. Then come the models that the next keys may go to, so that
the screen is painted once, with everything, when they do.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modeltop.core.series import SeriesKey
from modeltop.core.text import safe
from modeltop_tui.view.state import board

if TYPE_CHECKING:
    from modeltop.core.diagnosis import Diagnosis, Outlook
    from modeltop.rules.snapshot import Snapshot

PAUSE = 0.05
"""Seconds without another question after which one is looked into."""
KEPT = 256
"""Answers that are remembered."""

Question = str | SeriesKey
"""A model: why; or a series: how has it gone."""
Explain = Callable[["Snapshot", Question], "Diagnosis | Outlook | None"]


def explain(snapshot: Snapshot, question: Question) -> Diagnosis | Outlook | None:
    """What the pure rooms find out; they are imported once something is asked."""
    from modeltop.diagnosis.diagnose import diagnosis_of, outlook_of

    return diagnosis_of(snapshot, question) if isinstance(question, str) else outlook_of(snapshot, question)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to look into, the first first."""

    snapshot: Snapshot
    number: int
    """Of the snapshot, by which answers are told apart: to remember them all by themselves would keep them alive."""
    questions: tuple[Question, ...]


class Inquirer:
    """The thread is a daemon and begins with the first question; leaving the app never waits for it.

    Args:
        look: How to find out.
        told: Called in the thread with each question that is newly answered.
    """

    def __init__(self, look: Explain, told: Callable[[Question], None]) -> None:
        self._look = look
        self._told = told
        self._found: OrderedDict[Question | None, tuple[int, Any]] = OrderedDict()
        self._wanted: Wanted | None = None
        self._number = 0
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._stopped = False

    def known(self, question: Question | None) -> Any:
        """What was found out last; by an earlier look until the new one is over, so that nothing flickers."""
        found = self._found.get(question)
        return found[1] if found is not None else None

    def ask(self, snapshot: Snapshot, questions: Sequence[Question]) -> None:
        """Look into these, unless that is done. What is asked later takes the place of what was asked before."""
        before = self._wanted
        self._number += before is None or before.snapshot is not snapshot
        self._wanted = Wanted(snapshot, self._number, tuple(questions))
        if not self._missing(self._wanted) or self._stopped:
            return
        self._wake.set()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="modeltop inquirer", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Look into nothing any more."""
        self._stopped = True
        self._wake.set()

    def _missing(self, wanted: Wanted) -> list[Question]:
        return [one for one in wanted.questions if self._found.get(one, (0, None))[0] != wanted.number]

    def _run(self) -> None:
        while not self._stopped:
            self._wake.wait()
            while not self._stopped and self._wake.is_set():
                self._wake.clear()
                self._wake.wait(PAUSE)
            self._work()

    def _work(self) -> None:
        """All that is missing, until something else is asked for."""
        while not self._stopped and not self._wake.is_set() and (wanted := self._wanted) is not None:
            missing = self._missing(wanted)
            if not missing:
                return
            self._found[missing[0]] = (wanted.number, self._one(wanted.snapshot, missing[0]))
            self._found.move_to_end(missing[0])
            while len(self._found) > KEPT:
                self._found.popitem(last=False)
            self._told(missing[0])

    def _one(self, snapshot: Snapshot, question: Question) -> Diagnosis | Outlook | None:
        try:
            return self._look(snapshot, question)
        except Exception as error:  # noqa: BLE001  what is wrong stands on the screen all the same; why does not
            if not isinstance(question, str):
                return None
            return unknown(snapshot, question, f"{type(error).__name__}: {safe(error, 120)}")


def unknown(snapshot: Snapshot, model: str, reason: str) -> Diagnosis | None:
    """What is wrong, without an explanation, and why there is none."""
    from modeltop.core.diagnosis import Diagnosis

    verdict = board(snapshot).verdicts.get(model)
    if verdict is None:
        return None
    advice = f"the diagnosis failed: {reason}; please report it"
    return Diagnosis(model, verdict.severity, None, verdict.sentence, None, (), (), advice)
