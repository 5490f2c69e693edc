"""Writes sixty days of quality with a drop of 0.15 where services and libraries keep it: `quality.py KIND DROP TARGET`.

KIND is mlflow, prometheus, evidently, nannyml, tensorboard or parquet, DROP the day of the drop as a date, ten days ago
in CI, TARGET a tracking URI, a file or a folder. The drop is at 2 in the morning, UTC.
"""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

DAYS = 60
ROWS = 300
"""Predictions of a day."""


def accuracies(drop: datetime) -> Iterator[tuple[datetime, float]]:
    """Yield each day at midnight with its accuracy."""
    for index in range(DAYS):
        day = drop + timedelta(days=index - DAYS + 10)
        yield day, 0.95 + 0.002 * (index * 7 % 5 - 2) - (0.15 if day >= drop else 0)


def to_mlflow(drop: datetime, uri: str) -> None:
    """Log to two experiments, one run over all days and a run a day, and register both runs of a third as a model."""
    from mlflow import MlflowClient
    from mlflow.entities import Metric

    def log(experiment: str, days: list[tuple[datetime, float]]) -> str:
        start = round(days[0][0].timestamp() * 1000)
        run = client.create_run(experiment, start_time=start).info.run_id
        times = [(round((day + timedelta(hours=3)).timestamp() * 1000), value) for day, value in days]
        client.log_batch(run, [Metric("val_accuracy", value, time, step) for step, (time, value) in enumerate(times)])
        client.set_terminated(run)
        return run

    client, days = MlflowClient(uri), list(accuracies(drop))
    log(client.create_experiment("fraud"), days)
    churn = client.create_experiment("churn")
    for day in days[-20:]:
        log(churn, [day])
    shop = client.create_experiment("shop")
    client.create_registered_model("shop")
    for part in (days[:30], days[30:]):
        run = log(shop, part)
        client.create_model_version("shop", f"runs:/{run}/model", run_id=run)
    client.set_registered_model_alias("shop", "champion", 2)


def to_prometheus(drop: datetime, path: str) -> None:
    """Write what a gauge of two versions shows at each scrape, every five minutes, as OpenMetrics for `promtool`."""
    lines = ["# TYPE model_accuracy gauge"]
    now = datetime.now(UTC)
    for day, value in accuracies(drop + timedelta(hours=2)):
        version = "v1" if day < drop - timedelta(days=20) else "v2"
        labels = f'model="fraud",job="scorer",version="{version}",pod="scorer-{version}"'
        for minutes in range(0, 1440, 5):
            scraped = day + timedelta(minutes=minutes)
            if scraped < now:
                lines.append(f"model_accuracy{{{labels}}} {value:.4f} {scraped.timestamp():.0f}")
    Path(path).write_text("\n".join([*lines, "# EOF", ""]))


def predictions(drop: datetime):  # noqa: ANN201  pandas is not everywhere where this file is checked
    """Return a table of predictions with their time, score and label."""
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(7)
    parts = []
    for day, accuracy in accuracies(drop):
        score = rng.uniform(0, 1, ROWS)
        predicted = score > 0.5
        label = np.where(rng.uniform(0, 1, ROWS) < accuracy, predicted, ~predicted)
        times = pd.date_range(day.replace(tzinfo=None), periods=ROWS, freq="4min")
        columns = {"time": times, "score": score, "predicted": predicted.astype(int), "label": label.astype(int)}
        parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True)


def to_evidently(drop: datetime, folder: str) -> None:
    """Write a report a day."""
    from evidently import BinaryClassification, DataDefinition, Dataset, Report
    from evidently.metrics import Accuracy, F1Score

    columns = BinaryClassification(target="label", prediction_labels="predicted", prediction_probas="score")
    definition = DataDefinition(classification=[columns])
    Path(folder).mkdir()
    table = predictions(drop)
    for day, rows in table.groupby(table["time"].dt.date):
        data = Dataset.from_pandas(rows.drop(columns="time").reset_index(drop=True), definition)
        Report([Accuracy(), F1Score()]).run(data, None).save_json(f"{folder}/fraud-{day}.json")


def to_nannyml(drop: datetime, folder: str) -> None:
    """Write the realized performance a day, with both headers that NannyML gives it."""
    import nannyml

    table = predictions(drop)
    calculator = nannyml.PerformanceCalculator(
        y_true="label",
        y_pred="predicted",
        y_pred_proba="score",
        timestamp_column_name="time",
        problem_type="classification_binary",
        metrics=["accuracy", "f1"],
        chunk_period="D",
    )
    calculator.fit(table[: 20 * ROWS])
    result = calculator.calculate(table[20 * ROWS :])
    Path(folder).mkdir()
    result.to_df().to_csv(f"{folder}/two-rows.csv", index=False)
    result.to_df(multilevel=False).to_csv(f"{folder}/flat.csv", index=False)


def to_tensorboard(drop: datetime, folder: str) -> None:
    """Write an event file with a scalar a day."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    writer = EventFileWriter(folder)
    for step, (day, value) in enumerate(accuracies(drop)):
        summary = Summary(value=[Summary.Value(tag="eval/accuracy", simple_value=value)])
        writer.add_event(Event(wall_time=day.timestamp() + 7200.5, step=step, summary=summary))
    writer.close()


def to_parquet(drop: datetime, folder: str) -> None:
    """Write a partition a day and country, as pandas does."""
    import pandas as pd

    days = [(f"{day:%Y-%m-%d}", country, value) for day, value in accuracies(drop) for country in ("DE", "FR")]
    table = pd.DataFrame(days, columns=["date", "country", "accuracy"])
    table.to_parquet(folder, partition_cols=["country", "date"], index=False)


if __name__ == "__main__":
    kind, day, target = sys.argv[1:]
    globals()[f"to_{kind}"](datetime.fromisoformat(day).replace(tzinfo=UTC), target)
