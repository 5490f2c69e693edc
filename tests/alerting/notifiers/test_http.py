"""One POST: what becomes of it when the other side does as it likes."""

import gzip
import logging
import socket
import ssl
import tracemalloc
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from modeltop.alerting.notifiers.http import HttpClient, retry_after
from modeltop.core.errors import NotifyError

SECRET = "T0PSECRET-B0BHOOK-xyzzy42"


def post_to(url, timeout=20, **settings):
    return HttpClient(f"{url}/services/{SECRET}?key={SECRET}2", timeout, **settings)


def failure(post):
    with pytest.raises(NotifyError) as caught:
        post.post(b"{}", {})
    return caught.value


@pytest.mark.parametrize(
    ("status", "permanent"),
    [(code, True) for code in (400, 401, 402, 403, 404, 405, 407, 410, 413, 415, 422, 451)]
    + [(code, False) for code in (408, 409, 425, 429, 500, 502, 503, 504, 599)],
)
def test_a_refusal_is_permanent_unless_another_attempt_may_not_meet_it(serve, answer, status, permanent):
    error = failure(post_to(serve(answer(status, b"no")).url))
    assert error.permanent is permanent
    assert error.rejects_message is (status in (400, 413, 422)), "another message may be taken"
    assert str(error) == f"answered {status}: no"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_and_says_so(serve, answer, status):
    elsewhere = serve()
    error = failure(post_to(serve(answer(status, headers={"Location": elsewhere.url})).url))
    assert (error.permanent, error.rejects_message) == (True, False), "it disables the receiver"
    assert "redirect, which is not followed" in str(error)
    assert elsewhere.requests == []


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("hang", "gave no complete answer within 0.4 s"),
        ("drip", "gave no complete answer within 0.4 s"),
        ("drip-head", "gave no complete answer within 0.4 s"),
        ("reset", "cannot be reached: connection reset by peer"),
        ("drop", "the connection ended before an answer came"),
        ("short", "the connection ended before an answer came"),
    ],
)
@pytest.mark.parametrize("encrypted", [False, True])
def test_a_conversation_that_fails_may_go_well_another_time(serve, answer, authority, fault, expected, encrypted):
    served = serve(answer(fault=fault), context=authority.server() if encrypted else None)
    error = failure(post_to(served.url, timeout=0.4 if "0.4" in expected else 20, ca_file=authority.pem))
    assert not error.permanent
    # Over TLS a reset may be met as an early end.
    assert str(error) in (expected, "no encrypted connection: unexpected_eof_while_reading") or fault == "reset"
    assert len(served.requests) == 1


def test_a_server_that_never_greets_is_given_up(authority):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        error = failure(post_to(f"https://127.0.0.1:{silent.getsockname()[1]}", 0.4, ca_file=authority.pem))
    assert (str(error), error.permanent) == ("gave no complete answer within 0.4 s", False)


def test_a_server_that_is_not_there_may_come_back():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    error = failure(post_to(url))
    assert (str(error), error.permanent) == ("cannot be reached: connection refused", False)


def test_a_name_that_cannot_be_resolved_may_be_another_time(monkeypatch):
    def unknown(*_):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    error = failure(post_to("https://hooks.test"))
    assert (str(error), error.permanent) == ("the name of its host cannot be resolved", False)


def test_an_expired_certificate_is_refused_and_may_be_renewed(serve, authority):
    served = serve(context=authority.expired())
    error = failure(post_to(served.url, ca_file=authority.pem))
    assert (str(error), error.permanent) == ("its certificate is not accepted: certificate has expired", False)
    assert served.requests == []


def test_a_certificate_of_another_name_or_of_nobody_known_is_refused(serve, authority):
    other = failure(post_to(serve(context=authority.server("other.test")).url, ca_file=authority.pem))
    unknown = failure(post_to(serve(context=authority.server()).url))
    assert "certificate is not valid for '<secret>'" in str(other).replace("127.0.0.1", "<secret>")
    assert "its certificate is not accepted" in str(unknown)


