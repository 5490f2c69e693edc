"""Mail: against a real server that speaks STARTTLS, and against some that do not behave."""

import asyncio
import base64
import contextlib
import email
import email.policy
import socket
import threading

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope

from modeltop.alerting.notifiers.email import Email, Encryption, build_email
from modeltop.core.errors import NotifyError

PASSWORD = "pa55word-xyzzy42"


class MailHandler:
    """Keeps what arrives; answers RCPT and DATA as told, or with a deed."""

    def __init__(self, **replies):
        self.replies = replies
        self.mails = []

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802  aiosmtpd's name
        reply = self.replies.get(address) or self.replies.get("rcpt")
        if reply:
            return reply
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session, envelope: Envelope):  # noqa: N802  likewise
        self.mails.append((envelope, session))
        reply = self.replies.get("data", "250 OK")
        if reply == "hang":
            await asyncio.sleep(3)
        if reply == "drop":
            server.transport.abort()
        return reply

    def newest(self):
        return email.message_from_bytes(self.mails[-1][0].content, policy=email.policy.default)


class OnAnyPort(Controller):
    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@pytest.fixture
def mail_server(authority):
    """Start a mail server; `tls` from the first byte, else STARTTLS unless `plain`."""
    with contextlib.ExitStack() as stack:

        def start(handler, *, tls=False, plain=False, context=None, **settings):
            context = context or authority.server()
            tls_options = {"ssl_context": context} if tls else {}
            if not tls and not plain:
                tls_options = {"tls_context": context, "require_starttls": True}
            controller = OnAnyPort(handler, hostname="127.0.0.1", port=0, ready_timeout=10, **tls_options, **settings)
            controller.start()
            stack.callback(controller.stop)
            return controller.port

        yield start


@pytest.fixture
def mailer(authority):
    def make(at, **changes):
        options = {"host": "127.0.0.1", "port": at, "sender": "modeltop@models.test", "to": ("ops@models.test",)}
        return Email(**options | {"timeout": 2, "ca_file": authority.pem} | changes)

    return make


def failure(receiver, message):
    with pytest.raises(NotifyError) as caught:
        receiver.send(message)
    return caught.value


def test_a_mail_arrives_encrypted_by_starttls(mail_server, mailer, message):
    handler = MailHandler()
    mailer(mail_server(handler)).send(message())
    envelope, session = handler.mails[0]
    assert session.ssl is not None
    assert (envelope.mail_from, envelope.rcpt_tos) == ("modeltop@models.test", ["ops@models.test"])
    assert handler.newest()["Subject"] == "critical fraud-detector: accuracy 0.870 < 0.90"
    assert handler.newest()["Auto-Submitted"] == "auto-generated"


def test_a_mail_arrives_encrypted_from_the_first_byte(mail_server, mailer, message):
    handler = MailHandler()
    mailer(mail_server(handler, tls=True), encryption=Encryption.TLS).send(message())
    assert len(handler.mails) == 1


def test_the_text_and_the_page_say_the_same(message):
    mail = build_email(message(), "modeltop@models.test", ("ops@models.test",))
    text, page = (part.get_content() for part in mail.iter_parts())
    for expected in ("0.96 █▇▆▃▁ 0.87", "ack      modeltop ack 1a2b3c4d", "model    fraud-detector"):
        assert expected in text
        assert expected in page
    assert "0.870 &lt; 0.90" in page
    assert '<a href="https://wiki.test/accuracy?a=1&amp;b=2">' in page


def test_messages_about_one_incident_are_one_thread(message, section):
    def headers(sent):
        return build_email(sent, "modeltop@models.test", ("ops@models.test",))

    first, again = headers(message()), headers(message())
    worse = headers(message(key="1a2b3c4d:worse"))
    other = headers(message(key="5e:first", incident="5e"))
    group = headers(message(section(), section(incident="5e")))
    assert first["Message-ID"] == again["Message-ID"] != worse["Message-ID"]
    assert first["In-Reply-To"] == worse["In-Reply-To"] == first["References"] != other["References"]
    assert group["References"].split() == [first["References"], other["References"]]


