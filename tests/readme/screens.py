"""Writes the screens and the keys into README: `python tests/readme/screens.py`.

They are those of the app on the sample fleet, on the morning after its newest day.
"""

import asyncio
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

from modeltop.cli.context import AppOptions
from modeltop.config.load import Config
from modeltop.service.pipeline import Pipeline
from modeltop_tui.app import ModeltopApp
from modeltop_tui.screens.help import key_groups, keys_of
from modeltop_tui.workers.poller import Poller

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
MORNING = datetime(2025, 6, 30, 3, 0, tzinfo=UTC)
SIZES = ((80, 24), (120, 36))


async def screen(width: int, height: int) -> tuple[str, str]:
    """Return what the app shows at this size, and its keys as a table."""
    poller = Poller(Pipeline(Config(), [ROOT / "sample_data" / "fleet"]), clock=lambda: MORNING)
    app = ModeltopApp(poller, AppOptions())
    async with app.run_test(size=(width, height)) as pilot:
        end = asyncio.get_running_loop().time() + 30
        while not is_complete(app) and asyncio.get_running_loop().time() < end:
            await pilot.pause(0.05)
        await pilot.pause()
        lines = [strip.text.rstrip() for strip in app.screen._compositor.render_strips()]
        return "\n".join(lines), keys(app)


def is_complete(app: ModeltopApp) -> bool:
    """Return whether the screen has all that it will have: data, diagnosis, and the outlook of the series."""
    return app.main_screen.screen_state.diagnosis is not None and app.main_screen.screen_state.outlook is not None


def keys(app: ModeltopApp) -> str:
    """Return the table of keys, from the bindings that the help is made of."""
    rows = ["| | key | what it does |", "| --- | --- | --- |"]
    for group, bindings in key_groups(app.main_screen.app_keys):
        name = group
        for binding in bindings:
            if binding.description:
                shown = " ".join(f"`{key}`" for key in keys_of(binding).split(" "))
                rows.append(f"| {name} | {shown} | {binding.tooltip or binding.description} |")
                name = ""
    return "\n".join(rows)


def replace_section(text: str, name: str, content: str) -> str:
    """Return README with other content between the marks of that name."""
    return re.sub(
        rf"(<!-- {name} -->\n).*?(<!-- end -->)", lambda match: match[1] + content + match[2], text, flags=re.DOTALL
    )


async def renewed(text: str) -> str:
    """Return README with its screens and keys written anew."""
    for width, height in SIZES:
        shown, table = await screen(width, height)
        text = replace_section(text, f"screen {width}x{height}", f"\n```text\n{shown}\n```\n\n")
    return replace_section(text, "keys", f"\n{table}\n\n")


if __name__ == "__main__":
    before = README.read_text(encoding="utf-8")
    after = asyncio.run(renewed(before))
    README.write_text(after, encoding="utf-8")
    sys.stdout.write("README is as it was\n" if before == after else "README renewed\n")
