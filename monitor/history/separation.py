"""Columns of several files of one model that have the same metric: which represents the model, and what is reported.

Within one file `modeltop.history.csv.placement` decides. Here the blocks of all files are known: what different files
call differently is one metric if it is the same measurement under another spelling, or if one file continues the other;
otherwise it stays apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from modeltop.core.metrics.names import NormalizedName
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import ReadProblem, Times
from modeltop.core.stats.robust import distinct
from modeltop.core.text import pluralize
from modeltop.history.csv.placement import place, placement_notes
from modeltop.history.merge import Block, join_segments, select_metrics

_Key = tuple[str, str, str]
"""Model, segment and metric."""
MAX_NAMED = 3


def separate(blocks: Sequence[Block], catalog: MetricRegistry) -> tuple[Sequence[Block], list[ReadProblem]]:
    """Return the blocks, so that no two measurements of one period are merged, and what is reported.

    Args:
        blocks: Of all files, in the order in which they count; those that need no change are returned as they are.
        catalog: The metrics.
    """
    if not any(block.written for block in blocks):
        return blocks, []
    times: defaultdict[_Key, dict[str, list[Times]]] = defaultdict(dict)
    for block in blocks:
        for metric in block.values:
            name = block.written.get(metric, metric)
            times[block.model, block.segment, metric].setdefault(name, []).append(block.times)
    moved: dict[tuple[_Key, str], str] = {}
    notes: dict[str, dict[str, None]] = {}
    for key, by_name in times.items():
        if len(by_name) > 1:
            segments, note = _segments(key[2], by_name, catalog)
            moved.update({(key, name): segment for name, segment in segments.items() if segment != "all"})
            notes.setdefault(note, {})[key[0]] = None
    separated = [part for block in blocks for part in _split(block, moved)] if moved else blocks
    return separated, [ReadProblem(_list_models(list(models)), note) for note, models in notes.items()]


def note_renamed(blocks: Sequence[Block]) -> Iterator[ReadProblem]:
    """Yield what is reported of models that have rows of one date under an earlier name and under the one of now."""
    times: defaultdict[str, defaultdict[bool, list[Times]]] = defaultdict(lambda: defaultdict(list))
    for block in blocks if any(block.is_renamed for block in blocks) else ():
        times[block.model][block.is_renamed].append(block.times)
    for model, by_name in times.items():
        if len(by_name) > 1:
            now, before = np.concatenate(by_name[False]), np.concatenate(by_name[True])
            if count := int(np.isin(distinct(now), before).sum()):
                message = f"{pluralize(count, 'date')} also under an earlier name: the values under this name count"
                yield ReadProblem(model, message)


def _segments(metric: str, times: Mapping[str, Sequence[Times]], catalog: MetricRegistry) -> tuple[dict[str, str], str]:
    """Return the segment of each name, and the message on them."""
    measurements: dict[NormalizedName, list[str]] = {}
    for name in times:
        measurements.setdefault(catalog.normalize(name), []).append(name)
    periods = [np.unique(np.concatenate([t for name in names for t in times[name]])) for names in measurements.values()]
    is_concurrent = len(np.unique(np.concatenate(periods))) < sum(map(len, periods))
    if len(measurements) == 1 or not is_concurrent:
        listed = " and ".join(f"`{name[:40]}`" for name in times)
        note = f"{listed} of several files are one metric, {metric[:40]}: of one period the later file counts"
        return dict.fromkeys(times, "all"), note
    first_names = [metric if metric in names else names[0] for names in measurements.values()]
    placements = place(first_names, catalog)
    segments = {
        name: placement.segment
        for names, placement in zip(measurements.values(), placements, strict=True)
        for name in names
    }
    (note,) = placement_notes(first_names, placements, catalog)
    return segments, note


def _split(block: Block, moved: Mapping[tuple[_Key, str], str]) -> list[Block]:
    """Return the block without the metrics that go to another segment, and one block for each of those."""
    segments = {
        metric: moved.get(((block.model, block.segment, metric), block.written.get(metric, metric)))
        for metric in block.values
    }
    leaving = {metric: segment for metric, segment in segments.items() if segment}
    if not leaving:
        return [block]
    return [
        select_metrics(block, block.values.keys() - leaving.keys()),
        *(
            select_metrics(block, {metric}, segment=join_segments(block.segment, segment))
            for metric, segment in leaving.items()
        ),
    ]


def _list_models(models: Sequence[str]) -> str:
    more = len(models) - MAX_NAMED
    return ", ".join(models[:MAX_NAMED]) + (f" and {more:,} more models" if more > 0 else "")
