"""The same data is the same state: acknowledged by one spelling of a path and seen by all, watched by one watcher."""

import re
import subprocess
from datetime import timedelta

import pytest

from tests.trust.conftest import wait_until

BAD, HOUR = 0.5, timedelta(hours=1)


@pytest.fixture
def fallen(machine):
    """A machine with two models that fell."""
    for model in ("m1", "m2"):
        machine.healthy(model, ends=machine.clock.now - HOUR)
        machine.rows(model, BAD, ends=machine.clock.now)
    (machine.home / "link").symlink_to("store")
    (machine.home / "m1-link.csv").symlink_to("store/m1.csv")
    return machine


def acked(machine, *words):
    return "acked by" in machine.run("alerts", *words)[1]


@pytest.mark.parametrize("spelling", ["store/", "{home}/store", "link", "link/../store/m1.csv", "m1-link.csv"])
def test_a_store_has_one_state_and_one_watcher_however_its_path_is_spelled(fallen, spelling):
    path = spelling.format(home=fallen.home)
    fallen.watch()
    code, output = fallen.run("watch", "--once", path)
    assert (code, output.count("leads; nothing is left to do")) == (0, 1), output
    assert fallen.run("ack", "m1/accuracy", path, "--why", "mine")[0] == 0
    assert acked(fallen, "--store", "store")
    assert fallen.run("unack", "m1/accuracy", "--store", "store")[0] == 0
    assert not acked(fallen, path)
    assert fallen.hooks["ops"].models() == ["m1", "m2"]


@pytest.mark.parametrize("name", ["label=1", "m[12]", "state", "a.csv"])
def test_what_was_acknowledged_before_a_folder_was_a_store_is_acknowledged_in_the_store(fallen, name):
    (fallen.home / "store").rename(fallen.home / name)
    (fallen.home / "store").symlink_to(name)
    assert fallen.run("ack", "m1/accuracy", name, "--why", "mine")[0] == 0
    assert acked(fallen, name)
    assert acked(fallen, "--store", name)
    assert acked(fallen, "store")
    assert (fallen.home / name / "state").is_dir()


def test_a_file_of_a_store_says_nothing_of_models_in_the_others(fallen):
    """The incident of m2 is open, and neither lost nor over because only m1 is read."""
    fallen.run("watch", "--once")
    fallen.rows("m1", 0.95, 0.95, ends=fallen.clock.now + timedelta(minutes=1), step=timedelta(seconds=30))
    code, output = fallen.run("check", "store/m1.csv")
    assert (code, "m2" in output) == (0, False), output
    assert "m2" not in fallen.run("watch", "--once", "store/m1.csv")[1]
    (fallen.home / "store" / "m2.csv").unlink()
    assert fallen.run("check", "store/m1.csv")[0] == 3, "now it is lost, wherever it was"


def test_watchers_of_overlapping_paths_say_so(fallen):
    fallen.watch()
    fallen.rows("m3", BAD, ends=fallen.clock.now)
    (fallen.home / "store" / "m3.csv").rename(fallen.home / "m3.csv")
    code, output = fallen.run("watch", "--once", "store/m1.csv", "m3.csv")
    shared = re.search(r"process \d+ on .* also watches (\S+): both notify", output)
    assert (code, shared[1]) == (0, str(fallen.home / "store" / "m1.csv"))


def test_a_watcher_on_standby_says_what_the_leader_does_not_watch(fallen):
    fallen.run("watch", "--once", "--store", "store")
    log = fallen.home / "one-model.log"
    with log.open("wb") as err:
        leader = subprocess.Popen(fallen._argv("watch", "store/m1.csv"), cwd=fallen.home, env=fallen._env(), stderr=err)
    try:
        assert wait_until(lambda: "leads from now on" in log.read_text(), 20)
        code, output = fallen.run("watch", "--once")
    finally:
        leader.terminate()
        leader.wait()
    assert code == 1, "a model that no one watches is not OK"
    assert f"does not watch {fallen.home / 'store'}" in output
