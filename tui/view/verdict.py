"""What happened to the selected model, why, and what to do."""

from __future__ import annotations

from modeltop.core.diagnosis import Verdict
from modeltop.core.series import Severity
from modeltop.core.text import display_width, sanitize, truncate, truncate_middle
from modeltop_tui.view.state import ScreenState, snapshot_index
from modeltop_tui.view.styled_text import SHAPES, TINTS, Cells, flow, plain_text, wrap

LABELS = ("What", "Why", "Do")
LABEL_WIDTH = 5
HEIGHT = len(LABELS)
MIN_REASON_WIDTH = 16
"""Width from which a part of a reason is worth a place, in cells."""
MAX_MODEL_WIDTH = 24


def current_verdict(state: ScreenState) -> tuple[Severity, Verdict] | None:
    """Return the severity and the verdict of the selected model; until it is diagnosed, its status."""
    if state.snapshot is None or state.selection.model is None:
        return None
    status = snapshot_index(state.snapshot).model_statuses.get(state.selection.model)
    if state.diagnosis is not None:
        return state.diagnosis.severity, state.diagnosis.verdict
    return None if status is None else (status.severity, Verdict(status.sentence, "analyzing..."))


def verdict_lines(state: ScreenState, width: int) -> list[Cells]:
    """Return what happened, why, and what to do: a line each; where the first needs two, the others share one."""
    known = current_verdict(state)
    if known is None:
        return [()] * HEIGHT
    severity, verdict = known
    what, why, do = (sanitize(sentence, 600) for sentence in (verdict.what, verdict.why, verdict.do))
    if state.snapshot is not None and len(state.snapshot.model_statuses) > 1:
        link, word = " is" if what.startswith("ok:") else ":", what.partition(" ")[0]
        is_name = any(key.metric == word for key in state.snapshot.history.series) or word.isupper()
        what = what if is_name else what[:1].lower() + what[1:]
        what = f"{truncate_middle(sanitize(state.selection.model), MAX_MODEL_WIDTH)}{link} {what}"
    labels = [(f"{label:<{LABEL_WIDTH}}", "dim") for label in LABELS]
    blank, indent = ("  ", ""), " " * (2 + LABEL_WIDTH)
    lead = ((f"{SHAPES[severity]} ", TINTS[severity]), labels[0])

    def head(text: str) -> list[Cells]:
        return wrap(text, width, role="worst" if severity else "", indent=indent, lead=lead)

    first = head(what)
    rows: list[Cells] = [
        (blank, label, (text, "")) if text else () for label, text in zip(labels[1:], (why, do), strict=True)
    ]
    if len(first) > 1 and all(rows) and len(brief := head(what.partition(";")[0] + ".")) == 1:
        first = brief  # how long a limit is crossed is in the list of alerts
    elif len(first) > 1 and all(rows):
        room = width - display_width(plain_text((*rows[0][:2], blank, *rows[1][1:])))
        # What to do is shown whole; of the reason as much as there is room for.
        reason = truncate(why, room) if room >= MIN_REASON_WIDTH else ""
        rows = [(*rows[0][:2], (reason, ""), blank, *rows[1][1:]) if reason else rows[1]]
    return [*first[: HEIGHT - len(rows)], *rows, *[()] * HEIGHT][:HEIGHT]


def summary_lines(state: ScreenState, width: int, max_lines: int = 99, *, only_whole: bool = False) -> list[Cells]:
    """Return what happened, why, and what to do, each from a line of its own on; until it is known, the status.

    Args:
        state: The state that is shown.
        width: Width of a line in cells.
        max_lines: Where that does not fit, they are one text; where this does not, the reason is left out, then what
            to do: a sentence is shown whole or not at all.
        only_whole: Return no lines where a sentence would be left out.
    """
    known = current_verdict(state)
    if known is None:
        return []
    severity, verdict = known
    sentences = [sanitize(sentence, 600) for sentence in (verdict.what, verdict.why, verdict.do)]
    roles = (f"worst+{TINTS[severity]}" if severity else "", "", "")
    leads = ((f"{SHAPES[severity]} ", TINTS[severity]), *((f"{label:<{LABEL_WIDTH}}", "dim") for label in LABELS[1:]))
    rows = [row for row in zip(sentences, roles, leads, strict=True) if row[0]]
    parts = [wrap(text, width, role=role, lead=(lead,)) for text, role, lead in rows]
    leads_and_texts = (((lead, "strong" if tint == "dim" else tint), (text, role)) for text, role, (lead, tint) in rows)
    one_text = flow((span for pair in leads_and_texts for span in pair), width)
    choices = [parts, [one_text], *([] if only_whole else [parts[:1] + parts[2:], parts[:1]])]
    shown = next((choice for choice in choices if sum(map(len, choice)) <= max_lines), [])
    return [line for part in shown for line in part]
