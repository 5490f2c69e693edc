"""htop for machine-learning models in production: metric history in, judgement out. It knows nothing of any screen.

From Python: `check`, `record` and `diagnose`, which are imported on first use.
"""

__version__ = "0.1.0"
__all__ = ["MonitorError", "Result", "__version__", "check", "diagnose", "record"]

TYPE_CHECKING = False  # as type checkers know it; `typing` itself would cost every start its import
if TYPE_CHECKING:
    from modeltop.api import Result, check, diagnose, record
    from modeltop.core.errors import MonitorError


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from modeltop import api  # late: it loads numpy

    return getattr(api, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
