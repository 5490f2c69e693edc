"""What a person does about alerts: acknowledge, silence, note. Kept in a thread: a disk is slow, a lock may be held.

Imported with the first key that asks for it, never on the way to the first frame.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from modeltop.alerting import actions
from modeltop.alerting.actions import author
from modeltop.core.errors import MonitorError, UsageError
from modeltop.core.incident import Ack, Facts
from modeltop.core.series import Episode, State
from modeltop.core.text import safe
from modeltop.report.phrases import moment, taken
from modeltop_tui.view.acknowledgements import ack_of, selected_alert
from modeltop_tui.view.metrics import label
from modeltop_tui.view.silence_form import exactly
from modeltop_tui.view.state import board
from modeltop_tui.widgets.header_footer import Question
from modeltop_tui.widgets.panes import AlertsPane

if TYPE_CHECKING:
    from datetime import datetime

    from modeltop.core.event import Event
    from modeltop_tui.app import ModeltopApp

KEEPING = "keeping it"

Decide = Callable[[Facts, "datetime"], Sequence["Event"]]
"""From the newest facts and the moment to what is kept. Raises UsageError."""


def keep(app: ModeltopApp, decide: Decide, told: Callable[[str | None], None]) -> None:
    """Keep what is decided, and only then say so.

    Args:
        app: Whose journal it is.
        decide: Called in another thread.
        told: Called on the screen's thread with None, or with the reason where nothing was kept.
    """
    journal = app.feed.journal
    if journal is None:
        told(nowhere(app))
        return

    def run() -> None:
        refused: str | None = None
        try:
            journal.act(lambda facts: decide(facts, journal.moment(facts)))
        except UsageError as error:
            refused = str(error)
        except MonitorError as error:
            refused = f"not kept: {error}"
        except Exception as error:  # noqa: BLE001  a person must hear that nothing was kept, whatever the reason
            refused = f"not kept: {type(error).__name__}: {error}"
        app.feed.look()  # what was kept, or who was first
        app.settle(lambda: told(refused))

    # A daemon: leaving the app never waits for somebody else's lock. What was not told may not have been kept.
    threading.Thread(target=run, name="modeltop keeping", daemon=True).start()


def nowhere(app: ModeltopApp) -> str:
    """Said where nothing can be kept."""
    return f"nothing can be kept: {app.feed.nowhere}"


def meant(app: ModeltopApp) -> Episode | None:
    """The alert under the cursor of the alerts, while they have the keys; else the one of the selection."""
    pane = app.desk.front
    return pane.chosen if isinstance(pane, AlertsPane) else selected_alert(app.desk.scene)


def take(app: ModeltopApp) -> None:
    """Acknowledge the alert that is meant; one's own is given back, another's is named."""
    alert, status = meant(app), app.desk.status
    if alert is None or app.desk.scene.snapshot is None:
        status.say("no alert stands here: e goes to the next problem")
    elif alert.state is State.PENDING:
        status.say("it is pending: nobody is told yet, so there is nothing to acknowledge")
    elif app.feed.journal is None:
        status.say(nowhere(app))
    elif (held := ack_of(app.desk.scene, alert)) is None:
        status.ask(_taking(app, alert))
    elif held.by == author():
        status.ask(_giving_back(app, alert, held))
    else:
        status.say(f"{taken(held, app.now())}; `modeltop unack {alert.id}` gives it back")


def name_of(app: ModeltopApp, alert: Episode) -> str:
    """The alert in a few words; with its model where another is selected."""
    name = safe(alert.rule if alert.key.metric == "*" else label(alert.key), 24)
    return name if alert.key.model == app.desk.scene.view.model else f"{safe(alert.key.model, 16)} {name}"


def _taking(app: ModeltopApp, alert: Episode) -> Question:
    name, by = name_of(app, alert), author()

    def kept(why: str) -> None:
        if not stands(app, alert):
            app.desk.status.say(f"{name} is over meanwhile: nothing to acknowledge")
            return
        lasting = app.feed.ack_for
        app.desk.status.say(KEEPING)
        keep(
            app,
            lambda facts, now: actions.take(facts, alert, by=by, why=why.strip(), now=now, lasting=lasting),
            lambda refused: app.desk.status.say(
                refused or f"you have {name} until {moment(app.now() + lasting, app.now())} UTC; a gives it back"
            ),
        )

    return Question(f"acknowledge {name}, why?", "", lambda _: "enter takes it, esc leaves it", kept)


def stands(app: ModeltopApp, alert: Episode) -> bool:
    """Whether the alert still stands, by the last look."""
    snapshot = app.desk.scene.snapshot
    name = (alert.rule, alert.key)
    return snapshot is not None and any(one.stands and (one.rule, one.key) == name for one in board(snapshot).open)


def _giving_back(app: ModeltopApp, alert: Episode, held: Ack) -> Question:
    name, by = name_of(app, alert), author()

    def kept(_: str) -> None:
        app.desk.status.say(KEEPING)
        keep(
            app,
            lambda facts, now: actions.give_back(facts, held, by=by, now=now),
            lambda refused: app.desk.status.say(refused or f"given back: nobody has {name}"),
        )

    return Question(f"you have {name}: give it back?", "", lambda _: "enter gives it back, esc keeps it", kept)


def note(app: ModeltopApp) -> None:
    """Write down what is known about the selected model."""
    model, status = app.desk.scene.view.model, app.desk.status
    if model is None:
        status.say("no model is selected")
        return
    if app.feed.journal is None:
        status.say(nowhere(app))
        return

    def kept(text: str) -> None:
        if not text.strip():
            status.say("nothing was noted")
            return
        status.say(KEEPING)
        keep(
            app,
            lambda _, now: actions.note(exactly(model), text.strip(), by=author(), now=now),
            lambda refused: status.say(refused or f"noted about {safe(model, 40)}: it stands among the alerts"),
        )

    hint = "a release, a migration: what others should know"
    status.ask(Question(f"note on {safe(model, 24)}:", "", lambda _: hint, kept))


def silence(app: ModeltopApp) -> None:
    """The form for a silence, and the list of those there are."""
    from modeltop_tui.screens.silence import SilenceScreen

    if app.desk.scene.snapshot is None:
        app.desk.status.say("nothing is loaded yet")
    elif app.feed.journal is None:
        app.desk.status.say(nowhere(app))
    else:
        app.push_screen(SilenceScreen(app.desk, meant(app), ascii_only=bool(app.options.ascii)))
