"""The part of a store that belongs to `compute` alone: a file of computed periods a model, and its distributions.

A run stages its files beside the old ones and puts all of them in place at once, under the store's lock. The old ones
stay as `*.previous` until the next run that changes anything.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modeltop.core.errors import StoreError
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import Floats
from modeltop.core.text import sanitize
from modeltop.history.store import durable
from modeltop.history.store.computed_format import (
    ARRAY_FIELDS,
    ComputedHistory,
    NeedsLabels,
    decode_computed,
    encode_computed,
    normalized,
    split_column_name,
)
from modeltop.history.store.distributions import DISTRIBUTIONS_FOLDER
from modeltop.history.store.lock import locked
from modeltop.history.store.paths import file_prefix

REL_TOLERANCE = 1e-12
"""Relative distance of equal values: parallel sums of floats differ in their last bits."""
INTERVAL_REL_TOLERANCE = 2e-5
"""Relative distance of equal ends of intervals, which are stored with six digits."""
RUN_LOCK_FOLDER = ".computing"
"""The folder whose lock a run holds, so that of two runs the second waits or is refused."""

_STAGED, _PREVIOUS = ".staged", ".previous"
_OWN_FILES = re.compile(r"[a-z0-9-]+-[0-9a-f]{8}(\.computed)?\.csv")


def _upsert(
    before: ComputedHistory, after: ComputedHistory, scope: Sequence[str], foreign_segments: Sequence[str]
) -> ComputedHistory:
    """Return the old periods with the new ones over them; the arguments are those of `StagedRun.stage`.

    The new value of a metric that the run computed replaces the old one, even if it is undefined now; other metrics of
    the same periods stay. Within the span of the run only its own periods stay, so that none is duplicated if their
    length or zone was changed; and of the segments it computed, only its own segments and the foreign ones.
    """
    old_keys, new_keys = before.keys(), after.keys()
    own, times = set(new_keys), {time for time, _ in new_keys}
    first, last = min(times), max(times)
    covers_all = "all" in scope

    def stays(time: int, segment: str) -> bool:
        in_scope = segment.partition("=")[0] in scope or segment in scope
        is_foreign = (not in_scope or segment in foreign_segments) and (time in times or not covers_all)
        return not first <= time <= last or (time, segment) in own or is_foreign

    return _overlay(before.select(np.array([stays(*key) for key in old_keys], dtype=np.bool_)), after)


def _overlay(before: ComputedHistory, after: ComputedHistory) -> ComputedHistory:
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


def read_computed(folder: Path, model: str, *, staged: bool = False) -> ComputedHistory | None:
    """Return the computed periods of a model; None if there are none.

    Args:
        folder: The store.
        model: The model's name.
        staged: Read the file that a run has staged instead of the current one.

    Raises:
        StoreError: The file cannot be read, or is not as `compute` left it.
    """
    path = folder / (computed_file_name(model) + (_STAGED if staged else ""))
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
        self._staged: dict[Path, None] = {}
        self._previous: tuple[str, ComputedHistory | None] | None = None

    def previous(self, model: str) -> ComputedHistory | None:
        """Return the stored history of a model, including that staged by this run; None if there is none.

        Raises:
            StoreError: The file cannot be read, or is not as `compute` left it.
        """
        if self._previous is None or self._previous[0] != model:
            staged = self.folder / computed_file_name(model) in self._staged
            self._previous = model, read_computed(self.folder, model, staged=staged)
        return self._previous[1]

    def stage(self, history: ComputedHistory, scope: Sequence[str], foreign_segments: Sequence[str] = ()) -> bool:
        """Stage a model's periods, merged with those computed before; return False if that changes nothing.

        Args:
            history: The model's periods that the run computed; more may follow in another call.
            scope: The segments that this call covers: `all`, and its segments or the left sides of them.
            foreign_segments: Segments within the scope that another call covers.

        Raises:
            StoreError: The old file is not as `compute` left it, or the disk fails.
        """
        path, before = self.folder / computed_file_name(history.model), self.previous(history.model)
        merged = history if before is None else _upsert(before, history, scope, foreign_segments)
        data = encode_computed(normalized(merged, self._catalog), self._needs_labels)
        if before is not None and is_equivalent(before, decode_computed(data, path)):
            return False
        self._stage_file(path, data)
        self._previous = None
        return True

    def stage_distributions(self, model: str, data: bytes) -> bool:
        """Stage a model's file of distributions; return False if its bytes are in place already.

        Raises:
            StoreError: The old file cannot be read, or the disk fails.
        """
        path = self.folder / DISTRIBUTIONS_FOLDER / f"{file_prefix(model)}.csv"
        if _read_or_none(path) == data:
            return False
        self._stage_file(path, data)
        return True

    def commit(self) -> CommitResult:
        """Put the staged files in place of the old ones, which stay as `*.previous`.

        Raises:
            StoreError: The lock is not available, or the disk fails.
        """
        if self._staged:
            with locked(self.folder), durable.as_store_error(self.folder):
                for stale in _files_with_suffix(self.folder, _PREVIOUS):
                    stale.unlink()
                for path in self._staged:
                    _back_up(path)
                    _sibling(path, _STAGED).replace(path)
                for parent in {path.parent for path in self._staged}:
                    durable.sync_folder(parent)
        distributions = sum(path.parent.name == DISTRIBUTIONS_FOLDER for path in self._staged)
        result = CommitResult(len(self._staged) - distributions, distributions)
        self._staged = {}
        return result

    def _stage_file(self, path: Path, data: bytes) -> None:
        with durable.as_store_error(path):
            if not path.parent.is_dir():
                path.parent.mkdir()
                path.parent.chmod(self.folder.stat().st_mode & 0o7777)
            staged = _sibling(path, _STAGED)
            staged.unlink(missing_ok=True)
            durable.write_new(staged, data, durable.file_mode(path.parent))
        self._staged[path] = None


@contextlib.contextmanager
def staged_run(folder: Path, catalog: MetricRegistry, needs_labels: NeedsLabels) -> Iterator[StagedRun]:
    """Hold the store for one run at a time; files staged by a crashed run are removed.

    Args:
        folder: The store; made if it is missing.
        catalog: The metrics.
        needs_labels: Returns whether a metric is computed from labels.

    Raises:
        StoreError: Another run holds it, or the folder is not available.
    """
    with locked(folder):
        pass  # makes the folder
    with locked(folder / RUN_LOCK_FOLDER):
        with durable.as_store_error(folder):
            _remove_staged(folder)
        try:
            yield StagedRun(folder, catalog, needs_labels)
        finally:
            with contextlib.suppress(OSError):
                _remove_staged(folder)


def restore_previous(folder: Path) -> int:
    """Restore the files from before the last run that changed anything, and return the number of changed files.

    One generation is stored: an undone run can be repeated, and a second call has nothing to restore.

    Raises:
        StoreError: There is nothing to bring back, or the disk fails.
    """
    if not folder.is_dir():
        raise StoreError(f"{sanitize(folder)} was not found: name the store by --store")
    with locked(folder / RUN_LOCK_FOLDER), locked(folder), durable.as_store_error(folder):
        backups = _files_with_suffix(folder, _PREVIOUS)
        for backup in backups:
            path = backup.with_name(backup.name.removesuffix(_PREVIOUS))
            if backup.stat().st_size:
                backup.replace(path)
            else:
                path.unlink(missing_ok=True)
                backup.unlink()
        for parent in {path.parent for path in backups}:
            durable.sync_folder(parent)
    if not backups:
        raise StoreError(
            f"nothing to undo in {sanitize(folder)}: only the last change can be undone, once; compute again to redo it"
        )
    return len(backups)


def _read_or_none(path: Path) -> bytes | None:
    with durable.as_store_error(path):
        try:
            with os.fdopen(durable.open_file(path, os.O_RDONLY), "rb") as file:
                return file.read()
        except FileNotFoundError:
            return None


def _sibling(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _back_up(path: Path) -> None:
    """Link the current file to its backup name; an empty backup means that there was no file."""
    backup = _sibling(path, _PREVIOUS)
    try:
        os.link(path, backup)
    except FileNotFoundError:
        backup.touch(mode=durable.file_mode(path.parent))


def _files_with_suffix(folder: Path, suffix: str) -> list[Path]:
    paths = [*folder.glob(f"*{suffix}"), *(folder / DISTRIBUTIONS_FOLDER).glob(f"*{suffix}")]
    return [path for path in paths if _OWN_FILES.fullmatch(path.name.removesuffix(suffix))]


def _remove_staged(folder: Path) -> None:
    for path in _files_with_suffix(folder, _STAGED):
        path.unlink(missing_ok=True)
