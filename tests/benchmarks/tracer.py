"""Runs a module as a program and records the calls between files of a checkout.

usage: tracer.py CHECKOUT OUTPUT MODULE [ARG ...]

It imports nothing of the checkout, so that the profile function is set before the first module is imported. A record
is written to OUTPUT.0 when the process ends. On SIGUSR1 a record is written at once and a new one started: OUTPUT.0,
then OUTPUT.1 and so on.

A record is a list of [CALLER, CALLED, ON_IMPORT]: files relative to the checkout. CALLER is that of the nearest
function of the checkout up the stack, or null where there is none. ON_IMPORT says that an import
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
    """Recorder of calls in all threads.

    Args:
        root: Folder of the checkout, all links resolved.
        output: Path of the records without their number.
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
        """Write the record atomically, and start a new one."""
        calls, self._calls = self._calls, set()
        partial, complete = Path(f"{self._output}.part"), Path(f"{self._output}.{self._written}")
        self._written += 1
        # Another thread may be about to add to it: a copy is made in one step of the interpreter.
        partial.write_text(json.dumps(list(calls.copy())), encoding="utf-8")
        partial.replace(complete)

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
        """Return the file of the checkout that holds the code; None where it is of a library."""
        if code not in self._files:
            path = os.path.realpath(code.co_filename)
            self._files[code] = os.path.relpath(path, self._root) if path.startswith(self._prefixes) else None
        return self._files[code]


if __name__ == "__main__":
    checkout, output_, module, *args = sys.argv[1:]
    sys.argv = [module, *args]
    Tracer(checkout, output_).start()
    runpy.run_module(module, run_name="__main__", alter_sys=True)
