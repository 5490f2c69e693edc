"""From the paths that a person names to the files that are read."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from modeltop.core.errors import SourceError
from modeltop.core.series import ReadProblem
from modeltop.core.text import redact_credentials
from modeltop.history.files import MAX_BYTES, PIPED, STDIN, FileStat, TooLargeError, file_stat, kind_of, partition_of
from modeltop.history.locations import folder_reason, missing_reason
from modeltop.history.patterns import expand, is_pattern, searched_folders
from modeltop.history.sources import SUFFIXES, is_service, scheme_of, stem_of
from modeltop.history.store.paths import STATE_FOLDER, uncommitted_files


@dataclass(frozen=True, slots=True)
class HistoryFile:
    """One file of metric history, or one address."""

    path: str
    model: str
    """The model's name if the file has no column for it."""
    is_explicit: bool
    """True if the person named the file itself: then it is an error that it holds no history."""


@dataclass(frozen=True, slots=True)
class Discovery:
    """The files that some paths resolve to at one moment."""

    files: tuple[HistoryFile, ...]
    folders: Mapping[str, tuple[str, ...]]
    """Each folder that was listed, with the paths of the files in it."""
    problems: tuple[ReadProblem, ...]
    stats: Mapping[str, FileStat | None] = field(default_factory=dict)
    """State of each folder just before it was listed."""


def natural_key(name: str) -> tuple[object, ...]:
    """Return the sort key of a file name: numbers by value, computed and packed files before others, which win.

    >>> sorted(["x.10.csv", "x.2.csv", "x.csv", "x.csv.gz", "x.computed.csv"], key=natural_key)
    ['x.computed.csv', 'x.csv.gz', 'x.csv', 'x.2.csv', 'x.10.csv']
    """
    stem = stem_of(name)
    recorded = not stem.endswith(".computed")
    parts = re.split(r"([0-9]+)", stem.removesuffix(".computed"))
    # Text and numbers alternate, so that no text is ever compared with a number.
    natural = tuple(int(part) if index % 2 else part for index, part in enumerate(parts))
    return (natural, recorded, not name.lower().endswith(".gz"), name)


def discover(paths: Iterable[str], before: Mapping[str, Sequence[str]] | None = None) -> Discovery:
    """Return the files that `paths` resolve to, in order of precedence: a later one wins.

    A folder resolves to its own files of the formats that are read, not those of its subfolders; if it cannot be listed
    now, to its files `before`. `FOLDER/**` resolves to those of the subfolders too. A file named twice is read once. A
    path that does not exist is returned as it is, and is refused when it is opened.
    """
    search = _Search(before or {})
    for path in paths:
        search.add(path)
    models = model_names(list(search.entries))
    files = tuple(HistoryFile(name, models[full], explicit) for full, (name, explicit) in search.entries.items())
    return Discovery(files, search.folders, tuple(search.problems), search.stats)


class _Search:
    """What was found so far.

    Args:
        before: The files of folders when they were last listed.
    """

    def __init__(self, before: Mapping[str, Sequence[str]]) -> None:
        self._before = before
        self.entries: dict[str, tuple[str, bool]] = {}
        """Absolute path, or the address → the path as it was named, and whether a person named it."""
        self.folders: dict[str, tuple[str, ...]] = {}
        self.problems: list[ReadProblem] = []
        self.stats: dict[str, FileStat | None] = {}

    def add(self, path: str) -> None:
        """Add the files that a path resolves to."""
        if path == STDIN or is_service(path):
            self.entries[path] = path, True
        elif is_pattern(path):
            self._add_matches(path)
        elif (inside := self._list(path)) is None:
            self._add_file(path, is_explicit=True)
        elif not inside and path not in {problem.source for problem in self.problems}:
            # A store in which the watcher has begun waits for its first rows.
            is_store = os.path.isdir(os.path.join(path, STATE_FOLDER))  # noqa: PTH112, PTH118  a Path would lose `./`
            self.problems.append(ReadProblem(path, folder_reason(path), fatal=not is_store))

    def _list(self, folder: str) -> Sequence[str] | None:
        """Add the files of a folder and return them; None if it is no folder."""
        state = file_stat(folder)
        try:
            inside = list_history_files(folder)
        except OSError as error:
            self.problems.append(ReadProblem(folder, _error_reason(error, folder), fatal=True))
            inside = list(self._before.get(folder, ()))
        if inside is not None:
            self.folders[folder], self.stats[folder] = tuple(inside), state
        for name in inside or ():
            self._add_file(name, is_explicit=False)
        return inside

    def _add_file(self, path: str, *, is_explicit: bool) -> None:
        self.entries.setdefault(os.path.abspath(path), (path, is_explicit))  # noqa: PTH100  Path() would lose `./`

    def _add_matches(self, pattern: str) -> None:
        """Add the files that match a pattern, and those of folders that match."""
        count = len(self.entries)
        folders, files = expand(pattern)
        for folder in folders:
            self._list(folder)
        for file in files:
            self._add_file(file, is_explicit=False)
        for folder in searched_folders(pattern):
            self.stats.setdefault(folder, file_stat(folder))
        if len(self.entries) == count:
            folder = pattern.removesuffix("/**")
            is_folder = folder != pattern and os.path.isdir(folder)  # noqa: PTH112  as above
            reason = folder_reason(folder) if is_folder else missing_reason(pattern)
            self.problems.append(ReadProblem(pattern, reason, fatal=True))


