"""What happened to the selected model, why, and what to do."""

from __future__ import annotations

from modeltop.core.diagnosis import Verdict
from modeltop.core.series import Severity
from modeltop.core.text import display_width, sanitize
from modeltop_tui.view.state import ScreenState, snapshot_index
from modeltop_tui.view.styled_text import SHAPES, TINTS, Cells, wrap

LABELS = ("What", "Why", "Do")
LABEL_WIDTH = 5
HEIGHT = len(LABELS)
"""Lines of the verdict above the panes."""
MAX_MODEL_WIDTH = 24
"""Maximum width of the name of the model before a sentence, in cells."""


def current_verdict(state: ScreenState) -> tuple[Severity, Verdict] | None:
    """Return the severity and the verdict of the selected model; until it is diagnosed, its status."""
    if state.snapshot is None or state.selection.model is None:
        return None
    status = snapshot_index(state.snapshot).model_statuses.get(state.selection.model)
    if state.diagnosis is not None:
        return state.diagnosis.severity, state.diagnosis.verdict
    return None if status is None else (status.severity, Verdict(status.sentence, "analyzing..."))


def verdict_lines(state: ScreenState, width: int) -> list[Cells]:
    """Return what happened, why, and what to do: a line each, without labels if a sentence would not fit with them."""
    known = current_verdict(state)
    if known is None:
        return [()] * HEIGHT
    severity, verdict = known
    sentences = [sanitize(sentence, 600) for sentence in (verdict.what, verdict.why, verdict.do)]
    model = sanitize(state.selection.model, MAX_MODEL_WIDTH)
    named = f"{model}: {sentences[0][:1].lower()}{sentences[0][1:]}"
    room = width - 2
    if state.snapshot is not None and len(state.snapshot.model_statuses) > 1:
        sentences[0] = named if LABEL_WIDTH + display_width(named) <= room else sentences[0]
    labeled = LABEL_WIDTH + max(map(display_width, sentences)) <= room
    marks = (f"{SHAPES[severity]} ", "  ", "  ")
    rows = zip(marks, LABELS, sentences, (TINTS[severity], "", ""), ("worst" if severity else "", "", ""), strict=True)
    return [
        ((mark, tint), (f"{label:<{LABEL_WIDTH}}" if labeled and sentence else "", "dim"), (sentence, role))
        for mark, label, sentence, tint, role in rows
    ]


def summary_lines(state: ScreenState, width: int, max_lines: int = 99) -> list[Cells]:
    """Return what happened, why, and what to do, each from a line of its own on; until it is known, the status.

    Args:
        state: The state that is shown.
        width: Width of a line in cells.
        max_lines: Where all do not fit, the reason is left out, then what to do: a sentence is shown whole or not at
            all.
    """
    known = current_verdict(state)
    if known is None:
        return []
    severity, verdict = known
    sentences = [sanitize(sentence, 600) for sentence in (verdict.what, verdict.why, verdict.do) if sentence]
    roles = (f"worst+{TINTS[severity]}" if severity else "", "", "")
    parts = [wrap(text, width, role=role) for text, role in zip(sentences, roles, strict=False)]
    choices = (parts, parts[:1] + parts[2:], parts[:1])
    shown = next((choice for choice in choices if sum(map(len, choice)) <= max_lines), [])
    return [line for part in shown for line in part]
