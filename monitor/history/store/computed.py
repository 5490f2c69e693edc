"""What belongs to `compute` alone: one file of computed periods a model, and its evidence.

A run stages its files beside the old ones and puts all of them in place at once, under the store's lock. What stood
there before is kept as `*.previous` until the next run that changes anything; `undo` brings it back.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from modeltop.core.errors import StoreError
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.text import sanitize
from modeltop.history.store import durable
from modeltop.history.store.computed_format import (
    ComputedHistory,
    NeedsLabels,
    decode_computed,
    encode_computed,
    normalized,
    split_column_name,
)
from modeltop.history.store.lock import locked
from modeltop.history.store.paths import file_prefix

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from modeltop.core.series import Floats


REL_TOLERANCE = 1e-12
"""Values closer than this, relatively, are equal: parallel sums of floats differ in their last bits."""
INTERVAL_REL_TOLERANCE = 2e-5
"""The same for the ends of intervals, which are kept with six digits."""


def upsert(
    before: ComputedHistory, after: ComputedHistory, cuts: Sequence[str], spare: Sequence[str] = ()
) -> ComputedHistory:
    """The old periods with the new ones over them.

    A metric that the run looked at takes its new value, also where that is undefined now; other metrics of the same
    periods stay. Within the span of the run only its own periods stay, so that no period stands twice where their
    length or zone was changed; and of what it has cut by, only its own segments and those to spare.
    """
    old, new = before.keys(), after.keys()
    own, times = set(new), {time for time, _ in new}
    first, last = min(times), max(times)
    whole = "all" in cuts

    def stays(time: int, segment: str) -> bool:
        cut = segment.partition("=")[0] in cuts or segment in cuts
        beside = (not cut or segment in spare) and (time in times or not whole)
        return not first <= time <= last or (time, segment) in own or beside

    rest = before.select(np.array([stays(*key) for key in old], dtype=np.bool_))
    return _overlay(rest, after)


def _overlay(rest: ComputedHistory, after: ComputedHistory) -> ComputedHistory:
    """The rows of both; where they share one, what `after` says."""
    place: dict[tuple[int, str], int] = {}
    old = np.array([place.setdefault(key, len(place)) for key in rest.keys()], dtype=np.intp)  # noqa: SIM118  a method
    new = np.array([place.setdefault(key, len(place)) for key in after.keys()], dtype=np.intp)  # noqa: SIM118

    def over(one: NDArray[Any], other: NDArray[Any]) -> NDArray[Any]:
        found = np.empty(len(place), dtype=other.dtype)
        found[old], found[new] = one, other
        return found

    def number(name: str) -> Floats:
        # Where the run has not looked at a metric, the old value of a period stays.
        found = np.full(len(place), np.nan)
        for at, sheet in ((old, rest), (new, after)):
            if name in sheet.columns:
                found[at] = sheet.columns[name]
        return found

    names = dict.fromkeys((*rest.columns, *after.columns))
    return ComputedHistory(
        after.model,
        over(rest.times, after.times),
        over(rest.segments, after.segments),
        over(rest.rows, after.rows),
        over(rest.provisional, after.provisional),
        over(rest.incomplete, after.incomplete),
        {name: number(name) for name in names},
    )


def is_equivalent(one: ComputedHistory, other: ComputedHistory) -> bool:
    """Whether two sheets say the same: all keys and flags, and every number but for the last bits."""
    if one.keys() != other.keys() or one.columns.keys() != other.columns.keys():
        return False
    if (one.provisional != other.provisional).any() or (one.incomplete != other.incomplete).any():
        return False
    pairs = [(name, column, other.columns[name]) for name, column in one.columns.items()]
    return _all_close(one.rows, other.rows, REL_TOLERANCE) and all(
        _all_close(
            left, right, INTERVAL_REL_TOLERANCE if split_column_name(name)[1] in ("_low", "_high") else REL_TOLERANCE
        )
        for name, left, right in pairs
    )


def _all_close(one: Floats, other: Floats, tolerance: float) -> bool:
    # Near 0 the distance itself counts: a difference of sums may be 1e-17 on one day and 0 on the next.
    return bool(np.allclose(one, other, rtol=tolerance, atol=tolerance, equal_nan=True))


EVIDENCE = "evidence"
STAGED, PREVIOUS = ".staged", ".previous"
RUN_LOCK_FOLDER = ".computing"
"""The folder whose lock a run holds, so that of two runs the second waits or is told."""

_OWN_FILES = re.compile(r"[a-z0-9-]+-[0-9a-f]{8}(\.computed)?\.csv")


def computed_file_name(model: str) -> str:
    """The file of a model's computed periods.

    >>> computed_file_name("churn")
    'churn-88b2072e.computed.csv'
    """
    return f"{file_prefix(model)}.computed.csv"


def read_computed(folder: Path, model: str) -> ComputedHistory | None:
    """What was computed of a model before; None if nothing was. Raises StoreError."""
    return _sheet(folder / computed_file_name(model))


def _sheet(path: Path) -> ComputedHistory | None:
    data = _read_or_none(path)
    return None if data is None else decode_computed(data, path)


@dataclass(frozen=True, slots=True)
class CommitResult:
    """What a run has changed in the store."""

    models: int
    """Models whose periods were written."""
    distributions: int
    """Evidence files that were written."""


class StagedRun:
    """One run's results, staged until `commit`.

    Args:
        folder: The store; it is there, and `computing` it is held.
        catalog: The metrics.
        labelled: Whether a metric rests on labels.
    """

    def __init__(self, folder: Path, catalog: MetricRegistry, labelled: NeedsLabels) -> None:
        self.folder = folder
        self._catalog = catalog
        self._labelled = labelled
        self._staged: dict[Path, None] = {}
        self._before: tuple[str, ComputedHistory | None] | None = None

    def previous(self, model: str) -> ComputedHistory | None:
        """What was computed of a model before, by this run too; None if nothing was. Raises StoreError."""
        if self._before is None or self._before[0] != model:
            path = self.folder / computed_file_name(model)
            self._before = model, _sheet(_sibling(path, STAGED) if path in self._staged else path)
        return self._before[1]

    def stage(self, sheet: ComputedHistory, cuts: Sequence[str], spare: Sequence[str] = ()) -> bool:
        """Stage a model's periods, merged with what was computed before; False if that changes nothing.

        Args:
            sheet: What the run knows of the model; more of it may follow in another call.
            cuts: What this part of it is about: `all`, and its segments or the left sides of them.
            spare: Segments that another part is about.

        Raises:
            StoreError: The old file is not compute's, or the disk fails.
        """
        path, before = self.folder / computed_file_name(sheet.model), self.previous(sheet.model)
        merged = normalized(sheet if before is None else upsert(before, sheet, cuts, spare), self._catalog)
        data = encode_computed(merged, self._labelled)
        if before is not None and is_equivalent(before, decode_computed(data, path)):
            return False
        self._stage_file(path, data)
        self._before = None
        return True

    def stage_distributions(self, model: str, data: bytes) -> bool:
        """Stage a model's evidence; False if it stands there already."""
        path = self.folder / EVIDENCE / f"{file_prefix(model)}.csv"
        if _read_or_none(path) == data:
            return False
        self._stage_file(path, data)
        return True

    def commit(self) -> CommitResult:
        """Put what was staged in place of the old files, which are kept. Raises StoreError."""
        if self._staged:
            with locked(self.folder), _as_store_error(self.folder):
                for stale in _files_with_suffix(self.folder, PREVIOUS):
                    stale.unlink()
                for path in self._staged:
                    _back_up(path)
                    _sibling(path, STAGED).replace(path)
                for parent in {path.parent for path in self._staged}:
                    durable.sync_folder(parent)
        evidence = sum(path.parent.name == EVIDENCE for path in self._staged)
        changed = CommitResult(len(self._staged) - evidence, evidence)
        self._staged = {}
        return changed

    def _stage_file(self, path: Path, data: bytes) -> None:
        with _as_store_error(path):
            if not path.parent.is_dir():
                path.parent.mkdir()
                path.parent.chmod(self.folder.stat().st_mode & 0o7777)
            staged = _sibling(path, STAGED)
            staged.unlink(missing_ok=True)
            durable.write_new(staged, data, durable.file_mode(path.parent))
        self._staged[path] = None


