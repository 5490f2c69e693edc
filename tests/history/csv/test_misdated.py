"""Rows with a mistyped year, which would be sorted to the start and hide that nothing newer was read."""

import datetime as dt

import pytest

from modeltop.core.series import FaultReason
from modeltop.history import tail

FIRST = dt.date(2025, 1, 1)
DAYS = [FIRST + dt.timedelta(days=number) for number in range(90)]
WRONG = [day.replace(year=2015) for day in DAYS[-3:]]
MIXED = sorted(DAYS[:-3] + WRONG, key=lambda day: day.toordinal() * 37 % 91)
ROWS = 200_000


def table(days, model=""):
    head, cell = ("date,model,accuracy\n", f",{model}") if model else ("date,accuracy\n", "")
    return head + "".join(f"{day}{cell},0.{900 + day.toordinal() % 50}\n" for day in days)


def faults(history):
    return [fault for file in history.files for fault in file.faults if fault.reason is FaultReason.ROWS_MISDATED]


ENDS = [
    pytest.param(DAYS[:-3] + WRONG, 89, "the newest 3 rows are dated 2015, 10 years before the row above", id="decade"),
    pytest.param([*reversed(DAYS[:-3] + WRONG)], 2, "10 years before the row below", id="newest first"),
    pytest.param(DAYS[:-1] + WRONG[-1:], 91, "the newest row is dated 2015", id="one row"),
    pytest.param([*DAYS[:-1], DAYS[-1].replace(year=2024)], 91, "dated 2024, 1 year before", id="last year"),
    pytest.param([*DAYS[:7], DAYS[7].replace(year=2015)], 9, "dated 2015", id="few rows"),
    pytest.param(MIXED, min(map(MIXED.index, WRONG)) + 2, "before the others", id="in no order"),
]


@pytest.mark.parametrize(("days", "line", "message"), ENDS)
@pytest.mark.parametrize("end", ["\n", ""])
def test_newest_rows_with_a_wrong_year_are_a_fault_and_no_data(history_folder, days, line, message, end):
    history = history_folder.read(table(days).rstrip() + end)
    (fault,) = faults(history)
    assert message in fault.message
    assert fault.line == line
    assert history.periods["m"][0].item().date() == FIRST


AHEAD = [day.replace(year=2062) for day in DAYS[-3:-1]]


@pytest.mark.parametrize("ahead", [AHEAD[:1], AHEAD])
def test_a_right_row_behind_rows_of_another_decade_is_the_newest(history_folder, ahead):
    history = history_folder.read(table([*DAYS[:-3], *ahead, DAYS[-1]]))
    assert not faults(history)
    assert history.periods["m"][-1].item().date() == DAYS[-1]
    assert "dated 2062, 37 years after the row above" in history.problems[0].message


GOOD = [
    pytest.param(DAYS[::-1], id="newest first"),
    pytest.param(DAYS[::2] + DAYS[1::2], id="two parts"),
    pytest.param(DAYS[7:] + DAYS[:7], id="out of order"),
    pytest.param([dt.date(2022, 5, 1), *DAYS], id="an old row at the start"),
    pytest.param([*[day.replace(year=2023) for day in DAYS], *DAYS, dt.date(2023, 2, 3)], id="a correction"),
    pytest.param([*DAYS, *[dt.date(2024, 1, 1) + dt.timedelta(days=number) for number in range(40)]], id="a backfill"),
    pytest.param([dt.date(year, 1, 1) for year in (2018, 2019, 2020, 2021, 2022, 2023, 2017)], id="years"),
    pytest.param([dt.date(2025, 1, 2), dt.date(2025, 1, 3), dt.date(2025, 1, 4), dt.date(2024, 1, 1), FIRST], id="few"),
]


@pytest.mark.parametrize("days", GOOD)
def test_rows_in_another_order_are_read_as_they_are(history_folder, days):
    history = history_folder.read(table(days))
    assert [moment.date() for moment in history.periods["m"].tolist()] == sorted(set(days))
    assert not history.problems


def test_each_model_is_judged_by_its_own_rows(history_folder):
    late, early = table(DAYS, "late"), table([day.replace(year=2023) for day in DAYS], "early")
    history = history_folder.read(late + early.partition("\n")[2] + table(DAYS[:-1] + WRONG[-1:], "slip")[20:])
    (fault,) = faults(history)
    assert (fault.models, fault.line) == (("slip",), 271)


def test_a_wrong_year_in_the_middle_loses_its_row_and_is_reported(history_folder):
    for year in (2015, 2024, 2026):
        history = history_folder.read(table([*DAYS[:40], DAYS[40].replace(year=year), *DAYS[41:]]))
        (problem,) = history.problems
        assert f"dated {year}" in problem.message
        assert problem.line == 42
        assert len(history.periods["m"]) == len(DAYS) - 1
        assert not faults(history)


def test_rows_with_a_wrong_year_are_found_when_they_are_appended(history_folder):
    path = history_folder.write(table(DAYS[:-1]))
    reader = history_folder.reader()
    assert not reader.read().problems
    history_folder.append(path, f"{WRONG[-1]},0.9\n".encode())
    (fault,) = faults(reader.read())
    assert fault.line == 91
    history_folder.write(table(DAYS))
    assert not reader.read().problems


@pytest.mark.parametrize("in_parts", [False, True])
def test_rows_with_a_wrong_year_are_found_in_volume(history_folder, monkeypatch, in_parts):
    if in_parts:
        monkeypatch.setattr(tail, "CHUNK_BYTES", 2**20)
    first = dt.datetime(2025, 1, 1)  # noqa: DTZ001  naive UTC
    moments = [first + dt.timedelta(minutes=number) for number in range(ROWS)]
    text = "date,accuracy\n" + "".join(f"{moment},0.9\n" for moment in moments)
    history = history_folder.read(text + "2015-05-20 21:20:00,0.9\n")
    (fault,) = faults(history)
    assert fault.line == ROWS + 2
