"""The names that other tools give to a metric, and the registered one that each stands for.

Pure: it is given a vocabulary and knows no metric itself. A name is normalized whole or not at all: what remains when
every known prefix and suffix is taken off must be a name or an alias of the registry. Otherwise it stays as written,
and its metric is an unknown one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

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
"""Splits that never stand for the model in use: always a segment."""
SPLIT_SUFFIXES = _words(
    "train training val valid validation test testing holdout heldout live prod production eval evaluation "
    "current reference"
)
"""Words of `SPLITS` that say the same behind a metric; `accuracy_dev` may be a deviation, `rmse_cv` a variation."""
PREFIXES = _words(
    "metrics metric summary scores results result performance perf model ml epoch overall global aggregate coco "
    "rollout classification regression"
)
"""Words before a metric that say nothing about it."""
SUFFIXES = _words("epoch overall global aggregate all")
"""The same behind it."""
DATA = _words("set data split dataset")
"""What may follow a word of `SPLITS`: `test_set_accuracy`."""
LIBRARY_PREFIXES = _words("binary multiclass multilabel retrieval")
"""First words of the classes of torchmetrics, of Keras and of LightGBM."""
TAIL = _words("score value metric metrics")
"""Last words that say nothing."""
PERCENT = _words("percent pct percentage")
AVERAGES = _words("macro micro weighted")
MEANS = _words("mean avg average")
PAIRS = _words("ovr ovo")
SAMPLED = _words("f1_score precision recall jaccard")
"""Metrics that scikit-learn averages over samples; behind another name `samples` may be a count."""
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
"""Names that stand for a cut or an average of a metric."""
WHOLE_ONLY = _words("cost bias js ks chi2 chisquare confidence")
"""Aliases that mean a metric only when nothing else stands in the name: `train_cost` may be money."""
REFUSED = _words("kstest chi2test chisquaretest cvrmse rmsecv")
"""Names that would lead to a metric and mean something else."""
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
    "id runid index row rowid rownumber rownum unnamed0"
)
"""Columns of numbers that are no metric: counters and settings of a training run, ids, row numbers (`Unnamed: 0` is the
index of pandas)."""
QUANTITIES = _words("count counts rows size sizes time version total number bytes seconds")
"""Last words of quantities that say nothing of how good a model is: they grow with the volume."""
MEANING_CHANGERS = _words(
    "delta diff drop std var gap change rank non not no dummy baseline target neg attack jailbreak false"
)
"""Words before a metric after which nothing is concluded from it."""

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z][a-z])|(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_PLAIN = re.compile(r"[a-z0-9_]*")
_BETWEEN = re.compile(r"(?<![0-9])\.|\.(?![0-9])|[\s_\-/\\:|,;'\"`()\[\]{}=#^]+")
_FILTER = re.compile(
    r",(?:none|strict-match|flexible-extract|get-answer|remove_whitespace|create_test|custom-extract)$"
)
_VERSION = re.compile(r"/v[0-9]+(?=/|$)")
_PATH_END = re.compile(r"/(?:mean|average|value|score)$")
_EVAL_SET = re.compile(r"(?P<set>[A-Za-z]+_?[0-9]*)(?:-|'s |:)(?P<name>.+)")
_CALL = re.compile(r"(?P<name>[^()\[\]]+?)\s*\((?P<inside>[^()]*)\)")
_NUMBER = re.compile(r"[0-9]{1,3}")
_K = re.compile(r"k|[0-9]+(?:\.[0-9]+)?")
_TOP = re.compile(r"top(?P<k>k|[0-9]+)?")
_QUANTILE = re.compile(r"p[0-9]{1,2}")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What of the registry a name is normalized by."""

    names: Mapping[str, str]
    """From the `name_key` of every name and alias to the metric."""
    losses: frozenset[str]
    """Metrics of which lower is better and which never lie below zero: scikit-learn negates them by `neg_`."""
    test_statistics: frozenset[str]
    """Metrics of which a last `test` is the statistical one: no split of the data."""
    means: frozenset[str]
    """Metrics that are themselves a mean over rows: `avg_latency` is latency."""


