"""The thread that diagnoses models and series, so that neither the first frame nor a key waits for it.

The newest request comes first, and only once there was no other for a moment: who runs through the list with a key
held down is not slowed down by the models passed. Then follow the models that the next keys may select, so the screen
is painted once, with everything, when they do.
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
CACHE_SIZE = 256

DiagnosisTarget = str | SeriesKey
"""A model, to be diagnosed; or a series, for its outlook."""
Diagnose = Callable[["Snapshot", DiagnosisTarget], "Diagnosis | TrendOutlook | None"]


def diagnose_target(snapshot: Snapshot, target: DiagnosisTarget) -> Diagnosis | TrendOutlook | None:
    """Return the diagnosis of a model, or the outlook of a series."""
    from modeltop.diagnosis.diagnose import diagnose_model, outlook  # not needed for the first frame

    return diagnose_model(snapshot, target) if isinstance(target, str) else outlook(snapshot, target)


@dataclass(frozen=True, slots=True)
class DiagnosisRequest:
    """Targets to diagnose, the most urgent first."""

    snapshot: Snapshot
    snapshot_number: int
    """Number of the snapshot, to which results belong: a cache of snapshots would keep them alive."""
    targets: tuple[DiagnosisTarget, ...]


class DiagnosisWorker:
    """A daemon thread that starts with the first request; leaving the app never waits for it."""

    def __init__(self, diagnose: Diagnose, on_result: Callable[[DiagnosisTarget], None]) -> None:
        self._diagnose = diagnose
        self._on_result = on_result
        self._results: OrderedDict[DiagnosisTarget | None, tuple[int, Any]] = OrderedDict()
        self._request: DiagnosisRequest | None = None
        self._number = 0
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._stopped = False

    def result_for(self, target: DiagnosisTarget | None) -> Any:
        """Return the last result; that of an earlier snapshot until the new one is there, so that nothing flickers."""
        result = self._results.get(target)
        return result[1] if result is not None else None

    def request(self, snapshot: Snapshot, targets: Sequence[DiagnosisTarget]) -> None:
        """Diagnose the targets that have no result for this snapshot; replaces the rest of the last request."""
        previous = self._request
        self._number += previous is None or previous.snapshot is not snapshot
        self._request = DiagnosisRequest(snapshot, self._number, tuple(targets))
        if not self._missing(self._request) or self._stopped:
            return
        self._wake.set()
        if self._thread is None:
            self._thread = threading.Thread(target=self._loop, name="modeltop diagnosis", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Stop after the target that is being diagnosed."""
        self._stopped = True
        self._wake.set()

    def _missing(self, request: DiagnosisRequest) -> list[DiagnosisTarget]:
        number = request.snapshot_number
        return [target for target in request.targets if self._results.get(target, (0, None))[0] != number]

    def _loop(self) -> None:
        while not self._stopped:
            self._wake.wait()
            while not self._stopped and self._wake.is_set():
                self._wake.clear()
                self._wake.wait(DEBOUNCE_SECONDS)
            self._process_request()

    def _process_request(self) -> None:
        while not self._stopped and not self._wake.is_set() and (request := self._request) is not None:
            missing = self._missing(request)
            if not missing:
                return
            target = missing[0]
            self._results[target] = (request.snapshot_number, self._try_diagnose(request.snapshot, target))
            self._results.move_to_end(target)
            while len(self._results) > CACHE_SIZE:
                self._results.popitem(last=False)
            self._on_result(target)

    def _try_diagnose(self, snapshot: Snapshot, target: DiagnosisTarget) -> Diagnosis | TrendOutlook | None:
        try:
            return self._diagnose(snapshot, target)
        except Exception as error:  # noqa: BLE001  the screen still shows the problem, if not its cause
            if not isinstance(target, str):
                return None
            return _failed_diagnosis(snapshot, target, f"{type(error).__name__}: {sanitize(error, 120)}")


def _failed_diagnosis(snapshot: Snapshot, model: str, reason: str) -> Diagnosis | None:
    from modeltop.core.diagnosis import Diagnosis, Verdict

    status = snapshot_index(snapshot).model_statuses.get(model)
    if status is None:
        return None
    verdict = Verdict(status.sentence, f"The diagnosis failed: {reason}.", "Please report this.")
    return Diagnosis(model, status.severity, None, verdict, None, (), ())
