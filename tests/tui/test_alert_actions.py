"""Acknowledging, silencing and noting by keys, on a real event log."""

import fcntl
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from modeltop.alerting import actions
from modeltop.alerting.event_log.event_log import EventLog, author
from modeltop.core.event import SilenceCreated
from modeltop.core.incident import Matchers, Silence
from modeltop.service.pipeline import StateReader
from modeltop_tui.alert_actions import target_alert


@pytest.fixture
def state_reader(tmp_path):
    return StateReader(tmp_path / "state")


@pytest.fixture
def event_log(tmp_path):
    """The event log as another process writes it."""
    return EventLog(tmp_path / "state")


def acknowledge_as(event_log, by, snapshot, reason="mine"):
    incident = snapshot.incidents[0]
    given = {"by": by, "reason": reason, "now": datetime.now(UTC), "duration": timedelta(hours=1)}
    event_log.update(lambda facts: actions.acknowledge(facts, incident, snapshot.alerts, **given))


async def test_a_takes_the_alert_with_a_reason_and_a_again_gives_it_back(fleet, run, state_reader, event_log):
    async with run(fleet, state_reader=state_reader) as screen:
        await screen.press("a")
        assert screen.status_line == "Acknowledge fraud. Reason:   (Enter to confirm, Esc to cancel)"
        await screen.press(*"on it", "enter")
        await screen.wait_for("fraud acknowledged until")
        await screen.wait_for(f"✓ acked by {author()}")
        (ack,) = event_log.state().acks
        assert (ack.by, ack.reason, ack.model) == (author(), "on it", "fraud")
        assert ack.until - ack.at == timedelta(hours=24)
        await screen.press("a")
        assert "Un-acknowledge fraud?" in screen.status_line
        await screen.press("enter")
        await screen.wait_for("un-acknowledged: fraud")
        assert event_log.state().acks == ()


async def test_escape_takes_nothing(fleet, run, state_reader, tmp_path):
    async with run(fleet, state_reader=state_reader) as screen:
        await screen.press("a", *"hm", "escape", "a", "escape")
        assert not (tmp_path / "state").exists()


async def test_of_two_people_the_second_is_told_who_was_first_and_why(fleet, run, state_reader, event_log):
    async with run(fleet, size=(120, 36), state_reader=state_reader) as screen:
        await screen.press("a", *"me too")
        acknowledge_as(event_log, "ana", fleet, "looking")
        await screen.press("enter")
        await screen.wait_for("acknowledged by ana at")
        assert screen.status_line.endswith(": looking")
        await screen.wait_for("✓ acked by ana")
        await screen.press("a")
        assert f"to undo: `modeltop unack {fleet.alerts[0].id}`" in screen.status_line
        assert [ack.by for ack in event_log.state().acks] == ["ana"]


async def test_in_the_alerts_the_key_is_about_the_one_under_the_cursor(fleet, run, state_reader, event_log):
    async with run(fleet, size=(120, 36), state_reader=state_reader) as screen:
        await screen.press("4")
        assert target_alert(screen.app.main_screen).key.metric == "accuracy"
        await screen.press("a", "enter")
        await screen.wait_for("fraud acknowledged until")
        assert event_log.state().acks[0].model == "fraud"
        assert screen.selection.key.metric == "f1_score"


async def test_the_cursor_stays_on_its_alert_when_the_order_changes(make, fleet, run, state_reader):
    async with run(fleet, size=(120, 36), state_reader=state_reader) as screen:
        await screen.press("4", "G")
        before = target_alert(screen.app.main_screen)
        worse = make.series([0.95] * 8 + [0.91, 0.5], model="ranker")
        warned = make.series([0.95] * 8 + [0.91, 0.91], model="churn")
        screen.deliver(make.snapshot(*make.ten_days(), warned, worse, rules=fleet.rules))
        await screen.wait_for("▲ ranker")
        assert (target_alert(screen.app.main_screen).rule, target_alert(screen.app.main_screen).key) == (
            before.rule,
            before.key,
        )


