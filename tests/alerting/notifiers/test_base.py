"""The table of receivers, how secrets are held, and what is loaded when."""

import copy
import logging
import os
import pickle
import socket
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from modeltop.alerting.notifiers.alertmanager import Alertmanager
from modeltop.alerting.notifiers.apprise import Apprise
from modeltop.alerting.notifiers.base import (
    NOTIFIER_TYPES,
    Receiver,
    SecretRef,
    fingerprint,
    notifier_type,
    unusable_reason,
)
from modeltop.alerting.notifiers.command import Command
from modeltop.alerting.notifiers.email import Email
from modeltop.alerting.notifiers.pagerduty import PagerDuty
from modeltop.alerting.notifiers.slack import Slack
from modeltop.alerting.notifiers.webhook import Webhook
from modeltop.core.errors import NotifyError

SECRET = "t0psecret-xyzzy42"


@pytest.fixture
def private(tmp_path):
    """A file that its owner alone can read."""

    def write(text, mode=0o600):
        path = tmp_path / "secret"
        path.write_bytes(text)
        path.chmod(mode)
        return path

    return write


def refusal(secret):
    with pytest.raises(NotifyError) as caught:
        secret.read()
    assert caught.value.permanent
    assert SECRET not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", NOTIFIER_TYPES)
def test_every_kind_is_a_notifier_found_by_its_name(name):
    result = notifier_type(name)
    assert callable(result.send)
    assert {type(result.exempt), type(result.acknowledges)} == {bool}
    assert "timeout" in {field.name for field in fields(result)}


def test_only_what_groups_by_itself_is_neither_grouped_nor_capped():
    assert [name for name in NOTIFIER_TYPES if notifier_type(name).exempt] == ["pagerduty", "alertmanager"]


def test_a_secret_is_read_when_it_is_used_and_shown_nowhere(private, monkeypatch):
    monkeypatch.setenv("HOOK", f" {SECRET}\n")
    for secret in (SecretRef(env="HOOK"), SecretRef(file=str(private(f"{SECRET}\n".encode())))):
        assert secret.read() == SECRET
        for shown in (
            repr(secret),
            str(secret),
            f"{secret}",
            f"{secret!r:>9}",
            repr([secret]),
            repr(copy.copy(secret)),
        ):
            assert SECRET not in shown
            assert "secret" in shown
        assert SECRET.encode() not in pickle.dumps(secret)


def test_a_missing_secret_is_named_by_its_source(tmp_path, private, monkeypatch):
    monkeypatch.setenv("EMPTY", "  ")
    assert refusal(SecretRef(env="NOT_THERE")) == "NOT_THERE is not set: the secret is missing"
    assert refusal(SecretRef(env="EMPTY")) == "EMPTY is not set: the secret is missing"
    assert refusal(SecretRef(file=str(private(b"\n")))).endswith("secret is empty: the secret is missing")
    assert refusal(SecretRef(file=str(tmp_path / "no"))).endswith("no cannot be read: No such file or directory")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o620, 0o777])
def test_a_file_that_others_can_reach_is_refused(private, mode):
    assert refusal(SecretRef(file=str(private(SECRET.encode(), mode)))).endswith(f"(mode {mode:o}): chmod 600 it")


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_file_of_its_owner_alone_is_taken(private, mode):
    assert SecretRef(file=str(private(SECRET.encode(), mode))).read() == SECRET


def test_what_is_no_file_of_text_is_refused(private, tmp_path):
    os.mkfifo(tmp_path / "pipe", 0o600)
    assert refusal(SecretRef(file=str(tmp_path / "pipe"))).endswith("is not a regular file")
    assert "secret is not UTF-8" in refusal(SecretRef(file=str(private(b"\xff\xfe" + SECRET.encode()))))
    assert "cannot be read" in refusal(SecretRef(file=str(tmp_path / "a\0b")))


def test_why_a_receiver_cannot_be_used_is_reported_before_it_is(tmp_path, monkeypatch):
    slack = Slack(url=SecretRef(env="HOOK"), ca_file=tmp_path / "ca.pem")
    assert unusable_reason(slack) == "HOOK is not set: the secret is missing"
    monkeypatch.setenv("HOOK", SECRET)
    assert unusable_reason(slack).endswith("ca.pem cannot be read: No such file or directory")
    (tmp_path / "ca.pem").write_text("")
    assert unusable_reason(slack) is None


