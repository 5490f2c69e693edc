"""The line of a key in a TOML file: `tomllib` gives values without their lines."""

from __future__ import annotations

import re


def line_of(text: str, dotted: str) -> int | None:
    r"""Return the line of a dotted key as mistakes name it, counted from 1; None if it is not found.

    A key that is missing, or is inside an inline table, has the line of the table or key around it.

    >>> text = '[store]\npath = "x"\n[[rules]]\n[[rules]]\nwarn = { below = 1 }\n'
    >>> [line_of(text, key) for key in ("store.path", "rules[2].warn.below", "rules[1].name", "watch.every")]
    [2, 5, 3, None]
    """
    lines = [line.partition(" #")[0].strip().replace('"', "") for line in text.splitlines()]
    names = dotted.split(".")
    for count in range(len(names) - 1, -1, -1):
        header, number = _header(".".join(names[:count]))
        starts = [place for place, line in enumerate(lines) if line == header] if count else [-1]
        if len(starts) >= number:
            return _line_in(lines, starts[number - 1], names[count])
    return None


def _header(table: str) -> tuple[str, int]:
    match = re.fullmatch(r"(.+)\[(\d+)\]", table)
    return (f"[[{match[1]}]]", int(match[2])) if match else (f"[{table}]", 1)


def _line_in(lines: list[str], start: int, key: str) -> int | None:
    for place in range(start + 1, len(lines)):
        if lines[place].startswith("[") and lines[place].endswith("]"):
            break
        if re.match(rf"{re.escape(key)}\s*[=.]", lines[place]):
            return place + 1
    return start + 1 or None
