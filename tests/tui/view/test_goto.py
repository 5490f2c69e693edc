"""What is typed after `:`."""

from dataclasses import replace

import pytest

from modeltop.core.series import SeriesKey
from modeltop_tui.view.goto import CommandWords, best_name, completions, hint, interpret, jump_targets
from modeltop_tui.view.state import ALL_TIME, ChartComparison, ScreenState, Selection, SortOrder, TimeWindow

DAY = 86_400.0
WORDS = CommandWords(
    {"note": "write a note", "periods": "periods as a table", "theme": "next theme", "pause": "pause or resume"},
    {"note": (), "theme": ("nord", "gruvbox")},
)

RANGES = "7d, 1y, 2025-06, 2025-W24, 2025-Q2, 2025-06-01.., 2025-06..2025-07"


@pytest.fixture
def named(make):
    german = make.series([0.9] * 10, model="fraud-detector", metric="recall", segment="country=DE")
    return make.state(*make.ten_days("fraud-detector"), german, make.healthy("triage"), make.healthy("rate-fraud"))


def position(selection):
    return selection.model, selection.key and (selection.key.metric, selection.key.segment)


def typed(state, text):
    return interpret(state, text, WORDS)


@pytest.mark.parametrize(
    ("words", "to"),
    [
        ("tri", ("triage", None)),
        ("fra", ("fraud-detector", None)),
        ("fra rec", ("fraud-detector", "recall")),
        ("fraud-detector f1", ("fraud-detector", "f1_score")),
        ("avg", ("fraud-detector", "avg_confidence")),
        ("rate", ("rate-fraud", None)),
        ("nothing", None),
        ("", None),
    ],
)
def test_parts_of_names_lead_to_the_best_match(named, words, to):
    result = next(iter(jump_targets(named, words.split())), None)
    assert (result and (result[0], result[1] and result[1].metric)) == to


@pytest.mark.parametrize(
    ("text", "to"),
    [
        ("fraud-detector DE recall", ("fraud-detector", ("recall", "country=DE"))),
        ("de rec", ("fraud-detector", ("recall", "country=DE"))),
        ("triage > accuracy", ("triage", ("accuracy", "all"))),
        ("RATE", ("rate-fraud", ("accuracy", "all"))),
        ("  triage   acc ", ("triage", ("accuracy", "all"))),
    ],
)
def test_several_words_name_model_metric_and_segment_in_any_case(named, text, to):
    assert position(typed(named, text).selection) == to


def test_a_metric_is_first_sought_in_the_selected_model(named):
    at_triage = replace(named, selection=typed(named, "triage").selection)
    assert position(typed(at_triage, "acc").selection)[0] == "triage"
    assert position(typed(named, "acc").selection)[0] == "fraud-detector"


def test_a_jump_to_a_model_that_a_filter_hides_clears_the_filter(named):
    hidden = replace(named, selection=replace(named.selection, filter="fraud", problems_only=True))
    to = typed(hidden, "triage").selection
    assert (to.model, to.filter, to.problems_only) == ("triage", "", False)
    assert typed(hidden, "fraud-detector").selection.filter == "fraud"


@pytest.mark.parametrize(
    ("text", "window"),
    [
        ("7d", TimeWindow(6 * DAY)),
        ("recall 3d", TimeWindow(2 * DAY)),
        ("2025-01", ALL_TIME),
        ("2025-01-04..", TimeWindow(6 * DAY)),
        ("fra 2025-01-02..2025-01-03", TimeWindow(DAY, 1_735_862_400.0)),
    ],
)
def test_a_range_is_shown_with_or_without_a_name(named, text, window):
    selection = typed(replace(named, selection=replace(named.selection, cursor=1.0)), text).selection
    assert (selection.time_window, selection.cursor) == (window, None)
    assert selection.model == "fraud-detector"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("zzz", "no match for zzz"),
        ("2025-13", f"invalid range 2025-13: {RANGES}"),
        (
            "2025-06..2025-01-01",
            f"2025-06..2025-01-01 ends before it starts: {RANGES}",
        ),
        ("2024-06-01T12:00", "fraud-detector has no data in 2024-06-01T12:00"),
        (
            "triage 2025-06..x",
            f"invalid range 2025-06..x: {RANGES}",
        ),
        ("7d 2025-01", "one range at a time"),
        ("2024-06", "fraud-detector has no data in 2024-06"),
        ("periods now", "periods has no argument"),
        ("sort", "sort by one of: worst, name, oldest"),
        ("sort up", "sort by one of: worst, name, oldest"),
        ("compare zzz", "no match for zzz"),
        ("compare recall triage", "triage has no recall"),
        ("compare accuracy triage", "nothing to compare accuracy with: triage has no segments"),
        ("compare recall", "nothing to compare recall with: fraud-detector is the only model with it"),
        (
            "compare 2025-13",
            f"invalid range 2025-13: {RANGES}",
        ),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line_and_nothing_changes(named, text, message):
    result = typed(named, text)
    assert (result.text, result.selection, result.action) == (message, None, None)


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("periods", ("periods", "")),
        ("note deployed v2 ", ("note", "deployed v2")),
        ("theme nord", ("theme", "nord")),
        ("peri", ("periods", "")),
        ("the nord", ("theme", "nord")),
    ],
)
def test_a_command_is_known_by_its_name_or_a_start_that_is_in_no_name(named, text, action):
    assert typed(named, text).action == action


