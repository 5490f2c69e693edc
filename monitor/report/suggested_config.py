"""A proposed configuration as commented TOML: each limit with what it rests on and how often it would have fired."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping

from modeltop.config.suggest import Drafts
from modeltop.config.write import value_text, written
from modeltop.core.series import SeriesKey
from modeltop.core.text import day, plural, safe
from modeltop.report.backtest import Trial, rate_words, trials
from modeltop.report.phrases import series_name
from modeltop.rules.rule import sentence
from modeltop.rules.snapshot import Snapshot

WIDE = 118
NAMED = 20
"""Series without a limit that are named; the rest are counted."""
LATEST = 3
"""Alerts of the past whose dates are given."""

HEAD = """\
What modeltop watches here. Written from the history at hand: read it, change it, and try it before you trust it:
`modeltop rules test` says when each rule would have fired, and how many alerts a month that makes.
Each limit stands where a healthy period lies once in 100, critical twice as far from the usual value. A warning waits
for two periods in a row, and is over after two good ones. Rules in a file replace the defaults: what holds by default
of every series stands here too, after the limits, and can be deleted."""

CHECKS = """\

# Rules can also compare, for example:
# [[rules]]                       # 2 points below its usual, and more than chance (needs counts)
# name = "recall-drop"
# metric = "recall"
# check = "drop"                  # also: band, shift, trend, spike, difference
# warn = { absolute = 0.02, p = 0.01 }
# reference = { rolling = 28 }    # or first, from and to, weekday, segment, metric, model
# confirm = 2
# of = 3                          # 2 of the last 3 periods
"""

PEOPLE = """\

# Who is told (`modeltop watch`), for example:
# [receivers.team]
# type = "slack"
# url_env = "SLACK_URL"
"""


def configuration(kept: Mapping[str, object], proposed: Drafts, rehearsed: Snapshot) -> str:
    """The text of the file.

    Args:
        kept: Tables other than the rules.
        proposed: The rules.
        rehearsed: What the same rules, or without any the defaults, found in the history.
    """
    tried = {trial.rule.name: trial for trial in trials(rehearsed)}
    lines = [*_comment(HEAD), *([""] if kept else []), *written(kept)]
    for draft in proposed.rules:
        said = f"{safe(draft.key.model, 60)}, {series_name(draft.key)}: {draft.why}."
        lines += _rule(said, draft.table, tried[draft.table["name"]])
    for table in proposed.kept:
        trial = tried[table["name"]]
        said = sentence(trial.rule, rehearsed.catalog.of(trial.rule.metric))
        lines += _rule(f"By default, of every series: {said}.", table, trial)
    if proposed.rules:
        total = sum(len(trial.alerts) for trial in tried.values())
        lines += ["", *_comment(f"All rules together would have given {plural(total, 'alert')}.")]
    else:
        lines += ["", *_comment("No rule is proposed, so the defaults hold:")]
        lines += [line for trial in tried.values() for line in _comment(f"{trial.rule.name}: {_would(trial)}.")]
    lines += _left(proposed.without)
    text = "\n".join(lines) + "\n" + CHECKS
    return text if "receivers" in kept else text + PEOPLE


def _rule(said: str, table: Mapping[str, object], trial: Trial) -> list[str]:
    values = [f"{key} = {value_text(value)}" for key, value in table.items()]
    return ["", *_comment(said), *_comment(f"{_would(trial)}."), "[[rules]]", *values]


def _would(trial: Trial) -> str:
    """How often it would have fired in the past, and when last."""
    if not trial.series:
        return "Would have judged nothing"
    dates = [
        f"{day(one.since)} to {day(one.resolved)}" if one.resolved else f"since {day(one.since)}"
        for one in trial.alerts[-LATEST:]
    ]
    last = f": {'' if len(trial.alerts) <= LATEST else 'lately '}{', '.join(dates)}" if dates else ""
    return f"Would have given {rate_words(trial)}{last}"


def _left(without: tuple[tuple[SeriesKey, str], ...]) -> Iterator[str]:
    if without:
        yield from ("", "# Without a limit:")
    for key, why in without[:NAMED]:
        yield from _comment(f"{safe(key.model, 60)}, {series_name(key)}: {why}")
    if len(without) > NAMED:
        yield f"# and {len(without) - NAMED:,} more series"


def _comment(text: str) -> list[str]:
    """Lines that no foreign text in them can end."""
    lines = (line for part in text.splitlines() for line in textwrap.wrap(part, WIDE, break_on_hyphens=False) or [""])
    return [f"# {line}".rstrip() for line in lines]