async def test_what_is_no_alert_cannot_be_taken(make, run, state_reader):
    async with run(make.snapshot(make.healthy("ranker")), state_reader=state_reader) as screen:
        await screen.press("a")
        assert screen.status_line == "no active alert here; e: next problem"


async def test_an_alert_that_ended_while_the_reason_was_typed_is_not_taken(make, fleet, run, state_reader, event_log):
    async with run(fleet, state_reader=state_reader) as screen:
        await screen.press("a", *"on it")
        screen.deliver(make.snapshot(make.healthy("fraud"), make.healthy("churn")))
        await screen.wait_for("2 models: ●2 ok")
        await screen.press("enter")
        assert "fraud has resolved meanwhile" in screen.status_line
        assert event_log.state().acks == ()


@pytest.mark.parametrize("keys", [["a"], ["N"], ["S"]])
async def test_without_a_place_to_keep_it_nothing_is_asked(fleet, run, keys):
    async with run(fleet, state_reader=StateReader(error="no home folder is known")) as screen:
        await screen.press(*keys)
        assert screen.status_line == "nothing can be saved: no home folder is known"


async def test_a_state_that_cannot_be_written_refuses_with_the_reason(fleet, run, state_reader, tmp_path):
    (tmp_path / "state").write_text("a file in the way")
    async with run(fleet, size=(200, 36), state_reader=state_reader) as screen:
        await screen.press("a", "enter")
        await screen.wait_for("not saved: ")
        assert str(tmp_path / "state") in screen.status_line
        await screen.press("S", *"why", "enter")
        await screen.wait_for("not saved: ")
        assert "Silence" in screen.text
        assert "✓" not in screen.text


async def test_while_another_process_holds_the_lock_the_screen_goes_on(fleet, run, state_reader, event_log):
    event_log.update(lambda _: actions.add_note("*", "so that the folder is there", by="ana", now=datetime.now(UTC)))
    lock = os.open(event_log.folder / ".lock", os.O_RDWR)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        async with run(fleet, state_reader=state_reader) as screen:
            await screen.press("a", "enter")
            assert screen.status_line == "saving"
            await screen.press("down")
            assert screen.selection.model == "churn"
            assert event_log.state().acks == ()
            fcntl.flock(lock, fcntl.LOCK_UN)
            await screen.wait_for("acknowledged until")
    finally:
        os.close(lock)


async def test_a_silence_is_on_the_disk_before_the_screen_says_so(fleet, run, state_reader, event_log):
    async with run(fleet, state_reader=state_reader) as screen:
        await screen.press("S")
        assert "silences 2 of 3 active alerts until" in screen.text
        await screen.press("enter")
        assert "not saved: reason required" in screen.text
        await screen.press(*"release")
        assert screen.status_line == "↑↓ field", "letters are text, not keys without an effect"
        await screen.press("enter")
        await screen.wait_for("silenced until")
        (silence,) = event_log.state().silences
        assert silence.matchers == Matchers("fraud")
        assert (silence.by, silence.reason, silence.end - silence.start) == (author(), "release", timedelta(hours=1))
        await screen.wait_for(f"× silenced by {author()} until")


async def test_what_would_silence_everything_or_more_than_half_is_shown_before_it_is_saved(
    fleet, run, state_reader, event_log
):
    async with run(fleet, state_reader=state_reader) as screen:
        await screen.press("S", *"all", "tab", *["ctrl+u", "tab"] * 4, "enter")
        await screen.pilot.pause()
        assert "silences 3 of 3 active alerts" in screen.text
        assert "not saved: the silence would match everything" in screen.text
        assert "more than half" in screen.text
        assert event_log.state().silences == ()


