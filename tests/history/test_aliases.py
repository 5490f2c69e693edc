"""A model that got a new name is one model, under the name that it has now."""

import pytest

OLD = "date,model,accuracy\n2025-01-01,churn-v1,0.91\n2025-01-02,churn-v1,0.92\n"
NEW = "date,model,accuracy\n2025-01-02,churn,0.93\n2025-01-03,churn,0.94\n"
ALIASES = {"churn-v1": "churn"}


@pytest.mark.parametrize("texts", [(OLD, NEW), (NEW, OLD), (OLD + NEW.partition("\n")[2],)])
def test_both_names_are_one_series_and_of_one_date_the_name_of_now_counts(history_folder, values_of, texts):
    history = history_folder.read(*texts, aliases=ALIASES)
    (points,) = values_of(history).values()
    assert [value for _, value in points] == [0.91, 0.93, 0.94]
    (problem,) = history.problems
    assert (problem.source, problem.message, problem.fatal) == (
        "churn",
        "1 date also under an earlier name: the values under this name count",
        False,
    )


def test_days_on_which_both_models_ran_do_not_refuse_the_file(history_folder):
    rows = "".join(
        f"2025-01-{n:02},{name},0.{n + 50}{len(name)}\n" for n in range(1, 9) for name in ("churn-v1", "churn")
    )
    history = history_folder.read(f"date,model,accuracy\n{rows}", aliases=ALIASES)
    (series,) = history.series.values()
    assert list(series.values) == [float(f"0.{n + 50}5") for n in range(1, 9)]
    assert not any(problem.fatal for problem in history.problems)


def test_a_model_that_is_named_by_its_file_has_an_earlier_name_as_well(history_folder):
    for name, day in (("churn-v1", 1), ("churn", 2)):
        history_folder.write(f"date,accuracy\n2025-01-0{day},0.9\n", f"{name}.csv")
    history = history_folder.reader(aliases=ALIASES).read()
    assert [(key.model, len(series)) for key, series in history.series.items()] == [("churn", 2)]


def test_rows_that_are_appended_under_the_earlier_name_count(history_folder):
    path = history_folder.write(OLD)
    reader = history_folder.reader(aliases=ALIASES)
    reader.read()
    history_folder.append(path, b"2025-01-03,churn-v1,0.9\n")
    (series,) = reader.read().series.values()
    assert (series.key.model, len(series)) == ("churn", 3)


def test_a_large_file_is_read_by_the_same_names(history_folder):
    rows = "".join(f"2025-01-01T{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02},churn-v1,0.9\n" for n in range(80_000))
    history = history_folder.read(f"date,model,accuracy\n{rows}", aliases=ALIASES)
    assert {key.model for key in history.series} == {"churn"}


def test_a_name_that_is_no_alias_stays_a_model_of_its_own(history_folder):
    assert len(history_folder.read(OLD, NEW, aliases={"other": "churn"}).series) == 2
