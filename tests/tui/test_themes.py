"""The colors of the themes, computed from what is rendered: contrast, color blindness, focus, and what is bold."""

from itertools import combinations

import numpy as np
import pytest
from rich.color import ColorSystem
from textual.screen import Screen

from modeltop_tui.themes import DARK, LIGHT
from modeltop_tui.view.styled_text import ROLES, TINTS, with_cursor
from modeltop_tui.widgets.pane import Lines

TEXT, GRAPHICS = 4.5, 3.0
"""Least contrast by WCAG 2.1, success criteria 1.4.3 (level AA) and 1.4.11."""
LEAST_DIFFERENCE = 15.0
"""Least difference of two colors (CIE 1976): half of all people notice 14 along the worst axis for marks of 1/3 degree,
about the height of a cell (Stone, Szafir and Setlur 2014, An engineering model for color difference as a function of
size)."""
GRAPHIC_RANGES = ((0x2500, 0x259F), (0x2800, 0x28FF))
"""Lines, blocks and braille; all other characters are text."""
VISIONS = {
    "normal": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
"""Linear RGB as others see it: Machado, Oliveira and Fernandes 2009, table 1, severity 1.0."""
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
"""IEC 61966-2-1; the second row is the relative luminance of WCAG."""
DEPTHS = [ColorSystem.TRUECOLOR, ColorSystem.EIGHT_BIT]
BOTH = pytest.mark.parametrize("theme", [DARK, LIGHT])
IN_EACH_DEPTH = pytest.mark.parametrize("depth", DEPTHS, ids=["true color", "256 colors"])


def linear(color):
    values = np.array(color) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def contrast(one, other):
    low, high = sorted(TO_XYZ[1] @ linear(color) for color in (one, other))
    return (high + 0.05) / (low + 0.05)


def lab(color, vision):
    """CIE L*a*b* under D65."""
    xyz = TO_XYZ @ np.clip(VISIONS[vision] @ linear(color), 0, 1) / TO_XYZ.sum(axis=1)
    x, y, z = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def alike(colors):
    """The pairs that differ too little, by the vision for which they do."""
    return {
        (vision, first, second): round(float(distance), 1)
        for vision in VISIONS
        for first, second in combinations(sorted(colors), 2)
        if (distance := np.linalg.norm(lab(colors[first], vision) - lab(colors[second], vision))) < LEAST_DIFFERENCE
    }


def seen(style, depth=ColorSystem.TRUECOLOR):
    """The two colors of a style as the terminal shows them."""
    both = [tuple(color.downgrade(depth).get_truecolor()) for color in (style.color, style.bgcolor)]
    return both[::-1] if style.reverse else both


def is_graphic(text):
    return all(any(low <= ord(char) <= high for low, high in GRAPHIC_RANGES) for char in text if not char.isspace())


def segments(screen):
    return [(part.text, part.style) for strip in screen.app.screen._compositor.render_strips() for part in strip]


def too_faint(screen, depth):
    """What has too little contrast on the screen: text and contrast."""
    found = {}
    for text, style in segments(screen):
        value = contrast(*seen(style, depth)) if text.strip() else 21.0
        if value < (GRAPHICS if is_graphic(text) else TEXT):
            found[text.strip()] = round(float(value), 2)
    return found


class Sheet(Lines):
    """A line for each role, plain and on both kinds of selected rows; borders are no text."""

    def frame(self, width, height):
        rows = [(("▲ ", role), (role, role)) for role in ROLES if role != "border"]
        lines = [*rows, (("─", "border"),)]
        lines += [with_cursor(row, width, focused=focused) for row in rows for focused in (True, False)]
        return [*lines, *[()] * height][:height]


@pytest.fixture
async def sheet(fleet, run, theme):
    """The app with a screen that shows every role by its name."""
    async with run(fleet, size=(40, 3 * len(ROLES)), theme=theme) as screen:
        await screen.app.push_screen(Screen())
        widget = Sheet()
        widget.styles.height = "1fr"
        await screen.app.screen.mount(widget)
        await screen.pilot.pause()
        yield screen


def colors_of(screen, depth, names):
    return {text.strip(): seen(style, depth)[0] for text, style in segments(screen)[::-1] if text.strip() in names}


def test_the_formulas_give_published_values():
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21, abs=1e-3)
    assert contrast((118, 118, 118), (255, 255, 255)) == pytest.approx(4.54, abs=0.005)
    # By colorspacious 1.1.2, which has both the simulation and L*a*b*.
    assert lab((0, 109, 109), "normal") == pytest.approx([41.28, -25.71, -7.56], abs=0.02)
    assert lab((255, 95, 95), "protanopia") == pytest.approx([53.53, -2.30, 19.90], abs=0.02)
    assert lab((255, 95, 95), "deuteranopia") == pytest.approx([66.54, -4.44, 38.89], abs=0.02)
    assert lab((255, 95, 95), "tritanopia") == pytest.approx([57.40, 73.29, 26.23], abs=0.02)


@BOTH
@IN_EACH_DEPTH
async def test_every_role_is_readable_plain_and_on_a_selected_row(sheet, depth):
    assert {*ROLES, "─"} - {"border"} <= {word for text, _ in segments(sheet) for word in text.split()}
    assert too_faint(sheet, depth) == {}


