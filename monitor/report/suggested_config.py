"""A proposed configuration as commented TOML: each limit with its basis and how often it would have fired."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping

from modeltop.config.suggest import SuggestedRules
from modeltop.config.write import to_toml, value_to_toml
from modeltop.core.series import SeriesKey
from modeltop.core.text import format_day, pluralize, sanitize
from modeltop.report.backtest import BacktestResult, backtest, describe_rate
from modeltop.report.phrases import series_name
from modeltop.rules.rule import describe_rule
from modeltop.rules.snapshot import Snapshot

LINE_WIDTH = 118
MAX_NAMED = 20
MAX_DATES = 3

HEAD = """\
Rules for these models, generated from their history. Review them, and backtest them before you rely on them:
`modeltop rules test` shows when each rule would have fired, and how often.
A healthy period crosses the limit of a warning about once in 100. Critical is twice as far from the median.
A warning fires after two periods in a row, and resolves after two good ones.
A threshold replaces the default limit of its metric. The other default rules apply too; `[defaults]` turns them off."""

DETECTOR_EXAMPLE = """\

# Rules can also compare, for example:
# [[rules]]                       # 2 points below its baseline, and significant (needs counts)
# name = "recall-drop"
# metric = "recall"
# check = "drop"                  # also: band, shift, trend, spike, difference
# warn = { absolute = 0.02, p = 0.01 }
# reference = { rolling = 28 }    # or first, from and to, weekday, segment, metric, model
# confirm = 2
# of = 3                          # 2 of the last 3 periods
"""

SOURCE_EXAMPLE = """\

# What the columns of files are, where it is open (`modeltop inspect FILE --write` adds it), for example:
# [sources.exports]
# path = "exports/*.csv"
# date = "measured_on"
# date_format = "%d/%m/%Y"
"""

RECEIVER_EXAMPLE = """\

# Receivers of notifications (`modeltop watch`), for example:
# [receivers.team]
# type = "slack"
# url_env = "SLACK_URL"
"""


def suggested_config(other_tables: Mapping[str, object], suggested: SuggestedRules, rehearsed: Snapshot) -> str:
    """Return the text of the file.

    Args:
        other_tables: Tables other than the rules.
        suggested: The rules, each with its reason.
        rehearsed: Backtest of the same rules, or of the defaults if there are none.
    """
    results = {result.rule.name: result for result in backtest(rehearsed)}
    lines = [*_comment(HEAD), *([""] if other_tables else []), *to_toml(other_tables)]
    for suggestion in suggested.rules:
        reason = f"{sanitize(suggestion.key.model, 60)}, {series_name(suggestion.key)}: {suggestion.reason}."
        lines += _rule(reason, suggestion.table, results[suggestion.table["name"]])
    if suggested.rules:
        lines += ["", *_comment("These default rules apply too; `[defaults]` turns them off:")]
        for result in (result for result in results.values() if result.rule.default):
            sentence = describe_rule(result.rule, rehearsed.catalog.get(result.rule.metric))
            lines += _comment(f"{result.rule.name}: {sentence}. {_describe_result(result)}.")
        total = sum(len(result.alerts) for result in results.values())
        lines += ["", *_comment(f"All rules together would have raised {pluralize(total, 'alert')}.")]
    else:
        lines += ["", *_comment("No rule is proposed; the default rules apply:")]
        for result in results.values():
            lines += _comment(f"{result.rule.name}: {_describe_result(result)}.")
    lines += _skipped(suggested.skipped)
    text = "\n".join(lines) + "\n" + DETECTOR_EXAMPLE
    examples = {"sources": SOURCE_EXAMPLE, "receivers": RECEIVER_EXAMPLE}
    return text + "".join(example for key, example in examples.items() if key not in other_tables)


def _rule(reason: str, table: Mapping[str, object], result: BacktestResult) -> list[str]:
    values = [f"{key} = {value_to_toml(value)}" for key, value in table.items()]
    return ["", *_comment(reason), *_comment(f"{_describe_result(result)}."), "[[rules]]", *values]


def _describe_result(result: BacktestResult) -> str:
    if not result.series:
        return "Matches no series"
    spans = dict.fromkeys(
        f"{format_day(alert.since, alert.resolved)} to {format_day(alert.resolved)}"
        if alert.resolved
        else f"since {format_day(alert.since)}"
        for alert in result.alerts[-MAX_DATES:]
    )
    newest = f": {'' if len(result.alerts) <= MAX_DATES else 'most recently '}{', '.join(spans)}" if spans else ""
    return f"Would have raised {describe_rate(result)}{newest}"


def _skipped(skipped: tuple[tuple[SeriesKey, str], ...]) -> Iterator[str]:
    if skipped:
        yield from ("", "# Without a limit:")
    for key, reason in skipped[:MAX_NAMED]:
        yield from _comment(f"{sanitize(key.model, 60)}, {series_name(key)}: {reason}")
    if len(skipped) > MAX_NAMED:
        yield f"# and {len(skipped) - MAX_NAMED:,} more series"


def _comment(text: str) -> list[str]:
    paragraphs = (textwrap.wrap(line, LINE_WIDTH, break_on_hyphens=False) or [""] for line in text.splitlines())
    return [f"# {line}".rstrip() for lines in paragraphs for line in lines]
