"""Fresh rows, errors, and what is repainted."""

import asyncio
from dataclasses import replace

import pytest

import modeltop_tui.workers.poller
from modeltop.config.load import Config
from modeltop.core.errors import SourceError
from modeltop.history.files import file_stat
from modeltop.service.pipeline import Pipeline
from modeltop_tui.widgets.pane import Lines


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(modeltop_tui.workers.poller, "POLL_SECONDS", 0.01)


async def test_a_fresh_row_is_shown_and_the_cursor_stays_on_its_model(make, run):
    first = make.snapshot(*make.ten_days(), make.healthy("churn"), make.healthy("ranker"))
    worse = make.series([0.95] * 10 + [0.2], model="ranker")
    second = make.snapshot(*make.ten_days(), make.healthy("churn"), worse)
    async with run(first) as screen:
        await screen.press("down")
        screen.deliver(second)
        await screen.wait_for("▲2 critical")
        assert screen.selection.model == "churn"
        assert "▲ ranker" in screen.lines[5]


async def test_only_lines_that_changed_are_repainted(make, run, monkeypatch):
    first = make.snapshot(*make.ten_days(), make.healthy("churn"))
    refreshed = []
    async with run(first) as screen:
        monkeypatch.setattr(Lines, "refresh", lambda self, *areas, **_: refreshed.append((self, areas)))
        main_screen = screen.app.main_screen
        main_screen.show_state(
            replace(main_screen.screen_state, snapshot=make.snapshot(*make.ten_days(), make.healthy("churn")))
        )
        await screen.pilot.pause()
        assert refreshed == []
        main_screen.show_state(
            replace(
                main_screen.screen_state,
                snapshot=make.snapshot(*make.ten_days(), make.series([0.95] * 9 + [0.5], model="churn")),
            )
        )
        await screen.pilot.pause()
        assert {type(pane).__name__ for pane, _ in refreshed} == {"Header", "ModelsPane"}
        assert all(areas for _, areas in refreshed)


async def test_moving_to_the_next_model_repaints_two_of_its_lines(make, run, monkeypatch):
    models = [make.healthy(f"model-{number}") for number in range(6)]
    refreshed = []
    async with run(make.snapshot(*models)) as screen:
        pane = screen.app.main_screen.query_one("#models")
        monkeypatch.setattr(pane, "refresh", lambda *areas, **_: refreshed.extend(areas))
        await screen.press("down")
        assert [area.y for area in refreshed] == [1, 2]


async def test_idle_seconds_repaint_nothing(fleet, run, monkeypatch):
    refreshed = []
    async with run(fleet):
        monkeypatch.setattr(Lines, "refresh", lambda self, *_, **__: refreshed.append(self))
        await asyncio.sleep(2.2)
        assert refreshed == []


async def test_a_run_that_fails_is_reported_and_the_data_stays(make, fleet, run):
    async with run(fleet) as screen:
        screen.deliver(SourceError("metrics/ cannot be read: \x1b[2J"))
        await screen.wait_for("not read: metrics/ cannot be read")
        assert "▲ fraud" in screen.text
        screen.deliver(fleet)
        await screen.wait_for("data to 10 Jan, 3 m old")


async def test_a_first_run_that_fails_is_reported(run):
    async with run(SourceError("metrics/ cannot be read")) as screen:
        await screen.wait_for("not read: metrics/ cannot be read")


async def test_an_error_of_our_own_before_there_is_anything_to_show_ends_the_app(run):
    with pytest.raises(ZeroDivisionError):
        async with run(ZeroDivisionError("a bug")) as screen:
            await screen.pilot.pause(0.1)


async def test_while_files_are_read_their_number_is_shown(make, fleet):
    import threading

    from modeltop.cli.context import AppOptions
    from modeltop_tui.app import ModeltopApp
    from modeltop_tui.workers.poller import Poller

    go_on = threading.Event()

    class Slow:
        def needs_run(self):
            return False

        def run(self, _clock, progress=None):
            progress(12, 40)
            go_on.wait(10)
            return fleet

    app = ModeltopApp(Poller(Slow()), AppOptions())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause(0.05)
        lines = [strip.text for strip in app.screen._compositor.render_strips()]
        assert "loading 12/40 files" in lines[0]
        go_on.set()
        for _ in range(100):
            await pilot.pause(0.01)
            if app.main_screen.screen_state.snapshot is fleet:
                break
        assert app.main_screen.screen_state.selection.model == "fraud"


