"""`modeltop story`: what became of each incident of a model: fired, told, taken, worse, over."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from modeltop.cli.context import Context, add_config
from modeltop.cli.targets import journal_of, nearest
from modeltop.core.text import safe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modeltop.alerting.timeline import Chapter, Line, Story

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

    from modeltop.alerting.timeline import tell

    journal = journal_of(context.observer(args))
    story = tell(journal.events(), args.model)
    if damaged := journal.facts().damaged:
        context.tell(f"{damaged:,} damaged lines of the journal could not be read: something may be missing here")
    if args.json:
        context.say(json.dumps(_record(story, args.model), allow_nan=False, indent=1))
        return 0
    for line in _lines(story):
        context.say(line)
    if not story.chapters and not story.notes:
        known = {incident.key.model for incident in journal.facts().incidents.values()}
        context.tell(f"nothing is remembered of {safe(args.model, 60)}{nearest(args.model, known)}")
    return 0


def _lines(story: Story) -> Iterator[str]:
    from modeltop.report.phrases import moment

    told = {(line.at, line.who, line.text) for chapter in story.chapters for line in chapter.lines}
    for chapter in story.chapters:
        yield _title(chapter)
        for line in chapter.lines:
            yield f"  {moment(line.at)}  {_said(line)}"
    for note in story.notes:
        if (note.at, note.by, note.text) not in told:
            yield f"{moment(note.at)}  note by {safe(note.by, 40)}: {safe(note.text)}"


def _title(chapter: Chapter) -> str:
    from modeltop.core.text import day
    from modeltop.report.phrases import MARKS, series_name

    about = "" if chapter.key.metric == "*" else f" {series_name(chapter.key)}"
    head = f"{safe(chapter.key.model, 60)}{about}, rule {safe(chapter.rule, 60)}"
    incident = chapter.incident
    if incident is None:
        return f"{safe(chapter.id, 20)}  {head}"
    shape, word = MARKS[incident.worst]
    ended = f", resolved {day(incident.resolved)}" if incident.resolved else ""
    return (
        f"{safe(chapter.id, 20)}  {shape} {word} {head}, since {day(incident.since)}{ended}, {incident.standing.value}"
    )


def _said(line: Line) -> str:
    """The line in words, made safe."""
    words = WORDS.get(line.what, line.what)
    who = f" {safe(line.who, 40)}" if line.who else ""
    if not line.text:
        return f"{words}{who}"
    return f"{words}{who} ({safe(line.text)})" if line.what == "told" else f"{words}{who}: {safe(line.text)}"


def _record(story: Story, model: str) -> dict[str, object]:
    return {
        "model": model,
        "incidents": [_chapter_record(chapter) for chapter in story.chapters],
        "notes": [
            {"at": note.at.isoformat(), "model": note.model, "by": note.by, "text": note.text} for note in story.notes
        ],
    }


def _chapter_record(chapter: Chapter) -> dict[str, object]:
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
            {"at": line.at.isoformat(), "event": line.what, "who": line.who or None, "text": line.text}
            for line in chapter.lines
        ],
    }