@dataclass(frozen=True, slots=True)
class NormalizedName:
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
        """Whether the split is one that never stands for the model in use."""
        return (self.split or "").partition("_")[0] in OFFLINE_SPLITS

    @property
    def own_segment(self) -> str:
        """The segment that the name gives the metric by itself, whatever other columns there are."""
        parts = [self.segment or "", f"split={self.split}" if self.is_offline else ""]
        return ",".join(part for part in parts if part) or "all"


def split_words(name: str) -> list[str]:
    """Return the words of a name in lower case, however they are joined; a decimal keeps its point.

    >>> split_words("BinaryF1Score"), split_words("valid_0's auc"), split_words("val/Loss (%)")
    (['binary', 'f1', 'score'], ['valid', '0', 'auc'], ['val', 'loss', 'percent'])
    """
    if _PLAIN.fullmatch(name):
        return [word for word in name.split("_") if word]
    text = name.replace("'s ", " ").replace("@", " at ").replace("%", " percent ").replace("²", "2")
    return [word for word in _BETWEEN.split(_CAMEL.sub(" ", text).lower()) if word]


def name_key(name: str) -> str:
    """Return the form in which names are compared: what remains without the marks between words.

    >>> name_key("ROC AUC"), name_key("RocAuc"), name_key("roc_auc"), name_key("rocauc")
    ('rocauc', 'rocauc', 'rocauc', 'rocauc')
    """
    return "".join(split_words(name))


def normalize(written: str, vocabulary: Vocabulary) -> NormalizedName:
    """Return what a name of another tool says; the name as written if it does not lead to a metric.

    Args:
        written: A column's name, or a cell of a column of metric names.
        vocabulary: The names of the registry.
    """
    text = written.strip()
    if len(text) > MAX_LENGTH or text[:1] in {"-", "−", "~", "!"}:
        return NormalizedName(written)
    if found := vocabulary.names.get(name_key(text)):
        return NormalizedName(found, base=found)
    text = _PATH_END.sub("", _VERSION.sub("", _FILTER.sub("", text)))
    name, segment, extra = _call(text)
    found_name = _boosted(name, vocabulary) or _without_affixes([*split_words(name), *extra], vocabulary)
    if found_name is None:
        return NormalizedName(written)
    return found_name if segment is None else replace(found_name, segment=segment)


def _call(text: str) -> tuple[str, str | None, list[str]]:
    """Return a name without its arguments, the feature or class that they name, and the words that stay."""
    found = _CALL.fullmatch(text)
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
    found = _EVAL_SET.fullmatch(name)
    metric = vocabulary.names.get(name_key(BOOSTING.get(name_key(found["name"]), ""))) if found else None
    if found is None or metric is None:
        return None
    split, rest = _split_prefix(split_words(found["set"]))
    return None if split is None or rest else NormalizedName(metric, split, base=metric)


def _split_prefix(parts: Sequence[str]) -> tuple[str | None, Sequence[str]]:
    """Return the split of the data that the first words name, and the other words."""
    if len(parts) > 1 and parts[0] in MEANS and parts[1] in {"test", "train"}:  # cv_results_ of scikit-learn
        parts = parts[1:]
    split = SPLITS.get(parts[0]) if parts else None
    if split is None:
        return None, parts
    rest = parts[1:]
    if rest and _NUMBER.fullmatch(rest[0]):
        split, rest = f"{split}_{int(rest[0])}", rest[1:]
    return split, rest


def _split_suffix(parts: Sequence[str]) -> tuple[str | None, Sequence[str]]:
    """Do the same for the last words: `loss/train`, `accuracy_score_X_test`, `f1 on test set`."""
    rest = parts[:-1] if len(parts) > 2 and parts[-1] in DATA else parts
    if len(rest) < 2 or rest[-1] not in SPLIT_SUFFIXES:
        return None, parts
    split, rest = SPLITS[rest[-1]], rest[:-1]
    return split, rest[:-1] if len(rest) > 1 and rest[-1] in {"on", "x", "in"} else rest


def _join_splits(first: str | None, second: str | None) -> tuple[str | None, bool]:
    """Return two splits as one, and whether they go together; `eval` is any evaluation."""
    if first is None or second is None or first == second:
        return first or second, True
    if "eval" in (first, second):
        return (second if first == "eval" else first), True
    return None, False


