"""What a search tries, and what came of it."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import Any, Literal, NamedTuple

import numpy as np

from tf_finetune.methods.settings import setting_of

METHOD = "method"  # of the further options of a cell, the whole section


class Place(NamedTuple):
    """Where a rate is looked for: a depth, and the method above it.

    Attributes:
        depth: The frozen depth.
        method: Exact text of the method's setting; None where it is that of the configuration, or
            where the head alone trains, the same under every method.
    """

    depth: int
    method: str | None = None

    @property
    def order(self) -> tuple[int, str]:
        """Sorts by depth, and what is of no method first."""
        return self.depth, self.method or ""

    @property
    def method_name(self) -> str:
        """The method in short, for tables; empty where it is none of several."""
        return "" if self.method is None else setting_of(self.method).setting


@dataclass(frozen=True)
class Cell:
    """One point of the search space; a trial is a cell with a seed.

    Attributes:
        frozen_depth: k, from 0 (train everything) to the number of layers.
        learning_rate: The peak learning rate; None where the head is solved exactly.
        extra: Options of further dimensions by dotted name, sorted by name; lists become
            tuples. A mapping's items will do.
    """

    frozen_depth: int
    learning_rate: float | None
    extra: tuple[tuple[str, Any], ...] = ()

    def __post_init__(self) -> None:
        """Gives equal cells one form, so that they compare, hash and read alike."""
        extra = sorted((str(name), _frozen(value)) for name, value in dict(self.extra).items())
        object.__setattr__(self, "frozen_depth", int(self.frozen_depth))
        if self.learning_rate is not None:
            object.__setattr__(self, "learning_rate", float(self.learning_rate))
        object.__setattr__(self, "extra", tuple(extra))

    @property
    def is_solved(self) -> bool:
        """Whether the head is solved exactly, the same for every seed."""
        return self.learning_rate is None

    @property
    def layers_used(self) -> int | None:
        """How many first layers of the encoder are used alone; None: what all cells use."""
        used: int | None = dict(self.extra).get("encoder.layers")
        return used

    @property
    def depth_words(self) -> str:
        """The depth for tables: `4`, or `first 4` where the layers above are left out."""
        used = self.layers_used
        return str(self.frozen_depth) if used is None else f"first {used}"

    @property
    def method(self) -> str | None:
        """Exact text of its method's setting where several are tried, else None."""
        text: str | None = dict(self.extra).get(METHOD)
        return text

    @property
    def place(self) -> Place:
        """Its depth and method."""
        return Place(self.frozen_depth, self.method)

    @property
    def place_words(self) -> str:
        """The depth, and the method where several are tried: `4, biases`."""
        return ", ".join(filter(None, (self.depth_words, self.place.method_name)))

    @property
    def options(self) -> dict[str, Any]:
        """Its further options by dotted name, without the method."""
        return {name: value for name, value in self.extra if name != METHOD}

    @property
    def rate_order(self) -> float:
        """Sorts by learning rate, what has none last."""
        return order_of_rate(self.learning_rate)

    @property
    def key(self) -> str:
        """Exact name, such as `depth=4 learning_rate=3e-4 training.batch_size=16`."""
        rate = f"learning_rate={exact_rate(self.learning_rate)}"
        parts = [f"depth={self.frozen_depth}", "solver=exact" if self.is_solved else rate]
        parts += [
            f"{name}={value if isinstance(value, str) else json.dumps(value)}"
            for name, value in self.extra
        ]
        return " ".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """As JSON; `from_dict` reads it back."""
        return {
            "frozen_depth": self.frozen_depth,
            "learning_rate": self.learning_rate,
            "extra": dict(self.extra),
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> "Cell":
        """The cell that `to_dict` wrote.

        Raises:
            ValueError: `value` is not a cell.
        """
        try:
            return cls(value["frozen_depth"], value["learning_rate"], tuple(value["extra"].items()))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"not a cell: {value!r}") from error


class Predictions(NamedTuple):
    """A trained model's outputs on the validation split, n examples.

    Attributes:
        targets: Encoded labels: int32 [n], float32 [n, C] of 0 and 1, or float32 [n].
        logits: float [n, C]; [n, 1] in a regression.
    """

    targets: np.ndarray
    logits: np.ndarray


class OutOfFold(NamedTuple):
    """Outputs on training examples, each of a head that was solved without its fold.

    Attributes:
        predictions: Targets and outputs of the examples that were held out.
        folds: How many folds they are in.
    """

    predictions: Predictions
    folds: int


