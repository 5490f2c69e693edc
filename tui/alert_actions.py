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
from modeltop.core.incident import Acknowledgement, AlertingState
from modeltop.core.series import Alert, State
from modeltop.core.text import sanitize
from modeltop.report.phrases import describe_ack, format_moment
from modeltop_tui.view.acknowledgements import acknowledgement_of, selected_alert
from modeltop_tui.view.metrics import label
from modeltop_tui.view.silence_form import exact_glob
from modeltop_tui.view.state import snapshot_index
from modeltop_tui.widgets.header_footer import Prompt
from modeltop_tui.widgets.panes import AlertsPane

if TYPE_CHECKING:
    from datetime import datetime

    from modeltop.core.event import Event
    from modeltop_tui.app import ModeltopApp

SAVING = "keeping it"

Decide = Callable[[AlertingState, "datetime"], Sequence["Event"]]
"""From the newest facts and the moment to what is kept. Raises UsageError."""


def save(app: ModeltopApp, decide: Decide, on_done: Callable[[str | None], None]) -> None:
    """Keep what is decided, and only then say so.

    Args:
        app: Whose journal it is.
        decide: Called in another thread.
        on_done: Called on the screen's thread with None, or with the reason where nothing was kept.
    """
    journal = app.poller.event_log
    if journal is None:
        on_done(cannot_save_message(app))
        return

    def run() -> None:
        refused: str | None = None
        try:
            journal.update(lambda facts: decide(facts, journal.now_given(facts)))
        except UsageError as error:
            refused = str(error)
        except MonitorError as error:
            refused = f"not kept: {error}"
        except Exception as error:  # noqa: BLE001  a person must hear that nothing was kept, whatever the reason
            refused = f"not kept: {type(error).__name__}: {error}"
        app.poller.poll_now()  # what was kept, or who was first
        app.call_on_ui(lambda: on_done(refused))

    # A daemon: leaving the app never waits for somebody else's lock. What was not told may not have been kept.
    threading.Thread(target=run, name="modeltop keeping", daemon=True).start()


def cannot_save_message(app: ModeltopApp) -> str:
    """Said where nothing can be kept."""
    return f"nothing can be kept: {app.poller.event_log_error}"


def target_alert(app: ModeltopApp) -> Alert | None:
    """The alert under the cursor of the alerts, while they have the keys; else the one of the selection."""
    pane = app.main_screen.focused_pane
    return pane.selected_alert if isinstance(pane, AlertsPane) else selected_alert(app.main_screen.screen_state)


def acknowledge(app: ModeltopApp) -> None:
    """Acknowledge the alert that is meant; one's own is given back, another's is named."""
    alert, status = target_alert(app), app.main_screen.status
    if alert is None or app.main_screen.screen_state.snapshot is None:
        status.show_message("no alert stands here: e goes to the next problem")
    elif alert.state is State.PENDING:
        status.show_message("it is pending: nobody is told yet, so there is nothing to acknowledge")
    elif app.poller.event_log is None:
        status.show_message(cannot_save_message(app))
    elif (held := acknowledgement_of(app.main_screen.screen_state, alert)) is None:
        status.show_prompt(_taking(app, alert))
    elif held.by == author():
        status.show_prompt(_giving_back(app, alert, held))
    else:
        status.show_message(f"{describe_ack(held, app.now())}; `modeltop unack {alert.id}` gives it back")


def alert_label(app: ModeltopApp, alert: Alert) -> str:
    """The alert in a few words; with its model where another is selected."""
    name = sanitize(alert.rule if alert.key.metric == "*" else label(alert.key), 24)
    return (
        name
        if alert.key.model == app.main_screen.screen_state.selection.model
        else f"{sanitize(alert.key.model, 16)} {name}"
    )


def _taking(app: ModeltopApp, alert: Alert) -> Prompt:
    name, by = alert_label(app, alert), author()

    def kept(why: str) -> None:
        if not is_active(app, alert):
            app.main_screen.status.show_message(f"{name} is over meanwhile: nothing to acknowledge")
            return
        lasting = app.poller.ack_duration
        app.main_screen.status.show_message(SAVING)
        save(
            app,
            lambda facts, now: actions.acknowledge(facts, alert, by=by, reason=why.strip(), now=now, duration=lasting),
            lambda refused: app.main_screen.status.show_message(
                refused or f"you have {name} until {format_moment(app.now() + lasting, app.now())} UTC; a gives it back"
            ),
        )

    return Prompt(f"acknowledge {name}, why?", "", lambda _: "enter takes it, esc leaves it", kept)


def is_active(app: ModeltopApp, alert: Alert) -> bool:
    """Whether the alert still stands, by the last look."""
    snapshot = app.main_screen.screen_state.snapshot
    name = (alert.rule, alert.key)
    return snapshot is not None and any(
        one.is_active and (one.rule, one.key) == name for one in snapshot_index(snapshot).open_alerts
    )


def _giving_back(app: ModeltopApp, alert: Alert, held: Acknowledgement) -> Prompt:
    name, by = alert_label(app, alert), author()

    def kept(_: str) -> None:
        app.main_screen.status.show_message(SAVING)
        save(
            app,
            lambda facts, now: actions.unacknowledge(facts, held, by=by, now=now),
            lambda refused: app.main_screen.status.show_message(refused or f"given back: nobody has {name}"),
        )

    return Prompt(f"you have {name}: give it back?", "", lambda _: "enter gives it back, esc keeps it", kept)


def ask_note(app: ModeltopApp) -> None:
    """Write down what is known about the selected model."""
    model, status = app.main_screen.screen_state.selection.model, app.main_screen.status
    if model is None:
        status.show_message("no model is selected")
        return
    if app.poller.event_log is None:
        status.show_message(cannot_save_message(app))
        return

    def kept(text: str) -> None:
        if not text.strip():
            status.show_message("nothing was noted")
            return
        status.show_message(SAVING)
        save(
            app,
            lambda _, now: actions.add_note(exact_glob(model), text.strip(), by=author(), now=now),
            lambda refused: status.show_message(
                refused or f"noted about {sanitize(model, 40)}: it stands among the alerts"
            ),
        )

    hint = "a release, a migration: what others should know"
    status.show_prompt(Prompt(f"note on {sanitize(model, 24)}:", "", lambda _: hint, kept))


def open_silence_form(app: ModeltopApp) -> None:
    """The form for a silence, and the list of those there are."""
    from modeltop_tui.screens.silence import SilenceScreen

    if app.main_screen.screen_state.snapshot is None:
        app.main_screen.status.show_message("nothing is loaded yet")
    elif app.poller.event_log is None:
        app.main_screen.status.show_message(cannot_save_message(app))
    else:
        app.push_screen(SilenceScreen(app.main_screen, target_alert(app), ascii_only=bool(app.options.ascii)))