def test_foreign_text_reaches_no_header_and_no_markup(mail_server, mailer, message, hostile):
    handler = MailHandler()
    mailer(mail_server(handler, plain=True), encryption=Encryption.NONE).send(
        message(model=hostile, metric=hostile, rule=hostile, key=hostile, incident=hostile)
    )
    mail = handler.newest()
    assert set(mail.keys()) == {
        "From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Auto-Submitted",
        "X-Modeltop-Severity", "MIME-Version", "Content-Type", "X-Peer", "X-MailFrom", "X-RcptTo",
    } - {"X-Peer", "X-MailFrom", "X-RcptTo"}  # fmt: skip
    assert mail["To"] == "ops@models.test"
    assert handler.mails[0][0].rcpt_tos == ["ops@models.test"]
    assert str(mail["Subject"]).isprintable()
    page = mail.get_body(("html",)).get_content()
    tags = page.replace('<a href="https://wiki.test/accuracy?a=1&amp;b=2">', "").replace("</a>", "")
    assert tags.count("<") == len(["doctype", "html", "body", "pre", "/pre", "/body", "/html"])


@pytest.mark.parametrize(
    ("replies", "expected", "permanent"),
    [
        ({"rcpt": "550 5.1.1 no such user"}, "refused all addresses: 550 5.1.1 no such user", True),
        ({"rcpt": "450 4.2.0 greylisted"}, "refused all addresses: 450 4.2.0 greylisted", False),
        ({"data": "554 5.7.1 spam"}, "answered: 554 5.7.1 spam", True),
        ({"data": "452 4.3.1 disk full"}, "answered: 452 4.3.1 disk full", False),
        ({"data": "drop"}, "the connection ended before the mail was accepted", False),
    ],
)
def test_a_refusal_is_permanent_from_500_on(mail_server, mailer, message, replies, expected, permanent):
    error = failure(mailer(mail_server(MailHandler(**replies))), message())
    assert (str(error), error.permanent) == (expected, permanent)
    assert not error.rejects_message, "it disables the receiver"


def test_a_server_that_hangs_is_given_up_in_time(mail_server, mailer, message, patience):
    error = failure(mailer(mail_server(MailHandler(data="hang")), timeout=patience), message())
    assert (str(error), error.permanent) == ("gave no complete answer within 0.4 s", False)


@pytest.fixture
def drip():
    """A server that says this every 50 ms, for 3 s at most, encrypted from the first byte if it has a context."""
    stop = threading.Event()
    with contextlib.ExitStack() as stack:

        def start(chunk, context=None):
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

            def talk():
                connection, _ = listener.accept()
                with contextlib.suppress(OSError), connection:
                    wrapped = context.wrap_socket(connection, server_side=True) if context else connection
                    with wrapped:
                        for number in range(60):
                            start.count = number
                            wrapped.sendall(chunk)
                            if stop.wait(0.05):
                                break

            thread = threading.Thread(target=talk)
            thread.start()
            stack.callback(thread.join, 5)
            stack.callback(stop.set)
            return listener.getsockname()[1]

        yield start


@pytest.mark.parametrize("encryption_mode", [Encryption.STARTTLS, Encryption.NONE])
@pytest.mark.parametrize("chunk", [b"", b"220-wait\r\n", b"2"])
def test_a_server_that_never_comes_to_the_point_is_given_up(drip, mailer, message, encryption_mode, chunk):
    error = failure(mailer(drip(chunk), encryption=encryption_mode, timeout=0.4), message())
    assert (str(error), error.permanent) == ("gave no complete answer within 0.4 s", False)
    assert drip.count < 59, "the server would have gone on"


@pytest.mark.parametrize("chunk", [b"", b"220-wait\r\n"])
def test_a_stalled_tls_handshake_is_given_up(drip, mailer, message, authority, chunk):
    settings = {"encryption": Encryption.TLS, "timeout": 0.4}
    for context in (None, authority.server()):
        error = failure(mailer(drip(chunk, context), **settings), message())
        assert not error.permanent
        assert str(error).startswith(("gave no complete answer within 0.4 s", "no encrypted connection: "))
        assert context is None or ("gave no complete answer" in str(error) and drip.count < 59)


