"""What each column is read as, and settings that say the same: reading with them gives the same history."""

import datetime as dt

import pytest

from modeltop.history.csv.layout import DecimalMark, Layout, Scale, Sources
from modeltop.history.inspection import inspect_files
from tests.cases.foreign_files import CASES

DAYS = [dt.date(2025, 1, 9) + dt.timedelta(days=number) for number in range(12)]
GERMAN = "Datum;Modell;Genauigkeit;Land\n" + "".join(
    f"{day:%d.%m.%Y};churn;0,{len(land) + day.day};{land}\n" for day in DAYS for land in ("DE", "FRA")
)


@pytest.fixture
def inspect(history_folder):
    """Returns the inspection of a text."""

    def inspect(text, name="m.csv", **said):
        path = history_folder.write(text, name)
        (found,) = inspect_files(history_folder.reader(path, sources=Sources(flags=Layout(**said))))
        return found

    return inspect


def columns_of(inspection):
    return {column.name: (column.role, column.reason) for column in inspection.columns}


def test_every_column_has_its_role_and_the_reason_for_it(inspect):
    found = inspect("ts,model,val_acc,f1,f1_low,n,epoch,note\n" + "2025-01-01,a,0.9,0.8,0.7,50,3,ok\n" * 1)
    assert columns_of(found) == {
        "ts": ("date", "by its cells"),
        "model": ("model", "by its name"),
        "val_acc": ("metric", "by its name"),
        "f1": ("metric", "by its name"),
        "f1_low": ("low end", "by its name"),
        "n": ("count", "by its name"),
        "epoch": ("not used", ""),
        "note": ("not used", "text: see --model, --segments"),
    }
    assert (found.shape, found.row_count, found.failure) == ("wide", 1, None)


def test_formats_and_columns_that_the_rows_decide_are_there_as_settings(inspect):
    found = inspect(GERMAN)
    assert columns_of(found)["Land"] == ("segment", "rows differ")
    assert [column.format for column in found.columns][:3] == ["%d.%m.%Y", "", "decimal comma"]
    assert found.layout == Layout(
        date="Datum", date_format="%d.%m.%Y", model="Modell", segments=("Land",), decimal=DecimalMark.COMMA
    )


def test_the_scale_is_a_setting_where_all_metrics_have_it(inspect):
    rows = "".join(f"{day},{95 + day.day % 3}.5\n" for day in DAYS)
    assert inspect(f"date,accuracy\n{rows}").layout == Layout(date="date", scale=Scale.PERCENT)


def test_what_is_given_is_called_so(inspect):
    found = inspect("a,b,c\n2025-01-01,2025-01-02,0.9\n", date="b", value="c")
    assert columns_of(found) == {"a": ("not used", ""), "b": ("date", "given"), "c": ("metric", "given")}


def test_a_file_that_is_not_read_has_the_columns_of_its_header_and_says_why(inspect):
    found = inspect("date,accuracy\n01/02/2025,0.9\n02/02/2025,0.9\n")
    assert found.failure.endswith(
        "use `--date-format %d/%m/%Y` or `--date-format %m/%d/%Y` (`date_format` under [sources.NAME])"
    )
    assert columns_of(found) == {"date": ("date", "by its name"), "accuracy": ("metric", "by its name")}
    assert found.history.series == {}


def test_an_empty_file_and_one_without_rows_are_inspected_too(inspect):
    assert inspect("").columns == ()
    assert [column.role for column in inspect("date,accuracy\n").columns] == ["date", "metric"]


@pytest.mark.parametrize("name", CASES)
def test_the_settings_read_the_same_history(history_folder, as_plain_data, name):
    for path, data in CASES[name]().items():
        if not path.endswith(".csv") or "/" in path:
            continue
        file = history_folder.write(data, path)
        (found,) = inspect_files(history_folder.reader(file))
        again = history_folder.reader(file, sources=Sources(flags=found.layout)).read()
        plain = history_folder.reader(file).read()
        series = [as_plain_data(history)[0] for history in (plain, again, found.history)]
        assert series[0] == series[1] == series[2]
