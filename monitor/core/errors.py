"""What can go wrong, as a person would sort it.

MonitorError
├── UsageError     the command line asks for something impossible
├── ConfigError    the configuration file is wrong
├── SourceError    history cannot be read
├── StoreError     the store cannot be read or written
└── NotifyError    a receiver could not be told (`permanent`: trying again is useless)

Each message is one clause in lower case that names what is wrong and the remedy. It may quote foreign text:
whoever shows it to a person passes it through `modeltop.core.text.safe` first.
"""


class MonitorError(Exception):
    """The root: anything that modeltop itself reports in one line."""


class UsageError(MonitorError):
    """The command line asks for something impossible."""


class ConfigError(MonitorError):
    """The configuration is wrong; the message names the file and the dotted key."""


class SourceError(MonitorError):
    """A source of history cannot be read as a whole."""


class StoreError(MonitorError):
    """The store cannot be read or written; nothing was changed."""


class NotifyError(MonitorError):
    """A receiver could not be told.

    Args:
        message: Without secrets, and made safe: it may quote the receiver's answer.
        permanent: Trying again is useless.
        retry_after: Seconds that the receiver asked to be left alone; None where it did not.
    """

    def __init__(self, message: str, *, permanent: bool = False, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.retry_after = retry_after
