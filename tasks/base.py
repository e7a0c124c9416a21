"""The base of tasks: a frozen dataclass of options that generates data from a seed and scores predictions.

The kinds of tasks, and the call that a model answers:

filter      `predict(inputs)`: an output at every step; the first `washout` steps of a split are not scored
free run    `forecast(history, steps)`: the continuation of each history of the split
label       `predict(inputs)`: one label or vector per sequence
text        `log_probabilities(documents)`: of every symbol, from a language model, which is made of the model
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Literal

import numpy as np

from reservoir import metrics
from reservoir.files.reading import Text, as_text
from reservoir.validation import Constraint, Number, check_parameters

Kind = Literal["filter", "free run", "label", "text"]

COUNT = Number(low=1, integer=True)
LAG = Number(low=0, integer=True)
SPLITS = ("train", "validation", "test")
SEQUENCES: dict[str, Constraint] = {f"{split}_sequences": COUNT for split in SPLITS}
"""The constraints of a task whose splits are so many sequences."""
LENGTHS: dict[str, Constraint] = {f"{split}_length": Number(low=2, integer=True) for split in SPLITS}
"""The constraints of a task whose splits are so many steps."""


@dataclass(frozen=True)
class Split:
    """Sequences with their targets.

    Attributes
    ----------
    inputs : list of (T_i, n_features) arrays; histories for a free run; (T_i, 0) when the task has no input
    targets : list of (T_i, n_outputs) arrays per step, (steps, n_outputs) continuations for a free run's test split,
        or one array (n_sequences,) or (n_sequences, n_outputs) of labels
    washout : leading steps of each sequence that are given but not scored
    """

    inputs: list[np.ndarray]
    targets: list[np.ndarray] | np.ndarray
    washout: int = 0


@dataclass(frozen=True)
class Data:
    """The three splits of one seed, and facts about them (`info`: the variance used, redraws, ...)."""

    train: Split
    validation: Split
    test: Split
    info: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Task:
    """Base of every task. A subclass adds its options as fields and its facts as class variables."""

    name: ClassVar[str]
    kind: ClassVar[Kind]
    metric: ClassVar[str]
    higher_is_better: ClassVar[bool] = False
    published: ClassVar[str] = ""
    """The published figure with its source, in one line; empty when none is known."""
    baseline_name: ClassVar[str] = "trivial baseline"
    """The predictor whose score `baseline` is, in up to 30 letters, for tables."""
    solved_at: ClassVar[float | None] = None
    """The score that counts as solved, as does every better one; None for a task without such a criterion."""
    constraints: ClassVar[dict[str, Constraint]] = {}
    tuned: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    """Model -> parameters with which it does well; see `settings`."""
    slow: ClassVar[tuple[str, ...]] = ()
    """The models with which a run takes over 10 s: "esn", or "gradient" for those trained by gradient."""
    picture: ClassVar[Any] = None
    """How the task is drawn: a name among `plotting.PICTURES`, or a `plotting.Picture`. None: by its kind and its targets."""
    time_step: ClassVar[float] = 1.0
    """Time between samples."""
    lyapunov: ClassVar[float | None] = None
    """Largest Lyapunov exponent, per unit of time; None for a task that is not chaotic."""
    scored_step: ClassVar[int | None] = None
    """The one step of a free run that is scored, counted from 1; None where all are."""

    def __init_subclass__(cls) -> None:
        if "name" in vars(cls) and "tuned" not in vars(cls):
            cls.tuned = {}  # a search on one task says nothing of another that is derived from it

    def __post_init__(self) -> None:
        for name, constraint in self.constraints.items():
            if isinstance(constraint, Text):
                object.__setattr__(self, name, as_text(getattr(self, name)))  # the way round a frozen dataclass
        check_parameters(f"task {self.name}", self.constraints, self.options())

    def options(self) -> dict[str, Any]:
        """The task's options by name."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    @property
    def portrait_lag(self) -> int | None:
        """The steps between the two axes of the phase portrait of a single column; None for a task without one."""
        return None if self.lyapunov is None else 1

    @classmethod
    def settings(cls, model: str) -> Mapping[str, Any]:
        """The parameters with which a model of that name reaches a good score; nested ones as `readout__ridge`.

        The entry "gradient" of `tuned` holds for every model but the echo state network; the model's own entry goes over it.
        """
        shared = cls.tuned.get("gradient", {}) if model != "esn" else {}
        return {**shared, **cls.tuned.get(model, {})}

    def generate(self, seed: int) -> Data:
        """The data of one seed; the same seed gives the same bits.

        Every split is drawn by `draw`, as long as its option `train_length`, `validation_length`, `test_length` says, or
        `train_sequences` and so on. A task whose splits have another source has a `generate` of its own.
        """
        train, validation, test = map(self.draw, self.streams(seed), self.sizes())
        return Data(train, validation, test, self.facts())

    def sizes(self) -> list[int]:
        """The options that say how long the splits are, or of how many sequences: train, validation, test."""
        options = self.options()
        unit = "length" if "train_length" in options else "sequences"
        return [options[f"{split}_{unit}"] for split in SPLITS]

    def draw(self, generator: np.random.Generator, size: int) -> Split:
        """A split of that many scored steps, or of that many sequences."""
        raise NotImplementedError

    def facts(self) -> dict[str, Any]:
        """Facts about the data, such as what the score is scaled with: their `info`."""
        return {}

    def streams(self, seed: int, count: int = 3) -> list[np.random.Generator]:
        """Independent generators: one for each split, so that the size of one does not move the numbers of another.

        The task's name enters, so that two tasks, or a task and a model with the same seed, share no random numbers. Raises
        `ParameterError` for a negative seed.
        """
        check_parameters(f"task {self.name}", {"seed": Number(low=0, integer=True)}, {"seed": seed})
        key = zlib.crc32(self.name.encode())
        return [np.random.default_rng(s) for s in np.random.SeedSequence(seed, spawn_key=(key,)).spawn(count)]

    def predict(self, model: Any, split: Split) -> Any:
        """Ask a fitted `model` for what this kind of task needs, over all sequences of a split."""
        if self.kind == "free run":
            steps = len(split.targets[0])
            return model.forecast(split.inputs, steps)
        return model.predict(split.inputs)

    def score(self, predictions: Any, data: Data) -> float:
        """The task's metric of predictions for the test split."""
        raise NotImplementedError

    def scores(self, predictions: Any, data: Data) -> dict[str, float]:
        """Every metric worth reporting, the task's own first."""
        return {self.metric: self.score(predictions, data)}

    def baseline(self, data: Data) -> float:
        """The score of the trivial predictor that the docstring names."""
        raise NotImplementedError

    @classmethod
    def solved(cls, score: float) -> bool | None:
        """Whether a score meets the task's criterion; None where it has none. NaN does not."""
        if cls.solved_at is None:
            return None
        return bool(score >= cls.solved_at if cls.higher_is_better else score <= cls.solved_at)


class Regression(Task):
    """Base of the tasks that are scored by the normalized mean squared error of their outputs."""

    metric = "nmse"

    def score(self, predictions: Any, data: Data) -> float:
        """The NMSE over the scored rows, with the variance of their targets; `predictions` is an array per test sequence."""
        return metrics.nmse(*scored_rows(predictions, data.test))

    def scores(self, predictions: Any, data: Data) -> dict[str, float]:
        """The NMSE and its root, which most papers print."""
        score = self.score(predictions, data)
        return {"nmse": score, "nrmse": math.sqrt(score)}


def scored(split: Split, sequences: Iterable[Any]) -> np.ndarray:
    """The scored rows of per-step arrays, one after the other."""
    return np.concatenate([np.asarray(s)[split.washout :] for s in sequences])


def scored_rows(predictions: Iterable[Any], split: Split) -> tuple[np.ndarray, np.ndarray]:
    """The scored rows of the predictions for a split, and of its targets."""
    return scored(split, predictions), scored(split, split.targets)
