"""In a browser, by textual-serve: headless Chromium shows the page, and its keyboard drives the app."""

import contextlib
import itertools
import json
import os
import select
import shlex
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
TEXTUAL = shutil.which("textual", path=Path(sys.executable).parent)
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed here"),
    pytest.mark.skipif(TEXTUAL is None, reason="textual-dev is not installed here"),
]

KEEP_TERMINAL = """
Object.defineProperty(Object.prototype, "websocket_url", {
  set(value) {
    Object.defineProperty(this, "websocket_url", {value});
    window.page = this;
  },
});
"""
"""Keeps the object of textual-serve's page that has the terminal, which nothing else leads to."""
READ_TERMINAL = """
(() => {
  const terminal = window.page?.terminal;
  const lines = Array.from({length: terminal?.rows ?? 0}, (_, row) => terminal.buffer.active.getLine(row));
  return lines.map((line) => line.translateToString(true)).join("\\n");
})()
"""


SESSION_ENDED = "document.body.classList.contains('-closed')"
CTRL = 2
"""The modifier in the DevTools protocol."""


def wait_until(true, seconds=30.0, message=lambda: "in vain"):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, message()
        time.sleep(0.1)


class Browser:
    """Headless Chromium without a network, driven over the pipes of its DevTools protocol."""

    def __init__(self, folder):
        (child_in, self._out), (self._in, child_out) = os.pipe(), os.pipe()

        def in_child():  # the protocol is read from 3 and written to 4
            source, target = os.dup(child_in), os.dup(child_out)
            os.dup2(source, 3)
            os.dup2(target, 4)

        self.process = subprocess.Popen(
            [
                *(CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
                *("--remote-debugging-pipe", f"--user-data-dir={folder}", "--window-size=1000,700"),
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(3, 4),
            preexec_fn=in_child,  # noqa: PLW1509  no other thread runs in these tests
        )
        os.close(child_in)
        os.close(child_out)
        self._buffer = b""
        self._numbers = itertools.count(1)
        self._session = {}
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.call("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
        self.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder.parent / "downloads"))
        self._session = {"sessionId": session}

    def call(self, method, **params):
        """The result of a method of the protocol."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params} | self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while (message := self._read()).get("id") != number:
            pass  # an event
        assert "error" not in message, message
        return message["result"]

    def _read(self):
        while b"\0" not in self._buffer:
            assert select.select([self._in], [], [], 30)[0], "Chromium does not answer"
            data = os.read(self._in, 65536)
            assert data, "Chromium has ended"
            self._buffer += data
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)

    def open(self, url):
        self.call("Page.enable")
        self.call("Page.addScriptToEvaluateOnNewDocument", source=KEEP_TERMINAL)
        self.call("Page.navigate", url=url)

    def evaluate(self, script):
        return self.call("Runtime.evaluate", expression=script, awaitPromise=True)["result"].get("value")

    @property
    def text(self):
        """The lines of the page's terminal."""
        return self.evaluate(READ_TERMINAL)

    def wait_for(self, words, seconds=30.0):
        """Until the page's terminal shows the words."""
        wait_until(lambda: words in self.text, seconds, lambda: f"{words!r} not in the page:\n{self.text}")
        return self

    def press(self, key, text="", modifiers=0):
        code = {"Enter": 13}.get(key, ord(key[0].upper()))
        common = {"key": key, "windowsVirtualKeyCode": code, "modifiers": modifiers}
        self.call("Input.dispatchKeyEvent", type="keyDown", **common, **({} if modifiers else {"text": text or key}))
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)
        return self

    def click(self, x, y):
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)
        return self

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self._out)
        os.close(self._in)


@pytest.fixture
def page(environment, fleet, free_port, tmp_path):
    """The page of `textual serve` as `modeltop help service` has it, with the sample fleet in it."""
    program = f"echo $$ > pid; exec {shlex.join([sys.executable, '-m', 'modeltop_tui', str(fleet)])}"
    with contextlib.ExitStack() as stack:
        server = subprocess.Popen(
            [
                TEXTUAL,
                "serve",
                "--host",
                "127.0.0.1",
                "--port",
                str(free_port),
                "-c",
                shlex.join(["sh", "-c", program]),
            ],
            cwd=tmp_path,
            env=environment | {"TERM": "dumb", "LANG": "C"},  # the server's terminal is not the browser's
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        stack.callback(server.wait)
        stack.callback(server.kill)
        wait_until(lambda: is_open(free_port))
        browser = Browser(tmp_path / "chromium")
        stack.callback(browser.close)
        browser.server = server
        browser.open(f"http://127.0.0.1:{free_port}/")
        yield browser.wait_for("1 Models").wait_for("triage: accuracy dropped overnight")


def is_open(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def test_a_browser_shows_the_verdict_and_each_key_of_the_app_works_or_says_so(page, has_ended, tmp_path):
    page.click(500, 8)  # into the header: only then does the page have the keyboard
    page.press("Enter", "\r").wait_for("triage: diagnosis")
    page.press("q").wait_for("1 Models")
    page.press("z", modifiers=CTRL).wait_for("cannot suspend in this terminal")
    page.press("M").wait_for("mouse off: select text as usual")
    page.press("y").wait_for("sent to the browser's clipboard")
    assert "triage" in page.evaluate("navigator.clipboard.readText()")
    page.press("Y").wait_for("write to").press("Enter", "\r").wait_for("downloading triage-accuracy.csv")
    downloaded = tmp_path / "downloads" / "triage-accuracy.csv"
    wait_until(downloaded.exists)
    assert ",triage,all,accuracy,0.8455," in downloaded.read_text()
    assert not (tmp_path / downloaded.name).exists()
    assert page.evaluate(SESSION_ENDED) is False
    page.press("q")
    wait_until(lambda: page.evaluate(SESSION_ENDED))
    assert has_ended(int((tmp_path / "pid").read_text()), seconds=5)


def test_the_app_ends_with_the_server(page, has_ended, tmp_path):
    page.server.kill()
    assert has_ended(int((tmp_path / "pid").read_text()), seconds=5)
