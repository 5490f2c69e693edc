"""The part of a store that belongs to `compute` alone: a file of computed periods a model, and its distributions.

A run stages its files beside the old ones and puts all of them in place by one pointer, under the store's lock. The
old ones stay as `*.previous` until the next run that changes anything.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import Floats, Times, to_datetime
from modeltop.history.store import durable, generation
from modeltop.history.store.computed_format import (
    ARRAY_FIELDS,
    ComputedHistory,
    NeedsLabels,
    decode_computed,
    encode_computed,
    normalized,
    split_column_name,
)
from modeltop.history.store.distributions import DISTRIBUTIONS_FOLDER, MAX_PERIODS, merge_distributions
from modeltop.history.store.generation import RUN_LOCK_FOLDER, STAGED
from modeltop.history.store.lock import locked
from modeltop.history.store.paths import file_prefix
from modeltop.history.store.row_format import format_iso
from modeltop.history.store.windowing import Windowing, decode_windowing

REL_TOLERANCE = 1e-12
"""Relative distance of equal values: parallel sums of floats differ in their last bits."""
INTERVAL_REL_TOLERANCE = 2e-5
"""Relative distance of equal ends of intervals, which are stored with six digits."""


def _upsert(
    before: ComputedHistory, after: ComputedHistory, scope: Sequence[str], foreign_segments: Sequence[str], times: Times
) -> ComputedHistory:
    """Return the old periods with the new ones over them; the arguments are those of `StagedRun.stage`.

    The new value of a metric that the run computed replaces the old one, even if it is undefined now; other metrics of
    the same periods stay. In its periods, of the segments that the run computed only its own and the foreign ones stay.
    """
    own, new_times = set(after.keys()), set(times.astype(np.int64).tolist())

    def stays(time: int, segment: str) -> bool:
        in_scope = segment.partition("=")[0] in scope or segment in scope
        return time not in new_times or (time, segment) in own or not in_scope or segment in foreign_segments

    return overlay(before.select(np.array([stays(*key) for key in before.keys()], dtype=np.bool_)), after)  # noqa: SIM118


def overlay(before: ComputedHistory, after: ComputedHistory) -> ComputedHistory:
    """Return the rows of both; for a key in both, that of `after`."""
    index: dict[tuple[int, str], int] = {}
    old = np.array([index.setdefault(key, len(index)) for key in before.keys()], dtype=np.intp)  # noqa: SIM118  a method
    new = np.array([index.setdefault(key, len(index)) for key in after.keys()], dtype=np.intp)  # noqa: SIM118

    def combine(left: NDArray[Any], right: NDArray[Any]) -> NDArray[Any]:
        combined = np.empty(len(index), dtype=right.dtype)
        combined[old], combined[new] = left, right
        return combined

    def combine_column(name: str) -> Floats:
        # If the run has not computed a metric, the old value of a period stays.
        combined = np.full(len(index), np.nan)
        for rows, history in ((old, before), (new, after)):
            if name in history.columns:
                combined[rows] = history.columns[name]
        return combined

    names = dict.fromkeys((*before.columns, *after.columns))
    arrays: dict[str, Any] = {name: combine(getattr(before, name), getattr(after, name)) for name in ARRAY_FIELDS}
    return replace(after, **arrays, columns={name: combine_column(name) for name in names})


def is_equivalent(left: ComputedHistory, right: ComputedHistory) -> bool:
    """Return whether two histories have the same keys and flags, and the same numbers but for their last bits."""
    if left.keys() != right.keys() or left.columns.keys() != right.columns.keys():
        return False
    if (left.provisional != right.provisional).any() or (left.incomplete != right.incomplete).any():
        return False
    return _all_close(left.rows, right.rows, REL_TOLERANCE) and all(
        _all_close(
            column,
            right.columns[name],
            INTERVAL_REL_TOLERANCE if split_column_name(name)[1] in ("_low", "_high") else REL_TOLERANCE,
        )
        for name, column in left.columns.items()
    )


def _all_close(left: Floats, right: Floats, tolerance: float) -> bool:
    # Near 0 the distance itself counts: a difference of sums may be 1e-17 on one day and 0 on the next.
    return bool(np.allclose(left, right, rtol=tolerance, atol=tolerance, equal_nan=True))


def computed_file_name(model: str) -> str:
    """Return the name of the file of a model's computed periods."""
    return f"{file_prefix(model)}.computed.csv"


def distributions_name(model: str) -> str:
    """Return the name, relative to the store, of the file of a model's distributions."""
    return f"{DISTRIBUTIONS_FOLDER}/{file_prefix(model)}.csv"


def read_computed(folder: Path, model: str, *, staged: bool = False) -> ComputedHistory | None:
    """Return the computed periods of a model; None if there are none.

    Args:
        folder: The store.
        model: The model's name.
        staged: Read the file that a run has staged instead of the current one.

    Raises:
        StoreError: The file cannot be read, or is not as `compute` left it.
    """
    path = folder / (computed_file_name(model) + (STAGED if staged else ""))
    data = _read_or_none(path)
    return None if data is None else decode_computed(data, path)


@dataclass(frozen=True, slots=True)
class CommitResult:
    """The numbers of models whose periods, and whose distributions, one run has written."""

    models: int
    distributions: int


