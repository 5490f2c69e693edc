"""`modeltop story`: what became of each incident of a model: fired, told, taken, worse, over."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from modeltop.cli.context import Context, add_config
from modeltop.cli.targets import did_you_mean, event_log_for
from modeltop.core.text import sanitize

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modeltop.alerting.timeline import IncidentTimeline, Timeline, TimelineEntry

WORDS = {
    "fired": "fired",
    "worse": "got worse",
    "better": "got better",
    "moved": "moved: late or corrected rows, or an edited rule",
    "missing": "rows",
    "resolved": "resolved",
    "withdrawn": "withdrawn",
    "merged": "merged",
    "known": "was over when the watcher first saw it",
    "told": "told",
    "telling": "about to be told, and nobody knows whether it arrived:",
    "given-up": "could not be told:",
    "acknowledged": "taken by",
    "given-back": "given back by",
    "silenced": "silenced by",
    "silence-ended": "silence ended by",
    "noted": "note by",
}
"""What stands for each kind of line; those with somebody in them end before the name."""


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of `story`."""
    parser.add_argument("model", metavar="MODEL", help="its name, exactly")
    parser.add_argument(
        "paths", nargs="*", metavar="PATH", help="metric CSV files and folders of them; without any, the store"
    )
    parser.add_argument("--json", action="store_true", help="as JSON, ASCII-escaped and exact")
    add_config(parser)
    parser.set_defaults(now=None, below=[], above=[])
    parser.epilog = "exit codes: 0 told, even where there is nothing to tell; 2 the journal cannot be read"


def run(args: argparse.Namespace, context: Context) -> int:
    """Tell all that the journal says of one model."""
    import json

    from modeltop.alerting.timeline import build_timeline

    journal = event_log_for(context.pipeline(args))
    story = build_timeline(journal.events(), args.model)
    if damaged := journal.state().damaged_lines:
        context.err_line(f"{damaged:,} damaged lines of the journal could not be read: something may be missing here")
    if args.json:
        context.out_line(json.dumps(_record(story, args.model), allow_nan=False, indent=1))
        return 0
    for line in _lines(story):
        context.out_line(line)
    if not story.incidents and not story.notes:
        known = {incident.key.model for incident in journal.state().incidents.values()}
        context.err_line(f"nothing is remembered of {sanitize(args.model, 60)}{did_you_mean(args.model, known)}")
    return 0


def _lines(story: Timeline) -> Iterator[str]:
    from modeltop.report.phrases import format_moment

    told = {(line.at, line.actor, line.text) for chapter in story.incidents for line in chapter.entries}
    for chapter in story.incidents:
        yield _title(chapter)
        for line in chapter.entries:
            yield f"  {format_moment(line.at)}  {_said(line)}"
    for note in story.notes:
        if (note.at, note.by, note.text) not in told:
            yield f"{format_moment(note.at)}  note by {sanitize(note.by, 40)}: {sanitize(note.text)}"


def _title(chapter: IncidentTimeline) -> str:
    from modeltop.core.text import format_period
    from modeltop.report.phrases import MARKS, series_name

    about = "" if chapter.key.metric == "*" else f" {series_name(chapter.key)}"
    head = f"{sanitize(chapter.key.model, 60)}{about}, rule {sanitize(chapter.rule, 60)}"
    incident = chapter.incident
    if incident is None:
        return f"{sanitize(chapter.id, 20)}  {head}"
    shape, word = MARKS[incident.peak_severity]
    ended = f", resolved {format_period(incident.resolved_at)}" if incident.resolved_at else ""
    return f"{sanitize(chapter.id, 20)}  {shape} {word} {head}, since {format_period(incident.since)}{ended}, {incident.status.value}"


def _said(line: TimelineEntry) -> str:
    """The line in words, made safe."""
    words = WORDS.get(line.event, line.event)
    who = f" {sanitize(line.actor, 40)}" if line.actor else ""
    if not line.text:
        return f"{words}{who}"
    return f"{words}{who} ({sanitize(line.text)})" if line.event == "told" else f"{words}{who}: {sanitize(line.text)}"


def _record(story: Timeline, model: str) -> dict[str, object]:
    return {
        "model": model,
        "incidents": [_chapter_record(chapter) for chapter in story.incidents],
        "notes": [
            {"at": note.at.isoformat(), "model": note.model, "by": note.by, "text": note.text} for note in story.notes
        ],
    }


def _chapter_record(chapter: IncidentTimeline) -> dict[str, object]:
    from modeltop.alerting.event_log.codec import encode

    seen = chapter.incident
    return {
        "id": chapter.id,
        "rule": chapter.rule,
        "metric": chapter.key.metric,
        "segment": chapter.key.segment,
        **{
            name: None if seen is None else encode(getattr(seen, name))
            for name in ("condition", "standing", "level", "worst", "since", "fired", "resolved", "opened", "closed")
        },
        "events": [
            {"at": line.at.isoformat(), "event": line.event, "who": line.actor or None, "text": line.text}
            for line in chapter.entries
        ],
    }
