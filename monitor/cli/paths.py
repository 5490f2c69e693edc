"""`modeltop paths`: which files and folders modeltop reads and writes, for the data that the arguments name."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from modeltop.cli.context import Context, add_data
from modeltop.config.load import Config, candidate_paths, find
from modeltop.core.text import pluralize, sanitize
from modeltop.history.files import xdg_folder
from modeltop.history.sources import is_service
from modeltop.service.pipeline import state_reader_for


class Place(NamedTuple):
    """One file or folder, and what it is for."""

    name: str
    path: str
    found: str


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `paths` to its parser."""
    add_data(parser)
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(args: argparse.Namespace, context: Context) -> int:
    """Print every place in a line: its name, its path, and what is there."""
    config = context.load_config(args)
    places = list(_places(args, context, config))
    if args.json:
        context.out_json([place._asdict() for place in places])
        return 0
    width = max(len(place.name) for place in places)
    for place in places:
        context.out_line(f"{place.name:<{width}}  {sanitize(place.path, 400)}  ({place.found})")
    return 0


def _places(args: argparse.Namespace, context: Context, config: Config) -> Iterator[Place]:
    configured = find(args.config)
    if configured is None:
        yield from (Place("configuration", str(path), "not there") for path in candidate_paths())
    else:
        yield Place("configuration", str(configured), "read")
    store = None if args.paths else context.store_folder(args, config)
    sources: Sequence[str] = args.paths if store is None else [str(store)]
    yield from (Place("history" if store is None else "store", path, _look(Path(path))) for path in sources)
    state = state_reader_for(store, sources)
    if state.folder is None:
        yield Place("acknowledgements, silences, notes", "-", sanitize(state.error))
    else:
        yield Place("acknowledgements, silences, notes", str(state.folder), _look(state.folder))
    for name, kind in (("view of the app, crash logs", "state"), ("cache of first frames and checks", "cache")):
        try:
            folder = xdg_folder("state" if kind == "state" else "cache")
        except RuntimeError as error:
            yield Place(name, "-", str(error))
        else:
            yield Place(name, str(folder), _look(folder))


def _look(path: Path) -> str:
    if is_service(str(path)):
        return "an address"
    try:
        if path.is_file():
            return _size(path.stat().st_size)
        with os.scandir(path) as entries:
            sizes = [entry.stat().st_size for entry in entries if entry.is_file()]
    except FileNotFoundError:
        return "not there"
    except OSError as error:
        return f"not readable: {error.strerror}"
    return f"{pluralize(len(sizes), 'file')}, {_size(sum(sizes))}"


def _size(count: int) -> str:
    return f"{max(1, round(count / 1000)):,} kB" if count else "empty"
