"""The app, driven by keys."""

import re
from dataclasses import replace

import pytest
from textual import events
from textual.actions import parse

from modeltop.alerting.fleet import shared_starts
from modeltop.cli.demo import GUIDE
from modeltop.core.diagnosis import Diagnosis, Verdict
from modeltop.core.series import Severity
from modeltop.core.text import display_width
from modeltop.rules.defaults import default_rules
from modeltop.service.pipeline import StateReader
from modeltop_tui.actions import ACTIONS
from modeltop_tui.app import ModeltopApp
from modeltop_tui.screens.diagnosis import DiagnosisScreen
from modeltop_tui.screens.help import HelpScreen
from modeltop_tui.screens.main import PROMPTS, MainScreen
from modeltop_tui.screens.periods import PeriodsScreen
from modeltop_tui.view import goto
from modeltop_tui.view.line_edit import MAX_LENGTH
from modeltop_tui.view.navigation import MOVES
from modeltop_tui.view.state import ALL_TIME
from modeltop_tui.view.styled_text import plain_text
from modeltop_tui.widgets import panes

SMALL = (60, 18)
SHARED = "3 models dropped on 9 Jan: look for a shared cause"


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_the_first_screen_is_as_designed(fleet, run, gold, size):
    async with run(fleet, size=size) as screen:
        gold(f"fleet_{size[0]}x{size[1]}", screen.lines)


@pytest.mark.parametrize("keys", ["1", "3", "4", "5"])
async def test_below_80x24_one_pane_is_shown_with_a_line_of_tabs(fleet, run, gold, keys):
    async with run(fleet, size=SMALL) as screen:
        await screen.press(keys)
        gold(f"fleet_60x18_pane_{keys}", screen.lines)


async def test_in_ascii_nothing_above_127_is_drawn(fleet, run, gold):
    async with run(fleet, ascii=True) as screen:
        gold("fleet_ascii", screen.lines)
        await screen.press("c", "m", "v")
        assert screen.text.isascii()


@pytest.mark.parametrize("size", [(40, 12), (60, 30), (80, 24), (79, 50), (100, 29), (101, 31), (300, 80)])
async def test_at_every_size_each_line_fills_the_screen_and_no_other(fleet, run, size):
    async with run(fleet, size=size) as screen:
        for key in "12345zz":
            await screen.press(key)
            assert [display_width(line) for line in screen.lines] == [size[0]] * size[1]
            assert screen.lines[-1].rstrip().endswith("q quit")


async def test_a_storm_of_sizes_ends_in_the_right_layout(fleet, run, gold):
    async with run(fleet) as screen:
        for size in [(40, 12), (300, 80), (90, 20), (81, 25), (80, 24)]:
            await screen.pilot.resize_terminal(*size)
        await screen.pilot.pause()
        gold("fleet_80x24", screen.lines)


