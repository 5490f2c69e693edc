"""What is kept from one run of the app to the next: settings of the view, incidents that were seen, lines typed.

`view.json`, `seen.json` and `typed.json` in the state folder map a source to its own entry; the first decides how the
first frame looks, so that nothing else may change it. A missing or damaged file is an empty
one, and what cannot be written is not kept: neither is an error.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from math import isinf
from typing import TYPE_CHECKING, Any

from modeltop.core.errors import StoreError
from modeltop.history.files import FileStat, file_stat, xdg_folder

if TYPE_CHECKING:
    from modeltop_tui.view.state import ScreenState, Selection

VIEW, SEEN, TYPED = "view.json", "seen.json", "typed.json"
ALL_SOURCES = ""
"""The entry of `view.json` with the theme that the user chose in place of each default."""
MAX_TYPED = 20
MAX_BYTES = 4_000_000
MAX_SECONDS = 1e11
"""Length of a range, in seconds, from which it is none that a person chose."""
MAX_SOURCES = 32
Entry = dict[str, Any]


def load_entries(name: str) -> dict[str, Entry]:
    """Return the entries of a file by source; none if it is missing or damaged, or no regular file of usual size."""
    try:
        path = xdg_folder("state") / name
        size = path.stat().st_size if path.is_file() else 0  # a pipe would block, a device never end
        entries = json.loads(path.read_bytes()) if 0 < size <= MAX_BYTES else {}
    except (OSError, ValueError, RuntimeError, RecursionError):
        return {}
    if not isinstance(entries, dict):
        return {}
    return {source: entry for source, entry in entries.items() if isinstance(entry, dict)}


def save_entry(name: str, source: str, entry: Entry) -> None:
    """Replace the entry of a source, unless it is the same; a failure is ignored."""
    entries = load_entries(name)
    if entries.get(source) == entry or (name == VIEW and not entry and source not in entries):
        return
    entries[source] = entry
    for oldest in [one for one in entries if one not in (ALL_SOURCES, source)][: -MAX_SOURCES + 1]:
        del entries[oldest]
    from modeltop.history.store.durable import write_atomically  # not needed for the first frame

    with contextlib.suppress(OSError, RuntimeError, StoreError):
        folder = xdg_folder("state")
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(folder / name, json.dumps(entries).encode("ascii"))


def file_stats() -> dict[str, FileStat | None]:
    """Return the stat of the file that decides how the first frame looks."""
    with contextlib.suppress(RuntimeError):
        path = str(xdg_folder("state") / VIEW)
        return {path: file_stat(path)}
    return {}


def load_theme(default: str) -> str:
    """Return the theme that the user last chose on a terminal with this default: colors that suit one fit no other."""
    return str(load_entries(VIEW).get(ALL_SOURCES, {}).get(default, default))


def save_theme(default: str, chosen: str) -> None:
    """Keep the theme that the user chose in place of the default."""
    save_entry(VIEW, ALL_SOURCES, load_entries(VIEW).get(ALL_SOURCES, {}) | {default: chosen})


def load_state(source: str) -> ScreenState:
    """Return the state to start with: sort, range and problems only as they were left, incidents seen, lines typed."""
    from modeltop_tui.view.line_edit import paste_line
    from modeltop_tui.view.state import ScreenState

    seen, lines = load_entries(SEEN).get(source), load_entries(TYPED).get(source, {}).get("lines")
    if seen is not None:
        seen = {model: incident for model, incident in seen.items() if isinstance(incident, str)}
    typed = [paste_line("", line) for line in lines if isinstance(line, str)] if isinstance(lines, list) else []
    selection = selection_of(load_entries(VIEW).get(source, {}))
    return ScreenState(selection=selection, seen=seen, typed=tuple(filter(None, typed))[-MAX_TYPED:])


def save_state(source: str, state: ScreenState) -> None:
    """Keep the settings of the view, the lines typed, and the incidents seen, that of the selected model among them."""
    from modeltop_tui.view.news import mark_seen
    from modeltop_tui.view.state import snapshot_index

    save_entry(VIEW, source, settings_of(state.selection))
    if state.typed:
        save_entry(TYPED, source, {"lines": list(state.typed[-MAX_TYPED:])})
    if state.snapshot is not None:
        index = snapshot_index(state.snapshot)
        seen = index.incident_states if state.seen is None else mark_seen(state, state.selection.model or "").seen
        save_entry(SEEN, source, {model: one for model, one in (seen or {}).items() if model in index.model_statuses})


def settings_of(selection: Selection) -> Entry:
    """Return what is kept of a selection, as far as it is not the default; a range only if it follows the newest point.

    A range in the past would hide the next incident, and the full history make it tiny.
    """
    window, default = selection.time_window, type(selection)()
    entry: Entry = {} if selection.sort is default.sort else {"sort": selection.sort.name}
    entry |= {"problems_only": True} if selection.problems_only else {}
    if window is not None and window.end is None and not isinf(window.length):
        entry["range"] = window.length
    return entry


def selection_of(entry: Entry) -> Selection:
    """Return the selection that an entry describes; what is not valid in it is ignored."""
    from modeltop_tui.view.state import Selection, SortOrder, TimeWindow

    length = entry.get("range")
    return replace(
        Selection(problems_only=entry.get("problems_only") is True),
        sort=SortOrder.__members__.get(str(entry.get("sort")), SortOrder.WORST),
        time_window=TimeWindow(float(length)) if isinstance(length, int | float) and 0 < length < MAX_SECONDS else None,
    )