def _without_affixes(parts: list[str], vocabulary: Vocabulary) -> NormalizedName | None:
    """Return what the longest rest says that leads to a metric, without the words before and behind it."""
    number = ""
    if len(parts) > 3 and parts[-3:-1] == ["dataloader", "idx"]:  # Lightning
        number, parts = f"_{parts[-1]}", parts[:-3]
    if not 0 < len(parts) <= MAX_WORDS or "".join(parts) in REFUSED:
        return None
    for before, rest in _without_prefixes(parts):
        for split, has_split_suffix, core in _without_suffixes(before, rest):
            percent = len(core) > 1 and core[-1] in PERCENT
            core_words = core[:-1] if percent else core
            found = _signed(core_words, vocabulary, percent=percent)
            is_bare = len(core_words) == len(parts)
            if found is None or (not is_bare and "".join(core_words) in WHOLE_ONLY):
                continue
            if not (has_split_suffix and found.base in vocabulary.test_statistics):
                return replace(found, split=f"{split}{number}" if split else None)
    return None


def _without_prefixes(parts: Sequence[str]) -> Iterator[tuple[str | None, Sequence[str]]]:
    """Yield every way to take known words off the front: none first."""
    split: str | None = None
    while parts:
        yield split, parts
        said, rest = _split_prefix(parts)
        if said is not None:
            split, agree = _join_splits(split, said)
            if not agree:
                return
        elif parts[0] in PREFIXES or (split and parts[0] in DATA):
            rest = parts[1:]
        else:
            return
        parts = rest


def _without_suffixes(split: str | None, parts: Sequence[str]) -> Iterator[tuple[str | None, bool, Sequence[str]]]:
    """Yield every way to take known words off the back, with whether one of them names a split of the data."""
    has_split_suffix = False
    while parts:
        yield split, has_split_suffix, parts
        said, rest = _split_suffix(parts)
        if said is not None:
            split, agree = _join_splits(split, said)
            if not agree:
                return
            has_split_suffix = True
        elif len(parts) > 1 and parts[-1] in SUFFIXES:
            rest = parts[:-1]
        else:
            return
        parts = rest


def _signed(parts: Sequence[str], vocabulary: Vocabulary, *, percent: bool) -> NormalizedName | None:
    """Return what the words are, or the negative of."""
    if percent and (only := vocabulary.names.get(name_key(PERCENT_ONLY.get("".join(parts), "")))):
        return NormalizedName(only, percent=True, base=only)
    of_class = _class_metric(parts)
    if of_class is not None and (found := _resolve(of_class[0], vocabulary)):
        return NormalizedName(found[0], percent=percent, segment=f"class={of_class[1]}", base=found[1])
    if found := _resolve(parts, vocabulary):
        return NormalizedName(found[0], percent=percent, base=found[1])
    if len(parts) > 1 and parts[0] == "neg" and (found := _resolve(parts[1:], vocabulary)):
        return (
            NormalizedName(found[0], sign=-1, percent=percent, base=found[1]) if found[1] in vocabulary.losses else None
        )
    return None


def _class_metric(parts: Sequence[str]) -> tuple[Sequence[str], str] | None:
    """Return metric and class of `recall_class_1` and `class_1_recall`."""
    if len(parts) > 2 and parts[-2] == "class":
        return parts[:-2], parts[-1]
    if len(parts) > 2 and parts[0] == "class" and _NUMBER.fullmatch(parts[1]):
        return parts[2:], parts[1]
    return None


def _resolve(parts: Sequence[str], vocabulary: Vocabulary) -> tuple[str, str] | None:
    """Return the metric of these words and the registered one it is derived from; None if they are not one."""
    joined = "".join(parts)
    if found := RENAMED.get(joined) or _twice(vocabulary.names.get(joined)):
        return found
    for rest in _plainer(parts):
        if "".join(rest) not in WHOLE_ONLY and (found := _resolve(rest, vocabulary)):
            return found
    if derived := _derivation(parts):
        return _derived(derived, vocabulary)
    if len(parts) > 1 and parts[0] in {"estimated", "expected"} and (found := _resolve(parts[1:], vocabulary)):
        return _twice(vocabulary.names.get(name_key(f"estimated_{found[0]}")))
    return None