async def test_a_silence_can_be_ended_and_stays_listed(fleet, run, state_reader, event_log):
    async with run(fleet, state_reader=state_reader) as screen:
        await screen.press("S", *"release", "enter")
        await screen.wait_for("silenced until")
        await screen.wait_for("× silenced")
        await screen.press("S", "down", "x")
        await screen.wait_for(": ended ")
        assert event_log.state().silences[0].end <= datetime.now(UTC)
        await screen.press("escape")
        await screen.wait_for("1 Models")
        assert "× silenced" not in screen.text


async def test_letters_typed_at_once_behind_the_key_are_typed_into_the_form(fleet, run, state_reader):
    from textual import events

    async with run(fleet, state_reader=state_reader) as screen:
        for key in "Sqrep?":
            screen.app.post_message(events.Key(key, key))
        await screen.wait_for("why      qrep?")
        screen.app.screen.post_message(events.Paste(" and\x1b[2J more\nlines"))
        await screen.wait_for("qrep? and[2J more")
        assert screen.app.is_running


@pytest.mark.parametrize(("size", "ascii_only"), [((60, 18), False), ((80, 24), False), ((120, 36), True)])
async def test_the_form_fills_the_screen_at_every_size(fleet, run, state_reader, size, ascii_only):
    async with run(fleet, size=size, state_reader=state_reader, ascii=ascii_only) as screen:
        await screen.press("4", "S", *"less", "ctrl+u", *"more")
        assert len(screen.lines) == size[1]
        assert all(len(line) == size[0] for line in screen.lines)
        assert "why      more" in screen.text
        assert screen.text.isascii() or not ascii_only
        await screen.press("ctrl+c")
        assert screen.app._exit


async def test_a_click_gives_a_field_the_keys(fleet, run, state_reader):
    async with run(fleet, state_reader=state_reader) as screen:
        await screen.press("S")
        await screen.pilot.click("SilencePane", offset=(20, 6))
        await screen.press("ctrl+u", *"2d")
        assert "> for      2d" in screen.text


async def test_a_note_stands_among_the_alerts_of_its_model(make, run, state_reader, event_log):
    async with run(make.snapshot(make.healthy("[eu] churn*")), size=(120, 36), state_reader=state_reader) as screen:
        await screen.press("N", "enter")
        assert screen.status_line == "nothing to note"
        await screen.press("N", *"release 2.3", "enter")
        await screen.wait_for("note added to [eu] churn*")
        await screen.wait_for(f"{author()}: release 2.3")
        assert event_log.state().notes[0].model == "[[]eu] churn[*]"


async def test_hostile_reasons_and_authors_are_only_text(make, fleet, run, state_reader, event_log):
    for at, text in enumerate(make.hostile):
        now = datetime.now(UTC)
        event_log.update(
            lambda _, text=text, now=now: actions.add_note("fraud", f"x{text[:400]}", by=text[:60], now=now)
        )
        matchers = Matchers(model=f"a{at}{text[:100]}", rule=text[:100])
        event_log.append(
            SilenceCreated(now, Silence(str(at), matchers, now, now + timedelta(hours=1), text, text, now))
        )
    acknowledge_as(event_log, make.hostile[0], fleet, make.hostile[1])
    async with run(fleet, size=(100, 30), state_reader=state_reader) as screen:
        await screen.wait_for("\\x1b]52;c;ZWNobyBwd25lZ")
        for keys in ("4", "z", "G", "a", "S", "down", "up", "up", "escape"):
            await screen.press(keys)
            assert screen.text.replace("\n", "").isprintable()


async def test_another_model_starts_at_its_worst_alert_however_far_the_pane_was_scrolled(fleet, run):
    noted = replace(fleet, notices=[f"notice {number}" for number in range(9)])
    async with run(noted, size=(80, 24)) as screen:
        pane = screen.app.query_one("AlertsPane")
        await screen.press("4", *["pagedown"] * 4)
        assert pane.top > 0
        await screen.press("1", "down", "down")
        assert pane.top == 0
