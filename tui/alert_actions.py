"""Actions about alerts: acknowledge, silence, note. Imported at the first key for one."""

from __future__ import annotations

from dataclasses import replace

from modeltop.alerting import actions
from modeltop.alerting.event_log.event_log import author
from modeltop.core.incident import Acknowledgement
from modeltop.core.series import Alert, State
from modeltop.core.text import exact_glob, sanitize, truncate_middle
from modeltop.report.phrases import describe_ack, format_moment
from modeltop_tui.screens.main import MainScreen
from modeltop_tui.screens.silence import SilenceScreen
from modeltop_tui.view.acknowledgements import selected_alert
from modeltop_tui.widgets.header_footer import Prompt
from modeltop_tui.widgets.panes import AlertsPane
from modeltop_tui.workers.event_writer import SAVING, no_event_log_message, write_events
from modeltop_tui.workers.poller import Poller


def target_alert(screen: MainScreen) -> Alert | None:
    """Return the alert under the cursor of the alerts pane while that has the focus; else that of the selection."""
    pane = screen.focused_pane
    return pane.selected_alert if isinstance(pane, AlertsPane) else selected_alert(screen.screen_state)


def acknowledge(screen: MainScreen, poller: Poller, reason: str = "") -> None:
    """Acknowledge the target alert, or withdraw one's own acknowledgement; another person's is only shown."""
    alert, status, snapshot = target_alert(screen), screen.status, screen.screen_state.snapshot
    if alert is None or snapshot is None:
        status.show_message("no active alert here; e: next problem")
    elif alert.state is State.PENDING:
        status.show_message("pending: no notification yet, nothing to acknowledge")
    elif poller.pipeline.state_reader.event_log is None:
        status.show_message(no_event_log_message(poller))
    elif (ack := snapshot.acknowledgements.get(alert.id or "")) is None:
        status.show_prompt(replace(_acknowledge_prompt(screen, poller, alert), initial=reason))
    elif ack.by == author():
        status.show_prompt(_withdraw_prompt(screen, poller, alert, ack))
    else:
        status.show_message(f"{describe_ack(ack, screen.now())}; to undo: `modeltop unack {alert.id}`")


def _acknowledge_prompt(screen: MainScreen, poller: Poller, alert: Alert) -> Prompt:
    name, by, status = truncate_middle(sanitize(alert.key.model), 24), author(), screen.status

    def submit(reason: str) -> None:
        snapshot = screen.screen_state.snapshot
        incident = None if snapshot is None else snapshot.incident_of(alert.key.model)
        if snapshot is None or incident is None:
            status.show_message(f"{name} has resolved meanwhile: nothing to acknowledge")
            return
        duration = poller.pipeline.ack_duration
        status.show_message(SAVING)
        write_events(
            screen.app,
            poller,
            lambda state, now: actions.acknowledge(
                state, incident, snapshot.alerts, by=by, reason=reason.strip(), now=now, duration=duration
            ),
            lambda refusal: status.show_message(
                refusal
                or f"{name} acknowledged until {format_moment(screen.now() + duration, screen.now())} UTC; "
                "press a to undo"
            ),
        )

    return Prompt(f"Acknowledge {name}. Reason:", "", lambda _: "(Enter to confirm, Esc to cancel)", submit)


def _withdraw_prompt(screen: MainScreen, poller: Poller, alert: Alert, ack: Acknowledgement) -> Prompt:
    name, by, status = truncate_middle(sanitize(alert.key.model), 24), author(), screen.status

    def submit(_: str) -> None:
        status.show_message(SAVING)
        write_events(
            screen.app,
            poller,
            lambda state, now: actions.unacknowledge(state, ack, by=by, now=now),
            lambda refusal: status.show_message(refusal or f"un-acknowledged: {name}"),
        )

    return Prompt(f"Un-acknowledge {name}?", "", lambda _: "(Enter to confirm, Esc to cancel)", submit)


def ask_note(screen: MainScreen, poller: Poller, text: str = "") -> None:
    """Ask for a note about the selected model, and write it."""
    model, status = screen.screen_state.selection.model, screen.status
    if model is None:
        status.show_message("no model is selected")
        return
    if poller.pipeline.state_reader.event_log is None:
        status.show_message(no_event_log_message(poller))
        return

    def submit(text: str) -> None:
        if not text.strip():
            status.show_message("nothing to note")
            return
        status.show_message(SAVING)
        write_events(
            screen.app,
            poller,
            lambda _, now: actions.add_note(exact_glob(model), text.strip(), by=author(), now=now),
            lambda refusal: status.show_message(refusal or f"note added to {sanitize(model, 40)}"),
        )

    hint = "a release, a migration: what others should know"
    status.show_prompt(Prompt(f"note on {truncate_middle(sanitize(model), 24)}:", text, lambda _: hint, submit))


def open_silence_form(screen: MainScreen, poller: Poller) -> None:
    """Open the form for a new silence, with the list of all silences."""
    if screen.screen_state.snapshot is None:
        screen.status.show_message("nothing is loaded yet")
    elif poller.pipeline.state_reader.event_log is None:
        screen.status.show_message(no_event_log_message(poller))
    else:
        screen.app.push_screen(SilenceScreen(screen, poller, target_alert(screen)))
