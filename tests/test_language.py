"""The words of the texts that people see: those of the field, American, and none that was made up here."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PLACES = sorted(path for path in (*(ROOT / "monitor").iterdir(), *(ROOT / "tui").iterdir()) if path.suffix != ".md")
NAMES = ROOT / "monitor" / "core" / "metrics" / "names.py"
"""What other tools call a metric, in whatever spelling: nothing that modeltop writes."""
BANNED = re.compile(
    r"\b(takes?|took|taken|stands?|gives? (?:it )?back|given back|told|said|unsaid|say (?:which|when|so)|deeds?|objects"
    r"|lastingly|begins?|began|begun|begin of|at hand|nobody|judged?|perhaps|left out|labelled|realised|unlabelled"
    r"|recognised|normalised|centred|colour|went wrong|BIC|z-score|its course|the course of|looking into"
    r"|whole(?=[:,;.)]|$)|(?<!as )usual(?= ?(?:[\d,.;)]|\{|$))|heard)\b|% sure|p ?<|chance\?"
)
"""Words that are not those of the field, British spelling, and statistics in prose; of sentences, not of names."""
PHRASES = re.compile(
    r"\bn/d\b|^healthy\b.|[:;,] healthy|\bthinned|broken upstream|pipeline first|fits best|the world seldom"
    r"|no feature is logged|expected of itself|looking into it|no better periods|what changed then"
    r"|look at the evidence|limit lies ahead|CUSUM above"
    r"|\b(?:WARN|CRIT)\b(?!\()|rules hold\b|too little history,|fell with it|who has it|the others see|look on change"
    r"|^Δ prev$|7d back|How it went|n / \?|of the time shown|all of time|as near as it gets|time ends here"
    r"|nothing to undo here|does nothing here|takes it away|mouse is the terminal's|looks once|enter (?:takes|goes)"
    r"|esc (?:leaves|stays|keeps)|has this in its name|has X in its name|for the others|that stand\b|is not there"
    r"|it may pass|trying again|is useless|\bfine\b|what speaks for|is all it takes|open eyes|hang together|unfolds"
    r"|(?<!there )\b(?:is|are) no (?:length of time|date|ISO|number|value|address|file|count|part|path|time zone)\b"
    r"|min, max of|confidence fell only|known to have changed|[\d}] periods, since"
    r"|would have fired when|sets everything up"
    r"|Failures that pass|\bprev / |may be chance|silence needs a reason|no watcher has ever"
    r"|(?<!there )\bis none(?: of|:|;| that|$)",
)
"""The left column of the style guide's table, as far as its words do not say it already; of all strings."""
TEXTS = (ROOT / "README.md", *sorted((ROOT / "monitor" / "help").glob("*.md")))


def strings(path: Path) -> list[tuple[int, str]]:
    """Return the strings of a file that are no docstring, with their lines; of an f-string its text around `{}`."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    texts = []
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            skipped |= {id(part) for part in node.values}
            parts = [part.value if isinstance(part, ast.Constant) else "{}" for part in node.values]
            texts.append((node.lineno, "".join(map(str, parts))))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
            texts.append((node.lineno, node.value))
    return texts


def wrong_words(text: str) -> list[str]:
    """Return the words of our own in a string: of a name, and of the style of a page, only what no name has."""
    is_sentence = " " in text.strip() and not text.lstrip().startswith(":root {")
    return [match[0] for pattern in (PHRASES, *([BANNED] if is_sentence else [])) for match in pattern.finditer(text)]


@pytest.mark.parametrize("place", PLACES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_text_has_a_word_of_our_own(place):
    files = sorted(place.rglob("*.py")) if place.is_dir() else [place]
    found = [
        f"{file.relative_to(ROOT)}:{line}: {words} in {text!r}"
        for file in files
        if file != NAMES and file.suffix == ".py"
        for line, text in strings(file)
        if (words := wrong_words(text))
    ]
    assert found == []


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)
def test_neither_readme_nor_a_topic_has_a_word_of_our_own(path):
    text = path.read_text(encoding="utf-8")
    assert [match[0] for pattern in (BANNED, PHRASES) for match in pattern.finditer(text)] == []


@pytest.mark.parametrize(
    "source",
    [
        'parser.add_argument("--why", help="what was said")',
        'parser.epilog = ("exit codes: 0 ok\\n" "3 nobody is told")',
        'raise UsageError(f"{name} stands no more: {remedy}")',
        "yield f\"{subject} fell, {'perhaps broken' if doubt else plain}\"",
        'EXAMPLE = """\\n# warn = { below = 0.9 }    # judged each period\\n"""',
        'LEVELS = {Severity.CRITICAL: "CRIT"}',
        'print("accuracy:", "n/d")',
    ],
    ids=["help", "exit codes", "error", "sentence", "comment of a configuration", "severity", "a name"],
)
def test_a_planted_word_is_found(tmp_path, source):
    (tmp_path / "planted.py").write_text(source)
    assert any(wrong_words(text) for _, text in strings(tmp_path / "planted.py"))