@pytest.mark.parametrize(
    ("keys", "selected"),
    [
        pytest.param("down", ("churn", "accuracy"), id="down is the next model"),
        pytest.param("j j k", ("churn", "accuracy"), id="so are j and k"),
        pytest.param("left left", ("fraud", "precision"), id="left and right are metrics, from anywhere"),
        pytest.param("h l h", ("fraud", "recall"), id="so are h and l"),
        pytest.param("G", ("ranker", "accuracy"), id="the last"),
        pytest.param("end g", ("fraud", "f1_score"), id="the first"),
        pytest.param("2 g j", ("fraud", "precision"), id="in the table up and down are metrics"),
        pytest.param("4 j", ("fraud", "f1_score"), id="in the alerts they scroll"),
        pytest.param("3 j", ("churn", "accuracy"), id="before the chart they are models"),
        pytest.param("e", ("churn", "accuracy"), id="the next problem"),
        pytest.param("E", ("churn", "accuracy"), id="the previous one"),
        pytest.param("/ r a n enter", ("ranker", "accuracy"), id="a filter selects"),
        pytest.param(": r a n enter", ("ranker", "accuracy"), id="a jump"),
        pytest.param(": p r e c enter", ("fraud", "precision"), id="a jump to a metric"),
        pytest.param(": r a n escape", ("fraud", "f1_score"), id="a jump that is thought better of"),
        pytest.param("z j z", ("churn", "accuracy"), id="the keys work in the zoom"),
    ],
)
async def test_keys_select(fleet, run, keys, selected):
    async with run(fleet) as screen:
        await screen.press(*keys.replace(":", "colon").replace("/", "slash").split())
        assert (screen.selection.model, screen.selection.key.metric) == selected


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        pytest.param("k", "no further model", id="no further"),
        pytest.param("w", "w is not bound here; ? for keys", id="a key without a meaning"),
        pytest.param("!", "problems only: ! shows all models", id="problems only"),
        pytest.param("s", "models by name", id="sort"),
        pytest.param("m", "with precision, recall", id="overlay"),
        pytest.param("p", "paused (p resume, r refresh once)", id="pause"),
        pytest.param("p p", "resumed", id="and on"),
        pytest.param("r", "refreshing", id="refresh"),
        pytest.param("left_square_bracket", "full history; + zooms in", id="no range to move"),
        pytest.param("t", "theme: modeltop-light (start with --theme modeltop-light)", id="theme"),
        pytest.param("escape", "nothing to close; q quits", id="nothing to undo"),
        pytest.param("colon z z enter", "no match for zz", id="a jump to nowhere"),
        pytest.param("colon f r a enter", "→ fraud", id="a jump says where it led"),
        pytest.param("colon a c c enter", "→ fraud > accuracy", id="and not what else would match"),
        pytest.param("colon 2 0 2 4 minus 0 1 enter", "fraud has no data in 2024-01", id="a range without data"),
        pytest.param("colon c o m tab space a c c tab enter", "accuracy of 3 models; Esc returns", id="compare"),
        pytest.param(
            "colon c o m tab space a c c tab enter escape escape colon up enter m",
            "with confidence",
            id="and m after it",
        ),
    ],
)
async def test_what_a_key_did_is_shown_where_it_cannot_be_seen(fleet, run, keys, text):
    async with run(fleet) as screen:
        await screen.press(*keys.replace("!", "exclamation_mark").split())
        assert screen.status_line == text
        await screen.press("j")
        assert screen.status_line != text


async def test_escape_undoes_one_thing_after_the_other(fleet, run):
    async with run(fleet) as screen:
        await screen.press("slash", "a", "enter", "z", "c", "escape")
        assert screen.selection.cursor is None
        await screen.press("escape")
        assert "2 Metrics" in screen.text
        await screen.press("escape")
        assert screen.selection.filter == ""


async def test_the_filter_works_while_it_is_typed_and_escape_brings_all_back(fleet, run):
    async with run(fleet) as screen:
        await screen.press("down", "slash", "r", "a", "n")
        assert "1 Models: 1 of 3 /ran" in screen.text
        await screen.press("backspace", "backspace", "backspace", "q", "q")
        assert "/ qq  no match" in screen.status_line
        assert "▲ fraud" in screen.text, "no match keeps the view"
        await screen.press("escape")
        assert (screen.selection.model, screen.selection.filter) == ("churn", "")


async def test_a_filter_without_a_match_hides_no_model_and_says_so(fleet, run):
    async with run(fleet) as screen:
        await screen.press("down", "slash", *"crit", "enter")
        assert screen.status_line == 'no model matches "crit" (/ to edit, Esc to clear)'
        assert "▲ fraud" in screen.text
        assert screen.selection.model == "churn"
        await screen.press("slash")
        assert screen.status_line.startswith("/ crit"), "it can be edited"


@pytest.mark.parametrize(
    ("keys", "model"),
    [
        pytest.param("escape", "churn", id="the earlier selection"),
        pytest.param("down escape", "ranker", id="a model that was selected since stays"),
    ],
)
async def test_escape_after_a_filter_brings_the_earlier_selection_back(fleet, run, keys, model):
    async with run(fleet) as screen:
        await screen.press("down", "slash", *"ra", "enter")
        assert screen.selection.model == "fraud"
        await screen.press(*keys.split())
        assert (screen.selection.model, screen.selection.filter) == (model, "")


async def test_models_that_pass_by_while_a_filter_is_typed_are_still_new(fleet, run):
    async with run(fleet) as screen:
        main = screen.app.screen
        main.show_state(replace(main.screen_state, seen={}))
        await screen.press("slash", *"chu", "backspace", "backspace", "backspace")
        assert main.screen_state.seen == {}
        await screen.press("enter", "down")
        assert "fraud" in main.screen_state.seen


