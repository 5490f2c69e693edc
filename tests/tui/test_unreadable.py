"""The app on input that could not be read: visible everywhere, and nothing breaks where there is nothing to draw."""

from datetime import UTC, datetime, timedelta

import pytest

from modeltop.config.load import Config
from modeltop.core.series import SeriesKey
from modeltop.diagnosis.diagnose import diagnose_model
from modeltop.service.pipeline import Pipeline
from modeltop_tui.view.metrics import metric_rows
from modeltop_tui.view.state import ScreenState, Selection

CLOCK = datetime(2025, 2, 10, tzinfo=UTC)
DAYS = [f"{datetime(2025, 1, 1, tzinfo=UTC) + timedelta(day):%Y-%m-%d}" for day in range(40)]
KEYS = [
    "j",
    "d",
    "d",
    "v",
    "q",
    "2",
    "j",
    "+",
    "0",
    "3",
    "j",
    "n",
    "x",
    "escape",
    "4",
    "j",
    "s",
    "escape",
    "5",
    "y",
    "1",
]
FILES = {
    "newest.csv": [f"{day},{'0.95' if day < DAYS[38] else 'n.v.'},0.93" for day in DAYS],
    "nothing.csv": [f"{day},??,!!" for day in DAYS],
    "empty.csv": [f"{day},," for day in DAYS],
    "stopped.csv": [f"{day},{'0.95' if day < DAYS[20] else ''},0.93" for day in DAYS],
    "undated.csv": ["soon,0.9,0.9"] * 3,
    "fine.csv": [f"{day},0.95,0.93" for day in DAYS],
}


@pytest.fixture
def unreadable(tmp_path):
    for name, rows in FILES.items():
        (tmp_path / name).write_text("\n".join(["date,accuracy,f1_score", *rows, ""]))
    return Pipeline(Config(), [tmp_path]).run(CLOCK)


async def test_header_and_models_count_what_is_unknown(run, unreadable):
    async with run(unreadable, size=(140, 30)) as screen:
        assert "○1 no data  ○4 unknown  ●1 ok" in screen.lines[0]
        assert "unreadable" in screen.text


@pytest.mark.parametrize("size", [(120, 36), (40, 12)])
async def test_every_screen_works_where_a_model_has_no_series_and_a_file_no_model(run, unreadable, size):
    async with run(unreadable, size=size, diagnose=diagnose_model) as screen:
        for _ in unreadable.model_statuses:
            await screen.press("g", *KEYS)
            await screen.press("e")
        assert screen.app.is_running


async def test_the_alert_and_what_to_do_are_shown_of_the_selected_model(run, unreadable):
    async with run(unreadable, size=(140, 40), diagnose=diagnose_model) as screen:
        for _ in unreadable.model_statuses:
            if screen.selection.model == "newest":
                break
            await screen.press("e")
        assert screen.selection.key == SeriesKey("newest", "accuracy")
        assert "accuracy newest 2 values" in screen.text
        await screen.press("d")
        await screen.wait_for("Correct the input.")


def test_a_metric_without_new_values_is_called_so_and_not_risen(unreadable):
    [row] = [row for row in metric_rows(ScreenState(unreadable, Selection("stopped"))) if row.key.metric == "accuracy"]
    assert row.texts["limit"] == "no data"
