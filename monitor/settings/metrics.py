"""`[metrics.NAME]`: what is known of a metric."""

from __future__ import annotations

from monitor.records import Better
from monitor.settings.table import Table
from monitor.text import plain


def parse_metrics(table: Table) -> dict[str, dict[str, object]]:
    """`[metrics.NAME]`: which way it improves, its bounds, its support, how it is printed."""
    return {name: _metric(table.table(name)) for name in table.data}


def _metric(part: Table) -> dict[str, object]:
    support = part.choice("support", ("rows", "own"), "")
    better = part.choice("better", [kind.value for kind in Better], "")
    said = {
        "better": Better(better) if better else None,
        "bounds": _bounds(part),
        "proportion": part.get("proportion", bool, "true or false"),
        "digits": _digits(part),
        "family": part.text("family"),
        "title": part.text("title"),
        "aliases": _aliases(part),
    }
    changed: dict[str, object] = {key: value for key, value in said.items() if value is not None}
    if support:
        changed["support"] = "rows" if support == "rows" else None
    return changed


def _digits(part: Table) -> int | None:
    digits = part.whole("digits", least=0, default=-1)
    return None if digits < 0 else min(digits, 9)


def _bounds(part: Table) -> tuple[float | None, float | None] | None:
    low, high = part.number("min"), part.number("max")
    if low is not None and high is not None and low > high:
        part.mistake("min", f"{plain(low)} lies above max = {plain(high)}")
    return None if low is None and high is None else (low, high)


def _aliases(part: Table) -> tuple[str, ...] | None:
    aliases = part.get("aliases", list, "an array of strings")
    if aliases is not None and not all(isinstance(alias, str) for alias in aliases):
        part.mistake("aliases", "an array of strings is expected")
        return None
    return None if aliases is None else tuple(aliases)