class StagedRun:
    """The results of one run, staged until `commit`.

    Args:
        folder: The store; it exists, and the lock of `RUN_LOCK_FOLDER` is held.
        catalog: The metrics.
        needs_labels: Returns whether a metric is computed from labels.
    """

    def __init__(self, folder: Path, catalog: MetricRegistry, needs_labels: NeedsLabels) -> None:
        self.folder = folder
        self._catalog = catalog
        self._needs_labels = needs_labels
        self._staged: dict[str, None] = {}
        self._newest: dict[str, Times] = {}
        self._previous: tuple[str, ComputedHistory | None] | None = None

    def previous(self, model: str) -> ComputedHistory | None:
        """Return the stored history of a model, including that staged by this run; None if there is none.

        Raises:
            StoreError: The file cannot be read, or is not as `compute` left it.
        """
        if self._previous is None or self._previous[0] != model:
            self._previous = model, read_computed(self.folder, model, staged=self.is_staged(model))
        return self._previous[1]

    def windowing(self, model: str) -> Windowing | None:
        """Return that of the stored history of a model, including that staged by this run; None if it is unknown.

        Raises:
            StoreError: The file cannot be read.
        """
        data = self._read(distributions_name(model))
        return None if data is None else decode_windowing(data)

    def is_staged(self, model: str) -> bool:
        """Return whether this run has staged periods of a model."""
        return computed_file_name(model) in self._staged

    def stage(
        self,
        history: ComputedHistory,
        scope: Sequence[str],
        foreign_segments: Sequence[str] = (),
        *,
        base: ComputedHistory | None = None,
        times: Times | None = None,
        finish: Callable[[ComputedHistory], ComputedHistory] | None = None,
    ) -> bool:
        """Stage a model's periods, merged with those computed before; return False if that changes nothing.

        Args:
            history: The model's periods that the run computed; more may follow in another call.
            scope: The segments that this call covers: `all`, and its segments or the left sides of them.
            foreign_segments: Segments within the scope that another call covers.
            base: The old periods that stay, without any if it is empty; None: all of them.
            times: The periods that this call covers; None: those of the history.
            finish: Returns the merged history as it is to be stored.

        Raises:
            StoreError: The old file is not as `compute` left it, or the disk fails.
        """
        name, before = computed_file_name(history.model), self.previous(history.model)
        base = before if base is None else base
        covered = history.times if times is None else times
        merged = history if base is None else _upsert(base, history, scope, foreign_segments, covered)
        merged = merged if finish is None else finish(merged)
        self._newest[history.model] = np.unique(merged.times)[-MAX_PERIODS:]
        data = encode_computed(normalized(merged, self._catalog), self._needs_labels)
        if before is not None and is_equivalent(before, decode_computed(data, self.folder / name)):
            return False
        self._stage_file(name, data)
        self._previous = None
        return True

    def stage_distributions(self, model: str, data: bytes) -> bool:
        """Stage a model's file of distributions; return False if its bytes are in place already.

        Lines of newest periods that the run did not compute stay, where the periods are of the same kind.

        Raises:
            StoreError: The old file cannot be read, or the disk fails.
        """
        name = distributions_name(model)
        before = self._read(name)
        if before is not None and before != data:
            old, new = decode_windowing(before), decode_windowing(data)
            if old is not None and new is not None and new.is_compatible(old):
                newest = {format_iso(to_datetime(time)) for time in self._newest.get(model, ())}
                data = merge_distributions(before, data, newest)
                if not self.is_staged(model):  # nothing of the other log is stored: what is there is of the first
                    data = data.replace(new.encode(), replace(new, source=old.source).encode(), 1)
        if before == data:
            return False
        self._stage_file(name, data)
        return True

    def commit(self) -> CommitResult:
        """Put the staged files in place of the old ones, which stay as `*.previous`.

        Raises:
            StoreError: The lock is not available, or the disk fails.
        """
        if self._staged:
            with locked(self.folder), durable.as_store_error(self.folder):
                generation.commit(self.folder, self._staged)
        distributions = sum("/" in name for name in self._staged)
        result = CommitResult(len(self._staged) - distributions, distributions)
        self._staged = {}
        return result

    def _read(self, name: str) -> bytes | None:
        return _read_or_none(self.folder / (name + (STAGED if name in self._staged else "")))

    def _stage_file(self, name: str, data: bytes) -> None:
        path = self.folder / name
        with durable.as_store_error(path):
            if not path.parent.is_dir():
                path.parent.mkdir()
                path.parent.chmod(self.folder.stat().st_mode & 0o7777)
            staged = self.folder / (name + STAGED)
            staged.unlink(missing_ok=True)
            durable.write_new(staged, data, durable.file_mode(path.parent))
        self._staged[name] = None


@contextlib.contextmanager
def staged_run(folder: Path, catalog: MetricRegistry, needs_labels: NeedsLabels) -> Iterator[StagedRun]:
    """Hold the store for one run at a time; what a killed run left is finished or removed.

    Args:
        folder: The store; made if it is missing.
        catalog: The metrics.
        needs_labels: Returns whether a metric is computed from labels.

    Raises:
        StoreError: Another run holds it, or the folder is not available.
    """
    with locked(folder / RUN_LOCK_FOLDER):
        with durable.as_store_error(folder):
            generation.begin(folder)
        try:
            yield StagedRun(folder, catalog, needs_labels)
        finally:
            with contextlib.suppress(OSError):
                generation.end(folder)


def _read_or_none(path: Path) -> bytes | None:
    with durable.as_store_error(path):
        try:
            with os.fdopen(durable.open_file(path, os.O_RDONLY), "rb") as file:
                return file.read()
        except FileNotFoundError:
            return None