def list_history_files(path: str) -> list[str] | None:
    """Return the paths of the files in a folder that may hold history, in natural order; None if it is no folder.

    Raises:
        OSError: The folder cannot be listed.
    """
    if not os.path.isdir(path):  # noqa: PTH112  a Path would lose `./`
        return None
    listed = [name for name in os.listdir(path) if name.lower().endswith(SUFFIXES) and not name.startswith(".")]  # noqa: PTH208
    uncommitted = uncommitted_files(path)
    names = {*listed, *(name for name in uncommitted if "/" not in name)}
    current = (uncommitted.get(name, name) for name in sorted(names, key=natural_key))
    return [os.path.join(path, name) for name in current if name is not None]  # noqa: PTH118


def model_names(paths: Sequence[str]) -> dict[str, str]:
    """Map each absolute path to its stem, or to as many of its folders as distinguish equal stems of other folders.

    >>> list(model_names(["/a/eu/churn.csv", "/a/us/churn.csv", "/a/us/fraud.csv"]).values())
    ['eu/churn', 'us/churn', 'fraud']
    """
    names = {path: _qualified_stem(path, 0) for path in paths}
    for depth in range(1, 64):
        paths_by_name = defaultdict(list)
        for path, name in names.items():
            paths_by_name[name].append(path)
        # `churn.csv` and `churn.parquet` of one folder are one model.
        groups = (group for group in paths_by_name.values() if len(group) > 1)
        clashes = [path for group in groups if len({_qualified_stem(p, 64) for p in group}) > 1 for path in group]
        if not clashes:
            break
        names.update((path, _qualified_stem(path, depth)) for path in clashes)
    return names


def _qualified_stem(path: str, depth: int) -> str:
    if path == STDIN or is_service(path):
        return PIPED if path == STDIN else scheme_of(path)
    parts = path.split("/")
    if (len(parts) > 2 and re.match(r"part-\d{5}|.*\.c000\.", parts[-1])) or partition_of(path):
        del parts[len(parts) - 1 - len(partition_of(path)) :]  # one table in many files
    return redact_credentials("/".join([*parts[max(0, len(parts) - 1 - depth) : -1], stem_of(parts[-1])]))


def open_regular(path: str) -> tuple[int, os.stat_result]:
    """Open a regular file for reading, and return its descriptor and state; never wait for a writer, as a FIFO would.

    Raises:
        SourceError: It cannot be opened, or is not a regular file.
        TooLargeError: It is larger than `MAX_BYTES`.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except (OSError, ValueError) as error:
        raise SourceError(_error_reason(error, path)) from error
    state = os.fstat(descriptor)
    try:
        _check(state)
    except SourceError:
        os.close(descriptor)
        raise
    return descriptor, state


def _check(state: os.stat_result) -> None:
    if (kind := kind_of(state.st_mode)) is not None:
        raise SourceError(f"this is a {kind}, not a file: name a CSV file or a folder of them")
    if state.st_size > MAX_BYTES:
        size, limit = state.st_size / 2**20, MAX_BYTES // 2**20
        raise TooLargeError(f"the file has {size:,.0f} MB, the most is {limit} MB: split it, or aggregate it by period")


def _error_reason(error: OSError | ValueError, path: str) -> str:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return missing_reason(path)
    if isinstance(error, PermissionError):
        return "permission denied: ask for the right to read it"
    if isinstance(error, OSError) and error.strerror:
        return f"cannot be read ({error.strerror.lower()}): check the path"
    return "cannot be read: check the path"
