"""The words of the texts that people see: those of the field, American, and none that was made up here."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = (
    "monitor/diagnosis",
    "monitor/core/diagnosis.py",
    "monitor/report",
    "monitor/alerting/messages/explanation.py",
    "tui/view",
)
BANNED = re.compile(
    r"\b(takes?|taken|stands?|gives back|told|said|deeds?|objects|lastingly|begins?|began|begun|unsaid|at hand|nobody"
    r"|judged?|perhaps|left out|labelled|realised|unlabelled|recognised|centred|colour|went wrong|BIC|z-score"
    r"|its course|looking into)\b|% sure|p ?<|chance\?"
)
"""Words that are not those of the field, British spelling, and statistics in prose."""


TEXTS = (ROOT / "README.md", *sorted((ROOT / "monitor" / "help").glob("*.md")))
MADE = re.compile(r"<!-- (?:screen|keys|check).*?<!-- end -->|^```.*?^```", re.DOTALL | re.MULTILINE)
"""What a script writes into them, and code: the app, the commands and the files have tests of their own."""


def strings(path: Path) -> list[tuple[int, str]]:
    """Return the strings of a file that are no docstring, with their lines."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    statements = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    constants = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in statements)
    return [(node.lineno, node.value) for node in constants if isinstance(node.value, str)]


@pytest.mark.parametrize("room", ROOMS)
def test_no_text_has_a_word_of_our_own(room):
    place = ROOT / room
    files = sorted(place.rglob("*.py")) if place.is_dir() else [place]
    assert files
    found = [
        f"{file.relative_to(ROOT)}:{line}: {match[0]!r} in {text!r}"
        for file in files
        for line, text in strings(file)
        if " " in text.strip() and "{ " not in text and (match := BANNED.search(text))
    ]
    assert found == []


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)
def test_neither_readme_nor_a_topic_has_a_word_of_our_own(path):
    text = MADE.sub("", path.read_text(encoding="utf-8"))
    assert [match[0] for match in BANNED.finditer(text)] == []
