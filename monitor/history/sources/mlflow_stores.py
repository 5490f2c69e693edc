"""The three places where MLflow keeps runs, read without MLflow: a server, an SQLite database, a file store.

The REST API 2.0 is MLflow's public one. Of the database four tables are read, which have had these columns since MLflow
1.0, whatever its schema's version. The file store is in maintenance mode, so that its format stays as it is; MLflow
itself refuses to open it from 3.13 on.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from urllib.parse import quote, unquote

from modeltop.core.errors import SourceError
from modeltop.core.text import redact_credentials, sanitize
from modeltop.history.sources.http import JsonService, basic

THREADS = 4
"""Requests at once: a server has as many workers as a rule."""
PAGE = 1_000
"""Results of one request; the server's own limit for runs is 50,000, for experiments 1,000."""
HISTORY_PAGE = 25_000
"""Points of one request, the most that a server accepts."""
MAX_PAGES = 10_000
MAX_META_BYTES = 65_536
KEPT_SECONDS = 3_600.0
"""Time for which the history of a run that has ended is kept: a server has it metric by metric, and is polled."""
SQLITE = "sqlite:///"
_API = "/api/2.0/mlflow/"


class Run(NamedTuple):
    """A run that is not deleted."""

    id: str
    name: str


class Version(NamedTuple):
    """A version of a registered model."""

    model: str
    number: str
    run: str
    """Id of the run that made it; empty if unknown."""
    is_archived: bool
    aliases: tuple[str, ...]


class Point(NamedTuple):
    """A value that a run logged."""

    metric: str
    milliseconds: int
    """Since 1970."""
    value: float


_ENDED: dict[tuple[str, str], tuple[Mapping[str, Any], list[Point], float]] = {}
"""Server and run → the run as it was found, its points, and when they were read."""


class TrackingStore(Protocol):
    """Where MLflow keeps runs. Every method raises SourceError."""

    def experiments(self) -> Mapping[str, str]:
        """Return the name by id of each experiment that is not deleted."""

    def runs(self, experiment: str) -> Sequence[Run]:
        """Return the runs of an experiment, by its id."""

    def versions(self) -> Sequence[Version]:
        """Return all versions of all registered models."""

    def points(self, runs: Sequence[str]) -> Iterable[Sequence[Point]]:
        """Return the points of each of these runs, by their ids."""

    def close(self) -> None:
        """Release what is open."""


def open_store(uri: str, environment: Mapping[str, str] = os.environ) -> TrackingStore:
    """Return the store of a tracking URI, as `mlflow.set_tracking_uri` takes it.

    Args:
        uri: Empty for that of the environment.
        environment: Variables, with MLflow's own MLFLOW_TRACKING_URI, _USERNAME, _PASSWORD and _TOKEN.

    Raises:
        SourceError: There is none at this URI, or it is of a kind that is not read.
    """
    uri = uri or environment.get("MLFLOW_TRACKING_URI", "")
    if re.match(r"https?:", uri):
        token = environment.get("MLFLOW_TRACKING_TOKEN", "")
        user = environment.get("MLFLOW_TRACKING_USERNAME", "")
        if user:
            return TrackingServer(uri, basic(user, environment.get("MLFLOW_TRACKING_PASSWORD", "")))
        return TrackingServer(uri, f"Bearer {token}" if token else "")
    if uri.startswith("sqlite:"):
        return Database(unquote(uri.removeprefix(SQLITE).removeprefix("sqlite:")))
    if re.match(r"(?!file:)[\w+]+:", uri) or not uri:
        known = "http://HOST:5000, sqlite:///mlflow.db or a folder mlruns"
        if not uri:
            raise SourceError(f"which MLflow? Name its tracking URI ({known}), or set MLFLOW_TRACKING_URI")
        shown = sanitize(redact_credentials(uri), 80)
        raise SourceError(f"cannot read `{shown}`, only {known}: `mlflow server --backend-store-uri URI` serves others")
    path = unquote(re.sub(r"^file:(?://(?:localhost)?(?=/))?", "", uri))
    return Database(path) if Path(path).is_file() else FileStore(Path(path))


