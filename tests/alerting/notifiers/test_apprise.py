"""Apprise: handed plain text, its log kept quiet, its absence explained."""

import logging
import sys

import pytest

from modeltop.alerting.notifiers.apprise import Apprise
from modeltop.core.errors import NotifyError

apprise = pytest.importorskip("apprise", reason="an extra: pip install 'modeltop[apprise]'")
# Its plugins import what Python is about to drop.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
SECRET = "t0psecret-xyzzy42"


def address(served):
    return served.url.replace("http://", "json://") + f"/hook/{SECRET}"


def test_every_address_gets_the_message(serve, secret, message):
    first, second = serve(), serve()
    Apprise(urls=secret(f"{address(first)}\n{address(second)}"), timeout=3).send(message())
    for served in (first, second):
        (request,) = served.requests
        assert request.path == f"/hook/{SECRET}"
        assert request.json["title"] == "critical fraud-detector: accuracy 0.870 < 0.90"
        assert request.json["type"] == "failure"
        assert "0.96 █▇▆▃▁ 0.87" in request.json["message"]


def test_a_failure_may_pass_and_the_log_has_neither_address_nor_text(serve, answer, secret, message, caplog):
    caplog.set_level(logging.DEBUG)
    with pytest.raises(NotifyError, match="not every service accepted it") as caught:
        Apprise(urls=secret(address(serve(answer(500)))), timeout=3).send(message())
    assert not caught.value.permanent
    ours = [record for record in caplog.records if record.name.startswith("apprise")]
    assert ours
    assert all(record.levelno >= logging.WARNING for record in ours)
    assert not [record for record in ours if SECRET in record.getMessage() or "0.87" in record.getMessage()]


def test_an_invalid_address_is_named_by_its_position(secret, message, caplog):
    with pytest.raises(NotifyError, match="address 2 is not known to Apprise") as caught:
        Apprise(urls=secret(f"json://127.0.0.1 nosuch://{SECRET}")).send(message())
    assert caught.value.permanent
    assert SECRET not in caplog.text


def test_a_service_that_writes_its_address_into_the_log_gives_nothing_away(secret, message, caplog):
    from apprise.decorators import notify
    from apprise.manager_plugins import NotificationManager

    @notify(on="leaky", name="leaky")
    def leak(body, title, notify_type, *_, meta, **__):
        logging.getLogger("apprise").warning("cannot reach %s", meta["url"])
        return False

    try:
        with pytest.raises(NotifyError):
            Apprise(urls=secret(f"leaky://{SECRET}")).send(message())
    finally:
        NotificationManager().remove("leaky")
    assert "cannot reach" in caplog.text
    assert SECRET not in caplog.text


def test_foreign_text_becomes_neither_mention_nor_link(serve, secret, message, hostile):
    served = serve()
    Apprise(urls=secret(address(served)), timeout=3).send(message(model=hostile, rule=hostile))
    text = served.requests[0].json["title"] + served.requests[0].json["message"]
    for active in ("@everyone", "<!channel", "<@", "<script", "]("):
        assert active not in text


def test_without_the_library_it_says_how_to_get_it(secret, message, monkeypatch):
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(NotifyError, match=r"pip install 'modeltop\[apprise\]'") as caught:
        Apprise(urls=secret("json://127.0.0.1")).send(message())
    assert caught.value.permanent
