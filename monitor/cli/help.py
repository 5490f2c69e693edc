"""`modeltop help [TOPIC]`: the manual, paged on a terminal, as Markdown in a pipe."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

from modeltop.cli.context import COMMANDS, Context, encodable, load_command
from modeltop.core.errors import UsageError
from modeltop.core.text import did_you_mean, display_width, sanitize

FOLDER = Path(__file__).resolve().parents[1] / "help"
FIRST = "getting-started"
MAX_WIDTH = 100
MIN_COLUMN = 8
INDENT = 4
_MARKUP = re.compile(r"\*\*(.+?)\*\*|(?<![\w*])\*([^*\s][^*]*)\*(?!\w)|\[([^\]]*)\]\([^)]*\)")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `help` to its parser."""
    parser.add_argument(
        "topic", nargs="?", metavar="TOPIC", help="such as rules, or a command (default: the list of topics)"
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """Print a topic, or the list of topics."""
    if args.topic is None:
        width = max(map(len, topics())) + 2
        context.out_lines(f"{name:{width}}{about}" for name, about in topics().items())
        context.out_line("\n`modeltop help TOPIC` prints a topic, `modeltop COMMAND --help` the options of a command.")
        return 0
    if args.topic not in topics():
        context.out_line(_options(args.topic))
        return 0
    text = (FOLDER / f"{args.topic}.md").read_text(encoding="utf-8")
    if not context.out.isatty():
        context.out_line(text.rstrip())
        return 0
    import pydoc  # late: only a terminal needs a pager

    os.environ.setdefault("LESS", "FRX")  # a page that fits needs no key
    os.environ.setdefault("LESSCHARSET", "utf-8")  # also where no locale is set, as over SSH
    for name in ("MANPAGER", "PAGER"):
        words = os.environ.get(name, "").split()
        if shutil.which(next((word for word in words if "=" not in word), "")) is None:
            os.environ.pop(name, None)  # a shell would say that it is not there, and nothing of the page
    lines = rendered(text, min(MAX_WIDTH, shutil.get_terminal_size().columns))
    pydoc.pager("\n".join(encodable(line, context.out) for line in lines))
    return 0


def _options(command: str) -> str:
    """Return what `--help` prints of a command that no topic is called after; raise UsageError if it is none."""
    if command not in COMMANDS:
        near = did_you_mean(command, topics()) or ": `modeltop help` lists the topics"
        raise UsageError(f"no topic is called {sanitize(command, 60)}{near}")
    parser = argparse.ArgumentParser(prog=f"modeltop {command}", description=COMMANDS[command])
    load_command(command)[0](parser)
    return parser.format_help().rstrip()


def topics() -> dict[str, str]:
    """Return what each topic is about, from its first line."""
    names = sorted((path.stem for path in FOLDER.glob("*.md")), key=lambda name: (name != FIRST, name))
    titles = {name: (FOLDER / f"{name}.md").read_text(encoding="utf-8").partition("\n")[0] for name in names}
    return {name: title.partition(": ")[2].strip() for name, title in titles.items()}


def rendered(markdown: str, width: int) -> Iterator[str]:
    """Yield a topic as lines of at most `width` columns; only a block of code may be wider.

    It knows the Markdown that the topics use: headings, paragraphs, lists, pipe tables, code.
    """
    blocks = re.split(r"(^```.*?^```$)", re.sub(r"<!-- .*? -->\n?", "", markdown), flags=re.DOTALL | re.MULTILINE)
    for number, block in enumerate(blocks):
        if number % 2:  # between the fences
            code = [part for line in block.splitlines()[1:-1] for part in _code(line, width)]
            indent = " " * max(0, min(INDENT, width - max(map(display_width, code))))  # a screen of 80 columns fits 80
            yield from (f"{indent}{line}".rstrip() for line in code)
            yield ""
            continue
        for part in filter(None, re.split(r"\n\s*\n", block.strip("\n"))):
            yield from _part(part.splitlines(), width)
            yield ""


def _code(line: str, width: int) -> tuple[str, ...]:
    text, mark, comment = line.partition("  # ")
    return (f"# {comment.strip()}", text.rstrip()) if mark and display_width(line) > width else (line,)


def _part(lines: Sequence[str], width: int) -> Iterator[str]:
    if lines[0].startswith("#"):
        title = _plain(lines[0].lstrip("# "))
        yield from textwrap.wrap(title.upper() if lines[0].startswith("## ") else title, width)
    elif lines[0].startswith("|"):
        rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in lines]
        yield from _table([[_plain(cell.strip()) for cell in row] for row in rows], width)
    elif lines[0].startswith("    "):
        yield from lines
    else:
        for item in re.split(r"\n(?=- )", "\n".join(lines)):
            hang = "  " if item.startswith("- ") else ""
            yield from textwrap.wrap(_plain(item), width, subsequent_indent=hang, break_long_words=False)


def _plain(text: str) -> str:
    parts = re.split(r"(`[^`]*`)", " ".join(text.split()))
    return "".join(part if part.startswith("`") else _MARKUP.sub(r"\1\2\3", part) for part in parts)


def _table(rows: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    rows = [rows[0], *rows[2:]]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    while sum(widths) + 2 * (len(widths) - 1) > width and max(widths) > MIN_COLUMN:
        widths[widths.index(max(widths))] -= 1
    for number, row in enumerate(rows):
        cells = [textwrap.wrap(cell, size) or [""] for cell, size in zip(row, widths, strict=True)]
        for line in range(max(map(len, cells))):
            texts = (cell[line] if line < len(cell) else "" for cell in cells)
            yield "  ".join(f"{text:{size}}" for text, size in zip(texts, widths, strict=True)).rstrip()
        if number == 0 and any(row):
            yield "  ".join("-" * size for size in widths)
