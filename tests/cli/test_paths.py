"""`modeltop paths` names each file and folder, and what is there."""

import json


def test_every_place_is_named_with_what_is_there(run, tmp_path, ten_days):
    config = tmp_path / "modeltop.toml"
    config.write_text(f'[store]\npath = "{tmp_path / "metrics"}"\n')
    run("record", "m", "accuracy=0.9", "--store", tmp_path / "metrics")
    lines = run("paths", "--config", config).lines
    assert any(line.startswith("configuration ") and str(config) in line for line in lines)
    assert any(line.startswith("store ") and "1 kB" in line for line in lines)
    assert any("state" in line and "not there" in line for line in lines)
    assert any(line.startswith("history ") and "1 kB" in line for line in run("paths", ten_days).lines)


def test_the_state_of_plain_paths_is_where_acknowledgements_go(run, ten_days):
    places = {place["name"]: place["path"] for place in json.loads(run("paths", "--json", ten_days).out)}
    run("note", "m", "a release", ten_days)
    state = places["acknowledgements, silences, notes"]
    assert any(line.endswith(")") and state in line and "file" in line for line in run("paths", ten_days).lines)


def test_nothing_is_made(run, tmp_path):
    run("paths", "--store", tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_an_address_stays_as_it_was_typed(run):
    address = "mlflow:http://127.0.0.1:1?experiment=churn"
    lines = run("paths", address).lines
    assert any(line.startswith("history ") and line.endswith(f"{address}  (an address)") for line in lines)
