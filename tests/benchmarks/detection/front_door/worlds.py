"""Worlds: a population of labeled rows, and a scikit-learn model that was trained on other rows of it.

Data sets ship with scikit-learn and statsmodels; generated worlds have skewed, numeric and categorical features. Half
of the worlds of each task are named `tuning`, half `held out`, on which nothing may be tuned.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import cache, cached_property
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

Floats = np.ndarray
REGIONS = ("north", "south", "west")
SEGMENT = "region"
"""Column of every log that is no input of the model, and by which metrics are cut."""
POOL_ROWS = 20_000
"""Rows of a generated population; logs are drawn from them with replacement."""
MAX_TRAINING_ROWS = 6_000


class Task(Enum):
    """What a model predicts."""

    BINARY = "binary"
    MULTICLASS = "multiclass"
    REGRESSION = "regression"


class Split(Enum):
    """What a world may be used for."""

    TUNING = "tuning"
    HELD_OUT = "held out"


@dataclass(frozen=True, slots=True)
class WorldSpec:
    """One world before its model is trained."""

    name: str
    task: Task
    split: Split
    load: Callable[[], tuple[pd.DataFrame, np.ndarray]]
    """Returns the features and the labels."""
    is_linear: bool
    """Whether the model is linear; else its trees are boosted."""
    label_delay: int = 0
    """Days after which a label is known."""
    has_categories: bool = True
    """Whether some features are categorical."""


class World:
    """A trained model, and the rows that it never saw, with its scores of them.

    Args:
        spec: Where the rows come from.
    """

    def __init__(self, spec: WorldSpec) -> None:
        self.spec = spec
        features, labels = spec.load()
        features = features.rename(columns=str)  # scikit-learn takes no names of NumPy
        rng = np.random.default_rng(_number(spec.name))
        order = rng.permutation(len(features))
        training = order[: min(len(order) // 2, MAX_TRAINING_ROWS)]
        rest = order[len(training) :]
        self.training = features.iloc[training], labels[training]
        self.features = features.iloc[rest].reset_index(drop=True)
        self.labels = labels[rest]
        self.regions = rng.choice(REGIONS, len(rest), p=(0.5, 0.3, 0.2))
        self.model = _fit(spec, *self.training)
        self.classes: list[Any] = [] if self.is_regression else list(self.model.classes_)

    @property
    def is_regression(self) -> bool:
        """Whether the model predicts a number."""
        return self.spec.task is Task.REGRESSION

    @property
    def number(self) -> int:
        """Seed of the world."""
        return _number(self.spec.name)

    @cached_property
    def scores(self) -> Floats:
        """Scores of the population, a column for each class; of a regression the predictions in one column."""
        return self.score(self.features)

    @cached_property
    def bad_model(self) -> Any:
        """Release that went wrong: the better half of its inputs were joined to other rows when it was trained."""
        features, labels = self.training
        rng = np.random.default_rng(self.number + 1)
        lost = self._by_importance[: (len(self._by_importance) + 1) // 2]
        shuffled = features[lost].sample(frac=1, random_state=rng).set_axis(features.index)
        return _fit(self.spec, features.assign(**shuffled), labels)

    def score(self, features: pd.DataFrame, model: Any = None) -> Floats:
        """Return the scores of a model, by default of this world's."""
        model = self.model if model is None else model
        if self.is_regression:
            return np.asarray(model.predict(features), float)[:, None]
        return np.asarray(model.predict_proba(features), float)

    @cached_property
    def doubt(self) -> Floats:
        """Rank, 0 to 1, of how hard a row is for the model: its uncertainty, or its predicted value."""
        return rank(self.scores[:, 0] if self.is_regression else -self.scores.max(axis=1))

    @cached_property
    def numeric(self) -> list[str]:
        """Numeric features, those first without which the model is worst."""
        return [name for name in self._by_importance if is_numeric_dtype(self.features[name])]

    @cached_property
    def categorical(self) -> list[str]:
        """Categorical features, those first without which the model is worst."""
        return [name for name in self._by_importance if not is_numeric_dtype(self.features[name])]

    @cached_property
    def _by_importance(self) -> list[str]:
        """Features by how far the scores move once the feature is permuted (Breiman 2001)."""
        rng = np.random.default_rng(self.number)
        sample = self.features.iloc[:2000]
        scores = self.scores[: len(sample)]
        moved = {}
        for name in self.features:
            permuted = sample.assign(**{name: rng.permutation(sample[name].to_numpy())})
            moved[name] = float(np.abs(self.score(permuted) - scores).mean())
        return sorted(moved, key=lambda name: -moved[name])


def rank(values: Floats) -> Floats:
    """Return the rank of each value, 0 to 1."""
    return np.argsort(np.argsort(values, kind="stable"), kind="stable") / max(len(values) - 1, 1)


def _number(name: str) -> int:
    return int.from_bytes(name.encode()[:8], "big")


