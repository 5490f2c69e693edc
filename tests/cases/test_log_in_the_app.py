"""A prediction log opened by its path on a terminal: recognized, confirmed, computed and shown."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cases.app_in_a_terminal import App


@pytest.fixture
def log(tmp_path):
    """Forty days of a model whose decisions are of no use from the 33rd day on, columns as in the wild."""
    rng, lines = random.Random(4), ["event_time,country,fraud_score,is_fraud,decision"]
    for index in range(40 * 60):
        moment = datetime(2025, 5, 1, tzinfo=UTC) + timedelta(minutes=24 * index)
        score = rng.random()
        is_fraud = rng.random() < (score**2 if index < 32 * 60 else 0.5)
        lines.append(f"{moment:%Y-%m-%d %H:%M:%S},DE,{score:.4f},{'yes' if is_fraud else 'no'},{score >= 0.5}")
    path = tmp_path / "fraud.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_its_columns_are_recognized_and_confirmed_and_the_app_opens_on_it(log, tmp_path):
    with App(log, home=tmp_path) as app:
        app.wait_for("columns recognized: modeltop compute")
        app.wait_for(r"\[Y/n\]")
        app.type("\r")
        app.wait_for("fraud")
        app.wait_for("since 2 Jun")
        app.type("q")
        app.wait_for_end()


def test_without_consent_nothing_is_computed(log, tmp_path):
    with App("compute", log, home=tmp_path) as app:
        app.wait_for(r"\[Y/n\]")
        app.type("n\r")
        app.wait_for("nothing was computed")
        app.wait_for_end()
    assert not list(Path(tmp_path).rglob("*.computed.csv"))
