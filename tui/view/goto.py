"""The line that is typed after `:`: models, metrics, segments and a range to go to, a comparison, or a command."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from math import inf
from typing import NamedTuple

from modeltop.core.series import SeriesKey
from modeltop.core.text import sanitize
from modeltop_tui.view.chart import compared_series, seconds
from modeltop_tui.view.metrics import label
from modeltop_tui.view.navigation import select_series
from modeltop_tui.view.state import ChartComparison, ScreenState, Selection, SnapshotIndex, SortOrder, snapshot_index
from modeltop_tui.view.state import visible_models as listed_models
from modeltop_tui.view.time_range import EXAMPLES, TypedRange, is_range_like, parse_range, window_of

JumpTarget = tuple[str, SeriesKey | None]
"""A model, and a series of it or None."""
MAX_TARGETS = 99
"""Targets that are counted at most."""
COMPARE, SORT = "compare", "sort"
ORDERS = {"worst": SortOrder.WORST, "name": SortOrder.NAME, "oldest": SortOrder.STALE}
RANGES = ("7d", "30d", "24h", "90d")
"""Ranges to complete to, beside the newest month."""


class CommandWords(NamedTuple):
    """What the app adds to the names in the data."""

    actions: Mapping[str, str]
    arguments: Mapping[str, Sequence[str]]
    """The actions that take an argument, with the words to complete it to."""


class Outcome(NamedTuple):
    """What Enter does with a line."""

    text: str
    """It in words; or why nothing is done."""
    selection: Selection | None = None
    action: tuple[str, str] | None = None
    """Name of an action of the app, and its argument."""
    others: int = 0
    """Number of other matches."""


def interpret(state: ScreenState, typed: str, vocabulary: CommandWords) -> Outcome:
    """Return what Enter does with a line.

    A command is known by its name, else by a start of it that is in no name of the data.
    """
    name, _, argument = typed.strip().partition(" ")
    if state.snapshot is None or not name:
        return Outcome("nothing is loaded yet" if name else "")
    if name in command_names(vocabulary):
        return _command(state, name, argument.strip(), vocabulary)
    result = _go(state, typed.casefold().replace(">", " ").split())
    commands = [command for command in command_names(vocabulary) if command.startswith(name.casefold())]
    if result.selection is None and len(commands) == 1:
        return _command(state, commands[0], argument.strip(), vocabulary)
    return result


def _command(state: ScreenState, name: str, argument: str, vocabulary: CommandWords) -> Outcome:
    if name == COMPARE:
        return _compare(state, argument.casefold().split())
    if name == SORT:
        return _sort(state, argument.casefold())
    if argument and name not in vocabulary.arguments:
        return Outcome(f"{name} has no argument")
    return Outcome(vocabulary.actions[name], action=(name, argument))


def command_names(vocabulary: CommandWords) -> list[str]:
    """Return the names of all commands."""
    return [COMPARE, SORT, *vocabulary.actions]


def _sort(state: ScreenState, argument: str) -> Outcome:
    order = next((order for name, order in ORDERS.items() if argument and name.startswith(argument)), None)
    if order is None:
        return Outcome(f"sort by one of: {', '.join(ORDERS)}")
    return Outcome(f"models {order.value}", replace(state.selection, sort=order))


def _go(state: ScreenState, words: list[str]) -> Outcome:
    ranges, names = _split(words)
    present = [(state.selection.model, state.selection.key)] if state.selection.model is not None else []
    targets = jump_targets(state, names) if names else present
    if not targets or len(ranges) > 1:
        return Outcome(_why_nothing(words, names, ranges))
    model, key = targets[0]
    target = sanitize(model, 60) if key is None else f"{sanitize(model, 60)} > {label(key)}"
    text = ", ".join((f"→ {target}", *ranges))
    result = Outcome(text, _visible(state, model, key), others=len(targets) - 1)
    return _apply_range(state, result, ranges)


def _split(words: list[str]) -> tuple[dict[str, TypedRange], list[str]]:
    parsed = {word: parse_range(word) for word in words}
    return {word: one for word, one in parsed.items() if one}, [word for word, one in parsed.items() if not one]


def _why_nothing(words: list[str], names: list[str], ranges: Mapping[str, TypedRange]) -> str:
    invalid = next((name for name in names if is_range_like(name)), None)
    ends = [parse_range(end) for end in (invalid or "").split("..")]
    if len(ends) == 2 and all(end is not None and end.length == inf for end in ends):
        return f"{invalid} ends before it starts: {EXAMPLES}"
    if invalid is not None:
        return f"invalid range {sanitize(invalid, 30)}: {EXAMPLES}"
    return "one range at a time" if len(ranges) > 1 else f"no match for {sanitize(' '.join(words), 60)}"


def _visible(state: ScreenState, model: str, key: SeriesKey | None) -> Selection:
    """Return the selection of a series; filters that hide its model are cleared."""
    if model not in listed_models(state):
        state = replace(state, selection=replace(state.selection, filter="", problems_only=False))
    return select_series(state, model, key)


def _apply_range(state: ScreenState, result: Outcome, ranges: Mapping[str, TypedRange]) -> Outcome:
    selection = result.selection
    if not ranges or selection is None or state.snapshot is None:
        return result
    (word, chosen), *_ = ranges.items()
    window = window_of(chosen, seconds(state.snapshot.history.periods[selection.model or ""]))
    if window is None:
        return Outcome(f"{sanitize(selection.model, 40)} has no data in {word.replace('t', 'T')}")
    return result._replace(selection=replace(selection, time_window=window, cursor=None))


def _compare(state: ScreenState, words: list[str]) -> Outcome:
    """Return the comparison of one metric over all or some models, or over the segments of one model."""
    if not words and state.selection.comparison is not None:
        return Outcome("comparison off", replace(state.selection, comparison=None))
    ranges, names = _split(words)
    metric, models, unknown = _compared_names(state, names)
    if unknown or len(ranges) > 1:
        return Outcome(_why_nothing([unknown], [unknown], ranges))
    key = _compared_key(state, metric, models)
    name = label(SeriesKey("", metric))
    if key is None:
        return Outcome(f"{sanitize(models[0], 40) if models else 'no model'} has no {name}" if name else "no metric")
    comparison = ChartComparison(tuple(models) if len(models) > 1 else (), by_segment=len(models) == 1)
    selection = replace(_visible(state, key.model, key), comparison=comparison)
    count, model = len(compared_series(replace(state, selection=selection))), sanitize(key.model, 40)
    if count < 2:
        why = "has no segments" if comparison.by_segment else "is the only model with it"
        return Outcome(f"nothing to compare {name} with: {model} {why}")
    noun = f"segments of {model}" if comparison.by_segment else "models"
    return _apply_range(state, Outcome(f"{name} of {count} {noun}; Esc returns", selection), ranges)


def _compared_names(state: ScreenState, names: Iterable[str]) -> tuple[str, list[str], str]:
    assert state.snapshot is not None
    metrics = dict.fromkeys(key.metric for key in state.snapshot.history.series)
    metric, models = "", dict[str, None]()
    for name in names:
        found = best_name(name, () if metric else metrics)
        model = best_name(name, snapshot_index(state.snapshot).model_statuses)
        if found is None and model is None:
            return metric, list(models), name
        if found is not None:
            metric = found
        elif model is not None:
            models[model] = None
    return metric or (state.selection.key.metric if state.selection.key else ""), list(models), ""


def _compared_key(state: ScreenState, metric: str, models: list[str]) -> SeriesKey | None:
    assert state.snapshot is not None
    selected = state.selection.key
    segment = selected.segment if selected is not None and len(models) != 1 else "all"
    every = models or snapshot_index(state.snapshot).model_statuses
    candidates = sorted(every, key=lambda model: model != state.selection.model)
    keys = (SeriesKey(model, metric, one) for one in (segment, "all") for model in candidates)
    return next((key for key in keys if key in state.snapshot.history.series), None)


def best_name(word: str, names: Iterable[str]) -> str | None:
    """Return the name that a word stands for: it, else one that starts with it, else one that contains it.

    >>> best_name("acc", ["balanced_accuracy", "accuracy"]), best_name("x", ["accuracy"])
    ('accuracy', None)
    """
    found = [(name.casefold(), name) for name in names if word in name.casefold()]
    ranked = sorted(found, key=lambda pair: (pair[0] != word, not pair[0].startswith(word)))
    return ranked[0][1] if ranked else None


def jump_targets(state: ScreenState, words: Sequence[str]) -> list[JumpTarget]:
    """Return the targets that match, best first: each word must be in the name of the model, the metric or the segment.

    Names that start with the words come before those that contain them, a model before its series, the selected model
    before the others, and these in the order of the list.
    """
    if state.snapshot is None or not words:
        return []
    ranked: list[tuple[tuple[int, bool, bool], JumpTarget]] = []
    for model, name, all_series in _names(snapshot_index(state.snapshot)):
        rest = [word for word in words if word not in name]
        found = [one for one in all_series if all(word in one.text for word in rest)] if rest else [_Name(None, "", ())]
        for one in found:
            starts = sum(any(part.startswith(word) for part in (name, *one.parts)) for word in words)
            ranked.append(((-starts, one.key is not None, model != state.selection.model), (model, one.key)))
    return [target for _, target in sorted(ranked, key=lambda pair: pair[0])[:MAX_TARGETS]]


class _Name(NamedTuple):
    """What a series is found by; of a whole model nothing beside its name."""

    key: SeriesKey | None
    text: str
    parts: tuple[str, ...]


@lru_cache(maxsize=2)
def _names(index: SnapshotIndex) -> list[tuple[str, str, list[_Name]]]:
    return [
        (model, model.casefold(), [_named(key) for key in index.series_keys(model)]) for model in index.model_statuses
    ]


def _named(key: SeriesKey) -> _Name:
    text = f"{key.metric} {key.segment}".casefold()
    return _Name(key, text, tuple(re.split(r"\W+", text)))


def hint(state: ScreenState, typed: str, vocabulary: CommandWords) -> str:
    """Return what Enter would do and what Tab completes to, shown while the person types."""
    if not typed.strip():
        return "model, metric, segment, 7d, 2025-06.., or a command; Tab completes"
    outcome = interpret(state, typed, vocabulary)
    text = f"{outcome.text}  and {outcome.others} more" if outcome.others else outcome.text
    last = typed.casefold().split(" ")[-1]
    words = [line.split(" ")[-1] for line in completions(state, typed, vocabulary)[:4]]
    others = [sanitize(word, 24) for word in words if word.casefold() != last]
    return f"{text}  Tab: {' '.join(others)}" if others else text


def completions(state: ScreenState, typed: str, vocabulary: CommandWords) -> list[str]:
    """Return the lines to which the last word can be completed, the best first."""
    *before, last = typed.split(" ")
    if state.snapshot is None:
        return []
    words = dict.fromkeys(_candidates(state, [word for word in before if word], vocabulary))
    starts = [word for word in words if word.casefold().startswith(last.casefold()) and word not in before]
    inside = [word for word in words if last.casefold() in word.casefold()[1:] and len(last) > 1 and word not in starts]
    return [" ".join((*before, word)) for word in (*starts, *inside)]


def _candidates(state: ScreenState, before: list[str], vocabulary: CommandWords) -> Iterable[str]:
    assert state.snapshot is not None
    index, command = snapshot_index(state.snapshot), before[0] if before else ""
    keys = index.series_keys(state.selection.model)
    if command == SORT or command in vocabulary.actions:
        return ORDERS if command == SORT else vocabulary.arguments.get(command, ())
    if command == COMPARE:
        return (*(key.metric for key in (*keys, *state.snapshot.history.series)), *index.model_statuses, *RANGES)
    names = [word.casefold() for word in before]
    model = next((target[0] for target in jump_targets(state, names)), None) if names else None
    keys = keys if model is None else index.series_keys(model)
    newest = [series.newest.strftime("%Y-%m") for series in index.series.get(model or state.selection.model or "", [])]
    metrics = (*(key.metric for key in keys), *(key.segment for key in keys if key.segment != "all"))
    first = index.model_statuses if not names else ()
    return (*first, *metrics, *RANGES, *newest[:1], *(command_names(vocabulary) if not names else ()))
