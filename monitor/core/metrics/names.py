"""The names that other tools give to a metric, and the registered one that each represents.

Pure: it is given a vocabulary and knows no metric itself. A name is normalized as a whole or not at all: some words of
it must be a name or an alias of the registry, and each word before and behind them must be one that is known there.
Otherwise the name stays as written, and its metric is an unknown one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

MAX_LENGTH = 120
"""Characters of a name that is taken apart; a longer one is a sentence."""
MAX_WORDS = 10


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SPLITS = {
    **dict.fromkeys(_words("train training learn dtrain"), "train"),
    **dict.fromkeys(_words("val valid validation dvalid dev cv"), "val"),
    **dict.fromkeys(_words("test testing dtest holdout heldout predict"), "test"),
    **dict.fromkeys(_words("live prod production online serving current realized realised"), "live"),
    "reference": "reference",
    **dict.fromkeys(_words("eval evaluation evaluate"), "eval"),
}
"""The split of the data that a metric was measured on, by the word for it."""
OFFLINE_SPLITS = _words("train reference")
"""Splits that never represent the model in use: always a segment."""
NOT_BEHIND = _words("learn dtrain dvalid dev cv dtest predict online serving realized realised evaluate")
"""Words of `SPLITS` that mean else behind a metric: `accuracy_dev` may be a deviation, `rmse_cv` a variation."""
PREFIXES = _words(
    "metrics metric summary scores results result performance perf model ml epoch overall global aggregate coco "
    "rollout classification regression binary multiclass multilabel retrieval"
)
"""Words before a metric that say nothing about it; the last four start the classes of torchmetrics and of Keras."""
SUFFIXES = _words("epoch overall global aggregate all score value metric metrics")
"""The same behind it."""
CUT_ONLY = {
    "pass": "pass_rate",
    "p": "precision",
    "r": "recall",
    **dict.fromkeys(_words("hits hit success hr"), "hit_rate"),
}
"""Bases that are a metric only with a cut: `pass@1` is one, a column `pass` may be anything."""
PERCENT_ONLY = dict.fromkeys(_words("missing missingvalues null nulls nullvalues nan"), "missing_rate")
"""Bases that are a metric only with a percent sign or the word for it."""
RENAMED = {
    # Over classes unless told otherwise, hence no share of the rows.
    "multiclassaccuracy": ("accuracy_macro", "accuracy"),
    "multilabelaccuracy": ("accuracy_macro", "accuracy"),
    **{f"{word}{k}": (f"accuracy_at_{k}", "accuracy") for word in ("acc", "top") for k in (1, 5)},
}
"""Names that represent a cut or an average of a metric."""
WHOLE_ONLY = _words("cost bias js ks chi2 chisquare confidence")
"""Aliases that mean a metric only when nothing else stands in the name: `train_cost` may be money."""
REFUSED = _words("kstest chi2test chisquaretest cvrmse rmsecv")
"""Names that would lead to a metric and mean something else."""
SAMPLED = _words("f1_score precision recall jaccard")
"""Metrics that scikit-learn averages over samples; behind another name `samples` may be a count."""
BOOSTING = {
    "error": "error_rate",
    "l1": "mae",
    "l2": "mse",
    "quantile": "pinball_loss",
    "huber": "huber_loss",
    "pre": "precision",
    **dict.fromkeys(_words("fair poisson gamma tweedie crossentropylambda"), "loss"),
}
"""Names of XGBoost, LightGBM and CatBoost that mean a metric only behind the name of an evaluation set."""
BOOKKEEPING = _words(
    "epoch epochs numepochs step steps globalstep iteration iterations learningrate lr gradnorm totalflos seed "
    "numinputtokensseen batch batchsize walltime relativetime fold shard partition worker chunkindex chunkid "
    "chunkstartindex chunkendindex id runid index row rowid rownumber rownum unnamed0"
)
"""Columns of numbers that are no metric: counters and settings of a training run, ids, row numbers (`Unnamed: 0` is the
index of pandas)."""
QUANTITIES = _words("count counts rows size sizes time version total number bytes seconds")
"""Last words of quantities that say nothing of how good a model is: they grow with the volume."""
MEANING_CHANGERS = _words(
    "delta diff drop std var gap change rank non not no dummy baseline target neg attack jailbreak false"
)
"""Words before a metric after which nothing is concluded from it."""

_CAMEL = r"(?<=[a-z0-9])(?=[A-Z][a-z])|(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])"
_BETWEEN = r"(?<![0-9])\.|\.(?![0-9])|[\s_\-/\\:|,;'\"`()\[\]{}=#^]+"
_FILTER = r",(?:none|strict-match|flexible-extract|get-answer|remove_whitespace|create_test|custom-extract)$"
_VERSION = r"/v[0-9]+(?=/|$)"
_PATH_END = r"/(?:mean|average|value|score)$"
_EVAL_SET = r"(?P<set>[A-Za-z]+_?[0-9]*)(?:-|'s |:)(?P<name>.+)"
_CALL = r"(?P<name>[^()\[\]]+?)\s*\((?P<inside>[^()]*)\)"
_MEAN = "(?:mean|avg|average)"
_DATA = "(?: (?:set|data|split|dataset))?"
_SPLIT = rf"(?P<split>{'|'.join(SPLITS)})(?: (?P<number>[0-9]{{1,3}}))?{_DATA}"
_BEFORE = rf"""(?:
    (?:{_MEAN} (?=test|train))?{_SPLIT}
    |(?P<nothing>{"|".join(PREFIXES)})
    |(?P<neg>neg)
    |class (?P<of_class>[0-9]{{1,3}})
    |(?P<average>macro|micro|weighted)(?: {_MEAN})?
    |(?P<mean>{_MEAN})
    |top ?(?P<cut>k|[0-9]+)
    |(?P<quantile>p[0-9]{{1,2}})
    |(?P<estimated>estimated|expected)
) """.replace("\n    ", "").replace("\n", "")
"""A word before a metric, or two, and what it says."""
_AFTER = rf""" (?:
    (?:(?:on|x|in) )?(?P<split>{"|".join(SPLITS.keys() - NOT_BEHIND)}){_DATA}
    |(?P<nothing>{"|".join(SUFFIXES)}|by (?:label|class))
    |class (?P<of_class>[0-9]{{1,3}}|\S+$)
    |(?P<percent>percent|pct|percentage)
    |(?P<average>macro|micro|weighted|ovr|ovo|samples)(?: {_MEAN})?
    |(?P<mean>{_MEAN})
    |(?:at|top) (?P<cut>k|[0-9]+(?:\.[0-9]+)?)
    |top(?P<top>k|[0-9]+)
    |(?P<quantile>p[0-9]{{1,2}})
    |(?P<index>[0-9]{{1,4}}|[0-9]\.[0-9]{{1,2}}|[0-9]{{2}}\.[0-9])
)(?= |$)""".replace("\n    ", "").replace("\n", "")
"""The same behind it."""


class Vocabulary(NamedTuple):
    """What of the registry a name is normalized by."""

    names: Mapping[str, str]
    """From the `name_key` of every name and alias to the metric."""
    losses: frozenset[str]
    """Metrics of which lower is better and which never lie below zero: scikit-learn negates them by `neg_`."""
    test_statistics: frozenset[str]
    """Metrics of which a last `test` is the statistical one: no split of the data."""
    means: frozenset[str]
    """Metrics that are themselves a mean over rows: `avg_latency` is latency."""


class NormalizedName(NamedTuple):
    """What a foreign name says."""

    metric: str
    """The registered name, or one derived from it by a cut or an average; as written if the name is not known."""
    split: str | None = None
    """`train`, `val`, `test`, `eval`, `live` or `reference`; with its number where the tool gives one: `val_0`."""
    sign: int = 1
    """-1: the values are the metric times −1."""
    percent: bool = False
    """True if the name says that the values are percent."""
    segment: str | None = None
    """A feature or class that the name gives: `feature=age`, `class=1`."""
    base: str | None = None
    """The registered metric that `metric` is or is derived from; None if the name is not known."""

    @property
    def is_known(self) -> bool:
        """Whether the name led to a metric of the registry."""
        return self.base is not None

    @property
    def is_plain(self) -> bool:
        """Whether the name says nothing but the metric: no split, sign, unit or segment."""
        return self == NormalizedName(self.metric, base=self.base)

    @property
    def is_offline(self) -> bool:
        """Whether the split is one that never represents the model in use."""
        return (self.split or "").partition("_")[0] in OFFLINE_SPLITS

    @property
    def own_segment(self) -> str:
        """The segment that the name gives the metric by itself, whatever other columns there are."""
        parts = [self.segment or "", f"split={self.split}" if self.is_offline else ""]
        return ",".join(part for part in parts if part) or "all"


def is_measured_beside(segment: str) -> bool:
    """Return whether a segment is another measurement of the entire model, or of a class, by the name of its column.

    So are periods of another length. Training and reference data are not: the model in use may be bad where they are
    good, and the other way around.

    >>> [is_measured_beside(segment) for segment in ("split=val", "column=Accuracy", "class=1", "split=train", "all")]
    [True, True, True, False, False]
    """
    kind, equals, value = segment.partition("=")
    is_live = kind in {"column", "class", "period"} or (
        kind == "split" and value.partition("_")[0] not in OFFLINE_SPLITS
    )
    return bool(equals) and "," not in segment and is_live


def split_words(name: str) -> list[str]:
    """Return the words of a name in lower case, however they are joined; a decimal keeps its point.

    >>> split_words("BinaryF1Score"), split_words("valid_0's auc"), split_words("val/Loss (%)")
    (['binary', 'f1', 'score'], ['valid', '0', 'auc'], ['val', 'loss', 'percent'])
    """
    if re.fullmatch(r"[a-z0-9_]*", name):
        return [word for word in name.split("_") if word]
    text = name.replace("'s ", " ").replace("@", " at ").replace("%", " percent ").replace("²", "2")
    return [word for word in re.split(_BETWEEN, re.sub(_CAMEL, " ", text).lower()) if word]


def name_key(name: str) -> str:
    """Return the form in which names are compared: what remains without the marks between words.

    >>> name_key("ROC AUC"), name_key("RocAuc"), name_key("roc_auc"), name_key("rocauc")
    ('rocauc', 'rocauc', 'rocauc', 'rocauc')
    """
    return "".join(split_words(name))


def normalize(written: str, vocabulary: Vocabulary) -> NormalizedName:
    """Return what a name of another tool says; the name as written if it does not lead to a metric."""
    text = written.strip()
    if len(text) > MAX_LENGTH or text[:1] in {"-", "−", "~", "!"}:
        return NormalizedName(written)
    if found := vocabulary.names.get(name_key(text)):
        return NormalizedName(found, base=found)
    for pattern in (_FILTER, _VERSION, _PATH_END):
        text = re.sub(pattern, "", text)
    name, segment, extra = _call(text)
    normalized = _boosted(name, vocabulary) or _longest([*split_words(name), *extra], vocabulary)
    if normalized is None:
        return NormalizedName(written)
    return normalized if segment is None else normalized._replace(segment=segment)


def _call(text: str) -> tuple[str, str | None, list[str]]:
    """Return a name without its arguments, the feature or class that they name, and the words that stay."""
    found = re.fullmatch(_CALL, text)
    if found is None:
        return text, None, []
    segment, extra = None, []
    for part in found["inside"].split(","):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if equals and name in {"column", "column_name"}:
            segment = f"feature={value}"
        elif equals and name == "label":
            segment = f"class={value}"
        else:
            extra += _argument_words(name, value, is_named=bool(equals))
    return found["name"], segment, extra


def _argument_words(name: str, value: str, *, is_named: bool) -> list[str]:
    if not is_named:
        return [] if name in {"B", "M", "P"} else split_words(name)  # Ultralytics: boxes, masks, poses
    if name == "k":
        return ["at", *split_words(value)]
    return split_words(value) if name == "value_type" and value not in {"mean", "count"} else []


def _boosted(name: str, vocabulary: Vocabulary) -> NormalizedName | None:
    """Return what `validation_0-error` says: a name that means a metric only behind an evaluation set."""
    found = re.fullmatch(_EVAL_SET, name)
    metric = vocabulary.names.get(name_key(BOOSTING.get(name_key(found["name"]), ""))) if found else None
    split = re.fullmatch(_SPLIT, " ".join(split_words(found["set"]))) if found and metric else None
    return NormalizedName(metric, _split_name(split), base=metric) if metric and split else None


def _split_name(found: re.Match[str]) -> str:
    number = found.groupdict().get("number")
    return SPLITS[found["split"]] + (f"_{int(number)}" if number else "")


def _longest(words: list[str], vocabulary: Vocabulary) -> NormalizedName | None:
    """Return what the words say, by the most of them that are a metric while all others are known beside one."""
    number = ""
    if len(words) > 3 and words[-3:-1] == ["dataloader", "idx"]:  # Lightning
        number, words = f"_{words[-1]}", words[:-3]
    if len(words) > 2 and words[-1] == "ms" and re.fullmatch("p[0-9]{1,2}", words[-2]):
        words = [*words[:-2], words[-1], words[-2]]
    if len(words) > MAX_WORDS or "".join(words) in REFUSED:
        return None
    for length in range(len(words), 0, -1):
        for start in range(len(words) - length + 1):
            end = start + length
            if found := _read(words[:start], "".join(words[start:end]), words[end:], vocabulary):
                return found._replace(split=f"{found.split}{number}") if found.split else found
    return None


def _read(before: Sequence[str], core: str, after: Sequence[str], vocabulary: Vocabulary) -> NormalizedName | None:
    """Return the metric `core` with what the words before and behind it say; None if one of them is not known there."""
    metric = vocabulary.names.get(core) or CUT_ONLY.get(core) or PERCENT_ONLY.get(core)
    name, base = RENAMED.get(core, (metric, metric))
    if name is None or base is None or (core in WHOLE_ONLY and (before or after)):
        return None
    heads = _tokens(_BEFORE, "".join(f"{word} " for word in before))
    tails = _tokens(_AFTER, "".join(f" {word}" for word in after))
    if heads is None or tails is None:
        return None
    tokens = [*tails, *reversed(heads)]  # from the metric outwards
    says = dict(tokens)
    is_known, split = _join_splits([value for kind, value in tokens if kind == "split"])
    if not is_known or (base in vocabulary.test_statistics and "split" in dict(tails)):
        return None
    if core in PERCENT_ONLY and "percent" in says:
        name = base = PERCENT_ONLY[core]
    elif core in PERCENT_ONLY and core not in vocabulary.names:
        return None
    if "estimated" in says:
        name = base = vocabulary.names.get(name_key(f"estimated_{name}"), "")
    sign = -1 if "neg" in says else 1
    forms = [value for kind, value in tokens if kind == "form"]
    if not name or (sign < 0 and base not in vocabulary.losses) or not _is_possible(core, name, forms, vocabulary):
        return None
    for form in forms:
        if form != "mean" or name not in vocabulary.means:
            name = vocabulary.names.get(name_key(f"{name}_{form}"), f"{name}_{form}")
    segment = f"class={says['of_class']}" if "of_class" in says else None
    return NormalizedName(name, split, sign, "percent" in says, segment, base)


def _tokens(pattern: str, text: str) -> list[tuple[str, str]] | None:
    """Return what each word says, by kind; None if one is not known. What derives a metric is of kind `form`."""
    tokens, position = [], 0
    while position < len(text):
        found = re.compile(pattern).match(text, position)
        if found is None:
            return None
        kind, value = next((kind, value) for kind, value in found.groupdict().items() if value)
        if kind == "split":
            value = _split_name(found)
        elif kind in ("average", "mean", "cut", "top", "quantile", "index"):
            value = str(int(value)) if value.isdigit() else value
            kind, value = "form", {"cut": f"at_{value}", "top": f"at_{value}", "mean": "mean"}.get(kind, value)
        tokens.append((kind, value))
        position = found.end()
    return tokens


def _join_splits(splits: Sequence[str]) -> tuple[bool, str | None]:
    """Return whether the splits of one name go together, and the joint one; `eval` is any evaluation."""
    others = {split for split in splits if split != "eval"}
    return len(others) < 2, next(iter(others or splits), None)


def _is_possible(core: str, name: str, forms: Sequence[str], vocabulary: Vocabulary) -> bool:
    if core in CUT_ONLY and core not in vocabulary.names and not (forms and forms[0].startswith("at_")):
        return False
    return "samples" not in forms or name in SAMPLED


def is_bookkeeping(written: str) -> bool:
    """Return whether a column of numbers is no metric: a step, an epoch, a learning rate, a row number.

    >>> is_bookkeeping("trainer/global_step"), is_bookkeeping("lr-AdamW"), is_bookkeeping("step_accuracy")
    (True, True, False)
    """
    parts = split_words(written)
    if len(parts) > 1 and (parts[0] in SPLITS or parts[0] == "trainer"):
        parts = parts[1:]
    return (
        "".join(parts) in BOOKKEEPING
        or written == "_runtime"
        or (  # of Weights & Biases, since the start
            len(parts) > 1 and parts[0] == "lr" and len(written) <= MAX_LENGTH
        )
    )


def is_quantity(written: str) -> bool:
    """Return whether a name ends like a count, a size or a time, which grow with the volume, or is bookkeeping.

    >>> is_quantity("example_count"), is_quantity("model_version"), is_quantity("fraud_recall")
    (True, True, False)
    """
    return is_bookkeeping(written) or (bool(parts := split_words(written)) and parts[-1] in QUANTITIES)


def resembles(written: str, vocabulary: Vocabulary) -> str | None:
    """Return the metric that an unknown name ends with, for the message that asks for its direction.

    Returns:
        The registered metric of its last words; None if they are none, or if a word before them changes the meaning.
    """
    parts = split_words(written)[:MAX_WORDS]
    for start in range(1, len(parts)):
        if MEANING_CHANGERS.isdisjoint(parts[:start]) and (found := _longest(parts[start:], vocabulary)):
            return found.base
    return None