async def test_a_small_screen_has_the_verdict_below_a_list_that_is_too_long_for_it(run, make):
    models = [f"model-{number}" for number in range(30)]
    snapshot = make.state(*(series for model in models for series in make.ten_days(model))).snapshot
    async with run(snapshot, size=SMALL) as screen:
        assert "▲ f1_score 0.845 < 0.85" in screen.text
        assert "more critical below" in screen.text
        row = next(at for at, line in enumerate(screen.lines) if "▲ f1_score" in line)
        await screen.pilot.click(offset=(5, row))
        assert screen.selection.model == "model-0", "a click on the verdict selects nothing"


async def test_a_paste_is_typed_without_what_does_not_print(fleet, run):
    async with run(fleet) as screen:
        await screen.press("slash")
        screen.app.post_message(events.Paste("ra\x1b[2Jn\nsecond line"))
        await screen.pilot.pause()
        assert screen.status_line.startswith("/ ra[2Jn ")


async def test_zoom_gives_the_chart_the_screen_and_takes_it_back(fleet, run, gold):
    async with run(fleet) as screen:
        before = screen.lines
        await screen.press("z")
        gold("fleet_zoom", screen.lines)
        await screen.press("z", "1")
        assert screen.lines == before


async def test_zoom_takes_the_pane_that_was_chosen(fleet, run):
    async with run(fleet) as screen:
        await screen.press("4", "z")
        assert screen.lines[4].startswith("┌4 Alerts")
        assert "▲ accuracy 0.870 < 0.90" in screen.lines[5]


async def test_the_cursor_reads_out_and_moves(fleet, run):
    async with run(fleet) as screen:
        await screen.press("c", "left", "left")
        assert "8 Jan  0.880  n ?" in screen.text
        await screen.press("up")
        assert "8 Jan" in screen.text


async def test_the_table_of_periods_opens_moves_and_closes(fleet, run, gold):
    async with run(fleet) as screen:
        await screen.press("v", "down", "down", "enter")
        gold("fleet_periods", screen.lines)
        await screen.press("G")
        assert "10 of 10" in screen.text
        await screen.press("right")
        assert "fraud: confidence, 10 days" in screen.text
        await screen.press("v")
        assert "1 Models" in screen.text


async def test_periods_are_filtered_while_one_types_and_escape_shows_all_again(fleet, run):
    async with run(fleet) as screen:
        await screen.press("v", "slash", *"crit", "enter")
        assert 'f1_score, 1 day with "crit"' in screen.text
        await screen.press("slash", "z")
        assert "no match" in screen.status_line
        assert "f1_score, 10 days" in screen.lines[0], "not those of the words before"
        await screen.press("enter")
        assert screen.status_line == 'no period matches "critz" (/ to edit, Esc to clear)'
        await screen.press("slash", "z", "escape", "enter", "left")
        assert "10 days" in screen.lines[0]
        await screen.press("slash", "2", "enter", "escape", "escape")
        assert "1 Models" in screen.text


@pytest.mark.parametrize(("size", "shown"), [((80, 24), SHARED), ((60, 18), SHARED), ((40, 12), SHARED[:25])])
async def test_models_that_dropped_on_one_day_are_one_line_below_the_first(make, run, size, shown):
    fallen = [make.series([0.95] * 8 + [0.8] * 2, model=f"m{number}") for number in range(3)]
    before = make.snapshot(*fallen, make.healthy("ranker"))
    shared = shared_starts(before.incidents, before.history, before.clock)
    async with run(replace(before, shared_starts=shared), size) as screen:
        assert screen.lines[1].rstrip() == shown
        screen.deliver(before)
        await screen.press("r")
        await screen.wait_for("shared cause", gone=True)
        assert "m0" in screen.text


async def test_enter_on_an_alert_opens_its_chart_its_rule_and_its_periods(fleet, run, gold):
    async with run(fleet) as screen:
        await screen.press("0", "4", "enter")
        gold("fleet_alert", screen.lines)
        assert screen.selection.key.metric == "accuracy"
        await screen.press("enter")
        assert "also" in screen.text
        await screen.press("q")
        assert screen.selection.time_window == ALL_TIME, "the range of the panes stays"


