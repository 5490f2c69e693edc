"""Writes screens, keys, output and the picture into README and the topics: `python tests/readme/screens.py`.

They are those of the app on the sample fleet, on the morning after its newest day. A file says what it wants between
`<!-- screen 80x24 -->`, `<!-- keys -->` or `<!-- check -->` and `<!-- end -->`.

`python tests/readme/screens.py FOLDER` writes every screen at every size, dark and light, as pictures to look at.
"""

import asyncio
import html
import re
import sys
from datetime import UTC, datetime
from itertools import product, takewhile
from pathlib import Path

from modeltop.cli.context import AppOptions
from modeltop.config.load import Config
from modeltop.report.text_report import text_summary
from modeltop.service.pipeline import Pipeline, StateReader
from modeltop_tui.actions import THEMES
from modeltop_tui.app import ModeltopApp
from modeltop_tui.screens.diagnosis import DiagnosisScreen
from modeltop_tui.screens.help import entries, key_groups
from modeltop_tui.screens.main import MainScreen
from modeltop_tui.screens.periods import PeriodsScreen
from modeltop_tui.workers.poller import Poller

ROOT = Path(__file__).parents[2]
TEXTS = (ROOT / "README.md", *sorted((ROOT / "monitor" / "help").glob("*.md")))
PICTURE = ROOT / ".github" / "screen.svg"
PICTURE_SIZE = (120, 36)
FLEET, TEN_DAYS = ROOT / "sample_data" / "fleet", ROOT / "sample_data" / "model_performance_tracking.csv"
NO_LOG = ROOT / "sample_data" / "state"
"""Where the actions would be written; nothing is."""
VIEWS = {
    "main": (FLEET, ""), "one-metric": (FLEET, "z"), "cursor": (FLEET, "c left left"), "family": (FLEET, "right m"),
    "alerts": (FLEET, "4 z"), "changes": (FLEET, "5 z"), "metrics": (FLEET, "2 z"), "filter": (FLEET, "slash c r"),
    "healthy": (FLEET, "G"), "no-data": (FLEET, "down down down down"), "evidence": (FLEET, "enter"),
    "periods": (FLEET, "v down enter"), "help": (FLEET, "question_mark"), "silence": (FLEET, "S w h y"),
    "ten-days": (TEN_DAYS, ""), "ten-days-evidence": (TEN_DAYS, "enter"),
    "start": (ROOT / "sample_data" / "predictions.csv.gz", ""),
}  # fmt: skip
"""The screens to look at: the data, and the keys that lead there."""
SIZES = ((80, 24), (120, 36), (200, 50), (60, 18), (40, 12))
MORNING = datetime(2025, 6, 30, 3, 0, tzinfo=UTC)
SECTION = re.compile(r"(<!-- (screen (\d+)x(\d+)|keys|check) -->\n).*?(<!-- end -->)", re.DOTALL)


async def screen(
    width: int, height: int, keys_pressed: str = "", *, data: Path = FLEET, theme: str | None = None
) -> tuple[str, str, str]:
    """Return what the app shows at this size as text and as SVG, and its keys as a table.

    Args:
        width: Columns.
        height: Rows.
        keys_pressed: The keys that lead to the screen.
        data: What the app opens.
        theme: None for that of a dark terminal.
    """
    pipeline = Pipeline(Config(), [data], state_reader=StateReader(NO_LOG))
    app = ModeltopApp(Poller(pipeline, clock=lambda: MORNING), AppOptions(theme=theme))
    async with app.run_test(size=(width, height)) as pilot:
        end = asyncio.get_running_loop().time() + 30
        while not is_complete(app) and asyncio.get_running_loop().time() < end:
            await pilot.pause(0.05)
        await pilot.press(*keys_pressed.split())
        await pilot.pause()
        lines = [strip.text.rstrip() for strip in app.screen._compositor.render_strips()]
        # Its fonts would be fetched from elsewhere.
        picture = re.sub(r"@font-face \{.*?\}\s*", "", app.export_screenshot(simplify=True), flags=re.DOTALL)
        return "\n".join(lines), picture, keys(app)


def is_complete(app: ModeltopApp) -> bool:
    """Return whether the screen has all that it will have: data, diagnosis, and the outlook of the series."""
    state = app.main_screen.screen_state
    is_empty = state.snapshot is not None and not state.snapshot.history.series
    return is_empty or (state.diagnosis is not None and state.outlook is not None)


def keys(app: ModeltopApp) -> str:
    """Return the table of keys, from the bindings that the help is made of."""
    rows = ["| | key | what it does |", "| --- | --- | --- |"]
    others = [group for screen in (DiagnosisScreen, PeriodsScreen) for group in key_groups(screen, ())[1:-1]]
    for group, bindings in [*key_groups(MainScreen, app.main_screen.app_keys), *others]:
        name = group
        for keys_shown, text in entries(bindings):
            shown = " ".join(f"`{key}`" for key in keys_shown.split(" "))
            rows.append(f"| {name} | {shown} | {text} |")
            name = ""
    return "\n".join(rows)


def check() -> str:
    """Return what `check` prints of the ten days, up to the rules."""
    snapshot = Pipeline(Config(), [ROOT / "sample_data" / "model_performance_tracking.csv"]).run(MORNING)
    lines = takewhile(lambda line: "default rule:" not in line, text_summary(snapshot))
    return "\n".join(["```text", *lines, "```"])


async def renewed(text: str) -> str:
    """Return a text with its sections written anew."""
    contents: dict[str, str] = {}
    for _, kind, width, height, _ in SECTION.findall(text):
        if kind == "check":
            contents[kind] = check()
        else:
            shown, _, table = await screen(int(width or 120), int(height or 36))
            contents[kind] = table if kind == "keys" else f"```text\n{shown}\n```"
    return SECTION.sub(lambda match: f"{match[1]}\n{contents[match[2]]}\n\n{match[5]}", text)


def words_of_picture(svg: str) -> list[str]:
    """Return the lines of a picture without their blanks: colors and coordinates are the business of Textual."""
    lines: dict[float, str] = {}
    for y, text in re.findall(r'<text[^>]* y="([\d.]+)"[^>]*>(.*?)</text>', svg, re.DOTALL):
        lines[float(y)] = lines.get(float(y), "") + html.unescape(text)
    return [words for _, line in sorted(lines.items()) if (words := "".join(line.split()))]


def write_views(folder: Path) -> None:
    """Write every view at every size, dark and light, as SVG and as text."""
    folder.mkdir(parents=True, exist_ok=True)
    for (name, (data, pressed)), (width, height), theme in product(VIEWS.items(), SIZES, THEMES[:2]):
        shown, picture, _ = asyncio.run(screen(width, height, pressed, data=data, theme=theme))
        for suffix, text in ((".txt", shown), (".svg", picture)):
            (folder / f"{name}-{width}x{height}-{theme}{suffix}").write_text(text, encoding="utf-8")


async def main() -> None:
    """Write every file that has changed."""
    after = {path: await renewed(path.read_text(encoding="utf-8")) for path in TEXTS}
    after[PICTURE] = (await screen(*PICTURE_SIZE))[1]
    for path, text in after.items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            sys.stdout.write(f"{path.relative_to(ROOT)} renewed\n")


if __name__ == "__main__":
    write_views(Path(sys.argv[1])) if sys.argv[1:] else asyncio.run(main())