class TrackingServer:
    """An MLflow server, by its REST API.

    Args:
        url: Its address.
        authorization: Value of that header; empty for none.
    """

    def __init__(self, url: str, authorization: str) -> None:
        self._url = url
        self._service = JsonService(url, "MLflow", authorization)
        self._found: dict[str, Mapping[str, Any]] = {}
        """Runs by their id, each with the last value of its metrics."""

    def experiments(self) -> Mapping[str, str]:
        """Return the name by id of each experiment that is not deleted."""
        found = self._pages("experiments/search", "experiments", {"view_type": "ACTIVE_ONLY"}, posts=True)
        return {str(each["experiment_id"]): str(each["name"]) for each in found}

    def runs(self, experiment: str) -> Sequence[Run]:
        """Return the runs of an experiment, by its id."""
        selection = {"experiment_ids": [experiment], "run_view_type": "ACTIVE_ONLY"}
        return [self._note(run) for run in self._pages("runs/search", "runs", selection, posts=True)]

    def versions(self) -> Sequence[Version]:
        """Return all versions of all registered models."""
        aliases: dict[tuple[str, str], list[str]] = {}
        for model in self._pages("registered-models/search", "registered_models", {}):
            for each in model.get("aliases", ()):
                aliases.setdefault((model["name"], str(each["version"])), []).append(each["alias"])
        return [
            Version(
                each["name"],
                str(each["version"]),
                each.get("run_id", ""),
                each.get("current_stage") == "Archived",
                tuple(aliases.get((each["name"], str(each["version"])), ())),
            )
            for each in self._pages("model-versions/search", "model_versions", {})
        ]

    def points(self, runs: Sequence[str]) -> Iterable[Sequence[Point]]:
        """Return the points of each of these runs, by their ids."""
        with ThreadPoolExecutor(THREADS) as pool:
            yield from pool.map(self._points_of, runs)

    def close(self) -> None:
        """Release what is open: nothing."""

    def _points_of(self, run: str) -> list[Point]:
        if run not in self._found:
            self._note(self._service.get(f"{_API}runs/get", {"run_id": run})["run"])
        found, now = self._found[run], time.monotonic()
        before, points, read_at = _ENDED.get((self._url, run), (None, [], 0.0))
        if found != before or now - read_at > KEPT_SECONDS:
            metrics = [metric["key"] for metric in found.get("data", {}).get("metrics", ())]
            points = [point for metric in metrics for point in self._history(run, metric)]
            if found["info"].get("end_time"):
                _ENDED[self._url, run] = found, points, now
        return points

    def _note(self, run: Mapping[str, Any]) -> Run:
        info = run["info"]
        self._found[info["run_id"]] = run
        return Run(info["run_id"], info.get("run_name") or info["run_id"])

    def _history(self, run: str, metric: str) -> Iterator[Point]:
        # No `max_results` at first: a server over a file store refuses it.
        for each in self._pages("metrics/get-history", "metrics", {"run_id": run, "metric_key": metric}, first=None):
            yield Point(metric, int(each["timestamp"]), float(each["value"]))

    def _pages(
        self, method: str, key: str, parameters: Mapping[str, Any], *, posts: bool = False, first: int | None = PAGE
    ) -> Iterator[Mapping[str, Any]]:
        """Yield the results of all pages.

        Args:
            method: Of the API.
            key: Under which an answer has its results.
            parameters: Of each request.
            posts: Whether the method takes them as JSON.
            first: Results of the first page; None leaves that to the server.
        """
        size, token = first, ""
        for _ in range(MAX_PAGES):
            page = {**parameters, **({"max_results": size} if size else {}), **({"page_token": token} if token else {})}
            answer = self._service.post(_API + method, page) if posts else self._service.get(_API + method, page)
            yield from answer.get(key, ())
            token, size = answer.get("next_page_token", ""), first or HISTORY_PAGE
            if not token:
                return


class Database:
    """An SQLite database of MLflow, opened to read only.

    Args:
        path: Of the file.

    Raises:
        SourceError: There is no such file.
    """

    def __init__(self, path: str) -> None:
        if not Path(path).is_file():
            raise SourceError(f"there is no database {sanitize(path)}: check the path, sqlite:////x.db is absolute")
        absolute = str(Path(path).resolve())  # `//x` would be a host in a URI
        self._connection = sqlite3.connect(f"file:{quote(absolute)}?mode=ro", uri=True, timeout=10)

    def experiments(self) -> Mapping[str, str]:
        """Return the name by id of each experiment that is not deleted."""
        rows = self._select("SELECT experiment_id, name FROM experiments WHERE lifecycle_stage = 'active'")
        return {str(identity): name for identity, name in rows}

    def runs(self, experiment: str) -> Sequence[Run]:
        """Return the runs of an experiment, by its id."""
        query = "SELECT run_uuid, name FROM runs WHERE experiment_id = ? AND lifecycle_stage = 'active'"
        return [Run(identity, name or identity) for identity, name in self._select(query, experiment)]

    def versions(self) -> Sequence[Version]:
        """Return all versions of all registered models."""
        aliases: dict[tuple[str, int], list[str]] = {}
        has_aliases = self._select("SELECT 1 FROM sqlite_master WHERE name = 'registered_model_aliases'")  # from 2.3 on
        for model, alias, version in has_aliases and self._select(
            "SELECT name, alias, version FROM registered_model_aliases"
        ):
            aliases.setdefault((model, version), []).append(alias)
        return [
            Version(model, str(version), run or "", stage == "Archived", tuple(aliases.get((model, version), ())))
            for model, version, run, stage in self._select(
                "SELECT name, version, run_id, current_stage FROM model_versions"
            )
        ]

    def points(self, runs: Sequence[str]) -> Iterable[Sequence[Point]]:
        """Return the points of each of these runs, by their ids."""
        for run in runs:
            yield [
                Point(metric, milliseconds, float("nan") if is_nan else value)
                for metric, milliseconds, value, is_nan in self._select(
                    "SELECT key, timestamp, value, is_nan FROM metrics WHERE run_uuid = ?", run
                )
            ]

    def close(self) -> None:
        """Release the file."""
        self._connection.close()

    def _select(self, query: str, *values: str) -> list[Any]:
        try:
            return self._connection.execute(query, values).fetchall()
        except sqlite3.DatabaseError as error:
            raise SourceError(f"not a database of MLflow, or of another version ({sanitize(error)})") from error