async def test_enter_on_a_rule_that_passes_opens_its_series_and_elsewhere_the_evidence(make, run):
    lines = [make.healthy("ranker"), make.healthy("ranker", metric="f1_score")]
    async with run(make.snapshot(*lines)) as screen:
        await screen.press("4", "down", "enter")
        assert screen.lines[0].startswith("┌ranker: f1_score, 10 days")
        await screen.press("q", "2", "enter")
        assert "ranker: diagnosis" in screen.lines[0]


@pytest.mark.parametrize(("size", "has_chart"), [((60, 18), True), ((40, 12), False)])
async def test_on_a_small_screen_an_alert_opens_as_far_as_there_is_room(fleet, run, size, has_chart):
    async with run(fleet, size) as screen:
        await screen.press("4", "enter")
        assert "▲ critical accuracy" in screen.text
        assert "10 Jan" in screen.text
        assert ("┤" in "".join(line.strip("│") for line in screen.lines[1:7])) is has_chart


@pytest.mark.parametrize("size", [SMALL, (40, 12)])
@pytest.mark.parametrize("pane", "12345")
async def test_on_a_small_screen_what_happened_why_and_what_to_do_is_in_each_pane(fleet, run, size, pane):
    verdict = Verdict("Accuracy fell overnight, 0.96→0.87.", "Likely data drift.", "Check what shipped on 9 Jan.")

    def diagnose(_, model):
        return Diagnosis(model, Severity.CRITICAL, None, verdict, None, (), ())

    async with run(fleet, size, diagnose=diagnose) as screen:
        await screen.press(pane)
        shown = " ".join(" ".join(line.strip("│ ") for line in screen.lines).split())
        assert f"▲ {verdict.what}" in shown
        is_low_chart = (pane, size) == ("3", (40, 12))
        assert is_low_chart or f"{verdict.what} Why {verdict.why} Do {verdict.do}" in shown


async def test_of_twenty_models_on_a_small_screen_the_verdict_is_one_key_away(make, run):
    lines = [make.series([0.95] * 8 + [0.8] * 2, model=f"m{number:02}") for number in range(20)]
    async with run(make.snapshot(*lines), SMALL) as screen:
        await screen.press("down", "enter")
        assert "m01: diagnosis" in screen.lines[0]
        assert "CRITICAL: accuracy 0.800 < 0.90" in screen.text


@pytest.mark.parametrize("node", [ModeltopApp, MainScreen, PeriodsScreen, DiagnosisScreen, HelpScreen])
def test_every_binding_names_an_action_that_exists(node):
    names = {"perform": ACTIONS, "move": MOVES, "prompt": PROMPTS}
    for _, binding in node._merge_bindings():
        namespace, action, arguments = parse(binding.action)
        owner = ModeltopApp if namespace == "app" else node
        assert callable(getattr(owner, f"action_{action}", None)), binding.action
        assert not arguments or arguments[0] in names.get(action, arguments), binding.action


async def test_a_click_selects_and_brings_its_pane_forward(fleet, run):
    async with run(fleet) as screen:
        await screen.pilot.click("#metrics", offset=(5, 3))
        assert screen.selection.key.metric == "precision"
        assert screen.app.main_screen.focused_pane.NUMBER == 2
        await screen.pilot.click("#models", offset=(5, 2))
        assert screen.selection.model == "churn"
        await screen.pilot.click("#models", offset=(5, 1))
        await screen.pilot.click("#alerts", offset=(5, 1))
        assert (screen.selection.model, screen.selection.key.metric) == ("fraud", "accuracy")
        assert screen.app.main_screen.focused_pane.NUMBER == 4


async def test_a_pane_that_was_out_of_sight_is_up_to_date_when_it_comes_back(fleet, run):
    async with run(fleet, size=SMALL) as screen:
        await screen.press("2", "1", "G", "2")
        assert "accuracy" in screen.lines[4]
        assert "f1_score" not in screen.text


@pytest.mark.parametrize("key", ["q", "ctrl+c", "ctrl+q"])
async def test_it_can_be_left(fleet, run, key):
    async with run(fleet) as screen:
        await screen.pilot.press(key)
        assert screen.app._exit


async def test_a_line_feed_is_enter_as_a_terminal_makes_one_of_what_is_typed_ahead(fleet, run):
    async with run(fleet) as screen:
        await screen.press("ctrl+j")
        assert "fraud: diagnosis" in screen.text