def _fit(spec: WorldSpec, features: pd.DataFrame, labels: np.ndarray) -> Any:
    from sklearn.compose import make_column_selector, make_column_transformer
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression, RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

    numbers, texts = make_column_selector(dtype_include="number"), make_column_selector(dtype_exclude="number")
    is_regression = spec.task is Task.REGRESSION
    if spec.is_linear:
        impute = make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler())
        columns = make_column_transformer((impute, numbers), (OneHotEncoder(handle_unknown="ignore"), texts))
        estimator = RidgeCV() if is_regression else LogisticRegression(max_iter=2000)
    else:
        encode = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
        columns = make_column_transformer((encode, texts), remainder="passthrough")
        boosted = HistGradientBoostingRegressor if is_regression else HistGradientBoostingClassifier
        small = {"max_iter": 120, "max_leaf_nodes": 12, "min_samples_leaf": 15, "random_state": 0}
        estimator = boosted(**small)
    return make_pipeline(columns, estimator).fit(features, labels)


Loaded = tuple[pd.DataFrame, np.ndarray]


def _shipped(name: str, limit: int = 10) -> Callable[[], Loaded]:
    """Return the loader of a data set of scikit-learn, with its first features."""

    def load() -> Loaded:
        from sklearn import datasets

        options = {"scaled": False} if name == "diabetes" else {}
        data = getattr(datasets, f"load_{name}")(as_frame=True, **options)
        features = data.data.iloc[:, :limit].astype(float)
        features.columns = [column.split(" (")[0].replace(" ", "_").replace("/", "_") for column in features]
        labels = data.target.to_numpy()
        if hasattr(data, "target_names") and name != "diabetes":
            labels = np.asarray(data.target_names, dtype=object)[labels].astype(str)
        if name == "diabetes":
            features["sex"] = features["sex"].map({1.0: "male", 2.0: "female"}).astype(object)
        return features, labels.astype(object) if labels.dtype.kind == "U" else labels

    return load


def _digits() -> Loaded:
    """Return five digits with the mean ink of 8 zones instead of 64 pixels."""
    from sklearn.datasets import load_digits

    data = load_digits(n_class=5)  # each class is a score more, and all ten would take most of the benchmark's time
    zones = data.images.reshape(-1, 4, 2, 2, 4).mean(axis=(2, 4)).reshape(-1, 8)
    names = [f"ink_{row}_{side}" for row in range(1, 5) for side in ("left", "right")]
    return pd.DataFrame(zones, columns=names), np.asarray([f"digit_{digit}" for digit in data.target], object)


def _statsmodels(name: str) -> pd.DataFrame:
    import statsmodels.datasets

    frame: pd.DataFrame = getattr(statsmodels.datasets, name).load_pandas().data
    return frame.astype(float)


def _fair() -> Loaded:
    """Return the survey of marriages of Fair (1978): whether there was an affair."""
    frame = _statsmodels("fair")
    labels = (frame.pop("affairs") > 0).astype(int).to_numpy()
    jobs = {1: "student", 2: "worker", 3: "clerk", 4: "teacher", 5: "manager", 6: "professional"}
    for name in ("occupation", "occupation_husb"):
        frame[name] = frame[name].map(jobs).astype(object)
    return frame, labels


def _anes96() -> Loaded:
    """Return the American National Election Study of 1996: whom people voted for."""
    frame = _statsmodels("anes96").drop(columns="logpopul")
    return frame, frame.pop("vote").astype(int).to_numpy()


def _star98() -> Loaded:
    """Return the school districts of California in 1998: the share of pupils above the national median."""
    frame = _statsmodels("star98")
    above, below = frame.pop("NABOVE"), frame.pop("NBELOW")
    return frame.iloc[:, :8].rename(columns=str.lower), (100 * above / (above + below)).to_numpy()


def _randhie() -> Loaded:
    """Return the RAND health insurance experiment: visits to a doctor, skewed and hard to predict."""
    frame = _statsmodels("randhie")
    return frame, frame.pop("mdvis").to_numpy()


NUMERIC_NAMES = (
    "income", "age", "balance", "tenure_months", "order_value", "distance_km", "sessions", "discount_share",
    "weight_kg", "response_ms", "items", "days_since_login",
)  # fmt: skip
CATEGORICAL_NAMES = {
    "channel": ("web", "app", "shop", "partner"),
    "device": ("ios", "android", "desktop"),
    "plan": ("free", "basic", "pro", "team", "enterprise"),
    "category": ("books", "food", "garden", "music", "sport", "toys"),
}


