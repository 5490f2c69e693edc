"""A proposed configuration as commented TOML: each limit with what it rests on and how often it would have fired."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping

from modeltop.config.suggest import SuggestedRules
from modeltop.config.write import to_toml, value_to_toml
from modeltop.core.series import SeriesKey
from modeltop.core.text import format_period, pluralize, sanitize
from modeltop.report.backtest import BacktestResult, backtest, describe_rate
from modeltop.report.phrases import series_name
from modeltop.rules.rule import describe_rule
from modeltop.rules.snapshot import Snapshot

WIDE = 118
MAX_NAMED = 20
"""Series without a limit that are named; the rest are counted."""
MAX_DATES = 3
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


def suggested_config(other_tables: Mapping[str, object], suggested: SuggestedRules, rehearsed: Snapshot) -> str:
    """The text of the file.

    Args:
        other_tables: Tables other than the rules.
        suggested: The rules.
        rehearsed: What the same rules, or without any the defaults, found in the history.
    """
    tried = {trial.rule.name: trial for trial in backtest(rehearsed)}
    lines = [*_comment(HEAD), *([""] if other_tables else []), *to_toml(other_tables)]
    for draft in suggested.rules:
        said = f"{sanitize(draft.key.model, 60)}, {series_name(draft.key)}: {draft.reason}."
        lines += _rule(said, draft.table, tried[draft.table["name"]])
    for table in suggested.default_tables:
        trial = tried[table["name"]]
        said = describe_rule(trial.rule, rehearsed.catalog.get(trial.rule.metric))
        lines += _rule(f"By default, of every series: {said}.", table, trial)
    if suggested.rules:
        total = sum(len(trial.alerts) for trial in tried.values())
        lines += ["", *_comment(f"All rules together would have given {pluralize(total, 'alert')}.")]
    else:
        lines += ["", *_comment("No rule is proposed, so the defaults hold:")]
        lines += [line for trial in tried.values() for line in _comment(f"{trial.rule.name}: {_would(trial)}.")]
    lines += _left(suggested.skipped)
    text = "\n".join(lines) + "\n" + CHECKS
    return text if "receivers" in other_tables else text + PEOPLE


def _rule(said: str, table: Mapping[str, object], trial: BacktestResult) -> list[str]:
    values = [f"{key} = {value_to_toml(value)}" for key, value in table.items()]
    return ["", *_comment(said), *_comment(f"{_would(trial)}."), "[[rules]]", *values]


def _would(trial: BacktestResult) -> str:
    """How often it would have fired in the past, and when last."""
    if not trial.series:
        return "Would have judged nothing"
    dates = [
        f"{format_period(one.since)} to {format_period(one.resolved)}"
        if one.resolved
        else f"since {format_period(one.since)}"
        for one in trial.alerts[-MAX_DATES:]
    ]
    last = f": {'' if len(trial.alerts) <= MAX_DATES else 'lately '}{', '.join(dates)}" if dates else ""
    return f"Would have given {describe_rate(trial)}{last}"


def _left(without: tuple[tuple[SeriesKey, str], ...]) -> Iterator[str]:
    if without:
        yield from ("", "# Without a limit:")
    for key, why in without[:MAX_NAMED]:
        yield from _comment(f"{sanitize(key.model, 60)}, {series_name(key)}: {why}")
    if len(without) > MAX_NAMED:
        yield f"# and {len(without) - MAX_NAMED:,} more series"


def _comment(text: str) -> list[str]:
    """Lines that no foreign text in them can end."""
    lines = (line for part in text.splitlines() for line in textwrap.wrap(part, WIDE, break_on_hyphens=False) or [""])
    return [f"# {line}".rstrip() for line in lines]