@contextlib.contextmanager
def staged_run(folder: Path, catalog: MetricRegistry, labelled: NeedsLabels) -> Iterator[StagedRun]:
    """A run's hold on the store: one at a time. What a crashed run has staged is swept away.

    Raises:
        StoreError: Another run holds it, or the folder cannot be had.
    """
    with locked(folder):
        pass  # makes the folder
    with locked(folder / RUN_LOCK_FOLDER):
        with _as_store_error(folder):
            _sweep(folder)
        try:
            yield StagedRun(folder, catalog, labelled)
        finally:
            with contextlib.suppress(OSError):
                _sweep(folder)


def restore_previous(folder: Path) -> int:
    """Bring back what stood before the last run that changed anything.

    One generation is kept: what was undone can be computed again, and a second undo has nothing to bring back.

    Returns:
        The number of files that were put back or taken away.

    Raises:
        StoreError: There is nothing to bring back, or the disk fails.
    """
    if not folder.is_dir():
        raise StoreError(f"{sanitize(folder)} is not there: name the store by --store")
    with locked(folder / RUN_LOCK_FOLDER), locked(folder), _as_store_error(folder):
        kept = _files_with_suffix(folder, PREVIOUS)
        for previous in kept:
            path = previous.with_name(previous.name.removesuffix(PREVIOUS))
            if previous.stat().st_size:
                previous.replace(path)
            else:
                path.unlink(missing_ok=True)
                previous.unlink()
        for parent in {path.parent for path in kept}:
            durable.sync_folder(parent)
    if not kept:
        raise StoreError(
            f"there is nothing to undo in {sanitize(folder)}: only what stood before the last run that changed anything "
            "is kept, and it is back already; compute again to go forward"
        )
    return len(kept)


def _read_or_none(path: Path) -> bytes | None:
    try:
        descriptor = durable.open_file(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise durable.store_error(path, error) from error
    with os.fdopen(descriptor, "rb") as file, _as_store_error(path):
        return file.read()


def _sibling(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _back_up(path: Path) -> None:
    """The file as it stands, under its other name; an empty one says that there was none."""
    previous = _sibling(path, PREVIOUS)
    try:
        os.link(path, previous)
    except FileNotFoundError:
        previous.touch(mode=durable.file_mode(path.parent))


def _files_with_suffix(folder: Path, suffix: str) -> list[Path]:
    found = [*folder.glob(f"*{suffix}"), *(folder / EVIDENCE).glob(f"*{suffix}")]
    return [path for path in found if _OWN_FILES.fullmatch(path.name.removesuffix(suffix))]


def _sweep(folder: Path) -> None:
    for path in _files_with_suffix(folder, STAGED):
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def _as_store_error(path: Path) -> Iterator[None]:
    """An error of the system, as one clause about the path."""
    try:
        yield
    except OSError as error:
        raise durable.store_error(path, error) from error
