"""The exceptions of modeltop, grouped by what a person has to correct.

Each message is one clause in lower case that names the problem and the remedy. It may quote foreign text: code that
shows it to a person passes it through `modeltop.core.text.sanitize` first.
"""


class MonitorError(Exception):
    """Base of all errors that modeltop reports in one line instead of a traceback."""


class UsageError(MonitorError):
    """The command line requests something impossible."""


class ConfigError(MonitorError):
    """The configuration file is wrong; the message names the file and the dotted key."""


class SourceError(MonitorError):
    """Nothing of a source of history can be read."""


class OutputError(MonitorError):
    """Standard output cannot be written, as on a full disk."""


class StoreError(MonitorError):
    """The store cannot be read or written; nothing was changed."""


class NotifyError(MonitorError):
    """A receiver could not be notified.

    Args:
        message: Without secrets, and sanitized: it may quote the receiver's answer.
        permanent: Sending this message again is useless, until a person corrects something.
        retry_after: Seconds that the receiver asked to wait; None if it did not.
        rejects_message: The receiver works, and rejected this message alone; then it is permanent, too.
    """

    def __init__(
        self,
        message: str,
        *,
        permanent: bool = False,
        retry_after: float | None = None,
        rejects_message: bool = False,
    ) -> None:
        super().__init__(message)
        self.permanent = permanent or rejects_message
        self.rejects_message = rejects_message
        self.retry_after = retry_after
