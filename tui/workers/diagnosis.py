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
from modeltop.core.text import sanitize
from modeltop_tui.view.state import snapshot_index

if TYPE_CHECKING:
    from modeltop.core.diagnosis import Diagnosis, TrendOutlook
    from modeltop.rules.snapshot import Snapshot

DEBOUNCE_SECONDS = 0.05
"""Seconds without another question after which one is looked into."""
CACHE_SIZE = 256
"""Answers that are remembered."""

DiagnosisTarget = str | SeriesKey
"""A model: why; or a series: how has it gone."""
Explain = Callable[["Snapshot", DiagnosisTarget], "Diagnosis | TrendOutlook | None"]


def diagnose_target(snapshot: Snapshot, question: DiagnosisTarget) -> Diagnosis | TrendOutlook | None:
    """What the pure rooms find out; they are imported once something is asked."""
    from modeltop.diagnosis.diagnose import diagnose_model, outlook

    return diagnose_model(snapshot, question) if isinstance(question, str) else outlook(snapshot, question)


@dataclass(frozen=True, slots=True)
class DiagnosisRequest:
    """What to look into, the first first."""

    snapshot: Snapshot
    snapshot_number: int
    """Of the snapshot, by which answers are told apart: to remember them all by themselves would keep them alive."""
    targets: tuple[DiagnosisTarget, ...]


class DiagnosisWorker:
    """The thread is a daemon and begins with the first question; leaving the app never waits for it.

    Args:
        look: How to find out.
        told: Called in the thread with each question that is newly answered.
    """

    def __init__(self, look: Explain, told: Callable[[DiagnosisTarget], None]) -> None:
        self._look = look
        self._told = told
        self._found: OrderedDict[DiagnosisTarget | None, tuple[int, Any]] = OrderedDict()
        self._wanted: DiagnosisRequest | None = None
        self._number = 0
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._stopped = False

    def result_for(self, question: DiagnosisTarget | None) -> Any:
        """What was found out last; by an earlier look until the new one is over, so that nothing flickers."""
        found = self._found.get(question)
        return found[1] if found is not None else None

    def request(self, snapshot: Snapshot, questions: Sequence[DiagnosisTarget]) -> None:
        """Look into these, unless that is done. What is asked later takes the place of what was asked before."""
        before = self._wanted
        self._number += before is None or before.snapshot is not snapshot
        self._wanted = DiagnosisRequest(snapshot, self._number, tuple(questions))
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

    def _missing(self, wanted: DiagnosisRequest) -> list[DiagnosisTarget]:
        return [one for one in wanted.targets if self._found.get(one, (0, None))[0] != wanted.snapshot_number]

    def _run(self) -> None:
        while not self._stopped:
            self._wake.wait()
            while not self._stopped and self._wake.is_set():
                self._wake.clear()
                self._wake.wait(DEBOUNCE_SECONDS)
            self._work()

    def _work(self) -> None:
        """All that is missing, until something else is asked for."""
        while not self._stopped and not self._wake.is_set() and (wanted := self._wanted) is not None:
            missing = self._missing(wanted)
            if not missing:
                return
            self._found[missing[0]] = (wanted.snapshot_number, self._one(wanted.snapshot, missing[0]))
            self._found.move_to_end(missing[0])
            while len(self._found) > CACHE_SIZE:
                self._found.popitem(last=False)
            self._told(missing[0])

    def _one(self, snapshot: Snapshot, question: DiagnosisTarget) -> Diagnosis | TrendOutlook | None:
        try:
            return self._look(snapshot, question)
        except Exception as error:  # noqa: BLE001  what is wrong stands on the screen all the same; why does not
            if not isinstance(question, str):
                return None
            return failed_diagnosis(snapshot, question, f"{type(error).__name__}: {sanitize(error, 120)}")


def failed_diagnosis(snapshot: Snapshot, model: str, reason: str) -> Diagnosis | None:
    """What is wrong, without an explanation, and why there is none."""
    from modeltop.core.diagnosis import Diagnosis

    verdict = snapshot_index(snapshot).model_statuses.get(model)
    if verdict is None:
        return None
    advice = f"the diagnosis failed: {reason}; please report it"
    return Diagnosis(model, verdict.severity, None, verdict.sentence, None, (), (), advice)