def _twice(name: str | None) -> tuple[str, str] | None:
    """Return a registered metric as the one that it is derived from, too."""
    return None if name is None else (name, name)


def _plainer(parts: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield the words without one that says nothing."""
    if len(parts) > 1 and parts[-1] in TAIL:
        yield parts[:-1]
    if len(parts) > 1 and parts[0] in LIBRARY_PREFIXES:
        yield parts[1:]
    if parts[-2:] in (["by", "label"], ["by", "class"]):
        yield parts[:-2]


def _derived(derivation: tuple[Sequence[str], str], vocabulary: Vocabulary) -> tuple[str, str] | None:
    base, form = derivation
    if "".join(base) in CUT_ONLY and form.startswith("at_"):
        base = split_words(CUT_ONLY["".join(base)])
    found = None if "".join(base) in WHOLE_ONLY else _resolve(base, vocabulary)
    if found is None or (form == "samples" and found[0] not in SAMPLED):
        return None
    if form == "mean" and found[0] in vocabulary.means:
        return found
    name = f"{found[0]}_{form}"
    return vocabulary.names.get(name_key(name), name), found[1]


def _derivation(parts: Sequence[str]) -> tuple[Sequence[str], str] | None:
    """Return what words are derived from, and how; None if they are not derived from anything.

    Derived: the first k of a ranking or a threshold (`at_10`), an average over classes (`macro`), pairs of them
    (`ovr`) or queries (`mean`), a quantile over rows (`p95`), or the number that Keras gives (`1`).
    """
    if len(parts) < 2:
        return None
    return _cut(parts) or _average(parts) or _quantile(parts)


def _cut(parts: Sequence[str]) -> tuple[Sequence[str], str] | None:
    if len(parts) > 2 and parts[-2] in {"at", "top"} and _K.fullmatch(parts[-1]):
        return parts[:-2], f"at_{_canonical_number(parts[-1])}"
    first, last = _TOP.fullmatch(parts[0]), _TOP.fullmatch(parts[-1])
    if first and first["k"]:
        return parts[1:], f"at_{_canonical_number(first['k'])}"
    if first and len(parts) > 2 and _K.fullmatch(parts[1]):
        return parts[2:], f"at_{_canonical_number(parts[1])}"
    return (parts[:-1], f"at_{_canonical_number(last['k'])}") if last and last["k"] else None


def _canonical_number(k: str) -> str:
    """Return one text for `010` and `10`."""
    return str(int(k)) if k.isdigit() else k


def _average(parts: Sequence[str]) -> tuple[Sequence[str], str] | None:
    if parts[-1] in AVERAGES | PAIRS | {"samples"}:
        return parts[:-1], parts[-1]
    if parts[-1] in MEANS:
        is_two_words = len(parts) > 2 and parts[-2] in AVERAGES  # `f1 macro avg`
        return (parts[:-2], parts[-2]) if is_two_words else (parts[:-1], "mean")
    if parts[0] in AVERAGES:
        return parts[2:] if parts[1] in MEANS and len(parts) > 2 else parts[1:], parts[0]
    return (parts[1:], "mean") if parts[0] in MEANS else None


def _quantile(parts: Sequence[str]) -> tuple[Sequence[str], str] | None:
    if _QUANTILE.fullmatch(parts[-1]):
        return parts[:-1], parts[-1]
    if parts[-1] == "ms" and len(parts) > 2 and _QUANTILE.fullmatch(parts[-2]):
        return [*parts[:-2], "ms"], parts[-2]
    if _QUANTILE.fullmatch(parts[0]):
        return parts[1:], parts[0]
    if parts[-1] != "k" and len(parts[-1]) <= 4 and _K.fullmatch(parts[-1]):
        return parts[:-1], _canonical_number(parts[-1])
    return None


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

    Args:
        written: A name that did not lead to a metric.
        vocabulary: The names of the registry.

    Returns:
        The registered metric of its last words; None if they are none, or if a word before them changes the meaning.
    """
    parts = split_words(written)[:MAX_WORDS]
    for start in range(1, len(parts)):
        if MEANING_CHANGERS.isdisjoint(parts[:start]) and (found := _resolve(parts[start:], vocabulary)):
            return found[1]
    return None
