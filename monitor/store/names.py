"""What the store's files are called: a slug for people, a hash for certainty, never the model's own name."""

from __future__ import annotations

import hashlib
import re
import unicodedata

SLUG = 40
"""Most characters of a slug."""

_PART = re.compile(r"(?P<family>[a-z0-9-]+-[0-9a-f]{8})(?:\.(?P<number>[2-9]|[1-9][0-9]{1,8}))?\.csv")


def slug(name: str) -> str:
    """The name in lower-case ASCII letters, digits and hyphens; `model` where nothing of it is left.

    Lower case throughout, so that no two names differ by case alone where the file system does not see it.

    >>> slug("Churn (EU) v2"), slug("../../etc/passwd"), slug("宽")
    ('churn-eu-v2', 'etc-passwd', 'model')
    """
    plain = unicodedata.normalize("NFKD", name[: 8 * SLUG]).encode("ascii", "ignore").decode("ascii").lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:SLUG].strip("-") or "model"


def family(model: str) -> str:
    """What the names of all files of one model begin with: `<slug>-<hash8>`.

    Should two names ever share slug and hash, they share files as well: each row says its model, so nothing mixes.

    >>> family("churn")
    'churn-88b2072e'
    """
    return f"{slug(model)}-{hashlib.sha256(model.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def part_name(family_name: str, number: int) -> str:
    """The file name of one part, counted from 1.

    >>> part_name("churn-88b2072e", 1), part_name("churn-88b2072e", 2)
    ('churn-88b2072e.csv', 'churn-88b2072e.2.csv')
    """
    return f"{family_name}.csv" if number == 1 else f"{family_name}.{number}.csv"


def part_of(file_name: str) -> tuple[str, int] | None:
    """Family and number of a part; None for any other file.

    >>> part_of("churn-88b2072e.2.csv"), part_of("churn-88b2072e.computed.csv"), part_of("mine.csv")
    (('churn-88b2072e', 2), None, None)
    """
    found = _PART.fullmatch(file_name)
    return (found["family"], int(found["number"] or 1)) if found else None