@pytest.mark.parametrize(
    ("words", "shown"), [("churn", "Metrics of churn"), ("fraud recall", "recall, 10 days"), ("x", "no match for x")]
)
async def test_the_app_starts_at_what_the_command_line_names(make, fleet, run, words, shown):
    async with run(fleet, goto=words) as screen:
        assert shown in screen.text


async def test_keys_that_come_in_faster_than_they_are_handled_have_one_hint(fleet, run, monkeypatch):
    lines = []
    monkeypatch.setattr(goto, "hint", lambda _, typed, __: lines.append(typed) or "a hint")
    async with run(fleet) as screen:
        await screen.press("colon")
        for _ in range(3000):
            screen.app.post_message(events.Key("x", "x"))
        await screen.settle()
        assert "a hint" in screen.status_line
        assert lines == ["", "x" * MAX_LENGTH]


async def test_a_filter_that_is_typed_and_entered_at_once_applies(fleet, run):
    async with run(fleet) as screen:
        await screen.press("slash")
        for key in (*"chur", "enter"):
            screen.app.post_message(events.Key(key, key if len(key) == 1 else None))
        await screen.settle()
        assert (screen.selection.filter, screen.selection.model) == ("chur", "churn")


async def test_one_model_has_no_list_of_one_and_three_charts_side_by_side(make, run, gold):
    async with run(make.snapshot(*make.ten_days())) as screen:
        gold("ten_days_80x24", screen.lines)
        await screen.press("down")
        assert screen.selection.key.metric == "avg_confidence"


async def test_a_forecast_stands_beside_the_number_of_alerts_below_the_last_line(make, run, monkeypatch):
    monkeypatch.setattr(panes, "forecast_text", lambda _: "0.80 by about 17 Jan")
    async with run(make.snapshot(*make.ten_days(), rules=default_rules())) as screen:
        assert re.search(r"more not evaluated · 0.80 by about 17 Jan┘", screen.lines[-2])


async def test_what_one_model_hides_is_shown_zoomed_and_esc_goes_back(make, run):
    async with run(make.snapshot(*make.ten_days())) as screen:
        before = screen.lines
        await screen.press("5")
        assert screen.lines[4].startswith("┌5 Changes of f1_score")
        await screen.press("escape", "2")
        assert screen.lines == before
        await screen.press("tab", "tab", "tab")
        assert screen.app.main_screen.focused_pane.NUMBER == 2


async def test_f_draws_one_metric_and_all_again(fleet, run):
    async with run(fleet, size=(120, 36)) as screen:
        assert "3 All metrics, 10 days" in screen.text
        await screen.press("f")
        assert "3 f1_score, 10 days" in screen.text
        await screen.press("f")
        assert "3 All metrics, 10 days" in screen.text


async def test_m_draws_the_family_large_and_f_all_metrics_again(fleet, run):
    async with run(fleet, size=(120, 36)) as screen:
        await screen.press("m")
        assert "3 1 F1 2 prec 3 rec, 10 days" in screen.text
        await screen.press("f")
        assert "3 All metrics, 10 days" in screen.text
        await screen.press("f", "m", "m")
        assert "3 f1_score, 10 days" in screen.text


async def test_enter_gives_each_folded_alert_a_line(make, run):
    drops = {"accuracy": 0.2, "precision": 0.2, "recall": 0.2, "f1_score": 0.2}
    fallen = [make.series([0.95, 0.94] * 30 + [0.95 - drop] * 4, metric=name) for name, drop in drops.items()]
    snapshot = make.snapshot(*fallen, make.healthy("ranker"), rules=default_rules())
    async with run(snapshot) as screen:
        await screen.press("4")
        assert "4 metrics below baseline" in screen.text
        while "4 metrics below" not in plain_text(cursor_line(screen)):
            await screen.press("down")
        await screen.press("enter")
        assert "4 metrics below baseline" not in screen.text
        assert "accuracy below baseline" in screen.text


def cursor_line(screen):
    pane = screen.app.main_screen.focused_pane
    return pane._entries[pane.cursor_row].lines[0]


async def test_home_end_and_shift_move_the_cursor_and_the_models_without_one(make, run):
    models = [make.series([0.95] * 40, model=name) for name in ("churn", "ranker")]
    async with run(make.snapshot(*models)) as screen:
        day = make.day.total_seconds()
        await screen.press("c", "home")
        assert screen.selection.cursor == make.start.timestamp()
        await screen.press("shift+right")
        assert screen.selection.cursor == make.start.timestamp() + 10 * day
        await screen.press("shift+left", "end")
        assert screen.selection.cursor == make.start.timestamp() + 39 * day
        await screen.press("c", "home", "end")
        assert (screen.selection.model, screen.selection.cursor) == ("ranker", None)