async def test_ten_thousand_models_are_no_slower_to_move_through_than_ten(make, run):
    lines = [make.series([0.95, 0.95], model=f"model-{number}") for number in range(10_000)]
    rendered = []
    async with run(make.snapshot(*lines, rules=[])) as screen:
        pane = screen.app.main_screen.query_one("#models")
        body = pane.body
        pane.body = lambda *size: (rendered.append(body(*size)), rendered[-1])[1]
        await screen.press("G")
        assert screen.selection.model == "model-9999"
        assert rendered[-1].count == 10_000
        assert "─○9994 above─" in screen.text


@pytest.mark.parametrize("frozen", [False, True], ids=["by itself", "by r where no time of the file shows it"])
async def test_a_value_that_was_written_over_in_place_is_shown(run, tmp_path, write_over, monkeypatch, frozen):
    path = tmp_path / "churn.csv"
    path.write_text("date,accuracy\n" + "".join(f"2025-01-{day:02},0.95\n" for day in range(1, 11)))
    if frozen:
        unchanged = file_stat(path)
        for module in ("tail", "reader"):
            monkeypatch.setattr(f"modeltop.history.{module}.file_stat", lambda _: unchanged)
    async with run(Pipeline(Config(), [path])) as screen:
        await screen.wait_for("0.950")
        write_over(path, b"01-10,0.95", b"01-10,0.42")
        if frozen:
            await screen.press("r")
        await screen.wait_for("0.420")
        await screen.wait_for("critical")


@pytest.mark.parametrize("bell", [True, False])
async def test_a_model_that_gets_a_problem_is_named_and_rings_once(make, run, monkeypatch, bell):
    first = make.snapshot(*make.ten_days(), make.healthy("churn"))
    second = make.snapshot(*make.ten_days(), make.series([0.95] * 9 + [0.5], model="churn"))
    async with run(first, bell=bell) as screen:
        rung = []
        monkeypatch.setattr(screen.app, "bell", lambda: rung.append("bell"))
        screen.deliver(second)
        await screen.wait_for("churn: ok → critical")
        assert "new" in next(line for line in screen.lines if "▲ churn" in line)
        screen.deliver(replace(second))
        await screen.pilot.pause(0.1)
        screen.deliver(first)
        await screen.wait_for("churn: critical → ok")
        assert rung == ["bell"] * bell


async def test_a_model_is_new_until_the_user_has_gone_to_it_and_left(make, run):
    first = make.snapshot(*make.ten_days(), make.healthy("churn"))
    second = make.snapshot(*make.ten_days(), make.series([0.95] * 9 + [0.5], model="churn"))
    async with run(first, size=(120, 36)) as screen:
        screen.deliver(second)
        await screen.wait_for("new: churn")
        await screen.press("up")
        assert (screen.selection.model, "new: churn" in screen.lines[0]) == ("churn", True)
        await screen.press("down")
        assert "new" not in screen.lines[0]


@pytest.mark.parametrize("key", ["d", "v"])
async def test_a_screen_about_a_model_closes_when_its_data_is_removed_and_says_so(make, run, key):
    first = make.snapshot(*make.ten_days(), make.series([0.95] * 9 + [0.5], model="churn"))
    async with run(first) as screen:
        await screen.press("down" if screen.selection.model == "churn" else "home")
        assert screen.selection.model == "fraud"
        await screen.press(key)
        assert screen.app.screen is not screen.app.main_screen
        screen.deliver(make.snapshot(make.series([0.95] * 9 + [0.5], model="churn")))
        await screen.wait_for("fraud: critical → not there")
        assert screen.app.screen is screen.app.main_screen
