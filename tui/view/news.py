"""What is new: incidents that started, got worse or ended since the user last saw the model."""

from __future__ import annotations

from dataclasses import replace

from modeltop.core.text import sanitize
from modeltop_tui.view.state import ScreenState, SnapshotIndex, snapshot_index


def changed_models(state: ScreenState) -> list[str]:
    """Return the models with another incident, or another state of it, than the user last saw; worst first."""
    if state.snapshot is None or state.seen is None:
        return []
    index = snapshot_index(state.snapshot)
    changed = index.changed_models(state.seen)
    return [model for model in index.model_statuses if model in changed] if changed else []


def is_changed(state: ScreenState, model: str) -> bool:
    """Return whether the user has not yet seen the state of a model."""
    if state.snapshot is None or state.seen is None:
        return False
    return snapshot_index(state.snapshot).incident_states.get(model) != state.seen.get(model)


def mark_seen(state: ScreenState, model: str) -> ScreenState:
    """Return the state in which the user has seen a model."""
    if not is_changed(state, model) or state.snapshot is None:
        return state
    incident = snapshot_index(state.snapshot).incident_states.get(model)
    others = {name: seen for name, seen in (state.seen or {}).items() if name != model}
    return replace(state, seen=others if incident is None else {**others, model: incident})


def new_problems(state: ScreenState, limit: int) -> str:
    """Return which models have a new incident, as `new: churn and 2 more`; empty if none has.

    Args:
        state: The state that is shown.
        limit: Maximum width of a name in cells.
    """
    models = [] if state.snapshot is None else snapshot_index(state.snapshot).incident_states.keys()
    names = [model for model in changed_models(state) if model in models]
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"new: {sanitize(names[0], limit)}{more}" if names else ""


def state_changes(before: ScreenState, after: ScreenState) -> tuple[str, bool]:
    """Return what changed between two snapshots, as `churn: ok → critical`, and whether there is a new problem.

    A model whose data was removed is part of it: without a word, a critical one would have become nothing.
    """
    if before.snapshot is None or after.snapshot is None:
        return "", False
    old, new = snapshot_index(before.snapshot), snapshot_index(after.snapshot)
    changed = changed_models(replace(after, seen=old.incident_states))
    changed += [model for model in before.snapshot.history.periods if model not in new.model_statuses]
    words = [f"{sanitize(model, 40)}: {_state(old, model)} → {_state(new, model)}" for model in changed[:2]]
    more = [f"{len(changed) - 2} more"] if len(changed) > 2 else []
    return ", ".join(words + more), any(model in new.incident_states for model in changed)


def _state(index: SnapshotIndex, model: str) -> str:
    return index.model_state(model)[1] if model in index.model_statuses else "not there"