def test_a_file_of_certificates_that_cannot_be_used_is_said(tmp_path):
    error = failure(post_to("https://127.0.0.1:1", ca_file=tmp_path / "no.pem"))
    assert error.permanent
    assert "no.pem cannot be used: No such file" in str(error)


@pytest.mark.parametrize(
    ("expected", "seconds"),
    [
        ("120", 120.0),
        (" 7 ", 7.0),
        ("0", 0.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1e999", None),
        ("9" * 50, 999_999_999.0),
        ("Wed, 21 Oct 2015 07:28:30 GMT", 30.0),
        ("Wed, 21 Oct 2015 07:27:00 GMT", 0.0),
        ("Wed, 99 Oct 2015 07:28:30 GMT", None),
    ],
)
def test_retry_after_is_read_in_both_forms(expected, seconds):
    assert retry_after({"retry-after": expected, "date": "Wed, 21 Oct 2015 07:28:00 GMT"}) == seconds


def test_both_forms_of_retry_after_arrive_over_the_wire(serve, answer):
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    for form, expected in (("90", 90.0), (soon, pytest.approx(60, abs=10))):
        error = failure(post_to(serve(answer(429, b"", {"Retry-After": form})).url))
        assert (error.permanent, error.retry_after) == (False, expected)


@pytest.mark.parametrize("status", [200, 404, 500])
def test_an_endless_answer_is_read_to_a_limit_and_quoted_briefly(serve, answer, status):
    served = serve(answer(status, b"x" * 5_000_000))
    if status == 200:
        assert len(post_to(served.url).post(b"{}", {}).body) == 65_536
    else:
        assert len(str(failure(post_to(served.url)))) < 200


def test_a_server_that_echoes_the_address_gives_nothing_away(serve, answer, caplog, hostile):
    caplog.set_level(logging.DEBUG)
    echo = f"no {hostile} at /services/{SECRET}?key={SECRET}2 tok-12345678".encode("utf-8", "replace")
    post = post_to(serve(answer(404, echo)).url, secrets=("tok-12345678",))
    error = failure(post)
    assert str(error).isprintable()
    for shown in (str(error), repr(error), repr(post), caplog.text):
        assert SECRET not in shown
        assert "tok-12345678" not in shown


@pytest.mark.parametrize(
    "address",
    [
        "ftp://x.test/a",
        "no address",
        "https:///hook",
        "https://[::1/x",
        "https://x.test:99999/",
        "https://x.test/a b",
        "https://x.test/\r\nX: y",
        "https://ü.test/",
        "http://hooks.test/in/clear",
        "https://x.test:port/" + SECRET,
    ],
)
def test_an_invalid_address_is_refused_without_being_quoted(address):
    error = failure(HttpClient(address, 0.4))
    assert error.permanent
    assert address not in str(error)
    assert SECRET not in str(error)


def test_a_user_and_a_password_in_an_address_become_a_header(serve):
    served = serve()
    HttpClient(served.url.replace("://", "://ana:p%40ss@"), 2).post(b"{}", {})
    assert served.requests[0].headers["authorization"] == "Basic YW5hOnBAc3M="
    assert served.requests[0].headers["host"] == served.url.removeprefix("http://")


def test_no_certificate_is_trusted_by_default_but_those_of_the_system():
    from modeltop.alerting.notifiers.timeouts import ssl_context

    context = ssl_context(None)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


def test_a_reply_is_never_decompressed(serve, answer):
    bomb = gzip.compress(bytes(200 * 2**20), 9)
    server = serve(answer(200, bomb, headers={"Content-Encoding": "gzip"}))
    tracemalloc.start()
    try:
        response = post_to(server.url).post(b"{}", {})
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 * 2**20
    assert response.body.encode("utf-8", "replace")[:1] == b"\x1f"
    assert server.requests[0].headers["accept-encoding"] == "identity"
