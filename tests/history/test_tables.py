"""Prediction logs, feature tables and training logs are told from metric history, whether or not they have dates."""

from datetime import UTC, datetime, timedelta

import pytest

START = datetime(2025, 1, 1, tzinfo=UTC)


def table(header, row, *, rows=200, minutes=11.683):
    """Return a CSV file: in `row`, `at` and `day` are of an event, `day3` of three rows, `bit` and `digit` repeat."""
    lines = [header]
    for n in range(rows):
        at = START + timedelta(minutes=minutes * n)
        day3 = START + timedelta(days=n // 3)
        fields = {"n": n, "bit": n % 2, "third": n % 3, "digit": n % 10, "epoch": int(at.timestamp())}
        lines.append(row.format(at=f"{at:%Y-%m-%d %H:%M:%S}", day=f"{at:%Y-%m-%d}", day3=f"{day3:%Y-%m-%d}", **fields))
    return "\n".join(lines) + "\n"


DAILY, HOURLY = {"minutes": 1440}, {"minutes": 60}
LOGS = {
    "label and prediction": table("timestamp,label,prediction", "{at},{bit},{bit}"),
    "one row a day": table("date,y_true,y_pred", "{day},{n}.5,{n}.25", **DAILY),
    "label and score": table("timestamp,label,score", "{at},{bit},0.{digit}"),
    "label and score of whole hours": table("timestamp,label,score", "{at},{bit},0.{digit}", **HOURLY),
    "text labels of a day": table("date,label,score", "{day},c{third},0.{digit}"),
    "target and score": table("timestamp,target,score", "{at},{bit},0.{digit}"),
    "scores of events": table("timestamp,score", "{at},0.{digit}"),
    "scores by id": table("date,request_id,score", "{day},{n},0.{digit}"),
    "predictions of events": table("timestamp,prediction", "{at},{bit}"),
    "prediction in other letters": table("Timestamp;Y True;Y-Pred", "{at};{bit};{bit}"),
    "a model column": table("ts,model,label,prediction", "{at},m{bit},{bit},1"),
    "a label called like the score": table("event_time,fraud_score,is_fraud", "{at},0.{digit},{bit}"),
    "a label of the same stem": table("ts,churn_probability,churned", "{at},0.{digit},{bit}"),
    "words for prediction and label": table("time,predicted_class_name,actual_class_name", "{at},true,{bit}"),
    "amounts": table("timestamp,area,predicted_price,actual_price", "{at},{digit},{n}.5,{n}.25"),
    "amounts of a day by id": table("date,house_id,predictedPrice,actualPrice", "{day},{n},{n},{n}.25"),
    "epoch seconds": table("timestamp,label,prediction", "{epoch},{bit},1"),
}
HISTORIES = {
    "a metric called score": table("date,score", "{day},0.{digit}", **DAILY),
    "means of what was predicted": table("date,avg_score,predicted_rate,actual_rate", "{day},0.7,0.3,0.2", **DAILY),
    "hourly means of what was predicted": table("date,predicted_rate,actual_rate", "{at},0.{digit},0.25", **HOURLY),
    "amounts of days": table("date,predicted_demand,actual_demand", "{day},{n},{n}.25", **DAILY),
    "amounts of days by model": table("date,model,predicted_demand,actual_demand", "{day3},m{third},{n},{n}", **DAILY),
    "a flag of another name": table("date,drift_score,is_holiday", "{at},0.{digit},{bit}", **HOURLY),
    "hourly scores": table("date,score", "{at},0.{digit}", **HOURLY),
    "scores by model": table("date,model,score", "{day3},m{third},0.9"),
    "scores by country": table("date,country,score", "{day3},c{third},0.9"),
    "scores by label": table("date,label,score", "{day3},v{third},0.9"),
    "a target beside the score": table("date,target,score", "{day},0.95,0.{digit}", **DAILY),
    "metrics by label": table("date,label,precision", "{day3},c{third},0.9"),
    "a target beside the metric": table("date,accuracy,target", "{day},0.9,0.95", **DAILY),
    "the long shape": table("date,metric,value,run_id", "{day},accuracy,0.9,{n}", **DAILY),
    "runs": table("date,run_id,accuracy", "{day},{n},0.9", **DAILY),
}


@pytest.mark.parametrize("name", LOGS)
def test_a_prediction_log_with_dates_is_no_history_and_answered_with_its_command(history_folder, name):
    history = history_folder.read(LOGS[name])
    (problem,) = history.problems
    assert history.series == {}
    assert problem.fatal
    assert problem.message.startswith("a prediction log, not metrics: run `modeltop compute ")


@pytest.mark.parametrize("name", HISTORIES)
def test_metric_history_is_never_taken_for_a_log(history_folder, name):
    problems = history_folder.read(HISTORIES[name]).problems
    assert not [problem for problem in problems if "log" in problem.message or "feature" in problem.message]


def test_the_command_names_the_columns_that_were_found(history_folder, monkeypatch):
    monkeypatch.chdir(history_folder.folder)
    history_folder.write(table("when,Y True,proba,my prediction", "{at},{bit},0.{digit},x"))
    (problem,) = history_folder.reader("m.csv").read().problems
    assert problem.message == (
        "a prediction log, not metrics: run `modeltop compute m.csv --timestamp when --label 'Y True' "
        "--prediction 'my prediction' --score proba`"
    )


def test_a_feature_table_with_dates_asks_for_the_predictions(history_folder):
    (problem,) = history_folder.read(table("date,customer_id,age,income", "{day},{n},{digit},{n}0")).problems
    assert problem.message.startswith("a feature table without predictions: add the model's predictions as a column")
    assert problem.message.endswith("--timestamp date --prediction COLUMN --feature all`")


def test_a_log_beside_metrics_in_a_folder_is_left_alone_and_reported(history_folder):
    history_folder.write(LOGS["label and prediction"], "log.csv")
    history_folder.write("date,accuracy\n2025-01-01,0.9\n", "churn.csv")
    history = history_folder.reader().read()
    assert list(history.periods) == ["churn"]
    assert [problem.fatal for problem in history.problems] == [False]


def test_a_log_is_recognized_in_volume_too(history_folder):
    history_folder.write(table("timestamp,label,prediction", "{at},{bit},1", rows=60_000), "log.csv")
    history = history_folder.reader(history_folder.folder / "log.csv").read()
    assert (history.series, [problem.fatal for problem in history.problems]) == ({}, [True])
