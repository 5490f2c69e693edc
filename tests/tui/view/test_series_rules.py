"""The rules of one series, as they are shown below its chart."""

from dataclasses import replace

import pytest

from modeltop.core.series import SeriesKey
from modeltop.core.text import display_width
from modeltop.rules.defaults import default_rules
from modeltop.rules.rule import limit_rule
from modeltop_tui.view.series_rules import series_rule_lines
from modeltop_tui.view.state import Selection
from modeltop_tui.view.styled_text import plain_text


def rule_texts(state, width=118, max_lines=20):
    return [plain_text(line) for line in series_rule_lines(state, width, max_lines)]


def test_an_alert_comes_with_its_rule_and_where_that_is_configured(make):
    state = make.state(make.series([0.95] * 9 + [0.85]), rules=[make.floor_rule()])
    assert rule_texts(state) == [
        "▲ critical accuracy 0.850 < 0.90, for 1 day, since 10 Jan",
        "  Rule: accuracy below 0.90 is critical. `floor` of `[[rules]]` in modeltop.toml.",
    ]


@pytest.mark.parametrize(
    ("rule", "origin"),
    [
        (limit_rule("accuracy", below=0.9), "Given by --below or --above."),
        (next(rule for rule in default_rules() if rule.metric == "accuracy"), "A default rule: `[defaults]`"),
    ],
)
def test_the_origin_of_a_rule_is_named(make, rule, origin):
    state = make.state(make.series([0.95] * 30 + [0.5] * 3), rules=[rule])
    assert origin in " ".join(map(str.strip, rule_texts(state)))


def test_a_rule_that_passes_is_listed_with_its_result(make):
    first, *_ = rule_texts(make.state(make.healthy("ranker")))
    assert first == "● accuracy 0.950: ok, not below 0.90"


def test_of_many_rules_the_rest_is_counted(make):
    rules = [replace(make.floor_rule(0.8 - number / 100), name=f"r{number}") for number in range(5)]
    state = make.state(make.healthy("ranker"), rules=rules)
    lines = rule_texts(state, max_lines=5)
    assert lines[-1] == "  and 2 more rules"
    assert len(lines) == 5
    assert not any("more" in line for line in rule_texts(state, max_lines=6)), "only the first is described"


def test_a_rule_that_is_longer_than_the_room_ends_in_an_ellipsis(make):
    state = make.state(make.series([0.95] * 30 + [0.5] * 3), rules=default_rules())
    lines = rule_texts(state, 40, max_lines=3)
    assert (len(lines), lines[-1].strip()) == (3, "…")


def test_missing_data_is_found_by_a_rule_that_is_built_in(make):
    state = make.state(make.series([0.95] * 5), now=make.clock)
    lines = rule_texts(state)
    assert lines[0].startswith("○ unknown no rows for 5 days")
    assert "Rule: built in." in lines[1]


def test_without_a_series_there_is_nothing(make):
    assert rule_texts(replace(make.state(), selection=Selection("x"))) == []


@pytest.mark.parametrize("width", [20, 38, 76])
def test_no_line_is_too_wide(make, width):
    state = make.state(*make.ten_days(), rules=default_rules())
    assert all(display_width(line) <= width for line in rule_texts(state, width))
    assert state.selection.key == SeriesKey("fraud", state.selection.key.metric)