def test_a_server_without_starttls_is_not_written_to_in_clear(mail_server, mailer, message):
    handler = MailHandler()
    error = failure(mailer(mail_server(handler, plain=True)), message())
    assert (str(error), error.permanent) == ("the server does not know STARTTLS: set encryption", True)
    assert handler.mails == []


def test_an_expired_certificate_is_refused_and_may_be_renewed(mail_server, mailer, message, authority):
    handler = MailHandler()
    error = failure(mailer(mail_server(handler, context=authority.expired())), message())
    assert (str(error), error.permanent) == ("its certificate is not accepted: certificate has expired", False)
    assert handler.mails == []


def test_a_wrong_address_does_not_keep_the_others_from_getting_it(mail_server, mailer, message, caplog):
    handler = MailHandler(**{"gone@models.test": "550 no such user"})
    mailer(mail_server(handler), to=("gone@models.test", "ops@models.test")).send(message())
    assert handler.mails[0][0].rcpt_tos == ["ops@models.test"]
    assert "not accepted for gone@models.test: 550 no such user" in caplog.text


def test_who_is_to_be_told_later_makes_it_another_attempt_with_the_same_id(mail_server, mailer, message):
    handler = MailHandler(**{"slow@models.test": "450 greylisted"})
    receiver = mailer(mail_server(handler), to=("slow@models.test", "ops@models.test"))
    assert not failure(receiver, message()).permanent
    handler.replies.clear()
    receiver.send(message())
    first, second = (email.message_from_bytes(envelope.content)["Message-ID"] for envelope, _ in handler.mails)
    assert first == second


def test_a_password_is_used_and_a_wrong_one_is_not_quoted(mail_server, mailer, message, secret):
    def login(server, session, envelope, mechanism, data):
        good = data.password == PASSWORD.encode()
        reply = f"535 not {data.password.decode()} nor {base64.b64encode(data.password).decode()}"
        return AuthResult(success=good, handled=good, message=None if good else reply)

    handler = MailHandler()
    port = mail_server(handler, authenticator=login, auth_required=True)
    mailer(port, user="ana", password=secret(PASSWORD)).send(message())
    assert len(handler.mails) == 1
    error = failure(mailer(port, user="ana", password=secret(PASSWORD + "-old")), message())
    assert error.permanent
    assert str(error) == "answered: 535 not <secret> nor <secret>"


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"host": ""}, "host"),
        ({"host": "a b"}, "host"),
        ({"port": 70_000}, "port"),
        ({"to": ()}, "to"),
        ({"to": ("ops@x.test", "m\r\nBcc: evil@x.test")}, "to"),
        ({"to": ("a@x.test, b@x.test",)}, "to"),
        ({"sender": "nobody"}, "sender"),
        ({"user": "ana"}, "password"),
        ({"timeout": 0}, "timeout"),
    ],
)
def test_a_wrong_setting_is_named(mailer, changes, key):
    with pytest.raises(ValueError, match=f"^{key}: "):
        mailer(25, **changes)


def test_a_password_is_never_sent_in_clear(mailer, secret):
    with pytest.raises(ValueError, match=r"^encryption: a password is not sent in clear"):
        mailer(25, host="mail.test", user="ana", password=secret("x"), encryption=Encryption.NONE)


@pytest.mark.parametrize(
    ("port", "encryption", "encryption_mode", "effective_port"),
    [
        (0, None, Encryption.STARTTLS, 587),
        (465, None, Encryption.TLS, 465),
        (0, Encryption.TLS, Encryption.TLS, 465),
        (0, Encryption.NONE, Encryption.NONE, 25),
        (2525, None, Encryption.STARTTLS, 2525),
    ],
)
def test_the_port_and_the_encryption_suggest_each_other(mailer, port, encryption, encryption_mode, effective_port):
    receiver = mailer(port, encryption=encryption)
    assert (receiver.tls_mode, receiver.effective_port) == (encryption_mode, effective_port)
