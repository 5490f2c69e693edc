"""The webhook: JSON that a program can rely on, signed so that it can believe it."""

import base64
import hashlib
import hmac
import json
import time
from dataclasses import replace
from datetime import timedelta

import pytest

from modeltop.alerting.notifiers.webhook import Webhook, identifier, payload
from modeltop.core.errors import NotifyError

KEY = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()


def verified(request, key):
    """As https://www.standardwebhooks.com says, step by step."""
    signed = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode() + request.body
    digest = hmac.new(key, signed, hashlib.sha256).digest()
    version, _, given = request.headers["webhook-signature"].partition(",")
    is_fresh = abs(int(request.headers["webhook-timestamp"]) - time.time()) < 60
    return version == "v1" and is_fresh and hmac.compare_digest(base64.b64decode(given), digest)


def test_it_is_posted_with_a_key_for_idempotency(serve, secret, message):
    served = serve()
    Webhook(url=secret(served.url + "/hook?a=b"), timeout=3).send(message())
    (request,) = served.requests
    assert request.path == "/hook?a=b"
    assert request.headers["idempotency-key"] == '"1a2b3c4d:first"'
    assert "webhook-signature" not in request.headers
    assert "authorization" not in request.headers


@pytest.mark.parametrize(
    ("given", "key"),
    [(KEY, b"0123456789abcdef01234567"), ("any words", b"any words"), ("whsec_not!base64", b"whsec_not!base64")],
)
def test_a_signature_is_one_that_others_verify(serve, secret, message, given, key):
    served = serve()
    Webhook(url=secret(served.url), signing_key=secret(given), timeout=3).send(message())
    assert verified(served.requests[0], key)
    assert not verified(served.requests[0], b"another key")


def test_a_signature_is_of_the_time_that_is_trusted(serve, secret, message):
    served = serve()
    ahead = replace(message(), clock_offset=timedelta(days=400))
    Webhook(url=secret(served.url), signing_key=secret("key"), timeout=3).send(ahead)
    stamp = int(served.requests[0].headers["webhook-timestamp"])
    assert abs(stamp + 400 * 86_400 - time.time()) < 60


def test_a_token_is_sent_as_bearer(serve, secret, message):
    served = serve()
    Webhook(url=secret(served.url), token=secret("t0ken"), timeout=3).send(message())
    assert served.requests[0].headers["authorization"] == "Bearer t0ken"


def test_a_token_that_no_header_may_have_is_refused_unseen(serve, secret, message):
    served = serve()
    with pytest.raises(NotifyError, match="its token has characters") as caught:
        Webhook(url=secret(served.url), token=secret("to\r\nken: x"), timeout=3).send(message())
    assert caught.value.permanent
    assert "ken: x" not in str(caught.value)
    assert served.requests == []


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_any_success_will_do(serve, answer, secret, message, status):
    served = serve(answer(status, b""))
    Webhook(url=secret(served.url), timeout=3).send(message())
    (request,) = served.requests
    assert request.json["alerts"][0]["model"] == "fraud-detector"


def test_what_was_accepted_but_not_confirmed_is_sent_again_with_the_same_key(serve, answer, secret, message):
    served = serve(answer(fault="drop"), answer())
    hook = Webhook(url=secret(served.url), timeout=3)
    with pytest.raises(NotifyError) as caught:
        hook.send(message())
    assert not caught.value.permanent
    hook.send(message())
    first, second = served.requests
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert first.body == second.body


def test_the_numbers_and_the_dates_are_for_programs(message):
    (alert,) = payload(message())["alerts"]
    assert (alert["value"], alert["limit"], alert["worst"], alert["count"]) == (0.87, 0.9, 0.85, 1200.0)
    assert alert["since"] == "2025-01-09T02:10:00+00:00"
    assert (alert["kind"], alert["reason"], alert["severity"]) == ("trigger", "first", "critical")
    assert (alert["resolved"], alert["lasted_seconds"]) == (None, None)


def test_a_value_that_is_no_number_is_null(message):
    (alert,) = json.loads(json.dumps(payload(message(value=float("nan"), worst_value=float("inf"))), allow_nan=False))[
        "alerts"
    ]
    assert (alert["value"], alert["worst"]) == (None, None)


def test_names_arrive_as_they_are_and_reach_no_header(serve, secret, message, hostile):
    served = serve()
    Webhook(url=secret(served.url), timeout=3).send(message(model=hostile, key=hostile))
    (request,) = served.requests
    assert request.json["alerts"][0]["model"] == hostile.replace("\ud800", "\ufffd")
    assert request.json["title"].isprintable()
    assert set(request.headers) == {
        "host", "accept-encoding", "content-length", "content-type", "user-agent", "idempotency-key", "webhook-id",
    }  # fmt: skip
    assert all(value.isascii() and value.isprintable() for value in request.headers.values())


def test_different_keys_stay_different():
    assert len({identifier(key) for key in ("a", "a\n", "a ", "ä", "", "a" * 300)}) == 6
