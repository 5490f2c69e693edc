"""What the tests of the journal share: any event there could be, and an incident's ordinary life."""

import json
import zlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from types import MappingProxyType, NoneType, UnionType
from typing import get_args, get_origin, get_type_hints

import pytest
from hypothesis import strategies as st

from modeltop.alerting.event_log.event_log import EventLog
from modeltop.core.event import (
    Event,
    IncidentChanged,
    IncidentTransition,
    NoteAdded,
    Notification,
    NotificationAction,
    NotificationReason,
    SendFinished,
)
from modeltop.core.incident import AlertingState, Incident, Note, NotificationKey
from modeltop.core.series import Condition, SeriesKey, Severity

HOSTILE = ["\ud800", "\udcff", "\ud83d\ude00", "😀", "a\0b", "\r\n", "\u2028", '"crc":"', "\x1b]0;x\x07", "W" * 999]
NOON = datetime(2025, 1, 10, 12, tzinfo=UTC)


TEXTS = st.sampled_from(HOSTILE) | st.text(st.characters(exclude_categories=()), max_size=20)
EDGES = st.sampled_from([datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
MOMENTS = EDGES | st.integers(-(10**9), 10**15).map(lambda us: NOON + timedelta(microseconds=us))
FEW_TEXTS = st.sampled_from(["a", "b"])
FEW_MOMENTS = st.integers(0, 80).map(lambda halves: NOON + timedelta(days=halves / 2))


def _of(hint, scalars):
    """Any value of an annotation: every field is filled, those with a default too."""

    def of(hint):
        origin, inner = get_origin(hint), get_args(hint)
        if hint in scalars:
            return scalars[hint]
        if origin is UnionType:
            return st.one_of(*(st.none() if part is NoneType else of(part) for part in inner))
        if origin is tuple:
            return st.lists(of(inner[0]), max_size=3).map(tuple)
        if origin is Mapping:
            return st.dictionaries(of(inner[0]), of(inner[1]), max_size=3).map(MappingProxyType)
        if is_dataclass(hint):
            hints = get_type_hints(hint)
            return st.builds(hint, **{one.name: of(hints[one.name]) for one in fields(hint)})
        return st.sampled_from(hint) if issubclass(hint, Enum) else st.from_type(hint)

    return of(hint)


@pytest.fixture(scope="session")
def any_event():
    return _of(Event, {str: TEXTS, datetime: MOMENTS})


@pytest.fixture(scope="session")
def any_facts():
    return _of(AlertingState, {str: TEXTS, datetime: MOMENTS})


@pytest.fixture(scope="session")
def alike_events():
    """Events about the same few things, close in time, so that they meet."""
    return st.lists(_of(Event, {str: FEW_TEXTS, datetime: FEW_MOMENTS}), max_size=12)


@pytest.fixture(scope="session")
def signed():
    """A record as a line with a right checksum, whatever it says."""

    def make(record):
        rest = json.dumps(record)[1:].encode()
        return b'{"crc":"%08x",%s\n' % (zlib.crc32(rest), rest)

    return make


@pytest.fixture
def journal(tmp_path):
    return EventLog(tmp_path / "state", clock=lambda: NOON)


@pytest.fixture(scope="session")
def noted():
    """The n-th note, a minute after the one before."""

    def make(n=0, text="released", by="ann"):
        at = NOON + timedelta(minutes=n)
        return NoteAdded(at, Note("churn", f"{text} {n}", by, at))

    return make


@pytest.fixture(scope="session")
def incident():
    def make(name="1a2b3c4d", model="churn", **changes):
        given = {
            "condition": Condition.THRESHOLD,
            "since": NOON - timedelta(days=1),
            "fired_at": NOON,
            "level": Severity.WARNING,
            "peak_severity": Severity.WARNING,
            "opened_at": NOON,
        }
        return Incident(name, "floor", SeriesKey(model, "accuracy"), **(given | changes))

    return make


@pytest.fixture(scope="session")
def followed(incident):
    def make(course=IncidentTransition.FIRED, *, at=NOON, message="0.87 < 0.90", **changes):
        return IncidentChanged(at, course, incident(**changes), message)

    return make


@pytest.fixture(scope="session")
def delivery(incident):
    def make(
        kind=NotificationAction.TRIGGER,
        reason=NotificationReason.FIRST,
        *,
        to="slack",
        level=Severity.WARNING,
        name="1a2b3c4d",
        model="churn",
    ):
        about = incident(name, model)
        return Notification(
            to, kind, reason, name, level, NotificationKey(to, about.rule, about.key), f"{name}-{reason.value}"
        )

    return make


@pytest.fixture(scope="session")
def sent(delivery):
    def make(*args, at=NOON, given_up=None, **kwargs):
        return SendFinished(at, (delivery(*args, **kwargs),), given_up)

    return make
