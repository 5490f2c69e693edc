"""Runs a module as a program and records which of our files are entered, and from which: a script of its own.

usage: tracer.py CHECKOUT OUTPUT MODULE [WORD ...]

It imports nothing of ours, so that the profile function stands before the first module is imported. A record is
written to OUTPUT.0 when the process ends. On SIGUSR1 a record is written at once and a new one begun: OUTPUT.0, then
OUTPUT.1 and so on.

A record is a list of [CALLER, CALLED, ON_IMPORT]: files relative to the checkout. CALLER is the nearest function of
ours up the stack, through whatever library lies between, or null where there is none. ON_IMPORT says that an import
caused the call: the body of a class runs, or it or a module calls a function while it is imported. The bodies of
modules themselves are never recorded.
"""

import atexit
import json
import os
import runpy
import signal
import sys
import threading
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NoReturn

MODULE = "<module>"
IS_FUNCTION = 0x1
"""CO_OPTIMIZED, a flag that the bodies of modules and classes lack; `inspect`, which names it, is slow to import."""

Call = tuple[str | None, str, bool]


class Tracer:
    """Records calls in all threads.

    Args:
        root: The checkout, all links resolved.
        output: Where records go.
    """

    def __init__(self, root: str, output: str) -> None:
        self._prefixes = tuple(os.path.join(root, folder, "") for folder in ("monitor", "tui"))  # noqa: PTH118
        self._root, self._output, self._written = root, output, 0
        self._files: dict[CodeType, str | None] = {}
        self._calls: set[Call] = set()

    def start(self) -> None:
        """Record from now on, and write when the process ends, even if it does so at once."""
        end_now = os._exit

        def write_and_end(status: int) -> NoReturn:
            self.write()
            end_now(status)

        os._exit = write_and_end
        atexit.register(self.write)
        signal.signal(signal.SIGUSR1, lambda *_: self.write())
        threading.setprofile(self._profile)
        sys.setprofile(self._profile)

    def write(self) -> None:
        """Write what was recorded, in one step, and begin a new record."""
        calls, self._calls = self._calls, set()
        part, whole = Path(f"{self._output}.part"), Path(f"{self._output}.{self._written}")
        self._written += 1
        # Another thread may be about to add to it: a copy is made in one step of the interpreter.
        part.write_text(json.dumps(list(calls.copy())), encoding="utf-8")
        part.replace(whole)

    def _profile(self, frame: FrameType, event: str, _: Any) -> None:
        if event != "call" or frame.f_code.co_name == MODULE or (called := self._file(frame.f_code)) is None:
            return
        on_import = not frame.f_code.co_flags & IS_FUNCTION
        caller = frame.f_back
        while caller is not None:
            code = caller.f_code
            if self._file(code) is not None:
                on_import = on_import or not code.co_flags & IS_FUNCTION
                if code.co_name != MODULE:
                    break
            caller = caller.f_back
        self._calls.add((self._file(caller.f_code) if caller is not None else None, called, on_import))

    def _file(self, code: CodeType) -> str | None:
        """Return the file of ours that holds the code; None where it is of a library."""
        if code not in self._files:
            path = os.path.realpath(code.co_filename)
            ours = path.startswith(self._prefixes)
            self._files[code] = os.path.relpath(path, self._root) if ours else None
        return self._files[code]


if __name__ == "__main__":
    checkout, output_, module, *words = sys.argv[1:]
    sys.argv = [module, *words]
    Tracer(checkout, output_).start()
    runpy.run_module(module, run_name="__main__", alter_sys=True)