def test_names_in_the_data_come_before_the_start_of_a_command_and_after_its_name(make):
    state = make.state(make.healthy("theme park"), make.healthy("paul"))
    assert typed(state, "pau").selection.model == "paul"
    assert typed(state, "p").selection.model == "paul"
    assert typed(state, "theme").action == ("theme", "")
    assert typed(state, "> theme").selection.model == "theme park"


def test_sort_by_name(named):
    assert typed(named, "sort name").selection.sort is SortOrder.NAME
    assert typed(named, "sort o").selection.sort is SortOrder.STALE


@pytest.mark.parametrize(
    ("text", "comparison", "key"),
    [
        ("compare acc", ChartComparison(), ("fraud-detector", "accuracy", "all")),
        ("compare acc triage rate", ChartComparison(("triage", "rate-fraud")), ("triage", "accuracy", "all")),
        (
            "compare acc rate fraud-d",
            ChartComparison(("rate-fraud", "fraud-detector")),
            ("fraud-detector", "accuracy", "all"),
        ),
        ("compare recall fraud-d", ChartComparison(by_segment=True), ("fraud-detector", "recall", "all")),
        ("comp acc", ChartComparison(), ("fraud-detector", "accuracy", "all")),
    ],
)
def test_one_metric_is_compared_over_all_or_some_models_or_the_segments_of_one(named, text, comparison, key):
    selection = typed(named, text).selection
    assert (selection.comparison, selection.key) == (comparison, SeriesKey(*key))


def test_compare_alone_takes_the_selected_metric_and_ends_a_comparison(named):
    at_triage = replace(named, selection=typed(named, "triage").selection)
    result = typed(at_triage, "compare")
    assert (result.text, result.selection.key) == ("accuracy of 3 models; Esc returns", SeriesKey("triage", "accuracy"))
    comparing = replace(named, selection=result.selection)
    assert typed(comparing, "compare").selection.comparison is None
    assert typed(comparing, "compare 3d").selection.time_window == TimeWindow(2 * DAY)


def test_the_hint_says_where_enter_goes_and_what_tab_completes(named):
    assert hint(named, "", WORDS) == "model, metric, segment, 7d, 2025-06.., or a command; Tab completes"
    assert hint(named, "tri", WORDS) == "→ triage  Tab: triage"
    assert hint(named, "triage", WORDS) == "→ triage"
    assert hint(named, "fra rec 3d", WORDS) == "→ fraud-detector > recall, 3d  and 2 more"
    assert hint(named, "zzz", WORDS) == "no match for zzz"
    assert hint(named, "note", WORDS) == "write a note"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("tri", ["triage"]),
        ("fr", ["fraud-detector", "rate-fraud"]),
        ("fraud-detector rec", ["fraud-detector recall", "fraud-detector precision"]),
        ("fraud-detector cou", ["fraud-detector country=DE"]),
        ("triage re", []),
        ("2", ["24h", "2025-01"]),
        ("theme g", ["theme gruvbox"]),
        ("sort ", ["sort worst", "sort name", "sort oldest"]),
        ("no", ["note"]),
        ("triage no", []),
        ("compare accuracy tr", ["compare accuracy triage"]),
        ("compare accuracy triage tr", []),
        ("comp", ["compare"]),
        ("periods x", []),
    ],
)
def test_the_last_word_is_completed_to_what_can_stand_there(named, text, lines):
    assert completions(named, text, WORDS) == lines


def test_before_anything_is_loaded_and_without_a_model_no_line_fails(make):
    for state in (ScreenState(), make.state()):
        for text in ("", "x", "7d", "compare", "compare x", "sort name", "note", "x 7d", "2025-13"):
            assert typed(state, text).selection in (None, Selection(sort=SortOrder.NAME))
            assert hint(state, text, WORDS) or not text
            assert isinstance(completions(state, text, WORDS), list)


def test_hostile_names_are_found_by_themselves_and_fail_nothing(make):
    state = make.state(*(make.series([0.9] * 3, model=text, metric=text, segment=text) for text in make.hostile))
    for text in make.hostile:
        for line in (text, f"compare {text}", f"{text} 7d", f"theme {text}"):
            assert hint(state, line, WORDS).isprintable()
            completions(state, line, WORDS)


def test_a_word_stands_for_the_name_that_starts_with_it_before_one_that_has_it_inside():
    assert best_name("b", ["ab", "bc", "b"]) == "b"
    assert best_name("b", ["ab", "bc"]) == "bc"
    assert best_name("z", ["ab"]) is None