class FileStore:
    """A folder `mlruns`: a folder for each experiment, in it one for each run, in it a file for each metric.

    Args:
        folder: The store.

    Raises:
        SourceError: It is none.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._runs: dict[str, Path] = {}
        if not folder.is_dir():
            raise SourceError(f"there is no folder {sanitize(folder)}: check the path")

    def experiments(self) -> Mapping[str, str]:
        """Return the name by id of each experiment that is not deleted."""
        found = {path.parent.name: _meta(path) for path in self._folder.glob("*/meta.yaml")}
        found = {key: meta for key, meta in found.items() if "name" in meta and meta.get("lifecycle_stage") == "active"}
        if not found:
            raise SourceError("not a file store of MLflow: name its folder mlruns")
        return {key: meta["name"] for key, meta in found.items()}

    def runs(self, experiment: str) -> Sequence[Run]:
        """Return the runs of an experiment, by its id."""
        runs: list[Run] = []
        for path in sorted((self._folder / experiment).glob("*/meta.yaml")):
            meta = _meta(path)
            if meta.get("lifecycle_stage") == "active":
                self._runs[path.parent.name] = path.parent
                runs.append(Run(path.parent.name, meta.get("run_name") or path.parent.name))
        return runs

    def versions(self) -> Sequence[Version]:
        """Return all versions of all registered models."""
        found: list[Version] = []
        for path in sorted(self._folder.glob("models/*/version-*/meta.yaml")):
            meta, model = _meta(path), path.parents[1]
            number = path.parent.name.removeprefix("version-")
            aliases = tuple(each.name for each in model.glob("aliases/*") if _text(each).strip() == number)
            is_archived = meta.get("current_stage") == "Archived"
            found.append(Version(model.name, number, meta.get("run_id", ""), is_archived, aliases))
        return found

    def points(self, runs: Sequence[str]) -> Iterable[Sequence[Point]]:
        """Return the points of each of these runs, by their ids."""
        for run in runs:
            folder = self._runs.get(run) or next(self._folder.glob(f"*/{run}"), self._folder / run)
            metrics = folder / "metrics"
            files = sorted(path for path in metrics.rglob("*") if path.is_file())
            yield [point for path in files for point in _logged(path, path.relative_to(metrics).as_posix())]

    def close(self) -> None:
        """Release what is open: nothing."""


def _logged(path: Path, metric: str) -> Iterator[Point]:
    """Yield the points of a metric's file: a line has milliseconds, value and step. One in the making waits."""
    try:
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                cells = line.split()
                if len(cells) >= 2 and line.endswith("\n"):
                    yield Point(metric, int(cells[0]), float(cells[1]))
    except (OSError, ValueError) as error:
        raise SourceError(f"{sanitize(path)} is not a metric of MLflow ({sanitize(error)})") from error


def _meta(path: Path) -> dict[str, str]:
    """Return the texts of a `meta.yaml`, which PyYAML wrote: one key a line, a long value folded at its spaces."""
    text = re.sub(r"\n {2,}", " ", _text(path))
    pairs = (match.groups() for match in re.finditer(r"^(\w+): (.*)$", text, re.MULTILINE))
    return {key: _scalar(value.strip()) for key, value in pairs}


def _scalar(value: str) -> str:
    if value.startswith("'"):
        return value[1:-1].replace("''", "'")
    if value.startswith('"'):
        try:
            return str(json.loads(value))
        except ValueError:
            return value[1:-1]
    return "" if value == "null" else value


def _text(path: Path) -> str:
    try:
        with closing(path.open("rb")) as file:
            return file.read(MAX_META_BYTES).decode("utf-8", "replace")
    except OSError as error:
        raise SourceError(f"{sanitize(path)} cannot be read ({sanitize(error.strerror)}): check its rights") from error