def _generated(seed: int, task: Task, *, positive_share: float = 0.5, strength: float = 3.0) -> Callable[[], Loaded]:
    """Return the generator of a population of five or six numeric and two categorical features.

    Args:
        seed: Decides names, distributions and effects.
        task: What is predicted.
        positive_share: Share of the rarer class.
        strength: How far the features decide the label, in deviations of the logit.
    """

    def load() -> Loaded:
        rng = np.random.default_rng(seed)
        names = rng.permutation(NUMERIC_NAMES)[: rng.integers(5, 7)]
        common = rng.normal(size=POOL_ROWS)
        latent = np.stack([0.4 * common + 0.92 * rng.normal(size=POOL_ROWS) for _ in names], axis=1)
        frame = pd.DataFrame({name: _observed(rng, latent[:, index]) for index, name in enumerate(names)})
        outputs = {Task.MULTICLASS: 4}.get(task, 1)
        signal = latent @ rng.normal(size=(len(names), outputs))
        signal += np.tanh(latent[:, :1] * latent[:, 1:2]) * rng.normal(size=outputs)
        for name in rng.permutation(list(CATEGORICAL_NAMES))[:2]:
            values = CATEGORICAL_NAMES[name]
            codes = rng.choice(len(values), POOL_ROWS, p=rng.dirichlet(np.full(len(values), 5.0)))
            frame[name] = np.asarray(values, object)[codes]
            signal += rng.normal(0, 1.2, (len(values), outputs))[codes]
        signal = strength * (signal - signal.mean(axis=0)) / signal.std(axis=0)
        return frame, _labels(rng, task, signal, positive_share)

    return load


def _observed(rng: np.random.Generator, latent: Floats) -> Floats:
    """Return a feature as it is logged: log-normal, normal, a share, or a count."""
    shape = rng.integers(4)
    if shape == 0:
        return np.round(np.exp(rng.uniform(3, 8) + rng.uniform(0.7, 1.2) * latent), 2)
    if shape == 1:
        return np.round(rng.uniform(20, 80) + rng.uniform(5, 15) * latent, 1)
    if shape == 2:
        return np.round(1 / (1 + np.exp(-latent - rng.normal())), 4)
    return np.floor(np.exp(1.5 + 0.8 * latent))


def _labels(rng: np.random.Generator, task: Task, signal: Floats, positive_share: float) -> np.ndarray:
    if task is Task.REGRESSION:
        return np.round(np.exp(3 + 0.25 * signal[:, 0] + 0.25 * rng.normal(size=len(signal))), 2)
    if task is Task.BINARY:
        noisy = signal[:, 0] + rng.logistic(size=len(signal))
        return (noisy > np.quantile(noisy, 1 - positive_share)).astype(int)
    noisy = signal + rng.gumbel(size=signal.shape)
    return np.asarray(["billing", "delivery", "returns", "technical"], object)[noisy.argmax(axis=1)]


B, M, R = Task.BINARY, Task.MULTICLASS, Task.REGRESSION
TUNING, HELD_OUT = Split.TUNING, Split.HELD_OUT
WORLDS = (
    WorldSpec("breast cancer", B, TUNING, _shipped("breast_cancer", 8), is_linear=True, has_categories=False),
    WorldSpec("g-credit", B, TUNING, _generated(101, B, positive_share=0.3), is_linear=False, label_delay=2),
    WorldSpec("anes96", B, TUNING, _anes96, is_linear=True, has_categories=False),
    WorldSpec("fair", B, HELD_OUT, _fair, is_linear=False),
    WorldSpec("g-fraud", B, HELD_OUT, _generated(202, B, positive_share=0.08, strength=4), is_linear=True),
    WorldSpec("g-churn", B, HELD_OUT, _generated(203, B), is_linear=False, label_delay=2),
    WorldSpec("wine", M, TUNING, _shipped("wine", 8), is_linear=True, has_categories=False),
    WorldSpec("g-tickets", M, TUNING, _generated(111, M), is_linear=False),
    WorldSpec("iris", M, TUNING, _shipped("iris"), is_linear=True, label_delay=1, has_categories=False),
    WorldSpec("digits", M, HELD_OUT, _digits, is_linear=True, label_delay=1, has_categories=False),
    WorldSpec("g-routing", M, HELD_OUT, _generated(212, M, strength=4), is_linear=False),
    WorldSpec("g-topics", M, HELD_OUT, _generated(213, M), is_linear=True),
    WorldSpec("diabetes", R, TUNING, _shipped("diabetes"), is_linear=True),
    WorldSpec("g-delivery", R, TUNING, _generated(121, R), is_linear=False, label_delay=1),
    WorldSpec("g-demand", R, TUNING, _generated(122, R), is_linear=False),
    WorldSpec("star98", R, HELD_OUT, _star98, is_linear=True, has_categories=False),
    WorldSpec("g-price", R, HELD_OUT, _generated(222, R), is_linear=False),
    WorldSpec("randhie", R, HELD_OUT, _randhie, is_linear=False, label_delay=1, has_categories=False),
)
"""By task and split three: two for the matrix at 1,000 rows a day, the third for the other sizes."""
SPECS = {spec.name: spec for spec in WORLDS}


@cache
def world(name: str) -> World:
    """Return the world of that name, its model trained."""
    return World(SPECS[name])