def test_a_fingerprint_changes_with_the_settings_and_with_the_secret_s_file(private):
    path = private(SECRET.encode())
    first = Slack(url=SecretRef(file=str(path)))
    same, slower, elsewhere = (
        Slack(url=SecretRef(file=str(path))),
        Slack(url=first.url, timeout=3),
        Slack(url=SecretRef(env="X")),
    )
    before = fingerprint(first)
    assert before == fingerprint(same)
    os.utime(path, ns=(1, 1))
    assert len({before, fingerprint(first), fingerprint(slower), fingerprint(elsewhere)}) == 4


def test_a_fingerprint_is_the_same_in_another_process_and_without_the_secret(monkeypatch):
    monkeypatch.setenv("HOOK", SECRET)
    code = (
        "from modeltop.alerting.notifiers.base import SecretRef, fingerprint;"
        "from modeltop.alerting.notifiers.slack import Slack;"
        "print(fingerprint(Slack(url=SecretRef(env='HOOK'))))"
    )
    env = {name: text for name, text in os.environ.items() if name != "HOOK"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    assert done.stdout.strip() == fingerprint(Slack(url=SecretRef(env="HOOK")))


def test_naming_receivers_loads_nothing_that_sends(tmp_path):
    code = (
        "import sys; from modeltop.alerting.notifiers.base import notifier_type, NOTIFIER_TYPES\n"
        "for name in NOTIFIER_TYPES: notifier_type(name)\n"
        "print(*[name for name in ('urllib3', 'ssl', 'smtplib', 'apprise', 'http.client') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def planted(secret, port):
    """One of each kind, a secret in every field that takes one; none can be reached."""
    dead = f"http://127.0.0.1:{port}"
    return {
        "slack": Slack(url=secret(f"{dead}/{SECRET}"), timeout=0.4),
        "pagerduty": PagerDuty(routing_key=secret(SECRET), url=dead, timeout=0.4),
        "email": Email(host="127.0.0.1", port=port, sender="a@b.test", to=("c@d.test",), user="ana",
                       password=secret(SECRET), timeout=0.4),
        "webhook": Webhook(url=secret(f"{dead}/{SECRET}"), signing_key=secret(SECRET), token=secret(SECRET)),
        "command": Command(command=(sys.executable, "-c", "import sys; sys.exit(str(sys.argv))"), timeout=5),
        "alertmanager": Alertmanager(urls=(dead,), token=secret(SECRET), timeout=0.4),
        "apprise": Apprise(urls=secret(dead.replace("http", "json") + f"/{SECRET}"), timeout=0.4),
    }  # fmt: skip


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", NOTIFIER_TYPES)
def test_a_planted_secret_appears_in_no_error_no_repr_and_no_log(name, secret, message, caplog):
    if name == "apprise":
        pytest.importorskip("apprise", reason="an extra")
    caplog.set_level(logging.DEBUG)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    notifier = planted(secret, port)[name]
    sent = message()
    with pytest.raises(NotifyError) as caught:
        notifier.send(sent)
    chain, error = [], caught.value
    while error is not None and error not in chain:
        chain.append(error)
        error = error.__cause__ if error.__suppress_context__ else error.__cause__ or error.__context__
    shown = [repr(notifier), repr(Receiver("ops", notifier)), caplog.text, fingerprint(notifier), repr(sent)]
    shown += [f"{cause} {cause!r}" for cause in chain]
    assert not [text for text in shown if SECRET in text]


def test_a_planted_secret_is_in_no_argv(secret, message, tmp_path):
    """While a program runs, anybody may read its arguments."""
    path = tmp_path / "seen"
    code = "import sys; open(sys.argv[1], 'wb').write(open('/proc/self/cmdline', 'rb').read())"
    if not Path("/proc/self/cmdline").exists():
        pytest.skip("arguments of a process cannot be read here")
    Command(command=(sys.executable, "-c", code, str(path))).send(message())
    assert path.read_bytes().rstrip(b"\0").split(b"\0")[3:] == [str(path).encode()]