@dataclass(frozen=True)
class TrialResult:
    """One cell trained with one seed.

    Attributes:
        cell: What was tried.
        seed: The training seed.
        status: "failed" trials have a reason and perhaps nothing else.
        reason: Why the trial failed; None if it did not.
        score: The monitored validation score.
        metrics: Every validation score, as `LabelSpace.score` gives them.
        trainable_parameters: Number of parameters that were trained.
        seconds_per_epoch: Wall time of one epoch of training, filling the prefix cache for this
            trial alone spread over its epochs.
        examples_per_second: Training throughput.
        train_seconds: Wall time of the whole training.
        peak_memory_bytes: The most memory in use; None if it could not be measured.
        step_flops: Floating-point operations of one training step; None if unknown.
        answer_flops: Floating-point operations of an answer to a text of mean length; None if
            unknown.
        epochs: Epochs trained.
        micro_batches: Pieces that a device computed a step in; more than the configuration asks
            for if memory ran out.
        given_up: Whether it was stopped because others at its depth were better; its score is
            not that of all its epochs.
        predictions: The validation outputs, or a function that loads them; not in `to_dict`.
        out_of_fold: Likewise what a head of the first answer gave of its training examples; None
            where nothing was kept.
    """

    cell: Cell
    seed: int
    status: Literal["completed", "failed"]
    reason: str | None = None
    score: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    trainable_parameters: int | None = None
    seconds_per_epoch: float | None = None
    examples_per_second: float | None = None
    train_seconds: float | None = None
    peak_memory_bytes: int | None = None
    step_flops: float | None = None
    answer_flops: float | None = None
    epochs: int | None = None
    micro_batches: int | None = None
    given_up: bool = False
    predictions: Predictions | Callable[[], Predictions] | None = field(
        default=None, repr=False, compare=False
    )
    out_of_fold: OutOfFold | Callable[[], OutOfFold | None] | None = field(
        default=None, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        """Checks what everything after a trial relies on.

        Raises:
            ValueError: The result is neither a completed nor a failed one.
        """
        needed = {
            "completed": ("score", "trainable_parameters", "seconds_per_epoch"),
            "failed": ("reason",),
        }
        if self.status not in needed:
            raise ValueError(f"a trial is completed or failed; received {self.status!r}")
        missing = [name for name in needed[self.status] if getattr(self, name) is None]
        if missing:
            raise ValueError(f"a {self.status} trial lacks {', '.join(missing)}")

    def load_predictions(self) -> Predictions:
        """The validation outputs.

        Raises:
            ValueError: The trial was made without any.
        """
        if self.predictions is None:
            raise ValueError(f"the trial {self.cell.key} seed={self.seed} has no predictions")
        return self.predictions() if callable(self.predictions) else self.predictions

    def load_out_of_fold(self) -> OutOfFold | None:
        """The outputs on training examples, if any were kept."""
        return self.out_of_fold() if callable(self.out_of_fold) else self.out_of_fold

    def order(self, higher_is_better: bool) -> tuple[float, float]:
        """Sorts completed trials, the best first; see `order_of_scores`."""
        if self.score is None:
            raise ValueError(f"the trial {self.cell.key} seed={self.seed} has no score")
        sign = 1.0 if higher_is_better else -1.0
        return order_of_scores(sign * self.score, self.metrics.get("loss", 0.0))

    def to_dict(self) -> dict[str, Any]:
        """As strict JSON, without the predictions; NaN and infinity become null."""
        apart = ("cell", "metrics", "predictions", "out_of_fold")
        names = (f.name for f in fields(self) if f.name not in apart)
        return {
            "cell": self.cell.to_dict(),
            **{name: _finite(getattr(self, name)) for name in names},
            "metrics": {name: _finite(value) for name, value in self.metrics.items()},
        }

    @classmethod
    def from_dict(
        cls,
        value: Mapping[str, Any],
        predictions: Predictions | Callable[[], Predictions] | None = None,
        out_of_fold: OutOfFold | Callable[[], OutOfFold | None] | None = None,
    ) -> "TrialResult":
        """The result that `to_dict` wrote; a score that is null is NaN again.

        Args:
            value: What `to_dict` gave.
            predictions: The outputs, or what loads them.
            out_of_fold: Likewise those on training examples.

        Raises:
            ValueError: `value` is not a trial; says why.
        """
        try:
            rest = dict(value)
            cell = Cell.from_dict(rest.pop("cell"))
            metrics = {n: math.nan if v is None else v for n, v in rest.pop("metrics").items()}
            if rest["status"] == "completed" and rest["score"] is None:
                rest["score"] = math.nan
            rest |= {"cell": cell, "metrics": metrics}
            return cls(predictions=predictions, out_of_fold=out_of_fold, **rest)
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"not a trial: {error}") from error


def exact_rate(learning_rate: float | None) -> str:
    """A learning rate as people write it, without loss: `3e-4`, `0.05`, `1`; `exact` for none."""
    if learning_rate is None:
        return "exact"
    if learning_rate >= 0.01:
        return repr(learning_rate).removesuffix(".0")
    _, digits, exponent = Decimal(repr(learning_rate)).normalize().as_tuple()
    first, rest = str(digits[0]), "".join(map(str, digits[1:]))
    return f"{first}{'.' if rest else ''}{rest}e{int(exponent) + len(rest)}"


def order_of_rate(learning_rate: float | None) -> float:
    """Sorts by learning rate, the head that is solved exactly, without any, last."""
    return math.inf if learning_rate is None else learning_rate


def order_of_scores(score: float, loss: float) -> tuple[float, float]:
    """Sorts the best first: by score and, where scores are equal, by validation loss.

    Args:
        score: Turned so that higher is better.
        loss: Lower is better.

    Returns:
        A key for `sorted`, without the digits in which equal sums differ.
    """
    return float(f"{-score:.12g}"), float(f"{loss:.12g}")


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list | tuple) else value


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