async def test_after_a_change_of_theme_the_screen_is_that_of_a_start_with_it(fleet, run):
    async with run(fleet) as screen:
        await screen.press("t")
        theme = screen.app.theme
        switched = [list(strip) for strip in screen.app.screen._compositor.render_strips()][:-1]
    async with run(fleet, theme=theme) as screen:
        assert [list(strip) for strip in screen.app.screen._compositor.render_strips()][:-1] == switched


async def test_enter_with_a_cursor_opens_the_period_there(fleet, run):
    async with run(fleet) as screen:
        await screen.press("c", "left", "left", "enter")
        assert isinstance(screen.app.screen, PeriodsScreen)
        assert screen.app.screen.pane.cursor_row == 2
        row = next(at for at, line in enumerate(screen.lines) if "8 Jan" in line)
        assert "also" in screen.lines[row + 1], "the period is open: its other metrics are below"
        await screen.press("q", "c", "enter")
        assert isinstance(screen.app.screen, DiagnosisScreen)


async def test_what_of_the_read_out_does_not_fit_below_the_chart_is_in_the_last_line(make, run):
    line = make.series([0.95] * 20 + [0.85], support=[900] * 21)
    async with run(make.snapshot(line, make.healthy("other"))) as screen:
        await screen.press("c", "left", "right")
        assert screen.status_line.startswith("21 Jan  0.850 [0.825, 0.872]  n 900 ▲")
        assert screen.status_line.endswith("base -0.100")
        assert "n 900 ▲─" in screen.text
    async with run(make.snapshot(line, make.healthy("other")), size=(160, 40)) as screen:
        await screen.press("f", "c", "left", "right")
        assert "base -0.100" in screen.text
        assert not screen.status_line.startswith("21 Jan"), "it is not said twice"


async def test_escape_ends_a_comparison_before_it_undoes_the_zoom(fleet, run):
    async with run(fleet) as screen:
        await screen.press("3", "z", "colon", *"compare", "space", *"accuracy", "enter")
        assert "accuracy, 3 models, 10 days" in screen.text
        assert "1 fraud" in screen.text
        await screen.press("down")
        assert "1 churn" in screen.text
        await screen.press("escape")
        assert screen.selection.comparison is None
        assert "2 Metrics" not in screen.text


@pytest.mark.parametrize("line", ["compare accuracy", "2025-01-02..2025-01-04"])
async def test_on_a_small_screen_a_comparison_or_a_range_brings_the_chart_forward(fleet, run, line):
    async with run(fleet, size=SMALL) as screen:
        assert screen.app.main_screen.focused_pane.NUMBER == 1
        await screen.press("colon", *("space" if char == " " else char for char in line), "enter")
        assert screen.app.main_screen.focused_pane.NUMBER == 3
        await screen.press("1", "colon", *"churn", "enter")
        assert screen.app.main_screen.focused_pane.NUMBER == 1


@pytest.mark.parametrize("opening", ["periods", "diagnosis", "silence", "help"])
async def test_a_key_that_comes_before_its_screen_is_composed_does_no_harm(fleet, run, tmp_path, opening):
    async with run(fleet, guide=GUIDE, state_reader=StateReader(tmp_path / "log")) as screen:
        app = screen.app
        for key in ("up", "pagedown", "x", "down"):
            app.action_perform(opening)
            event = events.Key(key, key if len(key) == 1 else None)
            app.on_key(event)
            app.main_screen.on_key(event)
            app.screen.on_key(event)
            app.screen.action_step(-1)
            app.screen.action_page(1)
            await screen.press("escape", "escape")
            assert app.screen is app.main_screen


async def test_keys_move_nothing_where_no_period_is_listed(make, fleet, run):
    async with run(fleet) as screen:
        await screen.press("v", "down", "down", "slash", *"critical", "enter")
        await screen.press("h", "h", "h", "h", "l", "l", "l", "l", "l")
        assert "no period matches" in screen.text
        await screen.press("down", "up", "pageup", "pagedown", "home", "end", "enter")
        assert "no period matches" in screen.text