@BOTH
@pytest.mark.parametrize("size", [(80, 24), (120, 36)], ids=["80x24", "120x36"])
@pytest.mark.parametrize("keys", ["", "4", "3mc", "/zz", ":ch", "Nx", "v", "?", "\r"])
async def test_every_text_and_line_of_a_screen_has_the_contrast_of_level_aa(fleet, run, theme, size, keys):
    async with run(fleet, size=size, theme=theme) as screen:
        await screen.press(*("enter" if key == "\r" else key for key in keys))
        assert {depth.name: too_faint(screen, depth) for depth in DEPTHS} == {depth.name: {} for depth in DEPTHS}


@BOTH
@IN_EACH_DEPTH
async def test_no_two_severities_look_alike_to_anyone(sheet, depth):
    assert alike(colors_of(sheet, depth, [f"▲ {role}" for role in TINTS.values()])) == {}


@BOTH
@IN_EACH_DEPTH
async def test_no_two_lines_of_an_overlay_look_alike_to_anyone_and_none_has_the_color_of_a_severity(
    make, run, theme, depth
):
    names = {"1 precision", "2 recall", "3 f1_score"}
    severities = {"▲1 critical", "◆1 warning", "○1 no data", "●1 ok"}
    models = [*make.ten_days(), make.healthy("ranker"), make.series([0.95] * 9 + [0.91], model="churn")]
    models.append(make.series([0.95] * 5, model="search"))
    rules = [make.floor_rule(warn=0.92)]
    async with run(make.snapshot(*models, rules=rules, now=make.clock), theme=theme) as screen:
        await screen.press("right", "m")
        lines, others = colors_of(screen, depth, names), colors_of(screen, depth, severities)
    assert ({*lines}, {*others}) == (names, severities)
    assert alike(lines) == {}
    assert [pair for vision, *pair in alike(lines | others) if vision == "normal"] == []


@pytest.mark.parametrize("keys", ["1", "2", "3", "4", "5"])
async def test_the_frame_of_the_focused_pane_has_the_color_of_its_title_all_around(fleet, run, keys):
    async with run(fleet, size=(80, 24)) as screen:
        await screen.press(keys)
        focus, lit = screen.app.main_screen.focused_pane, set()
        for y, strip in enumerate(screen.app.screen._compositor.render_strips()):
            x = 0
            for text, style, _ in strip:
                if style.color == focus.style_of("focus").color:
                    lit |= {(x + at, y) for at, char in enumerate(text) if 0x2500 <= ord(char) <= 0x257F}
                x += len(text)
        left, top, right, bottom = focus.region.x, focus.region.y, focus.region.right, focus.region.bottom
        right, bottom = min(right, 79), min(bottom, 22)
        outline = {(x, y) for x in range(left, right + 1) for y in range(top, bottom + 1)}
        outline -= {(x, y) for x in range(left + 1, right) for y in range(top + 1, bottom)}
        titles = {(x, y) for x, y in outline if screen.lines[y][x] not in "─│┌┐└┘├┤┬┴┼"}
        assert lit == outline - titles
        assert len(titles) < 80


async def test_a_selected_row_is_colored_whole_and_stronger_in_the_focused_pane(fleet, run):
    async with run(fleet, size=(80, 24)) as screen:
        background = screen.app.main_screen.rich_style.bgcolor
        names = (screen.selection.model, screen.selection.key.metric)
        for key, focused, other in (("1", *names), ("2", *names[::-1])):
            await screen.press(key)
            assert {style.reverse for style in row_styles(screen, focused)} == {True}
            others = {(style.reverse, style.bgcolor == background) for style in row_styles(screen, other)}
            assert others == {(None, False)}


def row_styles(screen, name):
    """The styles of the row of a pane that starts with this name, between its borders."""
    for strip in screen.app.screen._compositor.render_strips():
        parts = [(part.text, part.style) for part in strip]
        start = next((at for at, (text, _) in enumerate(parts) if text.startswith(f"{name} ")), None)
        if start is not None:
            end = next(at for at, (text, _) in enumerate(parts) if at > start and "│" in text)
            return [style for _, style in parts[start - 1 : end]]
    raise AssertionError(name)


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (60, 18)])
@pytest.mark.parametrize("keys", ["", "3m", "v", "?", "/x", "S"])
async def test_nothing_is_bold_but_what_happened(fleet, run, size, keys):
    async with run(fleet, size=size) as screen:
        await screen.press(*keys)
        bold = [text.strip() for text, style in segments(screen) if style.bold and text.strip()]
    assert len(bold) <= 1
    assert keys in ("v", "?") or size == (60, 18) or bold[0].startswith("fraud: ")


async def test_focus_and_selection_are_seen_without_any_color(fleet, run):
    async with run(fleet, size=(80, 24), theme="ansi-dark") as screen:
        names = (screen.selection.model, screen.selection.key.metric)
        rows = [{(style.reverse, style.dim) for style in row_styles(screen, name)} for name in names]
        dim = {style.dim for text, style in segments(screen) if text[:1] == "└"}
        titles = {text[:1]: style.reverse for text, style in segments(screen) if text[:8] in ("1 Models", "2 Metric")}
    assert rows == [{(True, None)}, {(True, True)}]
    assert dim == {True}
    assert titles == {"1": True, "2": None}
